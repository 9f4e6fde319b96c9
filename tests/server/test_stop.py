"""How a bot stops: it takes in no more, answers who is under way, gives back what it does not finish; and what each role does."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from pilotbot import Bot, Context, running
from pilotbot.engine import Accepted, Arrival, Engine
from pilotbot.server import Runtime, http
from tests.stage import ANA, Stage, wire


class Gate:
    """Handlers that tell that they began, and wait until they may go on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.runs = 0
        self.bot = Bot("shop")
        self.bot.message()(self._handle)

    async def _handle(self, ctx: Context) -> None:
        self.runs += 1
        self.begun.set()
        await self.open.wait()
        await ctx.reply(f"{ctx.text}: done")


class Life:
    """A bot at work, whose stop a test begins and waits for."""

    def __init__(self, runtime: Runtime, stop: asyncio.Event, task: "asyncio.Task[None]") -> None:
        self.runtime = runtime
        self._stop = stop
        self._task = task

    async def stop(self, stage: Stage) -> None:
        """Begin the stop, and wait until it has begun."""
        self._stop.set()
        # Looked at from inside: asyncio leaves a connection open that it accepts at the very moment at which it ceases to listen.
        await stage.until(lambda: self.runtime._worker._stopping, "the stop to begin")

    async def stopped(self) -> None:
        await self._task


@asynccontextmanager
async def life(bot: Bot, stage: Stage, **more: Any) -> AsyncIterator[Life]:
    up: asyncio.Future[Runtime] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def live() -> None:
        async with running(bot, stage.settings(), **more) as runtime:
            up.set_result(runtime)
            await stop.wait()

    task = asyncio.create_task(live())
    either: list[asyncio.Future[Any]] = [task, up]
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield Life(up.result(), stop, task)
    finally:
        stop.set()
        await task


def refuses(runtime: Runtime) -> bool:
    """Whether nobody can connect any more."""
    host, port = runtime.url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


