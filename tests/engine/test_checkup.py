"""The looks at a Redis: they find every disagreement between the engine's figures, see the rest as it is, and change nothing."""

from collections.abc import Callable

import pytest
from redis import Redis

from pilotbot.engine import Arrival, ChatKey, Engine, Item, Notice, Place
from pilotbot.engine.keys import base


def place(engine: Engine, who: str) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def accept(engine: Engine, who: str) -> ChatKey:
    there = place(engine, who)
    await engine.accept(Arrival(place=there, id=f"{who}-1", body=b"{}", at=None))
    return there.key


async def busy(engine: Engine) -> tuple[ChatKey, ChatKey, ChatKey, ChatKey]:
    """Four chats: one waits, one is worked on; one has a message that waits to be sent, one that is under way."""
    claimed = await accept(engine, "claimed")
    await engine.claim(claimed.shard, 10)
    waiting = await accept(engine, "waiting")
    lanes = [place(engine, who) for who in ("sending", "queued")]
    for lane in lanes:
        await engine.enqueue(Notice(place=lane, items=(Item(id=lane.address, free=b"{}"),)))
        if lane.address == "sending":
            await engine.claim_lanes(lane.key.shard, 10)
    return waiting, claimed, lanes[1].key, lanes[0].key


async def test_where_all_is_well_nothing_is_found_and_nothing_is_changed(engine: Engine, redis: Redis) -> None:
    await busy(engine)
    before = {key: redis.dump(key) for key in redis.scan_iter()}
    sample = await engine.checkup.sample(engine.shards)
    assert sample.looked == 4 + 2  # four chats, and the leases of two once more
    assert sample.wrong == ()
    assert {key: redis.dump(key) for key in redis.scan_iter()} == before


def forgotten(redis: Redis, prefix: str, c: str) -> None:
    redis.zrem(f"{prefix}ready", c)


def twice(redis: Redis, prefix: str, c: str) -> None:
    redis.zadd(f"{prefix}ready", {c: 1})


def unowned(redis: Redis, prefix: str, c: str) -> None:
    redis.hdel(f"{prefix}owner", c)


def unleased(redis: Redis, prefix: str, c: str) -> None:
    redis.zrem(f"{prefix}lease", c)
    redis.zadd(f"{prefix}ready", {c: 1})


@pytest.mark.parametrize("kind", ["mailbox", "lane"])
@pytest.mark.parametrize(
    ("harm", "leased", "what"),
    [(forgotten, False, "neither"), (twice, True, "both"), (unowned, True, "unowned"), (unleased, True, "unleased")],
)
async def test_every_disagreement_is_found(
    engine: Engine, redis: Redis, kind: str, harm: Callable[[Redis, str, str], None], leased: bool, what: str
) -> None:
    waiting, claimed, queued, sending = await busy(engine)
    key = {("mailbox", False): waiting, ("mailbox", True): claimed, ("lane", False): queued, ("lane", True): sending}[kind, leased]
    harm(redis, f"{base(key.shard)}:{'lane:' if kind == 'lane' else ''}", key.id)
    assert (await engine.checkup.sample(engine.shards)).wrong == ((key.shard, f"{kind}:{key.id}", what),)


async def test_more_keys_than_one_look_takes(engine: Engine, redis: Redis) -> None:
    for n in range(2500):
        redis.set(f"another:{n}", "")
    keys = [await accept(engine, f"contact {n}") for n in range(50)]
    redis.zrem(f"{base(keys[-1].shard)}:ready", keys[-1].id)
    sample = await engine.checkup.sample(engine.shards)
    assert sample.looked == 50
    assert [name for _, name, _ in sample.wrong] == [f"mailbox:{keys[-1].id}"]


async def test_what_else_is_seen(engine: Engine) -> None:
    clock = await engine.checkup.clock()
    assert abs(clock.ahead) < 1
    assert 0 < clock.error < 1
    taken = await engine.checkup.round_trips(20)
    assert len(taken) == 20
    assert taken == sorted(taken)
    assert await engine.checkup.shards() == 2
    assert await engine.checkup.ahead(2) == 0
    await engine.advance(3_600_000)
    assert await engine.checkup.ahead(2) == 3_600_000


async def test_an_empty_redis(redis_url: str) -> None:
    engine = Engine(redis_url, shards=2)
    assert await engine.checkup.shards() is None
    assert (await engine.checkup.sample(2)).looked == 0
    await engine.close()
