"""Quiet hours: the zone of a phone, hours in it as minutes of the UTC day, and when they end."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts import in_utc, quiet_until, zone_of

WINTER, SUMMER = datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC)
MINUTE = 60_000


class TestZone:
    @pytest.mark.parametrize(
        ("phone", "zone"),
        [
            ("+5511987650001", "America/Sao_Paulo"),
            ("+5592987650001", "America/Manaus"),
            ("+559287650001", "America/Manaus"),  # without the ninth digit
            ("+5568987650001", "America/Rio_Branco"),
            ("+14155550100", "America/Los_Angeles"),
            ("+34600123123", "Europe/Madrid"),
        ],
    )
    def test_a_phone_tells_its_zone(self, phone: str, zone: str) -> None:
        assert str(zone_of(phone, default="Asia/Tokyo", at=WINTER)) == zone

    def test_what_is_known_of_the_contact_wins(self) -> None:
        assert str(zone_of("+5511987650001", known="America/Manaus", default="Asia/Tokyo", at=WINTER)) == "America/Manaus"

    @pytest.mark.parametrize("known", ["", "Nowhere/At_All", "../etc/passwd", "x" * 300, "a\0b"])
    def test_what_is_no_zone_is_not_known(self, known: str) -> None:
        assert str(zone_of("+5511987650001", known=known, at=WINTER)) == "America/Sao_Paulo"

    @pytest.mark.parametrize("address", ["BR.1234", "", "120363@g.us", "+99912345678"])
    def test_who_has_no_phone_has_the_default_or_utc(self, address: str) -> None:
        assert str(zone_of(address, default="America/Bahia", at=WINTER)) == "America/Bahia"
        assert zone_of(address, at=WINTER) is UTC

    def test_of_several_zones_the_default_or_else_the_middle_one(self) -> None:
        portugal = "+351912345678"  # with the Azores
        assert str(zone_of(portugal, default="Atlantic/Azores", at=WINTER)) == "Atlantic/Azores"
        assert str(zone_of(portugal, at=WINTER)) == "Europe/Lisbon"

    def test_the_data_of_phones_is_not_loaded_for_bots_without_quiet_hours(self) -> None:
        code = "import sys, pilotbot; sys.exit('phonenumbers' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestHours:
    @pytest.mark.parametrize(
        ("zone", "at", "expected"),
        [
            ("America/Sao_Paulo", WINTER, (0, 660)),
            ("America/New_York", WINTER, (120, 780)),
            ("America/New_York", SUMMER, (60, 720)),
            ("Asia/Kolkata", WINTER, (930, 150)),
        ],
    )
    def test_they_are_those_of_the_season(self, zone: str, at: datetime, expected: tuple[int, int]) -> None:
        assert in_utc("21:00", "08:00", zone=ZoneInfo(zone), at=at) == expected

    @given(
        st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
        st.sampled_from(["America/Sao_Paulo", "Asia/Kolkata", "Pacific/Kiritimati", "America/New_York"]),
        st.integers(0, 2 * 365 * 1440),
    )
    def test_a_moment_is_in_them_as_the_clock_on_the_wall_says(self, minutes: tuple[int, int], name: str, later: int) -> None:
        start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in minutes)
        zone, at = ZoneInfo(name), WINTER + timedelta(minutes=later)
        wall = at.astimezone(zone)
        passed = wall.hour * 60 + wall.minute
        inside = minutes[0] <= passed < minutes[1] if minutes[0] <= minutes[1] else passed >= minutes[0] or passed < minutes[1]
        until = quiet_until(in_utc(start, end, zone=zone, at=at), round(at.timestamp() * 1000))
        if wall.utcoffset() != (at + timedelta(hours=72)).astimezone(zone).utcoffset():
            assert until is not None or not inside
            return
        assert (until is not None) == inside
        if until is not None:
            assert until == round((at + timedelta(minutes=(minutes[1] - passed) % 1440)).timestamp() * 1000)

    @pytest.mark.parametrize(
        ("said", "hours", "ends"),
        [
            ("2026-10-31T23:30-04:00", ("21:00", "08:00"), "2026-11-01T08:00-05:00"),
            ("2026-10-31T12:00-04:00", ("09:00", "18:00"), "2026-10-31T19:00-04:00"),  # an hour too many, never one too few
            ("2026-03-07T23:30-05:00", ("21:00", "08:00"), "2026-03-08T09:00-04:00"),
            ("2026-10-31T23:30-04:00", ("21:00", "20:59"), "2026-11-01T19:59-05:00"),
        ],
    )
    def test_nothing_goes_too_early_on_the_day_that_the_clocks_change(self, said: str, hours: tuple[str, str], ends: str) -> None:
        at = datetime.fromisoformat(said)
        until = quiet_until(in_utc(*hours, zone=ZoneInfo("America/New_York"), at=at), round(at.timestamp() * 1000))
        assert until == round(datetime.fromisoformat(ends).timestamp() * 1000)

    def test_they_end_when_they_end(self) -> None:
        nine, day = 21 * 60 * MINUTE, 1440 * MINUTE
        assert quiet_until(None, nine) is None
        assert quiet_until((21 * 60, 8 * 60), nine - 1) is None
        assert quiet_until((21 * 60, 8 * 60), nine) == day + 8 * 60 * MINUTE
        assert quiet_until((21 * 60, 8 * 60), day + 8 * 60 * MINUTE) is None
