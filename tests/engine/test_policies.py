"""What the lane leaves out, and what it has wait for the morning: the policies that items carry; compared with their pure twins."""

import asyncio
import random
from dataclasses import replace
from itertools import product
from typing import get_args

from redis import Redis

from pilotbot.contacts import quiet_until
from pilotbot.engine import Engine, Item, Lane, Notice, Purpose
from pilotbot.engine.keys import base
from pilotbot.replies import decided, withheld
from tests.engine.steps import HOUR, Limited, arrival, claim, lane_of, now_ms, place, queue

THEIRS = '{"until": 99999999999999}'  # a person has the chat

DAY = 24 * HOUR
NEWS = Item(id="news", free=b"n", business=True)
ANSWER = Item(id="answer", free=b"a")


def hset(redis: "Redis", engine: Engine, who: str, **fields: str | int) -> None:
    at = place(engine, who).key
    for name, value in fields.items():
        redis.hset(f"{base(at.shard)}:chat:{at.id}", name.replace("_", ":"), value)


async def looks(engine: Engine) -> tuple[dict[str, Lane], dict[str, str]]:
    """What is leased now, by item, and why the rest was put aside."""
    leases: dict[str, Lane] = {}
    whys: dict[str, str] = {}
    for shard in range(engine.shards):
        while True:
            found, notes = await engine.claim_lanes(shard, 1000)
            leases |= {lane.item.id: lane for lane in found}
            whys |= {note.item: note.why for note in notes}
            if not found and not notes:
                break
    return leases, whys


async def drained(engine: Engine) -> list[str]:
    """Send what may go of one chat; the items that went."""
    lane: Lane | None = await lane_of(engine)
    sent = []
    while lane is not None:
        sent.append(lane.item.id)
        lane = (await engine.sent(lane)).lane
    return sent


async def aside(engine: Engine) -> dict[str, str]:
    return (await looks(engine))[1]


def around(start: int, now: int) -> list[tuple[tuple[int, int], int]]:
    """Quiet hours, and moments to come at their edges and anywhere."""
    chance = random.Random(start)
    hours = [(start, (start + length) % 1440) for length in (1, 60, 660, 1439)]
    midnight = now // DAY * DAY + DAY
    moments = [midnight + minute * 60_000 + by for pair in hours for minute in pair for by in (-1, 0, 1)]
    return list(product(hours, [*moments, *(now + chance.randrange(1, 2 * DAY) for _ in range(6))]))


class TestTwins:
    async def test_the_lane_leaves_out_what_the_pure_policy_does(self, limited: Limited, redis: "Redis") -> None:
        """Over all inputs: `barred` and `withheld` of the script are `pilotbot.replies.withheld`, written twice."""
        engine = await limited(number_gap=0)
        now = now_ms()
        cases = list(product(
            (True, False), get_args(Purpose), (True, False), (0, -5, 5), (0, -3, 3, -9, 9), (True, False), (None, now - 1, now + HOUR)
        ))  # fmt: skip
        expected, items = {}, []
        for number, (business, purpose, opt_in, everything, own, human, expires) in enumerate(cases):
            name = f"c{number}"
            fields: dict[str, str | int] = {"consent": everything, f"consent_{purpose}": own, "human": THEIRS if human else ""}
            hset(redis, engine, name, **fields)
            item = Item(id=name, free=b"f", business=business, purpose=purpose, opt_in=opt_in, expires=expires)
            items.append(Notice(place=place(engine, name), items=(item,)))
            expected[name] = withheld(
                business=business, purpose=purpose, opt_in=opt_in, mark=decided(everything, own), human=human, expires=expires, now=now
            )
        await asyncio.gather(*(engine.enqueue(notice) for notice in items))
        leases, whys = await looks(engine)
        assert {name: whys.get(name) for name in expected} == expected
        assert set(leases) == {name for name, why in expected.items() if why is None}
        assert set(whys.values()) == {"opted-out", "too-old", "no-opt-in", "handed-over"}

    async def test_the_lane_wakes_when_the_pure_quiet_hours_end_or_shortly_before_its_time(self, limited: Limited, redis: "Redis") -> None:
        engine = await limited(number_gap=0)
        cases = {f"c{n}": case for n, case in enumerate(case for start in (0, 1, 480, 1260, 1439) for case in around(start, now_ms()))}
        await asyncio.gather(*(
            engine.enqueue(Notice(place=place(engine, name), items=(Item(id=name, free=b"f", business=True, quiet=hours, deliver_at=at),)))
            for name, (hours, at) in cases.items()
        ))  # fmt: skip
        assert await looks(engine) == ({}, {})
        quiet = {name: quiet_until(*case) for name, case in cases.items()}
        waits = {name: redis.zscore(f"{base(at.shard)}:lane:ready", at.id) for name in cases if (at := place(engine, name).key)}
        assert waits == {name: until or cases[name][1] - 60_000 for name, until in quiet.items()}
        assert 100 < list(quiet.values()).count(None) < len(cases) - 100


