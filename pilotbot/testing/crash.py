"""The bot killed at a moment that a test chooses: what `kill -9` does to a process, done to the bot inside the test's own.

From that moment nothing of the bot reaches Redis or the platform any more, and what it held stays held until its leases run out. What a
test's process cannot lose is Python's memory: globals of the bot's modules survive.
"""

from typing import Any, Literal, get_args

from redis.asyncio import Redis

from pilotbot.engine import Accepted, Arrival, Away, Claimed, Effects, Engine, Lane, Record, Settled
from pilotbot.engine.keys import base

Point = Literal["accept", "claim", "handler", "commit", "post", "record"]
POINTS = get_args(Point)


class Fuse:
    """Kills a bot once, at the point that it is armed for."""

    def __init__(self) -> None:
        self.armed: Point | None = None
        self.burnt = False
        """Whether the bot was killed, and waits to be started again."""

    def reached(self, point: Point, engine: Engine) -> None:
        """Say that a point is reached.

        Raises:
            Away: the bot is killed here.
        """
        if self.armed == point:
            self.armed, self.burnt = None, True
            engine.abandon()
            raise Away(f"the test killed the bot after: {point}")


class CrashingEngine(Engine):
    """An engine that tells a fuse of each step that is done."""

    def __init__(self, *args: Any, fuse: Fuse, **more: Any) -> None:
        super().__init__(*args, **more)
        self._fuse = fuse

    async def accept(self, arrival: Arrival) -> Accepted:
        """As `Engine.accept`; killed after it, the event is kept and its delivery not answered."""
        accepted = await super().accept(arrival)
        self._fuse.reached("accept", self)
        return accepted

    async def claim(self, shard: int, most: int, *, reap: bool = True) -> list[Claimed]:
        """As `Engine.claim`; killed after it, the event is leased and not begun."""
        claimed = await super().claim(shard, most, reap=reap)
        if claimed:
            self._fuse.reached("claim", self)
        return claimed

    async def commit(self, turn: Claimed, effects: Effects, *, keep: bool, send: bool) -> Settled:
        """As `Engine.commit`; killed before it, the handler ran in vain; after it, its answers wait to be sent."""
        self._fuse.reached("handler", self)
        settled = await super().commit(turn, effects, keep=keep, send=send)
        self._fuse.reached("commit", self)
        return settled

    async def record(self, lane: Lane, platform_id: str, *, mode: str = "text", template: str = "", keep: bool = False) -> Record:
        """As `Engine.record`; killed before it, the platform has the message and nobody here knows."""
        self._fuse.reached("post", self)
        record = await super().record(lane, platform_id, mode=mode, template=template, keep=keep)
        self._fuse.reached("record", self)
        return record


async def end_leases(redis: Redis, engine: Engine) -> None:
    """Have all leases of a bot that was killed run out now, and take them back as another process would in its time."""
    for shard in range(engine.shards):
        for name in ("lease", "lane:lease"):
            held: Any = await redis.zrange(f"{base(shard)}:{name}", 0, -1)
            if held:
                await redis.zadd(f"{base(shard)}:{name}", dict.fromkeys(held, 0), xx=True)
            for _ in range(0, len(held), 50):  # as many as a claim takes back
                await (engine.claim(shard, 0) if name == "lease" else engine.claim_lanes(shard, 0))
