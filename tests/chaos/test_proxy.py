"""The proxy does what it is told, and nothing else: a fault that does not happen would prove nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from pilotbot.sandbox import Sandbox
from tests.chaos.proxy import Proxy

pytestmark = pytest.mark.chaos

WAIT = 0.05


@pytest.fixture
async def proxy(redis_url: str, redis_socket: Path) -> AsyncIterator[Proxy]:
    async with Proxy(redis_socket) as found:
        yield found


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[Redis]:
    async with connected(proxy) as found:
        yield found


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Redis]:
    """A client of one connection and without retries."""
    found = Redis(host="127.0.0.1", port=proxy.port, retry=Retry(NoBackoff(), 0), single_connection_client=True, protocol=2)
    yield found
    await found.aclose()


async def seconds(client: Redis) -> float:
    began = asyncio.get_running_loop().time()
    await client.get("a")
    return asyncio.get_running_loop().time() - began


async def test_without_faults_it_passes_everything_on(proxy: Proxy, client: Redis) -> None:
    value = bytes(range(256)) * 4096
    await client.set("a", value)
    assert await client.get("a") == value
    assert proxy.carried["up"] > len(value) < proxy.carried["down"]
    assert proxy.resets == 0


async def test_latency_is_paid_in_both_directions_and_ends_when_told(proxy: Proxy, client: Redis) -> None:
    await client.get("a")
    proxy.latency = WAIT
    assert await seconds(client) >= 2 * WAIT
    proxy.latency = 0
    assert min([await seconds(client) for _ in range(5)]) < 2 * WAIT


async def test_slices_arrive_one_after_the_other(proxy: Proxy, client: Redis) -> None:
    await client.set("a", bytes(100))
    proxy.slices = (40, WAIT)
    assert await seconds(client) >= 2 * WAIT  # of the reply, which is longer than 80 bytes
    assert len(await client.get("a") or b"") == 100


async def test_a_reset_amid_a_reply_loses_the_reply_and_not_the_command(proxy: Proxy, client: Redis) -> None:
    await client.set("a", bytes(1000))
    before = proxy.carried["down"]
    proxy.reset_after(300, "down")
    with pytest.raises(RedisError):
        await client.get("a")
    assert proxy.carried["down"] == before + 300
    assert len(await client.get("a") or b"") == 1000  # once
    assert proxy.resets == 1


async def test_a_reset_amid_a_command_keeps_it_from_the_server(proxy: Proxy, client: Redis) -> None:
    await client.set("a", b"old")
    proxy.reset_after(10, "up")
    with pytest.raises(RedisError):
        await client.set("a", bytes(1000))
    assert await client.get("a") == b"old"


async def test_the_reply_to_one_command_is_lost(proxy: Proxy, client: Redis) -> None:
    proxy.lose_reply(b"marked")
    assert await client.incr("count") == 1
    with pytest.raises(RedisError):
        await client.incr("marked")
    assert await client.get("marked") == b"1"  # done, and told to nobody


async def test_in_a_black_hole_nothing_moves_and_afterwards_all_arrives(proxy: Proxy, client: Redis) -> None:
    await client.set("a", b"1")
    proxy.blackhole()
    before = dict(proxy.carried)
    async with connected(proxy) as other:
        asked: list[asyncio.Future[object]] = [asyncio.ensure_future(one.get("a")) for one in (client, other)]
        assert (await asyncio.wait(asked, timeout=WAIT))[0] == set()
        assert proxy.carried == before
        proxy.lift()
        assert await asyncio.gather(*asked) == [b"1", b"1"]


async def test_a_cut_ends_what_is_open_and_new_connections_work(proxy: Proxy, client: Redis) -> None:
    await client.set("a", b"1")
    proxy.cut()
    with pytest.raises(RedisError):
        await client.get("a")
    assert await client.get("a") == b"1"


async def test_refused_connections_are_taken_again_at_the_same_port(proxy: Proxy, client: Redis) -> None:
    await client.set("a", b"1")
    port = proxy.port
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert await client.get("a") == b"1"  # what was open stays
    await proxy.accept()
    assert proxy.port == port
    async with connected(proxy) as other:
        assert await other.get("a") == b"1"


async def test_http_goes_through_it_too() -> None:
    async with Sandbox(port=0) as sandbox, Proxy(("127.0.0.1", sandbox.port)) as proxy, aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{proxy.port}/sandbox/clock"
        async with http.get(url) as answer:
            assert answer.status == 200
        proxy.cut()
        proxy.reset_after(20, "down")
        with pytest.raises(aiohttp.ClientError):
            await http.get(url)


async def test_a_server_that_is_not_there_is_a_closed_connection() -> None:
    async with Proxy(("127.0.0.1", 1)) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()
