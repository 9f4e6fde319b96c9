"""Who has a chat: given, kept, given back, each once; follow-ups do not wait meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from pilotbot.contacts import Human
from pilotbot.engine import Change, Effects, Engine, Item, Notice, Timer
from pilotbot.engine.handover import Seen
from pilotbot.engine.keys import base
from pilotbot.engine.merge import Move
from pilotbot.events import decode, handed_back, handed_over
from tests.engine.steps import HOUR, arrival, claim, drain, lane_of, now_ms, place, queue

OVER = handed_over("e1", queue="sales", note="", by="operator", at=1)
BACK = handed_back("e2", by="operator", at=2)


def human(*, until: int = HOUR, queue: str = "sales") -> bytes:
    now = now_ms()
    return Human(queue=queue, since=now, until=now + until, by="operator").dump()


async def echoes(engine: Engine, again: int) -> list[tuple[bytes, bool]]:
    _, found = await engine.handovers.echoes(place(engine).key.shard, again)
    return [(echo.payload, echo.posting) for echo in found]


async def stored(engine: Engine) -> Human | None:
    found = (await engine.chat(place(engine).key)).fields.get("human")
    return Human.load(found) if found else None


async def test_it_is_taken_once_and_given_back_once_and_each_is_an_event(engine: Engine) -> None:
    here = place(engine)
    assert (await engine.handovers.take(here, human(), OVER))[0] == "taken"
    assert (await engine.handovers.take(here, human(), OVER))[0] == "extended"
    assert [held.place for held in await engine.handovers.all(engine.shards)] == [here]
    assert await engine.handovers.back(here.key, BACK)
    assert not await engine.handovers.back(here.key, handed_back("another", by="operator", at=2))
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
    assert (await engine.handovers.over(here.key.shard))[1] == ()
    await engine.advance(HOUR + 1000)
    assert (await engine.handovers.over(here.key.shard))[1] == (here.key,)
    assert await engine.handovers.back(here.key, BACK, if_over=True)
    assert (await engine.handovers.over(here.key.shard))[1] == ()


async def test_an_echo_is_named_again_until_it_is_done_and_the_oldest_go(engine: Engine) -> None:
    here = place(engine)
    assert await engine.handovers.wait(here.key, "e", b"payload") == 0
    assert await echoes(engine, 30_000) == [(b"payload", False)]
    assert await echoes(engine, 30_000) == []
    await engine.advance(31_000)
    _, (echo,) = await engine.handovers.echoes(here.key.shard, 30_000)
    await engine.handovers.done(echo)
    await engine.advance(62_000)
    assert await echoes(engine, 30_000) == []
    gone = [await engine.handovers.wait(here.key, f"e{n}", b"p") for n in range(502)]
    assert sum(gone) == 2


async def test_an_echo_is_told_of_a_post_under_way(engine: Engine) -> None:
    here = place(engine)
    await queue(engine, Item(id="i", free=b"{}"))
    lane = await lane_of(engine)
    await engine.handovers.wait(here.key, "e", b"p")
    assert await echoes(engine, 0) == [(b"p", True)]
    await engine.unsent(lane, "retry", delay=1000, unknown=True)
    assert await echoes(engine, 0) == [(b"p", True)]


async def test_one_whose_time_is_over_counts_as_none_before_the_bot_was_told_so(engine: Engine) -> None:
    here, timer = place(engine), Timer(name="a" * 8, due=now_ms() + 9 * HOUR, items=(Item(id="", free=b"{}"),))
    await engine.handovers.take(here, human(), OVER)
    await drain(engine)
    await engine.advance(HOUR + 1000)
    assert await engine.timers.set(here.key.shard, [(here, timer)]) == [True]
    assert len(await engine.follow_ups(here.key)) == 1
    await engine.accept(arrival(engine, "hi"))
    settled = await engine.commit(await claim(engine), Effects(timers=(replace(timer, name="b" * 8),)), keep=False, send=False)
    assert settled.put_aside == ()
    assert len(await engine.follow_ups(here.key)) == 2
    await queue(engine, Item(id="sale", free=b"{}", business=True, purpose="marketing"))
    assert (await lane_of(engine)).item.id == "sale"
    assert (await engine.handovers.take(here, human(until=3 * HOUR), OVER))[0] == "taken"
    assert [decode(turn.body).name for turn in await drain(engine)] == ["handover.started"]
    assert (await engine.handovers.over(here.key.shard))[1] == ()


async def test_a_follow_up_whose_time_came_is_sent_though_nobody_was_told_that_the_person_is_gone(engine: Engine) -> None:
    here = place(engine)
    await engine.handovers.take(here, human(), OVER)
    await engine.advance(HOUR + 1000)
    await engine.timers.set(here.key.shard, [(here, Timer(name="a" * 8, due=now_ms(), items=(Item(id="", free=b"{}"),)))])
    assert await engine.timers.fire(here.key.shard) == (1, ())
    assert (await lane_of(engine)).item.follow_up


@pytest.mark.parametrize("silence", [True, False])
async def test_a_follow_up_that_fired_and_waits_is_not_posted_while_a_person_has_the_chat(engine: Engine, silence: bool) -> None:
    here = place(engine)
    await engine.accept(arrival(engine, "hi"))
    await drain(engine)
    timer = Timer(name="a" * 8, due=now_ms(), silence=silence, generation=1, items=(Item(id="", free=b"{}"),))
    await engine.timers.set(here.key.shard, [(here, timer)])
    await engine.pause("main", 60_000, "trouble")
    assert (await engine.timers.fire(here.key.shard))[0] == 1
    await queue(engine, Item(id="answer", free=b"{}"))
    await engine.handovers.take(here, human(until=2 * HOUR), OVER)
    await engine.advance(61_000)
    (lane,), notes = await engine.claim_lanes(here.key.shard, 10)
    assert lane.item.id == "answer"
    assert [(note.what, note.why) for note in notes] == [("skip", "handed-over")]


def said(**more: Any) -> Effects:
    timer = Timer(name="a" * 8, due=now_ms() + HOUR, items=(Item(id="", free=b"{}"),))
    return replace(Effects(sets={"state:Order": b"1"}, items=(Item(id="answer", free=b"{}"),), timers=(timer,)), **more)


async def test_a_turn_that_a_person_overtakes_says_nothing_and_what_it_is_of_is_kept(engine: Engine) -> None:
    here = place(engine)
    await engine.accept(arrival(engine, "hi"))
    turn = await claim(engine)
    await engine.handovers.take(here, human(), OVER, seen=Seen("p", now_ms(), b"It is me."))
    notices = (Notice(place=place(engine, "bruno"), items=(Item(id="notice", free=b"{}"),)),)
    settled = await engine.commit(turn, said(unless_human=True, notices=notices), keep=False, send=True)
    assert (settled.outcome, settled.lane) == ("hushed", None)
    assert {(note.item[:6], note.why) for note in settled.put_aside} == {(id_, "handed-over") for id_ in ("answer", "notice", "aaaaaa")}
    chat = await engine.chat(here.key)
    assert (chat.waiting_items, chat.fields["state:Order"]) == (0, b"1")
    assert await engine.follow_ups(here.key) == []
    assert await engine.relay_leftovers(here.key.shard, older_than=0) == ([], ())
    assert await engine.handovers.kept(here.key) == [b"It is me.", b"hi"]
    assert [decode(turn.body).name for turn in await drain(engine)] == ["handover.started"]
    assert (await engine.commit(turn, said(unless_human=True), keep=False, send=True)).outcome in {"stale", "replay"}


async def test_other_turns_say_what_they_say(engine: Engine) -> None:
    here = place(engine)
    await engine.accept(arrival(engine, "stop"))
    turn = await claim(engine)
    await engine.handovers.take(here, human(), OVER)
    settled = await engine.commit(turn, said(timers=()), keep=False, send=True)
    assert settled.outcome == "ok"
    assert settled.lane is not None
    assert await engine.handovers.kept(here.key) == []


@pytest.mark.parametrize(("business", "outcome"), [(False, "skip"), (True, "ok")])
async def test_an_answer_that_failed_late_is_not_said_to_who_talks_to_a_person(engine: Engine, business: bool, outcome: str) -> None:
    here = place(engine)
    await engine.accept(arrival(engine, "hi"))
    await drain(engine)
    await queue(engine, Item(id="0" * 32, free=b"{}", enforced=True, business=business))
    lane = await lane_of(engine)
    record = await engine.record(lane, "p1")
    await engine.sent(lane, "p1")
    await engine.handovers.take(here, human(), OVER)
    assert (await engine.decide_again(record))[0] == outcome
    assert (await engine.chat(here.key)).waiting_items == (outcome == "ok")


async def test_a_chat_knows_what_was_posted_last(engine: Engine) -> None:
    await queue(engine, Item(id="i", free=b"{}"))
    await engine.sent(await lane_of(engine), "p1")
    assert (await engine.chat(place(engine).key)).fields["posted"] == b"p1"


async def test_what_was_kept_stays_for_handlers_of_that_time(engine: Engine) -> None:
    here = place(engine)
    await engine.handovers.take(here, human(), OVER, seen=Seen("a", now_ms(), b"a"))
    first = int((await engine.chat(here.key)).fields["held"])
    await engine.handovers.back(here.key, BACK)
    await engine.advance(1000)
    await engine.handovers.take(here, human(), OVER, seen=Seen("b", now_ms() + 1000, b"b"))
    second = int((await engine.chat(here.key)).fields["held"])
    assert await engine.handovers.kept(here.key, first) == [b"a", b"b"]
    assert await engine.handovers.kept(here.key, second) == [b"b"]


async def test_an_echo_whose_payload_is_gone_does_not_stay(engine: Engine) -> None:
    here = place(engine)
    await engine.handovers.wait(here.key, "e", b"p")
    await engine._calls.command("DEL", f"{base(here.key.shard)}:echoes:payload")
    assert await echoes(engine, 0) == []
    assert await engine._calls.command("ZCARD", f"{base(here.key.shard)}:echoes") == 0


async def test_a_repeat_after_a_lost_reply_says_the_same(engine: Engine) -> None:
    here = place(engine)
    await engine.handovers.take(here, human(), OVER)
    assert [await engine.handovers.back(here.key, BACK) for _ in range(2)] == [True, True]
    assert not await engine.handovers.back(here.key, handed_back("e3", by="operator", at=3))
    assert [decode(turn.body).name for turn in await drain(engine)] == ["handover.started", "handover.ended"]


async def test_a_chat_that_moved_is_given_to_a_person_where_it_is(engine: Engine) -> None:
    here, there = place(engine), place(engine, "bruno")
    await engine.merges.open(Move(here.key, there.key, "bruno"))  # nothing was there: it has moved at once
    assert (await engine.handovers.take(here, human(), OVER))[0] == "taken"
    assert "human" not in (await engine.chat(here.key)).fields
    assert "human" in (await engine.chat(there.key)).fields
    assert await engine.handovers.back(here.key, BACK)


async def test_nothing_of_a_forgotten_chat_is_kept_for_its_pace(engine: Engine) -> None:
    await engine.traces.erase([place(engine).key], lambda _: False)
    await engine.slow_down(place(engine).key, HOUR)
    assert set((await engine.chat(place(engine).key)).fields) == {"gone"}
