"""What cannot go where it should is a dead letter, never nothing; and what is remembered is forgotten in time."""

import asyncio

import pytest
from redis import Redis

from pilotbot.engine import Away, Effects, Engine, Item, Notice, Pause, Place, Terms
from pilotbot.engine.keys import base
from tests.engine.steps import HOUR, arrival, claim, lane_of, now_ms, place, queue
from tests.engine.test_store import FREE_OR_TEMPLATE

DEFERRED = Item(id="later", free=b"x", enforced=True)


async def letters(engine: Engine) -> list[tuple[str, str]]:
    return [(letter.reason, letter.id) for letter in await engine.dead_letters()]


async def test_a_notice_for_a_full_lane_is_a_dead_letter_that_can_be_retried(engine: Engine) -> None:
    await queue(engine, *(Item(id=f"i{n}", free=b"x") for n in range(200)), who="bruno")
    await engine.accept(arrival(engine, "a"))
    turn = await claim(engine)
    notice = Notice(place=place(engine, "bruno"), items=(Item(id="news", free=b"x"),))
    await engine.commit(turn, Effects(notices=(notice,)), keep=False, send=False)
    await engine.relay((notice,), turn.key.shard)
    assert await letters(engine) == [("lane-full", "news")]
    await engine.sent(await lane_of(engine, "bruno"))
    assert await engine.retry_dead("news")


