"""What a turn needs of the engine. `Engine` is one; the other is that of a rehearsal, which writes nothing."""

from typing import Literal, Protocol

from pilotbot.engine import ChatKey, ChatView, Claimed, Effects, Item, Keyring, Lane, Marks, PutAside, Record, Settled, Terms, Waits


class TurnEngine(Protocol):
    """See the methods of `Engine`."""

    @property
    def terms(self) -> Terms:
        """The figures, in milliseconds."""

    @property
    def keys(self) -> Keyring:
        """Names of chats."""

    async def chat(self, key: ChatKey) -> ChatView:
        """A chat as it is now."""

    async def alias(self, address: str) -> str | None:
        """The phone that a BSUID belongs to."""

    async def find_record(self, message_id: str) -> Record | None:
        """What is known of a message of ours."""

    async def follow_ups(self, key: ChatKey) -> list[Waits]:
        """The follow-ups that wait in a chat."""

    async def kept(self, key: ChatKey, since: int = 0) -> list[bytes]:
        """What was written while a person had a chat."""

    async def consent(self, person: ChatKey) -> Marks:
        """What a person decided."""

    async def tell_consent(self, chat: ChatKey, marks: Marks) -> None:
        """Tell a chat what its contact decided."""

    async def recent(self, chat: ChatKey, since: int) -> int:
        """How many messages a chat got since then that a cap counts."""

    async def emit(
        self, turn: Claimed, ordinal: str, item: Item, *, unless_human: bool = False
    ) -> tuple[str, Lane | None, tuple[PutAside, ...]]:  # fmt: skip
        """Send before the commit."""

    async def commit(self, turn: Claimed, effects: Effects, *, keep: bool, send: bool) -> Settled:
        """Make a turn's effects so."""

    async def blame(self, turn: Claimed, *, is_to: bool) -> bool:
        """Say whether a crash would be the event's fault."""

    async def retry(self, turn: Claimed, delay: int, *, counts_as: Literal["tries", "errors", ""] = "tries") -> Settled:
        """Put a turn's event back."""

    async def bury(self, turn: Claimed, *, reason: str, detail: str, keep: bool, tries: int = 0, trace: str = "") -> Settled:
        """Put a turn's event with the dead letters."""
