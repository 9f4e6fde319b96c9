"""Follow-ups: once, in the mode of their moment, and never after the contact's reply was accepted."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pilotbot import Bot, Context, FollowUp, Message, Planned, Skipped, Template, days, hours, minutes, seconds, words
from pilotbot.testing import Platform
from tests.stage import ANA, Stage, wire

FOLLOW_UP = Template("follow_up")


def shop() -> Bot:
    """A bot that asks later whether it arrived."""
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        await ctx.reply("It is on its way.")
        await ctx.follow_up(hours(20), "Did it arrive?", unless_replied=True)

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")

    return bot


async def test_it_comes_when_it_is_due_and_once() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await pilot.travel(hours=19, minutes=59)
        assert [answer.text for answer in ana.screen] == ["It is on its way."]
        await pilot.travel(minutes=2)
        assert ana.sees("Did it arrive?")
        await pilot.travel(hours=30)
        assert [answer.text for answer in ana.screen] == ["It is on its way.", "Did it arrive?"]


async def test_a_reply_disarms_it() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await pilot.travel(hours=10)
        await ana.says("thanks")
        await pilot.travel(hours=30)
        assert [answer.text for answer in ana.screen] == ["It is on its way.", "You said thanks"]
        assert await pilot.bot.follow_ups(ana.address) == []


async def test_what_waits_for_nothing_goes_though_the_contact_wrote() -> None:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        await ctx.follow_up(hours(2), "How is it?")

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply("hm")

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await ana.says("hello")
        await pilot.travel(hours=3)
        assert ana.sees("How is it?")


async def test_the_mode_is_that_of_its_moment() -> None:
    bot = Bot("shop")

    @bot.message()
    async def order(ctx: Context) -> None:
        await ctx.follow_up(days(2), "How is it?", template=FOLLOW_UP, key="care")
        await ctx.follow_up(days(2), "Nothing to say a stranger", unless_replied=True, key="never")

    async with Platform(bot, numbers={"main": "meta", "other": "evolution_v2"}) as pilot:
        ana, bia = pilot.phone(), pilot.phone(number="other")
        await ana.says("order")
        await bia.says("order")
        await pilot.travel(days=3)
        assert [answer.mode for answer in ana.answers] == ["template"]
        assert sorted(answer.text for answer in bia.answers) == ["How is it?", "Nothing to say a stranger"]


async def test_a_key_replaces_and_cancels_and_all_is_listed() -> None:
    bot = Bot("shop")
    seen: list[list[FollowUp]] = []

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        made = await ctx.follow_up(hours(2), "first", key="arrived")
        assert isinstance(made, Planned)
        assert (made.key, made.at) == ("arrived", ctx.now + timedelta(hours=2))
        await ctx.follow_up(hours(3), "second", key="arrived")
        await ctx.follow_up(hours(1), "other")
        seen.append(await ctx.follow_ups())

    @bot.message(words("list"))
    async def listed(ctx: Context) -> None:
        seen.append(await ctx.follow_ups())
        assert not await ctx.cancel_follow_up("unknown")
        assert await ctx.cancel_follow_up("arrived")
        seen.append(await ctx.follow_ups())

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await ana.says("list")
        assert [[each.text for each in found] for found in seen] == [["other", "second"], ["other", "second"], ["other"]]
        await pilot.travel(hours=4)
        assert ana.sees("other")


async def test_from_outside_a_turn_too() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        at = datetime.now(UTC) + timedelta(days=1)
        first = await pilot.bot.follow_up(ana.address, days(9), "never", key="care")
        second = await pilot.bot.follow_up(ana.address, at, "How is it?", template=FOLLOW_UP, key="care")
        assert isinstance(first, Planned)
        assert isinstance(second, Planned)
        assert abs(second.at - at) < timedelta(seconds=1)
        await pilot.bot.follow_up(ana.address, days(1), "ended", template=FOLLOW_UP, key="ended")
        assert [each.key for each in await pilot.bot.follow_ups(ana.address)] == ["care", "ended"]
        assert await pilot.bot.cancel_follow_up(ana.address, "ended")
        assert not await pilot.bot.cancel_follow_up(ana.address, "ended")
        await pilot.travel(days=10)
        assert ana.sees(mode="template")


async def test_before_the_window_closes_and_moved_with_it() -> None:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        await ctx.follow_up("Still there?", before_window_closes=minutes(30))

    @bot.message()
    async def other(ctx: Context) -> None:
        pass

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await pilot.travel(hours=10)
        await ana.says("hello")
        await pilot.travel(hours=23, minutes=20)
        assert ana.screen == []
        await pilot.travel(minutes=10)
        assert ana.sees("Still there?", mode="text")
        stranger = await pilot.bot.follow_up("+5511987650999", "Hm", before_window_closes=minutes(30))
        assert isinstance(stranger, Skipped)


@pytest.mark.parametrize(("if_late", "expected"), [("run", ["a", "b", "c"]), ("skip", []), ("coalesce", ["c"])])
async def test_what_came_due_while_the_bot_stood_still(if_late: str, expected: list[str]) -> None:
    bot = Bot("shop")

    @bot.message()
    async def order(ctx: Context) -> None:
        for after, text in ((1, "a"), (3, "c"), (2, "b")):
            await ctx.follow_up(hours(after), text, if_late=if_late)  # type: ignore[call-overload]

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await pilot.travel(hours=10)
        assert [answer.text for answer in ana.answers] == expected


async def test_fifty_at_most_and_then_it_is_said() -> None:
    bot = Bot("shop")
    outcomes: list[Planned | Skipped] = []

    @bot.message()
    async def order(ctx: Context) -> None:
        outcomes.extend([await ctx.follow_up(hours(1), f"{n}", key=f"k{n}") for n in range(30)])

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await ana.says("order")
        assert all(isinstance(one, Planned) for one in outcomes)
        assert len(await pilot.bot.follow_ups(ana.address)) == 30
        outside = [await pilot.bot.follow_up(ana.address, days(1), "x") for _ in range(21)]
        assert [isinstance(one, Skipped) for one in outside] == [False] * 20 + [True]
        assert await pilot.bot.cancel_follow_ups(ana.address) == 50


@pytest.mark.parametrize("point", ["commit", "handler", "post", "record"])
async def test_a_crash_doubles_none_and_loses_none(point: str) -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        pilot.crash(after=point)  # type: ignore[arg-type]
        await ana.says("order")
        await pilot.restart()
        await pilot.travel(hours=21)
        assert [answer.text for answer in ana.screen] == ["It is on its way.", "Did it arrive?"]


async def test_its_options_are_known_by_their_labels() -> None:
    bot = Bot("shop")

    @bot.message(words("yes"))
    async def yes(ctx: Context) -> None:
        await ctx.reply("Good.")

    @bot.message()
    async def order(ctx: Context) -> None:
        await ctx.follow_up(hours(1), Message("Did it arrive?", options=["Yes", "No"]), unless_replied=True)

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await pilot.travel(hours=2)
        await ana.says("1")
        assert ana.sees("Good.")


async def test_what_makes_no_sense_is_refused() -> None:
    bot = Bot("shop")
    told: list[str] = []

    @bot.message()
    async def order(ctx: Context) -> None:
        for wrong in (
            lambda: ctx.follow_up(hours(-1), "x"),
            lambda: ctx.follow_up(days(400), "x"),
            lambda: ctx.follow_up(datetime(2030, 1, 1), "x"),  # noqa: DTZ001
            lambda: ctx.follow_up(datetime(2001, 1, 1, tzinfo=UTC), "x"),
            lambda: ctx.follow_up(hours(1), "x", if_late=""),  # type: ignore[call-overload]
            lambda: ctx.opt_out(b"x"),  # type: ignore[arg-type]
            lambda: ctx.follow_up("x", before_window_closes=hours(30)),
            lambda: ctx.follow_up("x"),  # type: ignore[call-overload]
            lambda: ctx.follow_up(seconds(1), "x", key=" "),
            lambda: pilot.bot.follow_up(ctx.contact, seconds(1), "x"),
        ):
            with pytest.raises((TypeError, ValueError, RuntimeError)) as error:
                await wrong()
            told.append(str(error.value))

    async with Platform(bot) as pilot:
        await pilot.phone().says("order")
    parts = [
        "not negative",
        "within a year",
        "time zone",
        "is past",
        "no policy",
        "evidence is",
        "24 hours",
        "give follow_up a moment",
        "a key names",
        "use ctx.follow_up",
    ]
    for part, text in zip(parts, told, strict=True):
        assert part in text


async def test_a_reply_is_accepted_once_the_follow_up_under_way_is_settled(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was posted in the very moment in which the contact wrote: until it is known, their webhook is to be delivered again."""
    monkeypatch.setattr("pilotbot.server.intake.PATIENCE", 0.05)
    bot = shop()
    runtime = await stage.work(bot)
    await stage.says("hello")
    await stage.sees(1)
    held = asyncio.Event()
    arrived = asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await held.wait()

    assert stage.sandbox._parts is not None
    monkeypatch.setattr(stage.sandbox._parts.faults, "wait", hold)
    await bot.follow_up(ANA, seconds(0), "Did it arrive?", unless_replied=True)
    await arrived.wait()
    body = wire("reply", "yes")
    for _ in range(2):
        status, answer, headers = await stage.deliver(runtime.url, body)
        assert (status, answer["code"], headers["Retry-After"]) == (503, "UNDER_WAY", "1")
    held.set()
    assert [row["text"] for row in await stage.sees(3)] == ["You said hello", "Did it arrive?", "You said yes"]
    status, answer, _ = await stage.deliver(runtime.url, body)
    assert (status, answer["status"]) == (200, "dup")
    assert await runtime.engine.dead_letters() == []
