"""What simulated contacts can do, faults, reset, and who may call ``/sandbox``."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox import Sandbox, SandboxSettings
from pilotbot.sandbox.faults import Chance
from tests.sandbox.conftest import QUICK, Api, Receiver, settle

MENU = {"text": "How can we help?", "buttons": [{"type": "reply", "label": label} for label in ("Track", "Talk")]}
GROUP = "120363000000000001@g.us"
NEWSLETTER = "120363000000000099@newsletter"


async def test_a_text_arrives_as_the_contract_shows_it(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    answer = await api.write("Oi", at="2026-11-20T15:01:00.000Z")
    assert answer.json.keys() == {"id", "messageId"}
    assert (await receiver.wait(1))[0].body == {
        "event": "message.received",
        "data": {
            "numberId": "num_meta",
            "messageId": answer.json["messageId"],
            "id": answer.json["id"],
            "type": "text",
            "fromMe": False,
            "createdAt": "2026-11-20T15:01:00.000Z",
            "from": "+5511987650001",
            "to": "+551140028922",
            "participantName": "Ana",
            "content": "Oi",
        },
    }


async def test_a_name_is_remembered_and_may_be_unknown(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await api.write()
    await api.write(name=None)
    await api.write(name=None, **{"from": "+5521998760002"})
    assert [hit.data["participantName"] for hit in await receiver.wait(3)] == ["Ana", "Ana", None]


@pytest.mark.parametrize(
    ("media", "kind", "mime"),
    [
        ({"media": "https://m.example/1.jpg", "mediaType": "image/jpeg"}, "image", "image/jpeg"),
        ({"media": "https://m.example/1.jpg"}, "image", "image/jpeg"),
        ({"media": "https://m.example/1", "mediaType": "video"}, "video", "video/mp4"),
        ({"media": "https://m.example/1", "mediaType": "application/zip"}, "document", "application/zip"),
        ({"media": "https://m.example/1", "mediaType": "image/webp", "type": "sticker"}, "sticker", "image/webp"),
        ({"mediaType": "image/png"}, "image", "image/png"),
    ],
)
async def test_media(api: Api, receiver: Receiver, media: dict[str, str], kind: str, mime: str) -> None:
    await api.subscribe(receiver.url)
    await api.write("receipt", filename="r.x", **media)
    data = (await receiver.wait(1))[0].data
    assert (data["type"], data["mediaType"], data["mediaCaption"]) == (kind, mime, "receipt")
    assert data["mediaFilename"] == "r.x"
    assert data.get("mediaLink") == media.get("media")
    assert "content" not in data
    assert (await api.rows())[-1]["mode"] == "media"


async def test_a_location_has_only_its_type(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "type": "location"})
    data = (await receiver.wait(1))[0].data
    assert data["type"] == "location"
    assert "content" not in data


async def test_a_tap_answers_the_latest_message_that_offers_the_label(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.read", "message.reply")
    for _ in range(2):
        await api.send(MENU)
    menus = await receiver.wait(2)
    await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "tap": "Track"})
    reply = (await receiver.wait(3))[-1]
    assert reply.event == "message.reply"
    assert (reply.data["content"], reply.data["contentReplied"]) == ("Track", "How can we help?")
    assert reply.data["quotedMessageId"] == menus[1].data["messageId"]
    assert reply.data["correlationId"] == menus[1].data["correlationId"]
    old = menus[0].data["messageId"]
    await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "tap": "Talk", "quoted": old})
    assert (await receiver.wait(4))[-1].data["quotedMessageId"] == old


@pytest.mark.parametrize(
    ("tap_as", "event", "kind", "extra"),
    [
        ("received", "message.received", "text", {}),
        ("interactive", "message.received", None, {"mediaType": "interactive"}),
        ("buttonId", "message.reply", "text", {"buttonId": "btn_2"}),
    ],
)
async def test_the_other_forms_of_a_tap(
    api: Api, receiver: Receiver, tap_as: str, event: str, kind: str | None, extra: dict[str, str]
) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.read", "message.reply", "message.received")
    await api.send(MENU)
    await receiver.wait(1)
    await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "tap": "Talk", "tapAs": tap_as})
    hit = (await receiver.wait(2))[-1]
    assert (hit.event, hit.data.get("type"), hit.data["content"]) == (event, kind, "Talk")
    assert extra.items() <= hit.data.items()


async def test_a_label_nobody_offered_is_refused_with_those_that_were(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.read")
    await api.send(MENU)
    await receiver.wait(1)
    answer = await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "tap": "Nope"})
    assert answer.status == 400
    assert '"Track", "Talk"' in answer.json["error"]
    stranger = await api.call("POST", "/sandbox/inbound", {"from": "+5521998760002", "tap": "Track"})
    assert stranger.status == 400


async def test_only_what_writes_to_us_can_be_tapped(api: Api, sandbox: Sandbox) -> None:
    await api.write()
    others = [{"type": "url", "label": "Open", "url": "https://shop.example"}, {"type": "copy", "label": "Copy", "copyCode": "A1"}]
    await api.send({"text": "?", "buttons": [*others, {"type": "reply", "label": "Yes"}]})
    await settle(sandbox)
    answers = [await api.call("POST", "/sandbox/inbound", {"from": "+5511987650001", "tap": label}) for label in ("Open", "Copy", "Yes")]
    assert [answer.status for answer in answers] == [400, 400, 200]
    assert answers[0].json["error"].endswith('offered were: "Yes"')


async def test_a_quote_is_a_reply(api: Api, receiver: Receiver) -> None:
    await api.write()
    await api.subscribe(receiver.url, "message.read", "message.reply")
    await api.send({"text": "It is out."})
    sent = (await receiver.wait(1))[0].data
    await api.write("tomorrow?", quoted=sent["messageId"])
    data = (await receiver.wait(2))[-1].data
    assert (data["content"], data["contentReplied"]) == ("tomorrow?", "It is out.")
    assert (data["quotedMessageId"], data["correlationId"]) == (sent["messageId"], sent["correlationId"])
    await api.write("yes", event="reply")
    data = (await receiver.wait(3))[-1].data
    assert data["quotedMessageId"] is None
    assert "contentReplied" not in data


async def test_groups_newsletters_and_echoes(api: Api, evolution: Api, receiver: Receiver) -> None:
    await evolution.subscribe(receiver.url)
    here = {"number": "+551140028933"}
    await api.write("bom dia", groupId=GROUP, groupName="Team", **here)
    await api.write("hi", groupId=GROUP, **here)
    await api.write("news", newsletterId=NEWSLETTER, **here)
    await api.write("typed by hand", fromMe=True, **here)
    hits = {hit.data["content"]: hit for hit in await receiver.wait(4)}
    group, again, news, echo = (hits[text] for text in ("bom dia", "hi", "news", "typed by hand"))
    assert (group.event, group.data["from"], group.data["groupId"], group.data["groupName"]) == (
        "message.group", "+5511987650001", GROUP, "Team",
    )  # fmt: skip
    assert again.data["groupName"] == "Team"
    assert (news.event, news.data["from"], news.data["newsletterId"]) == ("message.newsletter", NEWSLETTER, NEWSLETTER)
    assert (echo.event, echo.data["fromMe"], echo.data["from"], echo.data["to"]) == (
        "message.received", True, "+551140028933", "+5511987650001",
    )  # fmt: skip
    rows = (await api.call("GET", "/sandbox/messages?contact=" + GROUP)).json
    assert [(row["direction"], row["author"], row["contactName"]) for row in rows] == [("in", "+5511987650001", "Team")] * 2
    assert (await api.rows())[-1]["direction"] == "out"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": "Ana", "text": "x"},
        {"from": "+5511987650001"},
        {"from": "+5511987650001", "text": "x", "at": "soon"},
        {"from": "+5511987650001", "text": "x", "event": "group"},
        {"from": "+5511987650001", "text": "x", "groupId": "Team"},
        {"from": "+5511987650001", "txt": "x"},
    ],
)
async def test_an_inbound_that_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.call("POST", "/sandbox/inbound", body)).status == 400


async def test_an_unknown_number_is_refused_with_those_that_exist(api: Api) -> None:
    answer = await api.write(number="num_x")
    assert answer.status == 404
    assert "num_evolution" in answer.json["error"]


async def test_messages_of_one_contact_in_order_of_acceptance(api: Api) -> None:
    await api.write("one")
    await api.send({"text": "two"})
    await api.write("other", **{"from": "+5521998760002"})
    for query in ("%2B5511987650001", "+5511987650001", "5511987650001", "%2B551187650001"):
        rows = (await api.call("GET", f"/sandbox/messages?contact={query}")).json
        assert [(row["direction"], row["text"]) for row in rows] == [("in", "one"), ("out", "two")]
    assert len(await api.rows()) == 3
    assert (await api.call("GET", "/sandbox/messages?number=num_evolution")).json == []


async def test_state_for_the_phone(api: Api) -> None:
    await api.write()
    state = (await api.call("GET", "/sandbox/state")).json
    assert [number["kind"] for number in state["numbers"]] == ["meta", "evolution_v2"]
    (chat,) = state["chats"]
    assert (chat["number"], chat["contact"], chat["name"], chat["kind"]) == ("num_meta", "+5511987650001", "Ana", "contact")
    assert chat["windowClosesAt"] > chat["lastInboundAt"]
    assert len(state["templates"]) == 8
    assert state["faults"]["readReceipts"] is True


async def test_faults_are_shown_as_they_were_set(api: Api) -> None:
    before = (await api.call("GET", "/sandbox/faults")).json
    assert (before["http500"], before["disconnected"], before["subscription"], before["latencyMs"]) == (0.0, False, True, 0)
    after = (await api.faults(http500=0.25, acceptThenDrop={"next": 2}, latencyMs=1, numberBlocked=True)).json
    assert after == before | {"http500": 0.25, "acceptThenDrop": {"next": 2}, "latencyMs": 1, "numberBlocked": True}


@pytest.mark.parametrize(
    "faults", [{"http500": 2}, {"http500": -0.1}, {"http500": "1"}, {"nope": 1}, {"http429": {"next": -1}}, {"latencyMs": -1}]
)
async def test_faults_that_do_not_exist(api: Api, faults: dict[str, Any]) -> None:
    assert (await api.faults(**faults)).status == 400


async def test_server_errors_and_rate_limits_exactly_as_often_as_asked(api: Api) -> None:
    await api.faults(http500={"next": 2}, http429={"next": 1})
    assert (await api.call("GET", "/v1/templates")).status == 200
    answers = [await api.send({"text": "a"}) for _ in range(4)]
    assert [answer.status for answer in answers] == [500, 500, 429, 202]
    assert answers[2].headers["Retry-After"] == "1"
    assert len(await api.rows()) == 1


async def test_a_count_can_be_of_other_calls(api: Api) -> None:
    await api.faults(http500={"next": 1, "path": "/v1/templates"})
    assert (await api.send({"text": "a"})).status == 202
    assert [(await api.call("GET", "/v1/templates")).status for _ in range(2)] == [500, 200]


async def test_a_probability_of_one_meets_every_call(api: Api) -> None:
    await api.faults(http500=1.0)
    assert (await api.call("GET", "/v1/templates")).status == 500
    assert (await api.call("GET", "/sandbox/clock")).status == 200
    await api.faults(http500=0, dropBefore=True)
    with pytest.raises(aiohttp.ClientError):
        await api.call("GET", "/v1/templates")


@given(st.integers(0, 50))
def test_an_exact_count_is_exact(count: int) -> None:
    chance = Chance(left=count)
    assert sum(chance.hits(random.Random(0)) for _ in range(100)) == count


async def test_chance_is_repeatable_by_its_seed(session: aiohttp.ClientSession) -> None:
    runs = []
    for _ in range(2):
        async with Sandbox(QUICK) as sandbox:
            api = Api(session, sandbox.url)
            await api.faults(http500=0.5)
            runs.append([(await api.call("GET", "/v1/templates")).status for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


async def test_reset_forgets_messages_contacts_keys_and_faults(api: Api, receiver: Receiver) -> None:
    await api.subscribe(receiver.url)
    await api.call("POST", "/sandbox/templates/promo_draft/approve", {})
    await api.write()
    await api.send({"text": "a"}, key="k1")
    await receiver.wait(4)
    await api.faults(http500=1.0)
    await api.advance("1h")
    assert (await api.call("POST", "/sandbox/reset", {})).status == 200
    state = (await api.call("GET", "/sandbox/state")).json
    assert (state["chats"], await api.rows()) == ([], [])
    assert (await api.call("GET", "/sandbox/deliveries")).json == []
    assert state["faults"]["http500"] == 0.0
    assert state["offsetMs"] == 3_600_000
    assert (await api.call("GET", "/v1/templates/promo_draft")).json["sendable"] is True
    assert "Idempotent-Replayed" not in (await api.send({"text": "a"}, key="k1")).headers
    assert (await receiver.until("message.failed"))[-1].data["errorCode"] == "META_NO_CONVERSATION"


async def test_reset_drops_what_was_on_its_way(api: Api, receiver: Receiver) -> None:
    receiver.gate.clear()
    await api.subscribe(receiver.url)
    for n in range(3):
        await api.write(str(n))
    await receiver.wait(1)
    await api.call("POST", "/sandbox/reset", {})
    receiver.gate.set()
    await api.write("after")
    assert [hit.data["content"] for hit in await receiver.wait(2)] == ["0", "after"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8700", "127.0.0.1.evil.example", "10.0.0.1", "", "[::2]"])
@pytest.mark.parametrize("path", ["/", "/sandbox/state", "/sandbox/stream", "/phone/main.js", "/v1/templates", "/v1/nope"])
async def test_other_sites_cannot_look_in(api: Api, path: str, host: str) -> None:
    answer = await api.call("GET", path, headers={"host": host})
    assert answer.status == 403
    assert answer.json["code"] == "HOST_NOT_ALLOWED"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:9", "127.0.0.2:80"])
async def test_this_machine_can(api: Api, host: str) -> None:
    assert (await api.call("GET", "/sandbox/state", headers={"host": host})).status == 200
    assert (await api.call("GET", "/v1/templates", headers={"host": host})).status == 200


async def test_other_sites_cannot_send(api: Api) -> None:
    body = {"destinationNumber": "+5511987650001", "text": "hi"}
    answer = await api.call("POST", "/v1/messages/send", body, headers={"host": "evil.example"})
    assert (answer.status, answer.json["code"]) == (403, "HOST_NOT_ALLOWED")
    assert await api.rows() == []


class TestInAContainer:
    @pytest.fixture
    def settings(self) -> SandboxSettings:
        return replace(QUICK, allowed_hosts=("Sandbox",))

    @pytest.mark.parametrize("path", ["/", "/sandbox/state", "/v1/templates"])
    async def test_it_answers_under_the_names_it_was_given(self, api: Api, path: str) -> None:
        assert (await api.call("GET", path, headers={"host": "sandbox:8700"})).status == 200
        assert (await api.call("GET", path, headers={"host": "other:8700"})).status == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_forms_of_other_sites_are_refused(api: Api, kind: str) -> None:
    answer = await api.call("POST", "/sandbox/reset", raw=b"{}", headers={"content-type": kind})
    assert answer.status == 415
    assert "application/json" in answer.json["error"]