class TestQuiet:
    def hours(self, *, now: bool = True) -> tuple[int, int]:
        """Four hours that began an hour ago, or begin in an hour."""
        minute = now_ms() // 60_000 % 1440
        return ((minute - 60) % 1440, (minute + 180) % 1440) if now else ((minute + 60) % 1440, (minute + 300) % 1440)

    async def test_answers_and_what_has_no_hours_overtake_it_in_their_order(self, engine: Engine) -> None:
        night = Item(id="night", free=b"n", business=True, quiet=self.hours())
        await queue(engine, night, NEWS, ANSWER)
        assert await drained(engine) == ["news", "answer"]
        assert await looks(engine) == ({}, {})
        await queue(engine, Item(id="later", free=b"a"))
        assert (await lane_of(engine)).item.id == "later"

    async def test_it_goes_in_the_morning(self, engine: Engine) -> None:
        await queue(engine, Item(id="night", free=b"n", business=True, quiet=self.hours()))
        assert await looks(engine) == ({}, {})
        await engine.advance(3 * HOUR + 60_000)
        assert (await lane_of(engine)).item.id == "night"

    async def test_what_was_posted_first_is_retried_at_night(self, engine: Engine) -> None:
        await queue(engine, Item(id="evening", free=b"n", business=True, quiet=self.hours(now=False)))
        lane = await lane_of(engine)
        await engine.unsent(lane, "retry", delay=90 * 60_000, unknown=True)
        await engine.advance(2 * HOUR)
        assert (await lane_of(engine)).item.id == "evening"

    async def test_what_cannot_have_arrived_waits_for_the_morning(self, engine: Engine) -> None:
        await queue(engine, Item(id="evening", free=b"n", business=True, quiet=self.hours(now=False)), ANSWER)
        await engine.unsent(await lane_of(engine), "retry", delay=90 * 60_000)
        await engine.advance(2 * HOUR)
        assert await drained(engine) == ["answer"]
        assert await looks(engine) == ({}, {})
        await engine.advance(6 * HOUR)
        assert await drained(engine) == ["evening"]

    async def test_the_lane_wakes_for_whoever_wakes_first(self, limited: Limited) -> None:
        engine = await limited(chat_gap=0)
        minute = now_ms() // 60_000 % 1440
        for name, hours in (("long", 10), ("short", 1)):
            await queue(engine, Item(id=name, free=b"n", business=True, quiet=((minute - 60) % 1440, (minute + 60 * hours) % 1440)))
        assert await looks(engine) == ({}, {})
        await engine.advance(2 * HOUR)
        assert await drained(engine) == ["short"]

    async def test_what_sleeps_overtakes_nothing(self, limited: Limited) -> None:
        """Whatever it is: else it and what waits for its pace would take turns for ever."""
        engine = await limited(chat_gap=6000, chat_burst=1)
        await queue(engine, NEWS)
        assert await drained(engine) == ["news"]
        await queue(engine, Item(id="asleep", free=b"a", deliver_at=now_ms() + HOUR), Item(id="more", free=b"n", business=True))
        assert await looks(engine) == ({}, {})
        await engine.advance(7_000)
        assert await drained(engine) == ["more"]
        await engine.advance(HOUR)
        assert await drained(engine) == ["asleep"]

    async def test_a_content_of_several_messages_is_not_cut_in_two(self, engine: Engine) -> None:
        parts = [
            Item(id=f"p{n}", free=b"n", business=True, quiet=self.hours(now=False), group="g", rest=n > 0, expires=now_ms() + HOUR)
            for n in range(2)
        ]
        await queue(engine, *parts)
        lane = await lane_of(engine)
        await engine.advance(2 * HOUR)
        following = (await engine.sent(lane)).lane
        assert following is not None
        assert following.item.id == "p1"


