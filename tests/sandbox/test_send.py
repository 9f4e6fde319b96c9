"""What a send may be, and each refusal of the contract's sections 3.1 to 3.8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pilotbot.sandbox import Number, SandboxSettings
from pilotbot.sandbox.records import ApiKey
from tests.sandbox.conftest import QUICK, Api

REPLY = {"type": "reply", "label": "Yes"}
URL = "https://cdn.example.com/1.jpg"
DATA = "data:image/png;base64,aGVsbG8="
ROWS = {"buttonText": "Choose", "sections": [{"title": "A", "rows": [{"title": "One", "rowId": "1"}, {"title": "Two"}]}]}
GO = Number("num_go", "+551140028944", "Go", "evolution_go")
OFFICIAL = Number("num_official", "+551140028955", "Official", "meta", official=True)


@pytest.fixture
def settings() -> SandboxSettings:
    keys = (*QUICK.keys, ApiKey("key_go", "ps_go", GO.id), ApiKey("key_official", "ps_official", OFFICIAL.id))
    return replace(QUICK, numbers=(*QUICK.numbers, GO, OFFICIAL), keys=keys)


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("text", {"text": "hi", "variables": {}}),
    ("text", {"text": "hi", "buttons": [], "unknownField": 1, "caption": None}),
    ("buttons", {"text": "?", "buttons": [REPLY] * 3, "footer": "f", "header": {"type": "image", "content": URL}}),
    ("list", {"text": "?", "list": ROWS}),
    ("carousel", {"text": "?", "carousel": {"cards": [{"body": "A", "buttons": [{"type": "QUICK_REPLY", "text": "x"}]}]}}),
    ("media", {"media": URL, "mediaType": "image", "caption": "c"}),
    ("media", {"media": DATA, "mediaType": "sticker"}),
    ("template", {"templateId": "order_status", "variables": {"order_id": "1", "status": "out", "extra": "x"}}),
    ("template", {"templateId": "follow_up", "media": URL, "mediaType": "image"}),
]


@pytest.mark.parametrize(("mode", "body"), GOOD)
async def test_every_mode_is_accepted(api: Api, mode: str, body: dict[str, Any]) -> None:
    await api.write()
    answer = await api.send(body)
    assert answer.status == 202, answer.json
    assert answer.json["status"] == "QUEUED"
    assert answer.json["origin"] == "API"
    assert answer.json["sourceNumber"] == "551140028922"
    assert answer.json["correlationId"].startswith("corr_")
    assert answer.json["createdAt"].endswith("Z")
    assert (await api.rows())[-1]["mode"] == mode


BAD: list[dict[str, Any]] = [
    {},
    {"text": ""},
    {"text": 5},
    {"text": "a", "templateId": "follow_up"},
    {"text": "a", "media": URL, "mediaType": "image"},
    {"media": URL},
    {"media": URL, "mediaType": "gif"},
    {"media": "file:///etc/passwd", "mediaType": "image"},
    {"media": "data:image/png,plain", "mediaType": "image"},
    {"media": URL, "mediaType": "audio", "caption": "c"},
    {"media": URL, "mediaType": "image", "buttons": [REPLY]},
    {"text": "a", "buttons": [REPLY] * 4},
    {"text": "a", "buttons": [{"type": "reply"}]},
    {"text": "a", "buttons": [{"type": "reply", "label": ""}]},
    {"text": "a", "buttons": [{"type": "url", "label": "go"}]},
    {"text": "a", "buttons": [{"type": "call", "label": "go"}]},
    {"text": "a", "buttons": [{"type": "copy", "label": "go"}]},
    {"text": "a", "header": {"type": "text", "content": "h"}},
    {"text": "a", "footer": "f"},
    {"text": "a", "buttons": [REPLY], "list": ROWS},
    {"text": "a", "list": ROWS, "carousel": {"cards": [{"body": "A"}]}},
    {"text": "a", "list": {"buttonText": "x", "sections": []}},
    {"list": ROWS},
    {"text": "x" * 4097},
    {"text": "x" * 1025, "buttons": [REPLY]},
    {"text": "x" * 1025, "list": ROWS},
    {"text": " "},
    {"media": URL, "mediaType": "image", "caption": "x" * 1025},
    {"text": "a", "buttons": [{"type": "reply", "label": "x" * 21}]},
    {"text": "a", "buttons": [REPLY], "footer": "x" * 61},
    {"text": "a", "buttons": [REPLY], "header": {"type": "text", "content": "x" * 61}},
    {"text": "a", "list": {**ROWS, "buttonText": "x" * 21}},
    {"text": "a", "list": {"buttonText": "x", "sections": [{"title": "x" * 25, "rows": [{"title": "a"}]}]}},
    {"text": "a", "list": {"buttonText": "x", "sections": [{"rows": [{"title": "x" * 25}]}]}},
    {"text": "a", "list": {"buttonText": "x", "sections": [{"rows": [{"title": "a", "description": "x" * 73}]}]}},
    {"text": "a", "list": {"buttonText": "x", "sections": [{"rows": [{"title": str(n)} for n in range(11)]}]}},
    {"text": "a", "list": {"buttonText": "x", "sections": [{"rows": [{"title": "a", "rowId": "1"}, {"title": "b", "rowId": "1"}]}]}},
    {"text": "a", "list": {"buttonText": "x", "sections": [{"rows": [{"title": "a"}]}, {"title": "B", "rows": [{"title": "b"}]}]}},
    {"text": "a", "carousel": {"cards": [{"body": "A"}] * 11}},
    {"text": "a", "carousel": {"cards": [{"body": "A", "buttons": [{"type": "URL", "text": "x"}]}]}},
    {"text": "a", "flow": {"flowId": "1", "cta": "x" * 21}},
    {"text": "a", "flow": {"flowId": "1", "flowToken": "mine"}},
    {"text": "a", "deliverAt": "tomorrow"},
    {"text": "a", "markRead": "yes"},
    {"text": "a", "variables": []},
    {"text": "a", "destinationNumber": "+5511987650001", "groupId": "1@g.us"},
]


@pytest.mark.parametrize("body", BAD)
async def test_what_the_contract_excludes_is_a_validation_error(api: Api, body: dict[str, Any]) -> None:
    answer = await api.send(body)
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert await api.rows() == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"text": "\xed\xa0\x80"}'])
async def test_a_body_that_is_no_json_object_is_a_validation_error(api: Api, raw: bytes) -> None:
    answer = await api.call("POST", "/v1/messages/send", raw=raw)
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")


async def test_no_destination_at_all(api: Api) -> None:
    answer = await api.call("POST", "/v1/messages/send", {"text": "a"})
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "destination",
    [
        {"destinationNumber": "nobody"},
        {"destinationNumber": "+0511"},
        {"destinationNumber": ""},
        {"groupId": "Team"},
        {"newsletterId": "1@g.us"},
    ],
)
async def test_a_bad_destination(evolution: Api, destination: dict[str, str]) -> None:
    answer = await evolution.send({"text": "a"} | destination)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_DESTINATION")


async def test_digits_alone_are_taken_and_shown_with_plus(api: Api) -> None:
    assert (await api.send({"text": "a"}, to="5511987650001")).status == 202
    assert (await api.rows())[0]["contact"] == "+5511987650001"


GROUP = {"groupId": "120363000000000001@g.us"}
NEWSLETTER = {"newsletterId": "120363000000000099@newsletter"}


@pytest.mark.parametrize(
    ("key", "destination", "code"),
    [
        ("ps_sandbox_number", GROUP, "META_GROUPS_NOT_ELIGIBLE"),
        ("ps_sandbox_number", NEWSLETTER, "NOT_SUPPORTED_FOR_META"),
        ("ps_official", GROUP, None),
        ("ps_official", NEWSLETTER, "NOT_SUPPORTED_FOR_META"),
        ("ps_sandbox_evolution", GROUP, None),
        ("ps_sandbox_evolution", NEWSLETTER, None),
    ],
)
async def test_groups_and_newsletters_by_kind_of_number(api: Api, key: str, destination: dict[str, str], code: str | None) -> None:
    answer = await api.as_key(key).send({"text": "a"} | destination)
    assert (answer.status, answer.json.get("code")) == ((202, None) if code is None else (400, code))


@pytest.mark.parametrize(("key", "status"), [("ps_sandbox_number", 202), ("ps_sandbox_evolution", 202), ("ps_go", 400)])
async def test_base64_by_kind_of_number(api: Api, key: str, status: int) -> None:
    assert (await api.as_key(key).send({"media": DATA, "mediaType": "image"})).status == status
    assert (await api.as_key(key).send({"media": URL, "mediaType": "image"})).status == 202


async def test_media_needs_a_subscription_text_does_not(api: Api) -> None:
    await api.faults(subscription=False)
    header = {"text": "a", "buttons": [REPLY], "header": {"type": "image", "content": URL}}
    for body in ({"media": URL, "mediaType": "image"}, header):
        answer = await api.send(body)
        assert (answer.status, answer.json["code"]) == (402, "SUBSCRIPTION_REQUIRED_FOR_MEDIA")
    assert (await api.send({"text": "a", "buttons": [REPLY], "header": {"type": "text", "content": "h"}})).status == 202


async def test_blocked_and_disconnected_numbers(api: Api) -> None:
    await api.faults(numberBlocked=True)
    answer = await api.send({"text": "a"})
    assert (answer.status, answer.json["code"], answer.json["reason"]) == (409, "NUMBER_BLOCKED", "extra_charge_unpaid")
    await api.faults(numberBlocked=False, disconnected=True)
    answer = await api.send({"text": "a"})
    assert (answer.status, answer.json["code"]) == (409, "WHATSAPP_INSTANCE_NOT_CONNECTED")
    await api.faults(disconnected=False)
    assert (await api.send({"text": "a"})).status == 202


async def test_a_revoked_key_sends_and_reads_nothing(api: Api) -> None:
    await api.faults(keyRevoked=True)
    answer = await api.send({"text": "a"})
    assert (answer.status, answer.json) == (401, {"error": "Missing or invalid API key: send x-api-key"})
    assert (await api.call("GET", "/v1/templates")).status == 401
    await api.faults(keyRevoked=False)
    assert (await api.send({"text": "a"})).status == 202


async def test_template_variables(api: Api) -> None:
    missing = await api.send({"templateId": "order_status", "variables": {"status": "x"}})
    assert (missing.status, missing.json["code"]) == (400, "MISSING_TEMPLATE_VARIABLES")
    assert missing.json["details"] == {"missingKeys": ["order_id"]}
    wrong = await api.send({"templateId": "order_status", "variables": {"order_id": 7, "status": " "}})
    assert (wrong.status, wrong.json["code"]) == (400, "INVALID_TEMPLATE_VARIABLE_VALUE")
    assert [item["key"] for item in wrong.json["details"]["invalidKeys"]] == ["order_id", "status"]


async def test_template_text_is_filled_in_one_pass(api: Api) -> None:
    await api.send({"templateId": "order_status", "variables": {"order_id": "{{status}}", "status": "\\1 {0} out"}})
    row = (await api.rows())[0]
    assert row["text"] == r"Your order {{status}} is \1 {0} out now."
    assert row["template"] == "order_status"
    assert row["variables"] == {"order_id": "{{status}}", "status": "\\1 {0} out"}


@pytest.mark.parametrize("name", ["nope", "promo_draft", "tpl_evolution_welcome"])
async def test_templates_that_cannot_be_sent_are_not_found(api: Api, name: str) -> None:
    answer = await api.send({"templateId": name, "variables": {"name": "Ana"}})
    assert (answer.status, answer.json["code"]) == (404, "TEMPLATE_NOT_FOUND")


async def test_templates_are_found_by_id_too(api: Api) -> None:
    assert (await api.send({"templateId": "tpl_meta_welcome", "variables": {"name": "Ana"}})).status == 202


async def test_a_flow_needs_an_open_window_and_answers_its_token(api: Api) -> None:
    flow = {"text": "book", "flow": {"flowId": "4000", "cta": "Book", "action": "navigate", "mode": "published"}}
    closed = await api.send(flow)
    assert (closed.status, closed.json["code"]) == (400, "FLOW_WINDOW_CLOSED")
    await api.write()
    assert (await api.send(flow)).json["flowToken"]
    assert "flowToken" not in (await api.send({"text": "a"})).json


async def test_options_are_what_can_be_tapped(api: Api) -> None:
    await api.write()
    await api.send({"text": "?", "list": ROWS})
    row = (await api.rows())[-1]
    assert [option["label"] for option in row["buttons"]] == ["One", "Two"]


async def test_validation_errors_do_not_repeat_what_was_sent(api: Api) -> None:
    answer = await api.send({"text": ["my secret"]})
    assert "my secret" not in str(answer.json)
    assert answer.json["details"]["issues"][0]["path"] == "text"


async def test_a_list_is_shown_with_its_sections(api: Api) -> None:
    await api.send({"text": "?", "list": ROWS})
    row = (await api.rows())[-1]
    assert row["list"] == {
        "buttonText": "Choose",
        "sections": [
            {
                "title": "A",
                "rows": [{"title": "One", "description": None, "rowId": "1"}, {"title": "Two", "description": None, "rowId": None}],
            }
        ],
    }
    assert [button["label"] for button in row["buttons"]] == ["One", "Two"]
    assert row["cards"] is None


async def test_a_carousel_is_shown_with_its_cards(api: Api) -> None:
    buttons = [{"type": "QUICK_REPLY", "text": "Want it", "payload": "a"}, {"type": "URL", "text": "See", "url": URL}]
    await api.send({"text": "?", "carousel": {"cards": [{"media": {"type": "image", "url": URL}, "body": "A", "buttons": buttons}, {}]}})
    row = (await api.rows())[-1]
    shown = [{"type": "reply", "label": "Want it", "url": None}, {"type": "url", "label": "See", "url": URL}]
    assert row["cards"] == [
        {"media": {"type": "image", "url": URL}, "body": "A", "buttons": shown},
        {"media": {}, "body": None, "buttons": []},
    ]
    assert (row["buttons"], row["list"]) == (shown, None)
