"""Schedules at work: what is due is taken in as an event like any other; deduped, retried, kept through crashes as those are.

Each process looks at all of them once a second. Two that take in the same time do so under the same id, which is once; a process that
is killed before it moves the schedule on leaves that to whoever looks next. So nothing is leased here.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from redis.exceptions import RedisError

from pilotbot import events
from pilotbot.engine import Accepted, Arrival, Away, ChatKey, Engine, Place
from pilotbot.engine.schedules import Stored
from pilotbot.schedule import GRACE, Plan, Run, Schedule, first_after, occurrence_id, plan

log = logging.getLogger(__name__)

A_WHILE = 3_600_000  # ms
DAY: Final = 86_400_000
FORGOTTEN_AFTER: Final = 30 * DAY  # a schedule that no bot has any more
MOST_NAMES: Final = 1_000


class Ticker:
    """Looks at a bot's schedules. Their events have `number`, by its configured name; `wake` is told which shard has work."""

    def __init__(
        self, engine: Engine, schedules: Sequence[Schedule], *, number: str, wake: Callable[[int], None], counts: Counter[str]
    ) -> None:
        self.schedules = tuple(schedules)
        self._engine = engine
        self._number = number
        self._wake = wake
        self._counts = counts

    async def begin(self) -> None:
        """Look for the first time, so that what is new counts from the start. Where Redis is away, that is left to the next look."""
        try:
            await self.tick()
        except (Away, RedisError) as error:
            log.warning("schedules wait: %s", type(error).__name__)

    async def tick(self) -> None:
        """Take in what is due by business time, and move the schedules on. Safe at any moment, in any number of processes. Raises Away."""
        if not self.schedules:
            return
        now, known = await self._engine.schedules.all()
        for schedule in self.schedules:
            try:
                await self._look(schedule, known.get(schedule.name), now)
            except (Away, RedisError):
                raise
            except Exception:  # such as of an author's own trigger: the others go on
                log.exception("schedule %s met a defect; it is looked at again", schedule.name)
        await self._forget(known, now)

    async def _look(self, schedule: Schedule, stored: Stored | None, now: int) -> None:
        if stored is not None and stored.paused:
            return
        missed = stored is not None and stored.next is not None and now - stored.next > A_WHILE
        # Thousands of times take seconds to count, which others would wait for.
        due = await asyncio.to_thread(planned, schedule, stored, now) if missed else planned(schedule, stored, now)
        same = stored is not None and not due.runs and (due.next, schedule.definition) == (stored.next, stored.definition)
        if stored is not None and same and now - stored.at < DAY:
            return
        if due.dropped:
            log.warning("schedule %s: %d missed times are not run (missed=%s)", schedule.name, due.dropped, schedule.missed)
            self._counts["schedule.run:missed"] += due.dropped
        following, last = due.next, stored.last if stored is not None else None
        for run in due.runs:
            taken = await take_in(self._engine, schedule.name, self._number, run, id_=occurrence_id(schedule.name, run.due), now=now)
            self._counts[f"schedule.run:{taken.outcome}"] += 1
            if taken.outcome not in ("ok", "dup"):
                log.warning("schedule %s: %s; the run waits", schedule.name, taken.outcome)
                following = run.due
                break
            last = run.due
            if taken.wake_mailbox:
                self._wake(_chat(self._engine, schedule.name).shard)
        moved = Stored(definition=schedule.definition, next=following, at=now, last=last)
        await self._engine.schedules.move(schedule.name, stored, moved)

    async def _forget(self, known: Mapping[str, Stored], now: int) -> None:
        """Forget schedules that no bot has any more: all after a while, the oldest at once where there are too many."""
        ours = {schedule.name for schedule in self.schedules}
        others = sorted((stored.at, name) for name, stored in known.items() if name not in ours)
        surplus = max(0, len(known) - MOST_NAMES)
        for place, (at, name) in enumerate(others):
            if place < surplus or at < now - FORGOTTEN_AFTER:
                await self._engine.schedules.move(name, known[name], None)


def planned(schedule: Schedule, stored: Stored | None, now: int) -> Plan:
    """What is due of a schedule, by what is stored of it.

    One that is new begins now. One whose times were changed goes on with the new ones from when somebody last looked, a minute ago at
    most: so nothing is lost while processes of the old and the new version work side by side, and nothing of the past is made up.
    """
    if stored is None:
        first = first_after(schedule.trigger, now)
    elif stored.definition != schedule.definition:
        first = first_after(schedule.trigger, max(stored.at, now - GRACE))
    elif stored.next is None:  # resumed, or there was none any more
        first = first_after(schedule.trigger, stored.at)
    else:
        first = stored.next
    return plan(schedule, first, now) if first is not None and first <= now else Plan((), first)


async def take_in(engine: Engine, schedule: str, number: str, run: Run, *, id_: str, now: int) -> Accepted:
    """Take a run in, once per id: an event of a chat of the schedule's own, with nobody to answer. Raises Away."""
    body = events.scheduled_run(schedule, run=id_, due=run.due, late=now - run.due, missed=run.missed)
    place = Place(key=_chat(engine, schedule), number=number, kind="number", address="")
    return await engine.accept(Arrival(place=place, id=id_, at=None, body=body))


def _chat(engine: Engine, schedule: str) -> ChatKey:
    return engine.keys.chat("", f"schedule\0{schedule}")  # no number and no contact is called so
