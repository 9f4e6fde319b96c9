import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.platform import FailureFamily, Family, HistoryRow, MessageStatus, PlatformError, Webhook, responses

# contract 3.6 and 4.1, word for word
ACCEPTED = b"""{"id":"cmn8outdemo0001","correlationId":"corr_demo_4312","status":"QUEUED",
 "createdAt":"2026-11-20T13:00:00.000Z","origin":"API","sourceNumber":"551140028922"}"""
STATUS = b"""{"id":"cmn8outdemo0001","externalMessageId":"wamid.DEMO","status":"DELIVERED","correlationId":"corr_demo_4312",
 "destinationNumber":"+5511987650001","template":"pedido_enviado","createdAt":"2026-11-20T13:00:00.000Z",
 "sentAt":"2026-11-20T13:00:02.000Z","deliveredAt":"2026-11-20T13:00:04.000Z","readAt":null,
 "errorCode":null,"errorMessage":null,"origin":"API",
 "metaPricing":{"conversationId":null,"originType":"service","category":"service","type":"free_customer_service"}}"""


def test_acceptance_of_the_contract() -> None:
    accepted = responses.accepted(ACCEPTED, replayed=True)
    assert (accepted.id, accepted.correlation_id, accepted.status) == ("cmn8outdemo0001", "corr_demo_4312", "QUEUED")
    assert accepted.created_at == datetime(2026, 11, 20, 13, tzinfo=UTC)
    assert (accepted.source_number, accepted.replayed) == ("551140028922", True)
    assert "551140028922" not in repr(accepted)


def test_an_acceptance_needs_nothing_but_its_id() -> None:
    odd = responses.accepted(b'{"id":7,"correlationId":[],"createdAt":"soon","replayed":true,"new":{}}', replayed=False)
    assert (odd.id, odd.correlation_id, odd.created_at, odd.replayed) == ("7", None, None, False)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id":null}', b'{"id":""}', b'{"id":{}}', b"\xff"])
def test_an_unreadable_acceptance_leaves_the_outcome_unknown(body: bytes) -> None:
    with pytest.raises(PlatformError) as refused:
        responses.accepted(body, replayed=False)
    assert (refused.value.family, refused.value.outcome_unknown) == (Family.UNREADABLE, True)


def test_status_of_the_contract() -> None:
    status = responses.one(MessageStatus, json.loads(STATUS), "message")
    assert (status.status, status.external_message_id, status.template) == ("DELIVERED", "wamid.DEMO", "pedido_enviado")
    assert status.delivered_at == datetime(2026, 11, 20, 13, 0, 4, tzinfo=UTC)
    assert status.failure is None
    assert "98765" not in repr(status)


def test_status_of_a_failure() -> None:
    failed = MessageStatus(id="1", status="FAILED", error_code="DELIVERED_NOT_CONFIRMED")
    assert failed.failure is FailureFamily.POSSIBLY_DELIVERED
    assert MessageStatus(id="1", status="FAILED").failure is FailureFamily.UNKNOWN


