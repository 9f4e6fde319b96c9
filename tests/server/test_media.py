"""Fetching files: by id, by link, within a size and a time, into a file that is gone afterwards; every failure typed."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from pilotbot.events import Media
from pilotbot.media import MediaError, MediaExpired, MediaRefused, MediaTooLarge, MediaUnavailable
from pilotbot.platform import PilotStatus
from pilotbot.server.media import Downloads

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Stands for the sandbox: answers each path as it was told to, and remembers what it was asked with."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[web.Request] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.answers[request.path](request)

    def gives(self, path: str, status: int = 200, body: bytes = JPEG, **headers: str) -> str:
        """Have a path answer so. Returns its address."""

        async def given(_: web.Request) -> web.Response:
            return web.Response(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})

        self.answers[path] = given
        return self.url + path

    def has(self, media_id: str, data: bytes = JPEG, **beside: object) -> None:
        """Have the platform know a file by its id."""
        uri = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"

        async def given(_: web.Request) -> web.Response:
            return web.json_response({"base64": uri, "mimeType": "image/jpeg", "fileName": None, "mediaId": media_id} | beside)

        self.answers[f"/v1/media/{media_id}"] = given


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[PilotStatus]:
    async with PilotStatus(server.url, api_key="ps_sandbox_number") as made:
        yield made


async def fetched(server: Server, media: Media, client: PilotStatus | None = None, **limits: float) -> tuple[bytes, str, str, int]:
    """What a download gives: the bytes, the type, the name, the size; nothing of it is left on disk afterwards."""
    async with downloads(server, **limits).fetch(media, client) as file:
        found = file.path.read_bytes(), file.mime, file.name, file.size
    assert not file.path.exists()
    assert not file.path.parent.exists()
    return found


def downloads(server: Server, *, most: float = 10**6, patience: float = 10) -> Downloads:
    return Downloads(most=int(most), patience=patience, sandbox=server.url)


def link(url: str, kind: str = "image") -> Media:
    return Media(kind, url)


async def test_a_link_is_followed_without_the_key(server: Server, client: PilotStatus) -> None:
    url = server.gives("/a.jpg", content_type="application/octet-stream")
    assert await fetched(server, link(url), client) == (JPEG, "image/jpeg", "image.jpg", len(JPEG))
    (asked,) = server.asked
    assert "x-api-key" not in asked.headers
    assert "cookie" not in asked.headers
    assert "referer" not in asked.headers


async def test_the_platform_gives_a_file_by_its_id(server: Server, client: PilotStatus) -> None:
    server.has("m/1", fileName="../fatura.jpg")
    media = Media("image", None, "image/png", None, "m/1", "555")
    server.answers["/v1/media/m%2F1"] = server.answers["/v1/media/m/1"]
    assert await fetched(server, media, client) == (JPEG, "image/jpeg", "fatura.jpg", len(JPEG))
    (asked,) = server.asked
    assert (asked.headers["x-api-key"], asked.query["phoneNumberId"]) == ("ps_sandbox_number", "555")


async def test_the_link_helps_where_the_platform_has_it_no_more_and_the_other_way_round(server: Server, client: PilotStatus) -> None:
    url = server.gives("/a.jpg")
    server.gives("/v1/media/m1", 404, b'{"error":"Media not found","code":"MEDIA_NOT_FOUND"}')
    assert (await fetched(server, Media("image", url, id="m1"), client))[0] == JPEG
    server.has("m2")
    assert (await fetched(server, Media("image", server.gives("/gone", 410), id="m2"), client))[0] == JPEG


async def test_half_a_file_by_id_leaves_nothing_in_the_one_by_link(server: Server, client: PilotStatus) -> None:
    server.gives("/v1/media/m1", 200, b'{"base64":"data:a/b;base64,' + base64.b64encode(JPEG * 3))
    assert (await fetched(server, Media("image", server.gives("/a.jpg"), id="m1"), client))[0] == JPEG


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, MediaExpired), (403, MediaExpired), (404, MediaExpired), (410, MediaExpired), (204, MediaExpired), (304, MediaExpired),
        (408, MediaUnavailable), (425, MediaUnavailable), (429, MediaUnavailable), (500, MediaUnavailable), (503, MediaUnavailable),
    ],
)  # fmt: skip
async def test_each_answer_of_a_link_has_its_error(server: Server, status: int, error: type[MediaError]) -> None:
    with pytest.raises(error):
        await fetched(server, link(server.gives("/a.jpg", status, b"")))


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "MEDIA_NOT_FOUND", MediaExpired), (410, "", MediaExpired), (400, "VALIDATION_ERROR", MediaRefused), (401, "", MediaRefused),
        (403, "PERMISSION_DENIED", MediaRefused), (429, "", MediaUnavailable), (500, "", MediaUnavailable), (503, "", MediaUnavailable),
    ],
)  # fmt: skip
async def test_each_answer_of_the_platform_has_its_error(
    server: Server, client: PilotStatus, status: int, code: str, error: type[MediaError]
) -> None:
    server.gives("/v1/media/m1", status, f'{{"error":"no","code":"{code}"}}'.encode())
    with pytest.raises(error) as raised:
        await fetched(server, Media("image", id="m1"), client)
    assert raised.value.retryable is (error is MediaUnavailable)


@pytest.mark.parametrize(
    ("by_id", "by_link", "error"),
    [
        (503, 410, MediaUnavailable), (429, 404, MediaUnavailable), (410, 410, MediaExpired), (401, 410, MediaExpired),
        (410, 503, MediaUnavailable), (503, 503, MediaUnavailable), (401, 200, None),
    ],
)  # fmt: skip
async def test_a_platform_that_was_only_away_is_asked_again(
    server: Server, client: PilotStatus, by_id: int, by_link: int, error: type[MediaError] | None
) -> None:
    server.gives("/v1/media/m1", by_id, b'{"error":"no"}')
    media = Media("image", server.gives("/a.jpg", by_link, b"" if error else JPEG), id="m1")
    if error is None:
        assert (await fetched(server, media, client))[0] == JPEG
        return
    with pytest.raises(error) as raised:
        await fetched(server, media, client)
    assert type(raised.value) is error
    assert raised.value.__cause__ is None


async def test_a_link_that_leads_astray_is_no_answer_while_the_platform_is_away(server: Server, client: PilotStatus) -> None:
    server.gives("/v1/media/m1", 503)
    with pytest.raises(MediaUnavailable):
        await fetched(server, Media("image", "http://127.0.0.1:9/a", id="m1"), client)


async def test_no_proxy_of_the_surroundings_is_gone_through(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It would be asked in place of the address that was checked, and be given what `.netrc` holds for it."""
    (tmp_path / "netrc").write_text("default login ana password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert (await fetched(server, link(server.gives("/a.jpg"))))[0] == JPEG
    assert "authorization" not in server.asked[0].headers
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await fetched(server, link(server.url + "/a.jpg")))[0] == JPEG


