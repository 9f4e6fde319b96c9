"""The 24-hour window of a contact on a Meta number, a pure function of what is recorded (contract 7, design 6).

What is recorded is in epoch milliseconds of business time; handlers see `datetime` and `timedelta`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

WINDOW = 24 * 60 * 60 * 1000
"""How long a contact's last inbound message keeps the window open, in milliseconds (contract 7)."""

MARGIN = 120_000
"""How long before the true edge nothing free-form is begun any more, in milliseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """What may be said at a moment.

    `state` is "open", "closed", "never" (the contact never wrote) or "none" (this chat has no window: free-form always
    goes). `closes_at` is the moment from which nothing free-form is begun, the margin taken off; `edge` is the platform's
    own, up to which a free-form message already posted may be tried again; both aware, UTC. They are None where no clock
    decides: "never", "none", or when the platform itself refused.
    """

    state: Literal["open", "closed", "never", "none"]
    closes_at: datetime | None = None
    edge: datetime | None = None

    @property
    def free(self) -> bool:
        """Whether free-form content may go: the window is open, or there is none."""
        return self.state in {"open", "none"}

    def remaining(self, now: datetime) -> timedelta | None:
        """Return how long it is until `closes_at`: nothing if the window is not open, None if there is no window at all."""
        if self.state == "none":
            return None
        if self.state != "open" or self.closes_at is None:
            return timedelta(0)
        return max(timedelta(0), self.closes_at - now)


def window(*, enforced: bool, last_inbound: int | None, shut_at: int | None = None, now: int, margin: int = MARGIN) -> Window:
    """Return the window of a chat (contract 7).

    All times are epoch milliseconds.

    Args:
        enforced: Whether this chat has a window at all: a contact of a Meta number has, groups and Evolution have not.
        last_inbound: When the contact last wrote, as `opened_by` gave it; None if never.
        shut_at: The `last_inbound` that was recorded when the platform refused a free-form message as too late; None if
            it never did. The window stays closed until the contact writes after that.
        now: The present time.
        margin: Milliseconds before the edge from which the window counts as closed.
    """
    if not enforced:
        return Window("none")
    if last_inbound is None:
        return Window("never")
    if shut_at is not None and shut_at >= last_inbound:
        return Window("closed")
    edge = last_inbound + WINDOW
    closes_at = edge - margin
    return Window("open" if now < closes_at else "closed", _moment(closes_at), _moment(edge))


def opened_by(event_at: int | None, now: int) -> int:
    """Return the moment from which an inbound message opens the window: its provider's time, but never the future.

    Args:
        event_at: The provider's time of the message; None where it is missing or unreadable.
        now: When the message was accepted.
    """
    return now if event_at is None else min(event_at, now)


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
