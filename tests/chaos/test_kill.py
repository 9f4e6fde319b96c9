"""Processes that are killed or frozen at the worst moments: nothing is lost, nothing is doubled, everything is in order.

The verdict is the sandbox's own log: what it accepted, in the order in which it accepted it.
"""

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from redis import Redis
from redis.exceptions import RedisError

from pilotbot.engine.keys import base
from tests.chaos.harness import COUNTER, GATED, Chaos, Held, Process
from tests.stage import ANA, Stage, wire

pytestmark = pytest.mark.chaos


async def answers(stage: Stage, count: int, *, contact: str = ANA) -> list[str]:
    return [row["text"] for row in await stage.sees(count, contact=contact)]


async def test_killed_between_accept_and_commit_it_is_answered_once_and_in_order(chaos: Chaos) -> None:
    stage, first = chaos.stage, await chaos.process(GATED).work()
    await chaos.listen(first)
    await stage.says("one")
    await stage.until(chaos.begun, "the handler to begin")
    await stage.says("two")
    await stage.quiet()  # both are answered 200
    first.kill()
    chaos.open()
    await first.work()
    await stage.says("three")
    assert await answers(stage, 3) == ["1: one", "2: two", "3: three"]
    assert chaos.begun() == ["one", "one", "two", "three"]


