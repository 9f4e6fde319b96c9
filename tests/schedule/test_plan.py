"""What is due and what is done about what was missed, by each policy."""

from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.schedule import GRACE, Missed, Plan, Run, Schedule, interval, occurrence_id, plan, upcoming
from pilotbot.schedule.plan import MOST_COUNTED, MOST_RUNS

HOUR = 3_600_000
NOON = 1_800_000_000_000 // HOUR * HOUR
POLICIES: tuple[Missed, ...] = ("run", "skip", "coalesce")


def every(span: timedelta, missed: Missed = "coalesce") -> Schedule:
    return Schedule("job", interval(span), missed)


HOURLY = timedelta(hours=1)


@pytest.mark.parametrize("missed", POLICIES)
def test_what_is_not_due_yet_waits(missed: Missed) -> None:
    assert plan(every(HOURLY, missed), NOON, NOON - 1) == Plan((), NOON)


@pytest.mark.parametrize("missed", POLICIES)
@pytest.mark.parametrize("late", [0, 1, GRACE - 1])
def test_less_than_a_minute_late_is_in_time(missed: Missed, late: int) -> None:
    assert plan(every(HOURLY, missed), NOON, NOON + late) == Plan((Run(NOON),), NOON + HOUR)


@pytest.mark.parametrize(
    ("missed", "runs", "dropped"),
    [
        ("run", (Run(NOON), Run(NOON + HOUR), Run(NOON + 2 * HOUR)), 0),
        ("skip", (), 3),
        ("coalesce", (Run(NOON + 2 * HOUR, 2),), 0),
    ],
)
def test_a_stop_of_hours(missed: Missed, runs: tuple[Run, ...], dropped: int) -> None:
    assert plan(every(HOURLY, missed), NOON, NOON + 2 * HOUR + GRACE) == Plan(runs, NOON + 3 * HOUR, dropped)


@pytest.mark.parametrize(
    ("missed", "runs", "dropped"),
    [
        ("run", (Run(NOON), Run(NOON + HOUR)), 0),
        ("skip", (Run(NOON + HOUR),), 1),
        ("coalesce", (Run(NOON + HOUR, 1),), 0),  # the one that is in time stands for the others too
    ],
)
def test_a_stop_that_ends_at_the_next_time(missed: Missed, runs: tuple[Run, ...], dropped: int) -> None:
    assert plan(every(HOURLY, missed), NOON, NOON + HOUR + 5) == Plan(runs, NOON + 2 * HOUR, dropped)


@pytest.mark.parametrize("missed", POLICIES)
def test_short_intervals_that_are_in_time_are_all_run(missed: Missed) -> None:
    found = plan(every(timedelta(seconds=10), missed), NOON, NOON + 30_000)
    assert [run.due - NOON for run in found.runs] == [0, 10_000, 20_000, 30_000]


def test_each_is_run_up_to_a_bound_and_the_others_are_counted() -> None:
    minute = timedelta(minutes=1)
    found = plan(every(minute, "run"), NOON, NOON + 2_499 * 60_000)
    assert len(found.runs) == MOST_RUNS
    assert (found.runs[-1].due, found.dropped) == (NOON + 2_499 * 60_000, 1_500)
    assert plan(every(minute), NOON, NOON + 2_499 * 60_000).runs == (Run(NOON + 2_499 * 60_000, 2_499),)


def test_years_of_seconds_are_not_counted_one_by_one() -> None:
    second = timedelta(seconds=1)
    now = NOON + 5 * 365 * 24 * HOUR
    found = plan(every(second, "run"), NOON, now)
    assert [run.due for run in found.runs] == [now - 1000 * back for back in reversed(range(MOST_RUNS))]
    assert found.next == now + 1000
    assert found.dropped <= MOST_COUNTED


@given(
    missed=st.sampled_from(POLICIES), seconds=st.integers(1, 7_200), start=st.integers(0, 10**6), late=st.integers(0, 10**7),
    looks=st.lists(st.floats(0, 1), max_size=6),
)  # fmt: skip
def test_however_often_one_looks_each_time_is_run_or_stood_for_once(
    missed: Missed, seconds: int, start: int, late: int, looks: list[float]
) -> None:
    schedule, end = every(timedelta(seconds=seconds), missed), start + late
    first = next(upcoming(schedule.trigger, start))
    times = list(islice(upcoming(schedule.trigger, start), 0, MOST_COUNTED))
    due = [time for time in times if time <= end]
    ran: list[Run] = []
    dropped, waits = 0, first
    for now in sorted({*(round(start + look * late) for look in looks), end}):
        found = plan(schedule, waits, now)
        assert found.next is not None
        assert found.next > now
        ran += found.runs
        dropped += found.dropped
        waits = found.next
    assert [run.due for run in ran] == sorted({run.due for run in ran})
    assert {run.due for run in ran} <= set(due)
    if len(times) < MOST_COUNTED:
        assert len(ran) + sum(run.missed for run in ran) + dropped == len(due)
    if missed != "skip" and due:
        assert ran[-1].due == due[-1]


@given(missed=st.sampled_from(POLICIES), late=st.integers(0, 50 * HOUR))
def test_a_repeat_after_a_crash_has_the_same_runs(missed: Missed, late: int) -> None:
    schedule = every(HOURLY, missed)
    before = plan(schedule, NOON, NOON + late)
    assert plan(schedule, NOON, NOON + late) == before
    later = plan(schedule, NOON, NOON + late + 1)
    if before.next is not None and before.next > NOON + late + 1 and missed == "run":
        assert later.runs == before.runs


def test_an_id_follows_from_name_and_time_alone() -> None:
    ids = [occurrence_id(name, due) for name in ("a", "b") for due in (NOON, NOON + 1)]
    assert len(set(ids)) == 4
    assert occurrence_id("a", 1_800_000_000_000) == "4270c63be51c9a78652cdc91396a8d18"
