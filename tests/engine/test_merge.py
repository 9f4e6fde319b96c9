"""Two addresses are one person's: their chats become one, in steps that may be repeated, and nothing is lost or handled out of order."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pytest
from redis import Redis

from pilotbot.engine import Away, Consent, Effects, Engine, Item, Timer
from pilotbot.engine.handover import Seen
from pilotbot.engine.keys import base
from pilotbot.engine.merge import Move
from tests.engine.steps import HOUR, arrival, claim, drain, lane_of, now_ms, place, queue

SECONDS = count(10)
BSUID, PHONE = "BR.1", "+551187650001"
NEWS = Item(id="news", free=b'{"text":"n"}', enforced=True, business=True)
LATER = Timer(
    name="a" * 8, due=9_000_000_000_000, items=(Item(id="", free=b'{"text":"later"}', template=b'{"templateId":"t"}'),), label="care"
)


def rename(chat: str, label: str) -> str:
    return (label + chat)[:8]


def move(engine: Engine) -> Move:
    return Move(place(engine, BSUID).key, place(engine, PHONE).key, PHONE)


async def join(engine: Engine) -> None:
    persons = [engine.keys.person(who) for who in (BSUID, PHONE)]
    await engine.join(persons[0], persons[1], [move(engine)], rename)


async def upkeep(engine: Engine) -> None:
    await engine.advance(next(SECONDS) * 1000)
    for shard in range(engine.shards):
        for one in await engine.merges.due(shard):
            await engine.merges.go_on(one, rename)


async def test_what_sleeps_in_a_chat_that_moved_is_not_looked_at_until_it_wakes(engine: Engine, redis: Redis) -> None:
    here = place(engine, BSUID)
    await engine.accept(arrival(engine, "old", who=BSUID))
    await engine.commit(await claim(engine, BSUID), Effects(), keep=False, send=False)
    later = now_ms() + 100 * HOUR
    await queue(engine, Item(id="later", free=b"l", business=True, deliver_at=later), who=BSUID)
    assert await engine.claim_lanes(here.key.shard, 10) == ([], ())
    await join(engine)
    assert redis.zscore(f"{base(here.key.shard)}:moves", here.key.id) == later - 60_000


async def lived(engine: Engine) -> None:
    """A chat under the BSUID with everything that a chat can have, at rest."""
    here = place(engine, BSUID)
    await engine.accept(replace(arrival(engine, "old", who=BSUID), name="Ana", at=now_ms() - 30 * HOUR))
    sets = {"state:cart": b'{"v":1}', "tags": b'["vip"]', "language": b"pt", "timezone": b"America/Bahia", "menus": b"m"}
    await engine.commit(await claim(engine, BSUID), Effects(sets=sets), keep=False, send=False)
    await queue(engine, NEWS, who=BSUID)
    assert await engine.claim_lanes(here.key.shard, 10) != ([], ())
    silent = replace(LATER, name="s" * 8, silence=True, label="")
    await engine.timers.set(here.key.shard, [(here, LATER), (here, silent)])
    entry = Consent(what="in", at=5, source="word", evidence="yes", purpose="marketing")
    await engine.consents.record(engine.keys.person(BSUID), entry)


async def seen_of(engine: Engine) -> dict[str, Any]:
    """What the one chat that is left has, and what the other still has."""
    ours, theirs = await engine.traces.kept(place(engine, PHONE).key), await engine.traces.kept(place(engine, BSUID).key)
    told = (
        "state:cart",
        "tags",
        "language",
        "timezone",
        "menus",
        "name",
        "in",
        "number",
        "kind",
        "address",
        "consent:marketing",
        "joining",
    )
    waits = await engine.follow_ups(place(engine, PHONE).key)
    return {
        **{name: ours.fields.get(name) for name in told},
        "held": [item.id for item in ours.held],
        "timers": [(one.name, one.label, one.due) for one in waits],
        "left": sorted(name for name in theirs.fields if name.startswith(("state:", "parted:")) or name in {"tags", "menus", "timers"}),
        "left held": [item.id for item in theirs.held],
        "to do": [await engine.merges.due(shard) for shard in range(engine.shards)],
    }


async def test_what_is_missing_in_the_one_moves_from_the_other(engine: Engine) -> None:
    await lived(engine)
    await join(engine)
    found = await seen_of(engine)
    chat = place(engine, PHONE).key.id
    assert found["state:cart"] == b'{"v":1}'
    assert (found["tags"], found["language"], found["timezone"], found["name"]) == (b'["vip"]', b"pt", b"America/Bahia", b"Ana")
    assert (found["number"], found["address"], found["joining"]) == (b"main", PHONE.encode(), None)
    assert found["consent:marketing"] == b"-5"
    assert found["held"] == ["news"]
    assert found["timers"] == [(rename(chat, "care"), "care", LATER.due)]
    assert (found["left"], found["left held"], found["to do"]) == ([], [], [[]] * engine.shards)


async def test_what_both_have_stays_as_the_target_has_it_and_tags_are_of_both(engine: Engine) -> None:
    await lived(engine)
    await engine.accept(arrival(engine, "here", who=PHONE))
    sets = {"state:cart": b'{"v":2}', "tags": b'["new"]', "language": b"en"}
    await engine.commit(await claim(engine, PHONE), Effects(sets=sets), keep=False, send=False)
    before = (await engine.chat(place(engine, PHONE).key)).fields["in"]
    await join(engine)
    found = await seen_of(engine)
    assert (found["state:cart"], found["language"], found["timezone"]) == (b'{"v":2}', b"en", b"America/Bahia")
    assert sorted(orjson.loads(found["tags"])) == ["new", "vip"]
    assert found["in"] == before


@pytest.mark.parametrize("newer", [True, False])
async def test_the_window_is_that_of_the_last_message_under_either_address(engine: Engine, newer: bool) -> None:
    first, second = (PHONE, BSUID) if newer else (BSUID, PHONE)
    await engine.accept(arrival(engine, "one", who=first, at=now_ms() - 2000))
    silent = replace(LATER, silence=True)
    await engine.timers.set(place(engine, PHONE).key.shard, [(place(engine, PHONE), silent)])
    at = now_ms() - 1000
    await engine.accept(arrival(engine, "two", who=second, at=at))
    await drain(engine)
    waits = len(await engine.follow_ups(place(engine, PHONE).key))
    await join(engine)
    fields = (await engine.chat(place(engine, PHONE).key)).fields
    assert int(fields["in"]) == at
    assert len(await engine.follow_ups(place(engine, PHONE).key)) == (0 if newer else waits)  # they wrote since


async def test_events_that_wait_are_handled_where_they_are_before_those_that_come_then(engine: Engine) -> None:
    for name in ("one", "two"):
        await engine.accept(arrival(engine, name, who=BSUID))
    turn = await claim(engine, BSUID)
    await join(engine)
    taken = await engine.accept(arrival(engine, "three", who=PHONE))
    moved = await engine.accept(arrival(engine, "four", who=BSUID))
    target = place(engine, PHONE).key
    assert (taken.outcome, moved.outcome, moved.key) == ("ok", "ok", target)
    await engine.advance(5000)
    assert await engine.claim(target.shard, 10) == []
    await upkeep(engine)
    turn_two = (await engine.commit(turn, Effects(sets={"state:n": b"1"}), keep=True, send=False)).next
    assert turn_two is not None
    assert turn_two.body == b"two"
    await upkeep(engine)
    assert await engine.claim(target.shard, 10) == []
    await engine.commit(turn_two, Effects(sets={"state:n": b"2"}), keep=True, send=False)
    await upkeep(engine)
    third = await claim(engine, PHONE)
    assert (third.body, third.fields["state:n"]) == (b"three", b"2")
    fourth = (await engine.commit(third, Effects(), keep=True, send=False)).next
    assert fourth is not None
    assert fourth.body == b"four"


async def test_a_turn_of_the_target_that_runs_is_not_followed_by_another_before_the_source_is_done(engine: Engine) -> None:
    await engine.accept(arrival(engine, "mine", who=PHONE))
    running = await claim(engine, PHONE)
    await engine.accept(arrival(engine, "one", who=BSUID))
    await join(engine)
    await engine.accept(arrival(engine, "three", who=PHONE))
    assert (await engine.commit(running, Effects(), keep=True, send=False)).next is None


async def test_an_event_that_is_delivered_again_after_the_move_is_known(engine: Engine) -> None:
    await engine.accept(arrival(engine, "one", who=BSUID))
    await join(engine)
    for who in (PHONE, BSUID):
        assert (await engine.accept(arrival(engine, "one", who=who))).outcome == "dup"


async def test_the_status_of_a_message_that_was_sent_there_reaches_the_chat_that_is_left(engine: Engine) -> None:
    await lived(engine)
    await join(engine)
    status = replace(arrival(engine, "status", who=BSUID, opens_window=False, mark="s"), message_id="")
    assert (await engine.accept(status)).key == place(engine, PHONE).key
    assert (await claim(engine, PHONE)).fields["address"] == PHONE.encode()


async def test_what_is_on_its_way_goes_from_where_it_is_and_what_is_held_then_follows(engine: Engine) -> None:
    await lived(engine)
    await queue(engine, replace(NEWS, id="now", template=b'{"templateId":"t"}'), replace(NEWS, id="held"), who=BSUID)
    lane = await lane_of(engine, BSUID)
    assert lane.item.id == "now"
    await join(engine)
    assert (await seen_of(engine))["held"] == ["news"]
    await engine.sent(lane)
    await upkeep(engine)
    found = await seen_of(engine)
    assert (found["held"], found["left held"], found["to do"]) == (["news", "held"], [], [[]] * engine.shards)


async def test_what_waited_for_silence_and_is_about_to_go_does_not(engine: Engine) -> None:
    await engine.accept(arrival(engine, "hi", who=BSUID))
    await drain(engine)
    await queue(engine, Item(id="silent", free=b"{}", business=True, generation=1), who=BSUID)
    await join(engine)
    leases, notes = await engine.claim_lanes(place(engine, BSUID).key.shard, 10)
    assert (leases, [note.why for note in notes]) == ([], ["replied"])


async def test_what_was_to_be_decided_again_goes_where_the_window_is_known(engine: Engine) -> None:
    await engine.accept(arrival(engine, "hi", who=BSUID))
    await drain(engine)
    await queue(engine, Item(id="answer", free=b'{"text":"a"}', enforced=True), who=BSUID)
    lane = await lane_of(engine, BSUID)
    await engine.record(lane, "p1")
    await engine.sent(lane)
    await join(engine)
    _, record = await engine.merge_status("p1", "failed", code="131047", message_id=None)
    assert (await engine.decide_again(record, shut=False))[0] == "ok"
    lane = await lane_of(engine, PHONE)
    assert (lane.key, lane.item.again) == (place(engine, PHONE).key, True)


async def test_a_person_who_has_the_chat_keeps_it(engine: Engine) -> None:
    await lived(engine)
    human = orjson.dumps({"queue": "", "note": "", "since": now_ms(), "until": now_ms() + HOUR, "by": "phone"})
    await engine.handovers.take(place(engine, BSUID), human, b"{}", seen=Seen("e", now_ms(), b"hello"))
    await drain(engine)
    await join(engine)
    assert "human" in (await engine.chat(place(engine, PHONE).key)).fields
    assert await engine.kept(place(engine, PHONE).key) == [b"hello"]
    assert [held.place.key for held in await engine.handovers.all(engine.shards)] == [place(engine, PHONE).key]


async def test_nothing_is_kept_of_an_address_that_never_wrote(engine: Engine, redis: Redis) -> None:
    await join(engine)
    source = place(engine, BSUID).key
    assert 0 < redis.pttl(f"{base(source.shard)}:chat:{source.id}") <= HOUR
    assert (await engine.accept(arrival(engine, "one", who=BSUID))).key == place(engine, PHONE).key
    assert [await engine.merges.due(shard) for shard in range(engine.shards)] == [[]] * engine.shards


async def test_a_step_that_is_done_again_much_later_undoes_nothing(engine: Engine) -> None:
    await lived(engine)
    real, taken = engine._calls.script, []

    async def script(name: str, shard: int, *arguments: Any) -> Any:
        if arguments[0] == "take":
            taken.append((shard, arguments))
        return await real(name, shard, *arguments)

    engine._calls.script = script  # type: ignore[method-assign]
    await join(engine)
    engine._calls.script = real  # type: ignore[method-assign]
    here = place(engine, PHONE)
    await engine.accept(arrival(engine, "hi", who=PHONE))
    (waits,) = await engine.follow_ups(here.key)
    await engine.commit(await claim(engine, PHONE), Effects(sets={"tags": b"[]"}, timers=(Timer(name=waits.name),)), keep=False, send=False)
    ((shard, arguments),) = taken
    await real("merge", shard, *arguments)
    assert (await engine.chat(here.key)).fields["tags"] == b"[]"
    assert await engine.follow_ups(here.key) == []


async def test_nothing_is_handled_in_the_target_from_before_its_events_may_come_from_the_source(engine: Engine) -> None:
    await engine.accept(arrival(engine, "one", who=BSUID))
    real, waits = engine._calls.script, []

    async def script(name: str, shard: int, *arguments: Any) -> Any:
        if arguments[0] == "look":
            waits.append("joining" in (await engine.chat(place(engine, PHONE).key)).fields)
            closed = (await engine.chat(place(engine, BSUID).key)).fields
            assert "moved" not in closed
        return await real(name, shard, *arguments)

    engine._calls.script = script  # type: ignore[method-assign]
    await join(engine)
    engine._calls.script = real  # type: ignore[method-assign]
    assert waits == [True]


@asynccontextmanager
async def lost_at(engine: Engine, step: int, *, done: bool, counted: Callable[[], int]) -> AsyncIterator[None]:
    """A process that is lost at one of its scripts: before it (`done`: after it), whatever it did at the same time."""
    real = engine._calls.script

    async def script(name: str, shard: int, *arguments: Any) -> Any:
        at = counted()
        if at > step or (at == step and not done):
            raise Away("lost")
        found = await real(name, shard, *arguments)
        if at == step:
            raise Away("lost")
        return found

    engine._calls.script = script  # type: ignore[method-assign]
    try:
        yield
    finally:
        engine._calls.script = real  # type: ignore[method-assign]


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("healed_by", ["upkeep", "the same again"])
async def test_lost_at_any_step_it_is_finished_by_others_as_if_nothing_had_been(
    engine: Engine, redis: Redis, done: bool, healed_by: str
) -> None:
    await lived(engine)
    await join(engine)
    wanted = await seen_of(engine)
    for step in count():
        redis.flushdb()
        await engine.recognise()
        await lived(engine)
        steps = count()
        lost = False
        async with lost_at(engine, step, done=done, counted=steps.__next__):
            try:
                await join(engine)
            except Away:
                lost = True
        at = now_ms() - 30 * HOUR + 1
        await engine.accept(replace(arrival(engine, "late", who=BSUID), at=at, opens_window=False))
        if healed_by == "the same again":
            await join(engine)
        handled = [*await drain(engine)]
        await upkeep(engine)
        handled += await drain(engine)
        await join(engine)  # whoever comes next knows no alias yet
        found = await seen_of(engine)
        assert [turn.body for turn in handled] == [b"late"], f"lost at step {step}"
        same = found.keys() - {"in", "address"}  # as last seen, maybe in the late event
        assert {name: found[name] for name in same} == {name: wanted[name] for name in same}, f"lost at step {step}"
        if not lost:
            assert step > 4
            break