async def test_no_file_is_larger_than_allowed(server: Server, client: PilotStatus) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(bytes(1 << 16))
        finally:
            ended.set()

    ended = asyncio.Event()
    server.answers["/endless"] = endless
    exact, over = server.gives("/exact", body=bytes(1000)), server.gives("/over", body=bytes(1001))
    assert (await fetched(server, link(exact), most=1000))[3] == 1000
    for url in (over, server.url + "/endless"):
        with pytest.raises(MediaTooLarge, match="1000 bytes"):
            await fetched(server, link(url), most=1000)
    async with asyncio.timeout(10):
        await ended.wait()  # it is told so, not read to the end
    server.has("m1", bytes(1001))
    with pytest.raises(MediaTooLarge):
        await fetched(server, Media("image", over, id="m1"), client, most=1000)
    assert [each.path for each in server.asked].count("/over") == 1  # too large by the one way is too large by the other


async def test_no_file_takes_longer_than_allowed(server: Server, client: PilotStatus) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x")
            await asyncio.sleep(0.02)

    server.answers["/slow"] = server.answers["/v1/media/m1"] = slow
    began = asyncio.get_running_loop().time()
    for media in (link(server.url + "/slow"), Media("image", id="m1")):
        with pytest.raises(MediaUnavailable, match=r"0\.2 s"):
            await fetched(server, media, client, patience=0.2)
    assert asyncio.get_running_loop().time() - began < 4


async def test_what_breaks_off_is_unavailable(server: Server) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-length": "1000"})
        await answer.prepare(request)
        await answer.write(b"x" * 10)
        assert request.transport is not None
        request.transport.close()
        return answer

    server.answers["/cut"] = cut
    with pytest.raises(MediaUnavailable):
        await fetched(server, link(server.url + "/cut"))


async def test_what_is_compressed_is_refused(server: Server) -> None:
    with pytest.raises(MediaRefused, match="compressed"):
        await fetched(server, link(server.gives("/a", body=b"\x1f\x8b", content_encoding="gzip")))


async def test_three_redirects_are_followed_and_no_fourth(server: Server) -> None:
    server.gives("/3", 302, b"", location="/a.jpg")
    server.gives("/2", 307, b"", location=f"{server.url}/3")
    server.gives("/1", 301, b"", location="/2")
    server.gives("/0", 302, b"", location="/1")
    server.gives("/a.jpg")
    assert (await fetched(server, link(server.url + "/1")))[0] == JPEG
    with pytest.raises(MediaRefused, match="more than 3"):
        await fetched(server, link(server.url + "/0"))


async def test_a_file_without_link_and_id_is_nowhere(server: Server, client: PilotStatus) -> None:
    for media, by in ((Media("image"), client), (Media("image", id="m1"), None)):
        with pytest.raises(MediaExpired):
            await fetched(server, media, by)
    assert not server.asked


async def test_the_file_goes_when_the_block_fails(server: Server) -> None:
    kept: list[Path] = []

    async def fail() -> None:
        async with downloads(server).fetch(link(server.gives("/a.jpg")), None) as file:
            kept.append(file.path)
            assert (file.path.suffix, file.path.parent.stat().st_mode & 0o077) == (".jpg", 0)  # nobody else's to read
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert not kept[0].parent.exists()


async def test_the_errors_tell_nothing_of_the_contact(server: Server, client: PilotStatus) -> None:
    for status in (404, 503):
        server.gives("/v1/media/secret", status, b'{"error":"secret"}')
        media = Media("image", server.gives("/secret.jpg", status) + "?token=secret", filename="secret.pdf", id="secret")
        with pytest.raises(MediaError) as raised:
            await fetched(server, media, client)
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
