"""Templates: looked up, created, approved, versioned, deleted (contract section 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from pilotbot.sandbox import SandboxSettings
from tests.sandbox.conftest import QUICK, Api

BODY = {"header": {"type": "TEXT", "text": "Order {{n}}"}, "body": {"text": "Hello {{name}}, it is out."}}
NEW = {"name": "Order out", "category": "UTILITY", "language": "pt_BR", "body": BODY, "examples": {"n": "1", "name": "Ana"}}


async def test_the_templates_a_number_starts_with(api: Api) -> None:
    shown = (await api.call("GET", "/v1/templates")).json
    assert [(item["name"], item["metaStatus"], item["sendable"], item["variables"]) for item in shown] == [
        ("order_status", "APPROVED", True, ["order_id", "status"]),
        ("follow_up", "APPROVED", True, []),
        ("welcome", "APPROVED", True, ["name"]),
        ("promo_draft", "PENDING", False, ["name"]),
    ]


async def test_by_id_or_name(api: Api) -> None:
    by_name = (await api.call("GET", "/v1/templates/welcome")).json
    assert (await api.call("GET", f"/v1/templates/{by_name['id']}")).json == by_name
    missing = await api.call("GET", "/v1/templates/nope")
    assert (missing.status, missing.json["code"]) == (404, "TEMPLATE_NOT_FOUND")


async def test_a_meta_template_waits_for_its_approval(api: Api) -> None:
    made = await api.call("POST", "/v1/templates", NEW)
    assert made.status == 201
    assert (made.json["name"], made.json["metaStatus"], made.json["sendable"]) == ("Order_out", "PENDING", False)
    send = {"templateId": "Order_out", "variables": {"n": "7", "name": "Ana"}}
    assert (await api.send(send)).status == 404
    approved = await api.call("POST", "/sandbox/templates/Order_out/approve", {})
    assert approved.json["sendable"] is True
    assert (await api.send(send)).status == 202
    row = (await api.rows())[-1]
    assert (row["header"], row["text"]) == ({"type": "text", "content": "Order 7"}, "Hello Ana, it is out.")


async def test_a_rejected_template_is_not_sendable(api: Api) -> None:
    await api.call("POST", "/v1/templates", NEW)
    rejected = await api.call("POST", "/sandbox/templates/Order_out/reject", {"number": "num_meta"})
    assert (rejected.json["metaStatus"], rejected.json["sendable"]) == ("REJECTED", False)
    assert (await api.call("POST", "/sandbox/templates/nope/reject", {})).status == 404


async def test_a_new_version_goes_back_to_pending(api: Api) -> None:
    changed = await api.call("PUT", "/v1/templates/follow_up", {"body": "Hello once more."})
    assert (changed.json["metaStatus"], changed.json["latestVersion"]["version"]) == ("PENDING", 2)
    assert changed.json["body"] == "Hello once more."


async def test_evolution_templates_are_usable_at_once(evolution: Api) -> None:
    made = await evolution.call("POST", "/v1/templates", NEW)
    assert (made.json["metaStatus"], made.json["sendable"], made.json["source"]) == (None, True, "PILOT_STATUS")
    assert (await evolution.send({"templateId": "Order_out", "variables": {"n": "7", "name": "Ana"}})).status == 202


async def test_deleted_is_gone(api: Api) -> None:
    assert (await api.call("DELETE", "/v1/templates/welcome")).status == 200
    assert (await api.call("GET", "/v1/templates/welcome")).status == 404


async def test_a_name_is_unique(api: Api) -> None:
    await api.call("POST", "/v1/templates", NEW)
    assert (await api.call("POST", "/v1/templates", NEW | {"name": "Order-out"})).status == 409


@pytest.mark.parametrize("body", [BODY["body"], "Hello {{name}}, it is out.", orjson.dumps(BODY).decode()])
async def test_the_forms_of_a_body(api: Api, body: Any) -> None:
    shaped = {"body": body} if isinstance(body, dict) else body
    answer = await api.call("POST", "/v1/templates", NEW | {"body": shaped})
    assert (answer.status, answer.json["body"]) == (201, "Hello {{name}}, it is out.")


async def test_examples_are_needed(api: Api) -> None:
    answer = await api.call("POST", "/v1/templates", NEW | {"examples": {"n": "1"}})
    assert (answer.status, answer.json["code"]) == (400, "TEMPLATE_EXAMPLES_REQUIRED")
    assert answer.json["details"] == {"missing": ["name"]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "!!"}, "VALIDATION_ERROR"),
        ({"category": "NEWS"}, "VALIDATION_ERROR"),
        ({"category": None}, "VALIDATION_ERROR"),
        ({"body": ""}, "VALIDATION_ERROR"),
        ({"body": {"header": {"type": "TEXT", "text": "x"}}}, "VALIDATION_ERROR"),
        ({"body": "x" * 1025}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "footer": {"text": "y" * 61}}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "footer": {"text": "{{name}}"}}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "header": {"type": "TEXT", "text": "{{n}} {{name}}"}}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "header": {"type": "MAP"}}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "FLOW"}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "URL", "text": "a"}] * 3}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": "yes"}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "URL", "text": "a", "url": "https://{{n}}.example/"}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "URL", "text": "a", "url": "https://a.example/{{n}}/b"}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "URL", "text": "a", "url": "https://a.example{{n}}"}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "COPY_CODE", "example": ["NOT A CODE"]}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "PHONE_NUMBER", "text": "a"}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "buttons": [{"type": "QUICK_REPLY", "text": " "}]}}, "VALIDATION_ERROR"),
        ({"body": {"body": "x", "header": {"type": "TEXT", "text": "Sale \U0001f389"}}}, "VALIDATION_ERROR"),
        ({"body": "{{name}}, hello"}, "META_TEMPLATE_SUBMIT_FAILED"),
        ({"body": "hello {{name}}"}, "META_TEMPLATE_SUBMIT_FAILED"),
    ],
)
async def test_what_a_template_may_not_be(api: Api, change: dict[str, Any], code: str) -> None:
    answer = await api.call("POST", "/v1/templates", NEW | change)
    assert (answer.status, answer.json["code"]) == (400, code)


async def test_a_category_is_fixed(api: Api) -> None:
    assert (await api.call("PUT", "/v1/templates/follow_up", {"body": "x", "category": "MARKETING"})).status == 400


class TestInstantApproval:
    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return replace(QUICK, template_approval="instant")

    async def test_when_set_so(self, api: Api) -> None:
        assert (await api.call("POST", "/v1/templates", NEW)).json["metaStatus"] == "APPROVED"


async def test_buttons_of_a_template_can_be_tapped(api: Api) -> None:
    body = {"body": {"text": "Still there?"}, "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]}
    await api.call("POST", "/v1/templates", {"name": "still", "category": "UTILITY", "body": body})
    await api.call("POST", "/sandbox/templates/still/approve", {})
    await api.send({"templateId": "still"})
    assert (await api.rows())[-1]["buttons"] == [{"type": "reply", "label": "Yes"}]


MEDIA = {
    "body": {"text": "Hello {{name}}, it is out."},
    "buttons": [
        {"type": "URL", "text": "Track", "url": "https://shop.example/{{name}}"},
        {"type": "PHONE_NUMBER", "text": "Ring", "phone_number": "+551140028922"},
        {"type": "COPY_CODE", "example": ["PROMO10"]},
        {"type": "QUICK_REPLY", "text": "Thanks"},
    ],
}


async def send_new(api: Api, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make, approve and send a template; its row."""
    made = await api.call("POST", "/v1/templates", NEW | {"body": body})
    assert made.status == 201, made.json
    await api.call("POST", "/sandbox/templates/Order_out/approve", {})
    answer = await api.send({"templateId": "Order_out", "variables": {"name": "Ana"}} | more)
    assert answer.status == 202, answer.json
    return (await api.rows())[-1]


