"""A person has the chat: the bot falls silent, keeps what is written, and has it back by a word, by time or by an operator."""

import asyncio
from datetime import UTC, datetime, timedelta

from pilotbot import (
    Action,
    Bot,
    Context,
    HandedBack,
    HandedOver,
    Handover,
    Skipped,
    Template,
    days,
    hours,
    minutes,
    words,
)
from pilotbot.contacts import canonical
from pilotbot.engine import Place
from pilotbot.engine.keys import base
from pilotbot.server.handover import giving_back, taking
from pilotbot.server.recipients import HUMAN
from pilotbot.testing import Phone, Platform
from tests.stage import ANA, Stage, wire

FOLLOW_UP = Template("follow_up")


class Pay(Action):
    """An option of a menu that is open when a person comes."""


class Shop:
    """A bot with the events that it was told of, and what it was given of the time between."""

    def __init__(self, handover: Handover | None = None) -> None:
        self.bot = bot = Bot("shop", handover=handover)
        self.over: list[HandedOver] = []
        self.back: list[HandedBack] = []
        self.kept: list[tuple[str, bool]] = []

        @bot.message(words("wholesale"))
        async def wholesale(ctx: Context) -> None:
            await ctx.follow_up(hours(1), "never", template=FOLLOW_UP)
            await ctx.handover("sales", note="wants 40 pieces", for_=hours(2))
            assert await ctx.follow_up(hours(1), "never") == Skipped(HUMAN)
            await ctx.reply("Sales will answer you.")

        @bot.tapped(Pay)
        async def pay(ctx: Context) -> None:
            await ctx.reply("Paid.")

        @bot.message(words("later"))
        async def later(ctx: Context) -> None:
            await ctx.follow_up(hours(20), "Still there?", unless_replied=False, key="later")
            await ctx.reply("What now?", options=[Pay().option("Pay")])

        @bot.message()
        async def other(ctx: Context) -> None:
            await ctx.reply(f"Bot: {ctx.text}")

        @bot.handed_over()
        async def over(ctx: Context, event: HandedOver) -> None:
            self.over.append(event)

        @bot.handed_back()
        async def back(ctx: Context, event: HandedBack) -> None:
            self.back.append(event)
            self.kept = [(each.text, each.from_me) for each in await ctx.kept_messages()]
            await ctx.reply("The bot is back.")


def texts(phone: Phone) -> list[str]:
    return [answer.text for answer in phone.answers]


async def test_a_handler_gives_the_chat_to_a_person_and_time_gives_it_back() -> None:
    shop = Shop()
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await ana.says("wholesale")
        assert texts(ana) == ["Sales will answer you."]
        assert [(event.queue, event.note, event.by) for event in shop.over] == [("sales", "wants 40 pieces", "handler")]
        await ana.says("hello?")
        await ana.says("are you there?")
        assert texts(ana) == []
        assert await pilot.bot.follow_ups(ana.address) == []
        assert await pilot.bot.follow_up(ana.address, hours(1), "x") == Skipped(HUMAN)
        await pilot.travel(hours=2)
        assert texts(ana) == ["The bot is back."]
        assert [event.by for event in shop.back] == ["time"]
        assert shop.kept == [("hello?", False), ("are you there?", False)]
        await ana.says("hi")
        assert texts(ana) == ["Bot: hi"]


async def test_a_person_answers_from_the_phone_and_the_bot_falls_silent_until_they_say_so() -> None:
    shop = Shop(Handover(words=(), back_words=("robot",), back_after=hours(1)))
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await ana.says("later")
        assert len(await pilot.bot.follow_ups(ana.address)) == 1
        await pilot.person_writes(ana, "This is Rita, I see to it myself.")
        assert [event.by for event in shop.over] == ["phone"]
        assert await pilot.bot.follow_ups(ana.address) == []
        await ana.says("thank you")
        await ana.taps("Pay")
        await ana.says("Pay")
        assert texts(ana) == []
        await pilot.travel(minutes=50)
        await pilot.person_writes(ana, "Done.")
        await pilot.travel(minutes=50)  # each message of the person prolongs it
        await ana.says("thanks")
        assert texts(ana) == []
        await ana.says("Robot!")
        assert texts(ana) == ["The bot is back."]
        assert [event.by for event in shop.back] == ["word"]
        assert shop.kept == [
            ("This is Rita, I see to it myself.", True), ("thank you", False), ("Pay", False), ("Pay", False), ("Done.", True),
            ("thanks", False),
        ]  # fmt: skip
        await ana.says("hi")
        assert texts(ana) == ["Bot: hi"]
        assert len(shop.over) == 1


async def test_a_word_asks_for_a_person_and_an_operator_gives_the_chat_back() -> None:
    shop = Shop(Handover(queue="desk", confirmation="A person will answer you."))
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await ana.says("quero falar com uma pessoa!")
        assert texts(ana) == ["A person will answer you."]
        assert [(event.queue, event.by) for event in shop.over] == [("desk", "word")]
        await ana.says("hi")
        assert texts(ana) == []
        assert not await pilot.bot.handover(ana.address, "desk", note="twice is once", for_=days(1))
        assert await pilot.bot.hand_back(ana.address)
        await pilot.rest()
        assert not await pilot.bot.hand_back(ana.address)
        assert [event.by for event in shop.back] == ["operator"]
        assert len(shop.over) == 1
        await ana.says("hi")
        assert texts(ana) == ["Bot: hi"]


