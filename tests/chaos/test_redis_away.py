"""Redis away under load: nothing is answered 200 that is not kept, 503 comes soon, and all is handled once it is back."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.chaos.harness import LEDGER, Chaos
from tests.chaos.load import Attempt, Load, contacts
from tests.chaos.servers import OwnRedis
from tests.chaos.verdict import Verdict, reach_verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

SOON = 3.0  # seconds to a 503, at most


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    away: float  # seconds
    pause: float  # mean seconds between two bursts of a contact


SHORT, FULL = Size(2, 20, 4.0, 1.0), Size(4, 60, 30.0, 1.0)


@pytest.mark.parametrize("how", ["stopped", "silent"])
async def test_redis_away(
    chaos_on: Callable[[str], Chaos],
    own_redis: Callable[..., OwnRedis],
    how: str,
    seed: int,
    full: bool,
    noted: Callable[[Verdict], Verdict],
) -> None:
    """Stopped, so that connections are refused; silent, so that they hang."""
    size = FULL if full else SHORT
    redis = await own_redis().start()
    chaos = chaos_on(redis.url)
    processes = [chaos.process(LEDGER) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    began = time.monotonic()
    async with Load(chaos.stage, processes, seed, pause=size.pause) as load:
        writing = asyncio.create_task(load.run(contacts(size.contacts), None))
        await load.until_said(2 * size.contacts)
        left, back = await _away(redis, size.away, stopped=how == "stopped")
        await load.until_said(len(load.events) + size.contacts)
        load.stopping = True
        await writing
        drained = await settled(chaos.stage, redis.client, patience=30)
        refused = [one for one in load.attempts if one.status == 503]
        verdict = noted(
            await reach_verdict(
                f"Redis {how}", chaos.stage, redis.client, load, seed=seed, began=began, faults=f"away for {back - left:.0f} s",
                measured={"503s": f"{len(refused):,}", "slowest": f"{max(one.took for one in refused):.2f} s of {SOON:.0f} s"},
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    during = [one for one in load.attempts if one.began > left and one.began + one.took < back]
    assert [one for one in during if one.status == 200] == []
    assert during
    assert not [one for one in load.attempts if not _in_time(one, left, back)]


def _in_time(attempt: Attempt, left: float, back: float) -> bool:
    """Whether a delivery that came while Redis was away was refused soon enough; what came at its end may have been kept instead."""
    return attempt.took <= SOON or attempt.began + attempt.took < left or attempt.began > back


async def _away(redis: OwnRedis, seconds: float, *, stopped: bool) -> tuple[float, float]:
    """Take Redis away. Returns since when and until when it was (monotonic seconds)."""
    if stopped:
        redis.kill()
    else:
        redis.signal(signal.SIGSTOP)
    left = time.monotonic()
    await asyncio.sleep(seconds)
    back = time.monotonic()
    if stopped:
        await redis.start()
    else:
        redis.signal(signal.SIGCONT)
    return left, back


async def _one_event(chaos: Chaos, redis: OwnRedis, seed: int, sabotage: str) -> Verdict:
    """An event comes while Redis is away; the platform delivers it again until it is answered 200."""
    only = await chaos.process(LEDGER, TEST_SABOTAGE=sabotage).work()
    async with Load(chaos.stage, [only], seed) as load:
        began = time.monotonic()
        redis.kill()
        delivered = asyncio.create_task(load.deliver(await load.say(ANA, "one")))
        await chaos.stage.until(lambda: load.attempts, "an answer")
        await redis.start()
        await delivered
        await settled(chaos.stage, redis.client, patience=5)
        return await reach_verdict("control", chaos.stage, redis.client, load, seed=seed, began=began, faults="Redis away")


Made = Callable[[str], Awaitable[Verdict]]


@pytest.fixture
def one_event(chaos_on: Callable[[str], Chaos], own_redis: Callable[..., OwnRedis], seed: int) -> Made:
    async def run(sabotage: str) -> Verdict:
        redis = await own_redis().start()
        return await _one_event(chaos_on(redis.url), redis, seed, sabotage)

    return run


async def test_control_what_redis_did_not_take_is_answered_200(one_event: Made) -> None:
    verdict = await one_event("promise")
    assert verdict.findings.kinds() == {"lost", "wrong"}, repr(verdict)


async def test_with_the_guard_in_place_the_same_event_is_handled(one_event: Made) -> None:
    verdict = await one_event("")
    assert verdict.clean, repr(verdict)