async def test_a_message_to_decide_again_finds_a_full_lane(engine: Engine) -> None:
    await engine.accept(arrival(engine, "hi"))
    await queue(engine, FREE_OR_TEMPLATE)
    lane = await lane_of(engine)
    await engine.record(lane, "p1")
    await engine.sent(lane)
    await queue(engine, *(Item(id=f"i{n}", free=b"x") for n in range(200)))
    _, record = await engine.merge_status("p1", "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None)
    assert (await engine.decide_again(record))[0] == "full"
    assert [reason for reason, _ in await letters(engine)] == ["lane-full"]


async def test_what_was_held_too_long_is_a_dead_letter(engine: Engine) -> None:
    await queue(engine, DEFERRED)
    await engine.claim_lanes(place(engine).key.shard, 10)
    await engine.advance(73 * HOUR)
    accepted = await engine.accept(arrival(engine, "hi"))
    assert [(note.what, note.why) for note in accepted.put_aside] == [("fail", "hold-expired")]
    assert await letters(engine) == [("hold-expired", "later")]


async def test_what_was_held_too_long_makes_place(engine: Engine) -> None:
    shard = place(engine).key.shard
    await queue(engine, *(Item(id=f"old{n}", free=b"x", enforced=True) for n in range(20)))
    await engine.claim_lanes(shard, 10)
    await engine.advance(100 * HOUR)
    await queue(engine, DEFERRED)
    _, notes = await engine.claim_lanes(shard, 10)
    assert [(note.what, note.item) for note in notes if note.why != "hold-expired"] == [("defer", "later")]
    assert (await engine.chat(place(engine).key)).held_items == 1
    assert {reason for reason, _ in await letters(engine)} == {"hold-expired"}


async def test_a_relay_entry_without_its_payload_stops_nobody(engine: Engine, redis: Redis) -> None:
    redis.zadd(f"{base(0)}:relay", {"lost": 0})
    assert (await engine.relay_leftovers(0))[0] == []
    assert redis.zcard(f"{base(0)}:relay") == 0


async def test_an_item_that_was_refused_for_sure_is_chosen_again_when_the_window_has_closed(engine: Engine) -> None:
    """No post of it can have arrived, so the pin binds nobody: free text must not go into a closed window."""
    await engine.accept(arrival(engine, "hi"))
    await queue(engine, FREE_OR_TEMPLATE)
    lane = await lane_of(engine)
    assert lane.pin == "free"
    await engine.unsent(lane, "retry", delay=0, unknown=False)
    assert (await lane_of(engine)).pin == "free"
    await engine.let_go(lane.key.shard, "lane")  # a process ended between lease and record: it may have posted
    await engine.advance(25 * HOUR)
    assert (await lane_of(engine)).pin == "free"


async def test_a_definite_refusal_and_then_a_closed_window_make_it_a_template(engine: Engine) -> None:
    await engine.accept(arrival(engine, "hi"))
    await queue(engine, FREE_OR_TEMPLATE)
    await engine.unsent(await lane_of(engine), "retry", delay=0, unknown=False)
    await engine.advance(25 * HOUR)
    assert (await lane_of(engine)).pin == "template"


async def test_the_rest_of_a_content_waits_when_the_window_closes_in_between(engine: Engine) -> None:
    await engine.accept(arrival(engine, "hi"))
    rest = Item(id="two", free=b"rest", enforced=True, group="g", rest=True)
    first = Item(id="one", free=b"free", template=b"template", enforced=True, group="g")
    await queue(engine, first, rest)
    lane = await lane_of(engine)
    await engine.advance(25 * HOUR)
    settled = await engine.sent(lane)
    assert [(note.what, note.item) for note in settled.put_aside] == [("defer", "two")]


async def test_a_failure_told_of_again_after_the_memory_of_dedupe_decides_nothing(engine: Engine) -> None:
    await engine.accept(arrival(engine, "hi"))
    await queue(engine, FREE_OR_TEMPLATE)
    lane = await lane_of(engine)
    await engine.record(lane, "p1")
    await engine.sent(lane)
    _, record = await engine.merge_status("p1", "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None)
    await engine.decide_again(record)
    await engine.advance(9 * 24 * HOUR)
    _, record = await engine.merge_status("p1", "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None)
    assert record.again is None


async def test_what_was_asked_of_overdue_messages_is_forgotten_with_them(engine: Engine, redis: Redis) -> None:
    await queue(engine, Item(id="one", free=b"x"))
    await engine.record(await lane_of(engine), "p1")
    await engine.advance(HOUR)
    assert "p1" in [one for shard in range(engine.shards) for one in await engine.unfinished(shard)]
    await engine.merge_status("p1", "delivered", code=None, message_id=None)
    assert redis.keys("*:unfinished*") == []


async def test_dedupe_is_trimmed_in_chats_that_never_write(engine: Engine, redis: Redis) -> None:
    for day in range(5):
        await queue(engine, Item(id=f"day{day}", free=b"x"))
        await engine.sent(await lane_of(engine))
        await engine.advance((day + 1) * 20 * 24 * HOUR)
    there = place(engine).key
    assert redis.zcard(f"{base(there.shard)}:dedupe:{there.id}") <= 2


async def test_a_dead_letter_brings_its_chat_back(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "a"))
    turn = await claim(engine)
    await engine.bury(turn, reason="r", detail="d", keep=False)
    redis.delete(f"{base(turn.key.shard)}:chat:{turn.key.id}")
    (letter,) = await engine.dead_letters()
    assert await engine.retry_dead(letter.id)
    again = await claim(engine)
    assert [again.fields[name] for name in ("number", "kind", "address")] == [b"main", b"contact", b"ana"]
    assert redis.ttl(f"{base(turn.key.shard)}:chat:{turn.key.id}") > 0


@pytest.mark.parametrize("error", ["NOREPLICAS not enough", "MISCONF disk", "CLUSTERDOWN down", "LOADING dataset"])
async def test_redis_that_cannot_write_now_counts_as_away(engine: Engine, redis: Redis, error: str) -> None:
    script = f"return redis.error_reply('{error}')"
    with pytest.raises(Away):
        await engine._calls.command("EVAL", script, 0)


async def test_a_command_that_cannot_be_packed_fails_alone(engine: Engine) -> None:
    good = engine.recall("x")
    bad = engine._calls._batch.call("SET", "x", object())  # type: ignore[arg-type]  # on purpose
    results = await asyncio.gather(good, bad, engine.recall("x"), return_exceptions=True)
    assert [isinstance(result, BaseException) for result in results] == [False, True, False]


async def test_after_the_close_nothing_connects_again(engine: Engine) -> None:
    await engine.close()
    with pytest.raises(Away):
        await engine.accept(arrival(engine, "a", at=now_ms()))


async def test_a_call_under_way_at_the_end_fails(engine: Engine, redis: Redis) -> None:
    waits = asyncio.ensure_future(engine._calls.once("BLPOP", "never", 0))
    async with asyncio.timeout(10):
        while not redis.info("clients")["blocked_clients"]:  # noqa: ASYNC110 - Redis says so
            await asyncio.sleep(0.01)
        engine.abandon()
        with pytest.raises(Away):
            await waits


async def test_a_caller_that_goes_away_spoils_nothing_for_others(engine: Engine, redis: Redis) -> None:
    gone, other = (asyncio.ensure_future(each) for each in (engine._calls.once("BLPOP", "later", 0), engine.recall("x")))
    async with asyncio.timeout(10):
        while not redis.info("clients")["blocked_clients"]:  # noqa: ASYNC110 - Redis says so
            await asyncio.sleep(0.01)
        gone.cancel()
        redis.rpush("later", "a reply for nobody")
        assert await other is None
        assert await engine.recall("x") is None
        assert engine.losses == 0


async def test_a_pin_goes_with_its_item(engine: Engine, redis: Redis) -> None:
    """Pinned free, refused for sure, deferred when the window closed: the next item must not inherit anything of it."""
    await engine.accept(arrival(engine, "hi"))
    await queue(engine, DEFERRED)
    await engine.unsent(await lane_of(engine), "retry", delay=0, unknown=False)
    await engine.advance(25 * HOUR)
    _, notes = await engine.claim_lanes(place(engine).key.shard, 10)
    assert [note.what for note in notes] == ["defer"]
    there = place(engine).key
    assert not redis.hexists(f"{base(there.shard)}:chat:{there.id}", "o:pin")
    await engine.accept(arrival(engine, "hi again"))
    await engine.sent(await lane_of(engine))
    await queue(engine, Item(id="next", template=b"template", enforced=True))
    lane = await lane_of(engine)
    assert (lane.pin, lane.item.body(lane.pin)) == ("template", b"template")


async def test_a_hold_runs_out_though_the_contact_never_writes(engine: Engine) -> None:
    await queue(engine, DEFERRED)
    shard = place(engine).key.shard
    await engine.claim_lanes(shard, 10)
    assert await engine.sweep(shard) == ()
    await engine.advance(73 * HOUR)
    assert [(note.what, note.why) for note in await engine.sweep(shard)] == [("fail", "hold-expired")]
    assert await letters(engine) == [("hold-expired", "later")]
    assert await engine.sweep(shard) == ()


async def test_to_be_held_again_takes_no_longer(engine: Engine) -> None:
    await queue(engine, DEFERRED)
    shard = place(engine).key.shard
    await engine.claim_lanes(shard, 10)
    await engine.advance(40 * HOUR)
    await engine.accept(arrival(engine, "hi", at=now_ms() + 40 * HOUR - 24 * HOUR + 130_000))  # open for ten seconds more
    await engine.advance(41 * HOUR)
    _, notes = await engine.claim_lanes(shard, 10)
    assert [note.what for note in notes] == ["defer"]
    await engine.advance(73 * HOUR)
    assert [note.why for note in await engine.sweep(shard)] == ["hold-expired"]


async def test_a_message_that_opens_nothing_releases_nothing(engine: Engine) -> None:
    """The platform refused since that inbound: an older one, delivered late, does not open the window."""
    await engine.accept(arrival(engine, "hi", at=now_ms() - 1000))
    await queue(engine, DEFERRED)
    await engine.unsent(await lane_of(engine), "again")
    await engine.claim_lanes(place(engine).key.shard, 10)
    await engine.accept(arrival(engine, "late", at=now_ms() - 60_000))
    assert (await engine.chat(place(engine).key)).held_items == 1


async def test_a_pause_is_never_shortened(engine: Engine) -> None:
    await queue(engine, Item(id="one", free=b"x"), Item(id="two", free=b"x"))
    lane = await lane_of(engine)
    await engine.unsent(lane, "retry")
    until = await engine.pause("main", HOUR, "401")
    await queue(engine, Item(id="other", free=b"x"), who="bruno")
    assert await engine.pause("main", 500, "429") < until  # its own end, and the longer one stays
    assert (await engine.pauses(["main"]))["main"].until > until - 1000
    await engine.advance(60_000)
    assert [await engine.claim_lanes(shard, 10) for shard in range(engine.shards)] == [([], ()), ([], ())]
    paused = await engine.pauses(["main", "sales"])
    assert paused == {"main": Pause(paused["main"].until, "401")}
    assert until - 1000 < paused["main"].until <= until  # each shard has its own moment, the last is told
    await engine.advance(60_000 + HOUR)
    assert await engine.pauses(["main", "sales"]) == {}


async def test_lanes_of_a_paused_number_do_not_hide_the_others(engine: Engine) -> None:
    shard = place(engine).key.shard
    many = [str(n) for n in range(200) if place(engine, str(n)).key.shard == shard]
    for who in many:
        await queue(engine, Item(id="x", free=b"x"), who=who)
    await engine._calls.script("pause", shard, "main", HOUR)
    other = Place(key=place(engine).key, number="sales", kind="contact", address="ana")
    await engine.enqueue(Notice(place=other, items=(Item(id="sales", free=b"x"),)))
    leases, _ = await engine.claim_lanes(shard, 4)
    assert [lease.item.id for lease in leases] == ["sales"]


async def test_a_content_is_queued_whole_or_not_at_all(engine: Engine) -> None:
    parts = (Item(id="a0", free=b"1"), Item(id="a1", free=b"2"))
    notice = Notice(place=place(engine), items=parts)
    await queue(engine, *(Item(id=f"i{n}", free=b"x") for n in range(199)))
    assert (await engine.enqueue(notice))[0] == "full"
    assert (await engine.chat(place(engine).key)).waiting_items == 199
    await engine.sent(await lane_of(engine))
    assert (await engine.enqueue(notice))[0] == "ok"
    longer = Notice(place=place(engine), items=(*parts, Item(id="a2", free=b"3")))
    assert (await engine.enqueue(longer))[0] == "dup"
    assert (await engine.chat(place(engine).key)).waiting_items == 200


async def test_the_lead_of_each_content_is_remembered(engine: Engine) -> None:
    def content(name: str) -> tuple[Item, Item]:
        first = Item(id=f"{name}0", free=b"free", template=b"template", enforced=True, group=name)
        return first, Item(id=f"{name}1", free=b"rest", enforced=True, group=name, rest=True)

    first_a, rest_a = content("a")
    first_b, rest_b = content("b")
    await queue(engine, first_a, first_b, rest_a, rest_b)
    for _ in range(2):
        lane = await lane_of(engine)
        assert lane.pin == "template"
        await engine.unsent(lane, "dead")
    await engine.accept(arrival(engine, "hi"))
    leases, notes = await engine.claim_lanes(place(engine).key.shard, 10)
    assert (leases, [note.item for note in notes]) == ([], ["a1", "b1"])


async def test_a_quote_does_not_replace_what_was_tried_already(engine: Engine) -> None:
    """It may have answered at once: under another identity it would do so again."""
    await engine.accept(arrival(engine, "a"))
    await engine.retry(await claim(engine), 60_000)
    assert (await engine.accept(arrival(engine, "a-quote", message_id="wamid.a", mark="q"))).outcome == "dup"


async def test_leases_of_others_are_taken_back_only_where_that_is_asked_for(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "a"))
    turn = await claim(engine)
    redis.zadd(f"{base(turn.key.shard)}:lease", {turn.key.id: 0})
    assert await engine.claim(turn.key.shard, 10, reap=False) == []
    assert len(await engine.claim(turn.key.shard, 10)) == 1


async def test_a_caller_without_patience_does_not_end_the_restoration(redis_url: str) -> None:
    """An embedded server that loads for longer than anybody waits must be let to load."""
    began, ended, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def restore() -> None:
        began.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            ended.set()
            raise

    down = "unix:///nowhere/redis.sock"
    where = [down]
    engine = Engine(lambda: where[0], shards=2, terms=Terms(patience=50), restore=restore)
    with pytest.raises(Away):
        await engine.open()
    assert began.is_set()
    assert not ended.is_set()
    where[0] = redis_url
    go_on.set()
    await engine.open()
    await engine.close()
