"""The bot: its wiring with other bots, and `notify` from outside and inside a turn."""

import asyncio
import doctest
from typing import Any

import pytest

import pilotbot.bot
from pilotbot import Bot, Contact, Context, Deferred, Message, Policy, Queued, Router, Skipped, Template, WiringError, words
from tests.stage import ANA, BRUNO, Stage

FOLLOW_UP = Template("follow_up")


class Prices:
    """What a shop's handlers ask for."""

    def __init__(self, of: str = "the shop") -> None:
        self.of = of


def shop() -> Bot:
    """A bot that is whole by itself."""
    bot = Bot("shop")
    bot.provide(Prices, Prices)

    @bot.message(words("price"))
    async def price(ctx: Context, prices: Prices) -> None:
        await ctx.reply(f"Prices of {prices.of}")

    return bot


def test_the_example_in_its_docstring_runs() -> None:
    found = doctest.testmod(pilotbot.bot)
    assert (found.attempted, found.failed) == (4, 0)


class TestIncluding:
    async def test_a_whole_bot_comes_with_what_it_provides(self, stage: Stage) -> None:
        outer = Bot("outer")
        outer.include(shop())
        await stage.work(outer)
        await stage.says("price?")
        assert [row["text"] for row in await stage.sees(1)] == ["Prices of the shop"]

    def test_the_same_handlers_as_a_router_miss_it_and_that_is_told_before_the_start(self) -> None:
        router = Router("shop")

        @router.message()
        async def price(ctx: Context, prices: Prices) -> None: ...

        outer = Bot("outer")
        outer.include(router)
        with pytest.raises(WiringError, match="Prices"):
            outer.build()

    async def test_the_outer_bot_may_replace_what_the_inner_one_provides(self, stage: Stage) -> None:
        outer = Bot("outer")
        outer.include(shop())
        outer.provide(Prices, lambda: Prices("tomorrow"), replace=True)
        await stage.work(outer)
        await stage.says("price?")
        assert [row["text"] for row in await stage.sees(1)] == ["Prices of tomorrow"]

    def test_without_saying_so_it_is_refused(self) -> None:
        outer = Bot("outer")
        outer.include(shop())
        with pytest.raises(ValueError, match="Prices"):
            outer.provide(Prices, Prices)

    def test_a_clash_changes_nothing(self) -> None:
        outer, inner = Bot("outer"), shop()
        outer.provide(Prices, Prices)
        with pytest.raises(ValueError, match="Prices is provided twice"):
            outer.include(inner)
        assert (outer.handlers, inner.parent) == ((), None)
        outer = Bot("another")
        outer.include(inner)
        with pytest.raises(ValueError, match=r"already included in Router\('another'\)"):
            outer.include(inner)
        assert [handler.name for handler in outer.build().handlers] == ["price"]

    @pytest.mark.parametrize(
        ("given", "theirs"), [({"which": "Qual?"}, r"'Qual\?'"), ({"more": "Outras"}, "'Outras'"), ({"opt_out": None}, "None")]
    )
    def test_what_only_one_bot_can_decide_must_be_the_same(self, given: Any, theirs: str) -> None:
        outer, inner = Bot("outer"), Bot("inner", **given)
        with pytest.raises(ValueError, match=rf"the outer bot's {next(iter(given))} holds, .*, not the {theirs} of inner"):
            outer.include(inner)
        assert inner.parent is None
        Bot("like it", **given).include(inner)

    async def test_handlers_of_the_inner_bot_come_after_those_before_it(self, stage: Stage) -> None:
        outer = Bot("outer")

        @outer.message(words("price"))
        async def first(ctx: Context) -> None:
            await ctx.reply("outer")

        outer.include(shop())
        await stage.work(outer)
        await stage.says("price?")
        assert [row["text"] for row in await stage.sees(1)] == ["outer"]


