"""Statuses in any order, repeated, before, beside and after the 202, and of messages that others sent: the right final state (3.8)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redis import Redis

from pilotbot import events
from pilotbot.engine import HOUR, Engine, Item, Lane, Notice, Record, Terms, derived_id
from pilotbot.server.intake import Intake, Tell
from pilotbot.server.sender import Sender
from pilotbot.settings import NumberSettings
from tests.engine.steps import arrival, drain, now_ms, place

RANKS = ("sent", "failed", "delivered", "read")
TAKEN = "202"  # the platform's answer to the post reaches the sender
TIMED_OUT, OUTSIDE = "DELIVERY_TIMEOUT", "META_OUTSIDE_24H_WINDOW"
NUMBERS = count()

Story = list[tuple[str, bool]]
"""What comes in, one after the other; whether it comes at the same moment as what is next."""


def stories(*statuses: str, taken: st.SearchStrategy[bool]) -> st.SearchStrategy[Story]:
    """Every order of these, each as often as it likes, at least one, with or without the 202 among them."""
    some = st.lists(st.sampled_from(statuses), min_size=1, max_size=7)
    whole = st.tuples(some, taken).flatmap(lambda drawn: st.permutations([*drawn[0], *([TAKEN] if drawn[1] else [])]))
    return whole.flatmap(lambda order: st.tuples(*(st.tuples(st.just(one), st.booleans()) for one in order)).map(list))


@dataclass
class Desk:
    """An intake and a sender of one engine, and one message of ours, or of others."""

    engine: Engine
    intake: Intake
    sender: Sender
    begun: int
    name: str
    who: str
    lane: Lane | None = None
    following: Lane | None = None
    got: list[str] = field(default_factory=list)

    @classmethod
    async def with_a_message(cls, engine: Engine, *, ours: bool) -> "Desk":
        number = next(NUMBERS)
        tell = Tell(lambda _: None, lambda _: None, lambda _: None)
        intake = Intake(engine, (NumberSettings(name="main"),), tell, wants=lambda _: True, follow_clock=False, counts=Counter())
        desk = cls(engine, intake, Sender(engine, {}, counts=Counter(), keep_content=True), now_ms(), f"p{number}", f"contact {number}")
        if ours:
            await engine.accept(arrival(engine, f"in {number}", who=desk.who))
            await drain(engine)
            item = Item(
                id=derived_id(desk.name), free=b'{"text":"Packed."}', template=b'{"templateId":"packed"}', enforced=True, cause="in"
            )
            await engine.enqueue(Notice(place=place(engine, desk.who), items=(item,)))
            (desk.lane,), _ = await engine.claim_lanes(place(engine, desk.who).key.shard, 10)
        return desk

    async def comes(self, what: str, code: str) -> None:
        if what == TAKEN:
            assert self.lane is not None
            self.following = await self.sender._sent(self.lane, self.name)
            return
        data: dict[str, object] = {"id": self.name, "messageId": f"wamid.{self.name}", "to": "+5511987650001", "createdAt": self.at(what)}
        if what == "failed":
            data["errorCode"] = code
        raw = orjson.dumps({"event": f"message.{what}", "data": data})
        assert await self.intake.take(events.decode(raw), raw) == "status"

    def at(self, what: str) -> int:
        return self.begun - 4_000 + 1_000 * RANKS.index(what)

    async def plays(self, story: Story, code: str) -> Record:
        at_once: list[Coroutine[Any, Any, None]] = []
        for what, beside in story:
            at_once.append(self.comes(what, code))
            if not beside:
                await asyncio.gather(*at_once)
                at_once.clear()
                self.got += await self.handed_on()
        await asyncio.gather(*at_once)
        self.got += await self.handed_on()
        record = await self.engine.find_record(f"wamid.{self.name}")
        assert record is not None
        assert record.key == self.engine.keys.record(self.name)
        return record

    async def handed_on(self) -> list[str]:
        """The statuses that reach handlers now, in their order."""
        found = [events.decode(turn.body) for turn in await drain(self.engine)]
        return [event.status for event in found if isinstance(event, events.Status)]


def of_any(
    redis_url: str, given_: st.SearchStrategy[Story], play: Callable[[Engine, Story], Coroutine[Any, Any, None]], *first: Story
) -> None:
    """Play stories on one engine, `first` among them."""

    async def opened() -> Engine:
        engine = Engine(redis_url, shards=2, terms=Terms(patience=200))
        await engine.open()
        return engine

    with asyncio.Runner() as runner:
        engine = runner.run(opened())

        @settings(max_examples=150)
        @given(given_)
        def each(story: Story) -> None:
            runner.run(play(engine, story))

        for one in first:
            each = example(one)(each)
        each()
        runner.run(engine.close())


def test_whatever_comes_when_the_furthest_counts(redis_url: str, redis: Redis) -> None:
    async def play(engine: Engine, story: Story) -> None:
        told = [what for what, _ in story if what != TAKEN]
        ours = len(told) < len(story)
        desk = await Desk.with_a_message(engine, ours=ours)
        record = await desk.plays(story, TIMED_OUT)
        final = max(told, key=RANKS.index)
        assert record.status == final
        assert dict(record.times) == {status: desk.at(status) for status in told}
        assert record.code == (TIMED_OUT if "failed" in told else None)
        assert (record.chat is not None) == ours
        got = desk.got
        if ours:
            assert record.cause == "in"
            assert (got[-1], got) == (final, sorted(set(got), key=RANKS.index))
            assert (await engine.chat(place(engine, desk.who).key)).waiting_items == 0  # the contact may have it
        else:
            assert got == []
        for kind, key in (("record", record.key), ("wamid", engine.keys.record(f"wamid.{desk.name}"))):
            ends = redis.pttl(f"{{pb:{key.shard}}}:{kind}:{key.id}")
            assert (ends <= 48 * HOUR) != ours, "what others sent is not remembered for long"

    late = [("failed", False), (TAKEN, False), ("delivered", False)]
    of_any(
        redis_url, stories(*RANKS, taken=st.booleans()), play, late, [(TAKEN, False), *late[::2]], [("read", False)],
        [("read", True), (TAKEN, True), ("sent", False)],
    )  # fmt: skip


def test_a_refusal_for_the_window_is_decided_again_once_whenever_it_comes(redis_url: str) -> None:
    async def play(engine: Engine, story: Story) -> None:
        desk = await Desk.with_a_message(engine, ours=True)
        record = await desk.plays(story if any(what == "failed" for what, _ in story) else [*story, ("failed", False)], OUTSIDE)
        assert record.status == "failed"
        assert record.again is None
        view = await engine.chat(place(engine, desk.who).key)
        assert view.waiting_items == 1
        assert view.fields["shut"] == view.fields["in"]
        leased = [] if desk.following is not None else (await engine.claim_lanes(place(engine, desk.who).key.shard, 10))[0]
        lane = desk.following or leased[0]
        assert (lane.pin, lane.item.again, lane.item.template) == ("template", True, b'{"templateId":"packed"}')
        await engine.sent(lane)

    of_any(redis_url, stories("sent", "failed", taken=st.just(True)), play, [("failed", True), (TAKEN, False)])
