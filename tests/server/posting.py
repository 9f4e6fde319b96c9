"""A small platform that is in trouble or refuses, senders of several processes that post to it, and the steps of such tests."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp import web

from pilotbot.engine import Engine, Item, Notice, Place, Terms
from pilotbot.platform import PilotStatus
from pilotbot.server.sender import Sender

CHATS = [f"+55119876500{n:02}" for n in range(10)]
Answer = Callable[[str], web.Response | None]


def no(status: int, code: str | None = None, **headers: str) -> Answer:
    """Every post is refused like this."""
    return lambda _: web.json_response({"error": "no", "code": code} if code else {"error": "no"}, status=status, headers=headers)


def lost(_: str) -> None:
    """Every post is taken, and its answer is lost."""
    return


def dropped(_: str) -> web.Response:
    """No post arrives, and none is answered."""
    return web.Response(status=499)


@dataclass
class Platform:
    """A small platform. `answer` is given the chat: what it says, None to take the post. `held`: posts are answered once it is set."""

    answer: Answer | None = None
    posts: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    history_is_away: bool = False
    held: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        who = body["destinationNumber"]
        self.posts.append(who)
        self.arrived.set()
        if self.held is not None:
            await self.held.wait()
        answer = self.answer(who) if self.answer is not None else None
        if answer is None or answer.status == 202:
            self.taken.setdefault(request.headers["Idempotency-Key"], who)
        if self.answer is lost or (answer is not None and answer.status == 499):
            assert request.transport is not None
            request.transport.abort()
        return answer or web.json_response({"id": f"p{len(self.taken)}", "status": "QUEUED"}, status=202)

    async def history(self, _: web.Request) -> web.StreamResponse:
        if self.history_is_away:
            return web.json_response({"error": "no"}, status=500)
        rows = [
            {"id": f"p{n}", "direction": "OUTBOUND", "text": "Your order is packed.", "participantPhone": who}
            for n, who in enumerate(self.taken.values(), 1)
        ]
        return web.json_response({"messages": rows, "total": len(rows), "page": 1, "totalPages": 1})


Senders = Callable[[Engine], Sender]


@pytest.fixture
async def platform() -> Platform:
    return Platform()


@pytest.fixture
async def sends(platform: Platform) -> AsyncIterator[Senders]:
    """Makes senders, each as in a process of its own."""
    app = web.Application()
    app.add_routes([web.post("/v1/messages/send", platform.post), web.get("/v1/messages/history", platform.history)])
    runner = web.AppRunner(app, access_log=None)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        client = await stack.enter_async_context(PilotStatus(url, api_key="key", random=lambda: 0.0))
        yield lambda engine: Sender(engine, {"main": client}, counts=Counter())


@pytest.fixture
async def other(redis_url: str) -> AsyncIterator[Engine]:
    """The engine of another process."""
    opened = Engine(redis_url, shards=2, terms=Terms(patience=200))
    await opened.open()
    yield opened
    await opened.close()


def place(engine: Engine, who: str) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def queue(engine: Engine, *who: str, enforced: bool = False) -> None:
    """One item for each of these."""
    for one in who:
        body = orjson.dumps({"destinationNumber": one, "text": "Your order is packed."})
        notice = Notice(place=place(engine, one), items=(Item(id=f"item-{one}", free=body, enforced=enforced),))
        assert (await engine.enqueue(notice))[0] == "ok"


async def later(engine: Engine, seconds: float) -> None:
    await engine.advance(await engine.advance(0) + round(seconds * 1000))


async def begin(engine: Engine, sender: Sender) -> None:
    """Begin to send what is due, all at once."""
    for lanes, notes in [await engine.claim_lanes(shard, 50) for shard in range(engine.shards)]:
        sender.note(notes)
        for lane in lanes:
            sender.offer(lane)


async def finish(sender: Sender) -> None:
    async with asyncio.timeout(20):
        while sender._tasks:
            await asyncio.wait(list(sender._tasks))


async def drain(engine: Engine, sender: Sender) -> None:
    await begin(engine, sender)
    await finish(sender)


async def tries(engine: Engine) -> list[int]:
    """How often each item was tried, of those that wait."""
    views = [await engine.chat(place(engine, who).key) for who in CHATS]
    return [int(view.fields.get("o:tries", b"0")) for view in views if view.waiting_items]


def told(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level and record.name.endswith("sender")]
