"""The kit against bots that do another thing than the test expects: each is a failure that names it."""

import asyncio

import pytest

from pilotbot import Bot, Context, words
from pilotbot.testing import Expected, Platform
from tests.testing.test_platform import ANA, shop


async def test_an_answer_that_is_missing() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("hello")
        assert repr(ana.sees("Hello")) == "not seen: the bot answered nothing"
        assert "did not come" in repr(ana.sees_only("Hello"))


async def test_an_answer_too_many() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("two")
        assert ana.sees("first")
        assert not ana.sees_only("first")
        assert "an answer that nothing expects: text “second”" in repr(ana.sees_only("first"))


async def test_answers_in_another_order() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("two")
        assert ana.sees("first", "second")
        assert "another order" in repr(ana.sees("second", "first"))
        assert "another order" in repr(ana.sees_only("second", "first"))


async def test_an_answer_in_another_mode() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("order")
        assert "should go as template, but went as buttons" in repr(ana.sees("Order 1", mode="template"))
        assert "should go as template, but went as buttons" in repr(ana.sees_only(Expected(text="Order 1*", mode="template")))


async def test_other_options() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("order")
        assert "[Later]" in repr(ana.sees("Order 1", options=["Thanks", "Later"]))


async def test_a_handler_that_fails_fails_the_test_unless_that_is_looked_at() -> None:
    with pytest.raises(AssertionError, match="the shop is on fire") as caught:
        async with Platform(shop()) as pilot:
            await pilot.phone(ANA).says("boom")
    assert "dead_letters" in str(caught.value)
    async with Platform(shop()) as pilot:
        await pilot.phone(ANA).says("boom")
        [letter] = await pilot.dead_letters()
        assert letter.reason == "ValueError"


async def test_a_crash_that_never_came() -> None:
    async def test() -> None:
        async with Platform(shop()) as pilot:
            pilot.crash(after="post")
            await pilot.phone(ANA).says("nobody answers this")

    with pytest.raises(AssertionError, match=r"crash\(after='post'\) was asked for"):
        await test()
    async with Platform(shop()) as pilot:
        with pytest.raises(ValueError, match="accept, claim"):
            pilot.crash(after="lunch")  # type: ignore[arg-type]


class Stub(BaseException):
    """What `pytest.fail` in a stub raises is no Exception either."""


@pytest.mark.parametrize("error", [Stub("not asked for"), SystemExit(3)])
async def test_whatever_a_handler_raises_is_told_and_the_chat_goes_on(error: BaseException) -> None:
    bot = Bot("odd")

    @bot.message(words("odd"))
    async def odd(ctx: Context) -> None:
        raise error

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply("fine")

    async with Platform(bot, patience=5) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("odd")
        await ana.says("hi")
        assert ana.sees_only("fine")
        [letter] = await pilot.dead_letters()
        assert letter.reason == type(error).__name__


async def test_a_handler_that_hangs_is_told_within_the_patience() -> None:
    bot, gate = Bot("slow"), asyncio.Event()

    @bot.message()
    async def hang(ctx: Context) -> None:
        await gate.wait()

    async with Platform(bot, patience=0.3) as pilot:
        with pytest.raises(AssertionError, match=r"still busy after 0\.3 s, in .*hang"):
            await pilot.phone(ANA).says("hello")
        gate.set()
        await pilot.rest()


async def test_the_error_shows_the_chat_and_who_took_it() -> None:
    async def test() -> None:
        async with Platform(shop()) as pilot:
            ana = pilot.phone(ANA, name="Ana")
            await ana.says("menu")
            assert ana.sees("Order")

    with pytest.raises(AssertionError) as caught:
        await test()
    [told] = caught.value.__notes__
    assert "Ana         menu" in told
    assert "-> menu  (" in told
    assert "not order  (" in told
    assert "[buttons] Choose:  [Apple]  [Pear]" in told
