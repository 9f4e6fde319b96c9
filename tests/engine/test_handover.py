"""Who has a chat: given, kept, given back, each once; follow-ups do not wait meanwhile."""

from pilotbot.contacts import Human
from pilotbot.engine import Change, Effects, Engine, Item, Timer
from pilotbot.engine.handover import Seen
from pilotbot.events import decode, handed_back, handed_over
from tests.engine.steps import HOUR, arrival, claim, drain, lane_of, now_ms, place, queue

OVER = handed_over("e1", queue="sales", note="", by="operator", at=1)
BACK = handed_back("e2", by="operator", at=2)


def human(*, until: int = HOUR, queue: str = "sales") -> bytes:
    now = now_ms()
    return Human(queue=queue, since=now, until=now + until, by="operator").dump()


async def stored(engine: Engine) -> Human | None:
    found = (await engine.chat(place(engine).key)).fields.get("human")
    return Human.load(found) if found else None


async def test_it_is_taken_once_and_given_back_once_and_each_is_an_event(engine: Engine) -> None:
    here = place(engine)
    assert (await engine.handovers.take(here, human(), OVER))[0] == "taken"
    assert (await engine.handovers.take(here, human(), OVER))[0] == "extended"
    assert [held.place for held in await engine.handovers.all(engine.shards)] == [here]
    assert await engine.handovers.back(here.key, BACK)
    assert not await engine.handovers.back(here.key, BACK)
    assert await engine.handovers.all(engine.shards) == []
    assert [decode(turn.body).name for turn in await drain(engine)] == ["handover.started", "handover.ended"]


async def test_another_queue_is_told_again_and_keeps_since_when(engine: Engine) -> None:
    here = place(engine)
    await engine.handovers.take(here, human(), OVER)
    first = await stored(engine)
    assert (await engine.handovers.take(here, human(queue="billing", until=2 * HOUR), OVER))[0] == "taken"
    second = await stored(engine)
    assert first is not None
    assert second is not None
    assert (second.queue, second.since) == ("billing", first.since)
    assert len(await drain(engine)) == 2


async def test_what_a_person_writes_prolongs_and_never_shortens(engine: Engine) -> None:
    here, now = place(engine), now_ms()
    await engine.handovers.take(here, human(until=2 * HOUR), OVER)
    before = await stored(engine)
    for id_, until in (("a", HOUR), ("b", 3 * HOUR), ("b", 9 * HOUR)):
        await engine.handovers.take(here, human(until=until, queue=""), OVER, seen=Seen(id_, now, id_.encode()))
        after = await stored(engine)
        assert before is not None
        assert after is not None
        assert after.until >= before.until
    assert before is not None
    assert after is not None
    assert after.queue == "sales"
    assert 59 * 60_000 < after.until - before.until < 61 * 60_000
    assert await engine.handovers.kept(here.key) == [b"a", b"b"]


async def test_what_was_written_before_the_bot_got_it_back_takes_nothing(engine: Engine) -> None:
    here, now = place(engine), now_ms()
    await engine.handovers.take(here, human(), OVER)
    await engine.handovers.back(here.key, BACK)
    assert (await engine.handovers.take(here, human(), OVER, seen=Seen("a", now - 1, b"a")))[0] == "late"
    assert await stored(engine) is None
    assert (await engine.handovers.take(here, human(), OVER, seen=Seen("b", now_ms() + 1000, b"b")))[0] == "taken"
    assert (await engine.handovers.take(here, human(), OVER, seen=Seen("b", now_ms() + 1000, b"b")))[0] == "dup"


