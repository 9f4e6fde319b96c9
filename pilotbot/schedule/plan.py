"""What is due of a schedule, and what is done about it. Times are epoch milliseconds."""

from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from pilotbot.schedule.models import Schedule
from pilotbot.schedule.times import upcoming

GRACE: Final = 60_000
"""How late a time may be, in ms, before it counts as missed."""

MOST_RUNS: Final = 1_000
"""How many missed times are run one by one, the newest, where each is to be."""

MOST_COUNTED: Final = 10_000
"""How many missed times are counted; of more than these only the later part is."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: the time that it is for, and how many earlier ones it stands for."""

    due: int
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs that are due, oldest first; the next time after them, None where there is none; how many times are dropped."""

    runs: tuple[Run, ...]
    next: int | None
    dropped: int = 0


def plan(schedule: Schedule, first: int, now: int) -> Plan:
    """Return what is to be run of the times from `first` to `now`, by the schedule's policy, and the next time.

    A repeat with the same `first` has the same runs again, by their times; so ids that follow from the times make it harmless.

    Raises:
        ValueError: as `upcoming`.
    """
    newest, count, following = _due(schedule, first, now)
    if not newest:
        return Plan((), following)
    missed = newest[0] <= now - GRACE
    if schedule.missed == "coalesce" and missed:
        return Plan((Run(newest[-1], count - 1),), following)
    wanted = [due for due in newest if due > now - GRACE] if schedule.missed == "skip" else newest
    return Plan(tuple(map(Run, wanted)), following, count - len(wanted))


def occurrence_id(name: str, due: int) -> str:
    """Return the identity of one time of a schedule: the same in all processes."""
    return sha256(f"{name}\0{due}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _due(schedule: Schedule, first: int, now: int) -> tuple[deque[int], int, int | None]:
    """The newest times from `first` to `now`, how many there are in all, and the next one."""
    newest: deque[int] = deque(maxlen=MOST_RUNS)
    count = 0
    for due in upcoming(schedule.trigger, first - 1):
        if due > now:
            return newest, count, due
        if count == MOST_COUNTED:
            return _due(schedule, (first + now) // 2, now)  # a long stop and a short interval: nobody needs all of them
        newest.append(due)
        count += 1
    return newest, count, None
