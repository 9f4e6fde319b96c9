"""Steps that tests of the engine share: somebody writes, a worker claims, a sender leases."""

import time
from typing import Any, Protocol

from pilotbot.engine import Arrival, Claimed, Effects, Engine, Item, Lane, Notice, Place

HOUR = 3_600_000


def place(engine: Engine, who: str = "ana", *, number: str = "main") -> Place:
    return Place(key=engine.keys.chat(number, who), number=number, kind="contact", address=who)


def arrival(engine: Engine, event: str, *, who: str = "ana", **more: object) -> Arrival:
    given: dict[str, Any] = {"at": None, "mark": "r", "opens_window": True, "message_id": f"wamid.{event}", "body": event.encode()}
    return Arrival(place=place(engine, who), id=event, **{**given, **more})


async def claim(engine: Engine, who: str = "ana") -> Claimed:
    (turn,) = await engine.claim(place(engine, who).key.shard, 10)
    return turn


async def lane_of(engine: Engine, who: str = "ana") -> Lane:
    (lane,), _ = await engine.claim_lanes(place(engine, who).key.shard, 10)
    return lane


async def queue(engine: Engine, *items: Item, who: str = "ana") -> None:
    for item in items:
        assert (await engine.enqueue(Notice(place=place(engine, who), items=(item,))))[0] == "ok"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def drain(engine: Engine) -> list[Claimed]:
    turns = []
    for shard in range(engine.shards):
        for claimed in await engine.claim(shard, 10):
            turn: Claimed | None = claimed
            while turn is not None:
                turns.append(turn)
                turn = (await engine.commit(turn, Effects(), keep=True, send=False)).next
    return turns


class Limited(Protocol):
    """Makes an engine with other figures."""

    async def __call__(self, **terms: int) -> Engine:
        """An open engine; `terms` as `Terms`."""
