"""What tests of the security rows share: a webhook server on a real Redis, signed requests, what Redis was asked."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientSession
from redis import Redis

from pilotbot.events import sign
from tests.server.conftest import SECRET, serve

__all__ = ["serve"]

JSON = {"Content-Type": "application/json"}


def received(name: str = "in-1", **data: Any) -> bytes:
    """A `message.received` on the wire, from now (contract 8.6)."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    usual = {
        "numberId": "n", "id": name, "messageId": f"wamid.{name}", "from": "+5511987650001", "to": "+551140028922", "type": "text",
        "content": "hello", "createdAt": now,
    }  # fmt: skip
    return json.dumps({"event": "message.received", "data": {**usual, **data}}).encode()


def signed(raw: bytes, secret: str = SECRET, **headers: str) -> dict[str, str]:
    """The headers of a delivery whose body is `raw`."""
    return {**JSON, "x-pilot-status-signature": sign(secret, raw), **headers}


def asked(redis: Redis) -> int:
    """How many commands Redis was given, without those of looking."""
    stats: dict[str, dict[str, int]] = redis.info("commandstats")
    return sum(of["calls"] for name, of in stats.items() if name != "cmdstat_info")


def port_of(client: ClientSession) -> int:
    """Where the server of a client listens."""
    assert client._base_url is not None
    assert client._base_url.port is not None
    return client._base_url.port


async def until(look: Callable[[], bool]) -> None:
    """Wait until `look()` is true, for five seconds at most."""
    async with asyncio.timeout(5):
        while not look():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)
