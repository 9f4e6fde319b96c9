"""Webhooks: registered, signed, delivered in order, tried again, and never in each other's way (contract 8.1 to 8.3)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest

from pilotbot.sandbox import SandboxSettings
from tests.sandbox.conftest import QUICK, Api, Receiver

SIGNATURE = "x-pilot-status-signature"


def signed(secret: bytes, raw: bytes) -> str:
    return hmac.new(secret, raw, hashlib.sha256).hexdigest()


async def settled(api: Api, count: int = 1) -> list[dict[str, Any]]:
    """The deliveries, once `count` attempts have an outcome."""
    async with asyncio.timeout(10):
        while True:
            rows = list((await api.call("GET", "/sandbox/deliveries")).json)
            if sum(row["attempts"] for row in rows) >= count:
                return rows


async def test_register_list_change_delete(api: Api, evolution: Api) -> None:
    made = await api.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1:1/x", "name": "bot", "events": ["*", "nope"]})
    assert made.status == 201
    assert made.json["id"].startswith("wh_")
    assert (made.json["events"], made.json["active"]) == (["*"], True)
    assert made.json["whatsappNumberIds"] == ["num_meta"]
    assert "secret" not in str(made.json)
    path = f"/v1/webhooks/{made.json['id']}"
    assert (await api.call("GET", "/v1/webhooks")).json == [made.json]
    assert (await api.call("GET", path)).json == made.json
    changed = await api.call("PATCH", path, {"events": ["message.reply"], "active": False})
    assert (changed.json["events"], changed.json["active"], changed.json["name"]) == (["message.reply"], False, "bot")
    empty = await api.call("PATCH", path, {})
    assert (empty.status, empty.json["code"]) == (400, "EMPTY_PATCH")
    assert (await evolution.call("GET", "/v1/webhooks")).json == []
    foreign = await evolution.call("DELETE", path)
    assert (foreign.status, foreign.json["code"]) == (404, "WEBHOOK_NOT_FOUND")
    assert (await api.call("DELETE", path)).status == 200
    assert (await api.call("GET", path)).status == 404


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://bot.example.com/hook?token=x", 201),
        ("http://localhost:8701/hook", 201),
        ("http://[::1]:8701/hook", 201),
        ("http://127.9.9.9/hook", 201),
        ("http://bot.example.com/hook", 400),
        ("http://127.0.0.1.example.com/hook", 400),
        ("ftp://127.0.0.1/hook", 400),
        ("https://", 400),
        ("http://[", 400),
        ("hook", 400),
    ],
)
async def test_urls_are_https_or_of_this_machine(api: Api, url: str, status: int) -> None:
    assert (await api.call("POST", "/v1/webhooks", {"url": url, "events": []})).status == status


async def test_whose_number_a_webhook_is(api: Api) -> None:
    tenant, body = api.as_key("ps_sandbox_tenant"), {"url": "http://127.0.0.1:1/x", "events": ["*"]}
    nameless = await tenant.call("POST", "/v1/webhooks", body)
    assert (nameless.status, nameless.json["code"]) == (400, "NUMBER_REQUIRED")
    unknown = await tenant.call("POST", "/v1/webhooks", body | {"whatsappNumberId": "num_x"})
    assert (unknown.status, unknown.json["code"]) == (404, "NUMBER_NOT_FOUND")
    other = await api.call("POST", "/v1/webhooks", body | {"whatsappNumberId": "num_evolution"})
    assert (other.status, other.json["code"]) == (400, "NUMBER_MISMATCH")
    for answer in (
        await tenant.call("POST", "/v1/webhooks", body | {"whatsappNumberId": "num_evolution"}),
        await tenant.call("POST", "/v1/webhooks", body, headers={"x-whatsapp-number-id": "num_evolution"}),
    ):
        assert answer.json["whatsappNumberIds"] == ["num_evolution"]
    assert len((await tenant.call("GET", "/v1/webhooks")).json) == 2


async def test_only_what_was_subscribed_to_is_delivered(api: Api, evolution: Api, receiver: Receiver) -> None:
    await api.call("POST", "/v1/webhooks", {"url": receiver.url + "/none"})
    await api.subscribe(receiver.url + "/reply", "message.reply")
    await evolution.subscribe(receiver.url + "/other", "*")
    await api.subscribe(receiver.url + "/all", "*")
    await api.write()
    await receiver.wait(1)
    urls = [row["url"] for row in (await api.call("GET", "/sandbox/deliveries")).json]
    assert urls == [receiver.url + "/all"]


async def test_the_signature_is_over_the_raw_bytes(api: Api, receiver: Receiver) -> None:
    webhook = await api.subscribe(receiver.url)
    await api.write("Olá 👋🏽\n“ok”")
    hit = (await receiver.wait(1))[0]
    assert hit.headers[SIGNATURE] == signed(b"sandbox-webhook-secret", hit.raw)
    assert hit.headers["content-type"] == "application/json"
    assert b'": ' not in hit.raw
    assert "Olá 👋🏽".encode() in hit.raw
    await api.call("POST", f"/sandbox/webhooks/{webhook}/secret", {"secret": "own"})
    await api.write("again")
    hit = (await receiver.wait(2))[1]
    assert hit.headers[SIGNATURE] == signed(b"own", hit.raw)


async def test_what_is_refused_is_tried_again_with_the_same_bytes(api: Api, receiver: Receiver) -> None:
    receiver.statuses = [503, 302]
    webhook = await api.subscribe(receiver.url, "message.received")
    await api.write()
    (first,) = await settled(api)
    assert (first["status"], first["statusCode"], first["attempts"]) == ("PENDING", 503, 1)
    assert first["nextAttemptAt"]
    await api.advance("1m")
    (second,) = await settled(api, 2)
    assert (second["status"], second["statusCode"]) == ("PENDING", 302)
    await api.advance("10m")
    (last,) = await settled(api, 3)
    assert (last["status"], last["statusCode"], last["attempts"]) == ("SUCCESS", 200, 3)
    hits = [hit for hit in receiver.hits if hit.event == "message.received"]
    assert len(hits) == 3
    assert len({(hit.raw, hit.headers[SIGNATURE]) for hit in hits}) == 1
    (log,) = (await api.call("GET", f"/v1/webhooks/{webhook}/logs")).json
    assert (log["event"], log["status"], log["statusCode"]) == ("message.received", "SUCCESS", 200)
    assert log["payload"]["data"]["content"] == "hi"


async def test_after_the_last_try_a_delivery_has_failed(api: Api) -> None:
    webhook = await api.subscribe("http://127.0.0.1:9/nobody", "message.received")
    await api.write()
    await settled(api)
    for tries, step in ((2, "1m"), (3, "10m")):
        await api.advance(step)
        (row,) = await settled(api, tries)
    assert (row["status"], row["statusCode"], row["attempts"]) == ("FAILED", None, 3)
    (log,) = (await api.call("GET", f"/v1/webhooks/{webhook}/logs")).json
    assert (log["status"], log["statusCode"]) == ("FAILED", None)


async def test_https_elsewhere_is_not_reached_and_says_why(api: Api) -> None:
    webhook = await api.subscribe("https://bot.example.com/hook", "message.received")
    await api.write()
    await settled(api)
    (log,) = (await api.call("GET", f"/v1/webhooks/{webhook}/logs")).json
    assert "no network" in log["response"]


async def test_logs_are_newest_first_and_can_be_narrowed(api: Api, receiver: Receiver) -> None:
    webhook = await api.subscribe(receiver.url)
    for n in range(3):
        await api.write(str(n))
    await api.write("quoted", quoted="wamid.X")
    await receiver.wait(4)
    await settled(api, 4)
    path = f"/v1/webhooks/{webhook}/logs"
    assert [row["payload"]["data"]["content"] for row in (await api.call("GET", path + "?limit=2")).json] == ["quoted", "2"]
    narrowed = (await api.call("GET", path + "?event=message.reply")).json
    assert [row["event"] for row in narrowed] == ["message.reply"]
    assert (await api.call("GET", path + "?limit=0")).status == 400


async def test_a_slow_webhook_holds_up_no_other(api: Api, receiver: Receiver) -> None:
    receiver.gate.clear()
    await api.subscribe(receiver.url + "/slow", "message.received")
    await api.subscribe(receiver.url + "/fast", "message.received")
    await api.write("one")
    await receiver.wait(2)
    await api.write("from another chat", **{"from": "+5521998760002"})
    await receiver.wait(4)
    receiver.gate.set()


async def test_first_attempts_of_a_chat_go_one_after_the_other(api: Api, receiver: Receiver) -> None:
    receiver.gate.clear()
    await api.subscribe(receiver.url, "message.received")
    for n in range(20):
        await api.write(str(n))
    await receiver.wait(1)
    assert len(receiver.hits) == 1
    receiver.gate.set()
    assert [hit.data["content"] for hit in await receiver.wait(20)] == [str(n) for n in range(20)]


async def test_a_failed_first_attempt_lets_the_next_event_by(api: Api, receiver: Receiver) -> None:
    receiver.statuses = [500]
    await api.subscribe(receiver.url, "message.received")
    await api.write("first")
    await api.write("second")
    assert [hit.data["content"] for hit in await receiver.wait(2)] == ["first", "second"]


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", {"active": False})])
async def test_a_webhook_gone_meanwhile_gets_nothing_more(api: Api, receiver: Receiver, method: str, body: dict[str, bool] | None) -> None:
    receiver.statuses = [500]
    webhook = await api.subscribe(receiver.url, "message.received")
    await api.write()
    await settled(api)
    await api.call(method, f"/v1/webhooks/{webhook}", body)
    await api.advance("1m")
    async with asyncio.timeout(10):
        while (await settled(api))[0]["status"] != "FAILED":
            pass
    assert len(receiver.hits) == 1


async def test_faults_of_delivery(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url, "message.received")
    await api.faults(duplicateWebhooks={"next": 1}, unsignedWebhooks=True)
    await api.write()
    hits = await receiver.wait(2)
    assert hits[0].raw == hits[1].raw
    assert [SIGNATURE in hit.headers for hit in hits] == [False, False]
    assert [row["signature"] for row in (await api.call("GET", "/sandbox/deliveries")).json] == [None, None]


class TestShuffle:
    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return replace(QUICK, seed=7)

    async def test_shuffled_deliveries_all_come_in_another_order(self, api: Api, receiver: Receiver) -> None:
        await api.subscribe(receiver.url, "message.received")
        await api.faults(shuffleWebhooks=True)
        for n in range(10):
            await api.write(str(n))
        contents = [hit.data["content"] for hit in await receiver.wait(10)]
        assert sorted(contents) == [str(n) for n in range(10)]
        assert contents != sorted(contents)


async def test_any_envelope_can_be_delivered_as_it_is(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url, "message.received")
    body = {"event": "message.brand_new_kind", "data": {"id": "x"}}
    for signature in ("good", "bad", "none"):
        answer = await api.call("POST", "/sandbox/events", {"body": body, "signature": signature})
        assert answer.json == {"webhooks": 1}
    hits = await receiver.wait(3)
    assert [hit.body for hit in hits] == [body] * 3
    good = signed(b"sandbox-webhook-secret", hits[0].raw)
    assert [hit.headers.get(SIGNATURE) for hit in hits] == [good, "0" * 64, None]


def test_the_default_retries_begin_within_a_second_and_span_ten_minutes() -> None:
    schedule = SandboxSettings().retry_schedule
    assert schedule[0] <= 1
    assert sum(schedule) == 600
