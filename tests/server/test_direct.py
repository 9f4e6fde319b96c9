"""What goes to the platform past the lanes: messages that are taken back while they are just being posted."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from pilotbot.engine import ChatKey, Engine, Item, Notice, derived_id
from pilotbot.engine.waiting import Taken
from pilotbot.server.direct import Direct
from tests.server.posting import Platform, Senders, begin, finish, no, place

WHO = "+5511987650001"


async def said(engine: Engine, *, at: int | None = None) -> str:
    """A message in a lane; the id that its author was told."""
    body = orjson.dumps({"destinationNumber": WHO, "text": "Your order is packed."})
    item = Item(id=derived_id("base", 0), free=body, deliver_at=at)
    await engine.enqueue(Notice(place=place(engine, WHO), items=(item,)))
    return f"{place(engine, WHO).key.id}-base-1"


async def test_what_is_just_being_posted_is_waited_for_and_was_too_late(platform: Platform, sends: Senders, engine: Engine) -> None:
    platform.held = asyncio.Event()
    name, sender = await said(engine), sends(engine)
    await begin(engine, sender)
    await platform.arrived.wait()
    cancelling = asyncio.create_task(Direct(engine, {}).cancel(name))
    ((what, _),) = await engine.cancel(place(engine, WHO).key, [derived_id("base", 0)])
    assert (what, cancelling.done()) == ("busy", False)
    platform.held.set()
    assert not await cancelling
    await finish(sender)
    assert len(platform.taken) == 1


async def test_a_post_that_was_refused_meanwhile_is_taken_back(platform: Platform, sends: Senders, engine: Engine) -> None:
    platform.held, platform.answer = asyncio.Event(), no(429)
    name, sender = await said(engine), sends(engine)
    await begin(engine, sender)
    await platform.arrived.wait()
    cancelling = asyncio.create_task(Direct(engine, {}).cancel(name))
    platform.held.set()
    assert await cancelling
    await finish(sender)
    assert (await engine.chat(place(engine, WHO).key)).waiting_items == 0


class There:
    """A platform that has a message already, and cancels what it is told to."""

    def __init__(self, status: str) -> None:
        self.status = status

    async def cancel(self, names: list[str]) -> SimpleNamespace:
        return SimpleNamespace(cancelled_count=0)

    async def get(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(status=self.status)


@pytest.mark.parametrize(("status", "says"), [("CANCELED", True), ("SENT", False)])
async def test_what_a_process_that_died_cancelled_there_is_cancelled(
    platform: Platform, sends: Senders, engine: Engine, status: str, says: bool
) -> None:
    now = (await engine.chat(place(engine, WHO).key)).now
    name, sender = await said(engine, at=now + 50_000), sends(engine)
    await begin(engine, sender)
    await finish(sender)
    client: Any = There(status)
    assert await Direct(engine, {"main": client}).cancel(name) is says


async def test_of_several_messages_none_goes_between_two_that_are_taken_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    to = place(engine, WHO)
    items = tuple(Item(id=derived_id("base", n), free=b"x", business=True, group="g", rest=n > 0) for n in range(2))
    await engine.enqueue(Notice(place=to, items=items))
    asked: list[Sequence[str]] = []
    cancel = engine.cancel

    async def then_a_sender_looks(chat: ChatKey, names: Sequence[str]) -> list[tuple[Taken, str]]:
        found = await cancel(chat, names)
        asked.append(names)
        assert await engine.claim_lanes(chat.shard, 10) == ([], ())
        return found

    monkeypatch.setattr(engine, "cancel", then_a_sender_looks)
    assert await Direct(engine, {}).cancel(f"{to.key.id}-base-2")
    assert asked == [[item.id for item in items]]


async def test_what_waits_at_the_platform_needs_its_number(platform: Platform, sends: Senders, engine: Engine) -> None:
    now = (await engine.chat(place(engine, WHO).key)).now
    name, sender = await said(engine, at=now + 50_000), sends(engine)
    await begin(engine, sender)
    await finish(sender)
    with pytest.raises(ValueError, match="no number is called 'main' here"):
        await Direct(engine, {}).cancel(name)
