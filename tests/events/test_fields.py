"""Single fields of untrusted objects."""

import time as clock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events.fields import flag, identifier, mapping, mappings, number, text, time

AT = 1_795_190_401_000


@pytest.mark.parametrize(
    "value",
    ["2026-11-20T16:00:01Z", "2026-11-20T16:00:01.000Z", "2026-11-20T16:00:01", "2026-11-20T13:00:01-03:00", "2026-11-20T16:00:01.0009999Z",
     AT, AT // 1000, str(AT), str(AT // 1000), float(AT)],
)  # fmt: skip
def test_the_forms_of_a_time(value: object) -> None:
    assert time({"createdAt": value}, "createdAt") == AT


def test_a_time_without_an_offset_is_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "America/Sao_Paulo")
        clock.tzset()
        assert time({"at": "2026-11-20T16:00:01"}, "at") == AT
    clock.tzset()


def test_fractions_are_exact() -> None:
    assert time({"at": "2026-11-20T16:00:01.114Z"}, "at") == AT + 114


@pytest.mark.parametrize(
    "value", [None, True, "", "yesterday", "2026-13-40T00:00:00Z", "1969-12-31T23:59:59Z", -1, 1e300, 10**18, "9" * 30, {}, []]
)
def test_an_unreadable_time_is_none(value: object) -> None:
    assert time({"createdAt": value}, "createdAt") is None


def test_the_first_readable_time_counts() -> None:
    assert time({"createdAt": "soon", "receivedAt": AT}, "createdAt", "receivedAt") == AT


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), (5, "5"), ("", None), (None, None), (True, None), (1.5, None), ({}, None), (["a"], None)]
)
def test_text(value: object, expected: str | None) -> None:
    assert text({"x": value}, "missing", "x") == expected


def test_an_id_too_long_for_a_key_is_none() -> None:
    assert identifier({"a": "x" * 256, "b": "y"}, "a", "b") == "y"
    assert identifier({"a": "x" * 255}, "a") == "x" * 255


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        ("-5", -5),
        (5.9, 5),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        ("x", None),
        ("²", None),
        (None, None),
    ],
)
def test_number(value: object, expected: int | None) -> None:
    assert number({"x": value}, "x") == expected


@pytest.mark.parametrize(("value", "expected"), [(True, True), ("true", True), ("FALSE", False), (None, None), (1, None), ("yes", None)])
def test_flag(value: object, expected: bool | None) -> None:
    assert flag({"x": value}, "x") is expected


def test_objects_and_lists_of_them() -> None:
    assert mapping({"x": [1]}, "x") == {}
    assert mappings({"x": [1, {"a": 1}, None]}, "x") == [{"a": 1}]
    assert mappings({"x": {"a": 1}}, "x") == []


@given(st.text())
def test_no_text_crashes_a_reader(value: str) -> None:
    data = {"x": value}
    assert time(data, "x") is None or time(data, "x", "x") == time(data, "x")
    assert number(data, "x") is None or isinstance(number(data, "x"), int)
