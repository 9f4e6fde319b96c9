"""A message that leads: what comes after it in its chat waits until it was reported, or a while went by. And messages taken back."""

from redis import Redis

from pilotbot.engine import HOUR, Effects, Engine, Item, Lane, Record
from pilotbot.engine.keys import base
from tests.engine.steps import Limited, arrival, claim, lane_of, now_ms, place, queue

FIRST = Item(id="first", free=b"f", leads=True)
SECOND = Item(id="second", free=b"s")


async def waits(engine: Engine) -> bool:
    leases, _ = await engine.claim_lanes(place(engine).key.shard, 10)
    return leases == []


async def taken(engine: Engine, lane: Lane, platform_id: str = "p1") -> tuple[Record, Lane | None]:
    """The platform took what a lane had: recorded, and removed."""
    record = await engine.record(lane, platform_id)
    return record, (await engine.sent(lane, reported=record.rank > 0)).lane


async def report(engine: Engine, status: str = "sent", platform_id: str = "p1") -> Record:
    _, record = await engine.merge_status(platform_id, status, code=None, message_id=None)
    return record


class TestGate:
    async def test_what_follows_waits_for_the_report(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        _, following = await taken(engine, await lane_of(engine))
        assert following is None
        assert await waits(engine)
        record = await report(engine)
        assert record.leads
        assert await engine.reported(record)
        assert (await lane_of(engine)).item.id == "second"
        assert not await engine.reported(record)

    async def test_a_failure_is_a_report(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        await taken(engine, await lane_of(engine))
        assert await engine.reported(await report(engine, "failed"))
        assert (await lane_of(engine)).item.id == "second"

    async def test_what_is_said_meanwhile_keeps_its_place_and_waits_as_well(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        await taken(engine, await lane_of(engine))
        await engine.accept(arrival(engine, "hi"))
        settled = await engine.commit(await claim(engine), Effects(items=(Item(id="answer", free=b"a"),)), keep=False, send=True)
        assert settled.lane is None
        assert await waits(engine)
        await engine.reported(await report(engine))
        lane = await lane_of(engine)
        assert lane.item.id == "second"
        following = (await engine.sent(lane)).lane
        assert following is not None
        assert following.item.id == "answer"

    async def test_what_overtakes_stays_together(self, limited: Limited) -> None:
        engine = await limited(chat_gap=6_000, chat_burst=1)
        news, more = (Item(id=name, free=b"n", business=True) for name in ("news", "more"))
        await queue(engine, news)
        await engine.sent(await lane_of(engine))
        await queue(engine, more, FIRST, SECOND)
        lane = await lane_of(engine)
        await taken(engine, lane)
        await engine.advance(7_000)
        await engine.reported(await report(engine))
        went = [lane.item.id]
        following: Lane | None = await lane_of(engine)
        while following is not None:
            went.append(following.item.id)
            following = (await engine.sent(following)).lane
        assert went == ["first", "second", "more"]

    async def test_what_comes_when_nothing_waited_yet_waits(self, engine: Engine) -> None:
        """Parts that are emitted before the commit come one by one."""
        await queue(engine, FIRST)
        await taken(engine, await lane_of(engine))
        await queue(engine, SECOND)
        assert await waits(engine)

    async def test_without_a_report_it_goes_after_a_while(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        await taken(engine, await lane_of(engine))
        await engine.advance(engine.terms.sequence_wait - 1_000)
        assert await waits(engine)
        await engine.advance(engine.terms.sequence_wait + 1)
        assert (await lane_of(engine)).item.id == "second"

    async def test_a_report_before_the_answer_of_the_platform_counts(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        lane = await lane_of(engine)
        assert not (await report(engine)).leads  # nobody knows yet whose it is
        _, following = await taken(engine, lane)
        assert following is not None
        assert following.item.id == "second"

    async def test_a_report_between_the_two_steps_after_that_counts(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        lane = await lane_of(engine)
        record = await engine.record(lane, "p1")
        assert not await engine.reported(await report(engine))
        following = (await engine.sent(lane, reported=record.rank > 0)).lane
        assert following is not None
        assert following.item.id == "second"
        assert "o:opened" not in (await engine.chat(lane.key)).fields

    async def test_a_report_of_an_earlier_one_opens_nothing(self, engine: Engine) -> None:
        again = Item(id="again", free=b"f", leads=True)
        await queue(engine, FIRST, again, SECOND)
        await taken(engine, await lane_of(engine))
        record = await report(engine)
        await engine.reported(record)
        await taken(engine, await lane_of(engine), "p2")
        assert not await engine.reported(record)
        assert await waits(engine)

    async def test_what_could_not_be_sent_is_not_waited_for(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        await engine.unsent(await lane_of(engine), "dead", reason="r")
        assert (await lane_of(engine)).item.id == "second"

    async def test_a_call_that_is_repeated_does_not_wait_anew(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        lane = await lane_of(engine)
        await taken(engine, lane)
        await engine.reported(await report(engine))
        assert (await engine.sent(lane)).outcome == "stale"
        assert (await lane_of(engine)).item.id == "second"


class TestCancel:
    async def test_what_waits_in_the_lane_is_taken_out(self, engine: Engine) -> None:
        await queue(engine, FIRST, SECOND)
        for _ in range(2):  # asked again, it says the same
            assert await engine.cancel(place(engine).key, ["second"]) == [("cancelled", "")]
        _, following = await taken(engine, await lane_of(engine))
        assert following is None
        assert (await engine.chat(place(engine).key)).waiting_items == 0

    async def test_an_empty_lane_is_not_looked_at(self, engine: Engine, redis: "Redis") -> None:
        await queue(engine, SECOND)
        await engine.cancel(place(engine).key, ["second"])
        assert await engine.busy() == 0

    async def test_what_waits_for_the_window_is_taken_out(self, engine: Engine, redis: "Redis") -> None:
        await queue(engine, Item(id="held", free=b"h", enforced=True))
        assert await waits(engine)
        assert await engine.cancel(place(engine).key, ["held"]) == [("cancelled", "")]
        assert (await engine.chat(place(engine).key)).held_items == 0
        assert redis.exists(f"{base(place(engine).key.shard)}:hold:due") == 0

    async def test_what_is_being_posted_is_busy_and_then_gone(self, engine: Engine) -> None:
        await queue(engine, SECOND)
        lane = await lane_of(engine)
        assert await engine.cancel(lane.key, ["second"]) == [("busy", lane.token)]
        await engine.sent(lane)
        assert await engine.cancel(lane.key, ["second"]) == [("gone", "")]

    async def test_what_was_refused_and_waits_for_another_try_is_taken_out(self, engine: Engine) -> None:
        await queue(engine, SECOND, Item(id="third", free=b"t"))
        await engine.unsent(await lane_of(engine), "retry", delay=HOUR)
        assert await engine.cancel(place(engine).key, ["second"]) == [("cancelled", "")]
        third = await lane_of(engine)  # at once, and as the first try of its own
        assert (third.item.id, third.tries) == ("third", 0)

    async def test_what_may_have_been_posted_is_not(self, engine: Engine) -> None:
        await queue(engine, SECOND)
        await engine.unsent(await lane_of(engine), "retry", unknown=True)
        assert await engine.cancel(place(engine).key, ["second"]) == [("gone", "")]
        assert (await lane_of(engine)).item.id == "second"

    async def test_what_the_platform_delivers_later_is_known_there_until_then(self, engine: Engine, redis: "Redis") -> None:
        await queue(engine, Item(id="later", free=b"l", deliver_at=now_ms() + 50_000))
        lane = await lane_of(engine)
        await taken(engine, lane, "p7")
        assert await engine.cancel(lane.key, ["later"]) == [("posted", "p7")]
        assert 24 * HOUR < int(redis.pttl(f"{base(lane.key.shard)}:scheduled:later")) <= 24 * HOUR + 50_000
        await engine.cancelled(lane.key, "later")
        assert await engine.cancel(lane.key, ["later"]) == [("cancelled", "")]
