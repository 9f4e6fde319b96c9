"""How long to wait before the next attempt: pure functions over plain values (contract section 10)."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

RETRY_AFTER_MAX: Final = 3600.0

_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_EXPONENT_MAX: Final = 32


def backoff(
    attempt: int,
    *,
    base: float = 1.0,
    cap: float = 60.0,
    retry_after: float | None,
    random: Callable[[], float],
) -> float:
    """Return the seconds to wait after attempt number `attempt` (0 is the first) has failed.

    Exponential with full jitter: anywhere between 0 and min(`cap`, `base` * 2**`attempt`). When the platform asked for
    `retry_after` seconds, that long and up to `base` more, so that those who were told the same do not come back at
    the same moment. `random` returns a float in [0, 1).
    """
    if retry_after is not None:
        return retry_after + random() * base
    return random() * min(cap, base * 2.0 ** min(attempt, _EXPONENT_MAX))


def retry_after(headers: Mapping[str, str], body: object, now: float) -> float | None:
    """Return the seconds that an answer asks to wait, from 0 to 3600, or None when it asks for nothing readable.

    Reads the header `Retry-After` (seconds, or an HTTP date measured against `now`, in Unix seconds), else the key
    `retryAfterSeconds` of the decoded `body`. `headers` finds names in lower case or without regard to case.
    """
    asked = _from_header(headers.get("retry-after", ""), now)
    if asked is None and isinstance(body, dict):
        asked = _from_body(body.get("retryAfterSeconds"))
    return None if asked is None else min(max(asked, 0.0), RETRY_AFTER_MAX)


def _from_header(value: str, now: float) -> float | None:
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _from_body(value: object) -> float | None:
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = float(min(max(value, 0), RETRY_AFTER_MAX))  # bounded first: an int may be too large for a float
    return None if math.isnan(seconds) else seconds
