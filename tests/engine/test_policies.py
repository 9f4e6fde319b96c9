"""What the lane leaves out, and what it has wait for the morning: the policies that items carry; compared with their pure twins."""

import asyncio
import random
from itertools import product
from typing import get_args

from redis import Redis

from pilotbot.contacts import quiet_until
from pilotbot.engine import Engine, Item, Lane, Notice, Purpose
from pilotbot.engine.keys import base
from pilotbot.replies import decided, withheld
from tests.engine.steps import HOUR, Limited, arrival, lane_of, now_ms, place, queue

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

    async def test_the_lane_wakes_when_the_pure_quiet_hours_end(self, limited: Limited, redis: "Redis") -> None:
        engine = await limited(number_gap=0)
        cases = {f"c{n}": case for n, case in enumerate(case for start in (0, 1, 480, 1260, 1439) for case in around(start, now_ms()))}
        await asyncio.gather(*(
            engine.enqueue(Notice(place=place(engine, name), items=(Item(id=name, free=b"f", business=True, quiet=hours, deliver_at=at),)))
            for name, (hours, at) in cases.items()
        ))  # fmt: skip
        leases, _ = await looks(engine)
        expected = {name: quiet_until(*case) for name, case in cases.items()}
        assert set(leases) == {name for name, until in expected.items() if until is None}
        waits = {name: redis.zscore(f"{base(at.shard)}:lane:ready", at.id) for name in cases if (at := place(engine, name).key)}
        assert waits == expected
        assert 100 < len(leases) < len(cases) - 100


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
        await engine.unsent(lane, "retry", delay=90 * 60_000)
        await engine.advance(2 * HOUR)
        assert (await lane_of(engine)).item.id == "evening"

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
        await engine.unsent(lane, "retry")
        await engine.advance(2 * HOUR)
        assert (await lane_of(engine)).item.id == "ad"

    async def test_a_dead_letter_that_would_be_left_out_stays_dead(self, engine: Engine) -> None:
        await queue(engine, Item(id="old", free=b"n", expires=now_ms() + HOUR))
        await engine.unsent(await lane_of(engine), "dead", reason="r")
        await engine.advance(2 * HOUR)
        assert not await engine.retry_dead("old")

    async def test_what_is_to_be_delivered_later_is_chosen_by_the_window_of_then(self, engine: Engine) -> None:
        await engine.accept(arrival(engine, "hi"))
        for hours, pin in ((23, "free"), (25, "template")):
            await queue(engine, Item(id=pin, free=b"f", template=b"t", enforced=True, deliver_at=now_ms() + hours * HOUR))
            lane = await lane_of(engine)
            assert (lane.item.id, lane.pin) == (pin, pin)
            await engine.sent(lane)


class TestCap:
    async def test_so_many_within_the_span_and_no_more(self, limited: Limited) -> None:
        engine = await limited(chat_gap=0)
        for day, went in enumerate((2, 0, 2)):  # two in any 36 hours
            capped = [Item(id=f"{day}-{n}", free=b"n", business=True, cap=(2, 36 * HOUR)) for n in range(3)]
            await queue(engine, *capped, Item(id=f"{day}-free", free=b"n", business=True))
            assert await drained(engine) == [*(f"{day}-{n}" for n in range(went)), f"{day}-free"]
            await engine.advance((day + 1) * DAY)

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
