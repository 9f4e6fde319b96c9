"""What contacts write, through a platform that delivers each event one to three times, anywhere, and again until it is answered 200."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import HMAC
from typing import Self

import aiohttp
import orjson

from tests.chaos.harness import Process
from tests.stage import SECRET, Stage, wire

ATTEMPT = 5.0  # seconds that a delivery may take before the platform gives it up
BURSTS = (1, 1, 2, 4)  # how many messages a contact writes in a row


@dataclass(frozen=True, slots=True)
class Event:
    """A message of a contact, as the sandbox knows it and as it is delivered."""

    contact: str
    text: str
    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery: when it began (monotonic seconds), how many seconds it took, what it was answered; None where it got no answer."""

    event: Event
    began: float
    took: float
    status: int | None


def contacts(count: int) -> list[str]:
    """So many addresses."""
    return [f"+55119{71000000 + n}" for n in range(count)]


class Load:
    """Contacts who write to a bot of several processes, `async with`.

    `seed` decides who gets what how often; `copies` is the most deliveries of one event; `ahead` bounds how many events are unanswered at
    once, and `pause` is the mean of a contact's seconds between two bursts: so that the machine, not the bot, is never what is measured.
    """

    def __init__(
        self, stage: Stage, processes: Sequence[Process], seed: int, *, copies: int = 3, ahead: int = 100, pause: float = 0.0
    ) -> None:  # fmt: skip
        self.attempts: list[Attempt] = []
        self.events: list[Event] = []
        self.stopping = False
        self._stage = stage
        self._processes = processes
        self._seed = seed
        self._copies = copies
        self._ahead = ahead
        self._pause = pause
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._turn = asyncio.Lock()
        self._last = datetime.fromtimestamp(0, UTC)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()

    # --- one event --------------------------------------------------------------------------------------------------------------

    async def say(self, contact: str, text: str) -> Event:
        """A contact writes; nothing is delivered yet."""
        self._last = max(self._last + timedelta(milliseconds=1), datetime.now(UTC))  # no two at the same time: their order is said
        at = self._last.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made = await self._stage.api("POST", "/sandbox/inbound", {"from": contact, "name": "Ana Souza", "text": text, "at": at})
        body = orjson.dumps(wire("", text, contact=contact, id=made["id"], messageId=made["messageId"], createdAt=at))
        event = Event(contact, text, body, HMAC(SECRET.encode(), body, sha256).hexdigest())
        self.events.append(event)
        return event

    async def deliver(self, event: Event, to: Process | None = None) -> None:
        """Deliver an event to one process, or to any, until it is answered 200."""
        rng = random.Random(f"{self._seed} {event.contact} {event.text}")
        for tries in itertools.count():
            if await self.attempt(event, to or rng.choice(self._processes)) == 200:
                return
            await asyncio.sleep(rng.uniform(0.5, 1) * min(1.0, 0.1 * 2**tries))

    async def attempt(self, event: Event, to: Process) -> int | None:
        """Deliver an event once. Returns the status, or None where no answer came in time."""
        headers = {"content-type": "application/json", "x-pilot-status-signature": event.signature}
        began, status = time.monotonic(), None
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(ATTEMPT), self._http.post(f"{to.url}/webhook", data=event.body, headers=headers) as answer:
                status = answer.status
        self.attempts.append(Attempt(event, began, time.monotonic() - began, status))
        return status

    async def redeliver(self) -> None:
        """Deliver every event of each contact once more in its order, as the history of an outage is fed in again."""
        by_contact: dict[str, list[Event]] = {}
        for event in self.events:
            by_contact.setdefault(event.contact, []).append(event)

        async def one(events: list[Event]) -> None:
            for event in events:
                await self.deliver(event)

        await asyncio.gather(*(one(events) for events in by_contact.values()))

    # --- many -------------------------------------------------------------------------------------------------------------------

    @property
    def unanswered(self) -> int:
        """How many events do not have both of their answers, by the sandbox's own count of messages."""
        told = self._stage.sandbox.pending().sequence - len(self.events)
        return len(self.events) - told // 2

    async def until_said(self, count: int) -> None:
        """Wait until contacts wrote so many messages."""
        while len(self.events) < count:  # noqa: ASYNC110 - not worth an event of its own
            await asyncio.sleep(0.02)

    async def run(self, people: Sequence[str], each: int | None) -> None:
        """Have every contact write `each` messages, or (None) write until `stopping`; returns when all were answered 200."""
        await asyncio.gather(*(self._contact(one, each) for one in people))
        await asyncio.gather(*self._tasks)

    async def _contact(self, contact: str, each: int | None) -> None:
        rng = random.Random(f"{self._seed} {contact}")
        n = 0
        while not self.stopping and (each is None or n < each):
            if self._pause:
                await asyncio.sleep(rng.uniform(0, 2 * self._pause))
            await self._room()
            for _ in range(rng.choice(BURSTS)):
                n += 1
                if each is not None and n > each:
                    return
                event = await self.say(contact, f"message {n}")
                for _ in range(rng.randint(1, self._copies) - 1):
                    self._later(event, rng.choice((0, 0, 0.1, 0.5, 2)) * rng.random())
                await self.deliver(event)

    def _later(self, event: Event, wait: float) -> None:
        async def copy() -> None:
            await asyncio.sleep(wait)
            await self.deliver(event)

        task = asyncio.create_task(copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _room(self) -> None:
        """Wait while too many events are unanswered; one contact looks, the others queue."""
        async with self._turn:
            while self.unanswered >= self._ahead and not self.stopping:  # noqa: ASYNC110 - the sandbox tells nobody
                await asyncio.sleep(0.05)
