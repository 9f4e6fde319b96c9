"""Dead letters keep what a person must know, whatever version wrote them, and go back only where there is room."""

from dataclasses import replace

import orjson
import pytest
from redis import Redis

from pilotbot.engine import Engine, Item
from pilotbot.engine.keys import base
from tests.engine.steps import arrival, claim, lane_of, place, queue


async def buried(engine: Engine, name: str = "a", **more: object) -> str:
    """The id of the letter of an event that was given up."""
    await engine.accept(arrival(engine, name))
    turn = await claim(engine)
    await engine.bury(turn, reason="ValueError", detail="shop.py:7 order: ValueError: no", keep=False, **more)  # type: ignore[arg-type]
    return f"{turn.key.id}-{int(turn.seq)}"


async def test_an_event_keeps_its_envelope_where_it_failed_and_how_often(engine: Engine) -> None:
    name = await buried(engine, tries=2, trace="Traceback: ...\n")
    letter = await engine.dead_letter(name)
    assert letter is not None
    assert (letter.reason, letter.tries, letter.crashes, letter.trace) == ("ValueError", 2, 0, "Traceback: ...\n")
    assert letter.payload == arrival(engine, "a").body.decode()


async def test_an_event_that_ended_processes_says_how_many(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "a"))
    shard = place(engine).key.shard
    for _ in range(3):
        turn = await claim(engine)
        redis.zadd(f"{base(shard)}:lease", {turn.key.id: 0})
    turn = await claim(engine)
    await engine.bury(turn, reason="poison", detail="", keep=False)
    (letter,) = await engine.dead_letters()
    assert (letter.tries, letter.crashes) == (0, 3)


async def test_a_loss_of_the_process_is_no_fault_of_an_event_that_waits(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "a"))
    shard, chat = place(engine).key.shard, place(engine).key.id
    for is_to, expected in ((False, 0), (True, 1), (False, 1)):
        turn = await claim(engine)
        assert await engine.blame(turn, is_to=not is_to)
        assert await engine.blame(turn, is_to=is_to)
        redis.zadd(f"{base(shard)}:lease", {chat: 0})
        again = await claim(engine)
        assert again.crashes == expected
        assert not await engine.blame(turn, is_to=True)  # its lease is lost
        await engine.retry(again, 0)


async def test_letters_of_earlier_versions_are_read(engine: Engine, redis: Redis) -> None:
    name = await buried(engine)
    shard = place(engine).key.shard
    stored = orjson.loads(str(redis.hget(f"{base(shard)}:dead:letters", name)))
    for later in ("tries", "crashes", "trace"):
        del stored[later]
    redis.hset(f"{base(shard)}:dead:letters", name, orjson.dumps(stored).decode())
    letter = await engine.dead_letter(name)
    assert letter is not None
    assert (letter.tries, letter.crashes, letter.trace) == (0, 0, "")
    assert await engine.retry_dead(name)
    assert (await claim(engine)).body == arrival(engine, "a").body


@pytest.fixture
async def small(engine: Engine) -> Engine:
    """An engine whose mailboxes take two events."""
    engine.terms = replace(engine.terms, depth=2)
    return engine


async def test_a_letter_goes_back_only_where_its_mailbox_has_room(small: Engine) -> None:
    name = await buried(small)
    for other in ("b", "c"):
        assert (await small.accept(arrival(small, other))).outcome == "ok"
    assert (await small.accept(arrival(small, "d"))).outcome == "full"
    assert not await small.retry_dead(name)
    assert [letter.id for letter in await small.dead_letters()] == [name]
    turn = await claim(small)
    await small.bury(turn, reason="x", detail="", keep=False)
    assert await small.retry_dead(name)
    assert (await small.chat(place(small).key)).waiting_events == 2


async def test_a_message_goes_back_only_where_its_lane_has_room(engine: Engine) -> None:
    await queue(engine, *(Item(id=f"i{n}", free=b"x") for n in range(200)))
    await engine.unsent(await lane_of(engine), "dead", reason="r")
    await queue(engine, Item(id="more", free=b"x"))
    assert not await engine.retry_dead("i0")
    assert [letter.id for letter in await engine.dead_letters()] == ["i0"]
    await engine.sent(await lane_of(engine))
    assert await engine.retry_dead("i0")
    assert await engine.dead_letters() == []


async def test_ten_thousand_are_kept_the_oldest_go_first(engine: Engine, redis: Redis) -> None:
    at = base(place(engine).key.shard)
    redis.zadd(f"{at}:dead", {f"old{n}": n for n in range(10_000)})
    redis.hset(f"{at}:dead:letters", mapping={f"old{n}": "{}" for n in range(10_000)})
    name = await buried(engine)
    assert (redis.zcard(f"{at}:dead"), redis.hlen(f"{at}:dead:letters")) == (10_000, 10_000)
    assert (redis.zscore(f"{at}:dead", "old0"), redis.hexists(f"{at}:dead:letters", "old0")) == (None, False)
    assert redis.hexists(f"{at}:dead:letters", name)


async def test_what_is_run_again_begins_without_blame_and_comes_last(engine: Engine) -> None:
    name = await buried(engine, "a", tries=2)
    await engine.accept(arrival(engine, "b"))
    assert await engine.retry_dead(name)
    first = await claim(engine)
    assert first.body == arrival(engine, "b").body
    settled = await engine.bury(first, reason="x", detail="", keep=True)
    assert settled.next is not None
    assert (settled.next.body, settled.next.tries, settled.next.errors, settled.next.crashes) == (arrival(engine, "a").body, 0, 0, 0)
