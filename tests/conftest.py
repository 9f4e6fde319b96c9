"""What all tests share: one real Redis a test process, emptied for each test that asks for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import settings
from redis import Redis

from pilotbot.engine import Engine, Terms
from pilotbot.engine.embedded import RedisServer
from pilotbot.sandbox import Sandbox, SandboxSettings
from tests.stage import Stage

settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The unix socket of a server of this test process's own, the bundled one."""
    server = asyncio.run(RedisServer.open(url=None, data_dir=tmp_path_factory.mktemp("redis")))
    assert server.address.path is not None
    yield server.address.path
    asyncio.run(server.close())


@pytest.fixture
def redis(redis_socket: Path) -> Iterator[Redis]:
    """A plain client of an empty Redis, to look and to meddle."""
    client = Redis(unix_socket_path=str(redis_socket), decode_responses=True)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def redis_url(redis: Redis, redis_socket: Path) -> str:
    """The URL of an empty Redis."""
    return f"unix://{redis_socket}"


@pytest.fixture
async def engine(redis_url: str) -> AsyncIterator[Engine]:
    """An open engine on an empty Redis, two shards."""
    opened = Engine(redis_url, shards=2, terms=Terms(patience=200))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage with a sandbox that delivers and confirms at once."""
    async with (
        Sandbox(SandboxSettings(port=0, receipt_delay=(0, 0), retry_schedule=(0.05, 0.1, 0.2, 0.5, 1, 2, 5))) as sandbox,
        aiohttp.ClientSession() as http,
        Stage(sandbox, http, redis_url, tmp_path) as stage,
    ):
        yield stage
