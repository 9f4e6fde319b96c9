"""A contact sends a file, and the handler has it: by id or by link, again later where it is away, with a word where it is gone."""

import asyncio
import base64
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pilotbot import Bot, Context, MediaError, MediaExpired, MediaRefused, MediaTooLarge, Received, has_media, hours
from pilotbot.server.scratch import PREFIX
from tests.stage import ANA, Stage, wire

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
PDF = b"%PDF-1.7\n" + b"0" * 5_000


def clerk(kept: list[Path] | None = None) -> Bot:
    """A bot that says what it was sent, and lets through what may be tried again."""
    bot = Bot("clerk")

    @bot.message(has_media())
    async def take(ctx: Context) -> None:
        try:
            async with ctx.download() as file:
                assert file.path.stat().st_size == file.size
                if kept is not None:
                    kept.append(file.path)
                await ctx.reply(f"{file.name} is {file.mime} of {file.size} bytes")
        except MediaExpired:
            await ctx.reply("It is gone. Send it again, please.")
        except (MediaTooLarge, MediaRefused) as error:
            await ctx.reply(type(error).__name__)

    @bot.message()
    async def without(ctx: Context) -> None:
        with pytest.raises(LookupError, match="has_media"):
            ctx.download()
        await ctx.reply("no file")

    return bot


async def send(stage: Stage, data: bytes, mime: str, *, number: str = "num_meta", **more: Any) -> None:
    """Ana sends a file. `more`: of the upload."""
    uri = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    made = await stage.api("POST", "/sandbox/media", {"data": uri, **more})
    inbound = {"from": ANA, "name": "Ana Souza", "media": made["url"], "mediaType": made["mediaType"], "filename": made["filename"]}
    await stage.api("POST", "/sandbox/inbound", {**inbound, "number": number})


def texts(rows: Sequence[Any]) -> list[str]:
    return [row["text"] for row in rows]


@pytest.mark.parametrize(("number", "key"), [("num_meta", "ps_sandbox_number"), ("num_evolution", "ps_sandbox_evolution")])
async def test_a_handler_has_the_file_that_was_sent(stage: Stage, number: str, key: str) -> None:
    kept: list[Path] = []
    await stage.work(clerk(kept), keys=(key,), number_kind="meta" if number == "num_meta" else "evolution_v2", api_key=key)
    await send(stage, PNG, "image/png", number=number, filename="receipt.png")
    await stage.sees(1)
    await send(stage, PDF, "image/png", number=number, filename="../../fatura.png")  # whatever it claims to be
    assert texts(await stage.sees(2)) == [
        f"receipt.png is image/png of {len(PNG)} bytes",
        f"fatura.png is application/pdf of {len(PDF)} bytes",
    ]
    assert not any(path.exists() for path in kept)
    assert [path.suffix for path in kept] == [".png", ".pdf"]


async def test_the_id_outlives_the_link_and_without_one_it_is_gone(stage: Stage) -> None:
    await stage.work(clerk())
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    made = await stage.api("POST", "/sandbox/media", {"data": data, "linkFor": "5m"})
    await stage.travel("6m")
    await stage.api("POST", "/sandbox/inbound", {"from": ANA, "media": made["url"], "mediaType": "image"})
    assert texts(await stage.sees(1)) == [f"image.png is image/png of {len(PNG)} bytes"]  # the platform has it still
    runtime = await stage.work(clerk(), webhook=False)
    await stage.deliver(runtime.url, wire("m1", "", type="image", mediaLink=made["url"], mediaType="image/png"))
    assert texts(await stage.sees(2))[1] == "It is gone. Send it again, please."


