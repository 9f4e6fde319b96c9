"""Spans of time as options take them."""

from datetime import timedelta

from pilotbot.cli.failures import Failed

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def span_of(option: str, text: str) -> timedelta:
    """`90m`, `25h` or `3d`. Raises Failed for anything else."""
    if not text[:-1].isdecimal() or text[-1:] not in UNITS or not 0 < int(text[:-1]) < 10_000:
        raise Failed(f"{option} {text} is no span of time; write one such as 90m, 25h or 3d")
    return timedelta(**{UNITS[text[-1]]: int(text[:-1])})
