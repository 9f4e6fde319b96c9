"""Policies: what they take, and how those of calls, routers and bots come together."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot import Cap, Delivery, Policy, Quiet, days, minutes
from pilotbot.replies import DEFAULT

policies = st.builds(
    Policy,
    closed=st.sampled_from([None, "defer", "skip", "fail"]),
    purpose=st.sampled_from([None, "utility", "marketing", "authentication"]),
    quiet=st.sampled_from([None, False, Quiet("21:00", "08:00")]),
    cap=st.sampled_from([None, False, Cap(3, days(7))]),
    answer_within=st.sampled_from([None, False, minutes(10)]),
    opt_in=st.sampled_from([None, "required", "assumed"]),
)


@given(policies, policies, policies)
def test_it_does_not_matter_which_two_are_put_together_first(one: Policy, two: Policy, three: Policy) -> None:
    assert one.over(two).over(three) == one.over(two.over(three))


@given(policies)
def test_nothing_changes_nothing_and_the_defaults_leave_nothing_open(policy: Policy) -> None:
    assert policy.over(None) == policy.over(Policy()) == Policy().over(policy) == policy
    whole = policy.over(DEFAULT)
    assert None not in (whole.closed, whole.purpose, whole.quiet, whole.cap, whole.answer_within, whole.opt_in)


def test_the_inner_one_wins_where_it_says_something_and_no_is_something() -> None:
    outer = Policy(closed="skip", quiet=Quiet("21:00", "08:00"))
    assert Policy(quiet=False).over(outer) == Policy(closed="skip", quiet=False)


A_POLICY: Any = Policy  # that takes anything, as an author who does not check types writes it


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: A_POLICY(closed="maybe"), "closed='maybe'"),
        (lambda: A_POLICY(purpose="fun"), "purpose='fun'"),
        (lambda: A_POLICY(opt_in="no"), "opt_in='no'"),
        (lambda: A_POLICY(quiet="21-08"), 'takes Quiet\\("21:00", "08:00"\\)'),
        (lambda: A_POLICY(cap=3), "takes Cap"),
        (lambda: A_POLICY(answer_within=600), "takes minutes"),
        (lambda: A_POLICY(answer_within=timedelta(0)), "longer than nothing"),
        (lambda: Quiet("9", "10:00"), "not '9'"),
        (lambda: Quiet("24:00", "10:00"), "not '24:00'"),
        (lambda: Quiet("10:00", "10:00"), "the same time"),
        (lambda: Quiet("10:00", "11:00", "Mars/Base"), "'Mars/Base' is no time zone"),
        (lambda: Quiet("10:00", "11:00", "../etc/passwd"), "is no time zone"),
        (lambda: Cap(0, days(1)), "1 to 50"),
        (lambda: Cap(1, timedelta(seconds=1)), "a minute to 90 days"),
        (lambda: Delivery(at=datetime(2026, 1, 1)), "needs a time zone"),  # noqa: DTZ001 - that is the mistake
        (lambda: Delivery(labels="vip"), "labels is a list"),
        (lambda: Delivery(labels=[" "]), "not blank"),
        (lambda: Delivery(at=datetime(2026, 1, 2, tzinfo=UTC), until=datetime(2026, 1, 2, tzinfo=UTC)), "is after"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(make: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        make()
