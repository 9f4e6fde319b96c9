"""Durations as people say them."""

from datetime import timedelta

from pilotbot.durations import days, hours, minutes, seconds


def test_the_verbs() -> None:
    assert (seconds(90), minutes(1.5), hours(20), days(7)) == (
        timedelta(seconds=90),
        timedelta(seconds=90),
        timedelta(hours=20),
        timedelta(days=7),
    )
