"""Durations as people write them: `hours(20)` in code, `"1h30m"` in settings, flows and command lines."""

import re
from datetime import timedelta

_PART = r"(?:([0-9]+(?:\.[0-9]+)?)\s*{unit})?"
_DURATION = re.compile(r"\s*".join(_PART.format(unit=unit) for unit in "dhms"))


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


def parse_duration(text: str) -> timedelta:
    """Read a duration written as numbers with the units d, h, m and s, from large to small.

    Args:
        text: For example "25h", "1h30m", "90s", "3d", "1.5h". Capitals and spaces do not matter.

    Returns:
        The duration, zero or more.

    Raises:
        ValueError: `text` is anything else: empty, without a unit, negative, with a unit twice, too long for timedelta.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise ValueError(f"not a duration: {text[:40]!r}; write a number with d, h, m or s, such as 90s, 25h or 1h30m")
    d, h, m, s = (float(part or 0) for part in found.groups())
    try:
        return timedelta(days=d, hours=h, minutes=m, seconds=s)
    except OverflowError:
        raise ValueError(f"too long a duration: {text[:40]!r}") from None
