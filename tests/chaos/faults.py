"""What befalls processes, at moments that hurt: each is caught in the midst of a turn before it is killed or frozen."""

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from statistics import median
from typing import Any

from tests.chaos.harness import Chaos, Process
from tests.chaos.load import Load


class Harm:
    """Kills and freezes processes under a load. `seed` decides when; `say` is told of the progress."""

    def __init__(self, chaos: Chaos, load: Load, processes: Sequence[Process], seed: int, *, aloud: bool = False) -> None:
        self.kills: list[tuple[str, float]] = []
        """Whose turn was killed, and when (seconds since the epoch)."""
        self.freezes = 0
        self._chaos = chaos
        self._load = load
        self._processes = processes
        self._rng = random.Random(f"{seed} harm")
        self._aloud = aloud
        self._probes = 0
        self._deliveries: set[asyncio.Task[None]] = set()

    async def caught(self) -> tuple[Process, str]:
        """A process that runs a turn, and stays in it until another one took over; and the contact whose turn it is."""
        self._probes += 1
        contact, name = f"+55219{82000000 + self._probes}", f"p{self._probes}"
        event = await self._load.say(contact, f"probe {name}")
        task = asyncio.create_task(self._load.deliver(event))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        pid = await self._chaos.begun_by(name)
        return next(one for one in self._processes if one.pid == pid), contact

    async def kill(self) -> None:
        """Kill a process in a turn, once there is another to take over, and start it again without waiting for it."""
        victim, contact = await self.caught()
        others = [one for one in self._processes if one is not victim]
        if others:
            await self._chaos.stage.until(partial(_any_ready, others), "another process to be ready")
        victim.kill()
        self.kills.append((contact, time.time()))
        victim.start()

    def revive(self) -> None:
        """Start again what ended of itself, as whatever supervises processes does: a bot does not start while Redis is away."""
        for process in self._processes:
            if process.ended:
                process.start()

    async def freeze(self, seconds: float) -> None:
        """Freeze a process in a turn for so long."""
        victim, _ = await self.caught()
        victim.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            victim.signal(signal.SIGCONT)
        self.freezes += 1

    async def kill_while(self, running: "asyncio.Task[None]", *, every: float) -> None:
        """Kill about every so many seconds until the task is done."""
        due = time.monotonic()
        while not running.done():
            self.revive()
            await self.kill()
            self.tell(f"{len(self.kills)} kills")
            due = max(due + every * self._rng.uniform(0.75, 1.25), time.monotonic())
            await asyncio.wait([running], timeout=due - time.monotonic())

    async def finished(self) -> None:
        """Wait until what was delivered for the probes is answered."""
        await asyncio.gather(*self._deliveries)

    def tell(self, what: str) -> None:
        """Progress, for whoever watches a long run."""
        if self._aloud:
            told = len(self._load.events)
            sys.stderr.write(f"chaos: {what}, {told} events, {self._load.unanswered} unanswered\n")

    def resumed(self, rows: Iterable[Mapping[str, Any]]) -> list[float]:
        """Seconds from each kill to the first answer to its chat, by the sandbox's clock; infinite where there is none."""
        first: dict[str, float] = {}
        for row in rows:
            if row["direction"] == "out":
                first.setdefault(row["contact"], _time(row))
        return [first.get(contact, float("inf")) - at for contact, at in self.kills]


def usual(rows: Iterable[Mapping[str, Any]]) -> float:
    """The median of the seconds from a message to its first answer: what it takes on this machine, under this load, without a fault."""
    said: dict[tuple[str, str], float] = {}
    took: dict[tuple[str, str], float] = {}
    for row in rows:
        if row["direction"] == "in":
            said[row["contact"], row["text"]] = _time(row)
        elif (place := (row["contact"], row["text"].partition(": ")[2])) in said:
            took.setdefault(place, _time(row) - said[place])
    return median(took.values())


def _time(row: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(row["createdAt"]).timestamp()


async def _any_ready(processes: Sequence[Process]) -> bool:
    return any([await process.is_ready() for process in processes])


async def alongside(load: "asyncio.Task[None]", harm: "asyncio.Task[None]") -> None:
    """Wait for both; the trouble of one ends the other."""
    try:
        await asyncio.gather(load, harm)
    finally:
        for task in (load, harm):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
