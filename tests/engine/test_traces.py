"""What is left of a chat that was forgotten: when that was, and what it keeps out."""

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from pilotbot.engine import Effects, Engine, Item
from pilotbot.engine.keys import base
from tests.engine.steps import arrival, claim, drain, lane_of, now_ms, place, queue


async def forget(engine: Engine, who: str = "ana") -> None:
    await engine.traces.erase([place(engine, who).key], lambda _: False)


async def test_what_is_older_is_not_taken_in_and_what_is_newer_begins_anew(engine: Engine) -> None:
    await engine.accept(arrival(engine, "one"))
    await engine.commit(await claim(engine), Effects(sets={"state:a": b"1"}), keep=False, send=False)
    await forget(engine)
    gone = int((await engine.chat(place(engine).key)).fields["gone"])
    for at in (gone - 1000, gone):
        assert (await engine.accept(arrival(engine, f"at {at}", at=at))).outcome == "forgotten"
    assert set((await engine.chat(place(engine).key)).fields) == {"gone"}
    taken = await engine.accept(arrival(engine, "two", at=gone + 1000))
    assert (taken.outcome, taken.first) == ("ok", True)
    assert "state:a" not in (await claim(engine)).fields


async def test_others_are_not_touched(engine: Engine) -> None:
    for who in ("ana", "bruno"):
        await engine.accept(arrival(engine, f"hi {who}", who=who))
        await queue(engine, Item(id=f"to {who}", free=b"x"), who=who)
    await forget(engine)
    assert [turn.body for turn in await drain(engine)] == [b"hi bruno"]
    assert (await lane_of(engine, "bruno")).item.id == "to bruno"


async def test_the_figure_of_what_waits_stays_right(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "one"))
    await engine.accept(arrival(engine, "two"))
    await forget(engine)
    assert redis.get(f"{base(place(engine).key.shard)}:waiting") == "0"


@pytest.mark.parametrize("settled", [True, False])
async def test_what_is_being_posted_is_waited_for_and_what_comes_meanwhile_is_kept(limited, settled: bool) -> None:  # type: ignore[no-untyped-def]
    engine: Engine = await limited(lease=100)
    await queue(engine, Item(id="old", free=b"x"), Item(id="behind", free=b"x"))
    lane = await lane_of(engine)
    real = engine._calls.script

    async def script(name: str, shard: int, *arguments: Any) -> Any:
        found = await real(name, shard, *arguments)
        if name == "forget" and arguments[1] == "stop":
            while (view := await engine.chat(place(engine).key)).now <= int(view.fields["gone"]):  # the very millisecond is before
                pass
            await engine.accept(arrival(engine, "new", at=now_ms() + 1000))
            await queue(engine, Item(id="answer", free=b"y"))
            if settled:
                await engine.record(lane, "p1")
                await engine.sent(lane)
        return found

    engine._calls.script = script  # type: ignore[method-assign]
    await forget(engine)
    engine._calls.script = real  # type: ignore[method-assign]
    if not settled:  # else it is leased already
        assert (await lane_of(engine)).item.id == "answer"
    assert await engine.find_record("p1") is None
    assert (await claim(engine)).body == b"new"
    assert (await engine.chat(place(engine).key)).fields["number"] == b"main"


async def test_a_letter_of_a_group_that_tells_their_number_goes_and_a_message_to_others_that_does_stays(engine: Engine) -> None:
    for who in ("group", "bruno"):
        await engine.accept(replace(arrival(engine, f"{who} +5511987650001", who=who)))
        turn = await claim(engine, who)
        await engine.bury(turn, reason="r", detail="d", keep=False)
    await queue(engine, Item(id="n", free=b"call +5511987650001"), who="bruno")
    await engine.unsent(await lane_of(engine, "bruno"), "dead", reason="r", detail="d")
    await engine.traces.erase([place(engine).key], lambda body: b"+5511987650001" in body)
    assert [letter.kind for letter in await engine.dead_letters()] == ["send"]
