"""Something that holds up the event loop is seen, once, with its place and without values."""

import asyncio
import logging
import sysconfig
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from traceback import FrameSummary

import pytest

import pilotbot
from pilotbot.server.watchdog import BEAT, LIMIT, Watchdog, blocked, idle, place

OURS = str(Path(pilotbot.__file__).parent / "routing" / "dispatch.py")
STDLIB = str(Path(sysconfig.get_path("stdlib")) / "selectors.py")
LIBRARY = str(Path(sysconfig.get_path("purelib")) / "requests" / "api.py")


def stack(*frames: tuple[str, str]) -> list[FrameSummary]:
    """A stack, innermost first."""
    return [FrameSummary(file, line, name) for line, (file, name) in enumerate(frames, 1)]


class TestPlace:
    @pytest.mark.parametrize(
        ("frames", "expected"),
        [
            ([("/shop/bot.py", "slow"), ("/shop/bot.py", "order"), (OURS, "call")], "/shop/bot.py:1 slow"),
            ([(STDLIB, "select"), (LIBRARY, "get"), ("/shop/bot.py", "order"), (OURS, "call")], "/shop/bot.py:3 order"),
            ([(LIBRARY, "get"), (LIBRARY, "handler"), (OURS, "call")], f"{LIBRARY}:1 get"),  # a bot that is installed
            ([(OURS, "decode"), (STDLIB, "run"), ("/shop/main.py", "main")], f"{OURS}:1 decode"),  # our own fault
            ([("<string>", "made"), ("/shop/bot.py", "order"), (OURS, "call")], "/shop/bot.py:2 order"),
            ([], "an unknown place"),
        ],
    )
    def test_it_is_the_authors_innermost_line(self, frames: list[tuple[str, str]], expected: str) -> None:
        assert place(stack(*frames)) == expected

    def test_a_loop_that_waits_is_told_from_a_handler_that_does(self) -> None:
        assert idle(stack((STDLIB, "select"), ("base_events.py", "_run_once")))
        assert not idle(stack((STDLIB, "select"), ("subprocess.py", "_communicate"), ("/shop/bot.py", "order")))
        assert not idle([])


class TestBlocked:
    @pytest.mark.parametrize(
        ("silence", "slept", "worked", "expected"),
        [
            (LIMIT, BEAT, 0.0, True),
            (LIMIT - 0.01, BEAT, BEAT, False),
            (5.0, 5.0, 1.0, True),  # code that lets no other thread run, such as a regular expression
            (5.0, 5.0, 0.1, False),  # the process was stopped, or the machine gave it no time
        ],
    )
    def test_by_table(self, silence: float, slept: float, worked: float, expected: bool) -> None:
        assert blocked(silence, slept, worked) is expected


@pytest.fixture
async def watchdog() -> AsyncIterator[Watchdog]:
    dog = Watchdog(Counter())
    dog.start()
    yield dog
    dog.stop()
    assert "pilotbot-watchdog" not in {thread.name for thread in threading.enumerate()}


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.endswith("watchdog")]


async def ticked(watchdog: Watchdog) -> None:
    """Wait until the loop has ticked."""
    before = watchdog._beat
    async with asyncio.timeout(20):
        while watchdog._beat == before:  # noqa: ASYNC110 - as anything that awaits
            await asyncio.sleep(0.01)


def wait_for_it(secret: str) -> None:
    time.sleep(LIMIT + 3 * BEAT)


async def test_each_block_is_told_once_with_its_place(watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    for blocks in (1, 2):
        wait_for_it("a secret")
        await ticked(watchdog)
        assert watchdog._counts["loop:blocked"] == blocks
        assert len(told(caplog)) == blocks
    assert f"{Path(__file__)}:" in told(caplog)[0]
    assert " wait_for_it;" in told(caplog)[0]
    assert "secret" not in caplog.text
    assert caplog.records[0].levelno == logging.ERROR
    assert watchdog.lag >= LIMIT


async def test_what_awaits_is_no_block(watchdog: Watchdog, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(round(LIMIT / BEAT) + 3):
        await ticked(watchdog)
    assert (told(caplog), watchdog._counts["loop:blocked"]) == ([], 0)
