"""Files that contacts send: uploaded, served to browsers without harm, fetched by bots, kept and forgotten."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from pilotbot.sandbox import Sandbox
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.media import MAX_NAME, MAX_SIZE, clean_name, decode, uploaded
from pilotbot.sandbox.records import Media
from pilotbot.sandbox.store import Store
from tests.sandbox.conftest import QUICK, Api, Receiver

ANA = "+5511987650001"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")


def data_uri(data: bytes = PIXEL, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


async def upload(api: Api, data: bytes = PIXEL, mime: str = "image/png", **more: Any) -> dict[str, Any]:
    answer = await api.call("POST", "/sandbox/media", {"data": data_uri(data, mime)} | more)
    assert answer.status == 200, answer.json
    return dict(answer.json)


async def fetch(session: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    async with session.get(URL(url, encoded=True), headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_picture_comes_back_as_it_was(api: Api, session: aiohttp.ClientSession) -> None:
    made = await upload(api, filename="receipt.png")
    assert made.pop("url").startswith(api.url + "/sandbox/media/med_")
    assert made == {"mediaType": "image", "mimeType": "image/png", "filename": "receipt.png", "size": len(PIXEL)}
    status, headers, body = await fetch(session, (await upload(api))["url"])
    assert (status, body) == (200, PIXEL)
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''image.png"


async def test_a_link_may_expire_while_its_id_goes_on(api: Api, session: aiohttp.ClientSession) -> None:
    made = await upload(api, linkFor="5m")
    await api.call("POST", "/sandbox/inbound", {"from": ANA, "media": made["url"], "mediaType": "image"})
    assert (await fetch(session, made["url"]))[0] == 200
    await api.call("POST", "/sandbox/clock", {"advance": "5m"})
    status, _, body = await fetch(session, made["url"])
    assert (status, b"MEDIA_EXPIRED" in body) == (410, True)
    assert (await api.call("GET", "/v1/media/" + made["url"].rpartition("/")[2])).json["base64"] == data_uri()


async def test_a_link_may_lead_elsewhere(api: Api, session: aiohttp.ClientSession) -> None:
    made = await upload(api, redirectTo="file:///etc/passwd")
    async with session.get(made["url"], allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "file:///etc/passwd")


@pytest.mark.parametrize("more", [{"linkFor": "soon"}, {"linkFor": "0s"}, {"redirectTo": "a\r\nb: c"}, {"redirectTo": ""}])
async def test_what_a_link_can_not_do_is_said(api: Api, more: dict[str, str]) -> None:
    answer = await api.call("POST", "/sandbox/media", {"data": data_uri(), **more})
    assert answer.status == 400
    assert next(iter(more)) in answer.json["error"]


async def test_players_may_ask_for_a_part(api: Api, session: aiohttp.ClientSession) -> None:
    made = await upload(api, bytes(range(100)), "audio/ogg;codecs=opus")
    assert (made["mediaType"], made["mimeType"]) == ("audio", "audio/ogg")
    status, headers, body = await fetch(session, made["url"], Range="bytes=10-19")
    assert (status, body, headers["Content-Range"]) == (206, bytes(range(10, 20)), "bytes 10-19/100")


@pytest.mark.parametrize(
    "mime", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", "text/plain", "TEXT/HTML", "a/b"]
)
async def test_what_a_browser_might_run_is_only_saved(api: Api, session: aiohttp.ClientSession, mime: str) -> None:
    made = await upload(api, b"<script>alert(1)</script>", mime, filename="page.html")
    assert made["mediaType"] == "document"
    _, headers, _ = await fetch(session, made["url"])
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''page.html"


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.pdf", "a.pdf"),
        ('a"; filename=b\r\nSet-Cookie: x=1.pdf', 'a"; filename=bSet-Cookie: x=1.pdf'),
        ("\u202efdp.exe", "fdp.exe"),
        ("olá 👋.pdf", "olá 👋.pdf"),
        ("..", "document.pdf"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
    ],
)
async def test_names_are_only_names(api: Api, session: aiohttp.ClientSession, given_name: str, kept: str) -> None:
    made = await upload(api, b"%PDF-", "application/pdf", filename=given_name)
    assert made["filename"] == kept
    status, headers, _ = await fetch(session, made["url"])
    assert status == 200
    assert "Set-Cookie" not in headers


@given(st.text(max_size=300))
def test_any_name_becomes_one_without_folders_and_unseen_letters(name: str) -> None:
    clean = clean_name(name)
    assert len(clean) <= MAX_NAME
    assert not set(clean) & set("/\\\r\n\0")
    assert clean_name(clean) == clean


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": PIXEL.hex()},
        {"data": "data:image/png;base64,"},
        {"data": "data:image/png;base64,a"},
        {"data": "data:image/png,abcd"},
        {"data": "data:image/png;base64,YQ==YQ=="},
        {"data": "data:;base64,YQ=="},
        {"data": "data:ímage/png;base64,YQ=="},
        {"data": f"data:{'a' * 200}/png;base64,YQ=="},
        {"data": data_uri(), "path": "/etc"},
    ],
)
async def test_what_is_no_data_uri_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.call("POST", "/sandbox/media", body)).status == 400


@given(st.text(max_size=40), st.binary(max_size=20))
def test_any_text_is_decoded_or_refused(text: str, data: bytes) -> None:
    assert decode(data_uri(data or b"x")) == ("image/png", data or b"x")
    for uri in (text, f"data:{text};base64,YQ==", f"data:a/b;base64,{text}"):
        try:
            decode(uri)
        except ApiError as error:
            assert error.status == 400  # noqa: PT017 (either is right)


@pytest.mark.parametrize(("size", "status"), [(MAX_SIZE, 200), (MAX_SIZE + 1, 413), (2 * MAX_SIZE, 413)])
async def test_a_file_may_have_16_mib(api: Api, session: aiohttp.ClientSession, size: int, status: int) -> None:
    body = io.BytesIO(b'{"data": "' + data_uri(bytes(size)).encode() + b'"}')
    async with session.post(api.url + "/sandbox/media", data=body, headers={"content-type": "application/json"}) as answer:
        assert (answer.status, answer.content_type) == (status, "application/json")


ELSEWHERE = ["med_x", "..%2fsandbox.sqlite3", "%2e%2e%2fsandbox.sqlite3", "..", "%00", "a" * 5000]


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_nothing_else_of_the_disk_is_served(tmp_path: Path, session: aiohttp.ClientSession, name: str) -> None:
    async with Sandbox(replace(QUICK, data_dir=tmp_path)) as sandbox:
        await upload(Api(session, sandbox.url))
        assert (await fetch(session, f"{sandbox.url}/sandbox/media/{name}"))[0] == 404
        key = {"x-api-key": "ps_sandbox_number"}
        assert (await fetch(session, f"{sandbox.url}/v1/media/{name}", **key))[0] == 404


async def test_on_a_meta_number_a_bot_fetches_it_by_its_id(api: Api, evolution: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    made = await upload(api, filename="photo.png")
    await api.write("look", media=made["url"], mediaType="image")
    data = (await receiver.wait(1))[0].data
    assert (data["type"], data["mediaType"], data["mediaCaption"]) == ("image", "image/png", "look")
    assert data["mediaLink"] == made["url"]
    assert "mediaFilename" not in data
    path = f"/v1/media/{data['mediaId']}"
    answer = await api.call("GET", f"{path}?phoneNumberId={data['phoneNumberId']}")
    assert answer.json == {
        "base64": data_uri(), "mimeType": "image/png", "fileName": "photo.png", "mediaId": data["mediaId"],
    }  # fmt: skip
    assert (await api.call("GET", path)).status == 200
    for wrong in (await api.call("GET", path + "?phoneNumberId=1"), await evolution.call("GET", path)):
        assert (wrong.status, wrong.json["code"]) == (404, "MEDIA_NOT_FOUND")
    assert (await api.as_key(None).call("GET", path)).status == 401


async def test_what_nobody_sent_is_not_the_bots(api: Api) -> None:
    made = await upload(api)
    assert (await api.call("GET", "/v1/media/" + made["url"].rsplit("/", 1)[1])).status == 404


async def test_on_an_evolution_number_there_is_only_the_link(api: Api, evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url)
    made = await upload(api)
    await api.write(None, media=made["url"], number="num_evolution")
    data = (await receiver.wait(1))[0].data
    assert (data["mediaLink"], data["type"]) == (made["url"], "image")
    assert not data.keys() & {"mediaId", "phoneNumberId"}


@pytest.mark.parametrize(
    ("mime", "said", "kind", "filename"),
    [
        ("application/pdf", {}, "document", "a.x"),
        ("application/zip", {"mediaType": "application/zip"}, "document", "a.x"),
        ("image/png", {"mediaType": "document"}, "document", "a.x"),
        ("image/png", {"mediaType": "image/jpeg"}, "image", None),
        ("image/webp", {"mediaType": "sticker"}, "sticker", None),
        ("audio/webm", {"mediaType": "voice"}, "audio", None),
        ("image/svg+xml", {}, "document", "a.x"),
        ("video/mp4", {"filename": "b.mp4"}, "video", "b.mp4"),
    ],
)
async def test_of_an_upload_the_type_is_known(
    api: Api, receiver: Receiver, mime: str, said: dict[str, str], kind: str, filename: str | None
) -> None:
    await api.subscribe(receiver.url)
    made = await upload(api, b"x", mime, filename="a.x")
    await api.write("", media=made["url"], **said)
    data = (await receiver.wait(1))[0].data
    assert (data["type"], data["mediaType"], data.get("mediaFilename")) == (kind, mime, filename)


def test_an_upload_is_known_by_any_name_of_the_sandbox() -> None:
    known = {"med_1": Media("med_1", "image/png", "a.png", 1, 1)}
    for url in ("http://localhost:8700/sandbox/media/med_1", "http://sandbox/sandbox/media/med_1?x=1"):
        assert uploaded(url, known) == known["med_1"]
    for url in (
        "",
        "med_1",
        "http://a/sandbox/media/med_2",
        "http://a/med_1",
        "file:///sandbox/media/med_1",
        "http://[/sandbox/media/med_1",
    ):
        assert uploaded(url, known) is None


async def test_it_is_kept_between_runs_until_a_reset(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    settings = replace(QUICK, data_dir=tmp_path)
    async with Sandbox(settings) as sandbox:
        path = URL((await upload(Api(session, sandbox.url)))["url"]).path
    (tmp_path / "media" / "med_orphan").write_bytes(b"left by a crash")
    async with Sandbox(settings) as sandbox:
        assert files_in(tmp_path / "media") == [path.rsplit("/", 1)[1]]
        assert (await fetch(session, sandbox.url + path))[2] == PIXEL
        await Api(session, sandbox.url).call("POST", "/sandbox/reset", {})
        assert files_in(tmp_path / "media") == []
        assert (await fetch(session, sandbox.url + path))[0] == 404
    store = Store(tmp_path)
    assert store.load("media") == []
    store.close()


async def test_a_file_that_somebody_removed_is_missing_and_no_more(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    async with Sandbox(replace(QUICK, data_dir=tmp_path)) as sandbox:
        api = Api(session, sandbox.url)
        made = await upload(api)
        await api.write("x", media=made["url"])
        media_id = made["url"].rsplit("/", 1)[1]
        (tmp_path / "media" / media_id).unlink()
        assert (await fetch(session, made["url"]))[0] == 404
        assert (await api.call("GET", f"/v1/media/{media_id}")).status == 404


async def test_without_a_data_directory_nothing_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with Sandbox(QUICK) as sandbox:
        for _ in range(2):
            await upload(Api(session, sandbox.url))
        assert len(files_in(tmp_path)) == 2
    assert files_in(tmp_path) == []
