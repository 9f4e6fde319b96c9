"""The ticker: what it takes in and moves on, what a changed, a resumed or a removed schedule comes to, and who may not make runs."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from pilotbot import Bot, ScheduledRun, events, hours
from pilotbot.engine import Accepted, Arrival, Away, Claimed, Effects, Engine
from pilotbot.engine.schedules import Stored
from pilotbot.schedule import GRACE, Missed, Plan, Run, Schedule, interval, occurrence_id
from pilotbot.server.schedules import DAY, FORGOTTEN_AFTER, MOST_NAMES, Ticker, planned

HOUR = 3_600_000
NOON = 1_800_000_000_000 // HOUR * HOUR
Serve = Callable[..., Awaitable[Any]]


def job(span: timedelta = timedelta(hours=1), missed: Missed = "coalesce", name: str = "job") -> Schedule:
    return Schedule(name, interval(span), missed, f"every({span})")


def ticker(engine: Engine, *schedules: Schedule) -> tuple[Ticker, Counter[str], list[int]]:
    counts: Counter[str] = Counter()
    woken: list[int] = []
    return Ticker(engine, schedules or (job(),), number="main", wake=woken.append, counts=counts), counts, woken


async def known(engine: Engine, name: str = "job") -> Stored:
    return (await engine.schedules.all())[1][name]


async def due_now(engine: Engine, back: int = 0, **more: Any) -> int:
    """Have the schedule's next time be the last full hour, or `back` hours before it."""
    now, there = await engine.schedules.all()
    at = now // HOUR * HOUR - back * HOUR
    await engine.schedules.move("job", there.get("job"), Stored(definition=job().definition, next=at, at=at - 1, **more))
    return at


async def waiting(engine: Engine) -> list[Claimed]:
    return [turn for shard in range(engine.shards) for turn in await engine.claim(shard, 10)]


class TestWhatIsDue:
    def test_a_new_one_begins_now(self) -> None:
        assert planned(job(), None, NOON) == Plan((), NOON + HOUR)

    def test_one_that_was_changed_goes_on_from_the_last_look(self) -> None:
        looked = Stored(definition="before", next=NOON + 7, at=NOON - 400)
        assert planned(job(), looked, NOON + 300) == Plan((Run(NOON),), NOON + HOUR)

    def test_but_a_minute_back_at_most(self) -> None:
        long_ago = Stored(definition="before", next=NOON + 7, at=NOON - 90 * DAY)
        assert planned(job(), long_ago, NOON + GRACE + 1) == Plan((), NOON + HOUR)
        assert planned(job(), long_ago, NOON + GRACE - 1).runs == (Run(NOON),)

    def test_what_follows_a_resume_counts_from_it(self) -> None:
        resumed = Stored(definition=job().definition, next=None, at=NOON - 1)
        assert planned(job(), resumed, NOON - 1) == Plan((), NOON)
        assert planned(job(), resumed, NOON + HOUR) == Plan((Run(NOON + HOUR, 1),), NOON + 2 * HOUR)


async def test_the_first_look_only_finds_the_next_time(engine: Engine) -> None:
    look, counts, _ = ticker(engine)
    await look.tick()
    now, there = await engine.schedules.all()
    assert there["job"].next == now // HOUR * HOUR + HOUR
    assert (there["job"].last, counts) == (None, Counter())


async def test_what_is_due_is_an_event_and_the_schedule_moves_on(engine: Engine) -> None:
    look, counts, woken = ticker(engine)
    at = await due_now(engine, back=2)
    await look.tick()
    (turn,) = await waiting(engine)
    event = events.decode(turn.body)
    assert isinstance(event, ScheduledRun)
    assert (event.id, event.schedule, event.due, event.missed) == (occurrence_id("job", at + 2 * HOUR), "job", at + 2 * HOUR, 2)
    assert 0 <= event.late <= HOUR
    assert event.time is not None
    assert (turn.fields["number"], turn.fields["kind"], turn.fields["address"]) == (b"main", b"number", b"")
    assert woken == [turn.key.shard]
    assert (counts["schedule.run:ok"], counts["schedule.run:dup"]) == (1, 0)
    there = await known(engine)
    assert (there.next, there.last) == (at + 3 * HOUR, at + 2 * HOUR)


async def test_a_look_without_anything_due_writes_nothing_and_once_a_day_that_it_is_still_there(engine: Engine) -> None:
    look, _, _ = ticker(engine, job(timedelta(days=30)))
    await look.tick()
    first = await known(engine)
    await look.tick()
    assert (await known(engine)).raw == first.raw
    await engine.advance(DAY + 1)
    await look.tick()
    later = await known(engine)
    assert later.at > first.at
    assert later.next is not None


