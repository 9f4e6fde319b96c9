"""Chats as their owner sets them up: names, colours, members; contacts who block, and who read when they look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from pilotbot.sandbox import Sandbox
from pilotbot.sandbox.store import Store
from tests.sandbox.conftest import QUICK, Api, Receiver, settle

ANA = "+5511987650001"
GROUP = "120363000000000001@g.us"
TEAM: list[dict[str, Any]] = [{"contact": ANA, "name": "Ana"}, {"contact": "+5521998760002", "name": None}]


async def contact(api: Api, address: str = ANA, **more: Any) -> dict[str, Any]:
    answer = await api.call("POST", "/sandbox/contacts", {"contact": address} | more)
    assert answer.status == 200, answer.json
    return dict(answer.json)


async def chats(api: Api) -> list[dict[str, Any]]:
    return list((await api.call("GET", "/sandbox/state")).json["chats"])


async def read(api: Api, address: str = ANA) -> int:
    return int((await api.call("POST", "/sandbox/read", {"contact": address})).json["read"])


async def statuses(api: Api, sandbox: Sandbox) -> list[str]:
    await settle(sandbox)
    return [row["status"] for row in await api.rows() if row["direction"] == "out"]


async def test_a_contact_is_made_and_changed_by_what_is_named(api: Api) -> None:
    made = await contact(api, name="Ana", colour=3)
    assert made == {
        "number": "num_meta", "contact": ANA, "name": "Ana", "kind": "contact", "lastInboundAt": None, "windowClosesAt": None,
        "colour": 3, "members": [], "blocked": False, "reads": True,
    }  # fmt: skip
    assert await contact(api, "5511987650001", blocked=True, reads=False) == made | {"blocked": True, "reads": False}
    assert await contact(api, "+551187650001", name="Ana Souza", blocked=False) == made | {"name": "Ana Souza", "reads": False}
    assert await chats(api) == [made | {"name": "Ana Souza", "reads": False}]
    assert await contact(api, number="num_evolution") != made
    assert len(await chats(api)) == 2


async def test_a_colour_nobody_chose_stays_the_same(api: Api) -> None:
    first = (await contact(api))["colour"]
    assert 0 <= first < 12
    await api.write()
    assert {chat["colour"] for chat in await chats(api)} == {first}
    others = {(await contact(api, f"+55119876500{n}"))["colour"] for n in range(10, 40)}
    assert len(others) > 5


async def test_a_group_has_members(evolution: Api) -> None:
    made = await contact(evolution, GROUP, number="num_evolution", name="Team", members=[*TEAM, TEAM[0] | {"name": "Ana Souza"}])
    assert (made["kind"], made["name"], made["members"]) == ("group", "Team", [TEAM[0] | {"name": "Ana Souza"}, TEAM[1]])
    assert (await contact(evolution, GROUP, number="num_evolution", members=[]))["members"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contact": "Ana"},
        {"contact": "../../etc/passwd"},
        {"contact": ANA, "colour": 12},
        {"contact": ANA, "colour": -1},
        {"contact": ANA, "name": ""},
        {"contact": ANA, "colour": "3"},
        {"contact": ANA, "members": []},
        {"contact": ANA, "nickname": "A"},
        {"contact": GROUP, "blocked": True},
        {"contact": GROUP, "members": [{"contact": GROUP}]},
        {"contact": GROUP, "members": [{"contact": f"+5511987{n:06}"} for n in range(1025)]},
    ],
)
async def test_a_contact_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.call("POST", "/sandbox/contacts", body)).status == 400
    assert await chats(api) == []


async def test_an_unknown_number_has_no_contacts(api: Api) -> None:
    for path in ("contacts", "read"):
        assert (await api.call("POST", f"/sandbox/{path}", {"contact": ANA, "number": "num_x"})).status == 404


async def test_whoever_blocked_the_number_is_never_reached(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    await api.write()
    await contact(api, blocked=True)
    await api.subscribe(receiver.url, "message.sent", "message.delivered")
    assert (await api.send({"text": "are you there?"})).status == 202
    assert await statuses(api, sandbox) == ["SENT"]
    refused = await api.write("no")
    assert (refused.status, "unblock first" in refused.json["error"]) == (400, True)
    await contact(api, blocked=False)
    await api.write("yes")
    await api.send({"text": "welcome back"})
    assert await statuses(api, sandbox) == ["SENT", "READ"]
    assert [(hit.event, hit.data["content"]) for hit in receiver.hits] == [
        ("message.sent", "are you there?"), ("message.sent", "welcome back"), ("message.delivered", "welcome back"),
    ]  # fmt: skip


async def test_a_block_is_of_one_chat(api: Api, evolution: Api) -> None:
    await contact(api, blocked=True)
    assert (await api.write(number="num_evolution")).status == 200
    assert (await api.write(number="num_evolution", groupId=GROUP)).status == 200
    assert (await api.write("typed on our own phone", fromMe=True)).status == 200


async def test_some_read_when_they_open_the_chat(api: Api, sandbox: Sandbox, receiver: Receiver) -> None:
    await api.write()
    await api.write(**{"from": "+5521998760002"})
    await contact(api, reads=False)
    await api.subscribe(receiver.url, "message.read")
    for text in ("one", "two"):
        await api.send({"text": text})
    await api.send({"text": "other"}, to="+5521998760002")
    assert await statuses(api, sandbox) == ["DELIVERED", "DELIVERED", "READ"]
    assert await read(api, "+551187650001") == 2
    assert await read(api) == 0
    assert await statuses(api, sandbox) == ["READ"] * 3
    assert sorted(hit.data["content"] for hit in receiver.hits) == ["one", "other", "two"]
    assert (await api.rows())[-2]["readAt"] is not None


async def test_without_receipts_nothing_is_known_to_be_read(api: Api, sandbox: Sandbox) -> None:
    await api.write()
    await api.faults(readReceipts=False)
    await api.send({"text": "a"})
    await settle(sandbox)
    assert await read(api) == 0
    await api.faults(readReceipts=True)
    assert await read(api) == 1


async def test_reading_does_not_wait_for_the_receipt(session: aiohttp.ClientSession, receiver: Receiver) -> None:
    async with Sandbox(replace(QUICK, receipt_delay=(600, 600))) as sandbox:
        api = Api(session, sandbox.url)
        await api.write()
        await api.subscribe(receiver.url, "message.read")
        await api.send({"text": "a"})
        await api.advance("20m")
        assert await statuses(api, sandbox) == ["DELIVERED"]
        assert await read(api) == 1
        assert sandbox.pending().later == []
        await api.advance("20m")
        await settle(sandbox)
        assert len([hit for hit in receiver.hits if hit.event == "message.read"]) == 1


async def test_chats_survive_a_restart_and_not_a_reset(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    settings = replace(QUICK, data_dir=tmp_path)
    async with Sandbox(settings) as sandbox:
        api = Api(session, sandbox.url)
        await contact(api, name="Ana", colour=3, blocked=True, reads=False)
        await contact(api, GROUP, members=TEAM, number="num_evolution")
        before = await chats(api)
    async with Sandbox(settings) as sandbox:
        api = Api(session, sandbox.url)
        assert await chats(api) == before
        await api.call("POST", "/sandbox/reset", {})
        assert await chats(api) == []
        assert (await api.write()).status == 200


async def test_records_of_older_versions_still_load(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    store = Store(tmp_path)
    chat = {"number_id": "num_meta", "contact": ANA, "kind": "contact", "name": "Ana", "last_inbound_ms": 1}
    message = {
        "id": "cm1", "seq": 1, "number_id": "num_meta", "direction": "out", "contact": ANA, "chat_kind": "contact",
        "mode": "list", "type": "text", "status": "READ", "created_ms": 1, "text": "Choose",
    }  # fmt: skip
    store.put("chat", f"num_meta {ANA}", orjson.dumps(chat))
    store.put("message", "cm1", orjson.dumps(message))
    store.close()
    async with Sandbox(replace(QUICK, data_dir=tmp_path)) as sandbox:
        api = Api(session, sandbox.url)
        (shown,) = await chats(api)
        assert (shown["name"], shown["members"], shown["blocked"], shown["reads"]) == ("Ana", [], False, True)
        (row,) = await api.rows()
        assert (row["text"], row["list"], row["cards"], row["location"], row["contacts"], row["reaction"]) == ("Choose", *[None] * 5)


async def test_a_chat_as_a_chat_file(api: Api, sandbox: Sandbox) -> None:
    await api.write("order 4242")
    await api.write("elsewhere", number="num_evolution")
    await api.write("somebody else", **{"from": "+5521998760002"})
    await api.send({"text": "It is on its way."})
    await settle(sandbox)
    answer = await api.call("GET", "/sandbox/chatfile?number=num_meta&contact=+551187650001")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert [line[:2] for line in answer.json.splitlines() if line[:2] in {"> ", "< "}] == ["> ", "< "]
    assert "It is on its way." in answer.json
    assert ANA not in answer.json
    for query in ("", "?contact=%2B5531998760003", "?contact=" + GROUP):
        missing = await api.call("GET", "/sandbox/chatfile" + query)
        assert (missing.status, missing.json["code"]) == (404, "CHAT_NOT_FOUND")
