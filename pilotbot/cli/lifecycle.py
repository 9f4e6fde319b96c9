"""How a command that stays up runs and ends: until SIGINT or SIGTERM, which let it finish what is under way."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on the quickest loop there is, to its end or to the first signal, which cancels it.

    A second signal changes nothing: `make` passes on what the process group got already, and the way out is bounded.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_until_signal(work))


async def forever() -> None:
    """Wait for the signal."""
    await asyncio.Event().wait()


async def end_of_input() -> None:
    """Wait until whoever holds the other end of our standard input is gone, however it ended."""
    ended = asyncio.Event()

    def look() -> None:
        if not os.read(0, 1024):
            ended.set()

    loop = asyncio.get_running_loop()
    loop.add_reader(0, look)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(0)


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            task.cancel()

    if sys.platform != "win32":
        for name in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(name, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - it does not exist everywhere
    except ImportError:
        return None
    return uvloop.new_event_loop
