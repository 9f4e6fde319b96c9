"""Processes killed in the midst of turns and posts, again and again: nothing is lost, doubled or out of order, and chats resume soon."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from redis import Redis

from tests.chaos.faults import Harm, alongside, usual
from tests.chaos.harness import LEDGER, Chaos, Held
from tests.chaos.load import Load, contacts
from tests.chaos.verdict import Verdict, reach_verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

LEASE = 2  # seconds
RESUMED = LEASE + 1  # seconds, at most, from a kill to the answer of another process


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    each: int
    every: float  # seconds between kills


SHORT, FULL = Size(2, 30, 10, 2.0), Size(4, 500, 20, 2.0)


async def test_kill_workers(chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]) -> None:
    size = FULL if full else SHORT
    stage = chaos.stage
    processes = [chaos.process(LEDGER, LEASE_SECONDS=str(LEASE)) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    await stage.faults(acceptThenDrop=0.02, http500=0.02)
    began = time.monotonic()
    async with Load(stage, processes, seed) as load:
        harm = Harm(chaos, load, processes, seed, aloud=full)
        writing = asyncio.create_task(load.run(contacts(size.contacts), size.each))
        await alongside(writing, asyncio.create_task(harm.kill_while(writing, every=size.every)))
        await harm.finished()
        drained = await settled(stage, redis, patience=20 * LEASE)
        rows = await stage.rows()
        resumed, otherwise = max(harm.resumed(rows)), usual(rows)
        verdict = noted(
            await reach_verdict(
                "kill workers", stage, redis, load, seed=seed, began=began, faults=f"{len(harm.kills)} kills of a process",
                measured={"slowest resumption": f"{resumed:.2f} s of {RESUMED} s", "an answer otherwise": f"{otherwise:.2f} s"},
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    assert resumed <= RESUMED + otherwise, repr(verdict)


async def test_control_what_a_dead_process_had_leased_is_not_taken_back(chaos: Chaos, redis: Redis, seed: int) -> None:
    verdict = await _one_kill(chaos, redis, seed, "recovery")
    assert verdict.findings.kinds() == {"lost", "wrong"}, repr(verdict)


async def test_with_the_guard_in_place_the_same_kill_is_clean(chaos: Chaos, redis: Redis, seed: int) -> None:
    verdict = await _one_kill(chaos, redis, seed, "")
    assert verdict.clean, repr(verdict)


async def _one_kill(chaos: Chaos, redis: Redis, seed: int, sabotage: str) -> Verdict:
    processes = [await chaos.process(LEDGER, TEST_SABOTAGE=sabotage).work() for _ in range(2)]
    async with Load(chaos.stage, processes, seed) as load:
        began = time.monotonic()
        harm = Harm(chaos, load, processes, seed)
        await harm.kill()
        await harm.finished()
        await settled(chaos.stage, redis, patience=5)
        return await reach_verdict("control", chaos.stage, redis, load, seed=seed, began=began, faults="1 kill")


async def test_control_each_post_has_a_key_of_its_own(chaos: Chaos, redis: Redis, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the platform's acceptance and its answer: without the key's memory, the message is sent twice."""
    stage, only = chaos.stage, await chaos.process(LEDGER, TEST_SABOTAGE="key").work()
    async with Load(stage, [only], seed) as load:
        began = time.monotonic()
        held = Held(stage, monkeypatch)
        await load.deliver(await load.say(ANA, "one"))
        await held.arrived.wait()
        only.kill()
        held.go_on.set()
        await only.work()
        await settled(stage, redis, patience=5)
        verdict = await reach_verdict("control", stage, redis, load, seed=seed, began=began, faults="1 kill")
    assert verdict.findings.kinds() == {"doubled"}, repr(verdict)


async def test_control_no_event_is_known_already(chaos: Chaos, redis: Redis, seed: int) -> None:
    stage, only = chaos.stage, await chaos.process(LEDGER, TEST_SABOTAGE="dedupe").work()
    async with Load(stage, [only], seed) as load:
        began = time.monotonic()
        event = await load.say(ANA, "one")
        await load.deliver(event)
        await load.deliver(event)
        await settled(stage, redis, patience=5)
        verdict = await reach_verdict("control", stage, redis, load, seed=seed, began=began, faults="2 deliveries")
    assert verdict.findings.kinds() == {"posts", "wrong"}, repr(verdict)  # the second run says something else under the same keys
