"""The times of a trigger, in order, the same in every process.

APScheduler's triggers say which times are meant. Two things are decided here instead: a CronTrigger's times when the clocks change, and
that a time follows from the trigger alone, not from what was asked before.

When the clocks change (RFC 5545, 3.3.5): a time of the day that does not exist is as much later as the clocks went forward, one that
comes twice is meant the first time. Where the hour is a wildcard, the times are of the clock on the wall: one that comes twice is
meant twice, one that does not come is not meant. (APScheduler 3.11 has a daily 02:30 twice in the night when the clocks go back.)
"""

from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta, tzinfo
from heapq import heappop, heappush, merge
from typing import Final

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger, BaseCombiningTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
TRIES: Final = 10_000
"""How often the triggers of an AndTrigger may disagree before they are said never to agree."""


def upcoming(trigger: BaseTrigger, after: int) -> Iterator[int]:
    """Yield the times of a trigger later than `after`, ascending, in epoch ms; endless for most triggers.

    Raises:
        ValueError: the trigger's times do not go forward, have no zone, or those of an AndTrigger never agree.
    """
    last = after
    for time in _times(trigger, EPOCH + timedelta(milliseconds=after)):
        at = (time - EPOCH + MILLISECOND / 2) // MILLISECOND
        if at > last:  # two that are the same moment, or nearer than a millisecond, are one
            yield at
            last = at


def first_after(trigger: BaseTrigger, after: int) -> int | None:
    """Return the first time later than `after` (epoch ms), or None where there is none. Raises as `upcoming`."""
    return next(upcoming(trigger, after), None)


def zone_of(trigger: BaseTrigger) -> tzinfo:
    """Return the time zone that a trigger is written in; that of the first part of a combined one, UTC where there is none."""
    if isinstance(trigger, BaseCombiningTrigger):
        return zone_of(trigger.triggers[0]) if trigger.triggers else UTC
    run_date = getattr(trigger, "run_date", None)
    found = getattr(trigger, "timezone", None) or getattr(run_date, "tzinfo", None)
    return found if isinstance(found, tzinfo) else UTC


def _times(trigger: BaseTrigger, after: datetime) -> Iterator[datetime]:
    match trigger:
        case CronTrigger():
            return _on_the_wall(trigger, after)
        case OrTrigger():
            return merge(*(_times(part, after) for part in trigger.triggers))
        case AndTrigger():
            return _agreed(trigger, after)
    return _chained(trigger, after)


def _chained(trigger: BaseTrigger, after: datetime) -> Iterator[datetime]:
    """The times that a trigger itself names. Some begin at a start of their own, which may lie before `after`."""
    time = trigger.get_next_fire_time(None, after + MILLISECOND)
    while time is not None:
        if time.tzinfo is None:
            raise ValueError(f"{trigger!r} gives times without a zone")
        time = time.astimezone(UTC)
        if time > after:
            yield time
        following = trigger.get_next_fire_time(time.astimezone(zone_of(trigger)), time + MILLISECOND)
        if following is not None and following <= time:
            raise ValueError(f"{trigger!r} does not go forward after {time.isoformat()}")
        time = following


def _agreed(trigger: AndTrigger, after: datetime) -> Iterator[datetime]:
    """The times that all parts have."""
    disagreed = 0
    while disagreed < TRIES:
        heads = [next(_times(part, after), None) for part in trigger.triggers]
        known = [head for head in heads if head is not None]
        if len(known) < len(heads) or not known:
            return
        after = max(known)
        if min(known) == after:
            yield after
            disagreed = 0
        else:
            after -= MILLISECOND
            disagreed += 1
    raise ValueError(f"the parts of {trigger!r} do not agree on any time")


def _on_the_wall(trigger: CronTrigger, after: datetime) -> Iterator[datetime]:
    """The times of a CronTrigger: found on a clock that never changes, then told in its zone."""
    zone = trigger.timezone
    hour = next(field for field in trigger.fields if field.name == "hour")
    wildcard = str(hour).startswith("*")
    if trigger.start_date is not None:
        after = max(after, trigger.start_date.astimezone(UTC) - MILLISECOND)
    clock = copy(trigger)
    clock.timezone, clock.start_date, clock.end_date, clock.jitter = UTC, None, None, None
    waiting: list[datetime] = []
    for wall in _chained(clock, _wall(after, zone) - _change(after, zone)):
        # Near a change a later time on the wall can be the earlier moment: what waits goes once no such one can come any more.
        while waiting and wall > _wall(waiting[0], zone) + _change(waiting[0], zone):
            yield heappop(waiting)
        for time in _moments(wall, zone, wildcard=wildcard):
            if trigger.end_date is not None and time > trigger.end_date:
                yield from sorted(waiting)
                return
            if time > after:
                heappush(waiting, time)
    yield from sorted(waiting)


def _moments(wall: datetime, zone: tzinfo, *, wildcard: bool) -> list[datetime]:
    """The moments that a time on the wall means; see the module's text."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if not wildcard or first == second:
        return [first]
    return [first, second] if first < second else []


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    """What the clock on the wall shows, as if it were UTC."""
    return moment.astimezone(zone).replace(tzinfo=UTC, fold=0)


def _change(moment: datetime, zone: tzinfo) -> timedelta:
    """By how much the clocks change within a day of a moment: nothing, on nearly all days."""
    before, later = ((moment + days).astimezone(zone).utcoffset() or timedelta(0) for days in (timedelta(-1), timedelta(1)))
    return abs(later - before)