class TestNotify:
    async def test_who_may_be_written_in_any_way_and_is_one_person(self, stage: Stage) -> None:
        bot = shop()
        await stage.work(bot)
        who: list[str | Contact] = [ANA, "5511987650001", "55 (11) 98765-0001", "+551187650001", Contact(ANA, "Ana")]
        for number, one in enumerate(who):
            assert await bot.notify(one, "x", template=FOLLOW_UP, key=str(number)) == Queued("template")
        assert len(await stage.sees(5)) == 5

    @pytest.mark.parametrize("who", ["", "Ana", "12345", "+5511", "javascript:alert(1)", "+55119876500011234567"])
    async def test_what_is_no_address_is_refused_without_repeating_it(self, stage: Stage, who: str) -> None:
        bot = shop()
        await stage.work(bot, webhook=False)
        with pytest.raises(ValueError, match=r"address|phone number") as caught:
            await bot.notify(who, "x", template=FOLLOW_UP)
        assert not who or who not in str(caught.value)

    async def test_a_number_that_is_not_configured_is_refused(self, stage: Stage) -> None:
        bot = shop()
        await stage.work(bot, webhook=False)
        with pytest.raises(ValueError, match="sales"):
            await bot.notify(ANA, "x", template=FOLLOW_UP, number="sales")

    async def test_without_a_key_each_call_is_an_occasion_of_its_own(self, stage: Stage) -> None:
        bot = shop()
        await stage.work(bot)
        for _ in range(2):
            await bot.notify(ANA, "x", template=FOLLOW_UP)
        await stage.sees(2)

    @pytest.mark.parametrize("key", ["", " "])
    async def test_a_blank_key_names_nothing(self, stage: Stage, key: str) -> None:
        bot = shop()
        await stage.work(bot, webhook=False)
        with pytest.raises(ValueError, match="a key names the occasion"):
            await bot.notify(ANA, "x", template=FOLLOW_UP, key=key)

    @pytest.mark.parametrize(("closed", "expected"), [("defer", Deferred), ("skip", Skipped), ("fail", Skipped)])
    async def test_what_is_expected_follows_the_bots_policy(self, stage: Stage, closed: Any, expected: type[object]) -> None:
        bot = Bot("shop", policy=Policy(closed=closed))
        await stage.work(bot, webhook=False)
        assert isinstance(await bot.notify(ANA, "no template"), expected)

    async def test_a_message_is_rendered_with_the_contact_and_the_values(self, stage: Stage) -> None:
        bot = shop()
        await stage.work(bot)
        await stage.says("price?")
        await stage.sees(1)
        await bot.notify(ANA, Message("{{ contact.first_name }}, {{ what }} is here."), what="{{ 7*7 }}")
        assert (await stage.sees(2))[1]["text"] == "Ana, {{ 7*7 }} is here."

    async def test_in_a_handler_it_names_ctx_notify_also_in_what_the_handler_starts(self, stage: Stage) -> None:
        bot = Bot("shop")
        told: list[str] = []

        async def write() -> None:
            with pytest.raises(RuntimeError) as caught:
                await bot.notify(BRUNO, "x", template=FOLLOW_UP)
            told.append(str(caught.value))

        @bot.message()
        async def handler(ctx: Context) -> None:
            await write()
            await asyncio.create_task(write())
            await ctx.notify(BRUNO, "x", template=FOLLOW_UP)

        await stage.work(bot)
        await stage.says("hi")
        await stage.sees(1, contact=BRUNO)
        assert ["ctx.notify" in line for line in told] == [True, True]

    async def test_a_bot_that_stopped_says_how_to_run_it(self, stage: Stage) -> None:
        bot = shop()
        runtime = await stage.work(bot)
        await runtime.stop()
        with pytest.raises(RuntimeError, match=r"running\(bot, settings\)"):
            await bot.notify(ANA, "x", template=FOLLOW_UP)


class TestNotifyOfAnIncludedBot:
    async def test_it_writes_as_the_outer_one_does(self, stage: Stage) -> None:
        outer, inner = Bot("outer"), shop()
        outer.include(inner)
        await stage.work(outer)
        await stage.says("price?")
        await stage.sees(1)
        assert await inner.notify(ANA, "New prices") == Queued("text")
        _, news = await stage.sees(2)
        assert news["text"] == "New prices"

    async def test_it_is_refused_in_a_turn_of_the_outer_one(self, stage: Stage) -> None:
        outer, inner = Bot("outer"), Bot("inner")
        refused: list[str] = []

        @inner.message()
        async def tell(ctx: Context) -> None:
            with pytest.raises(RuntimeError, match=r"ctx\.notify") as error:
                await inner.notify(BRUNO, "psst")
            refused.append(str(error.value))

        outer.include(inner)
        runtime = await stage.work(outer)
        await stage.says("hi")
        await stage.quiet(runtime)
        assert len(refused) == 1
