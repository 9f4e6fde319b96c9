"""A message whose answer was lost, and then a day without the platform: no blind repeat, one decision."""

from pilotbot.engine import HOUR, Arrival, Engine
from pilotbot.server.sender import KEY_MEMORY, Sender
from tests.server.posting import CHATS, Answer, Platform, Senders, drain, dropped, later, lost, no, place, queue


async def writes(engine: Engine, who: str) -> None:
    await engine.accept(Arrival(place=place(engine, who), id="hi", body=b"{}", at=None, opens_window=True))


async def outage(engine: Engine, sender: Sender, platform: Platform, first: Answer, hours: int) -> int:
    """A message whose first post is lost, then hours without a platform. Returns how many posts of it there were."""
    await writes(engine, CHATS[0])
    await queue(engine, CHATS[0], enforced=True)
    platform.answer = first
    await drain(engine, sender)
    platform.answer, platform.history_is_away = no(500), True
    for _ in range(hours):
        await later(engine, 3600)
        await drain(engine, sender)
    return len(platform.posts)


class TestTwentyFiveHours:
    async def test_a_message_that_arrived_is_found_and_not_posted_again(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        posts = await outage(engine, sender, platform, lost, 25)
        platform.answer, platform.history_is_away = None, False
        await later(engine, 3600)
        await drain(engine, sender)
        await drain(engine, sender)
        assert len(platform.posts) == posts <= 1 + KEY_MEMORY // HOUR  # none after the platform may have forgotten the key
        assert list(platform.taken.values()) == [CHATS[0]]
        assert ((await engine.chat(place(engine, CHATS[0]).key)).waiting_items, await engine.dead_letters()) == (0, [])
        record = await engine.find_record("p1")
        assert record is not None
        assert record.item == f"item-{CHATS[0]}"

    async def test_a_message_that_nobody_saw_is_decided_once_by_a_person(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        posts = await outage(engine, sender, platform, dropped, 25)
        platform.answer, platform.history_is_away = None, False
        for _ in range(3):
            await later(engine, 3600)
            await drain(engine, sender)
        assert len(platform.posts) == posts
        assert platform.taken == {}
        (letter,) = await engine.dead_letters()
        assert letter.reason == "unknown-outcome"
        assert letter.tries == 1 + 25  # the looks at a history that was away count as well
