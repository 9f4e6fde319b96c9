"""The way in: which chat an event belongs to, whose number it came to, and what it moves."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from pilotbot import events
from pilotbot.engine import ChatKey, ChatKind, Engine, Item, Notice, Place, PutAside, Record
from pilotbot.server.intake import Intake, Tell, chat_of, goes_again, settle_failure
from pilotbot.settings import NumberSettings

ANA = "+5511987650001"
GROUP = "120363000000000001@g.us"
EXAMPLES = {
    one["name"]: one["body"] for one in json.loads((Path(__file__).parent.parent / "events" / "webhook-examples.json").read_text("utf-8"))
}
FIRST = NumberSettings(name="main", id="n1")
SECOND = NumberSettings(name="other", id="n2")
NO_ID = NumberSettings(name="main")


class Door:
    """An intake, and what it counted and woke."""

    def __init__(self, engine: Engine, *numbers: NumberSettings, wants: bool = True, follow_clock: bool = False) -> None:
        self.engine = engine
        self.counts: Counter[str] = Counter()
        self.mailboxes: list[int] = []
        self.lanes: list[int] = []
        self.notes: list[PutAside] = []
        tell = Tell(self.mailboxes.append, self.lanes.append, self.notes.extend)
        self._intake = Intake(engine, numbers or (NO_ID,), tell, wants=lambda _: wants, follow_clock=follow_clock, counts=self.counts)

    async def take(self, body: Mapping[str, Any]) -> str:
        raw = json.dumps(body).encode()
        return await self._intake.take(events.decode(raw), raw)

    def place(self, canonical: str, *, number: str = "main", kind: ChatKind = "contact") -> Place:
        return Place(key=self.engine.keys.chat(number, canonical), number=number, kind=kind, address=canonical)

    async def fields(self, canonical: str, *, number: str = "main") -> Mapping[str, bytes]:
        return (await self.engine.chat(self.place(canonical, number=number).key)).fields


@pytest.fixture
def door(engine: Engine) -> Door:
    return Door(engine)


def message(event: str = "message.received", **data: Any) -> dict[str, Any]:
    given = {"id": "in-1", "messageId": "wamid.1", "from": ANA, "to": "+551140028922", "type": "text", "content": "hello"}
    return {"event": event, "data": {**given, **data}}


def status(which: str = "delivered", id_: str = "p1", **data: Any) -> dict[str, Any]:
    return {"event": f"message.{which}", "data": {"id": id_, "from": "+551140028922", "to": ANA, "fromMe": True, **data}}


class TestChatOf:
    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            (events.Received(name="r", id="1", sender=ANA), ("contact", ANA)),
            (events.Reply(name="r", id="1", sender="BR.1234"), ("contact", "BR.1234")),
            (events.Group(name="r", id="1", sender=ANA, group_id=GROUP), ("group", GROUP)),
            (events.Newsletter(name="r", id="1", sender=ANA, newsletter_id="1@newsletter"), ("newsletter", "1@newsletter")),
            (events.Call(name="c", id="1", change="missed", sender=ANA), ("contact", ANA)),
            (events.Call(name="c", id="1", change="missed"), ("number", "")),
            (events.Lead(name="l", id="1", lead_id="1", phone=ANA), ("contact", ANA)),
            (events.Lead(name="l", id="1", lead_id="1"), ("number", "")),
            (events.FlowResponse(name="f", id="1", sender=ANA), ("contact", ANA)),
            (events.FlowResponse(name="f", id="1"), ("number", "")),
            (events.Number(name="n", id="1", change="connected"), ("number", "")),
        ],
    )
    def test_by_kind_of_event(self, event: events.Event, expected: tuple[str, str]) -> None:
        assert chat_of(event) == expected

    @pytest.mark.parametrize("name", EXAMPLES)
    async def test_every_example_finds_its_place(self, door: Door, name: str) -> None:
        await door.take(EXAMPLES[name])
        assert sum(door.counts.values()) == 1


class TestNumbers:
    @pytest.mark.parametrize(
        ("numbers", "wire", "name"),
        [
            ((NO_ID,), None, "main"),
            ((NO_ID,), "whatever", "main"),
            ((FIRST,), "n1", "main"),
            ((FIRST,), None, "main"),
            ((FIRST,), "n3", None),
            ((FIRST, SECOND), "n2", "other"),
            ((FIRST, SECOND), "n3", None),
            ((FIRST, SECOND), None, None),
        ],
    )
    async def test_an_event_belongs_to_the_number_of_its_id(
        self, engine: Engine, numbers: tuple[NumberSettings, ...], wire: str | None, name: str | None
    ) -> None:
        door = Door(engine, *numbers)
        outcome = await door.take(message(numberId=wire))
        assert outcome == ("ok" if name else "other-number")
        found = [number.name for number in (FIRST, SECOND) if await door.fields("+551187650001", number=number.name)]
        assert found == ([name] if name else [])

    async def test_a_status_of_another_number_is_dropped_too(self, engine: Engine) -> None:
        door = Door(engine, FIRST)
        assert await door.take(status(numberId="n3")) == "other-number"
        assert await engine.find_record("p1") is None


class TestPersons:
    async def test_both_spellings_of_a_brazilian_mobile_are_one_chat_answered_as_last_seen(self, door: Door) -> None:
        await door.take(message(id="a", messageId="a", **{"from": "+551187650001"}))
        await door.take(message(id="b", messageId="b", **{"from": "5511987650001"}))
        view = await door.engine.chat(door.place("+551187650001").key)
        assert (view.waiting_events, view.fields["address"].decode()) == (2, ANA)

    async def test_a_bsuid_is_learned_where_both_are_seen_and_resolved_after(self, door: Door) -> None:
        await door.take(message(id="a", messageId="a", **{"from": "BR.77"}))
        assert (await door.engine.chat(door.place("BR.77").key)).waiting_events == 1  # nobody knows yet who that is
        await door.take(message(id="b", messageId="b", userId="BR.77"))
        assert await door.engine.alias("BR.77") == ANA
        await door.take(message(id="c", messageId="c", **{"from": "BR.77"}))
        view = await door.engine.chat(door.place("+551187650001").key)
        assert (view.waiting_events, view.fields["address"]) == (2, b"+5511987650001")

    async def test_the_name_is_kept_and_a_missing_one_does_not_erase_it(self, door: Door) -> None:
        await door.take(message(id="a", messageId="a", participantName="Ana"))
        stored = (await door.fields("+551187650001")).get("name")
        await door.take(message(id="b", messageId="b", participantName=None))
        assert (await door.fields("+551187650001")).get("name") == stored == b"Ana"

    async def test_no_key_holds_a_phone_a_group_or_a_name(self, door: Door, redis: Redis) -> None:
        await door.take(message(participantName="Ana", userId="BR.77"))
        await door.take(message("message.group", id="g", messageId="g", groupId=GROUP))
        assert not [key for key in redis.scan_iter() if any(part in key for part in ("87650001", "1203630", "Ana", "BR.77", "wamid"))]


class TestWindow:
    @pytest.mark.parametrize(
        ("body", "who", "opens"),
        [
            (message(), "+551187650001", True),
            (message("message.reply", quotedMessageId="wamid.0"), "+551187650001", True),
            (message(type="image", mediaLink="https://example.com/a.jpg"), "+551187650001", True),
            (message(type="reaction", content="\N{THUMBS UP SIGN}"), "+551187650001", False),
            (message("message.group", groupId=GROUP), GROUP, False),
            ({"event": "call.missed", "callId": "c1", "from": ANA, "numberId": None}, "+551187650001", False),
        ],
    )
    async def test_only_a_real_message_of_a_contact_opens_it(self, door: Door, body: dict[str, Any], who: str, opens: bool) -> None:
        assert await door.take(body) == "ok"
        assert ("in" in await door.fields(who)) is opens

    async def test_a_capture_of_last_month_is_dropped(self, door: Door) -> None:
        assert await door.take(message(createdAt="2020-01-01T00:00:00Z")) == "stale"
        assert await door.fields("+551187650001") == {}

    async def test_an_open_window_wakes_the_lane_of_what_waited_for_it(self, door: Door) -> None:
        place = door.place("+551187650001")
        await door.engine.enqueue(Notice(place=place, items=(Item(id="one", free=b"x", enforced=True),)))
        await door.engine.claim_lanes(place.key.shard, 10)
        await door.take(message())
        assert (door.mailboxes, door.lanes) == ([place.key.shard], [place.key.shard])


class TestOthers:
    @pytest.mark.parametrize("event", ["message.received", "message.group"])
    async def test_our_own_words_are_no_event(self, door: Door, redis: Redis, event: str) -> None:
        before = sorted(redis.scan_iter())
        assert await door.take(message(event, fromMe=True, groupId=GROUP)) == "echo"
        assert sorted(redis.scan_iter()) == before

    @pytest.mark.parametrize("name", ["raw-meta/inbound-button-reply", "raw-meta/status-failed", "raw-evolution-go/CallOffer"])
    async def test_a_providers_raw_body_is_acknowledged_and_not_dispatched(self, door: Door, redis: Redis, name: str) -> None:
        before = sorted(redis.scan_iter())
        assert await door.take(EXAMPLES[name]) in {"provider", "no-handler", "unknown"}
        assert sorted(redis.scan_iter()) == before

    async def test_what_nobody_handles_costs_no_mailbox(self, engine: Engine) -> None:
        door = Door(engine, wants=False)
        assert await door.take(EXAMPLES["number.connected"]) == "no-handler"
        assert await door.take(message()) == "ok"  # but messages are always kept: they open the window

    async def test_a_quote_takes_the_place_of_the_same_message(self, door: Door) -> None:
        assert await door.take(message()) == "ok"
        assert await door.take(message("message.reply", id="in-2", quotedMessageId="wamid.0")) == "replaced"

    @pytest.mark.parametrize(("follow", "expected"), [(True, 3_600_000), (False, 0)])
    async def test_only_a_sandboxs_clock_is_obeyed(self, engine: Engine, follow: bool, expected: int) -> None:
        door = Door(engine, follow_clock=follow)
        assert await door.take({"event": "sandbox.clock", "data": {"offsetMs": 3_600_000}}) == "clock"
        assert await engine.advance(0) == expected
        assert sorted(door.lanes) == ([0, 1] if follow else [])


async def posted(door: Door, *, template: bytes = b"", business: bool = False) -> Place:
    """An answer to Ana that the platform took as p1, within the window."""
    await door.take(message())
    place = door.place("+551187650001")
    await door.engine.enqueue(Notice(place=place, items=(Item(id="one", free=b"x", template=template, enforced=True, business=business),)))
    (lane,), _ = await door.engine.claim_lanes(place.key.shard, 10)
    await door.engine.record(lane, "p1")
    await door.engine.sent(lane)
    return place


class TestStatuses:
    async def test_a_status_moves_nothing_and_enters_the_mailbox_once(self, door: Door) -> None:
        place = await posted(door)
        before = await door.engine.chat(place.key)
        assert [await door.take(status(which)) for which in ("sent", "delivered", "delivered")] == ["status"] * 3
        after = await door.engine.chat(place.key)
        assert (before.waiting_events, after.waiting_events) == (1, 3)
        assert {name: value for name, value in after.fields.items() if name != "seq"} == {
            name: value for name, value in before.fields.items() if name != "seq"
        }

    async def test_without_a_handler_it_is_merged_and_costs_no_mailbox(self, engine: Engine) -> None:
        door = Door(engine, wants=False)
        place = await posted(door)
        await door.take(status("delivered"))
        record = await engine.find_record("p1")
        assert record is not None
        assert record.status == "delivered"
        assert (await engine.chat(place.key)).waiting_events == 1

    async def test_what_a_crash_left_between_the_merge_and_the_mailbox_is_mended_by_the_next_delivery(self, door: Door) -> None:
        """The merge was done, the event not yet kept: no 200 was answered, so it is delivered again."""
        place = await posted(door)
        await door.engine.merge_status("p1", "delivered", code=None, message_id=None)
        await door.take(status("delivered"))
        assert (await door.engine.chat(place.key)).waiting_events == 2

    async def test_an_older_status_that_comes_late_is_no_news(self, door: Door) -> None:
        place = await posted(door)
        await door.take(status("read"))
        await door.take(status("sent"))
        assert (await door.engine.chat(place.key)).waiting_events == 2

    async def test_a_late_refusal_for_the_window_is_decided_again_once(self, door: Door) -> None:
        place = await posted(door, template=b"t")
        refusal = status("failed", errorCode="META_OUTSIDE_24H_WINDOW")
        await door.take(refusal)
        await door.take(refusal)
        view = await door.engine.chat(place.key)
        assert (view.waiting_items, view.fields["shut"]) == (1, view.fields["in"])
        assert door.lanes[-1] == place.key.shard
        assert door.counts["failed:window"] == 2

    @pytest.mark.parametrize("code", ["DELIVERED_NOT_CONFIRMED", "WHATSAPP_NUMBER_NOT_FOUND", None])
    async def test_any_other_failure_is_not_sent_again_by_machine(self, door: Door, code: str | None) -> None:
        place = await posted(door, template=b"t")
        await door.take(status("failed", errorCode=code))
        assert (await door.engine.chat(place.key)).waiting_items == 0

    @pytest.mark.parametrize(("code", "slow"), [("META_RATE_LIMITED", True), ("TOO_MANY_REQUESTS", True), ("DELIVERY_TIMEOUT", False)])
    async def test_where_whatsapp_limits_the_rate_the_chat_slows_down(self, door: Door, code: str, slow: bool) -> None:
        place = await posted(door, template=b"t")
        await door.take(status("failed", errorCode=code))
        view = await door.engine.chat(place.key)
        assert (int(view.fields.get("slow", b"0")) > view.now) is slow

    @pytest.mark.parametrize(
        ("code", "business", "days", "again"),
        [
            ("NEVER_ATTEMPTED_MAX_AGE_EXCEEDED", True, 7, True),
            ("NEVER_ATTEMPTED_MAX_AGE_EXCEEDED", True, 9, False),
            ("NEVER_ATTEMPTED_MAX_AGE_EXCEEDED", False, 0, True),
            ("NEVER_ATTEMPTED_MAX_AGE_EXCEEDED", False, 2, False),  # nobody waits for that answer any more
            ("META_RATE_LIMITED", True, 0, True),
            ("META_RATE_LIMITED", False, 0, True),
            ("DELIVERED_NOT_CONFIRMED", True, 0, False),
            ("DELIVERY_TIMEOUT", True, 0, False),
            ("EXPIRED_AFTER_ATTEMPTS", True, 0, False),
            ("META_TEMPLATE_NOT_APPROVED", True, 0, False),
            (None, True, 0, False),
        ],
    )
    async def test_what_was_never_tried_or_came_too_fast_goes_again_once_while_it_matters(
        self, door: Door, code: str | None, business: bool, days: int, again: bool
    ) -> None:
        place = await posted(door, template=b"t", business=business)
        await door.engine.advance(days * 24 * 3_600_000)
        refusal = status("failed", errorCode=code)
        for _ in range(2):
            await door.take(refusal)
        view = await door.engine.chat(place.key)
        assert (view.waiting_items, "shut" in view.fields) == (int(again), False)
        assert (door.lanes[-1:] == [place.key.shard]) is again

    @pytest.mark.parametrize("code", ["META_OUTSIDE_24H_WINDOW", "META_RATE_LIMITED"])
    async def test_where_it_was_delivered_after_all_a_refusal_that_is_told_later_changes_nothing(self, door: Door, code: str) -> None:
        place = await posted(door, template=b"t")
        await door.take(status("delivered"))
        await door.take(status("failed", errorCode=code))
        view = await door.engine.chat(place.key)
        assert (view.waiting_items, {"shut", "slow"} & view.fields.keys()) == (0, set())

    async def test_a_template_that_was_refused_for_the_window_is_not_sent_again(self, door: Door) -> None:
        record = Record(
            ChatKey(0, "r"), ChatKey(0, "c"), "one", "template", "", 2, "failed", "META_OUTSIDE_24H_WINDOW",
            Item(id="a", free=b"x", template=b"t", enforced=True), None,
        )  # fmt: skip
        assert not goes_again(record, answer_within=0)
        assert goes_again(replace(record, pin="free"), answer_within=0)
        assert not goes_again(replace(record, pin="free", again=Item(id="a", free=b"x")), answer_within=0)

    async def test_a_failure_of_a_message_that_we_did_not_send_is_nothing_to_decide(self, door: Door) -> None:
        assert await door.take(status("failed", errorCode="META_OUTSIDE_24H_WINDOW")) == "status"
        record = await door.engine.find_record("p1")
        assert record is not None
        await settle_failure(door.engine, replace(record, code="META_OUTSIDE_24H_WINDOW"), door.lanes.append, door.counts)
        assert door.lanes == []


class TestCalls:
    NUMBERS = (FIRST.model_copy(update={"phone": "+551140028922"}), SECOND.model_copy(update={"phone": "+551140028923"}))

    async def test_of_several_numbers_a_call_is_of_the_one_whose_phone_it_names(self, engine: Engine) -> None:
        door = Door(engine, *self.NUMBERS)
        call = EXAMPLES["call.missed"]
        assert await door.take({**call, "to": "+551140028923"}) == "ok"
        turns = [turn for shard in range(engine.shards) for turn in await engine.claim(shard, 10)]
        assert [turn.fields["number"] for turn in turns] == [b"other"]
        assert await door.take({**call, "to": "+551140028999", "callId": "c2"}) == "other-number"

    async def test_of_a_call_that_we_made_the_contact_is_who_was_called(self, engine: Engine) -> None:
        door = Door(engine, *self.NUMBERS)
        call = {**EXAMPLES["call.ended"], "direction": "OUTBOUND", "from": "+551140028922", "to": ANA}
        assert await door.take(call) == "ok"
        turns = [turn for shard in range(engine.shards) for turn in await engine.claim(shard, 10)]
        assert [(turn.fields["number"], turn.fields["address"]) for turn in turns] == [(b"main", ANA.encode())]


@pytest.mark.parametrize("name", ["schedule.run", "handover.started", "handover.ended", "alert.raised"])
async def test_what_the_bot_tells_itself_is_not_taken_from_others(engine: Engine, name: str) -> None:
    data = {"id": "x", "schedule": "s", "due": 1, "by": "time", "what": "x", "number": "main", "at": 1}
    assert await Door(engine).take({"event": name, "data": data}) == "unknown"
