"""Follow-ups that come due while processes are killed, and while all are down: each fires once, soon.

How late is counted twice, without the time in which no process was up: until the index of what is due is empty of it, by Redis, and until
the platform has its message, by the sandbox; that beyond what others wait at the time, and without what piled up while all were down, which
goes as fast as the machine posts.
"""

import asyncio
import random
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median, quantiles
from typing import Any

import pytest
from redis import Redis

from pilotbot.engine.keys import base
from tests.chaos.business import EVOLUTION, HEARD, UNPACED, at_work, business, concluded
from tests.chaos.harness import LEASE, Chaos, Held, Process
from tests.chaos.load import contacts
from tests.chaos.verdict import Findings, Row, Verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

LATE = LEASE + 1  # seconds, at most, while any process is up
EVEN = 0.5  # seconds that a lane may wait where nothing has piled up
SETTINGS = {**EVOLUTION, **UNPACED}


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    timers: int
    spread: float  # seconds over which they come due
    every: float  # seconds between kills
    down: float  # seconds without any process


SHORT, FULL = Size(2, 60, 300, 8.0, 2.0, 2.0), Size(4, 1000, 10_000, 60.0, 2.0, 20.0)


@dataclass(slots=True)
class Ups:
    """Since when and until when no process was up, since when nothing waits that piled up (all in seconds since the epoch); and the
    slowest timer in the index while one was up.
    """

    left: float = float("inf")
    back: float = float("inf")
    even: float = float("inf")
    slowest: float = 0.0
    kills: int = 0

    def lateness(self, due: float, at: float) -> float:
        """How many seconds late something is, or was, without those in which no process was up."""
        return at - due - max(0.0, min(at, self.back) - max(due, self.left))