async def test_killed_between_post_and_record_the_platform_has_one_message(chaos: Chaos, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, first = chaos.stage, await chaos.process(COUNTER).work()
    await chaos.listen(first)
    held = Held(stage, monkeypatch)
    await stage.says("one")
    await held.arrived.wait()
    await stage.says("two")
    await stage.quiet()
    first.kill()
    held.go_on.set()
    assert await answers(stage, 1) == ["1: one"]  # the platform took it from the dead
    await first.work()
    await stage.says("three")
    assert await answers(stage, 3) == ["1: one", "2: two", "3: three"]


async def test_frozen_past_its_lease_in_a_handler_it_doubles_nothing(chaos: Chaos) -> None:
    stage, first = chaos.stage, await chaos.process(GATED).work()
    await chaos.listen(first)
    await stage.says("one")
    await stage.until(chaos.begun, "the handler to begin")
    first.signal(signal.SIGSTOP)
    second = await chaos.process(GATED).work()
    await chaos.listen(second)
    await stage.until(lambda: len(chaos.begun()) == 2, "the other process to take over")
    chaos.open()
    assert await answers(stage, 1) == ["1: one"]
    first.signal(signal.SIGCONT)
    await first.ready()
    await stage.says("two")
    assert await answers(stage, 2) == ["1: one", "2: two"]
    second.kill()
    await chaos.listen(first)
    await stage.says("three")
    assert await answers(stage, 3) == ["1: one", "2: two", "3: three"]


async def test_frozen_past_its_lease_in_a_post_it_doubles_nothing(chaos: Chaos, monkeypatch: pytest.MonkeyPatch, redis: Redis) -> None:
    stage, first, second = chaos.stage, await chaos.process(COUNTER).work(), chaos.process(COUNTER)
    await chaos.listen(first)
    await chaos.listen(second, alone=False)
    held = Held(stage, monkeypatch)
    await stage.says("one")
    await held.arrived.wait()
    (owner,) = owners(redis)
    first.signal(signal.SIGSTOP)
    await second.work()
    await stage.until(lambda: owners(redis) != [owner], "the other process to take over")
    held.go_on.set()
    await stage.says("two")
    assert await answers(stage, 2) == ["1: one", "2: two"]
    first.signal(signal.SIGCONT)
    await first.ready()
    await stage.says("three")
    assert await answers(stage, 3) == ["1: one", "2: two", "3: three"]


def owners(redis: Redis) -> list[str]:
    """Who has lanes leased."""
    return [str(owner) for shard in range(2) for owner in redis.hvals(f"{base(shard)}:lane:owner")]


CONTACTS = [f"+55119876500{n:02}" for n in range(1, 21)]
EACH = 15


class Contacts:
    """Contacts who all write at the same time, each one message after the other."""

    def __init__(self, stage: Stage, processes: list[Process]) -> None:
        self.accepted = 0
        self._stage = stage
        self._processes = processes

    async def write(self) -> None:
        await asyncio.gather(*(self._one(contact) for contact in CONTACTS))

    async def until_accepted(self, count: int) -> None:
        await self._stage.until(lambda: self.accepted >= count, f"{count} messages to be accepted")

    async def _one(self, contact: str) -> None:
        """Its messages in order: each is delivered again, anywhere, until it is answered 200."""
        for n in range(1, EACH + 1):
            body = wire(f"{contact}-{n}", f"message {n}", contact=contact, numberId="num_evolution", to="+551140028933")
            while not await self._delivered(body):  # noqa: ASYNC110 - what it waits for is in another process
                await asyncio.sleep(0.02)
            self.accepted += 1
            await asyncio.sleep(random.uniform(0.2, 0.5))  # so that they spread over the kills

    async def _delivered(self, body: object) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(5):
                status, _, _ = await self._stage.deliver(random.choice(self._processes).url, body)
            return status == 200
        return False


async def test_three_hundred_messages_through_processes_that_are_killed_again_and_again(chaos: Chaos) -> None:
    """Two, killed in turn about every second; the platform refuses some posts and loses some of its answers, too."""
    stage = chaos.stage
    processes = [chaos.process(COUNTER, API_KEY="ps_sandbox_evolution", NUMBER_KIND="evolution_v2") for _ in range(2)]
    await asyncio.gather(*(process.work() for process in processes))
    await stage.faults(acceptThenDrop=0.05, http500=0.05)
    contacts = Contacts(stage, processes)
    writing = asyncio.create_task(contacts.write())
    for kill in range(6):
        await contacts.until_accepted(25 + 50 * kill)
        processes[kill % 2].kill()
        await processes[kill % 2].work()
    await writing
    for contact in CONTACTS:
        assert await answers(stage, EACH, contact=contact) == [f"{n}: message {n}" for n in range(1, EACH + 1)]
    assert len([row for row in await stage.rows() if row["direction"] == "out"]) == EACH * len(CONTACTS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def server(data: Path) -> int | None:
    """The process id of the embedded server of a data directory, None where there is none."""
    client = Redis(unix_socket_path=str(data / "redis.sock"), decode_responses=True)
    try:
        return int(client.info("server")["process_id"])
    except (RedisError, OSError):
        return None
    finally:
        client.close()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and is not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; elsewhere a server that lost its owner goes on")
async def test_killed_with_its_own_redis_it_leaves_no_orphan_and_loses_nothing(chaos: Chaos, data: Path) -> None:
    stage, only = chaos.stage, await chaos.process(GATED, REDIS_URL="", DATA_DIR=str(data)).work()
    await chaos.listen(only)
    await stage.says("one")
    await stage.until(chaos.begun, "the handler to begin")
    await stage.says("two")
    await stage.quiet()
    found = server(data)
    assert found is not None
    only.kill()
    await stage.until(lambda: not alive(found), "the orphan to end")
    chaos.open()
    await only.work()
    assert await answers(stage, 2) == ["1: one", "2: two"]


async def test_a_second_process_survives_the_one_that_ran_their_redis(chaos: Chaos, data: Path) -> None:
    stage = chaos.stage
    owner = await chaos.process(COUNTER, REDIS_URL="", DATA_DIR=str(data)).work()
    second = await chaos.process(COUNTER, REDIS_URL="", DATA_DIR=str(data)).work()
    await chaos.listen(second)
    await stage.says("one")
    assert await answers(stage, 1) == ["1: one"]
    before = server(data)
    assert before is not None
    owner.kill()
    await stage.says("two")
    assert await answers(stage, 2) == ["1: one", "2: two"]
    if sys.platform == "linux":  # elsewhere a server that lost its owner goes on, and the second process with it
        await stage.until(lambda: server(data) not in (None, before), "the second process to run Redis")
    await owner.work()  # adopts the other one's
    await chaos.listen(owner)
    await stage.says("three")
    assert await answers(stage, 3) == ["1: one", "2: two", "3: three"]
