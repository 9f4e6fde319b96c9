"""What happens to a message, decided by pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox.records import Message, MetaStatus, Number, Template, TemplateVersion
from pilotbot.sandbox.rules import (
    WINDOW_MS,
    check_variables,
    contact_key,
    fill,
    idempotency_key_fault,
    late_failure,
    template_variables,
    version_to_send,
    window_closes,
    window_failure,
)
from pilotbot.sandbox.settings import EVOLUTION, META

NOW = 1_800_000_000_000
TEXT = Message("m1", 1, META.id, "out", "+5511987650001", "contact", "text", "text", "QUEUED", NOW)


def template(*statuses: MetaStatus) -> Template:
    versions = tuple(TemplateVersion({"body": {"text": f"v{n} {{{{name}}}}"}}, status, NOW) for n, status in enumerate(statuses, 1))
    return Template("t1", META.id, "welcome", "UTILITY", "pt_BR", versions)


def code(message: Message, number: Number = META, last: int | None = NOW, item: Template | None = None) -> str | None:
    failure = late_failure(message, number=number, template=item, last_inbound_ms=last, now_ms=NOW, unreachable=("+5511900000000",))
    return failure.code if failure else None


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (None, "META_NO_CONVERSATION"),
        (NOW - WINDOW_MS, "META_OUTSIDE_24H_WINDOW"),
        (NOW - WINDOW_MS + 1, None),
        (NOW, None),
    ],
)
def test_the_window_of_a_meta_number(last: int | None, expected: str | None) -> None:
    assert code(TEXT, last=last) == expected
    assert code(TEXT, number=EVOLUTION, last=last) is None


@given(st.integers(0, 3 * WINDOW_MS))
def test_a_window_closes_when_it_says(age: int) -> None:
    closes = window_closes(META, NOW - age)
    assert closes is not None
    assert (window_failure(META, NOW - age, NOW) is None) == (closes > NOW)


def test_templates_ignore_the_window_but_must_be_approved() -> None:
    sent = replace(TEXT, template_id="t1", mode="template")
    assert code(sent, last=None, item=template("APPROVED")) is None
    assert code(sent, last=None, item=template("APPROVED", "PENDING")) == "META_TEMPLATE_NOT_APPROVED"
    assert code(sent, last=None, item=None) == "TEMPLATE_VERSION_NOT_FOUND"
    assert code(sent, number=EVOLUTION, item=template("REJECTED")) is None


def test_expiry_and_numbers_without_whatsapp_come_first() -> None:
    assert code(replace(TEXT, deliver_until_ms=NOW - 1)) == "MESSAGE_EXPIRED"
    assert code(replace(TEXT, deliver_until_ms=NOW)) is None
    assert code(replace(TEXT, contact="+5511900000000"), number=EVOLUTION) == "WHATSAPP_NOT_EXIST"


def test_groups_have_no_window() -> None:
    assert code(replace(TEXT, contact="1@g.us", chat_kind="group"), last=None) is None


def test_the_newest_approved_version_is_sent() -> None:
    newest = version_to_send(template("APPROVED", "APPROVED", "REJECTED"), META)
    assert newest is not None
    assert newest.components == {"body": {"text": "v2 {{name}}"}}
    assert version_to_send(template("PENDING"), META) is None
    assert version_to_send(template("PENDING"), EVOLUTION) is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+5511987650001", "+551187650001", True),
        ("+5511987650001", "+5511987650002", False),
        ("+5511387650001", "+551187650001", False),
        ("+5511934567890", "+551134567890", False),
        ("120363000000000001@g.us", "120363000000000001@g.us", True),
    ],
)
def test_a_brazilian_mobile_is_one_contact_with_and_without_the_ninth_digit(one: str, other: str, same: bool) -> None:
    assert (contact_key(one) == contact_key(other)) is same


@given(st.from_regex(r"\+[1-9]\d{6,14}", fullmatch=True))
def test_a_contact_key_is_stable(phone: str) -> None:
    assert contact_key(contact_key(phone)) == contact_key(phone)


def test_variables_are_found_once_each_in_order() -> None:
    components: dict[str, object] = {
        "header": {"text": "{{b}}"},
        "body": {"text": "{{a}} {{ b }} {{c}}"},
        "buttons": [{"type": "URL", "url": "https://x.example/{{d}}"}, "junk"],
    }
    assert template_variables(components) == ("b", "a", "c", "d")


@given(st.dictionaries(st.sampled_from("abc"), st.one_of(st.text(), st.integers(), st.none())))
def test_variables_pass_only_when_all_are_texts(given_: dict[str, object]) -> None:
    missing, wrong = check_variables(("a", "b"), given_)
    fine = all(isinstance(value, str) and value.strip() for value in (given_.get("a"), given_.get("b")))
    assert (not missing and not wrong) == fine


@given(st.text(), st.text())
def test_a_value_is_never_read_as_a_template(one: str, two: str) -> None:
    assert fill("{{a}}|{{b}}", {"a": one, "b": two}) == f"{one}|{two}"


@pytest.mark.parametrize(
    ("key", "fine"),
    [("a", True), ("é", True), ("x" * 255, True), ("", False), ("x" * 256, False), ("a\tb", False), ("\udcff", False)],
)
def test_idempotency_keys(key: str, fine: bool) -> None:
    assert (idempotency_key_fault(key) is None) is fine
