import asyncio
import gzip
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from pilotbot.platform import AiohttpTransport
from pilotbot.platform.transport import httpx_error


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "body": (await request.read()).decode(),
            "headers": dict(request.headers),
        },
        headers={"X-Answer": "yes"},
    )


async def packed(_request: web.Request) -> web.Response:
    return web.Response(body=gzip.compress(b"hello" * 1000), headers={"Content-Encoding": "gzip"})


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/echo")


async def drop(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return response


async def never(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = web.Application()
    for path, handler in (("/packed", packed), ("/moved", moved), ("/drop", drop), ("/cut", cut), ("/never", never)):
        app.router.add_get(path, handler)
    app.router.add_route("*", "/{rest:.*}", echo)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        httpx.AsyncClient(transport=AiohttpTransport(session), base_url=str(server.make_url("/")), trust_env=False) as client,
    ):
        yield client


async def test_a_request_arrives_as_httpx_made_it(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/a%2Fb%41?x=%2B55&y=1 2", content=b"hi", headers={"X-Mine": "a", "User-Agent": "me", "Accept": "application/json"}
    )
    seen = answer.json()
    assert (answer.status_code, answer.headers["x-answer"], answer.http_version) == (200, "yes", "HTTP/1.1")
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/a%2Fb%41?x=%2B55&y=1%202", "hi")
    assert (seen["headers"]["X-Mine"], seen["headers"]["User-Agent"]) == ("a", "me")
    assert "Content-Type" not in seen["headers"]


async def test_a_streamed_request_arrives_whole(http: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    assert (await http.post("/", content=parts())).json()["body"] == "one two"


async def test_compressed_bodies_are_unpacked_once(http: httpx.AsyncClient) -> None:
    assert (await http.get("/packed")).content == b"hello" * 1000


async def test_redirects_are_not_followed(http: httpx.AsyncClient) -> None:
    assert (await http.get("/moved")).status_code == 302


async def test_a_body_left_unread_does_not_harm_the_next_request(http: httpx.AsyncClient) -> None:
    async with http.stream("GET", "/packed") as answer:
        assert answer.status_code == 200
    assert (await http.get("/next")).json()["path"] == "/next"


@pytest.mark.parametrize(
    ("path", "error"),
    [("/drop", httpx.RemoteProtocolError), ("/cut", httpx.RemoteProtocolError), ("/never", httpx.ReadTimeout)],
)
async def test_losses_arrive_as_httpx_errors(http: httpx.AsyncClient, path: str, error: type[httpx.TransportError]) -> None:
    with pytest.raises(error):
        await http.get(path, timeout=httpx.Timeout(5, read=0.05))


async def test_nobody_listening_is_a_connect_error(http: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ConnectError):
        await http.get(f"http://127.0.0.1:{unused_port()}/")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (aiohttp.ConnectionTimeoutError(), httpx.ConnectTimeout),
        (aiohttp.SocketTimeoutError(), httpx.ReadTimeout),
        (TimeoutError(), httpx.ReadTimeout),
        (aiohttp.InvalidURL("x"), httpx.UnsupportedProtocol),
        (aiohttp.ServerDisconnectedError(), httpx.RemoteProtocolError),
        (aiohttp.ClientPayloadError(), httpx.RemoteProtocolError),
        (aiohttp.ClientOSError(), httpx.ReadError),
        (aiohttp.ClientConnectionResetError(), httpx.ReadError),
        (ConnectionResetError(), httpx.ReadError),
    ],
)
def test_every_error_has_a_counterpart(error: aiohttp.ClientError | TimeoutError | OSError, expected: type[httpx.TransportError]) -> None:
    assert type(httpx_error(error)) is expected
