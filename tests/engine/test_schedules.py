"""What is stored of schedules: changed by comparing, paused, resumed, bounded in time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from pilotbot.engine import Engine
from pilotbot.engine.schedules import Stored

FIRST = Stored(definition="every(hours(1))", next=1_000, at=10)


async def stored(engine: Engine, name: str = "job") -> Stored | None:
    return (await engine.schedules.all())[1].get(name)


async def test_nothing_is_known_at_first(engine: Engine) -> None:
    now, known = await engine.schedules.all()
    assert known == {}
    await engine.advance(3_600_000)
    later, _ = await engine.schedules.all()
    assert 3_600_000 <= later - now < 3_610_000


async def test_who_read_something_older_changes_nothing(engine: Engine) -> None:
    assert await engine.schedules.move("job", None, FIRST)
    assert not await engine.schedules.move("job", None, replace(FIRST, next=5))
    seen = await stored(engine)
    assert seen == FIRST
    moved = replace(FIRST, next=2_000, last=1_000)
    assert await engine.schedules.move("job", seen, moved)
    assert not await engine.schedules.move("job", seen, replace(FIRST, next=3_000))
    assert await stored(engine) == moved
    assert await stored(engine, "another") is None


async def test_of_many_at_the_same_moment_one_moves_it(engine: Engine) -> None:
    await engine.schedules.move("job", None, FIRST)
    seen = await stored(engine)
    moves = [engine.schedules.move("job", seen, replace(FIRST, next=2_000 + at, raw=b"")) for at in range(20)]
    assert sum(await asyncio.gather(*moves)) == 1


async def test_a_repeat_after_a_lost_reply_says_the_same(engine: Engine) -> None:
    for before, after in ((None, FIRST), (FIRST, replace(FIRST, next=2_000)), (replace(FIRST, next=2_000), None)):
        assert await engine.schedules.move("job", before, after)
        assert await engine.schedules.move("job", before, after)
    assert await stored(engine) is None


async def test_what_was_read_is_what_is_compared(engine: Engine, redis: Redis) -> None:
    """Another version may write more fields, or in another order."""
    redis.hset("{pb:0}:schedules", "job", '{"at":10,"last":null,"paused":false,"next":1000,"definition":"x","new":1}')
    seen = await stored(engine)
    assert seen == Stored(definition="x", next=1_000, at=10)
    assert await engine.schedules.move("job", seen, replace(seen, next=7, raw=b""))
    assert await stored(engine) == Stored(definition="x", next=7, at=10)


async def test_a_pause_keeps_what_is_known_and_a_resume_begins_anew_from_its_moment(engine: Engine) -> None:
    await engine.schedules.move("job", None, replace(FIRST, last=500))
    assert await engine.schedules.pause("job")
    paused = await stored(engine)
    assert paused is not None
    assert (paused.paused, paused.next, paused.last) == (True, 1_000, 500)
    await engine.advance(3_600_000)
    assert await engine.schedules.resume("job")
    now, known = await engine.schedules.all()
    assert (known["job"].paused, known["job"].next, known["job"].last) == (False, None, 500)
    assert 0 <= now - known["job"].at < 10_000
    assert not await engine.schedules.pause("another")
    assert not await engine.schedules.resume("another")


async def test_a_pause_holds_whoever_moves_it_at_that_moment(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await engine.schedules.move("job", None, FIRST)
    move, done = engine.schedules.move, list[bool]()

    async def after_another(name: str, before: Stored | None, after: Stored | None) -> bool:
        if not done:
            done.append(await move(name, before, replace(FIRST, next=9_000)))
        return await move(name, before, after)

    monkeypatch.setattr(engine.schedules, "move", after_another)
    assert await engine.schedules.pause("job")
    held: Any = await stored(engine)
    assert (held.paused, held.next) == (True, 9_000)


async def test_they_are_kept_for_a_bounded_time(engine: Engine, redis: Redis) -> None:
    await engine.schedules.move("job", None, FIRST)
    assert 0 < int(redis.pttl("{pb:0}:schedules")) <= 400 * 86_400_000


async def test_to_resume_what_is_not_paused_changes_nothing(engine: Engine) -> None:
    """Else a time that is just due would be thrown away."""
    await engine.schedules.move("job", None, FIRST)
    before = (await engine.schedules.all())[1]["job"]
    assert await engine.schedules.resume("job")
    assert (await engine.schedules.all())[1]["job"] == before
