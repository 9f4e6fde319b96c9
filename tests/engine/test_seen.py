"""What is known of a number's webhooks: forward only, pinned while a look is wanted, one process at a time."""

import asyncio

import pytest
from redis import Redis

from pilotbot.engine import Engine
from pilotbot.engine.seen import BACK, CALM_MOST, EVERY, MINUTE, OVERLAP, Look

DAY = 24 * 60 * MINUTE
HASH = "{pb:0}:seen:main"


async def now_of(engine: Engine) -> int:
    return (await engine.chat(engine.keys.chat("main", "anybody"))).now


async def wait(engine: Engine, ms: int) -> None:
    """Business time goes on."""
    real = await engine.advance(0)
    await engine.advance(real + ms)


async def begun(engine: Engine, owner: str = "a") -> Look:
    look = await engine.seen.begin("main", owner)
    assert look is not None
    return look


def seen(redis: Redis) -> int:
    return int(redis.hget(HASH, "seen") or 0)


async def test_where_nothing_was_ever_seen_nothing_is_wanted(engine: Engine, redis: Redis) -> None:
    await engine.seen.want("main")
    assert await engine.seen.begin("main", "a") is None
    assert redis.keys("*:seen:*") == []


async def test_the_mark_moves_forward_only_and_never_ahead_of_now(engine: Engine, redis: Redis) -> None:
    now = await now_of(engine)
    await engine.seen.saw("main", now - 10)
    await engine.seen.saw("main", now - 100)
    assert seen(redis) == now - 10
    await engine.seen.saw("main", now + DAY)
    assert now - 10 < seen(redis) <= await now_of(engine)
    assert 0 < redis.pttl(HASH) <= 45 * DAY


async def test_a_look_begins_where_the_last_message_was_seen_and_its_end_forgets_it(engine: Engine) -> None:
    at = await now_of(engine) - 1_000
    await engine.seen.saw("main", at)
    assert await engine.seen.begin("main", "a") is None
    await engine.seen.want("main")
    look = await begun(engine)
    assert (look.since, look.wants) == (at, 1)
    await engine.seen.done("main", "a", look)
    await wait(engine, EVERY)
    assert await engine.seen.begin("main", "a") is None


async def test_what_comes_after_it_was_wanted_does_not_hide_what_was_missed(engine: Engine) -> None:
    at = await now_of(engine) - MINUTE
    await engine.seen.saw("main", at)
    await engine.seen.want("main")
    await engine.seen.saw("main", at + 30_000)
    await engine.seen.want("main")
    assert (await begun(engine)).since == at


@pytest.mark.parametrize("over", [0, 1])
async def test_a_silence_that_ends_is_looked_at(engine: Engine, over: int) -> None:
    at = await now_of(engine) - 3 * OVERLAP
    await engine.seen.saw("main", at)
    await engine.seen.saw("main", at + OVERLAP + over)
    look = await engine.seen.begin("main", "a")
    assert (look and look.since) == (at if over else None)


async def test_of_many_processes_one_looks_until_its_lease_runs_out(engine: Engine, redis: Redis) -> None:
    await engine.seen.saw("main", 1_000)
    await engine.seen.want("main")
    looks = await asyncio.gather(*(engine.seen.begin("main", owner) for owner in "abcdef"))
    assert sum(look is not None for look in looks) == 1
    assert looks[0] is not None
    assert not await engine.seen.hold("main", "b")
    assert await engine.seen.hold("main", "a")
    redis.delete("{pb:0}:looking:main")  # as if it had run out
    assert await engine.seen.begin("main", "b") is not None
    assert not await engine.seen.hold("main", "a")
    await engine.seen.done("main", "a", looks[0])  # whose lease was lost ends nobody else's
    assert redis.get("{pb:0}:looking:main") == "b"


async def test_another_number_is_looked_at_by_itself(engine: Engine) -> None:
    for number in ("main", "other"):
        await engine.seen.saw(number, 1_000)
        await engine.seen.want(number)
    assert await engine.seen.begin("main", "a") is not None
    assert await engine.seen.begin("other", "b") is not None


async def test_it_is_not_looked_at_more_often_than_every_few_minutes(engine: Engine) -> None:
    await engine.seen.saw("main", await now_of(engine))
    await engine.seen.want("main")
    await engine.seen.done("main", "a", await begun(engine))
    await engine.seen.want("main")
    assert await engine.seen.begin("main", "a") is None
    await wait(engine, EVERY)
    assert await engine.seen.begin("main", "a") is not None


async def test_what_is_wanted_during_a_look_is_looked_at_after_it(engine: Engine) -> None:
    at = await now_of(engine) - MINUTE
    await engine.seen.saw("main", at)
    await engine.seen.want("main")
    look = await begun(engine)
    await engine.seen.want("main")
    await engine.seen.done("main", "a", look, newest=at + 30_000)
    await wait(engine, EVERY)
    assert (await begun(engine)).since == at + 30_000


async def test_a_rest_is_looked_at_again_later(engine: Engine) -> None:
    at = await now_of(engine) - MINUTE
    await engine.seen.saw("main", at)
    await engine.seen.want("main")
    await engine.seen.done("main", "a", await begun(engine), since=at + 7, newest=at + 30_000, delay=2 * EVERY)
    await wait(engine, EVERY)
    assert await engine.seen.begin("main", "a") is None
    await wait(engine, EVERY)
    assert (await begun(engine)).since == at + 7


async def test_how_far_it_came_is_kept(engine: Engine, redis: Redis) -> None:
    at = await now_of(engine) - MINUTE
    await engine.seen.saw("main", at)
    await engine.seen.want("main")
    await begun(engine)
    assert await engine.seen.hold("main", "a", since=at + 500)
    redis.delete("{pb:0}:looking:main")  # the process was killed
    assert (await begun(engine, "b")).since == at + 500


async def test_calm_is_waited_for_but_not_for_ever(engine: Engine) -> None:
    await engine.seen.saw("main", await now_of(engine))
    for _ in range(CALM_MOST // 10_000):
        await engine.seen.want("main", delay=15_000)
        assert await engine.seen.begin("main", "a") is None
        await wait(engine, 10_000)
    await engine.seen.want("main", delay=15_000)
    assert await engine.seen.begin("main", "a") is not None


async def test_what_cannot_wait_does_not(engine: Engine) -> None:
    await engine.seen.saw("main", await now_of(engine))
    await engine.seen.want("main", delay=15_000)
    assert await engine.seen.begin("main", "a") is None
    await engine.seen.want("main")
    assert await engine.seen.begin("main", "a") is not None


async def test_it_goes_back_a_week_at_most(engine: Engine) -> None:
    await engine.seen.saw("main", 1_000)
    await engine.seen.want("main")
    look = await begun(engine)
    assert look.start == look.now - BACK


async def test_nor_before_the_first_that_ever_came(engine: Engine) -> None:
    at = await now_of(engine) - MINUTE
    await engine.seen.saw("main", at)
    await engine.seen.saw("main", at + 100)
    await engine.seen.want("main")
    assert (await begun(engine)).start == at


async def test_what_is_a_little_older_is_read_again(engine: Engine) -> None:
    at = await now_of(engine)
    for ago in (3 * OVERLAP, 2 * OVERLAP, OVERLAP):
        await engine.seen.saw("main", at - ago)
    await engine.seen.want("main")
    look = await begun(engine)
    assert (look.start, look.since) == (at - 2 * OVERLAP, at - OVERLAP)