async def test_an_opt_out_is_heard_while_a_person_has_the_chat() -> None:
    shop = Shop()
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await ana.says("wholesale")
        await ana.says("stop")
        assert ana.sees("Done: we will not write")
        assert isinstance(await pilot.notify(ana, "Sale!", template=FOLLOW_UP), Skipped)


async def test_crashes_change_nothing_of_it() -> None:
    shop = Shop()
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        for point in ("handler", "commit", "post"):
            pilot.crash(after=point)
            await ana.says("wholesale")
            assert len(shop.over) == 1
            await pilot.bot.hand_back(ana.address)
            await pilot.rest()
            assert len(shop.back) == 1
            shop.over.clear()
            shop.back.clear()


def echo(name: str, text: str, **data: object) -> dict[str, object]:
    """A message of ours as a webhook tells of it that a person could have written."""
    return wire(name, text, contact="+551140028922", to=ANA, fromMe=True, participantName=None, **data)


def talker() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply(f"Bot: {ctx.text}")

    return bot


async def test_its_own_echo_does_not_silence_it_whatever_it_is_known_by(stage: Stage) -> None:
    runtime = await stage.work(talker())
    await stage.says("one")
    (row,) = await stage.sees(1, settled=True)
    shown = await stage.api("GET", f"/v1/messages/{row['id']}")
    for data in (
        {"id": row["id"], "messageId": None},
        {"id": "other", "messageId": row["messageId"]},
        {"id": "another", "messageId": None, "correlationId": shown["correlationId"]},
    ):
        await stage.deliver(runtime.url, echo(str(data["id"]), row["text"], **data))
    await stage.counted(runtime, "echo:ours", 1)  # asked at the platform; the others were known at once
    await stage.says("two")
    await stage.sees(2)


async def test_its_own_echo_before_the_202_does_not_silence_it(stage: Stage) -> None:
    runtime = await stage.work(talker(), webhook=False)
    engine, chat = runtime.engine, runtime.engine.keys.chat("main", canonical(ANA))

    async def looked_at() -> bool:
        soonest = await engine._calls.command("ZRANGE", f"{base(chat.shard)}:echoes", 0, 0, "WITHSCORES")
        return bool(soonest) and float(soonest[1]) > (await engine.chat(chat)).now + 10_000

    await stage.faults(latencyMs=1500)
    await stage.deliver(runtime.url, wire("m1", "one"))
    await stage.until(runtime._sender.leases, "a post to be under way")
    await stage.deliver(runtime.url, echo("unheard-of", "Bot: one", messageId="wamid.UNHEARD"))
    await stage.until(looked_at, "the echo to be looked at, and put off")
    assert runtime._sender.leases()
    assert "human" not in (await engine.chat(chat)).fields
    await stage.faults(latencyMs=0)
    (row,) = await stage.sees(1)
    # The webhook that tells which message it was comes now, and the echo is looked at again after 30 seconds.
    data = {"numberId": "num_meta", "id": row["id"], "messageId": "wamid.UNHEARD", "to": ANA, "createdAt": row["createdAt"]}
    await stage.until(lambda: not runtime._sender.leases(), "the post to be settled")
    await stage.deliver(runtime.url, {"event": "message.sent", "data": data})
    await stage.deliver(runtime.url, {"event": "sandbox.clock", "data": {"id": "c", "offsetMs": 31_000}})
    await stage.counted(runtime, "echo:ours", 1)
    assert "human" not in (await engine.chat(chat)).fields
    await stage.deliver(runtime.url, wire("m2", "two"))
    await stage.sees(2)


async def test_its_own_echo_between_the_202_and_its_first_status_does_not_silence_it(stage: Stage) -> None:
    runtime = await stage.work(talker(), webhook=False)
    chat = runtime.engine.keys.chat("main", canonical(ANA))

    async def put_off(n: int) -> None:
        async def looked_at() -> bool:
            soonest = await runtime.engine._calls.command("ZRANGE", f"{base(chat.shard)}:echoes", 0, 0, "WITHSCORES")
            return bool(soonest) and float(soonest[1]) > (await runtime.engine.chat(chat)).now + 10_000

        await stage.deliver(runtime.url, {"event": "sandbox.clock", "data": {"id": f"c{n}", "offsetMs": n * 31_000}})
        await stage.until(looked_at, "the echo to be looked at, and put off")
        assert "human" not in (await runtime.engine.chat(chat)).fields

    await stage.deliver(runtime.url, wire("m1", "one"))
    (row,) = await stage.sees(1)
    await stage.until(lambda: not runtime._sender.leases(), "the post to be settled")
    await stage.deliver(runtime.url, echo("unheard-of", "Bot: one", messageId="wamid.UNHEARD"))
    await put_off(0)
    await put_off(1)
    data = {"numberId": "num_meta", "id": row["id"], "messageId": "wamid.UNHEARD", "to": ANA, "createdAt": row["createdAt"]}
    await stage.deliver(runtime.url, {"event": "message.sent", "data": data})
    await stage.deliver(runtime.url, {"event": "sandbox.clock", "data": {"id": "c", "offsetMs": 2 * 31_000}})
    await stage.counted(runtime, "echo:ours", 1)
    await stage.deliver(runtime.url, wire("m2", "two"))
    await stage.sees(2)


