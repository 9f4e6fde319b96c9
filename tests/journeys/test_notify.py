"""Notify: once a key, in any number of processes; inside a turn it belongs to the turn."""

import asyncio

import pytest

from pilotbot import Bot, Context, Message, Queued, Retry, Skipped, Template
from tests.stage import ANA, BRUNO, Stage

SHIPPED = Message("Order 4242 is on its way.", template=Template("order_status", order_id="4242", status="on its way"))


async def test_a_key_is_sent_once(stage: Stage) -> None:
    bot = Bot("shop")
    runtime = await stage.work(bot)
    assert await bot.notify(ANA, SHIPPED, key="shipped-4242") == Queued("template")
    assert isinstance(await bot.notify(ANA, SHIPPED, key="shipped-4242"), Skipped)
    await stage.travel("20d")
    assert isinstance(await bot.notify(ANA, SHIPPED, key="shipped-4242"), Skipped)
    await bot.notify(ANA, SHIPPED, key="shipped-4312")
    await bot.notify(ANA, SHIPPED)
    await bot.notify(ANA, SHIPPED)
    await stage.sees(4)
    await stage.quiet(runtime)
    await stage.sees(4)


async def test_a_key_is_sent_once_whoever_says_it(stage: Stage) -> None:
    bots = [Bot("first"), Bot("second")]
    runtimes = [await stage.work(bot, webhook=False) for bot in bots]
    outcomes = await asyncio.gather(*(bot.notify(ANA, SHIPPED, key="shipped-4242") for bot in bots * 5))
    assert sum(isinstance(outcome, Queued) for outcome in outcomes) == 1
    await stage.sees(1, settled=True)
    await stage.quiet(*runtimes)
    await stage.sees(1)


async def test_a_notice_of_several_messages_is_whole_and_once(stage: Stage) -> None:
    bot = Bot("shop")
    runtime = await stage.work(bot, api_key="ps_sandbox_evolution", number_kind="evolution_v2", webhook=False)
    long = "a" * 4000 + " " + "b" * 4000
    await bot.notify(ANA, long, key="long")
    assert isinstance(await bot.notify(ANA, long + " " + "c" * 4000, key="long"), Skipped)
    assert [row["text"][0] for row in await stage.sees(2)] == ["a", "b"]
    await stage.quiet(runtime)
    await stage.sees(2)


async def test_inside_a_turn_it_is_refused_and_says_what_to_use(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message()
    async def tell(ctx: Context) -> None:
        with pytest.raises(RuntimeError, match=r"ctx\.notify"):
            await bot.notify(BRUNO, SHIPPED)
        await ctx.reply("Refused.")

    await stage.work(bot)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(1)] == ["Refused."]
    assert await stage.rows(BRUNO) == []


async def test_a_bot_that_is_not_running_says_how_to_run_it() -> None:
    with pytest.raises(RuntimeError, match="running"):
        await Bot("shop").notify(ANA, SHIPPED)


def relaying(fails: int) -> Bot:
    bot, tries = Bot("shop"), []

    @bot.message()
    async def tell(ctx: Context) -> None:
        tries.append(1)
        assert await ctx.notify(BRUNO, SHIPPED) == Queued("template")
        assert await ctx.notify(BRUNO, SHIPPED) == Queued("template")
        await ctx.reply("Told.")
        if len(tries) <= fails:
            raise Retry

    return bot


async def test_a_message_to_another_chat_goes_with_the_commit(stage: Stage) -> None:
    runtime = await stage.work(relaying(fails=0))
    await stage.says("hi")
    assert [row["mode"] for row in await stage.sees(2, contact=BRUNO)] == ["template", "template"]
    await stage.sees(1)
    await stage.quiet(runtime)


async def test_it_does_not_go_while_the_handler_fails_and_goes_once_when_it_succeeds(stage: Stage) -> None:
    runtime = await stage.work(relaying(fails=2))
    await stage.says("hi")
    for tries in (1, 2):
        await stage.counted(runtime, "turn:retry", tries)
        assert [row for row in await stage.rows() if row["direction"] == "out"] == []
        await stage.travel("1m")
    await stage.sees(2, contact=BRUNO)
    await stage.sees(1)
    await stage.quiet(runtime)
    await stage.sees(2, contact=BRUNO)


async def test_a_notice_that_a_lost_process_left_behind_is_relayed_by_another(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = relaying(fails=0)
    runtime = await stage.work(bot)

    async def never(*_: object) -> None:
        """The process is lost between the commit and the relay."""

    with monkeypatch.context() as patch:
        patch.setattr(runtime.engine, "relay", never)
        await stage.says("hi")
        await stage.sees(1)
    assert await stage.rows(BRUNO) == []
    await stage.travel("10s")
    await runtime._relay_leftovers()
    await stage.sees(2, contact=BRUNO)
    await stage.quiet(runtime)
