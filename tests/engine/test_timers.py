"""Follow-ups in Redis: set, replaced, disarmed, moved to their lanes when due, once."""

import asyncio
from dataclasses import replace

import orjson
import pytest
from redis import Redis

from pilotbot.engine import Effects, Engine, Item, PutAside, Timer
from pilotbot.engine.keys import base
from tests.engine.steps import HOUR, arrival, claim, lane_of, now_ms, place

TEXT = Item(id="", free=b'{"text":"hm"}', enforced=True)
BOTH = replace(TEXT, template=b'{"templateId":"t","variables":{}}')


def timer(name: str = "a", *, due: int = 0, items: tuple[Item, ...] = (BOTH,), **more: object) -> Timer:
    return replace(Timer(name=name.ljust(12, "0"), due=due or now_ms(), items=items), **more)  # type: ignore[arg-type]


async def put(engine: Engine, *timers: Timer, who: str = "ana") -> list[bool]:
    here = place(engine, who)
    return await engine.timers.set(here.key.shard, [(here, each) for each in timers])


async def fire(engine: Engine, who: str = "ana") -> tuple[int, tuple[PutAside, ...]]:
    return await engine.timers.fire(place(engine, who).key.shard)


async def reasons(engine: Engine) -> list[str]:
    return [note.why for note in (await fire(engine))[1]]


async def waiting(engine: Engine, who: str = "ana") -> list[str]:
    return [waits.name.rstrip("0") for waits in await engine.follow_ups(place(engine, who).key)]


class TestSetting:
    async def test_what_waits_is_listed_by_when_it_is_due(self, engine: Engine) -> None:
        await put(engine, timer("late", due=now_ms() + HOUR), timer("soon", due=now_ms(), silence=True, label="x|y"))
        late, soon = reversed(await engine.follow_ups(place(engine).key))
        assert (soon.label, soon.silence, late.silence) == ("x|y", True, False)
        assert soon.items == (BOTH,)

    async def test_one_of_the_same_name_takes_its_place(self, engine: Engine) -> None:
        await put(engine, timer(due=now_ms()), timer(due=now_ms() + HOUR))
        assert await fire(engine) == (0, ())
        assert await waiting(engine) == ["a"]

    async def test_it_is_forgotten_once(self, engine: Engine) -> None:
        await put(engine, timer())
        assert await put(engine, Timer(name=timer().name)) == [True]
        assert await put(engine, Timer(name=timer().name)) == [False]
        assert await fire(engine) == (0, ())

    async def test_fifty_a_chat(self, engine: Engine) -> None:
        done = await put(engine, *(timer(f"t{n}x") for n in range(51)))
        assert done == [True] * 50 + [False]
        assert await put(engine, timer("t3x")) == [True]  # in its own place
        assert await put(engine, timer(), who="bruno") == [True]

    async def test_a_turn_sets_it_with_its_commit_and_a_stale_one_does_not(self, engine: Engine, redis: Redis) -> None:
        await engine.accept(arrival(engine, "a"))
        stale = await claim(engine)
        redis.zadd(f"{base(stale.key.shard)}:lease", {stale.key.id: 0})
        turn = await claim(engine)
        assert (await engine.commit(stale, Effects(timers=(timer("stale"),)), keep=False, send=False)).outcome == "stale"
        effects = Effects(timers=(timer("b"), timer("c"), Timer(name=timer("c").name)))
        assert (await engine.commit(turn, effects, keep=False, send=False)).outcome == "ok"
        assert (await engine.commit(turn, effects, keep=False, send=False)).outcome == "replay"
        assert await waiting(engine) == ["b"]


