"""What was said and what became of it: handlers of statuses get the message back, late failures do what is advised and tell the remedy."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from redis import Redis

from pilotbot import Action, Bot, Context, Message, SentMessage, Template, words
from pilotbot.events import StatusName
from pilotbot.platform import FailureFamily
from pilotbot.server import Runtime
from tests.stage import ANA, Row, Stage


class Track(Action, name="recorded_track"):
    order: str


NEWS = Message("Your order is packed.", template=Template("order_status", order_id="4242", status="packed"))
STATUSES: tuple[StatusName, ...] = ("sent", "delivered", "read", "failed")


def shop(*statuses: StatusName) -> tuple[Bot, list[SentMessage]]:
    """A bot that answers, and keeps what the handlers of these statuses are given."""
    bot, got = Bot("shop"), list[SentMessage]()

    @bot.received(words("order"))
    async def order(ctx: Context) -> None:
        assert ctx.message is None
        await ctx.reply("Order 4242 is packed.", options=[Track(order="4242").option("Track it"), "Talk to a person"])

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!")

    if statuses:

        @bot.status(*statuses)
        async def note(ctx: Context) -> None:
            assert ctx.message is not None
            got.append(ctx.message)

    return bot, got


async def test_a_handler_gets_back_what_was_said_with_the_typed_options(stage: Stage) -> None:
    bot, got = shop("read")
    await stage.work(bot)
    inbound = await stage.says("order")
    (row,) = await stage.sees(1, settled=True)
    await stage.until(lambda: got, "the receipt")
    (message,) = got
    assert (message.id, message.mode, message.template, message.cause) == (row["id"], "buttons", None, inbound["id"])
    assert message.text == "Order 4242 is packed."
    assert [(option.label, option.action) for option in message.options] == [("Track it", Track(order="4242")), ("Talk to a person", None)]
    assert list(message.statuses) == ["accepted", "sent", "delivered", "read"]
    assert message.statuses["read"] == datetime.fromisoformat(row["readAt"])
    assert (message.status, message.error_code, message.failure, message.remedy) == ("read", None, None, None)
    assert "4242" not in repr(message)


async def test_of_a_template_the_name_and_its_variables(stage: Stage) -> None:
    bot, got = shop("delivered")
    await stage.work(bot)
    await bot.notify(ANA, NEWS)
    await stage.until(lambda: got, "the receipt")
    assert (got[0].mode, got[0].template, got[0].text, got[0].cause) == ("template", "order_status", None, None)
    assert got[0].variables == {"order_id": "4242", "status": "packed"}


async def test_a_template_that_fails_tells_the_remedy(stage: Stage) -> None:
    bot, got = shop("failed")
    runtime = await stage.work(bot)
    await stage.api(
        "PUT", "/v1/templates/order_status", {"body": "Order {{order_id}} is {{status}}!", "examples": {"order_id": "1", "status": "x"}}
    )  # it waits for approval, and the version before is gone
    await bot.notify(ANA, NEWS)
    await stage.until(lambda: got, "the failure")
    (message,) = got
    assert (message.error_code, message.failure) == ("META_TEMPLATE_NOT_APPROVED", FailureFamily.PERMANENT)
    assert message.meaning == "The template was not approved when it was to be sent."
    assert message.remedy == "Get the template approved, then send again."
    assert message.template == "order_status"
    await stage.sees(1, settled=True)  # and is not sent again
    await stage.quiet(runtime)


@pytest.mark.parametrize("statuses", [(), STATUSES])
async def test_what_nobody_handles_is_not_kept(stage: Stage, redis: Redis, statuses: tuple[StatusName, ...]) -> None:
    bot, _ = shop(*statuses)
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    assert len(redis.keys("*:record:*")) == 1
    assert len(redis.keys("*:content:*")) == bool(statuses)


async def unseen(stage: Stage, act: Callable[[], Awaitable[object]], sees: int) -> Row:
    """Have the bot send while no webhook tells of it. Returns the message."""
    await stage.webhooks(active=False)
    await act()
    rows = await stage.sees(sees, settled=True)
    await stage.webhooks(active=True)
    return rows[-1]


async def fails(stage: Stage, runtime: Runtime, row: Row, code: str) -> None:
    data = {"id": row["id"], "numberId": "num_meta", "to": ANA, "fromMe": True, "error": "no", "errorCode": code}
    assert (await stage.deliver(runtime.url, {"event": "message.failed", "data": data}))[0] == 200


async def test_a_refusal_that_arrives_after_the_contact_wrote_again_does_not_shut_the_window(stage: Stage) -> None:
    bot, _ = shop()
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    await stage.webhooks(active=False)
    await stage.travel("25h")  # the platform alone: for the bot the window is open still
    refused = await unseen(stage, lambda: bot.notify(ANA, NEWS), 2)
    assert (refused["mode"], refused["errorCode"]) == ("text", "META_OUTSIDE_24H_WINDOW")
    await stage.says("hi again")
    await stage.sees(3, settled=True)
    await fails(stage, runtime, refused, "META_OUTSIDE_24H_WINDOW")
    await fails(stage, runtime, refused, "META_OUTSIDE_24H_WINDOW")
    rows = await stage.sees(4, settled=True)
    assert [(row["text"], row["mode"], row["status"]) for row in rows[2:]] == [
        ("Hello!", "text", "READ"), ("Your order is packed.", "text", "READ")
    ]  # fmt: skip
    await stage.quiet(runtime)
    record = await runtime.engine.find_record(refused["id"])
    assert record is not None
    assert record.chat is not None
    assert "shut" not in (await runtime.engine.chat(record.chat)).fields


async def test_what_was_never_tried_is_sent_again_and_what_came_too_fast_later(stage: Stage) -> None:
    bot, _ = shop()
    runtime = await stage.work(bot)
    lost = await unseen(stage, lambda: bot.notify(ANA, NEWS), 1)
    await fails(stage, runtime, lost, "NEVER_ATTEMPTED_MAX_AGE_EXCEEDED")
    await stage.sees(2, settled=True)
    throttled = await unseen(stage, lambda: bot.notify(ANA, NEWS), 3)
    await fails(stage, runtime, throttled, "META_RATE_LIMITED")
    assert runtime.counts["again:throttled"] == 1
    await stage.travel("5s")
    await stage.sees(3)
    await stage.travel("10s")
    rows = await stage.sees(4, settled=True)
    assert {row["template"] for row in rows} == {"order_status"}
    await fails(stage, runtime, rows[-1], "META_RATE_LIMITED")  # once
    await stage.travel("1h")
    await stage.quiet(runtime)
    await stage.sees(4)


async def test_what_the_contact_may_have_is_not_sent_again(stage: Stage) -> None:
    bot, _ = shop()
    runtime = await stage.work(bot)
    for number, code in enumerate(("DELIVERED_NOT_CONFIRMED", "DELIVERY_TIMEOUT", "EXPIRED_AFTER_ATTEMPTS"), 1):
        await fails(stage, runtime, await unseen(stage, lambda: bot.notify(ANA, NEWS), number), code)
    await stage.travel("1h")
    await stage.quiet(runtime)
    await stage.sees(3)


async def test_the_times_and_the_cost_are_learned_where_a_status_is_asked_for(stage: Stage) -> None:
    bot, got = shop("read")
    runtime = await stage.work(bot)
    row = await unseen(stage, lambda: bot.notify(ANA, NEWS), 1)
    await stage.travel("11m")
    await runtime._remote.ask_for_statuses()  # the upkeep does, twice a minute
    await stage.until(lambda: got, "the receipt")
    assert got[0].cost == "utility"
    assert {name: at for name, at in got[0].statuses.items() if name != "accepted"} == {
        name: datetime.fromisoformat(row[f"{name}At"]).astimezone(UTC) for name in ("sent", "delivered", "read")
    }
