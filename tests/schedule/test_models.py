"""A schedule is refused where its times would not be the same for all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from pilotbot.schedule import Schedule, crontab, interval

HOURLY = interval(timedelta(hours=1))


class Nameless(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now.replace(microsecond=0) + timedelta(hours=1)


@pytest.mark.parametrize(
    ("trigger", "says"),
    [
        (CronTrigger(hour=9, timezone=UTC, jitter=30), "the jitter of a CronTrigger is drawn anew by every process"),
        (OrTrigger([HOURLY, CronTrigger(hour=9, timezone=UTC, jitter=30)]), "the jitter of a CronTrigger"),
        (AndTrigger([HOURLY], jitter=3), "the jitter of a AndTrigger"),
        (IntervalTrigger(hours=1, timezone=UTC), "give it a start_date of whole seconds, or use every"),
        (DateTrigger(timezone=UTC), "without a run_date"),
        (OrTrigger([]), "the OrTrigger has no parts"),
        (Nameless(), "Nameless needs a __repr__"),
        (crontab("0 0 30 2 *", "UTC"), "has no times"),
        (AndTrigger([HOURLY, IntervalTrigger(hours=1, start_date=datetime(2026, 1, 1, 0, 30, tzinfo=UTC))]), "do not agree"),
    ],
)
def test_a_trigger_without_times_or_with_others_in_each_process_is_refused(trigger: BaseTrigger, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Schedule("job", trigger)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\ud800", None])
def test_a_name_is_of_a_hundred_characters_that_can_be_printed(name: Any) -> None:
    with pytest.raises(ValueError, match="1 to 100 printable characters"):
        Schedule(name, HOURLY)


def test_what_is_no_trigger_is_refused() -> None:
    with pytest.raises(TypeError, match=r"write a trigger of apscheduler\.triggers"):
        Schedule("job", "0 9 * * *")


def test_missed_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="missed is one of run, skip, coalesce; it was given 'all'"):
        Schedule("job", HOURLY, "all")  # type: ignore[arg-type]


def test_the_definition_is_the_same_in_every_life_and_another_for_other_times() -> None:
    def made(hour: int) -> Schedule:
        return Schedule("job", CronTrigger(hour=hour, timezone="Europe/Berlin"))

    assert made(9).definition == made(9).definition
    assert made(9).definition != made(10).definition
    assert "Europe/Berlin" in made(9).definition