async def test_timers_once(chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]) -> None:
    size, stage, rng = FULL if full else SHORT, chaos.stage, random.Random(seed)
    processes = [chaos.process(HEARD, **SETTINGS) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    people = contacts(size.contacts)
    first = time.time() + 1 + size.timers / 2000
    due = {f"timer {n}": first + rng.uniform(0, size.spread) for n in range(size.timers)}
    began = time.monotonic()
    async with business(chaos, **EVOLUTION) as ours:
        await ours.follow_up([(rng.choice(people), text, round(at * 1000)) for text, at in due.items()])
    assert time.time() < first
    ups = Ups()
    watching = asyncio.create_task(_watch(redis, ups))
    await _harm(chaos, processes, ups, size, first, rng)
    await stage.until(lambda: not _first(redis, "timers"), "the index to be empty")
    drained = await settled(stage, redis, patience=20)
    watching.cancel()
    rows = [row for row in await stage.rows() if row["direction"] == "out"]
    taken = {row["text"]: datetime.fromisoformat(row["createdAt"]).timestamp() for row in reversed(rows)}
    late = {text: ups.lateness(due[text], at) for text, at in taken.items() if text in due}
    steady = [(taken[text], seconds) for text, seconds in late.items() if taken[text] < ups.left or due[text] > ups.even]
    behind, seconds_late = max(_behind(steady)), sorted(seconds for _, seconds in steady)
    verdict = noted(
        await concluded(
            "timers once", stage, judged(due, rows), seed=seed, began=began, contacts=size.contacts, events=size.timers, deliveries=0,
            faults=f"{ups.kills} kills, all down for {ups.back - ups.left:.0f} s",
            measured={
                "slowest in the index while one was up": f"{ups.slowest:.2f} s of {LATE} s",
                "slowest to the platform beyond the others then": f"{behind:.2f} s of {LATE} s",
                "lateness in all": f"median {median(seconds_late):.2f} s, p99 {quantiles(seconds_late, n=100)[98]:.2f} s, "
                f"at most {seconds_late[-1]:.2f} s",
                "caught up": f"with {len(late) - len(steady):,} in {ups.even - ups.back:.1f} s after all were down",
            },
        )
    )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    assert ups.slowest <= LATE, repr(verdict)
    assert behind <= LATE, repr(verdict)


def judged(due: Mapping[str, float], rows: Sequence[Row]) -> Findings:
    """Each timer has one message, not before its time."""
    counts = Counter(str(row["text"]) for row in rows)
    early = [row["text"] for row in rows if datetime.fromisoformat(row["createdAt"]).timestamp() < due.get(row["text"], 0.0) - 0.002]
    return Findings(
        lost=[text for text in due if text not in counts],
        doubled=[text for text, count in counts.items() for _ in range(count - 1)],
        wrong=[*early, *(text for text in counts if text not in due)],
    )


def _behind(taken: Sequence[tuple[float, float]]) -> list[float]:
    """How many seconds later each was than what the platform took at that time, half a second before to half a second after.

    Given as when it was taken, and how late it was. What all wait for is the machine; what one waits for beyond that is a lost lease.
    """
    ordered = sorted(taken)
    times = [at for at, _ in ordered]
    return [
        seconds - median(other for _, other in ordered[bisect_left(times, at - 0.5) : bisect_right(times, at + 0.5)])
        for at, seconds in ordered
    ]


def _first(redis: Redis, name: str) -> list[float]:
    """When what waits first in an index of each shard is due (ms)."""
    found: Any = [redis.zrange(f"{base(shard)}:{name}", 0, 0, withscores=True) for shard in range(2)]
    return [due for first in found for _, due in first]


async def _watch(redis: Redis, ups: Ups) -> None:
    """Note how late the latest timer in the index is, and when the lanes have caught up after all were down."""
    while True:
        now = time.time()
        if not ups.left <= now < ups.back:
            ups.slowest = max([ups.slowest, *(ups.lateness(due / 1000, now) for due in _first(redis, "timers"))])
        if ups.back < now < ups.even and not [
            at for name in ("timers", "lane:ready") for at in _first(redis, name) if at / 1000 < now - EVEN
        ]:
            ups.even = now
        await asyncio.sleep(0.05)


async def _harm(chaos: Chaos, processes: Sequence[Process], ups: Ups, size: Size, first: float, rng: random.Random) -> None:
    """Kill one every few seconds while another is up, until all are due; in the middle, all of them."""
    middle, end = first + (size.spread - size.down) / 2, first + size.spread
    while (now := time.time()) < end:
        if ups.left > now and now >= middle:
            ups.left = now
            for process in processes:
                process.kill()
            await asyncio.sleep(size.down)
            for process in processes:
                process.start()
            await chaos.stage.until(lambda: _up(processes), "a process to be up")
            ups.back = time.time()
        victim = rng.choice(processes)
        if await _up([one for one in processes if one is not victim]):
            victim.kill()
            victim.start()
            ups.kills += 1
        wait = size.every * rng.uniform(0.75, 1.25)
        await asyncio.sleep(min(wait, max(middle - time.time(), 0.0)) if ups.left > time.time() else wait)


async def _up(processes: Sequence[Process]) -> bool:
    return any([await process.is_ready() for process in processes])


# --- controls -------------------------------------------------------------------------------------------------------------------


async def test_control_what_fired_stays_in_the_index(chaos: Chaos, redis: Redis) -> None:
    await chaos.process(HEARD, TEST_SABOTAGE="twice", **SETTINGS).work()
    due = time.time()
    async with business(chaos, **EVOLUTION) as ours:
        await ours.follow_up([(ANA, "timer", round(due * 1000))])

    async def twice() -> Sequence[Row]:
        return found if len(found := await chaos.stage.rows()) > 1 else []

    assert judged({"timer": due}, await chaos.stage.until(twice, "a second message")).kinds() == {"doubled"}


@pytest.mark.parametrize(("sabotage", "kinds"), [("steps", {"lost"}), ("", set())])
async def test_control_taken_out_in_one_step_and_sent_in_another(
    chaos: Chaos, redis: Redis, sabotage: str, kinds: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two; with one step for both, killed in the post."""
    only = await at_work(chaos, chaos.process(HEARD, TEST_SABOTAGE=sabotage, **SETTINGS))
    held = Held(chaos.stage, monkeypatch)
    due = time.time()
    async with business(chaos, **EVOLUTION) as ours:
        await ours.follow_up([(ANA, "timer", round(due * 1000))])
    if sabotage:
        await chaos.stage.until((chaos.place / "steps").exists, "the timer to be taken out")
    else:
        await held.arrived.wait()
    only.kill()
    held.go_on.set()
    chaos.let("steps.open")
    await only.work()
    assert await settled(chaos.stage, redis, patience=5)
    assert judged({"timer": due}, await chaos.stage.rows()).kinds() == kinds
