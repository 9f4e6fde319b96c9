"""A platform that refuses, throttles, takes messages without saying so, and is out for a while: nothing is doubled, the order is kept.

Most of the time is spent in pauses that the platform asked for or a breaker makes. The short form moves the clock over them.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from redis import Redis

from tests.chaos.harness import LEDGER, Chaos, Process
from tests.chaos.load import Load, contacts
from tests.chaos.verdict import Verdict, reach_verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    each: int
    out: float  # seconds without any platform


SHORT, FULL = Size(2, 15, 4, 2.0), Size(4, 200, 10, 120.0)


async def test_lossy_platform(chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]) -> None:
    size = FULL if full else SHORT
    processes = [chaos.process(LEDGER) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    clock = None if full else asyncio.create_task(_hurry(chaos, processes))
    await chaos.stage.faults(http500=0.2, acceptThenDrop=0.1, http429=0.1)
    began = time.monotonic()
    async with Load(chaos.stage, processes, seed, ahead=10_000) as load:
        writing = asyncio.create_task(load.run(contacts(size.contacts), size.each))
        await load.until_said(size.contacts * size.each // 2)
        await chaos.stage.faults(dropBefore=True)
        await asyncio.sleep(size.out)
        await chaos.stage.faults(dropBefore=False)
        back = time.monotonic()
        await writing
        drained = await settled(chaos.stage, redis, patience=120)
        verdict = noted(
            await reach_verdict(
                "lossy platform", chaos.stage, redis, load, seed=seed, began=began,
                faults=f"20 % 5xx, 10 % taken and dropped, 10 % 429, out for {size.out:.0f} s",
                measured={"drained": f"{time.monotonic() - back:.0f} s after it was back"},
            )
        )  # fmt: skip
    if clock is not None:
        clock.cancel()
    assert verdict.clean, repr(verdict)
    assert drained


async def _hurry(chaos: Chaos, processes: Sequence[Process]) -> None:
    """Time goes about fifteen times as fast, for the sandbox and for the bots, until this is cancelled."""
    for process in processes:  # which tell it of nothing else but the clock: there are no failures
        await chaos.stage.api("POST", "/v1/webhooks", {"url": f"{process.url}/webhook", "name": "clock", "events": ["message.failed"]})
    while True:
        await chaos.stage.travel("3s")
        await asyncio.sleep(0.2)


async def _one_fault(chaos: Chaos, redis: Redis, seed: int, sabotage: str, fault: str) -> Verdict:
    """The first of a chat's answers meets a fault."""
    only = await chaos.process(LEDGER, TEST_SABOTAGE=sabotage).work()
    async with Load(chaos.stage, [only], seed) as load:
        began = time.monotonic()
        await chaos.stage.faults(**{fault: {"next": 1}})
        await load.deliver(await load.say(ANA, "one"))
        await settled(chaos.stage, redis, patience=5)
        return await reach_verdict("control", chaos.stage, redis, load, seed=seed, began=began, faults=f"1 {fault}")


@pytest.mark.parametrize(
    ("sabotage", "fault", "kinds"),
    [("key", "acceptThenDrop", {"doubled"}), ("order", "http500", {"disordered"}), ("order", "http429", {"disordered"})],
)
async def test_control(chaos: Chaos, redis: Redis, seed: int, sabotage: str, fault: str, kinds: set[str]) -> None:
    verdict = await _one_fault(chaos, redis, seed, sabotage, fault)
    assert verdict.findings.kinds() == kinds, repr(verdict)


@pytest.mark.parametrize("fault", ["acceptThenDrop", "http500", "http429"])
async def test_with_the_guard_in_place_the_same_fault_is_clean(chaos: Chaos, redis: Redis, seed: int, fault: str) -> None:
    verdict = await _one_fault(chaos, redis, seed, "", fault)
    assert verdict.clean, repr(verdict)
