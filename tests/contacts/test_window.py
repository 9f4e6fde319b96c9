"""The 24-hour window (contract 7; design 3.5, 3.10, 6)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts import MARGIN, WINDOW, Window, opened_by, window

NOW = 1_795_190_401_000
TIMES = st.integers(0, 2 * NOW)


def moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def test_a_day_is_a_day() -> None:
    assert (WINDOW, MARGIN) == (86_400_000, 120_000)


def test_it_opens_when_the_contact_writes_and_closes_a_margin_early() -> None:
    assert window(enforced=True, last_inbound=NOW, now=NOW) == Window(
        "open", datetime(2026, 11, 21, 15, 58, 1, tzinfo=UTC), datetime(2026, 11, 21, 16, 0, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize(("after", "state"), [(0, "open"), (WINDOW - MARGIN - 1, "open"), (WINDOW - MARGIN, "closed"), (WINDOW, "closed")])
def test_the_edges(after: int, state: str) -> None:
    assert window(enforced=True, last_inbound=NOW, now=NOW + after).state == state


def test_without_a_margin_it_closes_at_the_edge() -> None:
    assert window(enforced=True, last_inbound=NOW, now=NOW + WINDOW - 1, margin=0).state == "open"
    assert window(enforced=True, last_inbound=NOW, now=NOW + WINDOW, margin=0).state == "closed"


def test_a_contact_who_never_wrote_has_never_opened_it() -> None:
    assert window(enforced=True, last_inbound=None, shut_at=NOW, now=NOW) == Window("never")


@given(st.none() | TIMES, st.none() | TIMES)
def test_a_chat_without_a_window_is_always_free(last_inbound: int | None, shut_at: int | None) -> None:
    found = window(enforced=False, last_inbound=last_inbound, shut_at=shut_at, now=NOW)
    assert (found, found.free, found.remaining(moment(NOW))) == (Window("none"), True, None)


def test_a_refusal_shuts_it_until_the_contact_writes_again() -> None:
    assert window(enforced=True, last_inbound=NOW, shut_at=NOW, now=NOW + 1) == Window("closed")
    assert window(enforced=True, last_inbound=NOW + 1, shut_at=NOW, now=NOW + 1).state == "open"


@given(TIMES, st.none() | TIMES, TIMES, st.integers(0, WINDOW))
def test_free_form_never_starts_outside_the_true_window(last_inbound: int, shut_at: int | None, now: int, margin: int) -> None:
    found = window(enforced=True, last_inbound=last_inbound, shut_at=shut_at, now=now, margin=margin)
    assert found.free == (now < last_inbound + WINDOW - margin and (shut_at is None or shut_at < last_inbound))
    remaining = found.remaining(moment(now))
    assert remaining is not None
    assert (remaining > timedelta(0)) == found.free
    later = now + remaining // timedelta(milliseconds=1)
    assert window(enforced=True, last_inbound=last_inbound, shut_at=shut_at, now=later, margin=margin).free is False
    assert found.remaining(moment(later + 1)) == timedelta(0)


@given(st.none() | TIMES, TIMES)
def test_no_timestamp_opens_it_from_the_future(event_at: int | None, now: int) -> None:
    opened = opened_by(event_at, now)
    assert opened <= now
    assert opened == (now if event_at is None or event_at > now else event_at)
