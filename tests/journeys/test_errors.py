"""Errors: what a handler raises settles its event, puts it back or puts it aside; its chat goes on, and nothing is kept by halves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from pilotbot import Bot, Context, Retry, State
from pilotbot.server import Runtime
from tests.stage import Stage


class Seen(State, name="seen_errors"):
    count: int = 0


class Trouble(Exception):
    pass


async def tried_again(stage: Stage, runtime: Runtime, times: int = 1) -> None:
    """Wait until the event was put back for the so-manyth time, then let its wait be over."""
    await stage.until(lambda: runtime.counts["turn:retry"] == times, "the event to be put back")
    await stage.travel("3m")


async def test_an_error_handler_settles_the_event_and_its_answer_is_sent(stage: Stage) -> None:
    bot = Bot("shop")
    tries: list[int] = []

    @bot.message()
    async def fail(ctx: Context, seen: Seen) -> None:
        tries.append(seen.count)
        seen.count += 1
        await ctx.reply("One moment...", now=True)
        await ctx.reply("half an answer")
        await ctx.notify(ctx.contact, "half a notice")
        raise Trouble

    @bot.error(Trouble)
    async def sorry(ctx: Context, seen: Seen) -> None:
        await ctx.reply("I am looking into it...", now=True)
        await ctx.reply(f"Sorry, that failed. ({seen.count})")

    runtime = await stage.work(bot)
    await stage.says("one")
    assert [row["text"] for row in await stage.sees(3)] == ["One moment...", "I am looking into it...", "Sorry, that failed. (0)"]
    await stage.says("two")
    await stage.sees(6)
    await stage.quiet(runtime)
    assert tries == [0, 0]
    assert runtime.counts["turn:retry"] == 0


async def test_retry_waits_longer_each_time_and_leaves_nothing_behind(stage: Stage) -> None:
    bot = Bot("shop")
    tries: list[int] = []

    @bot.message()
    async def later(ctx: Context, seen: Seen) -> None:
        tries.append(seen.count)
        seen.count += 1
        await ctx.reply(f"try {len(tries)}")
        if len(tries) < 4:
            raise Retry

    runtime = await stage.work(bot)
    await stage.says("hi")
    for times in (1, 2, 3):
        await tried_again(stage, runtime, times)
    assert [row["text"] for row in await stage.sees(1)] == ["try 4"]
    await stage.quiet(runtime)
    assert tries == [0, 0, 0, 0]


def fragile(broken: Callable[[], bool]) -> Bot:
    """A bot that cannot handle the word "bad" while it is broken."""
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        await ctx.reply(f"{seen.count}: {ctx.text}")
        if ctx.text == "bad" and broken():
            raise Trouble

    return bot


async def test_what_always_fails_is_put_aside_and_its_chat_goes_on(stage: Stage) -> None:
    runtime = await stage.work(fragile(lambda: True))
    await stage.says("bad")
    await stage.says("good")
    await stage.until(lambda: runtime.counts["turn:retry"], "the first try")
    await stage.sees(0)
    await stage.travel("3m")
    assert [row["text"] for row in await stage.sees(1)] == ["1: good"]
    (letter,) = await runtime.engine.dead_letters()
    assert (letter.kind, letter.reason) == ("event", "Trouble")
    assert "test_errors.py:" in letter.detail
    assert runtime.counts["turn:retry"] == 1


async def test_a_dead_letter_is_handled_once_the_bug_is_gone(stage: Stage) -> None:
    async with stage.at_work(fragile(lambda: True)) as runtime:
        await stage.says("bad")
        await tried_again(stage, runtime)
        await stage.until(runtime.engine.dead_letters, "the event to be put aside")
    runtime = await stage.work(fragile(lambda: False))
    (letter,) = await runtime.engine.dead_letters()
    assert await runtime.engine.retry_dead(letter.id)
    assert [row["text"] for row in await stage.sees(1)] == ["1: bad"]
    assert not await runtime.engine.retry_dead(letter.id)
    await stage.quiet(runtime)
    await stage.sees(1)
    assert await runtime.engine.dead_letters() == []


async def test_a_handler_that_takes_too_long_is_stopped_and_tried_again(stage: Stage) -> None:
    bot = Bot("shop")
    tries: list[int] = []

    @bot.message()
    async def hang(ctx: Context) -> None:
        tries.append(1)
        await ctx.reply(f"try {len(tries)}")
        if len(tries) == 1:
            await asyncio.Event().wait()

    runtime = await stage.work(bot, handler_timeout_seconds=0.2)
    await stage.says("hi")
    await tried_again(stage, runtime)
    assert [row["text"] for row in await stage.sees(1)] == ["try 2"]
    await stage.quiet(runtime)


async def test_an_error_in_middleware_is_an_error_of_the_handler(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.middleware
    async def check(ctx: Context, call_next: Callable[[], Awaitable[None]]) -> None:
        await call_next()
        raise Trouble

    @bot.message()
    async def answer(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        await ctx.reply("not to be seen")

    @bot.error()
    async def sorry(ctx: Context, seen: Seen, error: Exception) -> None:
        await ctx.reply(f"{type(error).__name__} {seen.count}")

    await stage.work(bot)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(1)] == ["Trouble 0"]


async def test_what_a_handler_was_given_is_closed_whatever_happens(stage: Stage) -> None:
    bot = Bot("shop")
    told: list[str] = []

    class Database:
        pass

    @asynccontextmanager
    async def database() -> AsyncIterator[Database]:
        told.append("open")
        try:
            yield Database()
        except Trouble:
            told.append("rolled back")
            raise
        else:
            told.append("committed")

    bot.provide(Database, database)

    @bot.message()
    async def answer(ctx: Context, database: Database) -> None:
        if len(told) == 1:
            raise Trouble
        await ctx.reply("Done.")

    runtime = await stage.work(bot)
    await stage.says("hi")
    await tried_again(stage, runtime)
    await stage.sees(1)
    assert told == ["open", "rolled back", "open", "committed"]


async def test_an_error_handler_may_ask_for_another_try(stage: Stage) -> None:
    bot = Bot("shop")
    tries: list[int] = []

    @bot.message()
    async def fail(ctx: Context) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Trouble
        await ctx.reply("Done.")

    @bot.error(Trouble)
    async def again(ctx: Context) -> None:
        await ctx.reply("not to be seen")
        raise Retry

    runtime = await stage.work(bot)
    await stage.says("hi")
    await tried_again(stage, runtime)
    assert [row["text"] for row in await stage.sees(1)] == ["Done."]


async def test_an_error_handler_that_fails_is_as_none(stage: Stage) -> None:
    bot = fragile(lambda: True)

    @bot.error()
    async def worse(ctx: Context) -> None:
        await ctx.reply("not to be seen")
        raise ValueError

    runtime = await stage.work(bot)
    await stage.says("bad")
    await tried_again(stage, runtime)
    (letter,) = await stage.until(runtime.engine.dead_letters, "the event to be put aside")
    assert letter.reason == "Trouble"
    await stage.says("good")
    assert [row["text"] for row in await stage.sees(1)] == ["1: good"]
