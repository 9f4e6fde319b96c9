"""In order: the events of one chat are handled one at a time, in order, whatever the number of processes."""

import asyncio
import contextlib
import importlib.util
import os
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from pilotbot import Bot, Context
from tests.stage import ANA, BRUNO, Row, Stage, wire

COUNTER = Path(__file__).parents[1] / "bots" / "counter.py"
MANY = 50


def counter() -> Bot:
    spec = importlib.util.spec_from_file_location("counter_bot", COUNTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Bot = module.bot
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.asynccontextmanager
async def process(stage: Stage, redis_url: str) -> AsyncIterator[str]:
    """The counting bot as a process of its own. Yields the address that it listens on."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = {
        "API_URL": stage.sandbox.url, "API_KEY": "ps_sandbox_evolution", "NUMBER_KIND": "evolution_v2", "REDIS_URL": redis_url,
        "WEBHOOK_SECRET": "sandbox-webhook-secret", "SHARDS": "2",
    }  # fmt: skip
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pilotbot", "run", str(COUNTER), "--port", str(port),
        env={**os.environ, **{f"PILOTBOT_{name}": value for name, value in settings.items()}},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip

    async def ready() -> bool:
        assert started.returncode is None, "the bot's process ended"
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with stage.http.get(f"{url}/readyz") as answer:
                return answer.status == 200
        return False

    try:
        await stage.until(ready, "the bot's process to be ready")
        yield url
    finally:
        if started.returncode is None:
            started.terminate()
        await started.wait()


async def test_fifty_messages_at_once_are_counted_and_answered_in_the_order_of_arrival(stage: Stage) -> None:
    runtime = await stage.work(counter())
    await asyncio.gather(*(stage.says(f"message {number}") for number in range(MANY)))
    answers = await stage.sees(MANY)
    arrived = [row["text"] for row in await stage.rows(ANA) if row["direction"] == "in"]
    assert [row["text"] for row in answers] == [f"{number}: {text}" for number, text in enumerate(arrived, 1)]
    await stage.quiet(runtime)
    await stage.sees(MANY)


async def test_two_processes_that_share_the_deliveries_count_and_answer_in_order(stage: Stage, redis_url: str) -> None:
    async with process(stage, redis_url) as first, process(stage, redis_url) as second:
        for number in range(MANY):
            body = wire(f"m{number}", f"message {number}", numberId="num_evolution")
            status, _, _ = await stage.deliver((first, second)[number % 2], body)
            assert status == 200
        answers = await stage.sees(MANY)
    assert [row["text"] for row in answers] == [f"{number}: message {number - 1}" for number in range(1, MANY + 1)]


def waiting(gate: asyncio.Event) -> Bot:
    """A bot that answers, but to the word "wait" only once the gate is open."""
    bot = Bot("shop")

    @bot.message()
    async def echo(ctx: Context) -> None:
        if ctx.text == "wait":
            await gate.wait()
        await ctx.reply(ctx.text)

    return bot


async def test_a_slow_chat_holds_up_nobody_else(stage: Stage) -> None:
    gate = asyncio.Event()
    runtime = await stage.work(waiting(gate))
    await stage.says("wait")
    await stage.says("and then")
    await stage.says("hello", contact=BRUNO)
    assert [row["text"] for row in await stage.sees(1, contact=BRUNO)] == ["hello"]
    await stage.sees(0)
    gate.set()
    assert [row["text"] for row in await stage.sees(2)] == ["wait", "and then"]
    await stage.quiet(runtime)


async def test_a_late_event_that_still_waits_is_put_where_its_time_says(stage: Stage) -> None:
    gate = asyncio.Event()
    runtime = await stage.work(waiting(gate))

    def at(seconds: int) -> Row:
        return {"at": (datetime.now(UTC) - timedelta(seconds=100 - seconds)).isoformat()}

    await stage.says("wait", **at(0))
    await stage.until(runtime._worker.leases, "the first message to be claimed")
    for text, when in (("third", 30), ("second", 20), ("fourth", 40), ("first", 10)):
        await stage.says(text, **at(when))

    async def all_wait() -> bool:
        (turn,) = runtime._worker.leases()
        return (await runtime.engine.chat(turn.key)).waiting_events == 5

    await stage.until(all_wait, "five events in the mailbox")
    gate.set()
    assert [row["text"] for row in await stage.sees(5)] == ["wait", "first", "second", "third", "fourth"]
