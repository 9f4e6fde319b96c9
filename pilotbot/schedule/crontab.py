"""From what authors write to triggers: crontab expressions as crontab means them, and spans."""

from datetime import UTC, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from pilotbot.schedule.times import EPOCH

DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS: Final = ("minute", "hour", "day", "month", "day_of_week")


def crontab(expression: str, timezone: str) -> BaseTrigger:
    """Return the trigger of a crontab expression: minute, hour, day of month, month, day of week (0 and 7 are Sunday).

    As in crontab, a day counts by either of the two fields where both are given. Names of months and days are English, of three letters.

    Raises:
        TypeError: one of the two is no text.
        ValueError: the expression or the zone is wrong; says how to write it.
    """
    for text in (expression, timezone):
        if not isinstance(text, str):
            raise TypeError(f'write cron("0 9 * * mon-fri", timezone="America/Sao_Paulo"); it was given {text!r}')
    zone = _zone(timezone)
    parts = expression.lower().split()
    if len(parts) != len(FIELDS):
        raise ValueError(
            f'cron("{expression}") has {len(parts)} fields: write five (minute, hour, day of month, month, day of week), '
            'such as "0 9 * * mon-fri"'
        )
    given = dict(zip(FIELDS, parts, strict=True))
    try:
        given["day_of_week"] = _days_of_week(given["day_of_week"])
        if parts[2].startswith("*") or parts[4].startswith("*"):
            return CronTrigger(**given, timezone=zone)
        return OrTrigger([CronTrigger(**{**given, either: "*"}, timezone=zone) for either in ("day_of_week", "day")])
    except ValueError as error:
        raise ValueError(f'cron("{expression}"): {error}') from None


def interval(span: timedelta) -> BaseTrigger:
    """Return the trigger of every so much time, counted from 1970-01-01 00:00 UTC, so that all processes agree.

    Raises:
        TypeError: it is no timedelta.
        ValueError: it is less than a second, or not of whole seconds.
    """
    if not isinstance(span, timedelta):
        raise TypeError(f"write every(minutes(5)); it was given {span!r}")
    if span < timedelta(seconds=1) or span % timedelta(seconds=1):
        raise ValueError(f"every({span}) is not a number of whole seconds, one or more")
    return IntervalTrigger(seconds=span // timedelta(seconds=1), start_date=EPOCH, timezone=UTC)


def spelled(span: timedelta) -> str:
    """Return a span of whole seconds as authors write it: `minutes(5)`."""
    units = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
    whole = span // timedelta(seconds=1)
    unit = next(unit for unit, size in units.items() if whole % size == 0)
    return f"{unit}({whole // units[unit]})"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # no such name; no name at all; a directory
        raise ValueError(
            f"no time zone is called {name!r}: write one such as America/Sao_Paulo (where a right one is not known, install tzdata)"
        ) from None


def _days_of_week(text: str) -> str:
    """The names of the days that a field means, as APScheduler takes them: it counts from Monday, crontab from Sunday."""
    if text == "*":
        return text
    days: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if slash and not (dash or span == "*"):
            raise ValueError(f"the day of week {part!r} has a step without a range: write mon-fri/2")
        start, end = (0, 6) if span == "*" else (_day(first), _day(last if dash else first))
        if last.isdecimal() and end == 0:
            end = 7  # crontab's other Sunday
        days.update(day % 7 for day in range(start, end + (7 if end < start else 0) + 1, _step(step) if slash else 1))
    return ",".join(DAYS[day] for day in sorted(days))


def _day(text: str) -> int:
    if text in DAYS:
        return DAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text) % 7
    raise ValueError(f"the day of week {text!r} is none: write {', '.join(DAYS[1:])}, sun, or 0 to 7, where 0 and 7 are Sunday")


def _step(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"the step {text!r} is not a number from 1")
    return int(text)
