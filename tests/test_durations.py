"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.durations import days, hours, minutes, parse_duration, seconds


def test_the_verbs() -> None:
    assert (seconds(90), minutes(1.5), hours(20), days(7)) == (
        timedelta(seconds=90),
        timedelta(seconds=90),
        timedelta(hours=20),
        timedelta(days=7),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("25h", hours(25)), ("1h30m", minutes(90)), ("90s", seconds(90)), ("3d", days(3)), (" 1D 2H ", hours(26)), ("1.5h", minutes(90)),
     ("0s", seconds(0))],
)  # fmt: skip
def test_what_is_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "h", "25", "-1h", "1x", "1h1h", "30m1h", "1h 30", "one hour", "1.h", ".5h", "\u0661h", "9" * 400 + "d", "1e9d", "nan"]
)
def test_what_is_refused_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 90s, 25h or 1h30m|too long a duration"):
        parse_duration(text)


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_the_parts_add_up(d: int, h: int, m: int, s: int) -> None:
    assert parse_duration(f"{d}d{h}h{m}m{s}s") == timedelta(days=d, hours=h, minutes=m, seconds=s)
