"""Sees that something holds up the event loop, and says where: while it does, nothing else of this process goes on."""

import asyncio
import logging
import sys
import sysconfig
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

LIMIT: Final = 1.0
"""Seconds without a tick after which the loop counts as blocked."""

BEAT: Final = 0.25  # seconds between ticks, and between looks at them
PACKAGE: Final = Path(__file__).parent.parent
LIBRARIES: Final = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


class Watchdog:
    """Watches the running event loop from a thread of its own. `counts` is told of each block, by the loop itself.

    `lag` is the longest time that a tick was late, in seconds.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.lag = 0.0
        self._counts = counts
        self._beat = time.monotonic()
        self._seen = False
        self._timer: asyncio.TimerHandle | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch the loop that this is called on."""
        self._tick(asyncio.get_running_loop())
        self._thread = threading.Thread(target=self._watch, args=(threading.get_ident(),), name="pilotbot-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        if self._timer is not None:
            self.lag = max(self.lag, now - self._beat - BEAT)
        if self._seen:
            self._seen = False
            self._counts["loop:blocked"] += 1
        self._beat = now
        self._timer = loop.call_later(BEAT, self._tick, loop)

    def _watch(self, watched: int) -> None:
        """In the watchdog's thread: look at the ticks until the end."""
        awake, busy, told = time.monotonic(), time.process_time(), 0.0
        while not self._ended.wait(BEAT):
            slept, worked = time.monotonic() - awake, time.process_time() - busy
            awake, busy = awake + slept, busy + worked
            beat = self._beat
            if beat == told or not blocked(awake - beat, slept, worked):
                continue
            frame = sys._current_frames().get(watched)  # noqa: SLF001 - what it is there for
            stack = traceback.extract_stack(frame)[::-1] if frame is not None else []
            if not idle(stack):
                told, self._seen = beat, True
                log.error(
                    "the event loop is blocked, %.1f s so far: %s; no other chat goes on, await or use a thread there",
                    awake - beat,
                    place(stack),
                )


def blocked(silence: float, slept: float, worked: float) -> bool:
    """Whether a loop without a tick for `silence` seconds is blocked, and not the whole process stopped.

    `slept` is how long the watchdog's own short sleep took, `worked` how much of the processor the process had meanwhile: who sleeps too
    long while the process works was held up by the same as the loop. All in seconds.
    """
    return silence >= LIMIT and (slept < LIMIT or worked >= LIMIT / 2)


def idle(stack: Sequence[traceback.FrameSummary]) -> bool:
    """Whether a stack, innermost first, is that of a loop that waits for something to do: it is about to tick."""
    return [frame.name for frame in stack[:2]] == ["select", "_run_once"]


def place(stack: Sequence[traceback.FrameSummary]) -> str:
    """Where in the author's code a stack is, innermost first: the innermost frame that is neither the framework's nor a library's, of
    those that the framework called; else the innermost of all.
    """
    inner: list[traceback.FrameSummary] = []
    for frame in stack:
        if Path(frame.filename).is_relative_to(PACKAGE):
            break
        inner.append(frame)
    found = [frame for frame in inner if not _library(frame.filename)] or inner or stack
    return f"{found[0].filename}:{found[0].lineno} {found[0].name}" if found else "an unknown place"


def _library(filename: str) -> bool:
    return filename.startswith("<") or any(Path(filename).is_relative_to(folder) for folder in LIBRARIES)
