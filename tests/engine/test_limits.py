"""What is bounded: events that wait, messages of one contact, the pace of what a business begins; and what is old."""

import asyncio
from dataclasses import replace

from redis import Redis

from pilotbot.engine import Effects, Engine, Item
from pilotbot.engine.keys import base
from tests.engine.steps import HOUR, Limited, arrival, claim, drain, lane_of, now_ms, place, queue


class TestHighWater:
    async def test_too_many_in_all_are_refused_until_some_are_done(self, limited: Limited, redis: Redis) -> None:
        engine = await limited(high_water=20)  # 10 a shard
        outcomes = [(await engine.accept(arrival(engine, f"e{n}", who=f"w{n}"))).outcome for n in range(40)]
        assert outcomes.count("ok") == 20
        assert set(outcomes) == {"ok", "busy"}
        await drain(engine)
        assert [redis.get(f"{base(shard)}:waiting") for shard in range(2)] == ["0", "0"]
        assert (await engine.accept(arrival(engine, "e0", who="w0"))).outcome in {"ok", "dup"}
        assert (await engine.accept(arrival(engine, "new", who="w0"))).outcome == "ok"

    async def test_buried_events_do_not_count_and_those_put_back_do(self, engine: Engine, redis: Redis) -> None:
        await engine.accept(arrival(engine, "a"))
        shard = place(engine).key.shard
        await engine.bury(await claim(engine), reason="r", detail="d", keep=False)
        assert redis.get(f"{base(shard)}:waiting") == "0"
        (letter,) = await engine.dead_letters()
        await engine.retry_dead(letter.id)
        assert redis.get(f"{base(shard)}:waiting") == "1"

    async def test_a_mark_below_one_a_shard_lets_one_in(self, limited: Limited) -> None:
        engine = await limited(high_water=1)
        assert (await engine.accept(arrival(engine, "a"))).outcome == "ok"


class TestFlood:
    async def test_a_contact_that_writes_too_fast_is_refused_and_others_are_not(self, limited: Limited) -> None:
        engine = await limited(contact_gap=60_000, contact_burst=5)
        outcomes = [(await engine.accept(arrival(engine, f"e{n}"))).outcome for n in range(10)]
        assert outcomes == ["ok"] * 6 + ["flood"] * 4
        assert (await engine.accept(arrival(engine, "e0"))).outcome == "dup"
        assert (await engine.accept(arrival(engine, "b", who="bruno"))).outcome == "ok"
        assert (await engine.accept(arrival(engine, "status", opens_window=False, mark="s"))).outcome == "ok"
        await engine.advance(60_000)
        assert (await engine.accept(arrival(engine, "e6"))).outcome == "ok"


