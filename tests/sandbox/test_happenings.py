"""What happens beside messages: calls, leads, flows, changes of numbers; as the contract shows them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Api, Receiver


async def told(api: Api, receiver: Receiver, path: str, body: dict[str, Any]) -> dict[str, Any]:
    await api.subscribe(receiver.url)
    answer = await api.call("POST", path, body)
    assert answer.status == 200, answer.json
    (one,) = await receiver.wait(1)
    found: dict[str, Any] = one.body
    return found


async def test_a_call_is_flat_and_of_both_ends(api: Api, receiver: Receiver) -> None:
    body = await told(api, receiver, "/sandbox/calls", {"from": "+5511987650001"})
    assert body.pop("callId").startswith("call_")
    assert body.pop("timestamp").endswith("Z")
    assert body == {
        "event": "call.missed", "direction": "INBOUND", "status": "MISSED", "from": "+5511987650001", "to": "+551140028922",
    }  # fmt: skip


async def test_a_call_of_ours_and_its_duration(api: Api, receiver: Receiver) -> None:
    given = {"from": "+5511987650001", "change": "ended", "outbound": True, "duration": 180, "callId": "c1"}
    body = await told(api, receiver, "/sandbox/calls", given)
    assert (body["callId"], body["direction"], body["status"], body["duration"]) == ("c1", "OUTBOUND", "COMPLETED", 180)
    assert (body["from"], body["to"]) == ("+551140028922", "+5511987650001")


async def test_a_permission_is_no_call(api: Api, receiver: Receiver) -> None:
    body = await told(api, receiver, "/sandbox/calls", {"from": "+5511987650001", "change": "permission_updated"})
    assert (body["callId"], body["direction"], body["status"]) == (None, None, "TEMPORARY")


async def test_a_lead(api: Api, receiver: Receiver) -> None:
    given = {"name": "Bianca Reis", "phone": "5521998760002", "fields": {"product": ["B", "C"]}, "consent": True}
    body = await told(api, receiver, "/sandbox/leads", given)
    data = body["data"]
    assert body["event"] == "lead.received"
    assert (data["fullName"], data["phone"], data["email"], data["consentGiven"]) == ("Bianca Reis", "5521998760002", None, True)
    assert data["fields"] == [{"key": "product", "values": ["B", "C"]}]
    assert {"leadId", "leadgenId", "whatsappNumberId", "pageId", "formId", "createdAt"} <= data.keys()


async def test_a_flow_that_comes_back(api: Api, receiver: Receiver) -> None:
    body = await told(api, receiver, "/sandbox/flows", {"from": "+5511987650001", "flowToken": "t", "response": {"a": 1}})
    assert body["event"] == "flow.response_received"
    assert (body["data"]["flowToken"], body["data"]["response"], body["data"]["from"]) == ("t", {"a": 1}, "+5511987650001")


async def test_a_change_of_a_number(api: Api, receiver: Receiver) -> None:
    body = await told(api, receiver, "/sandbox/numbers", {"change": "disconnected", "error": "closed", "errorCode": "C"})
    assert body["event"] == "number.disconnected"
    assert body["data"].pop("createdAt").endswith("Z")
    assert body["data"] == {
        "numberId": "num_meta", "phone": "+551140028922", "displayName": body["data"]["displayName"], "error": "closed", "errorCode": "C",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sandbox/calls", {"from": "Ana"}),
        ("/sandbox/calls", {"from": "+5511987650001", "change": "sung"}),
        ("/sandbox/leads", {"phone": "1"}),
        ("/sandbox/flows", {"from": "+5511987650001", "flowToken": "t", "response": 1}),
        ("/sandbox/numbers", {"change": "sold"}),
        ("/sandbox/numbers", {"change": "connected", "what": 1}),
    ],
)
async def test_a_slip_of_the_pen_is_told(api: Api, path: str, body: dict[str, Any]) -> None:
    assert (await api.call("POST", path, body)).status == 400
