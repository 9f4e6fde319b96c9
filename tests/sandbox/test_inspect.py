"""What a bot says of itself, asked by a signed event and passed on to the phone page."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from pilotbot.sandbox import Sandbox, SandboxSettings, delivery
from tests.sandbox.conftest import Api, Receiver

ANA = "+5511987650001"


@dataclass
class Bot:
    """A webhook that answers what it is told to."""

    url: str = ""
    status: int = 200
    pieces: tuple[bytes, ...] = (b'{"bot": "orders"}',)
    asked: list[tuple[bytes, str]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((await request.read(), request.headers["x-pilot-status-signature"]))
        response = web.StreamResponse(status=self.status)
        await response.prepare(request)
        for piece in self.pieces:
            await response.write(piece)
        return response


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    one = Bot()
    app = web.Application()
    app.router.add_post("/hook", one.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield one
    await runner.cleanup()


async def ask(api: Api, query: str = "?contact=%2B5511987650001") -> list[dict[str, Any]]:
    answer = await api.call("GET", "/sandbox/bot" + query)
    assert answer.status == 200, answer.json
    return list(answer.json)


async def test_a_bot_is_asked_as_it_is_told_of_the_clock(api: Api, sandbox: Sandbox, bot: Bot) -> None:
    await api.subscribe(bot.url, "message.reply")
    await api.write()
    (said,) = await ask(api, "?number=num_meta&contact=+551187650001")
    assert said == {"name": "bot", "url": bot.url, "status": 200, "answer": {"bot": "orders"}, "error": None}
    ((raw, signature),) = bot.asked
    secret = SandboxSettings().webhook_secret.encode()
    assert signature == hmac.new(secret, raw, hashlib.sha256).hexdigest()
    body = json.loads(raw)
    assert body["event"] == "sandbox.inspect"
    assert body["data"].keys() == {"id", "numberId", "contact", "createdAt"}
    assert (body["data"]["numberId"], body["data"]["contact"]) == ("num_meta", ANA)
    assert (await api.call("GET", "/sandbox/deliveries")).json == []
    assert sandbox.pending().now == 0


async def test_only_the_active_webhooks_of_the_number_are_asked(api: Api, evolution: Api, bot: Bot) -> None:
    assert await ask(api) == []
    webhook = await api.subscribe(bot.url)
    await evolution.subscribe(bot.url)
    await evolution.subscribe(bot.url)
    assert len(await ask(api)) == 1
    assert len(await ask(api, "?contact=5511987650001&number=num_evolution")) == 2
    await api.call("PATCH", f"/v1/webhooks/{webhook}", {"active": False})
    assert await ask(api) == []


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ((), "The answer must be a JSON object"),
        ((b"ok",), "The answer must be JSON (UTF-8)"),
        ((b"[1]",), "The answer must be a JSON object"),
        ((b'{"a": "\xff"}',), "The answer must be JSON (UTF-8)"),
        ((b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",), "The answer must not be nested so deeply"),
        ((b'{"a": "' + b"x" * delivery.MAX_ANSWER + b'"}',), "The answer must have at most 2 MiB"),
    ],
)
async def test_what_is_no_answer_is_said_so(api: Api, bot: Bot, pieces: tuple[bytes, ...], error: str) -> None:
    bot.pieces = pieces
    await api.subscribe(bot.url)
    (said,) = await ask(api)
    assert (said["status"], said["answer"], said["error"]) == (200, None, error)


async def test_a_long_answer_in_pieces_is_whole(api: Api, bot: Bot) -> None:
    bot.pieces = (b'{"a": "', *[b"x" * 100_000] * 10, b'"}')
    await api.subscribe(bot.url)
    (said,) = await ask(api)
    assert said["answer"] == {"a": "x" * 1_000_000}


async def test_a_refusal_is_no_answer(api: Api, bot: Bot) -> None:
    bot.status = 403
    await api.subscribe(bot.url)
    (said,) = await ask(api)
    assert (said["status"], said["answer"], said["error"]) == (403, None, "The webhook answered 403")


async def test_who_does_not_answer_keeps_nobody_waiting(api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "ASK_PATIENCE_S", 0.05)
    receiver.gate.clear()
    await api.subscribe(receiver.url)
    await api.subscribe("http://127.0.0.1:1/hook")
    await api.subscribe("https://bot.example/hook")
    silent, closed, far = await ask(api)
    assert (silent["status"], silent["answer"], silent["error"]) == (None, None, "No answer within 0.05 seconds")
    assert (closed["status"], closed["error"]) == (None, "ClientConnectorError")
    assert (far["status"], "only webhooks on this machine" in far["error"]) == (None, True)


async def test_a_question_names_the_chat(api: Api) -> None:
    for query in ("", "?contact=", "?number=num_meta"):
        answer = await api.call("GET", "/sandbox/bot" + query)
        assert (answer.status, "contact" in answer.json["error"]) == (400, True)
    assert (await api.call("GET", "/sandbox/bot?contact=1&number=num_x")).status == 404
