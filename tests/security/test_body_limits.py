"""S5: a body is bounded in size, in depth and in what it may be packed in, and so is what is read of one that is refused."""

import asyncio
import gzip
import json
import socket
from pathlib import Path

import pytest
from aiohttp import ClientSession as Client
from redis import Redis

from pilotbot.server.http import Guard, Limits
from tests.security.conftest import asked, port_of, received, signed, until
from tests.server.conftest import Serve

KIB = 1024
BOMB = gzip.compress(b"\0" * 1_000_000, 9) * 10_000  # 10 MB that would become 10 GB


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all pieces that the server takes from its sockets."""
    sizes: list[int] = []
    real = Guard.buffer_updated

    def measured(self: Guard, nbytes: int) -> None:
        sizes.append(nbytes)
        real(self, nbytes)

    monkeypatch.setattr(Guard, "buffer_updated", measured)
    return sizes


async def exchange(client: Client, head: dict[str, str], body: bytes) -> bytes:
    """Send a request as a client that does not listen before it has sent everything, and what the server answers until it closes."""
    lines = [f"{name}: {value}" for name, value in {"Connection": "close", **head}.items()]
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port_of(client))) as sock:
        sock.setblocking(False)
        sending = asyncio.create_task(_send(sock, "\r\n".join(["POST /webhook HTTP/1.1", "Host: x", *lines, "", ""]).encode(), body))
        answer = b""
        try:
            while piece := await loop.sock_recv(sock, 65_536):
                answer += piece
        except ConnectionError:
            pass  # cut off while it still sent; what was answered before is kept
        await sending
    return answer


async def _send(sock: socket.socket, head: bytes, body: bytes) -> None:
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, head)
        await loop.sock_sendall(sock, memoryview(body))
    except ConnectionError:
        pass  # it was cut off


@pytest.mark.parametrize("size", [257 * KIB, 1024 * KIB, 10 * 1024 * KIB])
@pytest.mark.parametrize("stated", [True, False], ids=["of stated length", "in chunks"])
async def test_body_limits_size(serve: Serve, redis: Redis, taken: list[int], size: int, stated: bool) -> None:
    client, runtime = await serve()
    raw = received(content="x" * size)
    before = asked(redis)
    if stated:
        answer = await exchange(client, signed(raw, **{"Content-Length": str(len(raw))}), raw)
    else:
        chunks = b"".join(b"10000\r\n%b\r\n" % raw[start : start + 65_536].ljust(65_536) for start in range(0, len(raw), 65_536))
        answer = await exchange(client, signed(raw, **{"Transfer-Encoding": "chunked"}), chunks + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert sum(taken) <= Limits().body + 64 * KIB
    assert asked(redis) == before
    assert runtime.counts["refused:too-large"] == 1


async def test_body_limits_the_greatest_is_taken(serve: Serve, taken: list[int]) -> None:
    client, _ = await serve()
    raw = received().ljust(256 * KIB)
    async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
        assert answer.status == 200
    assert sum(taken) > 256 * KIB


def peak() -> int:
    """The most memory that this process had since `forget_peak`, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * KIB


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.parametrize("bomb", [gzip.compress(b" " * 10_000_000), BOMB], ids=["10 MB inside", "10 MB on the wire"])
async def test_body_limits_gzip_bomb(serve: Serve, redis: Redis, taken: list[int], bomb: bytes) -> None:
    client, _ = await serve()
    headers = signed(bomb, **{"Content-Encoding": "gzip", "Content-Length": str(len(bomb))})
    await exchange(client, headers, b"")  # what is only needed once is there now
    before = asked(redis)
    forget_peak()
    start = peak()
    answer = await exchange(client, headers, bomb)
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert peak() - start < 5_000_000
    assert sum(taken) <= Limits().body + 66 * KIB
    assert asked(redis) == before


DEEP = {
    "lists": b"[" * 10_000 + b"]" * 10_000,
    "lists that do not end": b"[" * 10_000,
    "objects": b'{"event":' * 10_000 + b"1" + b"}" * 10_000,
    "in the data": b'{"event":"message.received","data":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "with a broken emoji": b'{"event":"x","e":"\\ud83d","data":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "just too deep": b'{"event":"x","data":' + b"[" * 32 + b"]" * 32 + b"}",
}


@pytest.mark.parametrize("name", DEEP)
async def test_body_limits_depth(serve: Serve, redis: Redis, caplog: pytest.LogCaptureFixture, name: str) -> None:
    client, runtime = await serve()
    raw = DEEP[name]
    before = asked(redis)
    async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "MALFORMED")
    assert asked(redis) == before
    assert runtime.counts == {"refused:malformed": 1}
    assert caplog.records == []


async def test_body_limits_keys(serve: Serve) -> None:
    client, _ = await serve()
    for keys, status in ((1_998, 200), (2_001, 400)):
        raw = json.dumps({"event": "x", "data": {str(n): n for n in range(keys)}}).encode()
        async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
            assert answer.status == status, keys


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "x"])
async def test_body_limits_encodings(serve: Serve, encoding: str) -> None:
    client, _ = await serve()
    raw = received()
    headers = signed(raw, **{"Content-Encoding": encoding, "Content-Length": str(len(raw))})
    assert (await exchange(client, headers, raw)).startswith(b"HTTP/1.1 415 ")


async def test_body_limits_a_body_that_breaks_its_encoding_is_no_defect(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    client, runtime = await serve()
    raw = received()
    for broken in (b"zz\r\n", b"5\r\nhelloXX", b"-1\r\n"):
        answer = await exchange(client, signed(raw, **{"Transfer-Encoding": "chunked"}), b"5\r\nhello\r\n" + broken)
        assert answer.split()[1] == b"400"
    assert set(runtime.counts) <= {"refused:broken", "refused:not-http"}
    assert caplog.records == []


async def test_body_limits_a_sender_that_goes_away_is_no_defect(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    client, runtime = await serve()
    raw = received()
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(raw, **{"Content-Length": str(len(raw))}).items())
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(client))
    writer.write(b"POST /webhook HTTP/1.1\r\nHost: x\r\n" + head.encode() + b"\r\n" + raw[:10])
    await writer.drain()
    writer.close()
    await until(lambda: bool(runtime.counts))
    assert runtime.counts == {"refused:broken": 1}
    assert caplog.records == []
