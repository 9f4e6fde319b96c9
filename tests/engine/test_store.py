"""Each step of the engine, on a real Redis: accept, lanes, pins, holds, records, relay, dead letters, the two times."""

import asyncio
from dataclasses import replace
from itertools import product
from typing import get_args

import pytest
from redis import Redis

from pilotbot.engine import WINDOW, Away, ClosedPolicy, Effects, Engine, Item, Lane, Mismatch, Notice, Terms
from pilotbot.engine.keys import base
from pilotbot.replies import choose
from tests.engine.steps import HOUR, Limited, arrival, claim, drain, lane_of, now_ms, place, queue

FREE_OR_TEMPLATE = Item(id="one", free=b"free", template=b"template", enforced=True)


class TestAccept:
    async def test_an_event_is_a_duplicate_by_its_id_or_its_message(self, engine: Engine) -> None:
        assert (await engine.accept(arrival(engine, "a"))).outcome == "ok"
        assert (await engine.accept(arrival(engine, "a", message_id="other"))).outcome == "dup"
        assert (await engine.accept(arrival(engine, "b", message_id="wamid.a"))).outcome == "dup"
        assert (await engine.accept(arrival(engine, "b"))).outcome == "ok"

    async def test_two_chats_may_have_events_of_the_same_id(self, engine: Engine) -> None:
        assert (await engine.accept(arrival(engine, "a"))).outcome == "ok"
        assert (await engine.accept(arrival(engine, "a", who="bruno"))).outcome == "ok"

    async def test_concurrent_deliveries_of_one_event_are_kept_once(self, engine: Engine) -> None:
        results = await asyncio.gather(*(engine.accept(arrival(engine, "a")) for _ in range(50)))
        assert sorted(result.outcome for result in results) == ["dup"] * 49 + ["ok"]

    async def test_a_quote_takes_the_place_of_the_same_message_while_that_waits(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "first", at=1000 + now_ms()))
        await engine.accept(arrival(engine, "a"))
        assert (await engine.accept(arrival(engine, "a-quote", message_id="wamid.a", mark="q"))).outcome == "replaced"
        assert (await engine.accept(arrival(engine, "a-quote", message_id="wamid.a", mark="q"))).outcome == "dup"
        bodies = [turn.body for turn in await drain(engine)]
        assert sorted(bodies) == [b"a-quote", b"first"]

    async def test_a_quote_does_not_replace_what_is_being_handled(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        assert (await engine.accept(arrival(engine, "a-quote", message_id="wamid.a", mark="q"))).outcome == "dup"
        assert (await engine.commit(turn, Effects(), keep=True, send=False)).next is None

    async def test_a_quote_whose_content_is_hidden_replaces_nothing(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        hidden = arrival(engine, "a-quote", message_id="wamid.a", mark="q", note_only=True)
        assert (await engine.accept(hidden)).outcome == "dup"
        assert (await claim(engine)).body == b"a"

    async def test_waiting_events_are_sorted_by_their_time(self, engine: Engine) -> None:
        start = now_ms() - 60_000
        for event, at in (("c", 30), ("a", 10), ("b", 20), ("b2", 20)):
            await engine.accept(arrival(engine, event, at=start + at))
        assert [turn.body for turn in await drain(engine)] == [b"a", b"b", b"b2", b"c"]

    async def test_the_future_counts_as_now(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "later", at=now_ms() + 10 * HOUR))
        view = await engine.chat(place(engine).key)
        assert int(view.fields["in"]) <= view.now

    async def test_only_newer_messages_move_the_window_and_only_real_ones(self, engine: Engine) -> None:
        start = now_ms() - 10 * HOUR
        await engine.accept(arrival(engine, "a", at=start))
        await engine.accept(arrival(engine, "late", at=start - 5 * HOUR))
        await engine.accept(arrival(engine, "status", at=start + HOUR, mark="s", opens_window=False))
        assert int((await engine.chat(place(engine).key)).fields["in"]) == start

    async def test_a_capture_older_than_the_memory_is_dropped(self, engine: Engine) -> None:
        assert (await engine.accept(arrival(engine, "old", at=now_ms() - 9 * 24 * HOUR))).outcome == "stale"
        assert (await engine.claim(place(engine).key.shard, 10)) == []

    async def test_dedupe_forgets_by_business_time(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        await engine.advance(9 * 24 * HOUR)
        assert (await engine.accept(arrival(engine, "a"))).outcome == "ok"

    async def test_a_full_mailbox_refuses_and_others_do_not_notice(self, limited: Limited) -> None:
        engine = await limited(depth=100)
        await asyncio.gather(*(engine.accept(arrival(engine, f"e{n}")) for n in range(100)))
        assert (await engine.accept(arrival(engine, "one more"))).outcome == "full"
        assert (await engine.accept(arrival(engine, "one", who="bruno"))).outcome == "ok"


class TestTurn:
    async def test_the_head_stays_until_the_commit(self, engine: Engine, redis: Redis) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        box = f"{base(turn.key.shard)}:mailbox:{turn.key.id}"
        assert redis.zcard(box) == 1
        await engine.commit(turn, Effects(), keep=False, send=False)
        assert redis.zcard(box) == 0

    async def test_a_worker_that_lost_its_lease_can_write_nothing(self, engine: Engine, redis: Redis) -> None:
        await engine.accept(arrival(engine, "a"))
        old = await claim(engine)
        redis.zadd(f"{base(old.key.shard)}:lease", {old.key.id: 0})
        new = await claim(engine)
        item = Item(id="one", free=b"x")
        assert (await engine.commit(old, Effects(sets={"n": b"1"}, items=(item,)), keep=False, send=False)).outcome == "stale"
        assert (await engine.retry(old, 0)).outcome == "stale"
        assert (await engine.bury(old, reason="r", detail="d", keep=False)).outcome == "stale"
        assert (await engine.emit(old, "0", item))[0] == "stale"
        assert new.crashes == 1
        assert (await engine.commit(new, Effects(), keep=False, send=False)).outcome == "ok"
        view = await engine.chat(old.key)
        assert (view.waiting_items, view.fields.get("n")) == (0, None)

    async def test_a_graceful_stop_is_no_crash(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        assert await engine.let_go(turn.key.shard, "mailbox") == 1
        assert (await claim(engine)).crashes == 0

    async def test_what_failed_comes_again_in_its_place_after_its_delay(self, engine: Engine) -> None:
        start = now_ms() - HOUR
        await engine.accept(arrival(engine, "a", at=start))
        await engine.accept(arrival(engine, "b", at=start + 1))
        await engine.retry(await claim(engine), 30_000)
        shard = place(engine).key.shard
        assert await engine.claim(shard, 10) == []
        await engine.advance(31_000)
        turn = await claim(engine)
        assert (turn.body, turn.tries, turn.crashes) == (b"a", 1, 0)

    async def test_an_emitted_answer_goes_once_though_the_turn_runs_twice(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        outcome, lane, _ = await engine.emit(turn, "0", Item(id="wait", free=b"one moment"))
        assert (outcome, lane is not None) == ("ok", True)
        await engine.retry(turn, 0)
        again = await claim(engine)
        assert (await engine.emit(again, "0", Item(id="wait", free=b"one moment")))[0] == "dup"
        await engine.commit(again, Effects(), keep=False, send=False)
        assert (await engine.chat(turn.key)).waiting_items == 1

    async def test_a_repeated_commit_gives_back_what_was_leased_with_it(self, engine: Engine) -> None:
        """The reply is lost, so nobody knows of that lease."""
        await engine.accept(arrival(engine, "a"))
        await engine.accept(arrival(engine, "b"))
        turn = await claim(engine)
        assert (await engine.commit(turn, Effects(), keep=True, send=False)).next is not None
        assert (await engine.commit(turn, Effects(), keep=True, send=False)).outcome == "replay"
        assert (await claim(engine)).body == b"b"

    async def test_a_repeat_settles_no_other_event_though_that_came_in_the_same_moment(self, engine: Engine) -> None:
        """The reply that an event was buried is lost, and the next runs under the same lease already."""
        at = now_ms()
        await engine.accept(arrival(engine, "a", at=at))
        await engine.accept(arrival(engine, "b", at=at))
        first = await claim(engine)
        second = (await engine.bury(first, reason="r", detail="d", keep=True)).next
        assert second is not None
        assert (await engine.bury(first, reason="r", detail="d", keep=True)).outcome == "stale"
        assert (await engine.commit(first, Effects(), keep=True, send=False)).outcome == "stale"
        assert (await engine.commit(second, Effects(), keep=True, send=False)).outcome == "ok"

    async def test_moving_business_time_takes_no_lease_away(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        await engine.advance(25 * HOUR)
        assert await engine.claim(turn.key.shard, 10) == []
        assert (await engine.commit(turn, Effects(), keep=False, send=False)).outcome == "ok"

    async def test_business_time_moves_forward_only(self, engine: Engine) -> None:
        assert await engine.advance(HOUR) == HOUR
        assert await engine.advance(1) == HOUR


class TestPin:
    @pytest.mark.parametrize(
        ("free", "template", "enforced", "is_open", "closed"),
        list(product([True, False], [True, False], [True, False], [True, False], get_args(ClosedPolicy))),
    )
    async def test_the_lane_chooses_as_the_table_does(
        self, engine: Engine, free: bool, template: bool, enforced: bool, is_open: bool, closed: ClosedPolicy
    ) -> None:
        """The script and `pilotbot.replies.choose` are one decision, written twice: compared over all inputs."""
        if not free and not template:
            return  # such an item is never made
        if is_open:
            await engine.accept(arrival(engine, "hi"))
        item = Item(id="one", free=b"f" * free, template=b"t" * template, enforced=enforced, closed=closed)
        await queue(engine, item)
        leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
        expected = choose(has_free=free, has_template=template, enforced=enforced, window_open=is_open, closed_policy=closed)
        assert (leases[0].pin if leases else notes[0].what) == expected

    @pytest.mark.parametrize(("before_edge", "expected"), [(121_000, "free"), (119_000, "template")])
    async def test_the_margin_is_kept(self, engine: Engine, before_edge: int, expected: str) -> None:
        await engine.accept(arrival(engine, "hi", at=now_ms() - WINDOW + before_edge))
        await queue(engine, FREE_OR_TEMPLATE)
        assert (await lane_of(engine)).pin == expected

    async def test_the_pin_holds_over_retries_though_the_window_closes(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        await queue(engine, FREE_OR_TEMPLATE)
        lane = await lane_of(engine)
        assert lane.pin == "free"
        await engine.unsent(lane, "retry", delay=0, unknown=True)
        await engine.advance(25 * HOUR)
        again = await lane_of(engine)
        assert (again.pin, again.unknown, again.tries) == ("free", True, 1)
        assert again.item.key(again.pin) == lane.item.key(lane.pin)
        assert again.item.body(again.pin) == lane.item.body(lane.pin)

    async def test_a_refusal_for_the_window_lifts_the_pin_and_shuts_the_window(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        await queue(engine, FREE_OR_TEMPLATE)
        await engine.unsent(await lane_of(engine), "again")
        assert (await lane_of(engine)).pin == "template"

    async def test_a_newer_message_of_the_contact_opens_a_shut_window(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi", at=now_ms() - 1000))
        await queue(engine, FREE_OR_TEMPLATE)
        await engine.unsent(await lane_of(engine), "again")
        await engine.accept(arrival(engine, "hi again"))
        assert (await lane_of(engine)).pin == "free"

    async def test_the_rest_of_a_content_does_not_follow_its_template(self, engine: Engine) -> None:
        rest = Item(id="two", free=b"rest", enforced=True, group="g", rest=True)
        await queue(engine, replace(FREE_OR_TEMPLATE, group="g"), Item(id="other", free=b"x"), rest)
        lane = await lane_of(engine)
        assert lane.pin == "template"
        await engine.accept(arrival(engine, "hi"))  # the window opens between the two
        other = (await engine.sent(lane)).lane
        assert other is not None
        settled = await engine.sent(other)
        assert (settled.lane, [note.what for note in settled.put_aside]) == (None, ["skip"])

    async def test_the_rest_of_a_content_follows_its_free_form(self, engine: Engine) -> None:
        rest = Item(id="two", free=b"rest", enforced=True, group="g", rest=True)
        await engine.accept(arrival(engine, "hi"))
        await queue(engine, replace(FREE_OR_TEMPLATE, group="g"), rest)
        following = (await engine.sent(await lane_of(engine))).lane
        assert following is not None
        assert following.item.id == "two"


class TestLane:
    async def test_items_go_in_order_one_at_a_time(self, engine: Engine) -> None:
        await queue(engine, *(Item(id=f"i{n}", free=b"x") for n in range(3)))
        lane: Lane | None = await lane_of(engine)
        seen = []
        while lane is not None:
            seen.append(lane.item.id)
            assert (await engine.claim_lanes(lane.key.shard, 10))[0] == []
            lane = (await engine.sent(lane)).lane
        assert seen == ["i0", "i1", "i2"]

    async def test_an_item_of_a_known_id_is_not_queued_twice(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        assert (await engine.enqueue(Notice(place=place(engine), items=(Item(id="one", free=b"x"),))))[0] == "dup"
        await engine.sent(await lane_of(engine))
        assert (await engine.enqueue(Notice(place=place(engine), items=(Item(id="one", free=b"x"),))))[0] == "dup"

    async def test_an_id_is_forgotten_after_a_month(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        await engine.advance(31 * 24 * HOUR)
        await queue(engine, Item(id="one", free=b"x"))

    async def test_a_sender_that_died_leaves_the_outcome_unknown(self, engine: Engine, redis: Redis) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        lane = await lane_of(engine)
        redis.zadd(f"{base(lane.key.shard)}:lane:lease", {lane.key.id: 0})
        again = await lane_of(engine)
        assert again.unknown
        assert (await engine.sent(lane)).outcome == "stale"
        assert await engine.unsent(lane, "dead") == "stale"

    async def test_a_lane_that_backs_off_is_not_hastened_by_a_commit(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        await engine.unsent(await lane_of(engine), "retry", delay=60_000)
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        assert (await engine.emit(turn, "0", Item(id="at once", free=b"x")))[1] is None
        settled = await engine.commit(turn, Effects(items=(Item(id="two", free=b"x"),)), keep=False, send=True)
        assert (settled.outcome, settled.lane) == ("ok", None)

    async def test_a_refusal_of_the_number_pauses_all_its_lanes(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        shard = place(engine).key.shard
        other = next(name for name in map(str, range(99)) if place(engine, name).key.shard == shard)
        await queue(engine, Item(id="two", free=b"x"), who=other)
        leases, _ = await engine.claim_lanes(shard, 1)
        await engine.unsent(leases[0], "retry")
        await engine.pause("main", 60_000)
        assert (await engine.claim_lanes(shard, 10))[0] == []
        await engine.advance(61_000)
        assert len((await engine.claim_lanes(shard, 10))[0]) == 2

    async def test_a_lane_is_bounded(self, engine: Engine) -> None:
        await queue(engine, *(Item(id=f"i{n}", free=b"x") for n in range(200)))
        assert (await engine.enqueue(Notice(place=place(engine), items=(Item(id="more", free=b"x"),))))[0] == "full"


class TestHold:
    DEFERRED = Item(id="later", free=b"x", enforced=True)

    async def test_what_may_not_go_waits_until_the_contact_writes_and_goes_ahead_of_the_answer(self, engine: Engine) -> None:
        await queue(engine, self.DEFERRED)
        leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
        assert (leases, [note.what for note in notes]) == ([], ["defer"])
        assert (await engine.chat(place(engine).key)).held_items == 1
        await engine.accept(arrival(engine, "hi"))
        await engine.commit(await claim(engine), Effects(items=(Item(id="answer", free=b"y"),)), keep=False, send=False)
        lane = await lane_of(engine)
        assert lane.item.id == "later"
        following = (await engine.sent(lane)).lane
        assert following is not None
        assert following.item.id == "answer"

    async def test_a_hold_has_its_time(self, engine: Engine) -> None:
        await queue(engine, self.DEFERRED)
        await engine.claim_lanes(place(engine).key.shard, 10)
        await engine.advance(73 * HOUR)
        await engine.accept(arrival(engine, "hi"))
        view = await engine.chat(place(engine).key)
        assert (view.held_items, view.waiting_items) == (0, 0)

    async def test_what_a_business_began_waits_until_the_message_is_handled(self, engine: Engine) -> None:
        """That message may be the one which forbids it."""
        await queue(engine, self.DEFERRED, Item(id="news", free=b"n", enforced=True, business=True))
        await engine.claim_lanes(place(engine).key.shard, 10)
        await engine.accept(arrival(engine, "hi"))
        assert (await engine.chat(place(engine).key)).held_items == 1
        settled = await engine.commit(await claim(engine), Effects(), keep=False, send=True)
        view = await engine.chat(place(engine).key)
        assert (view.held_items, view.waiting_items) == (0, 2)
        assert settled.lane is not None

    async def test_what_gives_its_event_up_lets_it_go_too(self, engine: Engine) -> None:
        await queue(engine, Item(id="news", free=b"n", enforced=True, business=True))
        await engine.claim_lanes(place(engine).key.shard, 10)
        await engine.accept(arrival(engine, "hi"))
        await engine.bury(await claim(engine), reason="r", detail="d", keep=False)
        assert (await lane_of(engine)).item.id == "news"

    async def test_an_old_message_releases_nothing(self, engine: Engine) -> None:
        await queue(engine, self.DEFERRED)
        await engine.claim_lanes(place(engine).key.shard, 10)
        await engine.accept(arrival(engine, "old", at=now_ms() - 25 * HOUR))
        assert (await engine.chat(place(engine).key)).held_items == 1

    async def test_a_hold_is_bounded_and_what_is_over_is_not_lost_silently(self, engine: Engine) -> None:
        await queue(engine, *(Item(id=f"i{n}", free=b"x", enforced=True) for n in range(21)))
        await engine.claim_lanes(place(engine).key.shard, 10)
        assert (await engine.chat(place(engine).key)).held_items == 20
        assert [letter.reason for letter in await engine.dead_letters()] == ["hold-full"]


class TestRecord:
    async def test_a_status_before_the_202_is_parked_and_merged(self, engine: Engine) -> None:
        _, parked = await engine.merge_status("p1", "delivered", code=None, message_id="wamid.1")
        assert parked.chat is None
        await queue(engine, Item(id="one", free=b"x"))
        record = await engine.record(await lane_of(engine), "p1")
        assert (record.rank, record.status, record.item) == (3, "delivered", "one")

    async def test_what_was_delivered_before_the_202_is_not_to_be_decided_again(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        await queue(engine, FREE_OR_TEMPLATE)
        lane = await lane_of(engine)
        await engine.merge_status("p1", "delivered", code=None, message_id=None)
        assert (await engine.record(lane, "p1")).again is None
        assert (await engine.record(lane, "p2")).again is not None

    @pytest.mark.parametrize(
        ("order", "advance", "final"),
        [
            (["sent", "delivered", "read"], [True, True, True], "read"),
            (["read", "delivered", "sent"], [True, False, False], "read"),
            (["sent", "failed"], [True, True], "failed"),
            (["delivered", "failed"], [True, False], "delivered"),
            (["failed", "delivered"], [True, True], "delivered"),
            (["sent", "sent"], [True, False], "sent"),
        ],
    )
    async def test_statuses_merge_by_rank(self, engine: Engine, order: list[str], advance: list[bool], final: str) -> None:
        advanced = [(await engine.merge_status("p1", status, code=None, message_id=None))[0] for status in order]
        found = await engine.find_record("p1")
        assert found is not None
        assert found.status == final
        assert advanced == advance

    async def test_a_message_is_found_by_its_providers_id_too(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x", menu=b"{}"))
        await engine.record(await lane_of(engine), "p1")
        await engine.merge_status("p1", "sent", code=None, message_id="wamid.1")
        found = await engine.find_record("wamid.1")
        assert found is not None
        assert (found.key, found.menu) == (engine.keys.record("p1"), b"{}")
        assert await engine.find_record("wamid.unknown") is None

    async def test_a_late_refusal_is_decided_again_once(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        await queue(engine, FREE_OR_TEMPLATE)
        lane = await lane_of(engine)
        await engine.record(lane, "p1")
        await engine.sent(lane)
        _, record = await engine.merge_status("p1", "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None)
        assert [(await engine.decide_again(record))[0], (await engine.decide_again(record))[0]] == ["ok", "dup"]
        again = await lane_of(engine)
        assert (again.pin, again.item.again) == ("template", True)
        assert (await engine.record(again, "p2")).again is None
        assert (await engine.sent(again)).lane is None

    async def test_a_late_refusal_does_not_shut_a_window_that_the_contact_opened_since(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi", at=now_ms() - 1000))
        await queue(engine, FREE_OR_TEMPLATE)
        lane = await lane_of(engine)
        await engine.record(lane, "p1")
        await engine.sent(lane)
        await engine.accept(arrival(engine, "hi again"))
        _, record = await engine.merge_status("p1", "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None)
        await engine.decide_again(record)
        again = await lane_of(engine)
        assert again.pin == "free"
        assert (await engine.record(again, "p2")).again is None  # once

    async def test_overdue_statuses_are_asked_for_a_few_times(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        await engine.record(await lane_of(engine), "p1")
        asked = []
        for step in (0, 11 * 60_000, HOUR, 6 * HOUR, 24 * HOUR):
            await engine.advance(await engine.advance(0) + step)
            asked += [one for shard in range(engine.shards) for one in await engine.unfinished(shard)]
        assert asked == ["p1"] * 3

    async def test_a_final_status_is_not_asked_for(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        await engine.record(await lane_of(engine), "p1")
        await engine.merge_status("p1", "delivered", code=None, message_id=None)
        await engine.advance(HOUR)
        assert [await engine.unfinished(shard) for shard in range(engine.shards)] == [[], []]


class TestRelay:
    async def test_a_notice_of_a_dead_process_is_relayed_by_another_once(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        turn = await claim(engine)
        notice = Notice(place=place(engine, "bruno"), items=(Item(id="hello", free=b"x"),))
        await engine.commit(turn, Effects(notices=(notice,)), keep=False, send=False)
        assert (await engine.relay_leftovers(turn.key.shard))[0] == []  # not yet: its own process is at it
        await engine.advance(6_000)
        assert [one.id for one in (await engine.relay_leftovers(turn.key.shard))[0]] == ["hello"]
        await engine.relay((notice,), turn.key.shard)
        assert (await engine.relay_leftovers(turn.key.shard))[0] == []
        lane = await lane_of(engine, "bruno")
        assert lane.item.id == "hello"
        assert (await engine.sent(lane)).lane is None


class TestDeadLetters:
    async def test_an_event_is_buried_shown_and_retried(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "a"))
        await engine.bury(await claim(engine), reason="ValueError", detail="here", keep=False)
        (letter,) = await engine.dead_letters()
        assert (letter.kind, letter.reason, letter.payload) == ("event", "ValueError", "a")
        assert await engine.dead_letter(letter.id) == letter
        assert await engine.retry_dead(letter.id)
        turn = await claim(engine)
        assert (turn.body, turn.tries) == (b"a", 0)
        assert await engine.dead_letters() == []

    async def test_a_message_is_buried_and_the_lane_goes_on(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b'{"text":"\xc3\xa9"}'), Item(id="two", free=b"y"))
        await engine.unsent(await lane_of(engine), "dead", reason="REFUSED", detail="never")
        lane = await lane_of(engine)
        assert lane.item.id == "two"
        await engine.sent(lane)
        assert await engine.retry_dead("one")
        again = await lane_of(engine)
        assert again.item.free == b'{"text":"\xc3\xa9"}'

    async def test_one_is_dropped(self, engine: Engine) -> None:
        await queue(engine, Item(id="one", free=b"x"))
        await engine.unsent(await lane_of(engine), "dead", reason="r", detail="d")
        assert await engine.drop_dead("one")
        assert not await engine.drop_dead("one")
        assert not await engine.retry_dead("one")
        assert await engine.dead_letter("one") is None


class TestConnection:
    async def test_another_number_of_shards_is_refused(self, engine: Engine, redis_url: str) -> None:
        other = Engine(redis_url, shards=3)
        with pytest.raises(Mismatch, match="PILOTBOT_SHARDS is 3, but this Redis was set up with 2"):
            await other.open()
        await other.close()

    async def test_what_another_version_kept_otherwise_is_refused(self, engine: Engine, redis_url: str, redis: Redis) -> None:
        for layout in (None, "2", "4"):
            redis.hdel("{pb}:conf", "layout")
            if layout is not None:
                redis.hset("{pb}:conf", "layout", layout)
            other = Engine(redis_url, shards=2)
            with pytest.raises(Mismatch, match="another version of pilotbot"):
                await other.open()
            await other.close()

    async def test_scripts_come_back_after_redis_forgot_them(self, engine: Engine, redis: Redis) -> None:
        redis.script_flush()
        assert not await engine.ready()
        assert (await engine.accept(arrival(engine, "a"))).outcome == "ok"

    async def test_a_lost_connection_is_made_again(self, engine: Engine, redis: Redis) -> None:
        redis.client_kill_filter(_type="normal", skipme=True)
        assert (await engine.accept(arrival(engine, "a"))).outcome == "ok"

    async def test_no_redis_is_said_within_the_patience(self) -> None:
        engine = Engine("unix:///nowhere/redis.sock", shards=2, terms=Terms(patience=100))
        with pytest.raises(Away):
            await engine.open()
        await engine.close()

    async def test_a_refused_write_is_no_promise(self, engine: Engine, redis: Redis) -> None:
        redis.config_set("maxmemory", "1")
        try:
            with pytest.raises(Away):
                await engine.accept(arrival(engine, "a"))
        finally:
            redis.config_set("maxmemory", "0")

    async def test_cancelled_calls_never_cross_replies(self, engine: Engine) -> None:
        async def one(n: int) -> None:
            await engine.remember(f"k{n}", str(n).encode())
            assert await engine.recall(f"k{n}") == str(n).encode()

        tasks = [asyncio.create_task(one(n)) for n in range(300)]
        for n, task in enumerate(tasks):
            if n % 3 == 0:
                await asyncio.sleep(0)
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)


async def test_every_key_has_a_lifetime_or_a_bound(engine: Engine, redis: Redis) -> None:
    """What grows with the number of contacts or messages expires; the rest is bounded by work that waits (design section 7)."""
    await engine.accept(arrival(engine, "a"))
    settled = await engine.commit(
        await claim(engine), Effects(sets={"state:x": b"1"}, items=(Item(id="one", free=b"x", enforced=True),)), keep=False, send=True
    )
    assert settled.lane is not None
    await engine.record(settled.lane, "p1")
    await engine.merge_status("p1", "sent", code=None, message_id="wamid.1")
    await engine.sent(settled.lane)
    bounded = {"ready", "lease", "owner", "token", "lane:ready", "lane:lease", "lane:owner", "unfinished", "offset", "waiting"}
    for key in map(str, redis.keys()):
        name = key.split(":", 2)[2] if key.count(":") > 1 else key
        if name not in bounded and key != "{pb}:conf":
            assert redis.ttl(key) > 0, f"{key} lives for ever"
