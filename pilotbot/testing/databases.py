"""Redis for tests: one embedded server a process, started by the first test that needs it, and a database of its own for each platform.

Nothing of it outlives the process, and no two tests or test processes ever see the same database.
"""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis

from pilotbot.engine.embedded import RedisServer

DATABASES = 16  # that a server has by default

_free: list[str] = []


@asynccontextmanager
async def empty_database() -> AsyncIterator[str]:
    """The redis-py URL of an empty database, ours until the block is left.

    Raises:
        RedisUnavailable: no server can be started here.
    """
    if not _free:
        _free.extend(await _start_server())
    url = _free.pop()
    try:
        async with Redis.from_url(url) as client:
            await client.flushdb()
        yield url
    finally:
        _free.append(url)


async def _start_server() -> list[str]:
    """Start a server that this process stops when it ends. Returns the URLs of its databases."""
    place = Path(tempfile.mkdtemp(prefix="pilotbot-test-"))
    server = await RedisServer.open(url=None, data_dir=place / "redis")
    atexit.register(_end_server, server, place)
    path = quote(str(server.address.path))
    async with Redis.from_url(f"unix://{path}") as client:
        await client.config_set("appendonly", "no")  # a test's data need not survive a power cut, and are quicker without
    return [f"unix://{path}?db={number}" for number in range(DATABASES)]


def _end_server(server: RedisServer, place: Path) -> None:
    server.end()
    shutil.rmtree(place, ignore_errors=True)