def test_history_keeps_what_can_be_read() -> None:
    page = responses.history_page(
        {
            "messages": [
                {"id": "1", "direction": "INBOUND", "text": "oi", "media": {"url": "https://x"}, "createdAt": "bad"},
                {"direction": "INBOUND"},
                "odd",
                {"id": "2", "media": "odd", "redacted": True},
            ],
            "total": 2,
            "pageSize": "x",
            "notice": "PII_RELAY_ONLY",
        }
    )
    assert [row.id for row in page.messages] == ["1", "2"]
    first, second = page.messages
    assert (first.text, first.media and first.media.url, first.created_at) == ("oi", "https://x", None)
    assert (second.media, second.redacted) == (None, True)
    assert (page.total, page.page_size, page.notice) == (2, None, "PII_RELAY_ONLY")
    assert "oi" not in repr(page)


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"templates": rows}, lambda rows: {"data": rows}])
def test_templates_come_bare_or_wrapped(wrap: type) -> None:
    rows = [{"id": "1", "name": "a"}, {"id": "2"}, None]
    assert [template.name for template in responses.templates(wrap(rows))] == ["a"]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"variables": ["order_id", "status"]}, ("order_id", "status")),
        ({"variables": [{"name": "a"}, {"key": "b"}, {}, 3]}, ("a", "b")),
        ({"variables": {"a": "sample"}}, ("a",)),
        ({"body": "Order {{order_id}} is {{ status }}, {{order_id}}."}, ("order_id", "status")),
        ({"body": {"header": {"text": "{{a}}"}, "body": {"text": "{{b}}"}}}, ("a", "b")),
        ({"latestVersion": {"body": "Hi {{name}}", "variables": ["name"]}}, ("name",)),
        ({"latestVersion": {"body": "Hi {{name}}"}}, ("name",)),
        ({}, ()),
    ],
)
def test_variables_of_a_template(fields: dict[str, object], names: tuple[str, ...]) -> None:
    assert responses.template({"id": "1", "name": "t", **fields}).variables == names


@pytest.mark.parametrize(
    ("fields", "meta", "evolution"),
    [
        ({"sendable": True, "source": "META", "metaStatus": "PENDING"}, True, True),
        ({"sendable": False, "source": "META", "metaStatus": "APPROVED"}, False, False),
        ({"source": "META", "metaStatus": "APPROVED"}, True, True),
        ({"source": "META", "metaStatus": "PAUSED"}, False, True),
        ({"source": "META", "metaStatus": None}, False, True),
        ({"source": "PILOT_STATUS", "metaStatus": "APPROVED"}, False, True),
        ({"metaStatus": "REJECTED"}, False, True),
        ({"latestVersion": {"body": "x"}}, True, True),
        ({"latestVersion": None}, False, False),
        ({"sendable": "odd", "source": "META", "metaStatus": "APPROVED"}, True, True),
    ],
)
def test_which_templates_can_be_sent(fields: dict[str, object], meta: bool, evolution: bool) -> None:
    template = responses.template({"id": "1", "name": "t", **fields})
    assert (template.problem(meta=True) is None) == meta
    assert (template.problem(meta=False) is None) == evolution


@pytest.mark.parametrize(
    ("document", "ids", "failed", "counts"),
    [
        ({"cancelled": ["1"], "failed": [{"id": "2", "reason": "sent"}]}, ("1",), (("2", "sent"),), (1, 1)),
        ({"cancelled": 2, "notFound": 1}, (), (), (2, 1)),
        ({"cancelled": True, "notFound": False}, (), (), (0, 0)),
        ({"cancelled": ["1", 3], "failed": ["odd", {}]}, ("1",), (), (1, 0)),
    ],
)
def test_a_cancel_answers_with_lists_or_counts(
    document: object, ids: tuple[str, ...], failed: tuple[tuple[str, str], ...], counts: tuple[int, int]
) -> None:
    result = responses.cancel_result(document)
    assert (result.cancelled, result.failed, (result.cancelled_count, result.failed_count)) == (ids, failed, counts)


def test_a_webhook_hides_its_url() -> None:
    webhook = responses.one(Webhook, {"id": "wh_1", "url": "https://a.b/?token=s3cret", "events": "odd"}, "webhook")
    assert webhook.events == ()
    assert "s3cret" not in repr(webhook)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "status", "messages", "templates", "latestVersion", "body", "variables", "cancelled", "url"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_every_reader_reads_or_refuses(document: object) -> None:
    for read in (
        responses.history_page,
        responses.template,
        responses.templates,
        responses.cancel_result,
        lambda value: responses.one(MessageStatus, value, "message"),
        lambda value: responses.some(HistoryRow, value, "messages", "rows"),
        lambda value: responses.accepted(json.dumps(value).encode(), replayed=False),
    ):
        try:
            read(document)
        except PlatformError as error:
            assert error.family is Family.UNREADABLE  # noqa: PT017  (both outcomes are right; nothing else may be raised)
