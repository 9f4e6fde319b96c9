from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.platform import backoff, retry_after
from pilotbot.platform.retry import RETRY_AFTER_MAX

NOW = 1_795_000_000.0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0.01, 10), st.floats(10, 600))
def test_backoff_stays_between_nothing_and_the_cap(attempt: int, luck: float, base: float, cap: float) -> None:
    wait = backoff(attempt, base=base, cap=cap, retry_after=None, random=lambda: luck)
    assert 0 <= wait <= min(cap, base * 2.0 ** min(attempt, 40))


@given(st.integers(0, 100), st.floats(0, 1, exclude_max=True), st.floats(0, 3600))
def test_backoff_never_comes_back_before_it_was_told(attempt: int, luck: float, asked: float) -> None:
    assert asked <= backoff(attempt, retry_after=asked, random=lambda: luck) <= asked + 1


def test_backoff_doubles_up_to_the_cap() -> None:
    assert [backoff(n, retry_after=None, random=lambda: 1.0) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        (None, None, None),
        ("7", None, 7.0),
        (" 1.5 ", None, 1.5),
        ("99999999", None, 3600.0),
        (formatdate(NOW + 90, usegmt=True), None, 90.0),
        (formatdate(NOW - 90, usegmt=True), None, 0.0),
        ("Fri, 99 Foo", None, None),
        ("nan", None, None),
        ("-5", None, None),
        ("soon", {"retryAfterSeconds": 3}, 3.0),
        ("2", {"retryAfterSeconds": 3}, 2.0),
        (None, {"retryAfterSeconds": "4"}, 4.0),
        (None, {"retryAfterSeconds": 2.5}, 2.5),
        (None, {"retryAfterSeconds": -2}, 0.0),
        (None, {"retryAfterSeconds": 10**400}, 3600.0),
        (None, {"retryAfterSeconds": float("nan")}, None),
        (None, {"retryAfterSeconds": True}, None),
        (None, {"retryAfterSeconds": None}, None),
        (None, ["retryAfterSeconds"], None),
    ],
)
def test_retry_after_is_read_from_header_or_body(header: str | None, body: object, expected: float | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    assert retry_after(headers, body, NOW) == expected


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=2))


@given(st.text(max_size=40), st.one_of(json_values, st.builds(dict, retryAfterSeconds=json_values)))
def test_retry_after_survives_anything(header: str, body: object) -> None:
    asked = retry_after({"retry-after": header}, body, NOW)
    assert asked is None or 0 <= asked <= RETRY_AFTER_MAX