class TestLeftOut:
    async def test_the_rest_of_a_content_is_left_out_with_its_first_part(self, engine: Engine) -> None:
        ad = {"business": True, "purpose": "marketing", "opt_in": True, "group": "g"}
        await queue(engine, Item(id="p0", free=b"n", **ad), Item(id="p1", free=b"n", business=True, group="g", rest=True))  # type: ignore[arg-type]
        assert await aside(engine) == {"p0": "no-opt-in", "p1": "no-opt-in"}

    async def test_a_retry_is_not_stopped_by_what_is_asked_once(self, engine: Engine, redis: "Redis") -> None:
        await queue(engine, Item(id="ad", free=b"n", business=True, purpose="marketing", expires=now_ms() + HOUR))
        lane = await lane_of(engine)
        hset(redis, engine, "ana", human=THEIRS)
        await engine.unsent(lane, "retry", unknown=True)
        await engine.advance(2 * HOUR)
        assert (await lane_of(engine)).item.id == "ad"

    async def test_what_cannot_have_arrived_is_asked_everything_again(self, engine: Engine, redis: "Redis") -> None:
        for name, why, fields in (("late", "too-old", {}), ("ad", "handed-over", {"human": THEIRS}), ("in", "no-opt-in", {"consent": 0})):
            hset(redis, engine, name, consent=-5)
            ad = {"business": True, "purpose": "marketing", "opt_in": True} if name != "late" else {"expires": now_ms() + HOUR}
            await queue(engine, Item(id=name, free=b"n", **ad), who=name)
            await engine.unsent(await lane_of(engine, name), "retry")
            hset(redis, engine, name, **fields)
            await engine.advance(2 * HOUR)
            assert await aside(engine) == {name: why}

    async def test_what_is_said_at_once_is_not_said_beside_a_person(self, engine: Engine, redis: "Redis") -> None:
        await engine.accept(arrival(engine, "hi"))
        turn = await claim(engine)
        hset(redis, engine, "ana", human=THEIRS)
        outcome, lane, notes = await engine.emit(turn, "0", ANSWER, unless_human=True)
        assert (outcome, lane, [(note.item, note.why) for note in notes]) == ("hushed", None, [("answer", "handed-over")])
        assert (await engine.emit(turn, "0", ANSWER))[0] == "ok"  # of a turn that is for the person, too

    async def test_a_dead_letter_that_would_be_left_out_stays_dead(self, engine: Engine) -> None:
        await queue(engine, Item(id="old", free=b"n", expires=now_ms() + HOUR))
        await engine.unsent(await lane_of(engine), "dead", reason="r")
        await engine.advance(2 * HOUR)
        assert not await engine.retry_dead("old")

    async def test_what_is_to_be_delivered_later_is_chosen_by_the_window_of_then(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        began = now_ms()
        for hours in (25, 23):
            await queue(engine, Item(id=f"{hours}", free=b"f", template=b"t", enforced=True, deliver_at=began + hours * HOUR))
        await queue(engine, ANSWER)
        assert await drained(engine) == ["answer"]
        for hours, pin in ((23, "free"), (25, "template")):
            await engine.advance(hours * HOUR - 61_000)
            assert await looks(engine) == ({}, {})
            await engine.advance(hours * HOUR - 59_000)
            lane = await lane_of(engine)
            assert (lane.item.id, lane.pin) == (f"{hours}", pin)
            await engine.sent(lane)

    async def test_what_is_to_be_delivered_later_is_not_after_an_opt_out(self, engine: Engine, redis: "Redis") -> None:
        await queue(engine, Item(id="later", free=b"n", business=True, deliver_at=now_ms() + 240 * HOUR))
        assert await looks(engine) == ({}, {})
        hset(redis, engine, "ana", consent=5)
        await engine.advance(240 * HOUR)
        assert await aside(engine) == {"later": "opted-out"}

    async def test_a_person_whose_note_cannot_be_read_stops_no_lane(self, engine: Engine, redis: "Redis") -> None:
        for name, human in (("broken", "{"), ("odd", "7"), ("old", '{"by": "x"}')):
            hset(redis, engine, name, human=human)
            await queue(engine, Item(id=name, free=b"n", business=True, purpose="marketing"), who=name)
        leases, _ = await looks(engine)
        assert set(leases) == {"broken", "odd", "old"}

    async def test_leads_are_bounded_and_one_that_is_needed_is_kept(self, limited: Limited, redis: "Redis") -> None:
        engine = await limited(chat_gap=0, number_gap=0)
        at = place(engine).key
        name = f"{base(at.shard)}:leads:{at.id}"
        rest = Item(id="rest", free=b"r", group="first", rest=True, enforced=True)
        await queue(engine, Item(id="lead", free=b"n", template=b"t", group="first", enforced=True), rest)
        await engine.sent(await lane_of(engine))
        redis.hset(name, mapping={f"g{n}": "free" for n in range(399)})
        await queue(engine, Item(id="next", free=b"n", group="next"), replace(rest, id="more", deliver_at=now_ms() + HOUR))
        assert redis.hlen(name) == 400
        assert "next" in await drained(engine)
        assert set(redis.hkeys(name)) == {"first", "next"}


class TestCap:
    async def test_so_many_within_the_span_and_no_more(self, limited: Limited) -> None:
        engine = await limited(chat_gap=0)
        for day, went in enumerate((2, 0, 2)):  # two in any 36 hours
            capped = [Item(id=f"{day}-{n}", free=b"n", business=True, cap=(2, 36 * HOUR)) for n in range(3)]
            await queue(engine, *capped, Item(id=f"{day}-free", free=b"n", business=True))
            assert await drained(engine) == [*(f"{day}-{n}" for n in range(went)), f"{day}-free"]
            await engine.advance((day + 1) * DAY)

    async def test_what_was_never_posted_does_not_count(self, limited: Limited) -> None:
        engine = await limited(chat_gap=0)
        capped = [Item(id=f"n{n}", free=b"n", business=True, cap=(1, DAY)) for n in range(4)]
        await queue(engine, *capped)
        await engine.unsent(await lane_of(engine), "dead", reason="refused")
        await engine.unsent(await lane_of(engine), "retry")
        assert await engine.cancel(place(engine).key, ["n1"]) == [("cancelled", "")]
        await engine.unsent(await lane_of(engine), "dead", reason="unreadable", unknown=True)  # it may have arrived
        assert await aside(engine) == {"n3": "capped"}

    async def test_a_late_refusal_is_no_second_message(self, limited: Limited) -> None:
        engine = await limited(chat_gap=0)
        await engine.accept(arrival(engine, "hi"))
        body = b'{"text":"n"}'
        await queue(engine, Item(id="a" * 32, free=body, template=body, enforced=True, business=True, cap=(1, DAY)))
        lane = await lane_of(engine)
        await engine.record(lane, "p1")
        await engine.sent(lane, "p1")
        _, record = await engine.merge_status("p1", "failed", code="WINDOW", message_id=None)
        assert await engine.decide_again(record) == ("ok", ())
        assert (await lane_of(engine)).pin == "template"
        assert await engine.recent(place(engine).key, 0) == 1

    async def test_what_is_chosen_anew_counts_once(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        await queue(engine, Item(id="n", free=b"n", template=b"t", enforced=True, business=True, cap=(1, DAY)))
        await engine.unsent(await lane_of(engine), "again")
        assert (await lane_of(engine)).pin == "template"

    async def test_fifty_are_remembered(self, limited: Limited, redis: "Redis") -> None:
        engine = await limited(chat_gap=0, number_gap=0)
        await queue(engine, *(Item(id=f"n{n}", free=b"n", business=True, cap=(50, 1)) for n in range(60)))
        assert len(await drained(engine)) == 60
        at = place(engine).key
        name = f"{base(at.shard)}:recent:{at.id}"
        assert redis.zcard(name) == 50
        assert 90 * DAY < int(redis.pttl(name)) <= 91 * DAY
