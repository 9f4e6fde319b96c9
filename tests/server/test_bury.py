"""What a dead letter tells of an exception: its author's frames, what it came from, and its words; bounded."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotbot.routing.dispatch import Routes
from pilotbot.server.turn import TRACE_MOST, _trace

HERE = Path(__file__).name


def plain() -> None:
    raise ValueError("no such order")


def chained() -> None:
    try:
        plain()
    except ValueError as error:
        raise LookupError("the order is gone") from error


def grouped() -> None:
    found = []
    for fails in (plain, chained):
        try:
            fails()
        except Exception as error:  # noqa: BLE001 - to group it
            found.append(error)
    raise ExceptionGroup("two at once", found)


def endless() -> None:
    raise ValueError("x" * 100_000)


def through_the_framework() -> None:
    Routes.wants(object(), int)  # type: ignore[arg-type]


def told(fails: Callable[[], None]) -> str:
    try:
        fails()
    except Exception as error:  # noqa: BLE001 - as a turn does
        return _trace(error)
    raise AssertionError("it did not fail")


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (plain, ["ValueError: no such order"]),
        (chained, ["ValueError: no such order", "direct cause", "LookupError: the order is gone"]),
        (grouped, ["two at once (2 sub-exceptions)", "ValueError: no such order", "LookupError: the order is gone"]),
    ],
)
def test_the_whole_story_is_told_in_order(fails: Callable[[], None], words: list[str]) -> None:
    trace = told(fails)
    assert re.search(".*".join(map(re.escape, words)), trace, re.DOTALL)
    assert f'{HERE}", line' in trace
    assert ", in plain" in trace


def test_the_framework_s_own_frames_are_left_out() -> None:
    trace = told(through_the_framework)
    assert ", in through_the_framework" in trace
    assert "dispatch.py" not in trace
    assert "AttributeError" in trace


def test_it_is_bounded_and_keeps_the_end() -> None:
    assert len(told(endless)) == TRACE_MOST
