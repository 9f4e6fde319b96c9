"""A number that is known not to send: nothing is leased but a try, in no shard, until it is known to send again."""

from pilotbot.engine import HOUR, Engine, Item
from pilotbot.engine.pauses import Turned
from tests.engine.steps import Limited, lane_of, now_ms, place, queue

MINUTE = 60_000


async def leased(engine: Engine, who: str = "ana") -> int:
    lanes, _ = await engine.claim_lanes(place(engine, who).key.shard, 10)
    return len(lanes)


async def test_nothing_is_leased_and_all_goes_on_when_it_is_up(engine: Engine) -> None:
    assert (await engine.down("main", now_ms(), HOUR, "disconnected")).news
    await queue(engine, Item(id="i", free=b"{}"))
    assert await leased(engine) == 0
    assert (await engine.pauses(["main"]))["main"].why == "disconnected"
    assert (await engine.up("main", now_ms() + 1)).news
    assert await engine.pauses(["main"]) == {}
    lane = await lane_of(engine)
    assert not lane.down
    assert not (await engine.up("main")).news


async def test_one_lane_tries_after_a_while_and_the_others_wait_for_it(engine: Engine) -> None:
    await engine.down("main", None, HOUR, "disconnected")
    for who in ("ana", "bob", "cid", "dan", "eva"):
        await queue(engine, Item(id=f"i{who}", free=b"{}"), who=who)
    await engine.advance(HOUR + 100)
    counts = [len((await engine.claim_lanes(shard, 10))[0]) for shard in range(engine.shards)]
    assert counts == [min(1, count) for count in counts]
    assert sum(counts) >= 1
    assert (await engine.pauses(["main"]))["main"].why == "disconnected"


async def test_a_try_knows_that_it_is_one_and_the_next_comes_a_minute_later(engine: Engine) -> None:
    await engine.down("main", None, HOUR, "disconnected")
    await queue(engine, Item(id="i", free=b"{}"))
    await engine.advance(HOUR + 100)
    lane = await lane_of(engine)
    assert lane.down
    await engine.unsent(lane, "retry", delay=0)
    assert await leased(engine) == 0
    await engine.advance(HOUR + MINUTE + 300)
    assert (await lane_of(engine)).down


async def test_what_is_overtaken_changes_nothing(engine: Engine) -> None:
    at = now_ms()
    assert await engine.up("main", at) == Turned(news=False, since=0)
    assert await engine.down("main", at - 1, HOUR, "disconnected") == Turned(news=False, since=0)
    assert await engine.pauses(["main"]) == {}
    assert (await engine.down("main", at + 1, HOUR, "disconnected")).news
    assert await engine.up("main", at) == Turned(news=False, since=0)
    assert "main" in await engine.pauses(["main"])


async def test_what_it_is_ill_of_ends_each_for_itself(engine: Engine) -> None:
    at = now_ms() - 10
    await engine.down("main", at, 24 * HOUR, "health_blocked", cause="health", change="health_blocked")
    await engine.down("main", at + 1, 5 * MINUTE, "disconnected", cause="link", change="disconnected")
    await queue(engine, Item(id="i", free=b"{}"))
    assert await leased(engine) == 0
    assert (await engine.up("main", at + 2, ["link"])).news
    assert (await engine.pauses(["main"]))["main"].why == "health_blocked"
    assert await leased(engine) == 0
    assert (await engine.up("main", at + 3, ["health", "pace"])).news
    assert await engine.pauses(["main"]) == {}
    assert await leased(engine) == 1


async def test_the_longest_of_what_is_left_counts(engine: Engine) -> None:
    at = now_ms() - 10
    await engine.down("main", at, 24 * HOUR, "health_blocked", cause="health", change="health_blocked")
    await engine.down("main", at, 5 * MINUTE, "disconnected", cause="link", change="disconnected")
    await queue(engine, Item(id="i", free=b"{}"))
    assert await leased(engine) == 0
    await engine.up("main", at, ["health", "pace"])
    left = (await engine.pauses(["main"]))["main"]
    assert left.why == "disconnected"
    assert left.until < now_ms() + HOUR
    await engine.advance(6 * MINUTE)
    assert (await lane_of(engine)).down


async def test_what_is_told_of_one_thing_late_is_not_overtaken_by_another(engine: Engine) -> None:
    at = now_ms() - 1000
    await engine.slow("main", at, HOUR)
    assert (await engine.down("main", at - 500, HOUR, "disconnected")).news
    assert "main" in await engine.pauses(["main"])


async def test_a_change_is_news_once_and_known_since_when(engine: Engine) -> None:
    at = now_ms() - 1000
    first = await engine.down("main", at, HOUR, "x", change="disconnected")
    assert first.news
    assert await engine.down("main", at, HOUR, "x", change="disconnected") == Turned(news=False, since=first.since)
    assert await engine.down("main", at + 1, HOUR, "x", change="disconnected") == Turned(news=False, since=first.since)
    assert (await engine.down("main", at + 2, HOUR, "x", change="restored")).news
    up = await engine.up("main", at + 3)
    assert up.news
    assert await engine.up("main", at + 4) == Turned(news=False, since=up.since)


async def test_another_number_goes_on(engine: Engine) -> None:
    await engine.down("other", None, HOUR, "disconnected")
    await queue(engine, Item(id="i", free=b"{}"))
    assert await leased(engine) == 1


async def test_a_shorter_pause_does_not_end_it(engine: Engine) -> None:
    await engine.down("main", None, HOUR, "disconnected")
    await engine.pause("main", 1000, "refused")
    await queue(engine, Item(id="i", free=b"{}"))
    await engine.advance(2 * MINUTE)
    assert await leased(engine) == 0


async def test_a_slowed_number_keeps_a_quarter_of_its_pace(limited: Limited) -> None:
    engine = await limited(number_gap=100, number_burst=1, chat_gap=1, chat_burst=100)
    shard, names = place(engine).key.shard, [f"c{n}" for n in range(40)]
    here = [name for name in names if place(engine, name).key.shard == shard][:4]

    async def span() -> float:
        for name in here:
            await queue(engine, Item(id=f"{name}-{now_ms()}", free=b"{}", business=True), who=name)
        await engine.claim_lanes(shard, 10)
        pace = await engine._calls.command("GET", f"{{pb:{shard}}}:pace:main")
        return float(int(pace) - (await engine.chat(place(engine).key)).now)

    quick = await span()
    await engine.advance(HOUR)
    await engine.slow("main", None, HOUR)
    assert await span() > 1.9 * quick
