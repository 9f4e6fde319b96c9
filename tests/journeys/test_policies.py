"""What holds for a message is said for the bot, for a router, or for one call; the nearest one wins."""

import asyncio

from pilotbot import Bot, Call, Context, Deferred, Outcome, Policy, Queued, Router, Skipped, words
from tests.stage import ANA, Stage

BRUNO = "+5511987650002"


async def test_the_call_wins_over_the_router_and_that_over_the_bot(stage: Stage) -> None:
    told: dict[str, Outcome] = {}
    bot, inner = Bot("shop", policy=Policy(closed="defer")), Router("inner", policy=Policy(closed="skip"))

    @bot.received(words("bot"))
    async def by_bot(ctx: Context) -> None:
        told["bot"] = await ctx.notify(BRUNO, "hello")

    @inner.received(words("router"))
    async def by_router(ctx: Context) -> None:
        told["router"] = await ctx.notify(BRUNO, "hello")

    @inner.received(words("call"))
    async def by_call(ctx: Context) -> None:
        told["call"] = await ctx.notify(BRUNO, "hello", policy=Policy(closed="fail"))

    bot.include(inner)
    await stage.work(bot)
    for word in ("bot", "router", "call"):
        await stage.says(word)
    await stage.until(lambda: len(told) == 3, "three outcomes")
    assert isinstance(told["bot"], Deferred)
    assert isinstance(told["router"], Skipped)
    assert not told["router"].failed
    assert isinstance(told["call"], Skipped)
    assert told["call"].failed


async def test_a_reply_to_what_the_contact_did_not_bring_is_none_that_they_asked_for(stage: Stage) -> None:
    told: dict[str, Outcome] = {}
    bot = Bot("shop", policy=Policy(purpose="marketing"))

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!")

    @bot.status("read")
    async def read(ctx: Context) -> None:
        told["status"] = await ctx.reply("Buy more!")

    @bot.handed_back()
    async def back(ctx: Context) -> None:
        told["back"] = await ctx.reply("It is me again!")

    @bot.call()
    async def called(ctx: Context, event: Call) -> None:
        told[str(event.direction)] = await ctx.reply("We do not answer calls.")

    runtime = await stage.work(bot)
    await stage.says("stop")
    await stage.until(lambda: "status" in told, "the confirmation to be read")
    await bot.handover(ANA)
    await bot.hand_back(ANA)
    await stage.until(lambda: "back" in told, "the bot to have the chat again")
    for direction in ("INBOUND", "OUTBOUND"):
        call = {"numberId": "main", "callId": direction, "id": direction, "from": ANA, "to": ANA, "direction": direction}
        status, *_ = await stage.deliver(runtime.url, {"event": "call.missed", **call, "data": call})
        assert status == 200, direction
    await stage.until(lambda: len(told) == 4, "both calls")
    await stage.quiet(runtime)
    assert isinstance(told["status"], Skipped)
    assert isinstance(told["back"], Skipped)
    assert isinstance(told["OUTBOUND"], Skipped)
    assert isinstance(told["INBOUND"], Queued)


async def test_what_is_said_at_once_is_not_said_beside_a_person_who_took_the_chat_meanwhile(stage: Stage) -> None:
    began, goes_on, told = asyncio.Event(), asyncio.Event(), list[Outcome]()
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        began.set()
        await goes_on.wait()
        told.append(await ctx.reply("One moment.", now=True))

    runtime = await stage.work(bot)
    await stage.says("hi")
    await began.wait()
    await bot.handover(ANA, "desk")
    goes_on.set()
    await stage.until(lambda: told, "an outcome")
    await stage.quiet(runtime)
    assert isinstance(told[0], Skipped)
    assert [row for row in await stage.rows(ANA) if row["direction"] == "out"] == []


async def test_an_included_bot_takes_from_the_outer_one_what_it_leaves_open(stage: Stage) -> None:
    told: list[Outcome] = []
    outer, inner = Bot("outer", policy=Policy(closed="skip")), Bot("inner")

    @inner.received()
    async def any_word(ctx: Context) -> None:
        told.append(await ctx.notify(BRUNO, "hello"))

    outer.include(inner)
    await stage.work(outer)
    await stage.says("hi")
    await stage.until(lambda: told, "an outcome")
    assert isinstance(told[0], Skipped)
