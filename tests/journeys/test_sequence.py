"""A sequence arrives in its order: what follows is posted once what went before was reported sent, or a while went by."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from pilotbot import Bot, Context, Queued, image
from pilotbot.sandbox import Sandbox, SandboxSettings
from tests.stage import Row, Stage

PHOTO = image("https://files.example.com/red.jpg")


@pytest.fixture
async def late(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose sandbox takes a minute, by its clock, until a message is sent, and another until it is delivered."""
    async with (
        Sandbox(SandboxSettings(port=0, receipt_delay=(60, 60), retry_schedule=(0.05, 0.1, 0.2, 0.5, 1, 2, 5))) as sandbox,
        aiohttp.ClientSession() as http,
        Stage(sandbox, http, redis_url, tmp_path) as stage,
    ):
        yield stage


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def show(ctx: Context) -> None:
        if ctx.text == "show":
            outcomes = await ctx.sequence(PHOTO, "That is the red one.", "{{ not Jinja }}")
            assert outcomes == [Queued("media"), Queued("text"), Queued("text")]
        else:
            await ctx.reply(f"You said {ctx.text}")

    return bot


def texts(rows: list[Row]) -> list[str]:
    return [row["text"] or row["mode"] for row in rows]


def moment(row: Row, name: str) -> datetime:
    return datetime.fromisoformat(row[name])


async def test_a_text_does_not_overtake_the_image_before_it(late: Stage) -> None:
    runtime = await late.work(shop(), sequence_wait_seconds=600)
    await late.says("show")
    assert texts(await late.sees(1)) == ["media"]
    await late.says("quick")  # it is answered in its turn
    await late.counted(runtime, "turn:ok", 2)
    assert texts(await late.sees(1)) == ["media"]
    for count in (2, 4):
        await late.travel("61s")
        rows = await late.sees(count)
    assert texts(rows) == ["media", "That is the red one.", "{{ not Jinja }}", "You said quick"]
    assert all(moment(before, "sentAt") <= moment(after, "createdAt") for before, after in pairwise(rows[:3]))


async def test_where_nothing_is_reported_it_goes_after_the_wait(late: Stage) -> None:
    await late.work(shop(), sequence_wait_seconds=0.3)
    await late.says("show")
    photo, first, second = await late.sees(3)
    for before, after in ((photo, first), (first, second)):
        assert (moment(after, "createdAt") - moment(before, "createdAt")).total_seconds() >= 0.25
    assert photo["sentAt"] is None


async def test_it_goes_on_in_another_process(late: Stage) -> None:
    async with late.at_work(shop(), sequence_wait_seconds=600, lease_seconds=1) as runtime:
        await late.says("show")
        await late.sees(1)
        await late.counted(runtime, "sent:free", 1)
        await runtime.kill()
    await late.work(shop(), sequence_wait_seconds=600, lease_seconds=1)
    assert texts(await late.sees(1)) == ["media"]
    for count in (2, 3):
        await late.travel("61s")
        rows = await late.sees(count)
    assert texts(rows) == ["media", "That is the red one.", "{{ not Jinja }}"]
