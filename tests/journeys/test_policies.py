"""What holds for a message is said for the bot, for a router, or for one call; the nearest one wins."""

from pilotbot import Bot, Context, Deferred, Outcome, Policy, Router, Skipped, words
from tests.stage import Stage

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
