"""The times of triggers: what is meant when the clocks change, and that they follow from the trigger alone."""

# ruff: noqa: DTZ001 - what a clock on the wall shows has no zone

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import example, given
from hypothesis import strategies as st

from pilotbot.schedule import crontab, first_after, interval, upcoming, zone_of

BERLIN = "Europe/Berlin"
# Clocks that change at two, at midnight, by half an hour, in the other half of the year, by 45 minutes off the hour; never.
ZONES = (BERLIN, "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "America/Santiago", "Pacific/Chatham", "America/Sao_Paulo")
DAY = 86_400_000


def ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def some(trigger: BaseTrigger, after: str, count: int, zone: str = "UTC") -> list[str]:
    """The first so many times after one on the wall of a zone, as that wall shows them."""
    times = islice(upcoming(trigger, ms(after, zone)), count)
    return [datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).isoformat(timespec="minutes") for at in times]


def until(trigger: BaseTrigger, start: int, end: int) -> Iterator[int]:
    for at in upcoming(trigger, start):
        if at > end:
            return
        yield at


class TestWhenTheClocksChange:
    def test_a_time_that_does_not_exist_is_as_much_later(self) -> None:
        assert some(crontab("30 2 * * *", BERLIN), "2026-03-28T12:00", 3, BERLIN) == [
            "2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00", "2026-03-31T02:30+02:00",
        ]  # fmt: skip

    def test_a_time_that_comes_twice_is_meant_the_first_time(self) -> None:
        assert some(crontab("30 2 * * *", BERLIN), "2026-10-24T12:00", 2, BERLIN) == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]

    def test_two_that_become_the_same_moment_are_one(self) -> None:
        assert some(crontab("0,30 2,3 * * *", BERLIN), "2026-03-29T01:00", 3, BERLIN) == [
            "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00", "2026-03-30T02:00+02:00",
        ]  # fmt: skip

    def test_one_that_is_put_off_does_not_hide_one_that_is_not(self) -> None:
        # Lord Howe's clocks go from 02:00 to 02:30: 02:15 is put off to 02:45, and 02:40 comes before that.
        trigger = crontab("15,40 2 * * *", "Australia/Lord_Howe")
        assert some(trigger, "2026-10-03T12:00", 3, "Australia/Lord_Howe") == [
            "2026-10-04T02:40+11:00", "2026-10-04T02:45+11:00", "2026-10-05T02:15+11:00",
        ]  # fmt: skip
        assert some(trigger, "2026-10-04T02:41", 1, "Australia/Lord_Howe") == ["2026-10-04T02:45+11:00"]

    def test_a_wildcard_hour_goes_by_the_wall(self) -> None:
        assert some(crontab("*/30 * * * *", BERLIN), "2026-03-29T01:00", 3, BERLIN) == [
            "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00",
        ]  # fmt: skip
        assert some(crontab("*/30 * * * *", BERLIN), "2026-10-25T01:40", 5, BERLIN) == [
            "2026-10-25T02:00+02:00", "2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00",
            "2026-10-25T03:00+01:00",
        ]  # fmt: skip

    @given(
        zone=st.sampled_from(ZONES), minute=st.integers(0, 59), hour=st.integers(0, 23), start=st.dates(date(2025, 1, 1), date(2030, 1, 1))
    )
    @example(zone=BERLIN, minute=30, hour=2, start=date(2026, 1, 1))
    @example(zone="Africa/Cairo", minute=30, hour=0, start=date(2026, 1, 1))
    @example(zone="America/Santiago", minute=0, hour=0, start=date(2026, 1, 1))
    def test_a_daily_time_comes_once_on_each_day_of_a_year(self, zone: str, minute: int, hour: int, start: date) -> None:
        trigger = crontab(f"{minute} {hour} * * *", zone)
        times = [
            datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
            for at in islice(upcoming(trigger, ms(f"{start.isoformat()}T12:00", zone)), 370)
        ]
        assert all(later.date() - sooner.date() == timedelta(1) for sooner, later in pairwise(times))
        assert sum((time.hour, time.minute) != (hour, minute) for time in times) <= 2  # those that do not exist

    @given(zone=st.sampled_from(ZONES), step=st.sampled_from([5, 15, 30]), start=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)))
    @example(zone=BERLIN, step=30, start=datetime(2026, 10, 25))
    @example(zone="Australia/Lord_Howe", step=15, start=datetime(2026, 4, 5))
    def test_every_so_many_minutes_is_so_many_minutes(self, zone: str, step: int, start: datetime) -> None:
        at = ms(start.isoformat(), zone)
        times = list(until(crontab(f"*/{step} * * * *", zone), at, at + DAY))
        assert {later - sooner for sooner, later in pairwise(times)} == {step * 60_000}
        assert len(times) == DAY // (step * 60_000)

    @given(
        zone=st.sampled_from(ZONES),
        expression=st.sampled_from(["*/7 * * * *", "30 2 * * *", "0,45 */2 * * *", "15,40 0-3 * * *", "5 4 1 * mon", "59 23 * * sun"]),
        start=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),
        inside=st.floats(0, 1),
    )
    def test_the_times_do_not_depend_on_where_one_begins(self, zone: str, expression: str, start: datetime, inside: float) -> None:
        trigger, at = crontab(expression, zone), ms(start.isoformat(), zone)
        end = at + 3 * DAY
        middle = round(at + inside * (end - at))
        whole = list(until(trigger, at, end))
        assert whole == sorted(set(whole))
        assert [time for time in whole if time > middle] == list(until(trigger, middle, end))

    @given(zone=st.sampled_from(ZONES), start=st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)), hour=st.integers(0, 23))
    def test_what_is_found_is_what_a_wall_clock_shows_minute_by_minute(self, zone: str, start: datetime, hour: int) -> None:
        at = ms(start.isoformat(timespec="minutes"), zone)
        tz, seen, expected = ZoneInfo(zone), set[tuple[int, ...]](), []
        for minute in range(at + 60_000, at + DAY, 60_000):
            wall = datetime.fromtimestamp(minute / 1000, tz)
            on_it = (wall.year, wall.month, wall.day, wall.hour, wall.minute)
            if wall.minute == 20 and wall.hour == hour and on_it not in seen and not wall.fold:
                expected.append(minute)
            seen.add(on_it)
        found = list(until(crontab(f"20 {hour} * * *", zone), at, at + DAY - 60_000))
        put_off = [time for time in found if datetime.fromtimestamp(time / 1000, tz).hour != hour or time not in expected]
        assert [time for time in found if time not in put_off] == expected
        assert len(put_off) <= 1


