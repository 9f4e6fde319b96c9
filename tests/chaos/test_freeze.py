"""Processes frozen beyond their leases, in the midst of turns and posts, which go on as if nothing had been: nothing of it counts."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from redis import Redis

from tests.chaos.faults import Harm, alongside
from tests.chaos.harness import LEASE, LEDGER, Chaos
from tests.chaos.load import Load, contacts
from tests.chaos.verdict import Verdict, reach_verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

FROZEN = 2.2 * LEASE  # seconds


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    freezes: int
    pause: float  # mean seconds between two bursts of a contact


SHORT, FULL = Size(2, 20, 3, 1.0), Size(3, 60, 50, 2.0)


async def test_freeze(chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]) -> None:
    size = FULL if full else SHORT
    processes = [chaos.process(LEDGER) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    began = time.monotonic()
    async with Load(chaos.stage, processes, seed, pause=size.pause) as load:
        harm = Harm(chaos, load, processes, seed, aloud=full)
        writing = asyncio.create_task(load.run(contacts(size.contacts), None))
        await alongside(writing, asyncio.create_task(_freezes(harm, load, size.freezes)))
        await harm.finished()
        drained = await settled(chaos.stage, redis, patience=30)
        verdict = noted(
            await reach_verdict(
                "freeze", chaos.stage, redis, load, seed=seed, began=began, faults=f"{harm.freezes} freezes of {FROZEN:.1f} s",
                measured={"lease": f"{LEASE} s"},
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    assert harm.freezes == size.freezes


async def _freezes(harm: Harm, load: Load, times: int) -> None:
    for _ in range(times):
        await harm.freeze(FROZEN)
        harm.tell(f"{harm.freezes} freezes")
    load.stopping = True


async def _overtaken(chaos: Chaos, redis: Redis, seed: int, sabotage: str) -> Verdict:
    """A process is frozen in the midst of the second event of a chat, while another one takes the first and then comes to the second.

    The frozen one wakes up and commits what it made of the state before the first, while the other is in the midst of the second.
    """
    first, second = (chaos.process(LEDGER, TEST_SABOTAGE=sabotage) for _ in range(2))
    await first.work()
    async with Load(chaos.stage, [second], seed) as load:
        began = time.monotonic()
        early, late = await load.say(ANA, "early"), await load.say(ANA, "hold late")
        await load.deliver(late, first)
        await chaos.begun_by("late")
        first.signal(signal.SIGSTOP)
        try:
            await second.work()
            await load.deliver(early)
            await chaos.begun_by("late", run=2)
            chaos.let("late.1")
        finally:
            first.signal(signal.SIGCONT)
        if sabotage:
            await chaos.stage.sees(4)  # what the frozen turn committed
        await chaos.stage.until((chaos.place / "late.1.over").exists, "the frozen turn to end")
        chaos.let("late.2")
        await settled(chaos.stage, redis, patience=5)
        return await reach_verdict("control", chaos.stage, redis, load, seed=seed, began=began, faults="1 freeze")


async def test_control_tokens_are_not_compared(chaos: Chaos, redis: Redis, seed: int) -> None:
    verdict = await _overtaken(chaos, redis, seed, "fence")
    assert verdict.findings.kinds() == {"wrong"}, repr(verdict)


async def test_with_the_guard_in_place_the_same_freeze_is_clean(chaos: Chaos, redis: Redis, seed: int) -> None:
    verdict = await _overtaken(chaos, redis, seed, "")
    assert verdict.clean, repr(verdict)


async def test_control_an_item_is_read_after_its_lease(chaos: Chaos, redis: Redis, seed: int) -> None:
    """What a prototype did: it posted nothing under a key that was used, since another process had sent and removed the item."""
    first, second = (chaos.process(LEDGER, TEST_SABOTAGE="load") for _ in range(2))
    await first.work()
    async with Load(chaos.stage, [first], seed) as load:
        began = time.monotonic()
        await load.deliver(await load.say(ANA, "one"))
        await chaos.stage.until((chaos.place / "load").exists, "the first post to wait")
        first.signal(signal.SIGSTOP)
        try:
            await second.work()
            await chaos.stage.sees(2)
            await settled(chaos.stage, redis, patience=5)
            chaos.let("load.open")
        finally:
            first.signal(signal.SIGCONT)

        async def refused() -> bool:
            return bool((await chaos.stage.api("GET", "/sandbox/posts"))["refused"])

        await chaos.stage.until(refused, "the frozen post")
        await settled(chaos.stage, redis, patience=5)
        verdict = await reach_verdict("control", chaos.stage, redis, load, seed=seed, began=began, faults="1 freeze")
    assert verdict.findings.kinds() == {"posts"}, repr(verdict)
    assert " 0 bytes" in verdict.findings.posts[0]
