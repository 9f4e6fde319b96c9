"""A chat that WhatsApp limits the rate of is sent to slowly for a while: answers too, in their order, and no other chat."""

from pilotbot.engine import Engine, Item
from tests.engine.steps import Limited, place, queue

MINUTE = 60_000


async def drained(engine: Engine, who: str = "ana") -> list[str]:
    """Send what may go now; the items that went."""
    leases, _ = await engine.claim_lanes(place(engine, who).key.shard, 10)
    lane, sent = next((lease for lease in leases if lease.key == place(engine, who).key), None), []
    while lane is not None:
        sent.append(lane.item.id)
        lane = (await engine.sent(lane)).lane
    return sent


async def test_answers_keep_their_pace_and_their_order_and_then_go_as_before(limited: Limited) -> None:
    engine = await limited(chat_gap=6_000, chat_burst=10, number_gap=1)
    await engine.slow_down(place(engine).key, 10 * MINUTE)
    await queue(engine, *(Item(id=f"a{n}", free=b"a") for n in range(3)))
    assert await drained(engine) == []
    for n in range(3):
        await engine.advance(6_000 * (n + 1) + 1)
        assert await drained(engine) == [f"a{n}"]
    await engine.advance(11 * MINUTE)
    await queue(engine, *(Item(id=f"b{n}", free=b"b") for n in range(5)))
    assert await drained(engine) == [f"b{n}" for n in range(5)]


async def test_what_a_business_began_does_not_make_way_then(limited: Limited) -> None:
    engine = await limited(chat_gap=6_000, number_gap=1)
    await engine.slow_down(place(engine).key, 10 * MINUTE)
    await queue(engine, Item(id="news", free=b"n", business=True), Item(id="answer", free=b"a"))
    await engine.advance(6_001)
    assert await drained(engine) == ["news"]
    await engine.advance(12_001)
    assert await drained(engine) == ["answer"]


async def test_another_chat_is_not_slowed_down(engine: Engine) -> None:
    await engine.slow_down(place(engine).key, 10 * MINUTE)
    await queue(engine, *(Item(id=f"b{n}", free=b"b") for n in range(5)), who="bruno")
    assert len(await drained(engine, "bruno")) == 5


async def test_said_again_it_lasts_longer_and_is_no_slower(limited: Limited) -> None:
    engine = await limited(chat_gap=6_000, number_gap=1)
    for _ in range(5):
        await engine.slow_down(place(engine).key, 10 * MINUTE)
    await queue(engine, Item(id="a", free=b"a"))
    await engine.advance(6_001)
    assert await drained(engine) == ["a"]
