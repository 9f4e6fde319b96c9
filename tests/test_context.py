"""The context: what a handler is told of its turn, and who wrote."""

import inspect
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest

from pilotbot import Bot, Contact, Context, Number, Skipped
from pilotbot.replies import RESERVED
from tests.stage import ANA, Stage


class TestContact:
    @pytest.mark.parametrize(
        ("address", "name", "phone", "first"),
        [
            (ANA, "Ana Souza", ANA, "Ana"),
            (ANA, None, ANA, ""),
            (ANA, "   ", ANA, ""),
            (ANA, "  Ana\tMaria", ANA, "Ana"),
            ("BR.1234", "Ana", "", "Ana"),
            ("123@lid", "Ana", "", "Ana"),
        ],
    )
    def test_its_phone_and_first_name(self, address: str, name: str | None, phone: str, first: str) -> None:
        contact = Contact(address, name)
        assert (contact.phone, contact.first_name) == (phone, first)

    def test_its_repr_shows_nobody(self) -> None:
        assert "Ana" not in repr(Contact(ANA, "Ana")) + str(Contact(ANA, "Ana"))
        assert "5511" not in repr(Contact(ANA, "Ana"))


def test_the_names_that_no_value_can_have_are_the_parameters_of_the_verbs() -> None:
    verbs = (Context.reply, Context.notify, Bot.notify, Context.follow_up, Bot.follow_up)
    listed = (inspect.signature(verb).parameters.values() for verb in verbs)
    taken = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    names = {one.name for parameters in listed for one in parameters if one.kind in taken}
    assert names == RESERVED


async def test_a_handler_is_told_of_chat_contact_window_and_time(stage: Stage) -> None:
    bot = Bot("shop")
    seen: list[Context] = []

    @bot.message()
    async def handler(ctx: Context) -> None:
        seen.append(ctx)
        await ctx.reply("ok")

    await stage.work(bot)
    await stage.travel("3h")
    await stage.says("hello")
    await stage.sees(1)
    (ctx,) = seen
    assert (ctx.text, ctx.action, ctx.bot_name, ctx.our_phone) == ("hello", None, "shop", "+551140028922")
    assert (ctx.contact, ctx.chat.kind, ctx.chat.address, ctx.chat.number) == (
        Contact(ANA, "Ana Souza", language="en"),
        "contact",
        ANA,
        "main",
    )
    assert ctx.window.free
    clock = await stage.api("GET", "/sandbox/clock")
    assert ctx.now.utcoffset() == timedelta(0)
    assert timedelta(0) <= datetime.fromisoformat(clock["now"]) - ctx.now < timedelta(minutes=1)
    assert not [word for word in ("hello", "5511987650001", "Ana") if word in repr(ctx)]


async def test_what_nobody_wrote_has_no_contact_and_nobody_to_answer(stage: Stage) -> None:
    bot = Bot("shop")
    told: list[Any] = []

    @bot.number()
    async def connected(ctx: Context, event: Number) -> None:
        with pytest.raises(LookupError, match=r"number\.connected has no contact"):
            _ = ctx.contact
        told.append(await ctx.reply("hello?"))
        told.append(ctx.chat.kind)

    await stage.work(bot)
    await stage.api("POST", "/sandbox/events", {"body": {"event": "number.connected", "data": {"numberId": "num_meta"}}})
    await stage.until(lambda: len(told) == 2, "the handler to run")
    outcome, kind = told
    assert (isinstance(outcome, Skipped), kind) == (True, "number")
    assert "ctx.notify" in outcome.reason
    assert await stage.rows() == []


async def test_a_turn_logs_nothing_personal(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bot = Bot("shop")

    @bot.message()
    async def handler(ctx: Context) -> None:
        logging.getLogger("pilotbot.shop").info("a turn: %s %r", ctx, ctx.event)

    runtime = await stage.work(bot)
    await stage.says("my secret")
    await stage.until(lambda: runtime.counts["turn:ok"], "the turn")
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("pilotbot")]
    assert any("a turn" in line for line in lines)
    assert not [line for line in lines if any(word in line for word in ("my secret", "5511987650001", "Souza"))]
