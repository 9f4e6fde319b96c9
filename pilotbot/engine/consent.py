"""What people decided about being written to: a ledger a person, and a mark on each of their chats that the lane obeys (design 3.13)."""

from dataclasses import dataclass
from typing import Literal

import orjson

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """An entry of the ledger.

    Attributes:
        what: opted out, or in.
        at: when, in business ms.
        source: how it came to be known: "word" (the contact wrote it), "handler", "command".
        evidence: what shows it: the words, a note.
        event: the event that it came with, "" for none.
    """

    what: Literal["out", "in"]
    at: int
    source: str
    evidence: str
    event: str = ""

    @property
    def mark(self) -> int:
        """As chats and scripts know it: when, negative for yes."""
        return self.at if self.what == "out" else -self.at

    def pack(self) -> bytes:
        """As it is stored; the same entry is the same bytes."""
        return orjson.dumps({"what": self.what, "at": self.at, "source": self.source, "evidence": self.evidence[:500], "event": self.event})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision to enter, whose it is, and their chats with all our numbers."""

    entry: Consent
    person: ChatKey
    chats: tuple[ChatKey, ...]


class Consents:
    """The ledger of all people; a part of `Engine`. `person` is a key of `Keyring.person`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def record(self, person: ChatKey, entry: Consent) -> int:
        """Enter a decision, once; the latest holds. Returns the mark that holds now."""
        state, _ = await self._calls.script("consent", person.shard, person.id, entry.at, entry.pack())
        return int(state)

    async def of(self, person: ChatKey) -> tuple[int, list[Consent]]:
        """The mark that holds (0: nothing is known), and the ledger, the newest first; 100 entries at most."""
        state, flat = await self._calls.script("consent", person.shard, person.id, "", "")
        return int(state), [Consent(**orjson.loads(entry)) for entry in flat[::2]]

    async def mark(self, chat: ChatKey, mark: int) -> str:
        """Tell a chat what its contact decided; an older decision changes nothing. Returns the token of its lane where that is leased."""
        return str(await self._calls.script("mark_consent", chat.shard, chat.id, mark), "utf-8")
