"""Durations as people say them: `hours(20)`."""

from datetime import timedelta


def seconds(n: float) -> timedelta:
    """Return `n` seconds."""
    return timedelta(seconds=n)


def minutes(n: float) -> timedelta:
    """Return `n` minutes."""
    return timedelta(minutes=n)


def hours(n: float) -> timedelta:
    """Return `n` hours."""
    return timedelta(hours=n)


def days(n: float) -> timedelta:
    """Return `n` days."""
    return timedelta(days=n)