async def test_a_handler_that_a_person_overtakes_says_nothing(stage: Stage) -> None:
    bot, go_on = Bot("shop"), asyncio.Event()

    @bot.message()
    async def slow(ctx: Context) -> None:
        await go_on.wait()
        await ctx.notify("+5521998760002", "Somebody wrote.", template=FOLLOW_UP)
        await ctx.reply("Late.")

    runtime = await stage.work(bot)
    await stage.says("one")
    await stage.counted(runtime, "message.received:ok", 1)
    await stage.says("This is Rita.", fromMe=True)
    await stage.counted(runtime, "message.received:echo", 1)
    await stage.travel("31s")  # by when the platform would know of it, were it the bot's
    await stage.counted(runtime, "handover:phone:taken", 1)
    go_on.set()
    await stage.counted(runtime, "turn:hushed", 1)
    await stage.quiet(runtime)
    assert [row["text"] for row in await stage.rows() if row["direction"] == "out" and row["text"] != "This is Rita."] == []
    kept = await runtime.engine.kept(runtime.engine.keys.chat("main", canonical(ANA)))
    assert ["This is Rita." in body.decode() for body in kept] == [True, False]


async def test_what_tells_that_the_bot_has_it_back_is_not_handled_once_a_person_has_it_again() -> None:
    shop = Shop()
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await pilot.bot.handover(ana.address, "sales", for_=hours(1))
        engine = pilot._house.runtime.engine
        key = engine.keys.chat("main", canonical(ana.address))
        place = Place(key=key, number="main", kind="contact", address=ana.address)
        now = (await engine.chat(key)).now
        given, taken = giving_back(now, "operator"), taking(now, hours(1), queue="", note="", by="phone")
        await asyncio.gather(engine.handovers.back(key, given.event), engine.handovers.take(place, taken.human, taken.event))
        await ana.says("hello?")
        assert (texts(ana), shop.back) == ([], [])
        assert [event.by for event in shop.over] == ["operator", "phone"]


async def test_an_echo_that_is_repeated_or_late_does_not_take_the_chat_again() -> None:
    shop = Shop()
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await ana.says("hi")
        await pilot.person_writes(ana, "It is me.")
        await pilot.bot.hand_back(ana.address)
        await pilot.rest()
        await pilot.redeliver()
        mine = {"from": ana.address, "fromMe": True}
        earlier = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        await pilot.act("/sandbox/inbound", {**mine, "text": "Late.", "at": earlier}, screen=ana)
        await ana.says("hi")
        assert texts(ana) == ["Bot: hi"]
        assert len(shop.over) == 1
        await pilot.travel(seconds=1)
        await pilot.person_writes(ana, "Me again.")
        await ana.says("hi")
        assert texts(ana) == []
        await pilot.bot.hand_back(ana.address)
        await pilot.rest()
        long_ago = (datetime.now(UTC) - timedelta(days=2)).isoformat()
        await pilot.act("/sandbox/inbound", {**mine, "text": "History.", "at": long_ago}, screen=ana)
        await ana.says("hi")
        assert texts(ana) == ["Bot: hi"]


async def test_nothing_is_heard_of_the_phone_where_the_bot_does_not_want_that() -> None:
    shop = Shop(Handover(from_phone=False))
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone()
        await pilot.person_writes(ana, "It is me.")
        await ana.says("hi")
        assert texts(ana) == ["Bot: hi"]


async def test_a_group_has_a_person_too() -> None:
    bot = Bot("shop")

    @bot.group()
    async def other(ctx: Context) -> None:
        await ctx.reply("Bot.")

    async with Platform(bot, numbers=("evolution_v2",)) as pilot:
        ana, group = pilot.phone(), pilot.group()
        await ana.says("hi", to=group)
        assert [answer.text for answer in group.answers] == ["Bot."]
        await pilot.person_writes(group, "I am here.")
        await ana.says("hi", to=group)
        assert group.answers == []
        await pilot.travel(hours=12)
        await ana.says("hi", to=group)
        assert [answer.text for answer in group.answers] == ["Bot."]


async def test_of_a_handler_for_one_queue_only_that_one_is_called() -> None:
    bot, heard = Bot("shop"), []

    @bot.handed_over("sales")
    async def sales(ctx: Context, event: HandedOver) -> None:
        heard.append("sales")

    @bot.handed_over()
    async def others(ctx: Context, event: HandedOver) -> None:
        heard.append(event.queue)

    async with Platform(bot) as pilot:
        for queue in ("sales", "billing"):
            await pilot.bot.handover("+5511987650001", queue, for_=minutes(5))
        await pilot.rest()
    assert heard == ["sales", "billing"]
