"""Accepted is kept: 200 only once the event is in Redis, otherwise 503; and what was accepted survives."""

import asyncio
import os
import signal
import time

from redis import Redis

from pilotbot import Bot, Context, State
from pilotbot.engine.embedded import RedisServer
from tests.stage import Stage, wire


class Seen(State, name="seen_kept"):
    count: int = 0


def counter(gate: asyncio.Event | None = None) -> Bot:
    bot = Bot("counter")

    @bot.message()
    async def count(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        if gate is not None:
            await gate.wait()
        await ctx.reply(f"{seen.count}: {ctx.text}")

    return bot


def pid_of(server: RedisServer) -> int:
    with Redis(unix_socket_path=str(server.address.path)) as client:
        return int(client.info()["process_id"])


async def killed(server: RedisServer) -> None:
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def told_to_come_again(stage: Stage, url: str, name: str) -> None:
    """A delivery is answered 503 in time, with what a sender needs to know."""
    began = time.monotonic()
    status, body, headers = await stage.deliver(url, wire(name, "lost"))
    assert time.monotonic() - began < 3.5
    assert (status, body["code"], headers["Retry-After"]) == (503, "AWAY", "1")


async def refused(stage: Stage) -> bool:
    return any(one["statusCode"] == 503 for one in await stage.deliveries("message.received"))


async def test_while_redis_is_gone_it_is_503_and_the_redelivery_is_answered(stage: Stage) -> None:
    server = await stage.redis()
    runtime = await stage.work(counter(), redis_url=f"unix://{server.address.path}")
    await stage.says("one")
    await stage.sees(1)
    await killed(server)
    await stage.says("two")
    await told_to_come_again(stage, runtime.url, "never-kept")
    await stage.until(lambda: refused(stage), "a delivery to be refused")
    await server.ensure()
    assert [row["text"] for row in await stage.sees(2)] == ["1: one", "2: two"]
    await stage.quiet(runtime)
    await stage.sees(2)


async def test_while_redis_hangs_it_is_503_and_nothing_is_done_twice(stage: Stage) -> None:
    server = await stage.redis()
    runtime = await stage.work(counter(), redis_url=f"unix://{server.address.path}")
    await stage.says("one")
    await stage.sees(1)
    await stage.quiet(runtime)
    pid = pid_of(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        await stage.says("two")
        await stage.until(lambda: refused(stage), "a delivery to be refused")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [row["text"] for row in await stage.sees(2)] == ["1: one", "2: two"]
    await stage.quiet(runtime)
    await stage.sees(2)


async def test_what_was_answered_200_survives_the_loss_of_redis(stage: Stage) -> None:
    gate = asyncio.Event()
    server = await stage.redis()
    runtime = await stage.work(counter(gate), redis_url=f"unix://{server.address.path}")
    for text in ("one", "two", "three"):
        await stage.says(text)

    async def all_taken() -> bool:
        return [one["status"] for one in await stage.deliveries("message.received")] == ["SUCCESS"] * 3

    await stage.until(all_taken, "three deliveries to be answered 200")
    await killed(server)
    await server.ensure()
    gate.set()
    assert [row["text"] for row in await stage.sees(3)] == ["1: one", "2: two", "3: three"]
    await stage.quiet(runtime)
    await stage.sees(3)


async def test_a_bot_with_its_own_redis_goes_on_where_it_stopped(stage: Stage) -> None:
    for count in (1, 2):
        async with stage.at_work(counter(), redis_url=None) as runtime:
            await stage.says("hi")
            assert (await stage.sees(count))[-1]["text"] == f"{count}: hi"
            await stage.quiet(runtime)
