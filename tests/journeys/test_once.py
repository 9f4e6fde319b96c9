"""Once: whatever is delivered, tried or started again, one message has one turn, one change of state, one answer."""

import asyncio

from pilotbot import Bot, Context, Reply, Retry, State
from tests.stage import ANA, BRUNO, Row, Stage, wire


class Seen(State, name="seen_once"):
    count: int = 0


def counter() -> Bot:
    bot = Bot("counter")

    @bot.message()
    async def count(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        await ctx.reply(f"{seen.count}: {ctx.text}")

    return bot


async def first_delivery(stage: Stage, event: str = "message.received") -> Row:
    async def made() -> list[Row]:
        return await stage.deliveries(event)

    body: Row = (await stage.until(made, "a delivery"))[0]["body"]
    return body


async def test_one_delivery_that_comes_twenty_times_is_answered_once(stage: Stage) -> None:
    runtime = await stage.work(counter())
    await stage.says("one")
    body = await first_delivery(stage)
    answers = [await stage.deliver(runtime.url, body) for _ in range(10)]
    answers += await asyncio.gather(*(stage.deliver(runtime.url, body) for _ in range(10)))
    assert {status for status, _, _ in answers} == {200}
    await stage.says("two")
    assert [row["text"] for row in await stage.sees(2)] == ["1: one", "2: two"]
    await stage.quiet(runtime)
    await stage.sees(2)


async def test_twenty_first_deliveries_at_the_same_moment_are_one_message(stage: Stage) -> None:
    runtime = await stage.work(counter(), api_key="ps_sandbox_evolution", number_kind="evolution_v2")
    body, other = wire("one", "one"), wire("an-id-of-its-own", "one", messageId="wamid.one")
    answers = await asyncio.gather(*(stage.deliver(runtime.url, each) for each in [body, other] * 10))
    assert sorted(answer["status"] for _, answer, _ in answers) == ["dup"] * 19 + ["ok"]
    await stage.quiet(runtime)
    assert [row["text"] for row in await stage.sees(1)] == ["1: one"]


async def test_webhooks_that_are_doubled_and_shuffled_are_answered_once_each(stage: Stage) -> None:
    runtime = await stage.work(counter())
    await stage.faults(duplicateWebhooks=True, shuffleWebhooks=True)
    said = [f"message {number}" for number in range(15)]
    await asyncio.gather(*(stage.says(text, contact=contact) for text in said for contact in (ANA, BRUNO)))
    for contact in (ANA, BRUNO):
        answers = [row["text"].split(": ") for row in await stage.sees(15, contact=contact)]
        assert [count for count, _ in answers] == [str(count) for count in range(1, 16)]
        assert sorted(text for _, text in answers) == sorted(said)
    await stage.quiet(runtime)
    assert sum(row["direction"] == "out" for row in await stage.rows()) == 30


async def test_message_received_and_message_reply_of_one_message_are_one_turn(stage: Stage) -> None:
    gate = asyncio.Event()
    handled: list[str] = []
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        handled.append(ctx.event.name)
        await gate.wait()
        await ctx.reply(f"{ctx.text} {ctx.event.quoted_text if isinstance(ctx.event, Reply) else '-'}")

    runtime = await stage.work(bot)
    await stage.says("first")
    await stage.until(lambda: handled, "the first turn")
    await stage.says("second")

    async def taken() -> list[Row]:
        return [one for one in await stage.deliveries("message.received") if one["status"] == "SUCCESS"][1:]

    body = (await stage.until(taken, "the second delivery"))[0]["body"]
    reply = {"event": "message.reply", "data": {**body["data"], "contentReplied": "quoted", "quotedMessageId": "wamid.OLD"}}
    assert [(await stage.deliver(runtime.url, reply))[1]["status"] for _ in range(2)] == ["replaced", "dup"]
    gate.set()
    assert [row["text"] for row in await stage.sees(2)] == ["first -", "second quoted"]
    assert (await stage.deliver(runtime.url, reply))[1] == {"status": "dup"}
    await stage.quiet(runtime)
    assert handled == ["message.received", "message.reply"]


async def test_what_is_said_at_once_does_not_wait_for_the_commit(stage: Stage) -> None:
    gate = asyncio.Event()
    bot = Bot("shop")

    @bot.message()
    async def look_up(ctx: Context) -> None:
        await ctx.reply("One moment...", now=True)
        await gate.wait()
        await ctx.reply("Done.")

    runtime = await stage.work(bot)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(1)] == ["One moment..."]
    gate.set()
    assert [row["text"] for row in await stage.sees(2)] == ["One moment...", "Done."]
    await stage.quiet(runtime)


async def test_what_was_said_at_once_is_not_said_again_when_the_handler_is(stage: Stage) -> None:
    tries: list[int] = []
    bot = Bot("shop")

    @bot.message()
    async def look_up(ctx: Context) -> None:
        tries.append(1)
        await ctx.reply("One moment...", now=True)
        if len(tries) == 1:
            raise Retry
        await ctx.reply("Done.")

    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.until(lambda: runtime.counts["turn:retry"], "the first try to fail")
    await stage.sees(1)
    await stage.travel("5s")
    assert [row["text"] for row in await stage.sees(2)] == ["One moment...", "Done."]
    await stage.quiet(runtime)
    assert len(tries) == 2
    assert runtime.counts["sent:free"] == 2


async def test_a_start_between_two_deliveries_changes_nothing(stage: Stage) -> None:
    async with stage.at_work(counter()) as runtime:
        await stage.says("one")
        await stage.sees(1)
        await stage.quiet(runtime)
    async with stage.at_work(counter()) as runtime:
        assert (await stage.deliver(runtime.url, await first_delivery(stage)))[1] == {"status": "dup"}
        await stage.says("two")
        assert [row["text"] for row in await stage.sees(2)] == ["1: one", "2: two"]
        await stage.quiet(runtime)


async def test_a_start_between_two_tries_changes_nothing(stage: Stage) -> None:
    broken = Bot("counter")

    @broken.message()
    async def fail(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        await ctx.reply("not to be seen")
        raise Retry

    async with stage.at_work(broken) as runtime:
        await stage.says("one")
        await stage.until(lambda: runtime.counts["turn:retry"], "the first try to fail")
    async with stage.at_work(counter()) as runtime:
        await stage.travel("5s")
        assert [row["text"] for row in await stage.sees(1)] == ["1: one"]
        await stage.quiet(runtime)
