import itertools
from datetime import UTC, datetime

import pytest

from pilotbot.replies import (
    ClosedPolicy,
    Deferred,
    Destination,
    Message,
    Queued,
    Skipped,
    Template,
    choose,
    forecast,
    render,
    window_enforced,
)

ANA = Destination("contact", "+5511987650001")
TABLE = [  # free, template, window binds, window open -> goes as (None: the policy)
    ("yes", "any", "no", "any", "free"),
    ("yes", "any", "yes", "yes", "free"),
    ("no", "yes", "any", "any", "template"),
    ("any", "yes", "yes", "no", "template"),
    ("yes", "no", "yes", "no", None),
    ("no", "no", "any", "any", "fail"),
]
POLICIES: tuple[ClosedPolicy, ...] = ("defer", "skip", "fail")


def test_the_documented_table_has_one_answer_for_every_case_and_choose_gives_it() -> None:
    for case in itertools.product((True, False), repeat=4):
        words = ["yes" if value else "no" for value in case]
        rows = [row for row in TABLE if all(cell in ("any", word) for cell, word in zip(row, words, strict=False))]
        assert len({row[4] for row in rows}) == 1, case
        for policy in POLICIES:
            free, template, enforced, is_open = case
            goes = choose(has_free=free, has_template=template, enforced=enforced, window_open=is_open, closed_policy=policy)
            assert goes == (rows[0][4] or policy), case


def test_the_window_binds_meta_numbers_writing_to_contacts_only() -> None:
    group, channel = Destination("group", "1@g.us"), Destination("newsletter", "1@newsletter")
    assert window_enforced("meta", ANA)
    assert not window_enforced("meta", group)
    assert not window_enforced("evolution_v2", ANA)
    assert not window_enforced("evolution_go", ANA)
    assert not window_enforced("meta", channel)


def test_a_destination_does_not_show_its_number() -> None:
    assert "98765" not in repr(ANA)


@pytest.mark.parametrize(
    ("message", "is_open", "policy", "expected"),
    [
        (Message("Hi", options=["Yes"]), True, "defer", Queued("buttons")),
        (Message("Hi", template=Template("follow_up")), False, "defer", Queued("template")),
        (Message(template=Template("follow_up")), True, "defer", Queued("template")),
        (Message("Hi"), False, "defer", Deferred(datetime(2026, 11, 23, tzinfo=UTC))),
    ],
)
def test_forecast(message: Message, is_open: bool, policy: ClosedPolicy, expected: object) -> None:
    rendered = render(message, to=ANA, kind="meta")
    until = datetime(2026, 11, 23, tzinfo=UTC)
    assert forecast(rendered, enforced=True, window_open=is_open, closed_policy=policy, until=until) == expected


@pytest.mark.parametrize("policy", ["skip", "fail"])
def test_a_skip_says_why_and_what_to_do(policy: ClosedPolicy) -> None:
    rendered = render("Hi", to=ANA, kind="meta")
    skipped = forecast(rendered, enforced=True, window_open=False, closed_policy=policy)
    assert isinstance(skipped, Skipped)
    assert "no template is given: add one" in skipped.reason
    assert skipped.failed == (policy == "fail")


def test_a_skip_for_a_broken_template_names_its_problem() -> None:
    rendered = render(Message("Hi", template=Template("order_status", x="{{ x }}")), to=ANA, kind="meta")
    skipped = forecast(rendered, enforced=True, window_open=False, closed_policy="skip")
    assert isinstance(skipped, Skipped)
    assert "no value for x" in skipped.reason
