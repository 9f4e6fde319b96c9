"""Turns of a bot at work: what its crashes, its leases and its stop do to them."""

import asyncio
from typing import Any

import pytest
from redis import Redis

from pilotbot import Bot, Context
from pilotbot.engine import Claimed
from pilotbot.engine.keys import base
from pilotbot.server import Runtime
from pilotbot.server import turn as rules
from tests.stage import ANA, Stage

SHORT = 0.6  # seconds of a lease: renewed every 0.2


class Gate:
    """A handler's stop: it tells that it began, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.runs = 0
        self.ended = 0

    async def pass_through(self) -> None:
        self.runs += 1
        self.begun.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.ended += 1
            raise


def bot_with(gate: Gate) -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await gate.pass_through()
        await ctx.reply(f"{ctx.text}: done")

    return bot


def lease(redis: Redis) -> tuple[str, str, float]:
    """The one chat that is leased: the shard's base, its name, and when the lease ends."""
    found: list[tuple[str, str, float]] = []
    for key in (base(shard) for shard in range(2)):
        leases: list[Any] = list(redis.zrange(f"{key}:lease", 0, -1, withscores=True))
        found += [(key, str(name), float(ends)) for name, ends in leases]
    (one,) = found
    return one


class TestLeases:
    async def test_a_long_handler_keeps_its_lease_by_renewal_and_runs_once(self, stage: Stage, redis: Redis) -> None:
        gate = Gate()
        runtime = await stage.work(bot_with(gate), lease_seconds=SHORT)
        other = await stage.work(bot_with(gate), webhook=False, lease_seconds=SHORT)
        await stage.says("hi")
        await gate.begun.wait()
        seen: set[float] = set()

        def renewed() -> bool:
            seen.add(lease(redis)[2])
            return len(seen) > 4  # together they last longer than one lease

        await stage.until(renewed, "four renewals")
        gate.open.set()
        assert [row["text"] for row in await stage.sees(1)] == ["hi: done"]
        await stage.quiet(runtime, other)
        assert (gate.runs, gate.ended) == (1, 0)

    async def test_a_turn_whose_lease_was_lost_is_ended_and_the_other_ones_answer_counts(self, stage: Stage, redis: Redis) -> None:
        gate, other = Gate(), Gate()
        other.open.set()
        first = await stage.work(bot_with(gate), lease_seconds=SHORT)
        await stage.says("hi")
        await gate.begun.wait()
        first._worker._stopping = True  # or it might take its own back
        second = await stage.work(bot_with(other), webhook=False, lease_seconds=SHORT)
        key, name, _ = lease(redis)
        token = redis.hget(f"{key}:owner", name)

        def taken_over() -> bool:
            if redis.hget(f"{key}:owner", name) == token:
                redis.zadd(f"{key}:lease", {name: 0})  # each time that it was renewed meanwhile
            return other.runs > 0

        await stage.until(taken_over, "the second one to take over")
        await stage.sees(1)
        await stage.until(lambda: gate.ended, "the first turn to be ended")
        await stage.quiet(first, second)
        await stage.sees(1)

    async def test_an_answer_said_at_once_by_one_that_lost_its_lease_is_not_sent(self, stage: Stage, redis: Redis) -> None:
        bot, gate = Bot("shop"), Gate()

        @bot.message()
        async def answer(ctx: Context) -> None:
            await gate.pass_through()
            await ctx.reply("one moment", now=True)
            await ctx.reply("done")

        runtime = await stage.work(bot)
        await stage.says("hi")
        await gate.begun.wait()
        key, name, _ = lease(redis)
        redis.hset(f"{key}:owner", name, "somebody|else")
        gate.open.set()
        await stage.until(lambda: not runtime._worker.leases(), "the turn to end")
        assert await stage.rows(ANA) == [row for row in await stage.rows(ANA) if row["direction"] == "in"]


class TestPoison:
    async def test_an_event_that_lost_its_process_three_times_is_put_aside_and_the_chat_goes_on(self, stage: Stage, redis: Redis) -> None:
        gate = Gate()
        gate.open.set()
        waiting = await stage.work(bot_with(gate))
        await waiting._worker.stop(0)
        await stage.says("poison")
        await stage.says("after")
        for _ in range(rules.CRASHES):
            turn = await claim_of(stage, waiting)
            redis.zadd(f"{base(turn.key.shard)}:lease", {turn.key.id: 0})
        runtime = await stage.work(bot_with(gate), webhook=False)
        assert [row["text"] for row in await stage.sees(1)] == ["after: done"]
        (letter,) = await runtime.engine.dead_letters()
        assert (letter.kind, letter.reason) == ("event", "poison")
        assert "poison" in letter.payload
        assert gate.runs == 1
        await stage.quiet(runtime)

    async def test_up_to_then_it_is_run_again(self, stage: Stage, redis: Redis) -> None:
        gate = Gate()
        gate.open.set()
        waiting = await stage.work(bot_with(gate))
        await waiting._worker.stop(0)
        await stage.says("hi")
        for _ in range(rules.CRASHES - 1):
            turn = await claim_of(stage, waiting)
            redis.zadd(f"{base(turn.key.shard)}:lease", {turn.key.id: 0})
        runtime = await stage.work(bot_with(gate), webhook=False)
        assert [row["text"] for row in await stage.sees(1)] == ["hi: done"]
        assert await runtime.engine.dead_letters() == []