class TestConnections:
    async def test_one_that_is_kept_alive_does_not_hold_the_stop_up(self, stage: Stage) -> None:
        async with life(Bot("shop"), stage) as bot:
            status, _, _ = await stage.deliver(bot.runtime.url, wire("a", "hi"))  # the client keeps its connection
            began = time.monotonic()
            await bot.stop(stage)
            await bot.stopped()
            assert (status, time.monotonic() - began < 2) == (200, True)

    async def test_a_delivery_under_way_is_answered_and_no_other_is_taken(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        real, arrived, go_on = Engine.accept, asyncio.Event(), asyncio.Event()

        async def accept(engine: Engine, arrival: Arrival) -> Accepted:
            arrived.set()
            await go_on.wait()
            return await real(engine, arrival)

        monkeypatch.setattr(Engine, "accept", accept)
        async with life(Bot("shop"), stage) as bot:
            delivery = asyncio.create_task(stage.deliver(bot.runtime.url, wire("a", "hi")))
            await arrived.wait()
            await bot.stop(stage)
            assert refuses(bot.runtime)
            go_on.set()
            status, answer, _ = await delivery
            assert (status, answer["status"]) == (200, "ok")
            await bot.stopped()

    async def test_a_body_that_does_not_come_is_cut_off(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http, "LAST_ANSWERS", 0.1)

        async def endless() -> AsyncIterator[bytes]:
            yield b"{"
            sent.set()
            await asyncio.Event().wait()

        sent = asyncio.Event()
        async with life(Bot("shop"), stage) as bot:
            headers = {"content-type": "application/json"}
            delivery = asyncio.create_task(stage.http.post(f"{bot.runtime.url}/webhook", data=endless(), headers=headers))
            await sent.wait()
            began = time.monotonic()
            await bot.stop(stage)
            await bot.stopped()
            assert time.monotonic() - began < 2
            with pytest.raises(aiohttp.ClientError):
                await delivery


class TestWhatIsUnderWay:
    async def test_it_is_finished_and_answered_before_the_end(self, stage: Stage) -> None:
        gate = Gate()
        async with life(gate.bot, stage) as bot:
            await stage.deliver(bot.runtime.url, wire("a", "one"))
            await gate.begun.wait()
            await stage.deliver(bot.runtime.url, wire("b", "two"))
            await bot.stop(stage)
            assert refuses(bot.runtime)
            gate.open.set()
            await bot.stopped()
        assert [row["text"] for row in await stage.sees(1)] == ["one: done"]
        async with life(gate.bot, stage):  # the rest was given back, and is claimed at once
            assert [row["text"] for row in await stage.sees(2)] == ["one: done", "two: done"]
        assert gate.runs == 2

    async def test_all_that_a_last_turn_says_goes_out(self, stage: Stage) -> None:
        bot_with_much_to_say, begun, go_on = Bot("shop"), asyncio.Event(), asyncio.Event()

        @bot_with_much_to_say.message()
        async def handle(ctx: Context) -> None:
            begun.set()
            await go_on.wait()
            for text in ("one", "two", "three"):
                await ctx.reply(text)

        async with life(bot_with_much_to_say, stage) as bot:
            await stage.deliver(bot.runtime.url, wire("a", "hi"))
            await begun.wait()
            await bot.stop(stage)
            go_on.set()
        assert [row["text"] for row in await stage.sees(3)] == ["one", "two", "three"]

    async def test_what_does_not_come_to_its_end_is_given_back_without_blame(self, stage: Stage) -> None:
        """Not even its being cancelled ends it: the stop goes on without."""
        stubborn, begun, go_on = Bot("shop"), asyncio.Event(), asyncio.Event()
        crashes: list[int] = []

        @stubborn.message()
        async def handle(ctx: Context) -> None:
            begun.set()
            while not go_on.is_set():
                try:
                    await go_on.wait()
                except asyncio.CancelledError:
                    continue
            await ctx.reply(ctx.text)

        runtime = await stage.work(stubborn, webhook=False, lease_seconds=30.0)
        await stage.deliver(runtime.url, wire("a", "hi"))
        await begun.wait()
        try:
            async with asyncio.timeout(5):
                await runtime.stop(grace=0.5)
        except TimeoutError:
            go_on.set()
            raise
        await runtime.engine.close()  # as at the end of `running`
        other = Engine(stage.settings().redis_url.get_secret_value(), shards=2)  # type: ignore[union-attr]
        await other.open()
        for shard in range(other.shards):
            crashes += [turn.crashes for turn in await other.claim(shard, 1)]
        await other.close()
        go_on.set()
        assert crashes == [0]


class TestRoles:
    async def test_a_server_takes_in_and_runs_nothing_and_a_worker_beside_it_does(self, stage: Stage) -> None:
        gate = Gate()
        gate.open.set()
        async with life(gate.bot, stage, role="server") as server:
            status, _, _ = await stage.deliver(server.runtime.url, wire("a", "hi"))
            assert (status, gate.runs) == (200, 0)
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert not names & {"pilotbot-worker", "pilotbot-sender", "pilotbot-relay", "pilotbot-schedules", "pilotbot-statuses"}
            async with stage.http.get(f"{server.runtime.url}/readyz") as answer:
                assert answer.status == 200
            assert (await server.runtime.engine.busy(), gate.runs) == (1, 0)
            async with life(gate.bot, stage, role="worker") as worker:
                assert [row["text"] for row in await stage.sees(1)] == ["hi: done"]
                status, _, _ = await post(stage, worker.runtime.url)
                assert status == 404
                async with stage.http.get(f"{worker.runtime.url}/readyz") as answer:
                    assert answer.status == 200

    async def test_a_worker_without_a_port_listens_nowhere(self, stage: Stage) -> None:
        settings = stage.settings()
        unnamed = settings.model_copy()
        unnamed.model_fields_set.discard("port")
        async with running(Bot("shop"), unnamed, role="worker") as runtime:
            assert runtime.url == ""


async def post(stage: Stage, url: str) -> tuple[int, Any, Any]:
    return await stage.deliver(url, wire("b", "hi", contact=ANA))
