"""A running sandbox, a caller, and a receiver of webhooks: all real, over loopback HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pilotbot.sandbox import Sandbox, SandboxSettings

PATIENCE_S = 10
QUICK = SandboxSettings(port=0, receipt_delay=(0, 0), retry_schedule=(60, 600), seed=1)

Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.Response]]


@dataclass(frozen=True)
class Hit:
    """One webhook delivery, as it came."""

    raw: bytes
    headers: dict[str, str]

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))

    @property
    def event(self) -> str:
        return str(self.body["event"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.body["data"])


@dataclass
class Receiver:
    """A webhook receiver that keeps all it gets; `statuses` are given out first, then 200."""

    url: str = ""
    hits: list[Hit] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        hit = Hit(await request.read(), {key.lower(): value for key, value in request.headers.items()})
        async with self.changed:
            self.hits.append(hit)
            self.changed.notify_all()
        await self.gate.wait()
        planned = self.statuses and hit.event != "sandbox.clock"
        return web.Response(status=self.statuses.pop(0) if planned else 200, headers={"Location": self.url})

    async def wait(self, count: int) -> list[Hit]:
        """The hits, once there are `count`."""
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(lambda: len(self.hits) >= count)
        return self.hits

    async def until(self, event: str) -> list[Hit]:
        """The hits, once one of this event came."""
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(lambda: any(hit.event == event for hit in self.hits))
        return self.hits

    def events(self) -> list[str]:
        return [hit.event for hit in self.hits]


@dataclass
class Reply:
    """An answer of the sandbox."""

    status: int
    headers: dict[str, str]
    json: Any


@dataclass
class Api:
    """Calls a sandbox as one key."""

    session: aiohttp.ClientSession
    url: str
    key: str | None = "ps_sandbox_number"

    async def call(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None, raw: bytes | None = None
    ) -> Reply:
        sent = {} if self.key is None else {"x-api-key": self.key}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["content-type"] = "application/json"
        sent |= headers or {}
        async with self.session.request(method, self.url + path, data=data, headers=sent) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return Reply(answer.status, dict(answer.headers), json.loads(text) if is_json else text)

    async def send(self, body: dict[str, Any], *, key: str | None = None, to: str = "+5511987650001") -> Reply:
        named = {"destinationNumber", "groupId", "newsletterId"} & body.keys()
        full = body if named else {"destinationNumber": to} | body
        headers = None if key is None else {"Idempotency-Key": key}
        return await self.call("POST", "/v1/messages/send", full, headers=headers)

    async def write(self, text: str | None = "hi", **more: Any) -> Reply:
        """Ana writes."""
        return await self.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "name": "Ana", "text": text} | more)

    async def faults(self, **faults: Any) -> Reply:
        return await self.call("POST", "/sandbox/faults", faults)

    async def advance(self, by: str) -> Reply:
        return await self.call("POST", "/sandbox/clock", {"advance": by})

    async def subscribe(self, url: str, *events: str) -> str:
        answer = await self.call("POST", "/v1/webhooks", {"url": url, "name": "bot", "events": list(events or ("*",))})
        assert answer.status == 201, answer.json
        return str(answer.json["id"])

    async def rows(self) -> list[dict[str, Any]]:
        return list((await self.call("GET", "/sandbox/messages")).json)

    def as_key(self, key: str | None) -> Api:
        return Api(self.session, self.url, key)


async def settle(sandbox: Sandbox) -> None:
    """Wait until the sandbox has nothing to do before its clock is moved."""
    async with asyncio.timeout(PATIENCE_S):
        while sandbox.pending().now:  # noqa: ASYNC110 (the sandbox runs on this loop and tells nobody)
            await asyncio.sleep(0)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    one.gate.set()
    app = web.Application()
    app.router.add_post("/{tail:.*}", one.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield one
    one.gate.set()
    await runner.cleanup()


@pytest.fixture
def settings() -> SandboxSettings:
    return QUICK


@pytest.fixture
async def sandbox(settings: SandboxSettings) -> AsyncIterator[Sandbox]:
    async with Sandbox(settings) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as running:
        yield running


@pytest.fixture
async def api(sandbox: Sandbox, session: aiohttp.ClientSession) -> Api:
    return Api(session, sandbox.url)


@pytest.fixture
async def evolution(api: Api) -> Api:
    return api.as_key("ps_sandbox_evolution")
