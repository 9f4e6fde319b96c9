"""The worker: which chats it runs, for how long one may hold a place, and how it begins and ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from redis import Redis

from pilotbot.engine import Arrival, Away, Claimed, Effects, Engine, Place
from pilotbot.engine.keys import base
from pilotbot.server.worker import IN_A_ROW, Worker

Step = Callable[[Claimed], Awaitable[None]]


def place(engine: Engine, who: str) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def writes(engine: Engine, who: str, *texts: str) -> None:
    there = place(engine, who)
    await asyncio.gather(*(engine.accept(Arrival(place=there, id=f"{who}{text}", at=None, body=text.encode())) for text in texts))


def beside(engine: Engine, who: str) -> str:
    """Somebody else on the same shard."""
    shard = place(engine, who).key.shard
    return next(name for name in map(str, range(99)) if place(engine, name).key.shard == shard)


async def nothing(turn: Claimed) -> None:
    """What most turns do here."""


@asynccontextmanager
async def at_work(engine: Engine, step: Step = nothing, *, turns: int = 64, poll: float = 0.01) -> AsyncIterator[tuple[Worker, list[str]]]:
    """A worker whose turns do `step` and commit; and the bodies that were committed, in order."""
    done: list[str] = []

    async def run_turn(turn: Claimed, keep: bool) -> Claimed | None:
        await step(turn)
        settled = await engine.commit(turn, Effects(), keep=keep, send=False)
        if settled.outcome == "ok":
            done.append(turn.body.decode())
        return settled.next

    worker = Worker(engine, run_turn, turns=turns, poll=poll)
    running = asyncio.create_task(worker.run())
    yield worker, done
    await worker.stop(1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def until(look: Callable[[], bool]) -> None:
    """Wait for it; the time-out is reached only when something is wrong."""
    async with asyncio.timeout(20):
        while not look():  # noqa: ASYNC110 - what is looked for is in Redis, too
            await asyncio.sleep(0.005)


class TestFairness:
    async def test_one_busy_chat_gives_way_after_its_share(self, engine: Engine) -> None:
        bruno = beside(engine, "ana")
        await writes(engine, "ana", *(f"a{n}" for n in range(2 * IN_A_ROW)))
        waited: list[int] = []

        async def step(turn: Claimed) -> None:
            if turn.body == b"a0":
                await writes(engine, bruno, "b")
            if turn.body == b"b":
                waited.append(len(done))

        async with at_work(engine, step, turns=1) as (_, done):
            await until(lambda: len(done) == 2 * IN_A_ROW + 1)
        assert waited == [IN_A_ROW]
        assert [body for body in done if body != "b"] == [f"a{n}" for n in range(2 * IN_A_ROW)]

    async def test_no_more_chats_at_once_than_there_are_places(self, engine: Engine) -> None:
        for n in range(12):
            await writes(engine, f"c{n}", f"c{n}")
        running, most = 0, 0
        all_taken = asyncio.Event()

        async def step(turn: Claimed) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            if running == 3:
                all_taken.set()
            await all_taken.wait()
            await engine.busy()
            running -= 1

        async with at_work(engine, step, turns=3) as (_, done):
            await until(lambda: len(done) == 12)
        assert most == 3

    async def test_a_place_that_is_free_again_is_taken_at_once(self, engine: Engine) -> None:
        """Without a look at the clock: none of the other chats is told of, and the worker would poll in an hour."""
        for n in range(12):
            await writes(engine, f"c{n}", f"c{n}")
        async with at_work(engine, turns=1, poll=3600) as (_, done):
            await until(lambda: len(done) == 12)

    async def test_leases_of_different_shards_never_have_the_same_token(self, engine: Engine) -> None:
        for n in range(12):
            await writes(engine, f"c{n}", f"c{n}")
        claims = await asyncio.gather(*(engine.claim(shard, 12) for shard in range(engine.shards)))
        assert len({turn.token for turns in claims for turn in turns}) == 12

    async def test_a_hint_is_only_a_hint(self, engine: Engine) -> None:
        async with at_work(engine) as (_, done):
            await writes(engine, "ana", "nobody told the worker")
            await until(lambda: len(done) == 1)


class TestLeases:
    async def test_a_lost_lease_ends_its_turn_and_no_other(self, engine: Engine) -> None:
        begun: dict[bytes, Claimed] = {}
        ended: list[bytes] = []
        free = asyncio.Event()

        async def step(turn: Claimed) -> None:
            begun[turn.body] = turn
            try:
                await free.wait()
            except asyncio.CancelledError:
                ended.append(turn.body)
                raise

        await writes(engine, "ana", "a")
        await writes(engine, "bruno", "b")
        async with at_work(engine, step) as (worker, done):
            await until(lambda: len(begun) == 2)
            assert sorted(turn.body for turn in worker.leases()) == [b"a", b"b"]
            worker.lost({begun[b"a"].token})
            await until(lambda: ended == [b"a"])
            free.set()
            await until(lambda: done == ["b"])

    async def test_what_another_worker_took_over_is_not_committed_twice(self, engine: Engine, redis: Redis) -> None:
        """Asleep past its lease, as by SIGSTOP: it wakes up, goes on, and is refused."""
        await writes(engine, "ana", "a")
        begun, free = asyncio.Event(), asyncio.Event()

        async def step(turn: Claimed) -> None:
            if not begun.is_set():
                begun.set()
                await free.wait()

        async with at_work(engine, step) as (worker, done):
            await begun.wait()
            (sleeper,) = worker.leases()
            redis.zadd(f"{base(sleeper.key.shard)}:lease", {sleeper.key.id: 0})
            await until(lambda: done == ["a"])
            free.set()
            await until(lambda: not worker.leases())
            assert done == ["a"]

    async def test_an_error_of_the_engine_stops_one_turn_and_not_the_worker(self, engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
        await writes(engine, "ana", "a")
        await writes(engine, "bruno", "b")

        async def step(turn: Claimed) -> None:
            if turn.body == b"a":
                raise RuntimeError("a defect")

        async with at_work(engine, step) as (_, done):
            await until(lambda: done == ["b"])
            await until(lambda: bool(caplog.records))
        assert [(record.levelno, bool(record.exc_info)) for record in caplog.records] == [(logging.ERROR, True)]

    async def test_while_redis_is_away_the_worker_waits_and_gives_back_what_it_may_have_lost(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The reply of a claim is lost, as with its connection: nobody works on that lease, and it is given back without blame."""
        real = engine.claim
        lost: list[Claimed] = []

        async def claim(shard: int, most: int, *, reap: bool = True) -> list[Claimed]:
            found = await real(shard, most)
            if found and not lost:
                lost.extend(found)
                raise Away("the connection was lost")
            return found

        monkeypatch.setattr(engine, "claim", claim)
        crashes: list[int] = []

        async def step(turn: Claimed) -> None:
            crashes.append(turn.crashes)

        await writes(engine, "ana", "a")
        async with at_work(engine, step) as (_, done):
            await until(lambda: done == ["a"])
        assert (len(lost), crashes) == (1, [0])