async def test_between_taking_in_and_moving_on_a_crash_doubles_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    look, counts, _ = ticker(engine, job(missed="run"))
    await due_now(engine, back=2)

    async def killed(*_: object) -> bool:
        raise Away("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(engine.schedules, "move", killed)
        with pytest.raises(Away):
            await look.tick()
    await look.tick()
    assert (counts["schedule.run:ok"], counts["schedule.run:dup"]) == (3, 3)


async def test_many_processes_at_the_same_moment_run_each_time_once_and_in_order(engine: Engine, redis_url: str) -> None:
    others = [Engine(redis_url, shards=engine.shards) for _ in range(4)]
    for each in others:
        await each.open()
    at = await due_now(engine, back=20)
    await asyncio.gather(*(ticker(each, job(missed="run"))[0].tick() for each in (engine, *others)))
    (turn,) = await waiting(engine)
    seen = []
    following: Claimed | None = turn
    while following is not None:
        event = events.decode(following.body)
        assert isinstance(event, ScheduledRun)
        seen.append(event.due)
        following = (await engine.commit(following, Effects(), keep=True, send=False)).next
    assert seen == [at + HOUR * step for step in range(21)]
    for each in others:
        await each.close()


async def test_a_chat_that_is_full_keeps_the_schedule_where_it_is(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    look, _, _ = ticker(engine, job(missed="run"))
    at = await due_now(engine, back=3)
    accept, taken = engine.accept, list[str]()

    async def two_places(arrival: Arrival) -> Accepted:
        if len(taken) == 2:
            return Accepted("full")
        taken.append(arrival.id)
        return await accept(arrival)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "accept", two_places)
        await look.tick()
    there = await known(engine)
    assert (there.next, there.last) == (at + 2 * HOUR, at + HOUR)
    await look.tick()
    assert (await known(engine)).next == at + 4 * HOUR


async def test_what_is_dropped_is_told(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    look, counts, _ = ticker(engine, job(missed="skip"))
    await engine.advance(2 * GRACE + 60 * 60_000)
    at = await due_now(engine, back=1)
    now, _ = await engine.schedules.all()
    await look.tick()
    in_time = now - at - HOUR < GRACE  # a run of this test in the first minute of an hour
    assert counts["schedule.run:missed"] == 2 - in_time
    assert f"schedule job: {2 - in_time} missed times are not run (missed=skip)" in caplog.text


async def test_one_that_rests_stays_where_it_is(engine: Engine) -> None:
    look, counts, _ = ticker(engine)
    at = await due_now(engine, back=2)
    await engine.schedules.pause("job")
    await look.tick()
    assert (await known(engine)).next == at
    await engine.schedules.resume("job")
    await look.tick()
    now, there = await engine.schedules.all()
    assert there["job"].next == now // HOUR * HOUR + HOUR
    assert counts == Counter()


async def test_an_authors_trigger_that_fails_keeps_no_other_waiting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = job(name="broken")
    look, counts, _ = ticker(engine, broken, job())
    await due_now(engine)
    monkeypatch.setattr(
        "pilotbot.server.schedules.planned",
        lambda schedule, stored, now: 1 / 0 if schedule is broken else planned(schedule, stored, now),
    )
    await look.tick()
    assert counts["schedule.run:ok"] == 1


async def test_what_no_bot_has_any_more_is_forgotten_after_a_month(engine: Engine) -> None:
    await engine.schedules.move("gone", None, Stored(definition="x", next=1, at=(await engine.schedules.all())[0]))
    look, _, _ = ticker(engine)
    await engine.advance(FORGOTTEN_AFTER - 60_000)
    await look.tick()
    assert set((await engine.schedules.all())[1]) == {"gone", "job"}
    await engine.advance(FORGOTTEN_AFTER + 60_000)
    await look.tick()
    assert set((await engine.schedules.all())[1]) == {"job"}


async def test_too_many_names_are_forgotten_at_once_the_oldest_first(engine: Engine) -> None:
    now, _ = await engine.schedules.all()
    for number in range(MOST_NAMES + 3):
        await engine.schedules.move(f"gone {number}", None, Stored(definition="x", next=1, at=now - 10_000 + number))
    look, _, _ = ticker(engine)
    await look.tick()
    await look.tick()
    left = (await engine.schedules.all())[1]
    assert len(left) == MOST_NAMES
    assert "job" in left
    assert {f"gone {number}" for number in range(4)} & set(left) == set()
    assert f"gone {MOST_NAMES + 2}" in left


async def test_without_schedules_redis_is_left_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Ticker(engine, (), number="main", wake=lambda _: None, counts=Counter())

    async def not_asked() -> Any:
        pytest.fail("nobody needs this")

    monkeypatch.setattr(engine.schedules, "all", not_asked)
    await look.tick()


async def test_where_redis_is_away_at_the_start_the_next_look_begins(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    look, _, _ = ticker(engine)

    async def away() -> Any:
        raise Away("it is")

    with monkeypatch.context() as patch:
        patch.setattr(engine.schedules, "all", away)
        await look.begin()
    await look.begin()
    assert (await known(engine)).next


async def test_nobody_outside_makes_a_run(serve: Serve, engine: Engine) -> None:
    bot = Bot("shop")

    @bot.every(hours(1), name="job")
    async def note() -> None: ...

    http, runtime = await serve(bot)
    due = 1_800_000_000_000
    made = events.scheduled_run("job", run=occurrence_id("job", due), due=due)
    ours = orjson.dumps({"event": "schedule.run", "data": {"id": "x", "schedule": "job", "due": due, "numberId": "num_meta"}})
    for raw in (made, ours):
        headers = {"content-type": "application/json", "x-pilot-status-signature": events.sign("the-first-secret", raw)}
        async with http.post("/webhook", data=raw, headers=headers) as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "unknown"})
    assert runtime.counts["schedule.run:unknown"] == 2
    assert await waiting(engine) == []
    assert await engine.busy() == 0
