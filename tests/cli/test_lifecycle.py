"""How a command that stays up ends."""

import asyncio
import os
import signal

import pytest

from pilotbot.cli import lifecycle


def test_work_ends_by_itself_or_with_its_error() -> None:
    async def work(error: Exception | None) -> None:
        if error:
            raise error

    lifecycle.run(work(None))
    with pytest.raises(LookupError):
        lifecycle.run(work(LookupError()))


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
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
