"""Deferred: what may not go waits until the contact writes, in order, bounded in number and time."""

from pilotbot import Bot, Context, Deferred, Policy, Skipped
from tests.stage import ANA, Stage


def greeter(bot: Bot) -> Bot:
    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!")

    return bot


async def test_it_goes_in_order_ahead_of_the_answer(stage: Stage) -> None:
    bot = greeter(Bot("shop"))
    runtime = await stage.work(bot)
    for number in range(5):
        assert isinstance(await bot.notify(ANA, f"news {number}"), Deferred)
    await stage.quiet(runtime)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(6, settled=True)] == [*(f"news {number}" for number in range(5)), "Hello!"]
    await stage.says("hi again")
    assert [row["text"] for row in (await stage.sees(7))[6:]] == ["Hello!"]


async def test_twenty_wait_and_the_next_goes_to_the_dead_letters(stage: Stage) -> None:
    bot = greeter(Bot("shop"))
    runtime = await stage.work(bot, business_chat_seconds=0, business_per_second=1000)
    for number in range(21):
        await bot.notify(ANA, f"news {number}")
    await stage.quiet(runtime)
    (letter,) = await runtime.engine.dead_letters()
    assert (letter.kind, letter.reason) == ("send", "hold-full")
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(21)] == [*(f"news {number}" for number in range(20)), "Hello!"]


async def test_after_72_hours_it_is_given_up(stage: Stage) -> None:
    bot = greeter(Bot("shop"))
    runtime = await stage.work(bot)
    await bot.notify(ANA, "too old by then")
    await stage.quiet(runtime)
    await stage.travel("48h")
    await bot.notify(ANA, "still good")
    await stage.quiet(runtime)
    await stage.travel("25h")
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(2)] == ["still good", "Hello!"]


async def test_an_answer_that_comes_too_late_waits_as_well(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await stage.travel("25h")
        await ctx.reply(f"To {ctx.text}")

    runtime = await stage.work(bot)
    await stage.says("one")
    await stage.until(lambda: runtime.counts["turn:ok"], "the turn to be committed")
    await stage.quiet(runtime)
    await stage.sees(0)
    await stage.says("two")
    assert [row["text"] for row in await stage.sees(1)] == ["To one"]


async def test_a_bot_that_skips_drops_it_and_says_why(stage: Stage) -> None:
    bot = greeter(Bot("shop", policy=Policy(closed="skip")))
    runtime = await stage.work(bot)
    outcome = await bot.notify(ANA, "news")
    assert isinstance(outcome, Skipped)
    assert not outcome.failed
    await stage.quiet(runtime)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(1)] == ["Hello!"]
    assert await runtime.engine.dead_letters() == []


async def test_a_bot_that_fails_puts_it_with_the_dead_letters(stage: Stage) -> None:
    bot = greeter(Bot("shop", policy=Policy(closed="fail")))
    runtime = await stage.work(bot)
    outcome = await bot.notify(ANA, "news")
    assert isinstance(outcome, Skipped)
    assert outcome.failed
    await stage.quiet(runtime)
    assert [letter.reason for letter in await runtime.engine.dead_letters()] == ["window-closed"]
