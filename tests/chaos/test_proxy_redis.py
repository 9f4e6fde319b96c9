"""A bad line to Redis: latency, resets amid replies, a black hole. Whatever was lost on the way takes effect once."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from redis import Redis

from tests.chaos.harness import LEDGER, Chaos, Process
from tests.chaos.load import Load, contacts
from tests.chaos.proxy import Proxy
from tests.chaos.verdict import Verdict, reach_verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

LATENCY = 0.2  # seconds there and back
BLACK_HOLE = 5.0  # seconds
STALL = 1.0  # seconds that an event loop may seem to stand still, on a machine that is busy


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    resets: int
    pause: float  # mean seconds between two bursts of a contact


SHORT, FULL = Size(2, 20, 10, 1.0), Size(4, 60, 200, 1.0)


@pytest.fixture
async def line(redis_socket: Path) -> AsyncIterator[Proxy]:
    async with Proxy(redis_socket) as found:
        yield found


@pytest.fixture
def far(line: Proxy, redis: Redis, chaos_on: Callable[[str], Chaos]) -> Chaos:
    """The stage, where bots come to Redis by that line."""
    return chaos_on(f"redis://127.0.0.1:{line.port}/0")


async def test_proxy_redis(
    far: Chaos, line: Proxy, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]
) -> None:  # fmt: skip
    size = FULL if full else SHORT
    rng = random.Random(f"{seed} line")
    processes = [far.process(LEDGER) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    began = time.monotonic()
    async with Load(far.stage, processes, seed, pause=size.pause) as load:
        writing = asyncio.create_task(load.run(contacts(size.contacts), None))
        watch = asyncio.create_task(_answered(processes))
        line.latency = LATENCY / 2
        await load.until_said(len(load.events) + 2 * size.contacts)
        line.latency = 0.0
        for _ in range(size.resets):
            line.reset_after(rng.randint(0, 4000), "down")
            await asyncio.sleep(rng.uniform(0.1, 0.3))
        line.blackhole()
        await asyncio.sleep(BLACK_HOLE)
        line.lift()
        await load.until_said(len(load.events) + size.contacts)
        load.stopping = True
        await writing
        drained = await settled(far.stage, redis, patience=30)
        watch.cancel()
        stall = max(await watch)
        verdict = noted(
            await reach_verdict(
                "a bad line to Redis", far.stage, redis, load, seed=seed, began=began,
                faults=f"{LATENCY * 1000:.0f} ms, {line.resets} resets, {BLACK_HOLE:.0f} s of nothing",
                measured={"longest stall of a loop": f"{stall * 1000:.0f} ms"},
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    assert line.resets >= size.resets // 2
    assert stall < STALL


async def _answered(processes: list[Process]) -> list[float]:
    """How long it took each time until a process answered what it answers without Redis, until cancelled."""
    took = [0.0]
    async with aiohttp.ClientSession() as http:
        try:
            while True:
                for process in processes:
                    asked = time.monotonic()
                    async with http.get(f"{process.url}/healthz") as answer:
                        await answer.read()
                    took.append(time.monotonic() - asked)
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return took


async def _lost_reply(far: Chaos, line: Proxy, redis: Redis, seed: int, sabotage: str) -> Verdict:
    """The reply to the script that keeps an event is lost, so that it is run again."""
    only = await far.process(LEDGER, TEST_SABOTAGE=sabotage).work()
    async with Load(far.stage, [only], seed) as load:
        began = time.monotonic()
        line.lose_reply(b"one event")
        await load.deliver(await load.say(ANA, "one event"))
        await settled(far.stage, redis, patience=5)
        assert line.resets == 1
        return await reach_verdict("control", far.stage, redis, load, seed=seed, began=began, faults="1 lost reply")


async def test_control_no_event_is_known_already(far: Chaos, line: Proxy, redis: Redis, seed: int) -> None:
    verdict = await _lost_reply(far, line, redis, seed, "dedupe")
    assert verdict.findings.kinds() == {"posts", "wrong"}, repr(verdict)


async def test_with_the_guard_in_place_the_same_loss_is_clean(far: Chaos, line: Proxy, redis: Redis, seed: int) -> None:
    verdict = await _lost_reply(far, line, redis, seed, "")
    assert verdict.clean, repr(verdict)
