"""Worker and sender over trouble: lost replies, defects, floods, two runs of one chat."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from pilotbot import Bot, Context, Retry, Template, words
from pilotbot.contacts import canonical
from pilotbot.durations import seconds
from pilotbot.engine import Arrival, Away, ChatKey, Claimed, Effects, Engine, Item, Lane, Notice, Place, PutAside
from pilotbot.engine.keys import base
from pilotbot.platform import Family, PlatformError
from pilotbot.server.hints import Hints
from pilotbot.server.runtime import forever
from pilotbot.server.sender import judge
from pilotbot.server.worker import Worker
from tests.stage import ANA, BRUNO, Stage


def place(engine: Engine, who: str) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def until(look: object) -> None:
    async with asyncio.timeout(20):
        while not look():  # type: ignore[operator]  # noqa: ASYNC110 - what is looked for may be in Redis
            await asyncio.sleep(0.005)


@pytest.fixture
async def tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    made: list[asyncio.Task[None]] = []
    yield made
    for task in made:
        task.cancel()
    await asyncio.gather(*made, return_exceptions=True)


async def test_a_flood_of_hints_for_one_shard_hides_no_other() -> None:
    hints = Hints(4, poll=0.05)
    assert hints.take(9) == [0, 1, 2, 3]
    seen: set[int] = set()

    async def flood() -> None:
        while seen != {0, 1, 2, 3}:
            hints.add(0)
            await hints.wait()
            seen.update(hints.take(9))

    await asyncio.wait_for(flood(), 10)


async def test_work_leased_by_a_claim_whose_reply_was_lost_is_found_again(
    engine: Engine, redis: Redis, tasks: list[asyncio.Task[None]]
) -> None:
    """The lease is of 30 s: without healing nobody would look for that long."""
    there = place(engine, "ana")
    await engine.accept(Arrival(place=there, id="a", at=None, body=b"a"))
    assert await engine.claim(there.key.shard, 1)  # its reply never reaches the worker below
    done: list[bytes] = []

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        done.append(turn.body)
        return (await engine.commit(turn, Effects(), keep=keep, send=False)).next

    worker = Worker(engine, run_turn, poll=0.02)
    tasks.append(asyncio.create_task(worker.run()))
    await asyncio.sleep(0)
    redis.client_kill_filter(_type="normal", skipme=True)
    await until(lambda: done == [b"a"])


async def test_what_is_under_way_while_a_reply_is_lost_is_neither_given_back_nor_run_twice(
    engine: Engine, redis: Redis, tasks: list[asyncio.Task[None]]
) -> None:
    ana, bruno = place(engine, "ana"), place(engine, "bruno")
    await engine.accept(Arrival(place=ana, id="a", at=None, body=b"a"))
    done: list[bytes] = []
    goes_on = asyncio.Event()

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        done.append(turn.body)
        if turn.body == b"a":
            await goes_on.wait()
        return (await engine.commit(turn, Effects(), keep=keep, send=False)).next

    worker = Worker(engine, run_turn, poll=0.02)
    tasks.append(asyncio.create_task(worker.run()))
    await until(lambda: done == [b"a"])
    losses = engine.losses
    redis.client_kill_filter(_type="normal", skipme=True)
    await engine.accept(Arrival(place=bruno, id="b", at=None, body=b"b"))
    await until(lambda: engine.losses > losses and b"b" in done)  # the claim that found this one came after the healing
    assert engine.losses == worker._losses
    await engine.accept(Arrival(place=ana, id="a2", at=None, body=b"a2"))
    await until(lambda: worker.places == worker._most - 1)
    assert done == [b"a", b"b"]
    goes_on.set()
    await until(lambda: done == [b"a", b"b", b"a2"])


async def test_a_turn_whose_lease_is_lost_is_ended_by_the_renewal(engine: Engine, redis: Redis, tasks: list[asyncio.Task[None]]) -> None:
    there = place(engine, "ana")
    await engine.accept(Arrival(place=there, id="a", at=None, body=b"a"))
    began, ended = asyncio.Event(), asyncio.Event()

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return None

    worker = Worker(engine, run_turn, poll=60)
    tasks.append(asyncio.create_task(worker.run()))
    await asyncio.wait_for(began.wait(), 10)
    redis.hset(f"{base(there.key.shard)}:owner", there.key.id, "somebody else")
    await worker.renew()
    await asyncio.wait_for(ended.wait(), 10)


async def test_a_defect_ends_neither_worker_nor_upkeep(engine: Engine, tasks: list[asyncio.Task[None]]) -> None:
    there = place(engine, "ana")
    runs: list[bytes] = []

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        runs.append(turn.body)
        if len(runs) == 1:
            raise KeyError("a defect of ours")
        return (await engine.commit(turn, Effects(), keep=keep, send=False)).next

    worker = Worker(engine, run_turn, poll=0.02)
    tasks.append(asyncio.create_task(worker.run()))
    await engine.accept(Arrival(place=there, id="a", at=None, body=b"a"))
    worker.wake(there.key.shard)
    await until(lambda: runs == [b"a", b"a"])
    assert not tasks[0].done()

    turns = iter(range(9))

    async def broken() -> None:
        if next(turns) < 2:
            raise KeyError("a defect of ours")
        upkeep.set()

    upkeep = asyncio.Event()
    tasks.append(asyncio.create_task(forever(broken, 0.01, "it")))
    await asyncio.wait_for(upkeep.wait(), 10)


async def test_a_claim_that_cannot_be_read_ends_nothing(
    engine: Engine, redis: Redis, tasks: list[asyncio.Task[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(engine, "ana")
    done: list[bytes] = []
    claims = iter([KeyError("r")])
    claim = engine.claim

    async def broken_once(shard: int, most: int, *, reap: bool = True) -> list[Claimed]:
        for error in claims:
            raise error
        return await claim(shard, most)

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        done.append(turn.body)
        return (await engine.commit(turn, Effects(), keep=keep, send=False)).next

    monkeypatch.setattr(engine, "claim", broken_once)
    worker = Worker(engine, run_turn, poll=0.02)
    tasks.append(asyncio.create_task(worker.run()))
    await engine.accept(Arrival(place=there, id="a", at=None, body=b"a"))
    await until(lambda: done == [b"a"])


async def test_one_chat_never_runs_twice_in_one_process(engine: Engine, redis: Redis, tasks: list[asyncio.Task[None]]) -> None:
    """The lease ran out while its own process was healthy: the old run is ended before the new one begins."""
    there = place(engine, "ana")
    running: list[int] = []
    most: list[int] = []
    begun = asyncio.Event()

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        running.append(1)
        most.append(len(running))
        try:
            if not begun.is_set():
                begun.set()
                await asyncio.Event().wait()
            await asyncio.sleep(0)
        finally:
            running.pop()
        return (await engine.commit(turn, Effects(), keep=keep, send=False)).next

    worker = Worker(engine, run_turn, poll=0.02)
    tasks.append(asyncio.create_task(worker.run()))
    await engine.accept(Arrival(place=there, id="a", at=None, body=b"a"))
    await begun.wait()
    redis.zadd(f"{base(there.key.shard)}:lease", {there.key.id: 0})
    await until(lambda: len(most) == 2 and not running)
    assert most == [1, 1]


async def test_redis_away_inside_a_handler_is_not_its_authors_error(stage: Stage, redis_socket: Path) -> None:
    """The event is neither settled by @bot.error nor blamed: it is run again."""
    bot = Bot("shop")
    caught: list[str] = []
    runs: list[str] = []
    begun = time.monotonic()

    @bot.message()
    async def tell(ctx: Context) -> None:
        runs.append(ctx.text)
        if len(runs) == 1:
            runtime.engine._calls._batch._connect = nowhere
            await runtime.engine._calls._batch._drop()
        await ctx.notify("+5521998760002", "an order came in")
        await ctx.reply("told")

    @bot.error(Exception)
    async def settled(ctx: Context, error: Exception) -> None:
        caught.append(type(error).__name__)

    def nowhere() -> AbstractConnection:
        if time.monotonic() > begun + 2.5:  # longer than the engine's patience
            runtime.engine._calls._batch._connect = connect
            return connect()
        raise ConnectionRefusedError

    runtime = await stage.work(bot)
    connect = runtime.engine._calls._batch._connect
    await stage.says("hi")
    (answer,) = await stage.sees(1)
    assert (answer["text"], caught) == ("told", [])


async def test_a_retry_of_one_chat_is_not_starved_by_the_traffic_of_another(stage: Stage) -> None:
    bot = Bot("shop")
    tries: list[str] = []

    @bot.message(words("again"))
    async def again(ctx: Context) -> None:
        tries.append(ctx.text)
        if len(tries) == 1:
            raise Retry(seconds(0.1))
        await ctx.reply("at last")

    @bot.message()
    async def flood(ctx: Context) -> None:
        """Others write."""

    runtime = await stage.work(bot)
    keys = runtime.engine.keys
    shard = keys.chat("main", canonical(ANA)).shard
    other = next(phone for phone in (f"+55219987600{n:02}" for n in range(99)) if keys.chat("main", canonical(phone)).shard != shard)
    await stage.says("again")
    for n in range(3000):  # some seconds of it; a poll is due four times in each
        await stage.says(f"{n}", contact=other)
        if len(tries) == 2:
            break
    assert len(tries) == 2, "the flood hid it"
    await stage.sees(1)


async def test_an_error_of_the_authors_own_redis_is_the_authors(stage: Stage) -> None:
    bot = Bot("shop")
    caught: list[str] = []

    @bot.message(words("redis"))
    async def own(ctx: Context) -> None:
        raise ResponseError("WRONGTYPE of the author's own key")

    @bot.message(words("cancel"))
    async def cancelled(ctx: Context) -> None:
        raise asyncio.CancelledError

    @bot.error(ResponseError)
    async def settled(ctx: Context, error: ResponseError) -> None:
        caught.append(ctx.text)
        await ctx.reply("sorry")

    runtime = await stage.work(bot)
    await stage.says("redis")
    assert [row["text"] for row in await stage.sees(1)] == ["sorry"]
    assert caught == ["redis"]
    await stage.says("cancel")
    await stage.until(lambda: runtime.counts["turn:retry"], "the first try")
    await stage.travel("10s")
    await stage.until(lambda: runtime.counts["dead:CancelledError"], "the event to be given up")
    await stage.quiet(runtime)


async def test_redis_away_inside_a_task_group_is_not_the_authors_error(stage: Stage) -> None:
    bot = Bot("shop")
    runs: list[str] = []

    @bot.message()
    async def grouped(ctx: Context) -> None:
        runs.append(ctx.text)
        if len(runs) == 1:
            raise ExceptionGroup("of a task group", [Away("for a moment")])
        await ctx.reply("told")

    runtime = await stage.work(bot)
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(1)] == ["told"]
    assert runtime.counts["turn:retry"] == 0


async def test_no_more_lanes_than_places_are_drained(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply(ctx.text)

    await stage.faults(latencyMs=60)
    runtime = await stage.work(bot, senders=2)
    contacts = [f"+55119876500{n:02}" for n in range(1, 13)]
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(runtime._sender.leases()))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(stage.says("hi", contact=contact) for contact in contacts))
    for contact in contacts:
        await stage.sees(1, contact=contact)
    watching.cancel()
    assert most == 2


async def test_what_is_refused_for_a_window_that_we_do_not_know_of_is_not_posted_for_ever(stage: Stage) -> None:
    """The number is configured as one without a window, and the platform says that it has one."""
    bot = Bot("shop")
    runtime = await stage.work(bot, number_kind="evolution_v2")
    await bot.notify(ANA, "hello", template=Template("follow_up"))
    await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    await stage.sees(1)
    lane = Lane(ChatKey(0, "c"), "t", Item(id="i", free=b"x"), "free", 0, unknown=False, first_post=0, inbound="", number="main", now=0)
    assert judge(PlatformError(Family.WINDOW, remedy="Send a template."), lane).what == "dead"


async def test_what_is_leased_at_a_stop_is_given_back_at_once(engine: Engine, redis: Redis, tasks: list[asyncio.Task[None]]) -> None:
    there = place(engine, "ana")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        begun.set()
        await go_on.wait()
        return (await engine.commit(turn, Effects(), keep=True, send=False)).next

    worker = Worker(engine, run_turn, poll=0.02)
    for event in ("a", "b"):
        await engine.accept(Arrival(place=there, id=event, at=None, body=event.encode()))
    tasks.append(asyncio.create_task(worker.run()))
    await begun.wait()
    stopping = asyncio.create_task(worker.stop(20))
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert redis.zcard(f"{base(there.key.shard)}:lease") == 0
    (turn,) = await engine.claim(there.key.shard, 1)
    assert (turn.body, turn.crashes) == (b"b", 0)


async def test_a_sandbox_that_is_not_up_yet_refuses_no_start(stage: Stage) -> None:
    await stage.work(Bot("shop"), api_url="http://127.0.0.1:9", webhook=False)


async def test_a_long_relay_holds_up_no_event_of_its_chat(stage: Stage) -> None:
    """The next event of the chat ends nothing of the turn before, whose notice is still on its way."""
    bot = Bot("shop")

    @bot.message()
    async def tell(ctx: Context) -> None:
        await ctx.notify(BRUNO, f"{ctx.text} came in")

    runtime = await stage.work(bot)
    await stage.says("hello", contact=BRUNO)
    await stage.quiet(runtime)
    seen = len(await stage.rows(BRUNO))
    relay, slow = runtime.engine.relay, asyncio.Event()

    async def slowly(notices: Sequence[Notice], shard: int) -> tuple[PutAside, ...]:
        await slow.wait()
        return await relay(notices, shard)

    runtime.engine.relay = slowly  # type: ignore[method-assign]  # slower than the next event
    for text in ("one", "two"):
        await stage.says(text)
    await stage.until(lambda: runtime.counts["turn:ok"] == 3, "both turns")
    slow.set()
    await stage.until(lambda: told(stage, BRUNO, seen + 2), "both notices")


async def told(stage: Stage, contact: str, count: int) -> bool:
    return len(await stage.rows(contact)) == count
