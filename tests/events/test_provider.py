"""Meta's and Evolution's own bodies."""

import json
from typing import Any

import pytest

from pilotbot.events import Call, Event, Group, Media, Provider, Received, Reply, Status, Tap, decode

ANA, SHOP = "+5511987650001", "+551140028922"


def meta(**value: Any) -> tuple[Event, ...]:
    value = {"metadata": {"display_phone_number": "551140028922", "phone_number_id": "1"}, **value}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}
    event = decode(json.dumps(body).encode())
    assert isinstance(event, Provider)
    return event.inner


def message(**fields: Any) -> Received | Reply | Group:
    contacts = [{"wa_id": "5511987650001", "profile": {"name": "Ana Souza"}}]
    item = {"from": "5511987650001", "id": "wamid.1", "timestamp": "1795190401", **fields}
    (event,) = meta(contacts=contacts, messages=[item])
    assert isinstance(event, Received | Reply | Group)
    return event


def test_a_text() -> None:
    event = message(type="text", text={"body": "oi"})
    assert type(event) is Received
    assert (event.sender, event.to, event.text, event.sender_name) == (ANA, SHOP, "oi", "Ana Souza")
    assert (event.id, event.message_id, event.at, event.name) == ("wamid.1", "wamid.1", 1795190401000, "message.received")


def test_a_tap_on_a_button_of_a_menu() -> None:
    event = message(
        type="interactive", context={"id": "wamid.0"}, interactive={"type": "button_reply", "button_reply": {"id": "b", "title": "Yes"}}
    )
    assert type(event) is Reply
    assert (event.tap, event.text, event.quoted_id, event.type) == (Tap("Yes", "b"), "Yes", "wamid.0", "text")


def test_a_tap_on_a_list_and_on_a_template() -> None:
    assert message(type="interactive", interactive={"list_reply": {"id": "r", "title": "Plan A"}}).tap == Tap("Plan A", "r")
    assert message(type="button", button={"payload": "p", "text": "No"}).tap == Tap("No", "p")


def test_media() -> None:
    event = message(type="document", document={"id": "77", "mime_type": "application/pdf", "caption": "nota", "filename": "n.pdf"})
    assert (event.media, event.text) == (Media("document", None, "application/pdf", "n.pdf", "77"), "nota")


@pytest.mark.parametrize(
    ("fields", "text"),
    [({"type": "location", "location": {"latitude": -23.5, "longitude": -46.6}}, "-23.5,-46.6"), ({"type": "reaction",
     "reaction": {"emoji": "👍"}}, "👍"),
     ({"type": "location", "location": {"latitude": {}, "longitude": []}}, ""), ({"type": "contacts", "contacts": [{}]}, ""),
      ({"type": 5}, "")],
)  # fmt: skip
def test_other_types(fields: dict[str, Any], text: str) -> None:
    assert message(**fields).text == text


def test_a_group_message_is_not_a_private_one() -> None:
    event = message(type="text", text={"body": "oi"}, group_id="120363000000000001@g.us")
    assert type(event) is Group


def test_an_echo_of_our_own_message() -> None:
    (event,) = meta(
        message_echoes=[{"from": "551140028922", "to": "5511987650001", "id": "wamid.2", "type": "text", "text": {"body": "oi"}}]
    )
    assert isinstance(event, Received)
    assert (event.from_me, event.sender, event.to) == (True, SHOP, ANA)


def test_statuses() -> None:
    errors = [{"code": 131047, "title": "Re-engagement message"}]
    failed, read = meta(
        statuses=[
            {"id": "wamid.3", "status": "failed", "timestamp": "1795190403", "recipient_id": "5511987650001", "errors": errors},
            {"id": "wamid.3", "status": "read", "recipient_id": "5511987650001"},
            {"id": "wamid.3", "status": "played", "recipient_id": "5511987650001"},
            {"id": "wamid.3", "status": "received", "recipient_id": "5511987650001"},
            {"status": "read", "recipient_id": "5511987650001"},
        ]
    )
    assert isinstance(failed, Status)
    assert isinstance(read, Status)
    assert (failed.status, failed.id, failed.to, failed.error_code) == ("failed", "wamid.3", ANA, "131047")
    assert read.error is None


def test_calls() -> None:
    item = {"id": "wacid.1", "from": "5511987650001", "to": "551140028922", "timestamp": "1795190400", "direction": "USER_INITIATED"}
    start, end = meta(calls=[item | {"event": "connect"}, item | {"event": "terminate", "duration": 12}, item | {"event": "other"}])
    assert isinstance(start, Call)
    assert isinstance(end, Call)
    assert (start.change, start.direction, start.sender, start.to) == ("ringing", "INBOUND", ANA, SHOP)
    assert (end.change, end.duration, end.name) == ("ended", 12, "call.ended")
    assert start.id != end.id


@pytest.mark.parametrize(
    "entry", [None, [], [None], [{"changes": "x"}], [{"changes": [{"value": []}]}], [{"changes": [{"value": {"messages": [{}]}}]}]]
)
def test_an_envelope_with_nothing_readable_has_nothing_inside(entry: object) -> None:
    event = decode(json.dumps({"object": "whatsapp_business_account", "entry": entry}).encode())
    assert isinstance(event, Provider)
    assert event.inner == ()


@pytest.mark.parametrize(("name", "change"), [("CallOffer", "ringing"), ("CallAccept", "connected"), ("CallTerminate", "ended")])
def test_evolution_calls(name: str, change: str) -> None:
    data = {"CallID": "C1", "From": "5511987650001@s.whatsapp.net", "Timestamp": "2026-11-20T16:00:01Z"}
    event = decode(json.dumps({"event": name, "instance": "suporte", "data": data}).encode())
    assert isinstance(event, Provider)
    (call,) = event.inner
    assert isinstance(call, Call)
    assert (call.change, call.sender, call.at, call.call_id) == (change, ANA, 1795190401000, "C1")
