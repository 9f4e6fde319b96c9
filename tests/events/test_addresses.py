"""The normal form of what the wire calls an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events import normal_address

ANA = "+5511987650001"


@pytest.mark.parametrize(
    "raw",
    [
        ANA,
        "5511987650001",
        " +55 (11) 98765-0001 ",
        "5511987650001@s.whatsapp.net",
        "5511987650001:12@s.whatsapp.net",
        "5511987650001@c.us",
    ],
)
def test_a_phone_number_has_one_spelling(raw: str) -> None:
    assert normal_address(raw) == ANA


@pytest.mark.parametrize(
    "raw", ["BR.1234567890", "120363000000000001@g.us", "120363000000000099@newsletter", "98765432101234@lid", "123", "@ana"]
)
def test_other_forms_are_kept(raw: str) -> None:
    assert normal_address(raw) == raw


def test_the_device_of_a_lid_is_not_the_person() -> None:
    assert normal_address("98765432101234:7@lid") == "98765432101234@lid"


@pytest.mark.parametrize("raw", ["", "  ", "status@broadcast", "x" * 201])
def test_what_is_nobody_is_empty(raw: str) -> None:
    assert normal_address(raw) == ""


@given(st.text())
def test_it_is_total_and_idempotent(raw: str) -> None:
    assert normal_address(normal_address(raw)) == normal_address(raw)
