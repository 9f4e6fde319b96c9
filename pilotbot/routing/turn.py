"""What filters and injection see of one turn: one event of one chat, on its way to a handler."""

from typing import Protocol

from pilotbot.events.models import Event
from pilotbot.replies import Action


class Turn(Protocol):
    """One event as filters see it (the framework's Context satisfies it).

    `text` is what the contact wrote, or the label of the option that was tapped or chosen by number. `action` is that
    option's payload. `our_phone` is the number that the event came to, `bot_name` the bot's name.
    """

    @property
    def event(self) -> Event:
        """The event that began the turn."""

    @property
    def text(self) -> str:
        """The contact's text, or the label of the chosen option; empty where there is none. Untrusted."""

    @property
    def action(self) -> Action | None:
        """The payload of the chosen option."""

    @property
    def our_phone(self) -> str | None:
        """Our number as `+digits`, where it is known."""

    @property
    def old(self) -> bool:
        """Whether the event came so long after it happened that only `stale` handlers see it."""

    @property
    def tags(self) -> frozenset[str]:
        """The contact's tags."""

    @property
    def bot_name(self) -> str:
        """The bot's name."""
