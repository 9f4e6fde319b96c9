import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.platform import Blocked, Family, PlatformError, Refused, Throttled, TryAgain, WindowClosed, classify, network_error
from pilotbot.platform.errors import unreadable

NOW = 1_795_000_000.0

# contract 1.4 and 3.8, each code under the status the contract gives it
TABLE = [
    (400, "VALIDATION_ERROR", Family.REFUSED),
    (400, "INVALID_DESTINATION", Family.REFUSED),
    (400, "MISSING_TEMPLATE_VARIABLES", Family.REFUSED),
    (400, "INVALID_TEMPLATE_VARIABLE_VALUE", Family.REFUSED),
    (400, "NOT_SUPPORTED_FOR_META", Family.REFUSED),
    (400, "META_GROUPS_NOT_ELIGIBLE", Family.REFUSED),
    (400, "IDEMPOTENCY_KEY_INVALID", Family.REFUSED),
    (400, "INVALID_DATE_RANGE", Family.REFUSED),
    (400, "EMPTY_PATCH", Family.REFUSED),
    (400, "NUMBER_MISMATCH", Family.REFUSED),
    (400, "NUMBER_REQUIRED", Family.REFUSED),
    (400, "FEATURE_NOT_SUPPORTED", Family.REFUSED),
    (400, "TEMPLATE_EXAMPLES_REQUIRED", Family.REFUSED),
    (400, "META_TEMPLATE_SUBMIT_FAILED", Family.REFUSED),
    (400, "FLOW_WINDOW_CLOSED", Family.WINDOW),
    (409, "FLOW_WINDOW_CLOSED", Family.WINDOW),
    (400, "META_OUTSIDE_24H_WINDOW", Family.WINDOW),
    (400, None, Family.REFUSED),
    (401, None, Family.BLOCKED),
    (402, "SUBSCRIPTION_REQUIRED_FOR_MEDIA", Family.REFUSED),
    (402, "PAYMENT_FAILED", Family.BLOCKED),
    (402, "INSUFFICIENT_FUNDS", Family.BLOCKED),
    (402, None, Family.BLOCKED),
    (403, "TENANT_SCOPE_NOT_ALLOWED", Family.BLOCKED),
    (403, "NUMBER_SCOPE_NOT_ALLOWED", Family.BLOCKED),
    (403, "PERMISSION_DENIED", Family.BLOCKED),
    (403, "NUMBER_NOT_IN_GRANT", Family.BLOCKED),
    (403, "A_NEW_ONE", Family.BLOCKED),
    (403, "TEMPLATE_CATEGORY_MARKETING_REQUIRES_OWN_NUMBER", Family.REFUSED),
    (403, "NEWSLETTER_NOT_ALLOWED_IN_TEST", Family.REFUSED),
    (404, "TEMPLATE_NOT_FOUND", Family.REFUSED),
    (404, "WEBHOOK_NOT_FOUND", Family.REFUSED),
    (404, "NUMBER_NOT_FOUND", Family.BLOCKED),
    (404, None, Family.REFUSED),
    (409, "NUMBER_BLOCKED", Family.BLOCKED),
    (409, "WHATSAPP_INSTANCE_NOT_CONNECTED", Family.BLOCKED),
    (409, "NUMBER_SOFT_DELETED", Family.BLOCKED),
    (409, "PAYMENT_IN_PROGRESS", Family.BLOCKED),
    (409, "NUMBER_ALREADY_ACTIVE", Family.REFUSED),
    (409, "CONFIRMATION_REQUIRED", Family.REFUSED),
    (409, "IDEMPOTENCY_KEY_REUSED", Family.ALREADY_SENT),
    (409, "IDEMPOTENCY_KEY_IN_USE", Family.RETRY),
    (408, None, Family.RETRY),
    (409, None, Family.RETRY),
    (413, None, Family.REFUSED),
    (422, "A_NEW_ONE", Family.REFUSED),
    (429, None, Family.THROTTLED),
    (429, "A_NEW_ONE", Family.THROTTLED),
    (400, "META_RATE_LIMIT", Family.THROTTLED),
    (403, "RATE_LIMIT_EXCEEDED", Family.THROTTLED),
    (500, None, Family.RETRY),
    (502, "PAYMENT_PROVIDER_ERROR", Family.RETRY),
    (503, "UPSTREAM_TIMEOUT", Family.RETRY),
    (503, "UPSTREAM_ERROR", Family.RETRY),
    (503, "PROVIDER_NOT_CONFIGURED", Family.BLOCKED),
    (503, "EVOLUTION_API_KEY_MISSING", Family.BLOCKED),
]


def answer(status: int, **fields: object) -> PlatformError:
    return classify(status, json.dumps(fields).encode(), {}, now=NOW)


