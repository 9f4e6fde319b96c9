"""Whether everything is done: no event, answer or webhook is under way or due, in the bot's Redis and in the sandbox."""

from dataclasses import dataclass

from redis.asyncio import Redis

from pilotbot.engine.keys import base


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: whether something is under way or due now, and in how many milliseconds of business time the next thing is due."""

    now: bool
    soonest: int | None = None

    def __or__(self, other: "Waiting") -> "Waiting":
        later = [each for each in (self.soonest, other.soonest) if each is not None]
        return Waiting(self.now or other.now, min(later, default=None))


async def waiting_in(redis: Redis, shards: int) -> Waiting:
    """What waits in the bot's Redis. Work that a back-off puts off is later; all else that is not done is now."""
    pipe = redis.pipeline(transaction=False)
    pipe.time()
    for shard in range(shards):
        pipe.get(f"{base(shard)}:offset")
        for name in ("lease", "lane:lease", "relay"):
            pipe.zcard(f"{base(shard)}:{name}")
        for name in ("ready", "lane:ready", "echoes", "timers", "humans"):
            pipe.zrange(f"{base(shard)}:{name}", 0, 0, withscores=True)
    (seconds, micros), *replies = await pipe.execute()
    found = Waiting(now=False)
    for shard in range(shards):
        offset, *counts, ready, lanes, echoes, timers, humans = replies[shard * 9 : shard * 9 + 9]
        now = seconds * 1000 + micros // 1000 + int(offset or 0)
        due = [int(score) - now for _, score in (*ready, *lanes, *echoes)]
        later = [each for each in due if each > 0]
        overdue = any(score <= now for _, score in (*timers, *humans))  # those to come wait for the test to travel
        found |= Waiting(any(counts) or overdue or len(later) < len(due), min(later, default=None))
    return found
