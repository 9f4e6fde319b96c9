"""The clock moves forward only; timers run when they are due, and know when that was."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox.clock import MAX_ADVANCE_MS, Clock, Timers, iso, parse_duration, parse_iso
from tests.sandbox.conftest import Api, Receiver


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90s", 90_000), ("5m", 300_000), ("25h", 90_000_000), ("3d", 259_200_000), ("1h30m", 5_400_000), ("1d 2H", 93_600_000)],
)
def test_durations(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "5", "h", "-1h", "0s", "0h0m", "1.5h", "1y", "99999d", "999999999d", "٣h", "1h-2m"])
def test_other_durations_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match='"25h"'):
        parse_duration(text)


@given(st.text(max_size=20))
def test_a_duration_is_positive_and_bounded_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 < parse_duration(text) <= MAX_ADVANCE_MS


@given(st.integers(0, 4_000_000_000_000))
def test_times_survive_a_round_trip(ms: int) -> None:
    assert parse_iso(iso(ms)) == ms
    assert iso(ms).endswith("Z")


@pytest.mark.parametrize("text", ["", "soon", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "1969-12-31"])
def test_times_that_cannot_be_shown_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the standard library words some of these)
        parse_iso(text)


def test_a_clock_never_goes_back() -> None:
    clock = Clock()
    for ms in (0, -1, MAX_ADVANCE_MS + 1):
        with pytest.raises(ValueError, match="forward only"):
            clock.advance(ms)
    assert clock.offset_ms == 0


async def test_timers_run_in_order_of_their_times_and_are_told_them() -> None:
    clock = Clock()
    timers, ran, done = Timers(clock), list[int](), asyncio.Event()
    start = clock.now_ms()

    def note(due_ms: int) -> None:
        ran.append(due_ms - start)
        if len(ran) == 3:
            done.set()

    for hours in (5, 1, 3, 30):
        timers.at(start + hours * 3_600_000, note)
    clock.advance(6 * 3_600_000)
    timers.rearm()
    await asyncio.wait_for(done.wait(), 5)
    assert ran == [3_600_000, 3 * 3_600_000, 5 * 3_600_000]
    timers.clear()


async def test_moving_the_clock_tells_every_active_webhook_before_it_answers(api: Api, receiver: Receiver) -> None:
    before = parse_iso((await api.call("GET", "/sandbox/clock")).json["now"])
    await api.subscribe(receiver.url + "/a", "message.failed")
    idle = await api.subscribe(receiver.url + "/b")
    await api.call("PATCH", f"/v1/webhooks/{idle}", {"active": False})
    await api.as_key("ps_sandbox_evolution").subscribe(receiver.url + "/c")
    answer = await api.advance("25h")
    assert answer.status == 200
    assert answer.json["offsetMs"] == 25 * 3_600_000
    assert [hit.event for hit in receiver.hits] == ["sandbox.clock"] * 2
    data = receiver.hits[0].data
    assert data.keys() == {"id", "now", "offsetMs", "createdAt"}
    assert data["offsetMs"] == 25 * 3_600_000
    assert parse_iso(data["now"]) - before >= 25 * 3_600_000
    assert "x-pilot-status-signature" in receiver.hits[0].headers
    assert (await api.call("GET", "/sandbox/deliveries")).json == []


@pytest.mark.parametrize(
    "body", [{}, {"advance": "-1h"}, {"advance": "0s"}, {"advance": 5}, {"now": "2001-01-01"}, {"now": "x"}, {"back": "1h"}]
)
async def test_a_clock_that_would_go_back_is_refused(api: Api, body: dict[str, object]) -> None:
    answer = await api.call("POST", "/sandbox/clock", body)
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert (await api.call("GET", "/sandbox/clock")).json["offsetMs"] == 0


async def test_the_clock_can_be_set_to_a_later_time(api: Api) -> None:
    later = parse_iso((await api.call("GET", "/sandbox/clock")).json["now"]) + 7_200_000
    answer = await api.call("POST", "/sandbox/clock", {"now": iso(later)})
    assert parse_iso(answer.json["now"]) >= later
