"""How a message may go, beside what it says: policies of bots, routers and calls, and what the platform is asked to heed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ClosedPolicy = Literal["defer", "skip", "fail"]
"""What happens to content without a template while the window is closed."""

Purpose = Literal["utility", "marketing", "authentication"]
"""What a message that the contact did not ask for is about; people opt in and out of each."""

OptIn = Literal["required", "assumed"]

_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the contact's day in which nothing goes that they did not ask for: it waits for the end.

    Args:
        start: when they begin, "21:00".
        end: when they end, "08:00": of the next day, where that is not later than `start`.
        zone: the time zone where the contact's is not known, "America/Sao_Paulo"; without it, UTC.

    Raises:
        ValueError: a time or the zone is none, or the two are the same.
    """

    start: str
    end: str
    zone: str | None = None

    def __post_init__(self) -> None:
        for time in (self.start, self.end):
            if not _TIME.fullmatch(time):
                raise ValueError(f'quiet hours are written "21:00", 00:00 to 23:59: not {time!r}')
        if self.start == self.end:
            raise ValueError("quiet hours begin and end at the same time: give hours, or policy=Policy(quiet=False) for none")
        try:
            if self.zone is not None:
                ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f'{self.zone!r} is no time zone: write one such as "America/Sao_Paulo"') from None


@dataclass(frozen=True, slots=True)
class Cap:
    """How many messages that they did not ask for a chat gets at most within a span: `Cap(3, days(7))`.

    Raises:
        ValueError: `most` is not 1 to 50, or `within` is not a minute to 90 days.
    """

    most: int
    within: timedelta

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 50:
            raise ValueError(f"a cap is 1 to 50 messages, not {self.most}")
        if not timedelta(minutes=1) <= self.within <= timedelta(days=90):
            raise ValueError(f"a cap is for a minute to 90 days, not {self.within}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for messages; what is None is taken from further out: the call, its handler's routers from the inside out, the bot.

    Args:
        closed: content without a template while the window is closed waits until the contact writes ("defer", the default), is dropped
            with the reason ("skip"), or becomes a dead letter ("fail").
        purpose: what messages are about that the contact did not ask for ("utility" by default). Those for "marketing" need their opt-in.
        quiet: hours in which such messages wait; False for none (the default).
        cap: how many such messages a chat gets; False for any number (the default).
        answer_within: an answer that could not go within this time is dropped; False for never (the default).
        opt_in: "assumed" where opt-ins for marketing are known by other means, and not asked for here ("required" by default).

    Raises:
        ValueError: a value is none of these.
    """

    closed: ClosedPolicy | None = None
    purpose: Purpose | None = None
    quiet: Quiet | Literal[False] | None = None
    cap: Cap | Literal[False] | None = None
    answer_within: timedelta | Literal[False] | None = None
    opt_in: OptIn | None = None

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if (value := getattr(self, name)) is not None and value not in known:
                raise ValueError(f"Policy({name}={value!r}) is none of {', '.join(known)}")
        for name, kind, example in _KINDS:
            value = getattr(self, name)
            if value is not None and value is not False and not isinstance(value, kind):
                raise ValueError(f"Policy({name}=...) takes {example}, or False; it was given a {type(value).__name__}")
        if isinstance(self.answer_within, timedelta) and self.answer_within <= timedelta(0):
            raise ValueError("Policy(answer_within=...) is longer than nothing, such as minutes(10)")

    def over(self, other: "Policy | None") -> "Policy":
        """This one, with `other` where it says nothing."""
        if other is None or other == _NOTHING:
            return self
        if self == _NOTHING:
            return other
        return Policy(**{
            each.name: getattr(other if getattr(self, each.name) is None else self, each.name) for each in fields(self)
        })  # fmt: skip


_CHOICES: Final = {
    "closed": ("defer", "skip", "fail"), "purpose": ("utility", "marketing", "authentication"), "opt_in": ("required", "assumed"),
}  # fmt: skip
_KINDS: Final = (
    ("quiet", Quiet, 'Quiet("21:00", "08:00")'), ("cap", Cap, "Cap(3, days(7))"), ("answer_within", timedelta, "minutes(10)"),
)  # fmt: skip
_NOTHING: Final = Policy()
DEFAULT: Final = Policy(closed="defer", purpose="utility", quiet=False, cap=False, answer_within=False, opt_in="required")
"""What holds where nobody says anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What the platform is asked to heed with a message (contract 3.3).

    Args:
        mark_read: whether sending shows "typing" and marks the contact's last message read; Meta only. None: as the number is set up.
        labels: tags that the platform puts on the contact.
        at: when it is to be delivered (aware); it can be cancelled until then.
        until: after this (aware) it is not delivered any more.
        ai_rewrite: whether the platform may vary the text of a marketing template.

    Raises:
        TypeError: a time has no time zone, or `labels` is no list.
        ValueError: `until` is not after `at`, or a label is blank.
    """

    mark_read: bool | None = None
    labels: Sequence[str] = ()
    at: datetime | None = None
    until: datetime | None = None
    ai_rewrite: bool | None = None

    def __post_init__(self) -> None:
        if isinstance(self.labels, str):
            raise TypeError('labels is a list: labels=["vip"]')
        object.__setattr__(self, "labels", tuple(self.labels))
        if not all(isinstance(label, str) and label.strip() for label in self.labels):
            raise ValueError("a label is a text that is not blank")
        for name in ("at", "until"):
            if (moment := getattr(self, name)) is not None and moment.tzinfo is None:
                raise TypeError(f'Delivery({name}=...) needs a time zone: datetime(..., tzinfo=ZoneInfo("America/Sao_Paulo"))')
        if self.at is not None and self.until is not None and self.until <= self.at:
            raise ValueError("Delivery(until=...) is after `at`")
