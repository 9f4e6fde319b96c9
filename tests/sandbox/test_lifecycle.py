"""The life of a message: sent, delivered, read; late failures; scheduling and cancelling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pilotbot.sandbox import SandboxSettings
from pilotbot.sandbox.clock import iso, parse_iso
from tests.sandbox.conftest import QUICK, Api, Receiver


async def now(api: Api) -> int:
    return parse_iso((await api.call("GET", "/sandbox/clock")).json["now"])


async def test_sent_delivered_read_in_order_with_one_id(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url)
    accepted = (await api.send({"text": "Olá 👋🏽"})).json
    hits = await receiver.wait(3)
    assert receiver.events() == ["message.sent", "message.delivered", "message.read"]
    assert {hit.data["id"] for hit in hits} == {accepted["id"]}
    assert hits[0].data == {
        "numberId": "num_meta",
        "messageId": hits[1].data["messageId"],
        "id": accepted["id"],
        "type": "text",
        "fromMe": True,
        "createdAt": hits[0].data["createdAt"],
        "from": "+551140028922",
        "to": "+5511987650001",
        "content": "Olá 👋🏽",
        "correlationId": accepted["correlationId"],
    }
    assert hits[0].data["messageId"].startswith("wamid.")
    assert "Olá 👋🏽".encode() in hits[0].raw
    assert (await api.rows())[-1]["status"] == "READ"


async def test_evolution_gives_its_own_ids_and_has_no_window(evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url, "message.sent", "message.failed")
    await evolution.send({"text": "hi"})
    hits = await receiver.wait(1)
    assert hits[0].event == "message.sent"
    assert hits[0].data["messageId"].startswith("3EB0")


async def test_read_receipts_can_be_off(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.delivered", "message.read")
    await api.faults(readReceipts=False)
    await api.send({"text": "one"})
    await receiver.until("message.delivered")
    await api.faults(readReceipts=True)
    await api.send({"text": "two"})
    hits = await receiver.until("message.read")
    assert [(hit.event, hit.data["content"]) for hit in hits] == [
        ("message.delivered", "one"),
        ("message.delivered", "two"),
        ("message.read", "two"),
    ]


async def test_a_contact_who_never_wrote_fails_late(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    assert (await api.send({"text": "hi"})).status == 202
    failed = (await receiver.wait(1))[0]
    assert failed.event == "message.failed"
    assert (failed.data["errorCode"], failed.data["messageId"]) == ("META_NO_CONVERSATION", None)
    assert failed.data["error"]


async def test_the_window_closes_24_hours_after_the_last_inbound(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.failed", "message.sent")
    await api.advance("23h59m")
    await api.send({"text": "in time"})
    await receiver.until("message.sent")
    await api.advance("2m")
    await api.send({"text": "late"})
    await api.send({"templateId": "follow_up"})
    hits = [hit for hit in await receiver.wait(5) if hit.event != "sandbox.clock"]
    codes = [hit.data.get("errorCode") for hit in hits]
    assert codes == [None, "META_OUTSIDE_24H_WINDOW", None]
    await api.write()
    await api.send({"text": "open again"})
    assert (await receiver.wait(6))[-1].event == "message.sent"


async def test_the_window_is_judged_when_the_message_goes(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.failed")
    at = await now(api) + 25 * 3_600_000
    await api.send({"text": "tomorrow", "deliverAt": iso(at)})
    await api.advance("26h")
    failed = (await receiver.until("message.failed"))[-1]
    assert failed.data["errorCode"] == "META_OUTSIDE_24H_WINDOW"
    assert parse_iso(failed.data["createdAt"]) == at


async def test_a_leap_of_the_clock_judges_each_message_as_of_when_it_was_due(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.failed", "message.sent")
    await api.send({"text": "in an hour", "deliverAt": iso(await now(api) + 3_600_000)})
    await api.advance("3d")
    assert (await receiver.until("message.sent"))[-1].data["content"] == "in an hour"


@pytest.mark.parametrize(
    "inbound",
    [
        {"type": "reaction", "text": "👍"},
        {"fromMe": True},
        {"groupId": "120363000000000001@g.us"},
        {"newsletterId": "120363000000000099@newsletter"},
    ],
)
async def test_what_does_not_open_the_window(api: Api, receiver: Receiver, inbound: dict[str, Any]) -> None:
    await api.write(**inbound)
    await api.subscribe(receiver.url, "message.failed", "message.sent")
    await api.send({"text": "hi"})
    assert (await receiver.wait(1))[0].event == "message.failed"


async def test_replayed_or_future_times_do_not_move_the_window(api: Api) -> None:
    start = await now(api)
    await api.write(at=iso(start - 3_600_000))
    chats = (await api.call("GET", "/sandbox/state")).json["chats"]
    assert parse_iso(chats[0]["windowClosesAt"]) == start + 23 * 3_600_000
    await api.write(at=iso(start - 7_200_000))
    assert (await api.call("GET", "/sandbox/state")).json["chats"] == chats
    await api.write(at=iso(start + 9 * 3_600_000))
    closes = (await api.call("GET", "/sandbox/state")).json["chats"][0]["windowClosesAt"]
    assert parse_iso(closes) <= await now(api) + 24 * 3_600_000


async def test_the_window_is_one_with_and_without_the_ninth_digit(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.failed", "message.sent")
    await api.send({"text": "hi"}, to="+551187650001")
    assert (await receiver.wait(1))[0].event == "message.sent"


async def test_a_number_without_whatsapp(api: Api, evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url)
    await evolution.send({"text": "hi"}, to="+5511900000000")
    assert (await receiver.wait(1))[0].data["errorCode"] == "WHATSAPP_NOT_EXIST"


async def test_a_template_disabled_before_it_goes_fails_late(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url, "message.failed")
    await api.send({"templateId": "follow_up", "deliverAt": iso(await now(api) + 3_600_000)})
    assert (await api.call("POST", "/sandbox/templates/follow_up/disable", {})).status == 200
    await api.advance("2h")
    assert (await receiver.until("message.failed"))[-1].data["errorCode"] == "META_TEMPLATE_NOT_APPROVED"


async def test_a_message_past_its_deliver_until_expires(evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url)
    start = await now(evolution)
    await evolution.send({"text": "x", "deliverAt": iso(start + 7_200_000), "deliverUntil": iso(start + 3_600_000)})
    await evolution.advance("3h")
    assert (await receiver.until("message.failed"))[-1].data["errorCode"] == "MESSAGE_EXPIRED"


async def test_only_a_waiting_message_can_be_cancelled(evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url, "message.sent")
    waits = (await evolution.send({"text": "later", "deliverAt": iso(await now(evolution) + 3_600_000)})).json["id"]
    gone = (await evolution.send({"text": "now"})).json["id"]
    await receiver.wait(1)
    answer = await evolution.call("DELETE", "/v1/messages/cancel", {"messageIds": [waits, gone, "nope"]})
    assert answer.status == 200
    assert answer.json["cancelled"] == [waits]
    assert [item["id"] for item in answer.json["failed"]] == [gone, "nope"]
    details = (await evolution.call("GET", f"/v1/messages/{waits}")).json
    assert (details["status"], details["errorCode"]) == ("CANCELED", None)
    await evolution.advance("2h")
    await evolution.send({"text": "last"})
    await receiver.until("sandbox.clock")
    contents = [hit.data.get("content") for hit in await receiver.wait(3)]
    assert contents == ["now", None, "last"]


class TestStillQueued:
    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return replace(QUICK, receipt_delay=(3600, 3600))

    @pytest.mark.parametrize("when", [{}, {"deliverAt": "2020-01-01T00:00:00Z"}])
    async def test_without_a_future_deliver_at_it_is_too_late_to_cancel(self, api: Api, when: dict[str, str]) -> None:
        sent = (await api.send({"text": "a"} | when)).json["id"]
        answer = await api.call("DELETE", "/v1/messages/cancel", {"messageIds": [sent]})
        assert (answer.json["cancelled"], answer.json["failed"][0]["id"]) == ([], sent)

    async def test_what_did_not_arrive_yet_cannot_be_tapped(self, api: Api) -> None:
        await api.write()
        await api.send({"text": "?", "buttons": [{"type": "reply", "label": "Yes"}]})
        answer = await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "tap": "Yes"})
        assert answer.status == 400
        assert "nothing yet" in answer.json["error"]


@pytest.mark.parametrize("ids", [[], ["x"] * 101, "x", [1]])
async def test_a_cancel_takes_1_to_100_ids(api: Api, ids: object) -> None:
    assert (await api.call("DELETE", "/v1/messages/cancel", {"messageIds": ids})).status == 400


async def test_details_by_each_id(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url)
    accepted = (await api.send({"templateId": "welcome", "variables": {"name": "Ana"}})).json
    provider = (await receiver.wait(3))[0].data["messageId"]
    found = [(await api.call("GET", f"/v1/messages/{one}")).json for one in (accepted["id"], accepted["correlationId"], provider)]
    assert found[0] == found[1] == found[2]
    assert found[0]["externalMessageId"] == provider
    assert found[0]["template"] == "welcome"
    assert found[0]["status"] == "READ"
    assert found[0]["metaPricing"]["category"] == "utility"


async def test_details_only_within_the_keys_scope_and_only_of_sends(api: Api, evolution: Api) -> None:
    inbound = (await api.write()).json
    sent = (await api.send({"text": "a"})).json
    assert (await evolution.call("GET", f"/v1/messages/{sent['id']}")).status == 404
    for one in (inbound["id"], inbound["messageId"], "nope", "%2e%2e", "a%2Fb"):
        assert (await api.call("GET", f"/v1/messages/{one}")).status == 404


async def test_history_pages_newest_first_in_both_directions(api: Api) -> None:
    for n in range(5):
        await api.write(f"in {n}")
    await api.send({"text": "out"})
    first = (await api.call("GET", "/v1/messages/history?pageSize=4")).json
    assert [row["text"] for row in first["messages"]] == ["out", "in 4", "in 3", "in 2"]
    assert (first["total"], first["page"], first["pageSize"], first["totalPages"]) == (6, 1, 4, 2)
    assert [row["direction"] for row in first["messages"]][:2] == ["OUTBOUND", "INBOUND"]
    second = (await api.call("GET", "/v1/messages/history?pageSize=4&page=2")).json
    assert [row["text"] for row in second["messages"]] == ["in 1", "in 0"]
    assert (await api.call("GET", "/v1/messages/history?pageSize=1000")).json["pageSize"] == 100


async def test_history_by_provider_time(api: Api) -> None:
    for hour in (1, 2, 3):
        await api.write(str(hour), at=f"2026-01-01T0{hour}:00:00Z")
    path = "/v1/messages/history?startDate=2026-01-01T01:30:00Z&endDate=2026-01-01T02:30:00Z"
    assert [row["text"] for row in (await api.call("GET", path)).json["messages"]] == ["2"]


async def test_history_tells_groups_apart_and_shows_places_as_webhooks_do(api: Api) -> None:
    await api.write("hi")
    await api.write("all", groupId="120363000000000001@g.us")
    await api.write(None, type="location", location={"latitude": 1.5, "longitude": 2.5})
    place, group, direct = (await api.call("GET", "/v1/messages/history")).json["messages"]
    assert (direct.get("groupId"), group["groupId"]) == (None, "120363000000000001@g.us")
    assert (place["messageType"], place["text"]) == ("location", '{"latitude":1.5,"longitude":2.5}')


async def test_history_can_hide_what_was_written(api: Api) -> None:
    await api.write("a secret")
    await api.faults(hiddenHistory={"next": 1, "path": "/v1/messages/history"})
    hidden, shown = [(await api.call("GET", "/v1/messages/history")).json["messages"][0] for _ in range(2)]
    assert (hidden["text"], hidden["participantName"], hidden["redacted"]) == (None, None, True)
    assert hidden["participantPhone"] == shown["participantPhone"]
    assert (shown["text"], "redacted" in shown) == ("a secret", False)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("startDate=2026-01-02&endDate=2026-01-01", "INVALID_DATE_RANGE"),
        ("startDate=soon", "INVALID_DATE_RANGE"),
        ("page=0", "VALIDATION_ERROR"),
        ("pageSize=-1", "VALIDATION_ERROR"),
        ("page=%C2%B2", "VALIDATION_ERROR"),
    ],
)
async def test_bad_history_queries(api: Api, query: str, code: str) -> None:
    answer = await api.call("GET", f"/v1/messages/history?{query}")
    assert (answer.status, answer.json["code"]) == (400, code)


async def test_a_send_marks_the_contacts_last_message_read_unless_told_not_to(api: Api) -> None:
    await api.write()
    await api.send({"text": "a", "markRead": False})
    assert (await api.rows())[0]["status"] == "DELIVERED"
    await api.send({"text": "b"})
    assert (await api.rows())[0]["status"] == "READ"