@pytest.mark.parametrize(("status", "code", "family"), TABLE)
def test_family_of_every_code(status: int, code: str | None, family: Family) -> None:
    error = answer(status, error="Some words", **({} if code is None else {"code": code}))
    assert (error.family, error.status, error.code, error.message) == (family, status, code, "Some words")
    assert error.remedy.endswith(".")
    assert error.outcome_unknown == (status >= 500 or status == 408)
    assert error.retryable == (family in {Family.RETRY, Family.THROTTLED})


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, None, Throttled),
        (400, "META_OUTSIDE_24H_WINDOW", WindowClosed),
        (404, "TEMPLATE_NOT_FOUND", Refused),
        (401, None, Blocked),
        (503, None, TryAgain),
    ],
)
def test_a_family_can_be_caught(status: int, code: str | None, kind: type[PlatformError]) -> None:
    with pytest.raises(kind):
        raise answer(status, error="no", **({} if code is None else {"code": code}))


@pytest.mark.parametrize("body", [b"", b"<html>Not here</html>", b"[]", b'"x"', b"\xff\xfe", b"{" * 5000])
@pytest.mark.parametrize(
    ("status", "family"),
    [(302, Family.BLOCKED), (404, Family.BLOCKED), (405, Family.BLOCKED), (403, Family.BLOCKED), (502, Family.RETRY)],
)
def test_what_is_not_the_platforms_answer_blames_the_set_up(status: int, family: Family, body: bytes) -> None:
    error = classify(status, body, {}, now=NOW)
    assert (error.family, error.code, error.message) == (family, None, f"HTTP {status}")


def test_waits_and_details_are_read() -> None:
    error = classify(429, b'{"error":"slow"}', {"retry-after": "12"}, now=NOW)
    assert error.retry_after == 12.0
    missing = answer(400, error="x", code="MISSING_TEMPLATE_VARIABLES", details={"missingKeys": ["status", 3, "a b"]})
    assert missing.keys == ("status",)
    assert "[status]" in str(missing)
    assert answer(400, error="x", details={"missing": 5, "missingKeys": "ab"}).keys == ()
    invalid = answer(400, error="x", code="INVALID_TEMPLATE_VARIABLE_VALUE", details={"invalidKeys": [{"key": "name", "reason": "blank"}]})
    assert invalid.keys == ("name",)
    blocked = answer(409, error="x", code="NUMBER_BLOCKED", reason="extra_charge_unpaid")
    assert blocked.reason == "extra_charge_unpaid"
    assert str(blocked).startswith("409 NUMBER_BLOCKED (extra_charge_unpaid): Settle")


def test_the_platforms_words_are_never_shown() -> None:
    error = answer(400, error="bad number +5511987650001 for 'oi Ana'", code="oi Ana", reason="oi Ana", details={"missing": ["oi Ana"]})
    assert error.code is None
    for shown in (str(error), repr(error), repr(error.args)):
        assert "Ana" not in shown
        assert "98765" not in shown
    assert len(answer(400, error="x" * 10_000).message) == 500


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (httpx.ConnectError(""), False),
        (httpx.ConnectTimeout(""), False),
        (httpx.PoolTimeout(""), False),
        (httpx.ReadTimeout(""), True),
        (httpx.WriteTimeout(""), True),
        (httpx.ReadError(""), True),
        (httpx.WriteError(""), True),
        (httpx.RemoteProtocolError(""), True),
    ],
)
def test_only_a_connection_never_made_has_a_known_outcome(error: httpx.TransportError, unknown: bool) -> None:
    judged = network_error(error)
    assert (judged.family, judged.status, judged.outcome_unknown) == (Family.RETRY, None, unknown)
    assert str(judged).startswith("no answer: ")


def test_unreadable_is_worth_another_attempt_only_when_something_was_sent() -> None:
    assert unreadable("x", outcome_unknown=True).retryable
    assert not unreadable("x").retryable


@given(st.integers(300, 999), st.binary(max_size=80), st.dictionaries(st.sampled_from(["retry-after", "x"]), st.text()))
def test_classify_survives_anything(status: int, body: bytes, headers: dict[str, str]) -> None:
    assert isinstance(classify(status, body, headers, now=NOW), PlatformError)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "missing", "x"]), inner),
)


@given(
    st.integers(300, 599),
    st.dictionaries(st.sampled_from(["error", "code", "details", "reason", "retryAfterSeconds"]), values),
)
def test_classify_survives_any_envelope(status: int, envelope: dict[str, object]) -> None:
    assert isinstance(classify(status, json.dumps(envelope).encode(), {}, now=NOW), PlatformError)