class TestFiring:
    async def test_it_goes_to_the_lane_as_a_message_of_the_business(self, engine: Engine) -> None:
        await put(engine, timer())
        assert await fire(engine) == (1, ())
        assert await fire(engine) == (0, ())
        lane = await lane_of(engine)
        assert lane.item.business
        assert orjson.loads(lane.item.template) == {"destinationNumber": "ana", "templateId": "t", "variables": {}}
        assert lane.pin == "template"
        assert len(lane.item.id) == 32

    async def test_several_items_keep_their_order_and_have_ids_of_their_own(self, engine: Engine) -> None:
        first, second = replace(BOTH, group="g", menu=b'{"m": 1}'), replace(TEXT, group="g", rest=True, free=b'{"text":"caf\xc3\xa9\\n"}')
        await engine.accept(arrival(engine, "a"))
        await put(engine, timer(items=(first, second)))
        await fire(engine)
        lane = await lane_of(engine)
        following = (await engine.sent(lane)).lane
        assert following is not None
        assert (lane.item.menu, following.item.menu) == (b'{"m": 1}', b"")
        assert orjson.loads(following.item.free)["text"] == "café\n"
        assert lane.item.group == following.item.group != "g"
        assert lane.item.id != following.item.id

    async def test_the_id_follows_from_what_it_is(self, engine: Engine) -> None:
        """Should Redis lose the step in a crash, the platform knows the message by its key."""
        ids = []
        for _ in range(2):
            await put(engine, timer(due=1000))
            await fire(engine)
            lane = await lane_of(engine)
            await engine.sent(lane)
            ids.append(lane.item.id)
        assert ids[0] == ids[1]
        await put(engine, timer(due=1001))
        await fire(engine)
        assert (await lane_of(engine)).item.id != ids[0]

    async def test_all_that_fire_at_once_move_it_once(self, engine: Engine) -> None:
        await put(engine, *(timer(f"t{n}x") for n in range(40)))
        found = await asyncio.gather(*(fire(engine) for _ in range(10)))
        assert sum(due for due, _ in found) == 40

    @pytest.mark.parametrize(("kind", "field"), [("contact", "destinationNumber"), ("group", "groupId"), ("newsletter", "newsletterId")])
    async def test_it_goes_to_the_address_as_last_seen(self, engine: Engine, kind: str, field: str) -> None:
        here = replace(place(engine), kind=kind, address='quo"ted')  # type: ignore[arg-type]
        await engine.timers.set(here.key.shard, [(here, timer(items=(replace(BOTH, enforced=False),)))])
        await fire(engine)
        assert orjson.loads((await lane_of(engine)).item.free) == {field: 'quo"ted', "text": "hm"}


