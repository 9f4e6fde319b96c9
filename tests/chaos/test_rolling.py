"""Bots that are stopped, started and replaced while contacts write: nothing is lost, doubled or out of order, and nothing is run again.

A stop gives everything back. With leases of half a minute, a chat that waited for one to run out would not come to its end in a test.
"""

import asyncio
import contextlib
import signal
import socket
import time
from collections import Counter
from functools import partial

import aiohttp
import pytest

from tests.chaos.harness import BOTS, GATED, Chaos, Process
from tests.processes import children
from tests.stage import Stage, wire

pytestmark = pytest.mark.chaos

TOLD = BOTS / "told.py"
CONTACTS = [f"+55119876500{n:02}" for n in range(1, 13)]
LONG = {"LEASE_SECONDS": "30"}
ON_EVOLUTION = {"API_KEY": "ps_sandbox_evolution", "NUMBER_KIND": "evolution_v2"}
STOP = 25.0  # seconds that a stop takes at most


class Contacts:
    """Contacts who all write at the same time, each one message after the other, until they have enough."""

    def __init__(self, stage: Stage, processes: list[Process]) -> None:
        self.accepted: Counter[str] = Counter()
        self.refused = 0
        self._stage = stage
        self._processes = processes
        self._enough = False

    async def write(self) -> None:
        await asyncio.gather(*(self._one(place, contact) for place, contact in enumerate(CONTACTS)))

    def end(self) -> None:
        self._enough = True

    async def more(self, count: int) -> None:
        """Wait until so many more messages were accepted."""
        least = self.accepted.total() + count
        await self._stage.until(lambda: self.accepted.total() >= least, f"{count} more messages to be accepted")

    async def _one(self, place: int, contact: str) -> None:
        """Its messages in order: each is delivered again, anywhere, until it is answered 200."""
        while not self._enough:
            n = self.accepted[contact] + 1
            body = wire(f"{contact}-{n}", f"{contact} {n}", contact=contact, numberId="num_evolution", to="+551140028933")
            tries = place
            while not await self._delivered(self._processes[tries % len(self._processes)].url, body):
                self.refused += 1
                tries += 1
                await asyncio.sleep(0.02)
            self.accepted[contact] = n
            await asyncio.sleep(0.1)

    async def _delivered(self, url: str, body: object) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(5):
                status, _, _ = await self._stage.deliver(url, body)
            return status == 200
        return False


def runs(chaos: Chaos) -> list[tuple[int, str]]:
    """What handlers ran with, and in which process."""
    lines = (chaos.place / "runs").read_text().splitlines()
    return [(int(pid), text) for pid, text in (line.split(" ", 1) for line in lines)]


async def verdict(chaos: Chaos, contacts: Contacts) -> None:
    """Each message was answered once and in order, and no handler ran twice."""
    for contact in CONTACTS:
        count = contacts.accepted[contact]
        assert [row["text"] for row in await chaos.stage.sees(count, contact=contact)] == [
            f"{n}: {contact} {n}" for n in range(1, count + 1)
        ]
    total = contacts.accepted.total()
    assert len([row for row in await chaos.stage.rows() if row["direction"] == "out"]) == total
    assert sorted(text for _, text in runs(chaos)) == sorted(f"{who} {n}" for who in CONTACTS for n in range(1, contacts.accepted[who] + 1))


def replaced(whole: Process, before: set[int], count: int) -> bool:
    """Whether three processes work, and so many of those before are gone."""
    now = children(whole.pid)
    return len(now) == 3 and len(before - now) >= count


async def stop(process: Process) -> float:
    """Stop it as an installation does. Returns the seconds that it took."""
    began = time.monotonic()
    process.signal(signal.SIGTERM)
    assert await process.stopped() == 0
    return time.monotonic() - began


async def test_three_processes_are_replaced_again_and_again_while_contacts_write(chaos: Chaos) -> None:
    stage, whole = chaos.stage, chaos.process(TOLD, **LONG, **ON_EVOLUTION)
    whole.options = ("--processes", "3")
    await whole.work()
    await stage.until(lambda: len(children(whole.pid)) == 3, "all three processes")
    contacts = Contacts(stage, [whole])
    writing = asyncio.create_task(contacts.write())
    seen = before = children(whole.pid)
    for _ in range(2):
        await contacts.more(20)
        whole.signal(signal.SIGHUP)
        for count in (1, 2, 3):
            await stage.until(partial(replaced, whole, before, count), f"{count} new processes")
        before = children(whole.pid)
        seen |= before
    await contacts.more(20)
    contacts.end()
    await writing
    await verdict(chaos, contacts)
    assert len(seen) == 9
    assert {pid for pid, _ in runs(chaos)} <= seen
    assert len({pid for pid, _ in runs(chaos)}) > 3
    assert await stop(whole) < STOP


async def test_two_are_stopped_and_started_in_turn_while_contacts_write(chaos: Chaos) -> None:
    both = [chaos.process(TOLD, **LONG, **ON_EVOLUTION) for _ in range(2)]
    await asyncio.gather(*(process.work() for process in both))
    contacts = Contacts(chaos.stage, both)
    writing = asyncio.create_task(contacts.write())
    took: list[float] = []
    for cycle in range(4):
        await contacts.more(20)
        took.append(await stop(both[cycle % 2]))
        await contacts.more(5)
        await both[cycle % 2].work()
    await contacts.more(20)
    contacts.end()
    await writing
    await verdict(chaos, contacts)
    assert max(took) < STOP
    assert contacts.refused > 0  # who came to a process that stops was sent on, and came again


async def test_a_handler_at_work_when_the_stop_comes_is_finished_and_answered_by_its_own_process(chaos: Chaos) -> None:
    stage, first = chaos.stage, await chaos.process(GATED, **LONG).work()
    await chaos.listen(first)
    await stage.says("one")
    await stage.until(chaos.begun, "the handler to begin")
    await stage.says("two")
    await stage.quiet()  # both are kept
    first.signal(signal.SIGTERM)
    await stage.until(lambda: refuses(first), "no connection to be accepted any more")
    first.signal(signal.SIGTERM)  # changes nothing
    chaos.open()
    assert await first.stopped() == 0
    assert [row["text"] for row in await stage.sees(1)] == ["1: one"]
    assert chaos.begun() == ["one"]
    await first.work()
    assert [row["text"] for row in await stage.sees(2)] == ["1: one", "2: two"]
    assert chaos.begun() == ["one", "two"]


def refuses(process: Process) -> bool:
    """Whether nobody can connect."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", process.port)) != 0
