"""Server-sent events for the phone page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from pilotbot.sandbox import Sandbox, stream
from tests.sandbox.conftest import QUICK, Api, Receiver


class Listener:
    """Reads a stream, one event at a time."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while line := await self.response.content.readline():
                if line.startswith(b"data: "):
                    return dict(json.loads(line[6:]))
        raise EOFError

    async def until(self, kind: str) -> dict[str, Any]:
        while (event := await self.next())["kind"] != kind:
            pass
        return event


@pytest.fixture
async def listener(api: Api) -> AsyncIterator[Listener]:
    async with api.session.get(api.url + "/sandbox/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert await response.content.readline() == b": connected\n"
        yield Listener(response)


async def test_every_change_is_told(api: Api, receiver: Receiver, listener: Listener) -> None:
    await api.subscribe(receiver.url, "message.received")
    await api.write()
    chat, message, delivery = [await listener.next() for _ in range(3)]
    assert (chat["kind"], chat["chat"]["contact"], chat["chat"]["name"]) == ("chat", "+5511987650001", "Ana")
    assert (message["kind"], message["message"]["text"], message["message"]["contactName"]) == ("message", "hi", "Ana")
    assert (delivery["kind"], delivery["delivery"]["status"]) == ("delivery", "PENDING")
    assert (await listener.until("delivery"))["delivery"]["status"] == "SUCCESS"
    await api.send({"text": "a", "markRead": False})
    statuses = [(await listener.until("message"))["message"]["status"] for _ in range(4)]
    assert statuses == ["QUEUED", "SENT", "DELIVERED", "READ"]
    await api.advance("1h")
    clock = await listener.until("clock")
    assert clock["offsetMs"] == 3_600_000
    await api.faults(readReceipts=False)
    assert (await listener.until("faults"))["faults"]["readReceipts"] is False
    await api.call("POST", "/sandbox/reset", {})
    assert await listener.until("reset") == {"kind": "reset"}


async def test_changes_of_a_chat_are_told(api: Api, receiver: Receiver, listener: Listener) -> None:
    await api.subscribe(receiver.url, "message.read")
    ana = {"contact": "+5511987650001"}
    await api.call("POST", "/sandbox/contacts", ana | {"colour": 3, "reads": False})
    assert (await listener.next())["chat"]["colour"] == 3
    await api.call("POST", "/sandbox/contacts", ana | {"colour": 3})  # nothing new: nothing to tell
    await api.write(name=None)
    assert (await listener.next())["chat"]["lastInboundAt"] is not None
    await api.send({"text": "a", "markRead": False})
    while (await listener.until("message"))["message"]["status"] != "DELIVERED":
        pass
    await api.call("POST", "/sandbox/read", ana)
    while (await listener.until("message"))["message"]["status"] != "READ":
        pass
    sent = (await listener.until("delivery"))["delivery"]
    await api.call("POST", f"/sandbox/deliveries/{sent['id']}/resend", {})
    while (again := (await listener.until("delivery"))["delivery"])["id"] == sent["id"]:
        pass
    assert (again["event"], again["status"]) == ("message.read", "PENDING")


async def test_a_quiet_stream_is_kept_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_ALIVE_S", 0.0)
    async with api.session.get(api.url + "/sandbox/stream") as response:
        lines = [await response.content.readline() for _ in range(3)]
    assert lines[2] == b": keep-alive\n"


async def test_stopping_ends_the_streams(session: aiohttp.ClientSession) -> None:
    sandbox = Sandbox(QUICK)
    await sandbox.start()
    async with session.get(sandbox.url + "/sandbox/stream") as response:
        await response.content.readline()
        async with asyncio.timeout(5):
            await sandbox.stop()
            assert await response.content.read() == b"\n"