async def test_a_turn_takes_keeps_and_gives_back_with_its_commit(engine: Engine) -> None:
    await engine.accept(arrival(engine, "one"))
    turn = await claim(engine)
    change = Change(what="take", human=human(), event=OVER)
    settled = await engine.commit(turn, Effects(change=change), keep=True, send=False)
    assert settled.next is not None
    assert decode(settled.next.body).name == "handover.started"
    assert (await engine.commit(turn, Effects(change=change), keep=True, send=False)).outcome == "replay"
    assert len(await drain(engine)) == 1
    for n in range(60):
        await engine.accept(arrival(engine, f"m{n}"))
    for shard in range(engine.shards):
        for turn in await engine.claim(shard, 10):
            now = turn
            while now is not None:
                following = await engine.commit(now, Effects(change=Change(what="keep")), keep=True, send=False)
                now = following.next  # type: ignore[assignment]
    assert await engine.handovers.kept(place(engine).key) == [f"m{n}".encode() for n in range(10, 60)]
    await engine.accept(arrival(engine, "back"))
    turn = await claim(engine)
    await engine.commit(turn, Effects(change=Change(what="back", event=BACK)), keep=False, send=False)
    assert [decode(each.body).name for each in await drain(engine)] == ["handover.ended"]
    assert await stored(engine) is None


def timer(name: str) -> Timer:
    return Timer(name=name, due=now_ms() + HOUR, items=(Item(id="", free=b'{"text":"x"}'),))


async def test_follow_ups_are_disarmed_and_none_is_set_meanwhile(engine: Engine) -> None:
    here = place(engine)
    await engine.accept(arrival(engine, "one"))
    turn = await claim(engine)
    assert await engine.timers.set(here.key.shard, [(here, timer("a" * 8))]) == [True]
    _, notes = await engine.handovers.take(here, human(), OVER)
    assert [note.why for note in notes] == ["handed-over"]
    settled = await engine.commit(turn, Effects(timers=(timer("b" * 8),)), keep=False, send=False)
    assert [note.why for note in settled.put_aside] == ["handed-over"]
    await engine.timers.set(here.key.shard, [(here, timer("c" * 8))])
    assert await engine.follow_ups(here.key) == []
    await engine.handovers.back(here.key, BACK)
    await engine.timers.set(here.key.shard, [(here, timer("d" * 8))])
    assert len(await engine.follow_ups(here.key)) == 1


async def test_whose_time_is_over_is_named_and_only_then_given_back_by_it(engine: Engine) -> None:
    here = place(engine)
    await engine.handovers.take(here, human(until=HOUR), OVER)
    assert not await engine.handovers.back(here.key, BACK, if_over=True)
    assert (await engine.handovers.due(here.key.shard, 30_000)).over == ()
    await engine.advance(HOUR + 1000)
    assert (await engine.handovers.due(here.key.shard, 30_000)).over == (here.key,)
    assert await engine.handovers.back(here.key, BACK, if_over=True)
    assert (await engine.handovers.due(here.key.shard, 30_000)).over == ()


async def test_an_echo_is_named_again_until_it_is_done_and_the_oldest_go(engine: Engine) -> None:
    here = place(engine)
    assert await engine.handovers.wait(here.key, "e", b"payload") == 0
    assert (await engine.handovers.due(here.key.shard, 30_000)).echoes == ((b"payload", False),)
    assert (await engine.handovers.due(here.key.shard, 30_000)).echoes == ()
    await engine.advance(31_000)
    assert (await engine.handovers.due(here.key.shard, 30_000)).echoes == ((b"payload", False),)
    await engine.handovers.done(here.key, "e")
    await engine.advance(62_000)
    assert (await engine.handovers.due(here.key.shard, 30_000)).echoes == ()
    gone = [await engine.handovers.wait(here.key, f"e{n}", b"p") for n in range(502)]
    assert sum(gone) == 2


async def test_an_echo_is_told_of_a_post_under_way(engine: Engine) -> None:
    here = place(engine)
    await queue(engine, Item(id="i", free=b"{}"))
    lane = await lane_of(engine)
    await engine.handovers.wait(here.key, "e", b"p")
    assert (await engine.handovers.due(here.key.shard, 0)).echoes == ((b"p", True),)
    await engine.unsent(lane, "retry", delay=1000, unknown=True)
    assert (await engine.handovers.due(here.key.shard, 0)).echoes == ((b"p", True),)