async def test_what_is_away_is_fetched_later(stage: Stage) -> None:
    runtime = await stage.work(clerk())
    await stage.faults(http500={"next": 1, "path": "/v1/media"})
    await send(stage, PNG, "image/png", redirectTo="http://127.0.0.1:9/never.png")  # so that the link is no help
    await stage.counted(runtime, "turn:retry", 1)
    await stage.travel("2s")
    assert texts(await stage.sees(1)) == [f"image.png is image/png of {len(PNG)} bytes"]
    await stage.faults(http500={"next": 2, "path": "/v1/media"})
    data = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    made = await stage.api("POST", "/sandbox/media", {"data": data})
    await send_by_id_only(stage, runtime.url, made["url"])
    for tries, wait in ((2, "2s"), (3, "6s")):  # other errors are tried once more only
        await stage.counted(runtime, "turn:retry", tries)
        await stage.travel(wait)
    assert texts(await stage.sees(2))[1] == f"image.png is image/png of {len(PNG)} bytes"


async def send_by_id_only(stage: Stage, url: str, link: str) -> None:
    """What Meta sends: an id, and no link. The sandbox must know that the file was sent, so Ana sends it to a bot that does not hear."""
    await stage.webhooks(active=False)
    await stage.api("POST", "/sandbox/inbound", {"from": ANA, "media": link, "mediaType": "image"})
    await stage.webhooks(active=True)
    await stage.deliver(url, wire("m9", "", type="image", mediaId=link.rpartition("/")[2], mediaType="image/png"))


async def test_what_is_too_large_or_leads_astray_has_its_error(stage: Stage) -> None:
    runtime = await stage.work(clerk(), media_max_bytes=1000)
    await send(stage, PDF, "application/pdf")
    assert texts(await stage.sees(1)) == ["MediaTooLarge"]
    for count, link in enumerate(("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "https://127.1/"), 2):
        await stage.deliver(runtime.url, wire(f"m{count}", "", type="image", mediaLink=link))
        assert texts(await stage.sees(count))[-1] == "MediaRefused"


async def test_a_message_without_a_file_has_none(stage: Stage) -> None:
    await stage.work(clerk())
    await stage.says("hello")
    assert texts(await stage.sees(1)) == ["no file"]


async def test_what_a_killed_bot_left_is_gone_when_it_starts_again(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = Path(tempfile.mkdtemp(prefix=PREFIX))
    (left / "media.png").write_bytes(PNG)
    await stage.work(clerk())
    assert not await asyncio.to_thread(left.exists)


async def test_nothing_of_a_file_is_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Neither its link nor its name nor its sender, not even where it fails for good."""
    bot = Bot("careless")

    @bot.message(has_media())
    async def take(ctx: Context) -> None:
        async with ctx.download():
            raise AssertionError("it could not be had")

    runtime = await stage.work(bot)
    with caplog.at_level(logging.INFO):
        link = "https://127.0.0.1/private-receipt.pdf?token=private"
        await stage.deliver(runtime.url, wire("m1", "private", type="document", mediaLink=link, mediaFilename="private.pdf"))
        await stage.counted(runtime, "turn:retry", 1)
        await stage.travel("2s")
        await stage.counted(runtime, "dead:MediaRefused", 1)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "MediaRefused: the link of the file is not followed" in told
    assert "private" not in told
    assert ANA[1:] not in told
    assert "127.0.0.1/" not in told


async def test_files_of_kept_messages_can_be_fetched(stage: Stage) -> None:
    """`ctx.download(media)` of another event: what was sent while a person had the chat."""
    bot = Bot("handing")
    found: list[int] = []

    @bot.message(has_media())
    async def take(ctx: Context) -> None:
        assert isinstance(ctx.event, Received)
        assert ctx.event.media is not None
        try:
            async with ctx.download(ctx.event.media) as file, ctx.download() as same:
                found.extend([file.size, same.size])
        except MediaError:
            found.append(-1)
        await ctx.follow_up(hours(1), "Thank you for the file")

    await stage.work(bot)
    await send(stage, PNG, "image/png")
    await stage.until(lambda: found, "the file")
    assert found == [len(PNG), len(PNG)]
