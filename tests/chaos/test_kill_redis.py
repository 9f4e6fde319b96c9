"""Redis killed under load, and started again on what it left: nothing that was answered 200 is lost, nothing is doubled.

What `kill -9` of the server takes away is what it had not written yet. With `appendfsync always` (`safe`) that was promised to nobody; with
`everysec` (`fast`) the server may keep writes back while it waits for the disk, so that a little of what was answered has to be caught up
on. A power cut takes more: see test_power_loss.py.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.chaos.faults import Harm, alongside
from tests.chaos.harness import LEDGER, Chaos
from tests.chaos.load import Load, contacts
from tests.chaos.servers import OwnRedis
from tests.chaos.verdict import Verdict, reach_verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

LEASE = 2  # seconds
FSYNC = {"safe": "always", "fast": "everysec"}


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    each: int
    kills: int  # of Redis
    every: float  # seconds between kills of a process


SHORT, FULL = Size(2, 20, 10, 2, 3.0), Size(4, 500, 20, 5, 2.0)


@pytest.mark.parametrize("profile", ["safe", "fast"])
async def test_kill_redis(
    chaos_on: Callable[[str], Chaos],
    own_redis: Callable[..., OwnRedis],
    profile: str,
    seed: int,
    full: bool,
    noted: Callable[[Verdict], Verdict],
) -> None:
    size = FULL if full else SHORT
    redis = await own_redis(fsync=FSYNC[profile]).start()
    chaos = chaos_on(redis.url)
    processes = [chaos.process(LEDGER, LEASE_SECONDS=str(LEASE), DURABILITY=profile) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    began = time.monotonic()
    async with Load(chaos.stage, processes, seed) as load:
        harm = Harm(chaos, load, processes, seed, aloud=full)
        writing = asyncio.create_task(load.run(contacts(size.contacts), size.each))
        kills = asyncio.create_task(_kills(redis, load, seed, size))
        await alongside(writing, asyncio.create_task(harm.kill_while(writing, every=size.every)))
        downtimes = await kills
        await harm.finished()
        if profile == "fast":
            await _caught_up(load)
        drained = await settled(chaos.stage, redis.client, patience=30)
        verdict = noted(
            await reach_verdict(
                f"kill Redis, {profile}", chaos.stage, redis.client, load, seed=seed, began=began,
                faults=f"{len(downtimes)} kills of Redis, {len(harm.kills)} of a process",
                measured={"down": f"{sum(downtimes):.1f} s in all"},
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    assert len(downtimes) == size.kills


async def _kills(redis: OwnRedis, load: Load, seed: int, size: Size) -> list[float]:
    """Kill Redis so many times, spread over the load. Returns how many seconds it was away each time."""
    rng = random.Random(f"{seed} redis")
    downtimes = []
    for kill in range(size.kills):
        enough = size.contacts * size.each * (kill + rng.uniform(0.5, 1)) / (size.kills + 0.5)
        await load.until_said(round(enough))
        began = time.monotonic()
        redis.kill()
        await asyncio.sleep(rng.uniform(0, 1))
        await redis.start()
        downtimes.append(time.monotonic() - began)
    return downtimes


async def _caught_up(load: Load) -> None:
    """What was answered 200 and lost comes back.

    The platform's history is what brings it back in production; here the platform delivers everything once more.
    """
    await load.redeliver()


async def _one_kill(chaos: Chaos, redis: OwnRedis, seed: int) -> Verdict:
    """Redis is killed with an event in the midst of its turn, which was answered 200."""
    only = await chaos.process(LEDGER).work()
    async with Load(chaos.stage, [only], seed) as load:
        began = time.monotonic()
        await load.deliver(await load.say(ANA, "one"))
        await settled(chaos.stage, redis.client, patience=5)
        await load.deliver(await load.say(ANA, "hold two"))
        await chaos.begun_by("two")
        redis.kill()
        await redis.start()
        chaos.let("two.1")
        chaos.let("two.2")
        await load.deliver(await load.say(ANA, "three"))
        await settled(chaos.stage, redis.client, patience=5)
        return await reach_verdict("control", chaos.stage, redis.client, load, seed=seed, began=began, faults="1 kill of Redis")


async def test_control_redis_keeps_nothing(chaos_on: Callable[[str], Chaos], own_redis: Callable[..., OwnRedis], seed: int) -> None:
    redis = await own_redis(persistent=False).start()
    verdict = await _one_kill(chaos_on(redis.url), redis, seed)
    assert verdict.findings.kinds() == {"lost", "wrong"}, repr(verdict)


async def test_with_the_guard_in_place_the_same_kill_is_clean(
    chaos_on: Callable[[str], Chaos], own_redis: Callable[..., OwnRedis], seed: int
) -> None:
    redis = await own_redis().start()
    verdict = await _one_kill(chaos_on(redis.url), redis, seed)
    assert verdict.clean, repr(verdict)
