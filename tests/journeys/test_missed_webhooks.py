"""What no webhook told is found in the platform's history: handled once and in order, whatever comes meanwhile and afterwards."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from redis import Redis

from pilotbot import Bot, Context, Message, Queued, Received, Reply, Template
from pilotbot.engine.embedded import RedisServer
from pilotbot.server import Runtime
from tests.stage import ANA, BRUNO, Row, Stage

NEWS = Message("Your order is packed.", template=Template("order_status", order_id="4242", status="packed"))
PICTURE = "https://media.example.com/4.jpg"
CONNECTED = {"numberId": "num_meta", "phone": "+551140028922", "displayName": "Shop", "createdAt": "2026-11-19T10:02:11.000Z"}


def teller() -> Bot:
    """A bot that says what it understood."""
    bot = Bot("shop")

    @bot.reply()
    async def quoted(ctx: Context, event: Reply) -> None:
        await ctx.reply(f"{ctx.text}, to {event.quoted_text}")

    @bot.message()
    async def any_other(ctx: Context, event: Received | Reply) -> None:
        file = f" with {event.media.kind} {event.media.url}" if event.media else ""
        await ctx.reply(f"You said {ctx.text}{file}", options=["Track", "Thanks"] if ctx.text == "menu" else None)

    return bot


async def answers(stage: Stage, count: int, contact: str = ANA) -> list[str]:
    return [row["text"] for row in await stage.sees(count, contact=contact)]


async def to_a_dead_end(stage: Stage) -> str:
    """No webhook reaches the bot any more; what would have been told is kept by one that nobody hears. Returns that one."""
    await stage.webhooks(active=False)
    hook: Row = await stage.api("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/webhook", "name": "lost", "events": ["*"]})
    return str(hook["id"])


async def told_after_all(stage: Stage, hook: str, runtime: Runtime) -> None:
    """The platform delivers what was lost: to the bot, each twice."""
    await stage.api("PATCH", f"/v1/webhooks/{hook}", {"url": f"{runtime.url}/webhook"})
    for _ in range(2):
        await stage.api("POST", "/sandbox/deliveries/resend", {})


async def happens(stage: Stage, event: str, data: Row) -> None:
    await stage.api("POST", "/sandbox/events", {"body": {"event": event, "data": data}})


async def a_conversation(stage: Stage, shown: Row) -> None:
    """Two contacts write in turns, everything that there is."""
    await stage.says("hello")
    await stage.says("uno", contact=BRUNO)
    await stage.taps("Track")
    await stage.taps("Thanks", tapAs="interactive")
    await stage.says("look", media=PICTURE, mediaType="image/jpeg")
    await stage.says("dos", contact=BRUNO)
    await stage.says("this one", quoted=shown["messageId"])
    await stage.says("the end")


ANSWERED = [
    "You said menu", "You said hello", "You said Track", "You said Thanks", f"You said look with image {PICTURE}",
    "this one, to You said menu", "You said the end",
]  # fmt: skip


@pytest.mark.parametrize("how", ["connected", "silence", "both at once"])
async def test_what_was_written_meanwhile_is_answered_once_and_in_order(stage: Stage, how: str) -> None:
    runtime = await stage.work(teller())
    await stage.says("menu")
    (shown,) = await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    lost = await to_a_dead_end(stage)
    await a_conversation(stage, shown)
    await stage.webhooks(active=True)
    if how == "silence":
        await stage.travel("6m")
        await stage.says("tres", contact=BRUNO)
    elif how == "connected":
        await happens(stage, "number.connected", CONNECTED)
    else:
        await asyncio.gather(happens(stage, "number.connected", CONNECTED), told_after_all(stage, lost, runtime))
    assert await answers(stage, len(ANSWERED)) == ANSWERED
    bruno = await answers(stage, 3 if how == "silence" else 2, BRUNO)
    assert [text for text in bruno if text != "You said tres"] == ["You said uno", "You said dos"]
    if how != "both at once":
        assert runtime.counts["caught-up"] == 8
        await told_after_all(stage, lost, runtime)
    await stage.counted(runtime, "message.received:dup", 5)
    await stage.quiet(runtime)
    assert await answers(stage, len(ANSWERED)) == ANSWERED
    assert len(await answers(stage, len(bruno), BRUNO)) == len(bruno)
    assert await runtime.engine.dead_letters() == []


async def test_what_was_written_while_the_bot_was_down_is_answered_when_it_is_back(stage: Stage, redis: Redis) -> None:
    async with stage.at_work(teller()) as runtime:
        await stage.says("menu")
        (shown,) = await stage.sees(1, settled=True)
        await stage.quiet(runtime)
        await stage.until(lambda: noted(redis), "the message to be noted")
    await stage.webhooks(active=False)
    await a_conversation(stage, shown)
    runtime = await stage.work(teller())
    assert await answers(stage, len(ANSWERED)) == ANSWERED
    assert await answers(stage, 2, BRUNO) == ["You said uno", "You said dos"]
    async with stage.http.get(f"{runtime.url}/readyz") as answer:
        assert (await answer.json())["counts"]["caught-up"] == 8


def noted(redis: Redis) -> bool:
    """Whether the time of what came is in Redis."""
    return bool(redis.hexists("{pb:0}:seen:main", "seen"))


async def test_what_the_history_hides_opens_the_window_and_runs_no_handler(stage: Stage) -> None:
    bot = teller()
    runtime = await stage.work(bot)
    await stage.says("hello")
    await stage.sees(1)
    await stage.travel("25h")
    lost = await to_a_dead_end(stage)
    await stage.says("a secret")
    await stage.faults(hiddenHistory=True)
    await stage.webhooks(active=True)
    assert await bot.notify(ANA, NEWS) == Queued("template")
    await happens(stage, "number.connected", CONNECTED)
    await stage.counted(runtime, "message.received:noted", 1)
    assert await bot.notify(ANA, NEWS) == Queued("text")
    await stage.sees(3)
    assert runtime.counts["turn:ok"] == 1
    await told_after_all(stage, lost, runtime)  # the webhook says what it was
    assert (await answers(stage, 4))[-1] == "You said a secret"


@pytest.mark.parametrize("taken", [True, False])
async def test_what_comes_a_day_late_reaches_only_those_who_take_it(stage: Stage, redis: Redis, taken: bool) -> None:
    got: list[str] = []
    bot = teller()
    if taken:

        @bot.stale()
        async def too_late(ctx: Context) -> None:
            got.append(ctx.text)

    async with stage.at_work(teller()) as first:
        await stage.says("menu")
        await stage.sees(1)
        await stage.quiet(first)
        await stage.until(lambda: noted(redis), "the message to be noted")
    await stage.webhooks(active=False)
    await stage.says("of yesterday")
    await stage.travel("25h")
    await stage.says("of today")
    runtime = await stage.work(bot)
    assert await answers(stage, 2) == ["You said menu", "You said of today"]
    await stage.counted(runtime, "caught-up", 2)
    await stage.quiet(runtime)
    assert got == (["of yesterday"] if taken else [])
    assert len(await answers(stage, 2)) == 2


async def refused(stage: Stage) -> bool:
    return bool((await stage.deliveries("message.received"))[-1]["statusCode"] == 503)


async def test_after_redis_was_away_nothing_is_missing(stage: Stage, tmp_path: Any) -> None:
    server = await RedisServer.open(url=None, data_dir=tmp_path / "own")
    runtime = await stage.work(teller(), redis_url=f"unix://{server.address.path}")
    await stage.says("hello")
    await stage.sees(1)
    await stage.quiet(runtime)
    await server.close()
    await stage.says("two")
    await stage.until(lambda: refused(stage), "the bot to refuse it")
    await stage.webhooks(active=False)  # it is never delivered again
    back = await RedisServer.open(url=None, data_dir=tmp_path / "own")
    stage._stack.push_async_callback(back.close)
    assert await answers(stage, 2) == ["You said hello", "You said two"]
    assert runtime.counts["caught-up"] == 1


async def test_a_history_that_is_refused_holds_up_nothing_and_is_read_later(stage: Stage) -> None:
    runtime = await stage.work(teller())
    await stage.says("hello")
    await stage.sees(1)
    await stage.quiet(runtime)
    await stage.webhooks(active=False)
    await stage.says("two")
    await stage.webhooks(active=True)
    await stage.faults(keyRevoked={"next": 1, "path": "/v1/messages/history"})
    await happens(stage, "number.connected", CONNECTED)
    await stage.counted(runtime, "catch-up:failed", 1)
    await stage.says("three")
    assert await answers(stage, 2) == ["You said hello", "You said three"]
    await stage.travel("61m")
    assert sorted(await answers(stage, 3)) == ["You said hello", "You said three", "You said two"]


async def test_statuses_of_an_outage_are_all_learned(stage: Stage) -> None:
    bot = teller()
    runtime = await stage.work(bot, business_per_second=1_000, business_chat_seconds=0)
    await stage.webhooks(active=False)
    contacts = [f"+55119876{number:05}" for number in range(60)]  # more than are asked for at once
    await asyncio.gather(*(bot.notify(contact, NEWS) for contact in contacts))
    rows = [(await stage.sees(1, contact=contact, settled=True))[0] for contact in contacts]
    await stage.webhooks(active=True)
    await stage.travel("11m")

    async def learned() -> Counter[str | None] | None:
        await runtime._remote.ask_for_statuses()  # the upkeep does, twice a minute
        records = [await runtime.engine.find_record(row["id"]) for row in rows]
        found = Counter(record.status if record else None for record in records)
        return found if None not in found else None

    assert await stage.until(learned, "all statuses") == {"read": 60}
    assert [await runtime.engine.unfinished(shard) for shard in range(2)] == [[], []]