class TestSilence:
    async def test_the_accept_of_a_message_disarms_it(self, engine: Engine) -> None:
        await put(engine, timer("silent", silence=True), timer("not"))
        accepted = await engine.accept(arrival(engine, "a"))
        assert [(note.what, note.why) for note in accepted.put_aside] == [("skip", "replied")]
        assert await waiting(engine) == ["not"]

    async def test_an_event_that_is_no_message_does_not(self, engine: Engine) -> None:
        await put(engine, timer(silence=True))
        await engine.accept(arrival(engine, "a", opens_window=False))
        assert await waiting(engine) == ["a"]

    async def test_a_message_that_came_while_the_turn_ran_disarms_what_the_turn_sets(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        await engine.accept(arrival(engine, "b"))
        settled = await engine.commit(turn, Effects(timers=(timer(silence=True),)), keep=False, send=False)
        assert [note.why for note in settled.put_aside] == ["replied"]
        assert await waiting(engine) == []

    async def test_a_message_that_waited_behind_it_already_disarms_what_a_turn_sets(self, engine: Engine) -> None:
        """The event's generation counts, not the turn's: people write in bursts (design 3.12)."""
        await engine.accept(arrival(engine, "a"))
        await engine.accept(arrival(engine, "b"))
        turn = await claim(engine)
        assert (turn.generation, turn.fields["generation"]) == (1, b"2")
        made = timer(silence=True, generation=turn.generation)
        settled = await engine.commit(turn, Effects(timers=(made,)), keep=False, send=False)
        assert [note.why for note in settled.put_aside] == ["replied"]
        assert await waiting(engine) == []

    async def test_to_set_it_once_more_after_a_reply_sets_nothing(self, engine: Engine) -> None:
        """The reply of Redis was lost, the contact wrote, and the call is repeated."""
        made = timer(silence=True, generation=0)
        assert await put(engine, made) == [True]
        await engine.accept(arrival(engine, "a"))
        assert await put(engine, made) == [True]
        assert await waiting(engine) == []

    async def test_it_is_not_sent_after_a_message_though_its_chat_has_forgotten_it(self, engine: Engine, redis: Redis) -> None:
        await put(engine, timer(silence=True))
        key = place(engine).key
        redis.delete(f"{base(key.shard)}:chat:{key.id}")  # the contact was removed, and writes again
        await engine.accept(arrival(engine, "a"))
        assert await reasons(engine) == ["replied"]

    async def test_a_message_after_it_fired_bars_it_in_the_lane(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        await put(engine, timer(silence=True))
        await fire(engine)
        await engine.accept(arrival(engine, "b"))
        leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
        assert (leases, [note.why for note in notes]) == ([], ["replied"])

    async def test_of_what_may_have_been_posted_the_sender_is_told_that_it_is_barred(self, engine: Engine) -> None:
        """It may have been posted first before the contact wrote, or never, as by a sender that died: who leases it looks."""
        await put(engine, timer(silence=True))
        await fire(engine)
        await engine.unsent(await lane_of(engine), "retry", unknown=True)
        await engine.accept(arrival(engine, "b"))
        lane = await lane_of(engine)
        assert (lane.unknown, lane.barred) == (True, "replied")
        assert await engine.unsent(lane, "drop") == "ok"
        assert await engine.busy() == 1  # the message itself

    async def test_what_was_refused_for_certain_is_not(self, engine: Engine) -> None:
        await put(engine, timer(silence=True))
        await fire(engine)
        await engine.unsent(await lane_of(engine), "retry")
        await engine.accept(arrival(engine, "b"))
        assert (await engine.claim_lanes(place(engine).key.shard, 10))[0] == []

    async def test_a_message_waits_for_one_that_is_just_being_posted(self, engine: Engine) -> None:
        await put(engine, timer(silence=True))
        await fire(engine)
        lane = await lane_of(engine)
        for event in ("b", "b"):  # accepted, and delivered again
            accepted = await engine.accept(arrival(engine, event))
            assert accepted.under_way == lane.token
        assert not await engine.lane_settles(lane.key, lane.token, 0.0)
        await engine.sent(lane)
        assert await engine.lane_settles(lane.key, lane.token, 0.0)
        assert (await engine.accept(arrival(engine, "b"))).under_way == ""

    async def test_it_waits_for_nothing_else(self, engine: Engine) -> None:
        await put(engine, timer())
        await fire(engine)
        await lane_of(engine)
        assert (await engine.accept(arrival(engine, "b"))).under_way == ""

    async def test_without_a_template_it_is_never_kept_until_the_contact_writes(self, engine: Engine) -> None:
        await put(engine, timer("a", items=(TEXT,), silence=True), timer("b", items=(TEXT,)))
        await fire(engine)
        _, notes = await engine.claim_lanes(place(engine).key.shard, 10)
        assert [(note.what, note.why) for note in notes] == [("skip", "window-closed"), ("defer", "window-closed")]


class TestLate:
    async def test_it_runs_is_skipped_or_stands_for_others(self, engine: Engine) -> None:
        overdue = now_ms() - 2 * HOUR
        await put(
            engine, timer("run", due=overdue), timer("skip", due=overdue, late="skip"), timer("c1", due=overdue, late="coalesce"),
            timer("c2", due=overdue + 5, late="coalesce"), timer("c3", due=overdue + 5, late="coalesce"),
        )  # fmt: skip
        due, notes = await fire(engine)
        assert due == 5
        assert {(note.item.rstrip("0"), note.why) for note in notes} == {("skip", "late"), ("c1", "coalesced"), ("c2", "coalesced")}

    async def test_a_minute_is_not_late(self, engine: Engine) -> None:
        await put(engine, timer("a", due=now_ms() - 50_000, late="skip"), timer("b", due=now_ms() - 50_000, late="coalesce"))
        await put(engine, timer("c", due=now_ms() - 40_000, late="coalesce"))
        assert (await fire(engine))[1] == ()

    async def test_before_the_window_closes_moves_with_it(self, engine: Engine) -> None:
        wrote = now_ms() - 10 * HOUR
        await engine.accept(arrival(engine, "a", at=wrote))
        await put(engine, timer(due=now_ms(), before_close=HOUR))
        assert await fire(engine) == (1, ())
        (waits,) = await engine.follow_ups(place(engine).key)
        assert waits.due == wrote + engine.terms.open_for - HOUR
        await engine.advance(14 * HOUR)
        await fire(engine)
        assert await waiting(engine) == []

    async def test_the_moved_moment_decides_what_is_late(self, engine: Engine) -> None:
        wrote = now_ms() - engine.terms.open_for + HOUR - 1000
        await engine.accept(arrival(engine, "a", at=wrote))
        await put(engine, timer(due=now_ms() - 2 * HOUR, before_close=HOUR, late="skip"))
        assert await fire(engine) == (1, ())

    async def test_one_that_may_be_moved_stands_for_none(self, engine: Engine) -> None:
        overdue = now_ms() - 2 * HOUR
        moved = timer("b", due=overdue + 5, late="coalesce", before_close=HOUR)
        await put(engine, timer("a", due=overdue, late="coalesce"), moved)
        assert await fire(engine) == (2, ())


class TestBounds:
    async def test_what_has_no_chat_or_no_content_any_more_stops_nobody(self, engine: Engine, redis: Redis) -> None:
        shard = place(engine).key.shard
        await put(engine, timer("a"), timer("b"))
        redis.hdel(f"{base(shard)}:timers:payload", f"{place(engine).key.id}:{timer('a').name}")
        assert await reasons(engine) == ["forgotten"]
        await put(engine, timer("c"))
        redis.delete(f"{base(shard)}:chat:{place(engine).key.id}")
        assert await reasons(engine) == ["forgotten"]
        assert await fire(engine) == (0, ())
        assert redis.keys(f"{base(shard)}:timers*") == []

    async def test_it_leaves_nothing_behind(self, engine: Engine, redis: Redis) -> None:
        await put(engine, timer("a"), timer("b", silence=True), timer("c", due=now_ms() + HOUR))
        await put(engine, Timer(name=timer("c").name))
        await engine.accept(arrival(engine, "a"))
        await fire(engine)
        left = [key for key in map(str, redis.keys()) if "timer" in key]
        assert left == []
        assert redis.hget(f"{base(place(engine).key.shard)}:chat:{place(engine).key.id}", "timers") == ""
