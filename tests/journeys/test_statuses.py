"""Statuses: each advance once and in order of rank, to those who ask for them; a lost one is asked for, an early one is kept."""

import pytest

from pilotbot import Bot, Context, Message, Queued, Status, Template
from pilotbot.server import Runtime
from tests.stage import ANA, Row, Stage

RANKS = ["sent", "failed", "delivered", "read"]
NEWS = Message("Your order is packed.", template=Template("order_status", order_id="4242", status="packed"))


def told(got: list[tuple[str, str]]) -> Bot:
    """A bot that answers, and notes what becomes of its answers."""
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply(f"Hello, {ctx.text}!")

    @bot.status()
    async def note(ctx: Context, event: Status) -> None:
        got.append((event.id, event.status))

    return bot


def silent() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply(NEWS)

    return bot


async def test_a_handler_gets_each_status_once_in_order(stage: Stage) -> None:
    got: list[tuple[str, str]] = []
    runtime = await stage.work(told(got))
    await stage.says("Ana")
    (row,) = await stage.sees(1, settled=True)
    await stage.until(lambda: len(got) >= 3, "three statuses")
    await stage.quiet(runtime)
    assert got == [(row["id"], "sent"), (row["id"], "delivered"), (row["id"], "read")]


async def test_shuffled_and_doubled_they_never_go_backward_and_never_repeat(stage: Stage) -> None:
    got: list[tuple[str, str]] = []
    runtime = await stage.work(told(got))
    await stage.faults(shuffleWebhooks=True, duplicateWebhooks=True)
    for number in range(10):
        await stage.says(str(number))
    rows = await stage.sees(10, settled=True)
    await stage.quiet(runtime)
    for row in rows:
        ranks = [RANKS.index(status) for message, status in got if message == row["id"]]
        assert ranks == sorted(set(ranks))
        assert ranks[-1] == RANKS.index("read")


async def test_without_a_handler_they_enter_no_mailbox(stage: Stage) -> None:
    runtime = await stage.work(silent())
    await stage.says("hi")
    await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    assert runtime.counts["message.read:status"] == 1
    assert runtime.counts["turn:ok"] == 1


async def test_each_status_of_a_message_can_be_answered(stage: Stage) -> None:
    bot = Bot("shop")

    got: list[str] = []

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!")

    @bot.status("delivered", "read")
    async def tell(ctx: Context, event: Status) -> None:
        if len(got) < 2:
            got.append(event.status)
            await ctx.reply(f"It was {event.status}.")

    await stage.work(bot)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(3)] == ["Hello!", "It was delivered.", "It was read."]


async def test_a_status_says_nothing_of_the_contact(stage: Stage) -> None:
    """A receipt opens no window and does not count as an answer."""
    got: list[tuple[str, str]] = []
    bot = told(got)
    runtime = await stage.work(bot)
    assert await bot.notify(ANA, NEWS) == Queued("template")
    await stage.until(lambda: len(got) >= 3, "three statuses")
    assert await bot.notify(ANA, NEWS) == Queued("template")
    await stage.sees(2)
    await stage.quiet(runtime)


async def test_a_status_that_comes_before_the_answer_to_the_send_is_not_lost(stage: Stage) -> None:
    """The platform takes the message, its answer is lost, its statuses arrive; then the post is repeated."""
    got: list[tuple[str, str]] = []
    runtime = await stage.work(told(got))
    await stage.faults(acceptThenDrop={"next": 1})
    await stage.says("Ana")
    (row,) = await stage.sees(1, settled=True)
    await stage.until(lambda: runtime.counts["sent:free"], "the repeated post")
    await stage.until(lambda: len(got) >= 3, "three statuses")
    await stage.quiet(runtime)
    assert got == [(row["id"], "sent"), (row["id"], "delivered"), (row["id"], "read")]


async def test_a_refusal_that_comes_before_the_answer_to_the_send_is_decided_again(stage: Stage) -> None:
    bot = silent()
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1)
    await the_platform_alone_moves(stage, "25h")
    await stage.faults(acceptThenDrop={"next": 1})
    assert await bot.notify(ANA, NEWS) == Queued("text")
    rows = await stage.sees(3, settled=True)
    assert [(row["mode"], row["status"]) for row in rows[1:]] == [("text", "FAILED"), ("template", "READ")]
    await stage.quiet(runtime)


async def the_platform_alone_moves(stage: Stage, how_far: str) -> None:
    await stage.webhooks(active=False)
    await stage.travel(how_far)
    await stage.webhooks(active=True)


async def asked(runtime: Runtime) -> None:
    """What the upkeep does twice a minute."""
    await runtime._remote.ask_for_statuses()


@pytest.mark.parametrize("late", [False, True])
async def test_a_status_that_was_lost_is_asked_for_after_ten_minutes(stage: Stage, late: bool) -> None:
    bot = silent()
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1)
    await stage.quiet(runtime)
    if late:
        await the_platform_alone_moves(stage, "25h")
    await stage.webhooks(active=False)
    await bot.notify(ANA, NEWS)
    rows = await stage.sees(2, settled=True)
    await stage.quiet(runtime)
    await stage.webhooks(active=True)
    await asked(runtime)
    assert (await status_of(runtime, rows[1])) is None
    await stage.travel("11m")
    await asked(runtime)
    assert (await status_of(runtime, rows[1])) == ("failed" if late else "read")
    if not late:  # a tap on it is recognised by the provider's id
        assert await runtime.engine.find_record(rows[1]["messageId"]) is not None
    else:
        assert [row["mode"] for row in await stage.sees(3)] == ["text", "text", "template"]
    await stage.quiet(runtime)


async def test_a_handler_gets_what_was_asked_for(stage: Stage) -> None:
    got: list[tuple[str, str]] = []
    bot = told(got)
    runtime = await stage.work(bot)
    await stage.webhooks(active=False)
    await bot.notify(ANA, NEWS)
    (row,) = await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    await stage.webhooks(active=True)
    await stage.travel("11m")
    await asked(runtime)
    await stage.until(lambda: got, "the status that was asked for")
    assert got == [(row["id"], "read")]
    await stage.quiet(runtime)


async def status_of(runtime: Runtime, row: Row) -> str | None:
    record = await runtime.engine.find_record(row["id"])
    assert record is not None
    return record.status