class TestOtherTriggers:
    def test_an_interval_is_anchored_to_the_epoch(self) -> None:
        assert some(interval(timedelta(hours=7)), "1970-01-01T00:00", 2) == ["1970-01-01T07:00+00:00", "1970-01-01T14:00+00:00"]

    @given(seconds=st.integers(1, 10 * 86_400), start=st.integers(0, 4_000_000_000_000))
    def test_intervals_are_even_from_wherever_one_looks(self, seconds: int, start: int) -> None:
        times = list(islice(upcoming(interval(timedelta(seconds=seconds)), start), 5))
        assert times == [(start // (seconds * 1000) + 1 + at) * seconds * 1000 for at in range(5)]

    def test_a_date_comes_once(self) -> None:
        trigger = DateTrigger(datetime(2027, 1, 1, 9, tzinfo=UTC))
        assert list(upcoming(trigger, ms("2026-12-31T00:00"))) == [ms("2027-01-01T09:00")]
        assert list(upcoming(trigger, ms("2027-01-01T09:00"))) == []

    def test_a_trigger_that_counts_from_its_start_is_followed_from_there(self) -> None:
        trigger = CalendarIntervalTrigger(weeks=2, hour=9, start_date=date(2026, 1, 5), timezone=UTC)
        assert some(trigger, "2026-01-20T00:00", 2) == ["2026-02-02T09:00+00:00", "2026-02-16T09:00+00:00"]

    def test_a_cron_trigger_begins_and_ends_when_it_says(self) -> None:
        trigger = CronTrigger(
            hour=9, minute=0, timezone=ZoneInfo(BERLIN), start_date=datetime(2026, 5, 2, 9), end_date=datetime(2026, 5, 3, 9)
        )
        assert some(trigger, "2026-01-01T00:00", 5, BERLIN) == ["2026-05-02T09:00+02:00", "2026-05-03T09:00+02:00"]

    def test_one_or_the_other_is_the_union(self) -> None:
        trigger = OrTrigger([interval(timedelta(hours=2)), interval(timedelta(hours=3))])
        assert list(islice(upcoming(trigger, 0), 5)) == [3_600_000 * hour for hour in (2, 3, 4, 6, 8)]
        past = OrTrigger([DateTrigger(datetime(1990, 1, 1, tzinfo=UTC)), crontab("0 0 * * *", "UTC")])
        assert some(past, "2026-01-01T00:00", 1) == ["2026-01-02T00:00+00:00"]

    def test_both_is_what_they_have_in_common(self) -> None:
        trigger = AndTrigger([interval(timedelta(hours=2)), interval(timedelta(hours=3))])
        assert list(islice(upcoming(trigger, 0), 2)) == [3_600_000 * hour for hour in (6, 12)]
        friday_13 = AndTrigger([crontab("0 9 13 * *", BERLIN), crontab("0 9 * * fri", BERLIN)])
        assert some(friday_13, "2026-01-01T00:00", 2, BERLIN) == ["2026-02-13T09:00+01:00", "2026-03-13T09:00+01:00"]

    def test_those_that_never_agree_are_given_up(self) -> None:
        odd = IntervalTrigger(hours=1, start_date=datetime(1970, 1, 1, 0, 30, tzinfo=UTC), timezone=UTC)
        with pytest.raises(ValueError, match="do not agree on any time"):
            first_after(AndTrigger([interval(timedelta(hours=1)), odd]), 0)

    def test_the_zone_is_that_of_the_definition(self) -> None:
        assert zone_of(crontab("0 9 1 * mon", BERLIN)) == ZoneInfo(BERLIN)
        assert zone_of(DateTrigger(datetime(2027, 1, 1, tzinfo=ZoneInfo(BERLIN)))) == ZoneInfo(BERLIN)
        assert zone_of(Own([])) == UTC


class Own(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """An author's own trigger: these times, as they are."""

    def __init__(self, times: list[datetime]) -> None:
        self.times = times

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> Any:
        return next((time for time in self.times if previous_fire_time is None or time != previous_fire_time), None)


class TestAnAuthorsOwn:
    def test_times_that_do_not_go_forward_are_refused(self) -> None:
        later, sooner = datetime(2027, 1, 2, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        with pytest.raises(ValueError, match="does not go forward"):
            list(upcoming(Own([later, sooner]), 0))

    def test_times_without_a_zone_are_refused(self) -> None:
        with pytest.raises(ValueError, match="without a zone"):
            first_after(Own([datetime(2027, 1, 1)]), 0)