async def claim_of(stage: Stage, runtime: Runtime) -> Claimed:
    """Lease the one chat that has work, as a process that dies after it."""

    async def look() -> Claimed | None:
        for shard in range(runtime.engine.shards):
            for turn in await runtime.engine.claim(shard, 1):
                return turn
        return None

    found: Claimed = await stage.until(look, "a chat with work")
    return found


class TestStop:
    async def test_a_handler_that_runs_is_finished_committed_and_sent_and_nothing_new_begins(self, stage: Stage) -> None:
        gate = Gate()
        runtime = await stage.work(bot_with(gate))
        await stage.says("hi")
        await gate.begun.wait()
        stopping = asyncio.create_task(runtime.stop())
        await stage.says("too late")
        await stage.until(lambda: runtime.counts["message.received:ok"] == 2, "the second message to be kept all the same")
        gate.open.set()
        await stopping
        assert [row["text"] for row in await stage.sees(1)] == ["hi: done"]
        assert gate.runs == 1
        await stage.work(bot_with(gate), webhook=False)
        await runtime.engine.close()  # its leases are given back, as at the end of the process
        assert [row["text"] for row in await stage.sees(2)] == ["hi: done", "too late: done"]

    async def test_after_the_stop_notify_says_that_the_bot_does_not_run(self, stage: Stage) -> None:
        bot = bot_with(Gate())
        runtime = await stage.work(bot)
        await runtime.stop()
        with pytest.raises(RuntimeError, match="not running"):
            await bot.notify(ANA, "hello")


class TestSetUp:
    async def test_an_event_of_a_number_that_is_not_configured_any_more_is_put_aside(self, stage: Stage, redis: Redis) -> None:
        gate = Gate()
        gate.open.set()
        old = await stage.work(bot_with(gate), numbers=[{"name": "old", "key": "ps_sandbox_number"}])
        await old._worker.stop(0)
        await stage.says("hi")
        await stage.until(lambda: old.counts["message.received:ok"], "the message to be accepted")
        new = await stage.work(bot_with(gate), webhook=False)
        await old.engine.close()
        (letter,) = await stage.until(new.engine.dead_letters, "the event to be put aside")
        assert (letter.reason, "old" in letter.detail) == ("set-up", True)


class TestErrorHandlers:
    @pytest.mark.parametrize("now", [True, False])
    async def test_what_they_say_is_not_taken_for_what_the_failed_handler_said(self, stage: Stage, now: bool) -> None:
        """Both say their first thing at once: two things, not one said twice."""
        bot = Bot("shop")

        @bot.message()
        async def fail(ctx: Context) -> None:
            await ctx.reply("one moment", now=True)
            raise KeyError

        @bot.error(KeyError)
        async def sorry(ctx: Context) -> None:
            await ctx.reply("sorry", now=now)

        runtime = await stage.work(bot)
        await stage.says("hi")
        assert [row["text"] for row in await stage.sees(2)] == ["one moment", "sorry"]
        await stage.quiet(runtime)

    async def test_the_words_of_an_exception_are_logged_at_the_developers_desk_only(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        bot = Bot("shop")

        @bot.message()
        async def fail(ctx: Context) -> None:
            raise ValueError(ctx.text)

        runtime = await stage.work(bot)
        await stage.says("my secret")
        await stage.until(lambda: runtime.counts["turn:retry"], "the first try to fail")
        told = [record.getMessage() for record in caplog.records if record.name == "pilotbot.server.turn"]
        assert any("ValueError" in line for line in told)
        assert not any("my secret" in line for line in told)


@pytest.mark.parametrize("error", [SystemError, MemoryError, RecursionError, AssertionError, StopAsyncIteration, OSError])
async def test_whatever_a_handler_raises_the_worker_lives_and_the_chat_goes_on(stage: Stage, error: type[Exception]) -> None:
    bot = Bot("shop")

    @bot.message()
    async def fail(ctx: Context) -> None:
        if ctx.text == "bad":
            raise error
        await ctx.reply(ctx.text)

    runtime = await stage.work(bot)
    await stage.says("bad")
    await stage.says("good")
    await stage.until(lambda: runtime.counts["turn:retry"], "the first try to fail")
    await stage.travel("5s")
    assert [row["text"] for row in await stage.sees(1)] == ["good"]
    assert [letter.reason for letter in await runtime.engine.dead_letters()] == [error.__name__]
