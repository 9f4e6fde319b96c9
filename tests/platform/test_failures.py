from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.platform import FailureFamily, Family, PlatformError, failure, failure_family, failure_remedy
from pilotbot.platform.codes import AT_POST, DONE_AT_POST, DONE_LATE, LATE, STATUSES
from pilotbot.platform.failures_page import page

PAGE = Path(__file__).parents[2] / "docs" / "failures.md"


@pytest.mark.parametrize(
    ("code", "family"),
    [
        ("META_OUTSIDE_24H_WINDOW", FailureFamily.WINDOW),
        ("META_NO_CONVERSATION", FailureFamily.WINDOW),
        ("META_TEMPLATE_NOT_APPROVED", FailureFamily.PERMANENT),
        ("WHATSAPP_NOT_EXIST", FailureFamily.PERMANENT),
        ("INVALID_DESTINATION", FailureFamily.PERMANENT),
        ("PILOT_SELF_NUMBER", FailureFamily.PERMANENT),
        ("TEMPLATE_VERSION_NOT_FOUND", FailureFamily.PERMANENT),
        ("NUMBER_NOT_FOUND_REMOVED", FailureFamily.PERMANENT),
        ("NUMBER_ANYTHING_ELSE", FailureFamily.PERMANENT),
        ("LINKED_WHATSAPP_INSTANCE_NOT_FOUND", FailureFamily.PERMANENT),
        ("DELIVERED_NOT_CONFIRMED", FailureFamily.POSSIBLY_DELIVERED),
        ("DELIVERY_TIMEOUT", FailureFamily.POSSIBLY_DELIVERED),
        ("EXPIRED_AFTER_ATTEMPTS", FailureFamily.POSSIBLY_DELIVERED),
        ("MESSAGE_EXPIRED", FailureFamily.POSSIBLY_DELIVERED),
        ("NEVER_ATTEMPTED_MAX_AGE_EXCEEDED", FailureFamily.NEVER_ATTEMPTED),
        ("META_RATE_LIMITED", FailureFamily.THROTTLED),
        ("SOMETHING_NEW", FailureFamily.UNKNOWN),
        (None, FailureFamily.UNKNOWN),
    ],
)
def test_family_of_every_late_failure(code: str | None, family: FailureFamily) -> None:
    assert failure_family(code) is family


@given(st.none() | st.text())
def test_any_code_has_a_family_and_a_remedy_without_repeating_it(code: str | None) -> None:
    assert isinstance(failure_family(code), FailureFamily)
    assert failure_remedy(code).endswith(".")
    assert failure_remedy("oi Ana") == failure_remedy("oi Bruno")


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m pilotbot.platform.failures_page > docs/failures.md"


def test_every_family_has_an_exception_of_its_own_and_something_that_is_done() -> None:
    assert set(DONE_AT_POST) == set(Family)
    assert set(DONE_LATE) == set(FailureFamily)
    for family, (name, _) in DONE_AT_POST.items():
        error = PlatformError(family, remedy="Look.")
        assert (type(error).__name__, error.family, isinstance(error, PlatformError)) == (name, family, True)
    assert len({name for name, _ in DONE_AT_POST.values()}) == len(Family)


def test_every_code_has_sentences() -> None:
    for remedy in [remedy for _, remedy in (*AT_POST.values(), *STATUSES.values())]:
        assert remedy.endswith(".")
    for code in (*LATE, "META_RA", "NUMBER_X", "NEW", None):
        assert failure(code).meaning.endswith(".")
        assert failure(code).remedy.endswith(".")
