"""The sandbox's clock: real time plus an offset that only grows."""

from __future__ import annotations

import heapq
import itertools
import re
import time
from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_ADVANCE_MS = 3650 * DAY_MS
MAX_SLEEP_S = 3600.0

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_DURATION = re.compile(r"(?:[0-9]{1,9}[smhd])+")
_PART = re.compile(r"([0-9]{1,9})([smhd])")


def iso(ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601 UTC with milliseconds and ``Z`` (contract section 13)."""
    # Whole numbers only: a float loses a millisecond now and then.
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(ms: int | None) -> str | None:
    """Like `iso`, keeping ``None``."""
    return None if ms is None else iso(ms)


def parse_iso(text: str) -> int:
    """Read an ISO 8601 time into milliseconds since the epoch; without a zone it is UTC.

    Raises:
        ValueError: the text is no ISO 8601 time, or not between the years 1970 and 9998.
    """
    moment = datetime.fromisoformat(text.strip())
    if not 1970 <= moment.year <= 9998:
        raise ValueError("write a time between the years 1970 and 9998")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, (moment - EPOCH) // timedelta(milliseconds=1))


def parse_duration(text: str) -> int:
    """Read ``"90s"``, ``"5m"``, ``"25h"``, ``"3d"`` or a chain like ``"1h30m"`` into milliseconds.

    Raises:
        ValueError: not such a text, zero, or more than ten years; the message says what to write.
    """
    compact = text.replace(" ", "").lower()
    if not _DURATION.fullmatch(compact):
        raise ValueError('write a forward duration such as "90s", "5m", "25h", "3d" or "1h30m"')
    total = sum(int(count) * _UNITS_MS[unit] for count, unit in _PART.findall(compact))
    if not 0 < total <= MAX_ADVANCE_MS:
        raise ValueError('the clock moves forward only, by more than zero and at most ten years: write for example "25h"')
    return total


class Clock:
    """Real time plus `offset_ms`; every rule of the sandbox reads this one clock."""

    def __init__(self, offset_ms: int = 0) -> None:
        self.offset_ms = offset_ms

    def now_ms(self) -> int:
        """The sandbox's time, in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    def advance(self, ms: int) -> None:
        """Move forward by `ms` milliseconds.

        Raises:
            ValueError: `ms` is not positive or more than ten years.
        """
        if not 0 < ms <= MAX_ADVANCE_MS:
            raise ValueError("the clock moves forward only, by more than zero and at most ten years")
        self.offset_ms += ms


class Timers:
    """Actions that wait for a time of the sandbox's clock.

    An action is given the time it was due, not the time it ran: after a leap of the clock, what should have
    happened in between is judged as of when it should have happened.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        self._handle: TimerHandle | None = None

    def at(self, due_ms: int, action: Callable[[int], None]) -> None:
        """Run `action` once the clock reaches `due_ms`; equal times keep their order."""
        heapq.heappush(self._heap, (due_ms, next(self._order), action))
        if self._heap[0][0] == due_ms:
            self.rearm()

    def rearm(self) -> None:
        """Look again at the clock, after it was moved or a new earliest action came."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap:
            wait = max(0.0, (self._heap[0][0] - self._clock.now_ms()) / 1000)
            self._handle = get_running_loop().call_later(min(wait, MAX_SLEEP_S), self._fire)

    def clear(self) -> None:
        """Forget every action."""
        self._heap.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        self._handle = None
        try:
            now = self._clock.now_ms()
            while self._heap and self._heap[0][0] <= now:
                due_ms, _, action = heapq.heappop(self._heap)
                action(due_ms)
        finally:
            self.rearm()
