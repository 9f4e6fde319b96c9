"""How the webhook server speaks HTTP, over raw connections: on both event loops, and with what is hardly HTTP."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvloop
from aiohttp import web

from pilotbot.server.http import App, Limits, Refused, Route, as_json, build_runner, read_body

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
GET = b"GET /get HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"


async def got(_: web.BaseRequest) -> web.Response:
    return as_json(200, {"got": True})


async def posted(request: web.BaseRequest) -> web.Response:
    return as_json(200, {"bytes": len(await read_body(request))})


async def refused(_: web.BaseRequest) -> web.Response:
    raise Refused(503, "not-now", "later", {"Retry-After": "5"})


async def broken(_: web.BaseRequest) -> web.Response:
    raise ValueError("a secret")


class Wire:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, app: App) -> None:
        self.reader = reader
        self.writer = writer
        self.app = app

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        return int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers.get("Content-Length", 0)))

    async def ask(self, sent: bytes) -> tuple[int, dict[str, str], bytes]:
        self.writer.write(sent)
        return await self.answer()

    async def closed(self) -> bool:
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                return await self.reader.read() == b""
        return True


@pytest.fixture(params=LOOPS)
def talk(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Runs a conversation with a server, on each kind of loop."""

    def run(scene: Callable[[Wire], Awaitable[None]], **limits: float) -> None:
        async def play() -> None:
            routes = {
                "/get": Route(("GET", "HEAD"), got), "/post": Route(("POST",), posted),
                "/refused": Route(("GET",), refused), "/broken": Route(("GET",), broken),
            }  # fmt: skip
            app = App(routes, Counter(), Limits(**limits))  # type: ignore[arg-type]
            runner = build_runner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
            try:
                async with asyncio.timeout(20):
                    await scene(Wire(reader, writer, app))
            finally:
                writer.close()
                await runner.cleanup()

        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(play())

    return run


def test_requests_follow_each_other_on_a_connection(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        for _ in range(3):
            assert (await wire.ask(GET))[::2] == (200, b'{"got":true}')
            assert (await wire.ask(POST % (3, b"abc")))[::2] == (200, b'{"bytes":3}')
        wire.writer.write(GET * 5 + POST % (2, b"ab") + GET)
        assert [(await wire.answer())[0] for _ in range(7)] == [200] * 7

    talk(scene)


def test_a_server_tells_no_versions(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        for sent in (GET, GET.replace(b"/get", b"/refused"), GET.replace(b"/get", b"/nowhere"), b"nonsense\r\n\r\n"):
            assert (await wire.ask(sent))[1]["Server"] == "pilotbot"

    talk(scene)


def test_head_options_and_other_methods(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        wire.writer.write(GET.replace(b"GET", b"HEAD"))
        head = await wire.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        status, headers, _ = await wire.ask(GET.replace(b"GET", b"OPTIONS"))
        assert (status, headers["Allow"]) == (405, "GET,HEAD")
        status, headers, _ = await wire.ask(GET.replace(b"/get", b"/refused"))
        assert (status, headers["Retry-After"]) == (503, "5")
        assert wire.app.counts == {"refused:method-not-allowed": 1, "refused:not-now": 1}

    talk(scene)


def test_a_body_in_pieces_and_chunks(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        body = b"x" * 200_000
        for start in range(0, 200_100, 50_000):
            wire.writer.write((POST % (200_000, body))[start : start + 50_000])
            await asyncio.sleep(0)
        assert (await wire.ask(b""))[2] == b'{"bytes":200000}'
        chunks = b"".join(b"%x\r\n%b\r\n" % (1000, b"y" * 1000) for _ in range(100)) + b"0\r\n\r\n"
        head = b"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await wire.ask(head + chunks))[2] == b'{"bytes":100000}'
        assert (await wire.ask(GET))[0] == 200

    talk(scene)


def test_who_asks_before_sending_a_body_is_told_to_go_on_or_not(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        wire.writer.write(b"POST /post HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await wire.ask(b"ab"))[2] == b'{"bytes":2}'
        status, headers, _ = await wire.ask(b"POST /post HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n")
        assert (status, headers["Connection"]) == (413, "close")

    talk(scene)


def test_a_refused_body_is_not_waited_for(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        status, headers, _ = await wire.ask(b"POST /get HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nab")
        assert (status, headers["Connection"]) == (405, "close")
        assert await wire.closed()

    talk(scene)


def test_a_slow_body_is_answered_before_it_is_cut_off(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        status, _, body = await wire.ask(b"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab")
        assert (status, b"SLOW" in body) == (408, True)
        assert await wire.closed()
        assert wire.app.counts["refused:slow"] == 1

    talk(scene, read=0.2)


def test_slow_headers_are_cut_off(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        assert (await wire.ask(GET))[0] == 200
        wire.writer.write(GET[:10])
        assert await wire.closed()
        assert wire.app.counts == {"cut:slow": 1}

    talk(scene, read=0.2)


def test_headers_without_end_are_cut_off(talk: Callable[..., None]) -> None:
    async def scene(wire: Wire) -> None:
        with suppress(ConnectionError):
            wire.writer.write(b"GET /get HTTP/1.1\r\nHost: x\r\n")
            for number in range(10_000):
                wire.writer.write(b"x-%d: %b\r\n" % (number, b"y" * 1000))
                await wire.writer.drain()
        assert wire.app.counts["refused:not-http"] + wire.app.counts["cut:too-large"] in {1, 2}

    talk(scene)


@pytest.mark.parametrize(
    "sent",
    [
        b"a secret\r\n\r\n",
        b"GET /get?token=a secret HTTP/1.1\r\n\r\n",
        b"GET /get HTTP/1.1\r\nbad header a secret\r\n\r\n",
        b"GET /get HTTP/9.9\r\nHost: a secret\r\n\r\n",
        b"POST /post HTTP/1.1\r\nContent-Length: a secret\r\n\r\n",
        b"POST /post HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\na secret",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_neither_logged_nor_sent_back(
    talk: Callable[..., None], caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    async def scene(wire: Wire) -> None:
        status, _, body = await wire.ask(sent)
        assert (status, b"secret" in body) == (400, False)
        assert await wire.closed()
        assert wire.app.counts == {"refused:not-http": 1}

    caplog.set_level(logging.DEBUG)
    talk(scene)
    assert [record for record in caplog.records if record.name != "asyncio"] == []


def test_a_defect_is_told_by_its_place_without_its_words(talk: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    async def scene(wire: Wire) -> None:
        status, _, body = await wire.ask(GET.replace(b"/get", b"/broken"))
        assert (status, b"secret" in body) == (500, False)
        assert (await wire.ask(GET))[0] == 200

    talk(scene)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "ValueError" in record.getMessage()
    assert "test_http.py" in record.getMessage()
    assert not record.exc_info
