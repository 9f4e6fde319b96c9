"""How a command that stays up runs and ends: until SIGINT, SIGTERM or SIGHUP, which let it finish what is under way."""

import asyncio
import logging
import os
import signal
import sys
import threading
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOP_PATIENCE = 30.0  # seconds that a child has to end; more than what a stop takes
LETTING_GO = 1.0  # seconds that threads and tasks of others have to end, once the work is done


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` on the quickest loop there is, to its end or to the first signal, which cancels it.

    A second signal changes nothing: `make` passes on what the process group got already, and the way out is bounded: what an author's
    code has begun and does not end, in a thread or in spite of being cancelled, ends with the process.
    """
    leave = threading.Timer(LETTING_GO, _leave)
    leave.daemon = True
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            if runner.run(_until_signal(work)):
                leave.start()
    finally:
        leave.cancel()


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


async def end(child: Process, patience: float = STOP_PATIENCE) -> int:
    """Have a child finish what is under way, and end it after `patience` seconds. Returns its exit code."""
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        return await asyncio.wait_for(child.wait(), patience)
    except TimeoutError:
        log.error("process %d did not end within %.0f s and is killed", child.pid, patience)  # noqa: TRY400 - told, not traced
        child.kill()
        return await child.wait()


async def _until_signal(work: Coroutine[Any, Any, None]) -> bool:
    """Do `work`; whether a signal ended it."""
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            log.info("stopping: what is under way is finished, in 25 s at most")
            task.cancel()

    if sys.platform != "win32":
        # The terminal that is closed says so too, but where `nohup` has it ignored.
        heard = SIGNALS if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*SIGNALS, signal.SIGHUP)
        for name in heard:
            asyncio.get_running_loop().add_signal_handler(name, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    return stopped


def _leave() -> None:
    log.warning("something that does not end was left behind")
    sys.stdout.flush()
    os._exit(0)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - it does not exist everywhere
    except ImportError:
        return None
    return uvloop.new_event_loop
