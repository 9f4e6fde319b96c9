"""What nobody asked for is bounded: so many in a span, marketing with an opt-in only, none beside a person. No answer comes too late."""

import asyncio
from datetime import UTC, datetime, timedelta

from pilotbot import Bot, Cap, Context, Outcome, Policy, Queued, Skipped, days, minutes
from pilotbot.engine.keys import base
from tests.stage import ANA, BRUNO, Stage, wire

AD = Policy(purpose="marketing")


def greeter(policy: Policy | None = None) -> Bot:
    bot = Bot("shop", policy=policy)

    @bot.message()
    async def greet(ctx: Context) -> None:
        if ctx.text == "offers":
            await ctx.opt_in(ctx.text)
        await ctx.reply("Hello!")

    return bot


def skipped(outcome: Outcome, word: str) -> bool:
    return isinstance(outcome, Skipped) and word in outcome.reason and not outcome.failed


async def test_a_chat_gets_so_many_in_a_span_and_answers_do_not_count(stage: Stage) -> None:
    bot = greeter(Policy(cap=Cap(2, days(3))))
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    for number in range(2):
        assert await bot.notify(ANA, f"news {number}") == Queued("text")
        await stage.sees(2 + number, settled=True)
    assert skipped(await bot.notify(ANA, "news 2"), "cap")
    assert await bot.notify(ANA, "Your code: 123", policy=Policy(cap=False)) == Queued("text")
    await stage.says("hi")
    await stage.sees(5, settled=True)
    await stage.travel("73h")
    await stage.says("hi")
    await stage.sees(6, settled=True)
    assert await bot.notify(ANA, "news 3") == Queued("text")
    await stage.sees(7)
    assert runtime.counts["skip:capped"] == 0


async def test_the_lane_counts_what_was_promised_at_the_same_time(stage: Stage) -> None:
    bot = greeter(Policy(cap=Cap(2, days(3))))
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    outcomes = await asyncio.gather(*(bot.notify(ANA, f"news {number}") for number in range(5)))
    assert set(outcomes) == {Queued("text")}
    await stage.counted(runtime, "skip:capped", 3)
    await stage.quiet(runtime)
    await stage.sees(3)


async def test_marketing_needs_an_opt_in(stage: Stage) -> None:
    bot = greeter()
    await stage.work(bot)
    for who in (ANA, BRUNO):
        await stage.says("hi", contact=who)
        await stage.sees(1, contact=who)
        assert skipped(await bot.notify(who, "Half price!", policy=AD), "opt in")
    assert await bot.notify(ANA, "It was shipped.") == Queued("text")  # utility
    await stage.says("offers")
    await stage.sees(3, settled=True)
    assert await bot.notify(ANA, "Half price!", policy=AD) == Queued("text")
    assert await bot.notify(BRUNO, "Half price!", policy=Policy(purpose="marketing", opt_in="assumed")) == Queued("text")
    await stage.sees(4)
    assert [row["text"] for row in await stage.sees(2, contact=BRUNO)] == ["Hello!", "Half price!"]


async def test_the_lane_looks_again_when_it_goes(stage: Stage) -> None:
    """What was decided for the purpose alone, after it was said."""
    bot = greeter()
    runtime = await stage.work(bot)
    at = runtime.engine.keys.chat("main", "+551187650001")
    await stage.says("offers")
    await stage.sees(1, settled=True)
    await runtime.engine.pause("main", 60_000)
    assert await bot.notify(ANA, "Half price!", policy=AD) == Queued("text")
    later = (await runtime.engine.chat(at)).now + 1
    await runtime.engine._calls.command("HSET", f"{base(at.shard)}:chat:{at.id}", "consent:marketing", later)
    await stage.travel("2m")
    await stage.counted(runtime, "skip:opted-out", 1)
    assert skipped(await bot.notify(ANA, "Half price!", policy=AD), "opted out")
    assert await bot.notify(ANA, "It was shipped.") == Queued("text")
    assert [row["text"] for row in await stage.sees(2)] == ["Hello!", "It was shipped."]


async def test_no_marketing_goes_while_a_person_has_the_chat(stage: Stage) -> None:
    bot = greeter()
    await stage.work(bot)
    await stage.says("offers")
    await stage.sees(1)
    await bot.handover(ANA, "sales")
    assert skipped(await bot.notify(ANA, "Half price!", policy=AD), "person")
    assert await bot.notify(ANA, "It was shipped.") == Queued("text")
    await bot.hand_back(ANA)
    assert await bot.notify(ANA, "Half price!", policy=AD) == Queued("text")
    await stage.sees(3)


async def test_an_answer_that_comes_too_late_is_left_out(stage: Stage) -> None:
    bot = Bot("shop", policy=Policy(answer_within=minutes(10)))
    outcomes: list[Outcome] = []

    @bot.message()
    async def slow(ctx: Context) -> None:
        if ctx.text == "quick":
            outcomes.append(await ctx.reply("At once."))
            return
        outcomes.append(await ctx.reply("It could not go in time.", now=True))
        outcomes.append(await ctx.reply("Later."))
        await stage.travel("11m")

    runtime = await stage.work(bot)
    await stage.says("slow")
    await stage.counted(runtime, "skip:too-old", 1)
    await stage.says("quick")
    assert [row["text"] for row in await stage.sees(2)] == ["It could not go in time.", "At once."]
    assert outcomes == [Queued("text")] * 3


async def test_an_answer_to_what_was_written_long_ago_is_told_to_be_left_out(stage: Stage) -> None:
    bot = Bot("shop", policy=Policy(answer_within=minutes(10)))
    outcomes: dict[str, Outcome] = {}

    @bot.message()
    async def answer(ctx: Context) -> None:
        outcomes[ctx.text] = await ctx.reply(f"To {ctx.text}")

    runtime = await stage.work(bot)
    for text, ago in (("old", 11), ("new", 9)):
        written = (datetime.now(UTC) - timedelta(minutes=ago)).isoformat(timespec="milliseconds")
        await stage.deliver(runtime.url, wire(text, text, createdAt=written))
    assert [row["text"] for row in await stage.sees(1)] == ["To new"]
    assert skipped(outcomes["old"], "within the time")
    assert outcomes["new"] == Queued("text")
