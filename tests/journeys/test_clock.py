"""One clock for the bot and the sandbox; leases live by real time, everything else by business time; nobody else may move it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from pilotbot import Bot, Context, Message, Queued, Retry, Template, hours
from pilotbot.sandbox import Sandbox, SandboxSettings
from pilotbot.server import Runtime
from tests.stage import ANA, Row, Stage

HOUR = 3_600_000
NEWS = Message("Your order is packed.", template=Template("order_status", order_id="4242", status="packed"))


def greeter() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!")

    return bot


async def ahead(runtime: Runtime) -> float:
    """How far the bot's business time is ahead of real time, in hours."""
    view = await runtime.engine.chat(runtime.engine.keys.chat("main", "anybody"))
    return (view.now / 1000 - datetime.now(UTC).timestamp()) / 3600


async def test_what_follows_the_move_at_once_knows_of_it(stage: Stage) -> None:
    bot = greeter()
    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1)
    await stage.travel("25h")
    assert await bot.notify(ANA, NEWS) == Queued("template")
    assert (await stage.sees(2, settled=True))[-1]["status"] == "READ"


async def test_a_handler_keeps_its_lease_while_a_day_passes(stage: Stage) -> None:
    gate = asyncio.Event()
    runs: list[str] = []
    bot = Bot("shop")

    @bot.message()
    async def think(ctx: Context) -> None:
        runs.append(ctx.text)
        await gate.wait()
        await ctx.reply(NEWS)

    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.until(lambda: runs, "the handler to run")
    await stage.travel("25h")
    # Claims give back what leases ran out first, and there is nothing to claim.
    assert [await runtime.engine.claim(shard, 10) for shard in range(2)] == [[], []]
    gate.set()
    assert [row["mode"] for row in await stage.sees(1)] == ["template"]
    await stage.quiet(runtime)
    assert runs == ["hi"]
    assert runtime.counts["turn:ok"] == 1


async def test_a_wait_before_the_next_try_ends_when_the_clock_says_so(stage: Stage) -> None:
    tries: list[int] = []
    bot = Bot("shop")

    @bot.message()
    async def later(ctx: Context) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Retry(hours(3))
        await ctx.reply("Now.")

    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.until(lambda: runtime.counts["turn:retry"], "the first try")
    await stage.travel("2h")
    assert [await runtime.engine.claim(shard, 10) for shard in range(2)] == [[], []]
    assert len(tries) == 1
    await stage.travel("2h")
    await stage.sees(1)
    assert len(tries) == 2


async def test_a_bot_that_starts_later_agrees_with_the_sandbox(stage: Stage) -> None:
    async with stage.at_work(greeter()) as runtime:
        await stage.says("hi")
        await stage.sees(1)
        await stage.quiet(runtime)
    await stage.travel("25h")
    bot = greeter()
    await stage.work(bot)
    assert await bot.notify(ANA, NEWS) == Queued("template")
    assert (await stage.sees(2, settled=True))[-1]["status"] == "READ"


async def test_a_sandbox_that_starts_later_is_brought_to_the_time_of_the_bot(stage: Stage) -> None:
    async with stage.at_work(greeter()):
        await stage.travel("25h")
    async with Sandbox(SandboxSettings(port=0)) as fresh:
        runtime = await stage.work(greeter(), webhook=False, api_url=fresh.url)
        async with stage.http.get(f"{fresh.url}/sandbox/clock") as answer:
            theirs = (await answer.json())["offsetMs"] / HOUR
        assert theirs == pytest.approx(25, abs=0.01)
        assert await ahead(runtime) == pytest.approx(25, abs=0.01)


def clock(offset: int) -> Row:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"event": "sandbox.clock", "data": {"id": "clk_1", "now": now, "offsetMs": offset, "createdAt": now}}


async def test_the_sandbox_moves_it_when_it_signs(stage: Stage) -> None:
    runtime = await stage.work(greeter(), webhook=False)
    for secret, status, hours_ahead in ((None, 401, 0), ("of-somebody-else", 401, 0), ("sandbox-webhook-secret", 200, 30)):
        assert (await stage.deliver(runtime.url, clock(30 * HOUR), secret=secret))[0] == status
        assert await ahead(runtime) == pytest.approx(hours_ahead, abs=0.01)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"api_url": "https://platform.invalid"},
        {"api_key": "ps_live_1234"},
        {"numbers": [{"name": "a", "id": "1", "key": "ps_sandbox_number"}, {"name": "b", "id": "2", "key": "ps_live_1234"}]},
    ],
)
async def test_a_bot_that_does_not_talk_to_a_sandbox_lets_nobody_move_it(stage: Stage, elsewhere: dict[str, Any]) -> None:
    runtime = await stage.work(greeter(), webhook=False, **elsewhere)
    assert (await stage.deliver(runtime.url, clock(30 * HOUR)))[0] == 200
    assert await ahead(runtime) == pytest.approx(0, abs=0.01)


async def test_it_moves_forward_only(stage: Stage) -> None:
    runtime = await stage.work(greeter(), webhook=False)
    for offset in (30, 10):
        await stage.deliver(runtime.url, clock(offset * HOUR))
    assert await ahead(runtime) == pytest.approx(30, abs=0.01)