class TestStop:
    async def test_what_runs_comes_to_its_commit_and_nothing_new_begins(self, engine: Engine) -> None:
        begun, free = asyncio.Event(), asyncio.Event()

        async def step(turn: Claimed) -> None:
            begun.set()
            await free.wait()

        await writes(engine, "ana", "a1", "a2")
        async with at_work(engine, step) as (worker, done):
            await begun.wait()
            stopping = asyncio.create_task(worker.stop(20))
            await writes(engine, "bruno", "b")
            worker.wake(place(engine, "bruno").key.shard)
            await asyncio.sleep(0)
            free.set()
            await stopping
            assert done == ["a1"]
        chats = [await engine.chat(place(engine, who).key) for who in ("ana", "bruno")]
        assert [chat.waiting_events for chat in chats] == [1, 1]

    async def test_a_claim_that_is_answered_during_the_stop_starts_nothing(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        real = engine.claim
        claimed, answer = asyncio.Event(), asyncio.Event()

        async def claim(shard: int, most: int, *, reap: bool = True) -> list[Claimed]:
            found = await real(shard, most)
            if any(turn.body == b"b" for turn in found):
                claimed.set()
                await answer.wait()
            return found

        monkeypatch.setattr(engine, "claim", claim)
        begun, free = asyncio.Event(), asyncio.Event()

        async def step(turn: Claimed) -> None:
            begun.set()
            await free.wait()

        await writes(engine, "ana", "a")
        async with at_work(engine, step) as (worker, done):
            await begun.wait()
            await writes(engine, "bruno", "b")
            await claimed.wait()
            stopping = asyncio.create_task(worker.stop(20))
            await asyncio.sleep(0)
            answer.set()
            free.set()
            await stopping
            assert done == ["a"]
        assert (await engine.chat(place(engine, "bruno").key)).waiting_events == 1

    async def test_what_does_not_end_in_time_is_ended_and_runs_again_elsewhere_without_blame(self, engine: Engine) -> None:
        begun = asyncio.Event()

        async def forever(turn: Claimed) -> None:
            begun.set()
            await asyncio.Event().wait()

        await writes(engine, "ana", "a")
        async with at_work(engine, forever) as (worker, done):
            await begun.wait()
            await worker.stop(0)
            await until(lambda: not worker.leases())
            assert done == []
        await engine.let_go(place(engine, "ana").key.shard, "mailbox")
        (turn,) = await engine.claim(place(engine, "ana").key.shard, 1)
        assert turn.crashes == 0