async def test_buttons_keep_what_they_do(api: Api) -> None:
    row = await send_new(api, MEDIA)
    assert row["buttons"] == [
        {"type": "url", "label": "Track", "url": "https://shop.example/Ana"},
        {"type": "call", "label": "Ring", "phoneNumber": "+551140028922"},
        {"type": "copy", "label": "Copy code", "copyCode": "PROMO10"},
        {"type": "reply", "label": "Thanks"},
    ]


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO", "DOCUMENT"])
@pytest.mark.parametrize("name", ["url", "media", "content", "base64"])
async def test_a_media_header_is_shown(api: Api, kind: str, name: str) -> None:
    row = await send_new(api, MEDIA | {"header": {"type": kind, name: "https://m.example/1"}})
    assert (row["header"], row["media"]) == ({"type": kind.lower(), "content": "https://m.example/1"}, None)


async def test_media_of_a_send_take_the_headers_place(api: Api) -> None:
    mine = {"media": "https://m.example/2", "mediaType": "image"}
    row = await send_new(api, MEDIA | {"header": {"type": "IMAGE", "url": "https://m.example/1"}}, **mine)
    assert (row["header"], row["media"], row["mediaType"]) == ({"type": "image", "content": "https://m.example/2"}, None, None)


async def test_a_header_without_media_is_none(api: Api) -> None:
    assert (await send_new(api, MEDIA | {"header": {"type": "IMAGE", "url": 1}}))["header"] is None
