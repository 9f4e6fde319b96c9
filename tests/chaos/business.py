"""What a business says on its own in these tests: notices and follow-ups, set from the test's process; and when the sandbox took them."""

import re
import time
from asyncio import StreamWriter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from hmac import HMAC
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from pilotbot.contacts import canonical
from pilotbot.engine import Engine, Item, Place, Timer
from pilotbot.replies import DEFAULT, Saying, Template
from pilotbot.sandbox.lifecycle import Lifecycle
from pilotbot.sandbox.records import Message
from pilotbot.server.outbox import LaneOutbox
from pilotbot.server.runtime import open_engine
from pilotbot.server.saying import Numbers
from tests.chaos.harness import BOTS, Chaos, Process
from tests.chaos.load import Event
from tests.chaos.proxy import Direction, Proxy
from tests.chaos.verdict import Findings, Verdict
from tests.stage import SECRET, Stage, wire

HEARD = BOTS / "heard.py"
EVOLUTION = {"API_KEY": "ps_sandbox_evolution", "NUMBER_KIND": "evolution_v2"}  # no window to mind
UNPACED = {"BUSINESS_PER_SECOND": "1000", "BUSINESS_CHAT_SECONDS": "0"}


class Business:
    """Notices and follow-ups from outside a turn, through an engine of the test's own on the processes' Redis."""

    def __init__(self, engine: Engine, outbox: LaneOutbox) -> None:
        self.engine = engine
        self._outbox = outbox

    def place(self, contact: str) -> Place:
        """A contact's chat."""
        return Place(key=self.engine.keys.chat("main", canonical(contact)), number="main", kind="contact", address=contact)

    async def notify(self, contact: str, text: str, template: Template | None = None, **values: object) -> None:
        """Queue a notice, whose text is its key."""
        await self._outbox.notify(contact, Saying(content=text, template=template, values=values), key=text, number=None)

    async def follow_up(self, timers: Sequence[tuple[str, str, int]], *, silence: bool = False) -> None:
        """Set follow-ups, given as contact, text and when they are due (business ms), in batches."""
        by_shard: dict[int, list[tuple[Place, Timer]]] = {}
        for contact, text, due in timers:
            here, name = self.place(contact), sha256(text.encode()).hexdigest()[:8]
            made = Timer(name=name, due=due, items=(Item(id="", free=orjson.dumps({"text": text})),), silence=silence)
            by_shard.setdefault(here.key.shard, []).append((here, made))
        for shard, made_here in by_shard.items():
            for start in range(0, len(made_here), 500):
                assert all(await self.engine.timers.set(shard, made_here[start : start + 500]))


@asynccontextmanager
async def business(chaos: Chaos, **variables: str) -> AsyncIterator[Business]:
    """A `Business` on the Redis of the stage, with the settings that processes have."""
    changes: dict[str, Any] = {name.lower(): value for name, value in variables.items()}
    settings = chaos.stage.settings(**changes)
    async with open_engine(settings) as engine:
        yield Business(engine, LaneOutbox(engine, Numbers(settings.numbers), policy=DEFAULT))


class Taken:
    """What the sandbox took, and when (monotonic seconds), in the order of its acceptance."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[tuple[float, str, str]] = []
        accept = Lifecycle.accept

        def noted(lifecycle: Lifecycle, message: Message) -> None:
            self.messages.append((time.monotonic(), message.contact, message.text or ""))
            accept(lifecycle, message)

        monkeypatch.setattr(Lifecycle, "accept", noted)

    def by_contact(self) -> Mapping[str, list[tuple[float, str]]]:
        """When which text was taken for each contact."""
        found: dict[str, list[tuple[float, str]]] = {}
        for at, contact, text in self.messages:
            found.setdefault(contact, []).append((at, text))
        return found


class Wire(Proxy):
    """In front of the sandbox: notes when each Idempotency-Key first came by, whatever became of that post (sandbox ms)."""

    KEY = re.compile(rb"idempotency-key: *([!-~]+)", re.IGNORECASE)

    def __init__(self, stage: Stage) -> None:
        parts = urlsplit(stage.sandbox.url)
        super().__init__((str(parts.hostname), int(parts.port or 0)))
        self.first: dict[str, int] = {}
        self._stage = stage

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _write(self, writer: StreamWriter, data: bytes, direction: Direction) -> None:
        if direction == "up":
            for key in self.KEY.findall(data):
                self.first.setdefault(key.decode(), sandbox_ms(self._stage))
        await super()._write(writer, data, direction)


async def at_work(chaos: Chaos, process: Process) -> Process:
    """Start a process, and wait until it has read the platform's templates too: from then on it calls the platform to post only."""
    await process.work()

    async def looked() -> bool:
        async with chaos.stage.http.get(f"{process.url}/readyz") as answer:
            return bool((await answer.json())["remote"])

    await chaos.stage.until(looked, "the templates to be read")
    return process


def sandbox_ms(stage: Stage) -> int:
    """The sandbox's clock."""
    assert stage.sandbox._parts is not None
    return stage.sandbox._parts.clock.now_ms()


def iso(at_ms: int) -> str:
    """A moment as the platform writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def wrote(stage: Stage, contact: str, text: str, at_ms: int) -> Event:
    """A contact wrote at this moment of the sandbox's clock; nothing is delivered yet."""
    at = iso(at_ms)
    made = await stage.api("POST", "/sandbox/inbound", {"from": contact, "name": "Ana Souza", "text": text, "at": at})
    body = orjson.dumps(wire("", text, contact=contact, id=made["id"], messageId=made["messageId"], createdAt=at))
    return Event(contact, text, body, HMAC(SECRET.encode(), body, sha256).hexdigest())


async def concluded(
    name: str, stage: Stage, findings: Findings, *, seed: int, began: float, faults: str, contacts: int, events: int, deliveries: int,
    measured: Mapping[str, str],
) -> Verdict:  # fmt: skip
    """A verdict with the sandbox's own counts; `began` is when the run did (monotonic seconds)."""
    rows = await stage.rows()
    posts = await stage.api("GET", "/sandbox/posts")
    return Verdict(
        name=name, seed=seed, findings=findings, contacts=contacts, events=events, deliveries=deliveries,
        messages=sum(row["direction"] == "out" for row in rows), posts=sum(posts["answers"].values()), replayed=posts["replayed"],
        faults=faults, seconds=time.monotonic() - began, measured=measured,
    )  # fmt: skip
