"""Whom and what a turn is about, and the desk that it says things at: the types between `Context` and what does them."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pilotbot.contacts import Scope, is_phone
from pilotbot.events import Inbound, Media
from pilotbot.media import MediaFile
from pilotbot.replies import Deferred, Planned, Queued, Saying, Skipped

Outcome = Queued | Deferred | Skipped
"""What is expected to become of a message; which it is, is decided when it is sent."""


Late = Literal["run", "skip", "coalesce"]
"""What becomes of a follow-up that is a minute late or more, after a stop: sent all the same, dropped, or the latest stands for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A follow-up that waits: when it is due (aware, UTC), its key, its text, and whether the contact's next message disarms it."""

    at: datetime
    key: str
    text: str = field(repr=False)
    unless_replied: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """Who wrote. `address` is where they were last seen: a phone as `+digits`, or a BSUID.

    `language` is theirs, such as "pt_BR", `timezone` such as "America/Sao_Paulo", None where it is not known; `tags` are the bot's own.
    """

    address: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    language: str | None = None
    timezone: str | None = None
    tags: frozenset[str] = frozenset()

    @property
    def phone(self) -> str:
        """The phone as `+digits`; empty where only a BSUID is known."""
        return self.address if is_phone(self.address) else ""

    @property
    def first_name(self) -> str:
        """The first word of the name, empty where there is none."""
        return self.name.split()[0] if self.name and self.name.split() else ""


@dataclass(frozen=True, slots=True)
class Chat:
    """Where answers go: a contact, a group or a newsletter, with one of our numbers (by its configured name).

    `last_inbound` is when the contact last wrote (aware, UTC), this event included; None for groups and newsletters.
    """

    number: str
    kind: Literal["contact", "group", "newsletter", "number"]
    address: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    last_inbound: datetime | None = None


class Desk(Protocol):
    """Takes what a turn wants to say. Nothing of it leaves before the turn commits, but what is asked for with `now`."""

    async def reply(self, saying: Saying, *, now: bool, leads: bool = False) -> Outcome:
        """Stage (or send at once) a message to the turn's chat; what comes after one that leads waits for its report."""

    async def typing(self) -> None:
        """Show that somebody is typing."""

    def download(self, media: Media) -> AbstractAsyncContextManager[MediaFile]:
        """Fetch a file that was sent to us."""

    async def cancel(self, name: str) -> bool:
        """Take a message back."""

    async def notify(self, who: "str | Contact", saying: Saying, *, number: str | None) -> Outcome:
        """Stage a message to another chat."""

    async def follow_up(
        self, when: timedelta | datetime | None, saying: Saying, *, before_window_closes: timedelta | None, unless_replied: bool,
        key: str | None, if_late: Late,
    ) -> Planned | Skipped:  # fmt: skip
        """Stage a message to this chat for later."""

    async def follow_ups(self) -> list[FollowUp]:
        """What waits, as it will be after this turn."""

    async def cancel_follow_ups(self, key: str | None) -> int:
        """Stage the end of one follow-up, or of all."""

    async def consent(self, what: Literal["out", "in"], source: str, evidence: str, purpose: Scope = "all") -> None:
        """Stage what the contact decided."""

    def know(self, *, language: str | None, timezone: str | None, tagged: str | None, untagged: str | None) -> None:
        """Stage what is known of the contact."""

    async def handover(self, queue: str, note: str, how_long: timedelta | None) -> None:
        """Stage that a person has the chat."""

    async def kept_messages(self) -> list[Inbound]:
        """What was written while a person had the chat."""
