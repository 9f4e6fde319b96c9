"""How a command that stays up ends."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator

import pytest

from pilotbot.cli import lifecycle


def test_work_ends_by_itself_or_with_its_error() -> None:
    async def work(error: Exception | None) -> None:
        if error:
            raise error

    lifecycle.run(work(None))
    with pytest.raises(LookupError):
        lifecycle.run(work(LookupError()))


@pytest.fixture(autouse=True)
def _no_nohup() -> Iterator[None]:
    """Whoever runs the tests may have the end of a terminal ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_under_nohup_the_end_of_the_terminal_is_ignored() -> None:
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        for _ in range(1000):  # turns of the loop, in which it would arrive
            await asyncio.sleep(0)
        done.append("finished")

    done: list[str] = []
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    lifecycle.run(work())
    assert done == ["finished"]


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_it_finish_and_a_second_one_does_not_cut_that_short(name: signal.Signals) -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), name)
            await lifecycle.forever()
        finally:
            os.kill(os.getpid(), name)
            for _ in range(1000):  # turns of the loop, in which the second signal arrives
                await asyncio.sleep(0)
            done.append("finished")

    lifecycle.run(work())
    assert done == ["finished"]


def test_a_cancellation_that_is_not_the_signals_is_not_hidden() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        lifecycle.run(work())


def test_what_does_not_end_is_left_behind_once_the_work_is_done() -> None:
    """A thread of an author's, which nobody can end: the process does not wait for it."""
    source = """
import asyncio, os, signal, threading
from pilotbot.cli import lifecycle
async def work():
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    os.kill(os.getpid(), signal.SIGTERM)
    await lifecycle.forever()
lifecycle.run(work())
"""
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, "left behind" in ended.stderr) == (0, True)


async def test_a_child_that_takes_no_notice_is_killed() -> None:
    source = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", source, stdout=PIPE)
    assert child.stdout is not None
    await child.stdout.readline()
    assert await lifecycle.end(child, patience=0.1) == -signal.SIGKILL
    assert await lifecycle.end(child) == -signal.SIGKILL  # and whoever ended already is told of, too
