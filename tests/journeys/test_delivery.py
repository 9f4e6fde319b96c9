"""What the platform is asked to heed: times, labels, read marks; and messages taken back in time, or too late."""

from datetime import UTC, datetime

import pytest

from pilotbot import Bot, Context, Deferred, Delivery, Outcome, Queued, Template, hours, minutes
from tests.stage import ANA, Row, Stage


def greeter() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!", delivery=Delivery(mark_read=ctx.text != "quietly", labels=["lead", "red"]))

    return bot


async def inbound(stage: Stage) -> Row:
    return [row for row in await stage.rows(ANA) if row["direction"] == "in"][-1]


def name_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Queued | Deferred)
    return outcome.id


async def now(stage: Stage) -> datetime:
    return datetime.fromisoformat((await stage.api("GET", "/sandbox/clock"))["now"])


async def scheduled(stage: Stage, count: int) -> list[Row]:
    """The messages that wait at the platform, once there are so many."""

    async def there() -> list[Row] | None:
        rows = [row for row in await stage.rows(ANA) if row["deliverAt"]]
        return rows if len(rows) == count else None

    found: list[Row] = await stage.until(there, f"{count} messages to wait at the platform")
    return found


async def test_labels_and_read_marks_are_asked_for(stage: Stage) -> None:
    await stage.work(greeter())
    await stage.says("quietly")
    (row,) = await stage.sees(1, settled=True)
    assert row["labels"] == ["lead", "red"]
    assert (await inbound(stage))["status"] != "READ"
    await stage.says("hi")
    await stage.sees(2, settled=True)
    assert (await inbound(stage))["status"] == "READ"


async def test_what_is_to_be_delivered_later_is_given_to_the_platform_shortly_before_as_the_window_of_then_allows(stage: Stage) -> None:
    bot = greeter()
    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    for ahead, template, expected in ((2, None, Queued("text")), (25, Template("follow_up"), Queued("template")), (25, None, Deferred())):
        outcome = await bot.notify(ANA, "Now?", template=template, delivery=Delivery(at=await now(stage) + hours(ahead)))
        assert type(outcome) is type(expected)
        assert not isinstance(outcome, Queued) or outcome == expected
    assert len(await stage.sees(1)) == 1
    await stage.travel("7170s")
    assert [(row["mode"], row["status"]) for row in await scheduled(stage, 1)] == [("text", "QUEUED")]
    await stage.travel("23h")
    assert [(row["mode"], row["status"]) for row in (await scheduled(stage, 2))[1:]] == [("template", "QUEUED")]
    await stage.travel("2m")
    assert [row["status"] for row in await stage.sees(3, settled=True)] == ["READ"] * 3


async def test_it_is_cancelled_at_the_platform_in_time_and_not_later(stage: Stage) -> None:
    bot = greeter()
    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    at = await now(stage) + hours(1)
    first, second, third = [await bot.notify(ANA, text, delivery=Delivery(at=at)) for text in ("one", "two", "three")]
    assert await bot.cancel(name_of(third))
    await stage.travel("3570s")
    await scheduled(stage, 2)
    for _ in range(2):  # asked again, it says the same
        assert await bot.cancel(name_of(first))
    await stage.travel("2m")
    rows = await stage.sees(3)
    await stage.until(lambda: _is(stage, 2, "READ"), "the other one to be read")
    assert {row["text"]: row["status"] for row in await stage.sees(3)} == {"Hello!": "READ", "one": "CANCELED", "two": "READ"}
    assert not await bot.cancel(name_of(second))
    assert len(rows) == 3


async def _is(stage: Stage, which: int, status: str) -> bool:
    return bool((await stage.sees(3))[which]["status"] == status)


async def test_what_waits_for_the_window_is_taken_back_and_what_was_sent_is_not(stage: Stage) -> None:
    bot = greeter()
    runtime = await stage.work(bot)
    held = await bot.notify(ANA, "news")
    await stage.quiet(runtime)
    assert await bot.cancel(name_of(held))
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(1, settled=True)] == ["Hello!"]
    sent = await bot.notify(ANA, "more news")
    await stage.sees(2, settled=True)
    assert not await bot.cancel(name_of(sent))


async def test_a_handler_takes_back_what_it_said_now_and_before(stage: Stage) -> None:
    bot, said = Bot("shop"), list[str]()

    @bot.message()
    async def greet(ctx: Context) -> None:
        if ctx.text == "later":
            said.append(name_of(await ctx.reply("In an hour.", delivery=Delivery(at=ctx.now + hours(1)))))
        else:
            told = await ctx.reply("A slip of the tongue.")
            assert await ctx.cancel(name_of(told))
            assert await ctx.cancel(said[0])
            await ctx.reply("Never mind.")

    await stage.work(bot)
    await stage.says("later")
    await stage.until(lambda: said, "the answer of then to be staged")
    await stage.says("no")
    await stage.sees(1)
    await stage.travel("2h")
    await stage.says("later")
    await stage.until(lambda: len(said) > 1, "the other answer of then")
    await stage.travel("3570s")
    assert [row["text"] for row in await stage.sees(2)] == ["Never mind.", "In an hour."]


@pytest.mark.parametrize("forgotten", [False, True])
async def test_what_is_to_be_delivered_later_is_not_where_the_contact_says_so(stage: Stage, forgotten: bool) -> None:
    bot = greeter()
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    assert isinstance(await bot.notify(ANA, "News!", delivery=Delivery(at=await now(stage) + hours(10))), Queued)
    if forgotten:
        await bot.forget(ANA)
    else:
        await stage.says("stop")
        await stage.sees(2, settled=True)
    await stage.travel("11h")
    await stage.quiet(runtime)
    assert "News!" not in [row["text"] for row in await stage.rows(ANA)]


@pytest.mark.parametrize("name", ["", "x", "0123456789abcdef-", "0123456789abcdef-00-x", "0123456789abcdef-00-999"])
async def test_what_is_no_id_is_refused(stage: Stage, name: str) -> None:
    bot = greeter()
    await stage.work(bot)
    with pytest.raises(ValueError, match="is no message"):
        await bot.cancel(name)


async def test_a_follow_up_says_itself_when_it_goes(stage: Stage) -> None:
    bot = greeter()
    await stage.work(bot)
    with pytest.raises(ValueError, match="leave Delivery"):
        await bot.follow_up(ANA, minutes(5), "Still there?", delivery=Delivery(at=datetime.now(UTC) + hours(1)))


async def test_typing_is_shown_where_that_is_asked_for_and_its_failures_are_nobodys(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.typing()
        await ctx.reply("Hello!")

    await stage.faults(http500={"next": 1, "path": "/v1/messages/typing"})
    async with stage.at_work(bot):  # off
        await stage.says("hi")
        await stage.sees(1)
        assert (await stage.api("GET", "/sandbox/faults"))["http500"] == {"next": 1, "path": "/v1/messages/typing"}
    await stage.work(bot, typing=True)
    await stage.says("hi")
    await stage.sees(2)
    assert (await stage.api("GET", "/sandbox/faults"))["http500"] in (0, 0.0, False, {"next": 0, "path": "/v1/messages/typing"})
