"""A contact who was known by an id only turns out to have a phone that is known, too: one chat from then on, and nothing of it lost."""

import asyncio
from typing import Any

from pilotbot import Bot, Context, Queued, State, Template, hours
from pilotbot.contacts import canonical
from pilotbot.server import Runtime
from tests.stage import ANA, Stage, wire

BSUID = "BR.424242424242"
FOLLOW_UP = Template("follow_up")
EVOLUTION: dict[str, Any] = {"keys": ("ps_sandbox_evolution",), "api_key": "ps_sandbox_evolution", "number_kind": "evolution_v2"}


class Heard(State, name="heard_of_merge"):
    texts: list[str] = []


def shop(gate: asyncio.Event | None = None) -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def note(ctx: Context, heard: Heard) -> None:
        if gate is not None and "wait" in ctx.text:
            await gate.wait()
        heard.texts = [*heard.texts, ctx.text]
        if "vip" in ctx.text:
            ctx.tag("vip")
            ctx.set_language("en")
            await ctx.follow_up(hours(20), "How was it?", template=FOLLOW_UP, key="care")
        await ctx.reply(f"{'|'.join(heard.texts)} {sorted(ctx.contact.tags)} {ctx.contact.language}")

    return bot


async def told(stage: Stage, runtime: Runtime, name: str, text: str, **more: Any) -> None:
    status, answer, _ = await stage.deliver(runtime.url, wire(name, text, numberId=None, **more))
    assert (status, answer["status"]) == (200, "ok")


async def answers(stage: Stage) -> list[str]:
    """What was answered, to whichever address, in order."""
    return [row["text"] for row in await stage.rows() if row["direction"] == "out"]


async def test_what_is_known_of_them_and_what_waits_is_one(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot, **EVOLUTION)
    await told(stage, runtime, "one", "by phone")
    await stage.quiet(runtime)
    await told(stage, runtime, "two", "vip by id", contact=BSUID)
    await stage.quiet(runtime)
    assert [each.key for each in await bot.follow_ups(BSUID)] == ["care"]
    await told(stage, runtime, "three", "with both", userId=BSUID)
    await told(stage, runtime, "four", "by id again", contact=BSUID)
    await stage.quiet(runtime)
    assert (await answers(stage))[-2:] == [
        "by phone|with both ['vip'] en", "by phone|with both|by id again ['vip'] en",
    ]  # fmt: skip
    assert [each.key for each in await bot.follow_ups(ANA)] == ["care"]
    assert await bot.cancel_follow_up(BSUID, "care")
    assert isinstance(await bot.notify(BSUID, "Hello"), Queued)


async def test_what_they_wrote_is_handled_in_order_whichever_address_it_came_under(stage: Stage) -> None:
    gate = asyncio.Event()
    bot = shop(gate)
    runtime = await stage.work(bot, **EVOLUTION)
    await told(stage, runtime, "one", "wait", contact=BSUID)
    await told(stage, runtime, "two", "then", contact=BSUID)
    await told(stage, runtime, "three", "with both", userId=BSUID)
    await told(stage, runtime, "four", "by id", contact=BSUID)
    await told(stage, runtime, "five", "by phone")
    assert await answers(stage) == []
    gate.set()
    await stage.until(lambda: _count(stage, 5), "five answers")
    await stage.quiet(runtime)
    last = max(await answers(stage), key=len)
    assert last.startswith("wait|then|with both|by id|by phone")


async def _count(stage: Stage, many: int) -> bool:
    return len(await answers(stage)) == many


async def test_a_process_that_is_lost_on_the_way_is_no_loss(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.at_work(shop(gate), **EVOLUTION, lease_seconds=1) as first:
        await told(stage, first, "one", "wait", contact=BSUID)
        await told(stage, first, "two", "with both", userId=BSUID)
        await first.kill()
    gate.set()
    runtime = await stage.work(shop(gate), **EVOLUTION)
    await stage.until(lambda: _count(stage, 2), "two answers")
    await stage.quiet(runtime)
    assert (await answers(stage))[-1].startswith("wait|with both")
    chats = [runtime.engine.keys.chat("main", canonical(who)) for who in (ANA, BSUID)]
    left = (await runtime.engine.chat(chats[1])).fields
    assert not any(name.startswith("state:") for name in left)
