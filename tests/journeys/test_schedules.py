"""Schedules: one run a time, whatever the number of processes, through stops, kills, pauses and changes of the clocks."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pilotbot import Bot, Context, ScheduledRun, State, hours, minutes, running
from pilotbot.schedule import Run
from pilotbot.server import Runtime
from pilotbot.server.schedules import take_in
from tests.stage import ANA, Stage

HOUR = 3_600_000


def hourly(runs: list[ScheduledRun], **more: Any) -> Bot:
    bot = Bot("shop")

    @bot.every(hours(1), name="hourly", **more)
    async def note(ctx: Context, event: ScheduledRun) -> None:
        runs.append(event)
        await ctx.notify(ANA, f"run {len(runs)}")

    return bot


async def now_of(runtime: Runtime) -> int:
    now, _ = await runtime.engine.schedules.all()
    return now


async def past_the_hour(stage: Stage, runtime: Runtime, runs: list[Any]) -> int:
    """Ten minutes past, so that no time comes by itself while a test lasts; what is run on the way does not count. Returns the time."""
    await stage.travel(f"{(HOUR - await now_of(runtime) % HOUR) // 1000 + 600}s")
    await stage.quiet(runtime)
    runs.clear()
    return await now_of(runtime)


def times(runs: list[ScheduledRun]) -> list[int]:
    return [run.due for run in runs]


async def test_a_run_says_something_to_somebody_and_has_nobody_to_answer(stage: Stage) -> None:
    told: list[Any] = []
    bot = Bot("shop")

    @bot.every(hours(1))
    async def remind(ctx: Context, event: ScheduledRun) -> None:
        told.append((await ctx.reply("who?"), ctx.chat.kind, event.schedule, event.name))
        await ctx.notify(ANA, "Good morning!")

    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.travel("1h")
    assert [row["text"] for row in await stage.sees(1)] == ["Good morning!"]
    ((outcome, kind, schedule, name),) = told
    assert "nobody to answer" in outcome.reason
    assert (kind, schedule, name) == ("number", "remind", "schedule.run")
    await stage.quiet(runtime)
    assert runtime.counts["schedule.run:ok"] == 1


async def test_it_counts_from_the_very_start(stage: Stage) -> None:
    async with running(hourly([]), stage.settings()) as runtime:
        now, known = await runtime.engine.schedules.all()
    assert known["hourly"].next in {(now // HOUR + 1) * HOUR, now // HOUR * HOUR}


async def test_it_remembers_from_one_run_to_the_next(stage: Stage) -> None:
    class Round(State, name="test_schedules_round"):
        at: int = 0

    seen: list[int] = []
    bot = Bot("shop")

    @bot.every(hours(1))
    async def count(turn: Round) -> None:
        turn.at += 1
        seen.append(turn.at)

    runtime = await stage.work(bot)
    for _ in range(3):
        await stage.travel("1h")
        await stage.quiet(runtime)
    assert seen == [1, 2, 3]


async def test_two_processes_run_each_time_once(stage: Stage) -> None:
    runs: list[ScheduledRun] = []
    both = [await stage.work(hourly(runs)), await stage.work(hourly(runs), webhook=False)]
    start = await past_the_hour(stage, both[0], runs)
    for _ in range(10):
        await stage.travel("1h")
        await both[1]._ticker.tick()
    await stage.until(lambda: len(runs) >= 10, "ten runs")
    await stage.quiet(*both)
    first = (start // HOUR + 1) * HOUR
    assert times(runs) == [first + HOUR * at for at in range(10)]
    assert all(run.late < HOUR and not run.missed for run in runs)
    await stage.says("hi")
    assert len(await stage.sees(10)) == 10


@pytest.mark.parametrize(("missed", "expected"), [("coalesce", [(5, 4)]), ("run", [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]), ("skip", [])])
async def test_what_a_stop_makes_it_miss_goes_by_its_policy(stage: Stage, missed: str, expected: list[tuple[int, int]]) -> None:
    runs: list[ScheduledRun] = []
    async with stage.at_work(hourly(runs, missed=missed)) as runtime:
        base = await past_the_hour(stage, runtime, runs) // HOUR * HOUR
    await stage.travel("5h")
    async with stage.at_work(hourly(runs, missed=missed)) as runtime:
        await stage.until(lambda: len(runs) >= len(expected), "the runs")
        await stage.quiet(runtime)
        assert [((run.due - base) // HOUR, run.missed) for run in runs] == expected
        runs.clear()
        await stage.travel("1h")
        await stage.quiet(runtime)
        assert [(run.due - base) // HOUR for run in runs] == ([6] if missed != "skip" else [])


@pytest.mark.parametrize("kill", ["accept", "move"])
async def test_a_process_that_is_killed_before_or_after_the_schedule_moves_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kill: str
) -> None:
    runs: list[ScheduledRun] = []
    async with stage.at_work(hourly(runs), lease_seconds=1) as first:
        await past_the_hour(stage, first, runs)
        whole = getattr(first.engine if kill == "accept" else first.engine.schedules, kill)

        async def and_die(*given: Any) -> Any:
            answer = await whole(*given)
            first.engine.abandon()
            return answer

        monkeypatch.setattr(first.engine if kill == "accept" else first.engine.schedules, kill, and_die)
        await stage.travel("1h")
        await first.kill()
    second = await stage.work(hourly(runs), lease_seconds=1)
    await stage.until(lambda: runs, "the run")
    await stage.quiet(second)
    assert len(runs) == 1
    assert second.counts["schedule.run:dup"] == (1 if kill == "accept" else 0)
    assert second.counts["schedule.run:ok"] == 0
    await stage.travel("1h")
    await stage.quiet(second)
    assert times(runs) == [runs[0].due, runs[0].due + HOUR]


async def test_a_pause_is_forgotten_once_it_is_over(stage: Stage) -> None:
    runs: list[ScheduledRun] = []
    runtime = await stage.work(hourly(runs, missed="run"))
    await past_the_hour(stage, runtime, runs)
    assert await runtime.engine.schedules.pause("hourly")
    await stage.travel("5h")
    await stage.quiet(runtime)
    assert await runtime.engine.schedules.resume("hourly")
    resumed = await now_of(runtime)
    await runtime._ticker.tick()
    await stage.quiet(runtime)
    assert runs == []
    await stage.travel("1h")
    await stage.until(lambda: runs, "the run after the pause")
    await stage.quiet(runtime)
    assert times(runs) == [(resumed // HOUR + 1) * HOUR]


async def test_a_run_that_fails_is_tried_again_and_then_a_dead_letter_that_can_be_retried(stage: Stage) -> None:
    broken, tries = [True], []
    bot = Bot("shop")

    @bot.every(hours(1))
    async def fragile(ctx: Context, event: ScheduledRun) -> None:
        tries.append(event.id)
        if broken[0]:
            raise ValueError("not today")

    runtime = await stage.work(bot)
    await stage.travel("1h")
    await stage.until(lambda: tries, "the first try")
    await stage.travel("5s")
    (letter,) = await stage.until(runtime.engine.dead_letters, "the dead letter")
    assert (letter.reason, len(tries)) == ("ValueError", 2)
    broken[0] = False
    assert await runtime.engine.retry_dead(letter.id)
    await stage.until(lambda: len(tries) == 3, "the run")
    await stage.quiet(runtime)
    assert len(set(tries)) == 1
    assert await runtime.engine.dead_letters() == []


async def test_a_run_that_an_older_version_does_not_know_waits_for_the_new_one(stage: Stage) -> None:
    runs: list[ScheduledRun] = []
    async with stage.at_work(Bot("shop")) as old:
        now = await now_of(old)
        await take_in(old.engine, "hourly", "main", Run(now), id_="one", now=now)
        await stage.counted(old, "turn:retry", 1)
    new = await stage.work(hourly(runs))
    await stage.travel("10s")
    await stage.until(lambda: runs, "the run")
    await stage.quiet(new)
    assert times(runs) == [now]


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [("Europe/Berlin", datetime(2027, 3, 26, tzinfo=UTC), 6), ("America/New_York", datetime(2027, 11, 5, tzinfo=UTC), 6)],
)
async def test_nine_in_the_morning_stays_nine_when_the_clocks_change(stage: Stage, zone: str, before: datetime, after: int) -> None:
    runs: list[ScheduledRun] = []
    bot = Bot("shop")

    @bot.cron("0 9 * * *", timezone=zone)
    async def morning(event: ScheduledRun) -> None:
        runs.append(event)

    runtime = await stage.work(bot)
    await stage.travel(f"{round((before - datetime.now(UTC)).total_seconds())}s")
    await stage.quiet(runtime)
    runs.clear()
    for _ in range(after):
        await stage.travel("1d")
        await stage.quiet(runtime)
    local = [run.time.astimezone(ZoneInfo(zone)) for run in runs if run.time is not None]
    assert [(each.hour, each.minute) for each in local] == [(9, 0)] * after
    assert [each.toordinal() for each in local] == list(range(local[0].toordinal(), local[0].toordinal() + after))
    assert len({run.due % 86_400_000 for run in runs}) == 2  # in UTC it is an hour later or earlier from the change on


async def test_a_change_of_its_times_while_both_versions_work_loses_nothing(stage: Stage) -> None:
    old_runs: list[ScheduledRun] = []
    new_runs: list[ScheduledRun] = []

    def version(runs: list[ScheduledRun], every: timedelta) -> Bot:
        bot = Bot("shop")

        @bot.every(every, name="job")
        async def job(event: ScheduledRun) -> None:
            runs.append(event)

        return bot

    old = await stage.work(version(old_runs, minutes(10)), webhook=False)
    new = await stage.work(version(new_runs, minutes(4)))
    start = await now_of(new)
    for _ in range(40):
        await stage.travel("30s")
        await old._ticker.tick()
        await new._ticker.tick()
    end = await now_of(new)
    await stage.quiet(old, new)
    both = sorted({run.due for run in (*old_runs, *new_runs)})
    wanted = {at for step in (240_000, 600_000) for at in range(start // step * step + step, end, step)}
    assert set(both) >= wanted
    assert len(both) == len(old_runs) + len(new_runs)


async def test_the_kit_waits_for_what_is_due_after_time_has_passed(stage: Stage) -> None:
    from pilotbot.testing import Platform  # noqa: PLC0415 - the kit's own stage, not this one

    bot = Bot("shop")

    @bot.every(hours(1))
    async def hour(ctx: Context, event: ScheduledRun) -> None:
        await ctx.notify(ANA, f"an hour, and {event.missed} before it")

    async with Platform(bot) as pilot:
        ana = pilot.phone(ANA)
        await ana.says("hi")
        await pilot.travel(seconds=3600 - time.time() % 3600 + 600)  # ten past: no other comes by itself
        assert ana.sees("an hour, and 0 before it")
        await pilot.travel(hours=3)
        assert ana.sees("an hour, and 2 before it")
        pilot.crash(after="accept")
        await pilot.travel(hours=1)
        assert ana.sees("an hour, and 0 before it")
