"""What contacts do besides writing: share a place or a contact card, react."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilotbot.sandbox import Sandbox
from tests.sandbox.conftest import Api, Receiver, Reply, settle

ANA = "+5511987650001"
GROUP = "120363000000000001@g.us"
SHOP = {"latitude": -23.5613, "longitude": -46.6565, "name": "Loja Exemplo", "address": "Av. Paulista, 1000"}
CARD = {"name": "Bruno", "phone": "+5521998760002"}


async def share(api: Api, kind: str, what: object, **more: Any) -> Reply:
    return await api.call("POST", "/sandbox/inbound", {"from": ANA, "type": kind, kind: what} | more)


async def react(api: Api, message: str, emoji: str = "👍", **more: Any) -> Reply:
    return await share(api, "reaction", {"emoji": emoji, "message": message}, **more)


async def test_a_place(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await share(api, "location", SHOP)
    await share(api, "location", {"latitude": 0, "longitude": 180})
    full, bare = [hit.data for hit in await receiver.wait(2)]
    assert (full["type"], json.loads(full["content"])) == ("location", SHOP)
    assert full["content"].startswith('{"latitude":-23.5613,"longitude":-46.6565,')
    assert json.loads(bare["content"]) == {"latitude": 0, "longitude": 180}
    assert not full.keys() & {"mediaType", "mediaLink", "quotedMessageId"}
    row = (await api.rows())[0]
    assert (row["type"], row["location"], row["text"], row["contacts"], row["reaction"]) == ("location", SHOP, None, None, None)
    assert (await api.call("GET", "/sandbox/state")).json["chats"][0]["lastInboundAt"] is not None


async def test_contact_cards(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await share(api, "contacts", [CARD, CARD])
    data = (await receiver.wait(1))[0].data
    assert (data["type"], json.loads(data["content"])) == ("contacts", [CARD, CARD])
    row = (await api.rows())[0]
    assert (row["contacts"], row["location"]) == ([CARD, CARD], None)


async def test_a_reaction_to_what_the_bot_said(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    await api.write("hi")
    sent = (await api.send({"text": "hello"})).json["id"]
    await settle(sandbox)
    message_id = (await api.rows())[-1]["messageId"]
    await api.subscribe(receiver.url, "message.received")
    await react(api, sent, "❤️")
    await react(api, message_id, "")
    given, taken = [hit.data for hit in await receiver.wait(2)]
    assert (given["type"], given["content"], given["quotedMessageId"]) == ("reaction", "❤️", message_id)
    assert (taken["type"], taken["content"], taken["quotedMessageId"]) == ("reaction", "", message_id)
    assert "contentReplied" not in given
    rows = (await api.rows())[2:]
    assert [(row["type"], row["event"], row["reaction"]) for row in rows] == [
        ("reaction", "message.received", {"emoji": "❤️", "message": sent}),
        ("reaction", "message.received", {"emoji": "", "message": sent}),
    ]


async def test_a_reaction_is_not_a_message(api: Api) -> None:
    await api.write("hi", at="2026-01-01T00:00:00Z")
    before = (await api.call("GET", "/sandbox/state")).json["chats"]
    written = (await api.rows())[0]["id"]
    await react(api, written)
    assert (await api.call("GET", "/sandbox/state")).json["chats"] == before
    await api.send({"text": "hello"})
    assert (await api.rows())[0]["status"] == "READ"


async def test_a_reaction_in_a_group(api: Api, evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url)
    here = {"number": "num_evolution", "groupId": GROUP}
    message = (await api.write("bom dia", **here)).json
    assert (await react(api, message["id"], **here)).status == 200
    data = (await receiver.wait(2))[1].data
    assert (data["type"], data["content"], data["quotedMessageId"]) == ("reaction", "👍", message["messageId"])


async def test_a_reaction_is_to_a_message_of_the_chat(api: Api) -> None:
    other = (await api.write("x", **{"from": "+5521998760002"})).json["id"]
    elsewhere = (await api.write("x", number="num_evolution")).json["id"]
    for message in (other, elsewhere, "nope"):
        answer = await react(api, message)
        assert (answer.status, "no such message" in answer.json["error"]) == (400, True)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "location", "location": {"latitude": 91, "longitude": 0}},
        {"type": "location", "location": {"latitude": 0, "longitude": -180.5}},
        {"type": "location", "location": {"latitude": "0", "longitude": 0}},
        {"type": "location", "location": {"latitude": 0}},
        {"type": "location", "location": {"latitude": 0, "longitude": 0, "altitude": 0}},
        {"type": "location", "location": SHOP, "text": "here"},
        {"type": "location", "location": SHOP, "media": "https://m.example/1.jpg"},
        {"type": "image", "location": SHOP},
        {"location": SHOP},
        {"type": "contacts", "location": SHOP},
        {"type": "contacts", "contacts": []},
        {"type": "contacts", "contacts": [CARD] * 21},
        {"type": "contacts", "contacts": [{"name": "Bruno"}]},
        {"type": "contacts", "contacts": CARD},
        {"type": "reaction", "reaction": {"emoji": "👍"}},
        {"type": "reaction", "reaction": {"emoji": "👍" * 33, "message": "x"}},
        {"type": "reaction", "reaction": {"emoji": "👍", "message": "x"}, "contacts": [CARD]},
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.call("POST", "/sandbox/inbound", {"from": ANA} | body)).status == 400
    assert await api.rows() == []


async def test_who_writes_in_a_group_has_the_name_it_has_there(api: Api, evolution: Api, receiver: Receiver) -> None:
    members = [{"contact": "+551187650001", "name": "Ana of sales"}]
    await api.call("POST", "/sandbox/contacts", {"contact": GROUP, "number": "num_evolution", "members": members})
    await api.call("POST", "/sandbox/contacts", {"contact": CARD["phone"], "number": "num_evolution", "name": "Bruno"})
    await evolution.subscribe(receiver.url)
    here = {"number": "num_evolution", "groupId": GROUP, "name": None}
    for sender in (ANA, CARD["phone"], "+5531998760003"):
        await api.write("oi", **here, **{"from": sender})
    assert [hit.data["participantName"] for hit in await receiver.wait(3)] == ["Ana of sales", "Bruno", None]