class TestPace:
    @staticmethod
    def notices(count: int) -> list[Item]:
        return [Item(id=f"n{n}", free=b"n", business=True) for n in range(count)]

    async def test_what_a_business_begins_is_paced_in_a_chat_after_a_burst(self, limited: Limited) -> None:
        engine = await limited(number_gap=1, chat_gap=6_000, chat_burst=3)
        await queue(engine, *self.notices(5))
        sent = await self.drained(engine)
        assert sent == ["n0", "n1", "n2"]
        await engine.advance(6_000)
        assert await self.drained(engine) == ["n3"]
        await engine.advance(12_000)
        assert await self.drained(engine) == ["n4"]

    async def test_a_number_has_a_pace_of_its_own(self, limited: Limited) -> None:
        engine = await limited(number_gap=1_000, number_burst=2)  # one more than that at once, in each of two shards
        whos = [who for who in map(str, range(60)) if place(engine, who).key.shard == 0][:8]
        for who in whos:
            await queue(engine, replace(self.notices(1)[0], id=who), who=who)
        leases, _ = await engine.claim_lanes(0, 50)
        assert len(leases) == 2
        await engine.advance(4_000)
        leases, _ = await engine.claim_lanes(0, 50)
        assert len(leases) == 2

    async def test_those_that_wait_for_the_pace_do_not_hide_an_answer(self, limited: Limited) -> None:
        engine = await limited(number_gap=1_000, number_burst=2)
        whos = [who for who in map(str, range(3000)) if place(engine, who).key.shard == 0][:1200]
        for start in range(0, 1200, 100):
            await asyncio.gather(*(queue(engine, replace(self.notices(1)[0], id=who), who=who) for who in whos[start : start + 100]))
        for _ in range(3):
            await engine.claim_lanes(0, 50)  # looks at five hundred, and puts each off behind the other
        answer = next(who for who in map(str, range(5000, 6000)) if place(engine, who).key.shard == 0)
        await engine.advance(2_000)  # two may go by then, not all of them be looked at again
        await queue(engine, Item(id="answer", free=b"a"), who=answer)
        leases, _ = await engine.claim_lanes(0, 50)
        assert "answer" in [lane.item.id for lane in leases]

    async def test_answers_are_not_paced_and_overtake_what_is(self, limited: Limited) -> None:
        engine = await limited(number_gap=1, chat_gap=6_000, chat_burst=1)
        await queue(engine, *self.notices(3), *(Item(id=f"a{n}", free=b"a", group="g" if n else "") for n in range(2)))
        assert await self.drained(engine) == ["n0", "a0", "a1"]
        await queue(engine, Item(id="a3", free=b"a"))  # to a lane that waits for its pace
        assert await self.drained(engine) == ["a3"]
        await engine.advance(20_000)
        assert await self.drained(engine) == ["n1"]
        await engine.advance(40_000)
        assert await self.drained(engine) == ["n2"]

    async def test_a_lane_that_backs_off_is_not_hastened_by_an_answer(self, engine: Engine) -> None:
        await queue(engine, Item(id="a", free=b"a"))
        await engine.unsent(await lane_of(engine), "retry", delay=60_000)
        await queue(engine, Item(id="b", free=b"b"))
        assert await self.drained(engine) == []

    @staticmethod
    async def drained(engine: Engine) -> list[str]:
        leases, _ = await engine.claim_lanes(place(engine).key.shard, 10)
        sent = []
        lane = leases[0] if leases else None
        while lane is not None:
            sent.append(lane.item.id)
            lane = (await engine.sent(lane)).lane
        return sent


class TestOld:
    async def test_it_moves_the_window_and_is_not_handled(self, limited: Limited) -> None:
        engine = await limited(old_after=HOUR)
        wrote = now_ms() - 2 * HOUR
        assert (await engine.accept(arrival(engine, "a", at=wrote, ages=True))).outcome == "old"
        view = await engine.chat(place(engine).key)
        assert (int(view.fields["in"]), view.waiting_events) == (wrote, 0)
        assert "generation" not in view.fields
        assert await engine.claim(place(engine).key.shard, 10) == []
        assert (await engine.accept(arrival(engine, "a", at=wrote, ages=True))).outcome == "dup"

    async def test_it_is_handled_as_old_where_somebody_wants_that(self, limited: Limited) -> None:
        engine = await limited(old_after=HOUR)
        assert (await engine.accept(arrival(engine, "a", at=now_ms() - 2 * HOUR, ages=True, keep_old=True))).outcome == "ok"
        assert (await claim(engine)).old

    async def test_what_only_says_that_something_was_written_moves_the_window(self, engine: Engine) -> None:
        assert (await engine.accept(arrival(engine, "a", note_only=True))).outcome == "noted"
        view = await engine.chat(place(engine).key)
        assert (view.waiting_events, view.fields["generation"]) == (0, b"1")
        assert "in" in view.fields

    async def test_what_was_overtaken_is_late(self, engine: Engine) -> None:
        start = now_ms() - HOUR
        await engine.accept(arrival(engine, "new", at=start + 10))
        first = await claim(engine)
        await engine.accept(arrival(engine, "old", at=start))
        await engine.accept(arrival(engine, "newer", at=start + 20))
        second = (await engine.commit(first, Effects(), keep=True, send=False)).next
        assert second is not None
        third = (await engine.commit(second, Effects(), keep=True, send=False)).next
        assert third is not None
        assert [(turn.body, turn.late) for turn in (first, second, third)] == [(b"new", False), (b"old", True), (b"newer", False)]


async def test_many_at_once_are_counted_exactly(engine: Engine, redis: Redis) -> None:
    await asyncio.gather(*(engine.accept(arrival(engine, f"e{n}", who=f"w{n % 7}")) for n in range(100)))
    assert sum(int(str(redis.get(f"{base(shard)}:waiting"))) for shard in range(2)) == 100
