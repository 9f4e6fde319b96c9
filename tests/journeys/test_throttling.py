"""Throttling, trouble and refusals of the platform: nothing is lost, doubled or out of order, and what can never go is put aside."""

import asyncio

import pytest
from redis import Redis

from pilotbot import Bot, Context, Message, Template, document
from pilotbot.server import Runtime
from tests.stage import ANA, BRUNO, Stage


def echo() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")

    return bot


async def answered(stage: Stage, runtime: Runtime, family: str, trouble: int) -> None:
    """Ten messages each of two contacts, while so many posts meet trouble: all are answered in order, once."""
    for number in range(10):
        await asyncio.gather(*(stage.says(str(number), contact=contact) for contact in (ANA, BRUNO)))
    met = 0
    while met < trouble:
        met = await stage.counted(runtime, f"post:{family}", met + 1)
        await stage.travel("2m")
    for contact in (ANA, BRUNO):
        answers = await stage.sees(10, contact=contact, settled=True)
        assert [row["text"] for row in answers] == [f"You said {number}" for number in range(10)]
        assert {row["status"] for row in answers} == {"READ"}
    await stage.quiet(runtime)
    assert await runtime.engine.dead_letters() == []
    assert sum(row["direction"] == "out" for row in await stage.rows()) == 20


async def test_too_many_requests_slow_the_number_down_and_nothing_is_lost(stage: Stage, redis: Redis) -> None:
    runtime = await stage.work(echo())
    await stage.faults(http429={"next": 5})
    await answered(stage, runtime, "throttled", 5)
    assert {str(key).rpartition(":")[2] for key in redis.keys("*:paused:*")} == {"main"}


@pytest.mark.parametrize("fault", ["http500", "dropBefore", "acceptThenDrop"])
async def test_a_platform_in_trouble_gets_the_same_messages_again(stage: Stage, fault: str) -> None:
    runtime = await stage.work(echo())
    await stage.faults(**{fault: {"next": 5}})
    await answered(stage, runtime, "retry", 5)


async def test_a_number_that_is_blocked_keeps_its_queue_and_posts_no_more_until_it_is_time(stage: Stage) -> None:
    runtime = await stage.work(echo(), shards=1)
    await stage.faults(numberBlocked=True)
    await stage.says("one")
    await stage.until(lambda: runtime.counts["post:blocked"], "the refusal")
    await stage.says("two", contact=BRUNO)
    await stage.until(lambda: runtime.counts["turn:ok"] == 2, "the other contact's turn")
    assert await runtime.engine.claim_lanes(0, 10) == ([], ())
    assert runtime.counts["post:blocked"] == 1
    await stage.faults(numberBlocked=False)
    await stage.travel("61s")
    assert [row["text"] for row in await stage.sees(1)] == ["You said one"]
    assert [row["text"] for row in await stage.sees(1, contact=BRUNO)] == ["You said two"]
    await stage.quiet(runtime)


async def test_what_can_never_go_is_put_aside_and_the_next_goes(stage: Stage) -> None:
    bot = echo()
    runtime = await stage.work(bot)
    await bot.notify(ANA, Message("News.", template=Template("no_such_template")))
    await bot.notify(ANA, Message("Hello.", template=Template("follow_up")))
    assert [row["template"] for row in await stage.sees(1)] == ["follow_up"]
    (letter,) = await runtime.engine.dead_letters()
    assert (letter.kind, letter.reason) == ("send", "TEMPLATE_NOT_FOUND")
    await stage.quiet(runtime)


def invoices() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        if ctx.text == "invoice":
            await ctx.reply("Here it is.", media=document("https://cdn.example.com/4242.pdf"))
        await ctx.reply(f"You said {ctx.text}")

    return bot


async def test_media_without_a_subscription_is_put_aside_holds_up_nobody_and_goes_once_there_is_one(stage: Stage) -> None:
    runtime = await stage.work(invoices(), shards=1)
    await stage.faults(subscription=False)
    await stage.says("invoice")
    await stage.says("hi", contact=BRUNO)
    assert [row["text"] for row in await stage.sees(1)] == ["You said invoice"]
    assert [row["text"] for row in await stage.sees(1, contact=BRUNO)] == ["You said hi"]
    (letter,) = await runtime.engine.dead_letters()
    assert (letter.kind, letter.reason) == ("send", "SUBSCRIPTION_REQUIRED_FOR_MEDIA")
    await stage.faults(subscription=True)
    assert await runtime.engine.retry_dead(letter.id)
    assert [row["mode"] for row in await stage.sees(2)] == ["text", "media"]
    await stage.quiet(runtime)
