"""Webhooks that were posted, posted once more: the same bytes, the same signature, a new delivery."""

from __future__ import annotations

from typing import Any

import pytest

from pilotbot.sandbox import Sandbox
from tests.sandbox.conftest import Api, Receiver, settle


async def deliveries(api: Api, sandbox: Sandbox) -> list[dict[str, Any]]:
    await settle(sandbox)
    return list((await api.call("GET", "/sandbox/deliveries")).json)


async def resend(api: Api, **wanted: Any) -> int:
    return int((await api.call("POST", "/sandbox/deliveries/resend", wanted)).json["resent"])


async def test_one_delivery(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    await api.subscribe(receiver.url, "message.received")
    await api.write("olá 👋")
    (first,) = await deliveries(api, sandbox)
    answer = await api.call("POST", f"/sandbox/deliveries/{first['id']}/resend", {})
    assert answer.status == 200
    assert (answer.json["status"], answer.json["attempts"], answer.json["body"]) == ("PENDING", 0, first["body"])
    assert answer.json["id"] != first["id"]
    one, two = await receiver.wait(2)
    assert (one.raw, one.headers["x-pilot-status-signature"]) == (two.raw, two.headers["x-pilot-status-signature"])
    assert [row["status"] for row in await deliveries(api, sandbox)] == ["SUCCESS", "SUCCESS"]


async def test_a_delivery_with_a_wrong_signature_keeps_it(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    for signature in ("bad", "none"):
        await api.call("POST", "/sandbox/events", {"body": {"event": "x", "n": signature}, "signature": signature})
    await receiver.wait(2)
    assert await resend(api, event="x") == 2
    signatures = [hit.headers.get("x-pilot-status-signature") for hit in await receiver.wait(4)]
    assert signatures == ["0" * 64, None] * 2


async def test_what_contacts_wrote_in_order_and_each_once(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await api.write("one")
    await api.faults(duplicateWebhooks={"next": 1})
    await api.write("two")
    await api.send({"text": "answer"})
    await api.write("three", event="reply")
    count = len(await deliveries(api, sandbox))
    assert await resend(api) == 3
    again = [hit.data["content"] for hit in (await receiver.wait(count + 3))[count:]]
    assert again == ["one", "two", "three"]
    assert await resend(api) == 3
    assert await resend(api, last=1) == 1
    assert (await receiver.wait(count + 7))[-1].data["content"] == "three"
    assert await resend(api, event="message.read", last=5) == 1
    assert (await receiver.wait(count + 8))[-1].event == "message.read"


async def test_a_webhook_that_is_gone_gets_nothing(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    webhook = await api.subscribe(receiver.url)
    await api.write()
    (first,) = await deliveries(api, sandbox)
    await api.call("PATCH", f"/v1/webhooks/{webhook}", {"active": False})
    answer = await api.call("POST", f"/sandbox/deliveries/{first['id']}/resend", {})
    assert (answer.status, answer.json["code"]) == (409, "WEBHOOK_INACTIVE")
    assert await resend(api) == 0
    await api.call("DELETE", f"/v1/webhooks/{webhook}")
    assert await resend(api) == 0
    assert len(await deliveries(api, sandbox)) == 1


async def test_a_delivery_that_never_was(api: Api) -> None:
    answer = await api.call("POST", "/sandbox/deliveries/whd_x/resend", {})
    assert (answer.status, answer.json["code"]) == (404, "DELIVERY_NOT_FOUND")


@pytest.mark.parametrize("body", [{"last": 0}, {"last": "3"}, {"event": ""}, {"count": 3}])
async def test_a_wish_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.call("POST", "/sandbox/deliveries/resend", body)).status == 400
