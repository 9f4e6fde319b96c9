"""Looks at a Redis without changing anything: what it keeps, its clock, how far it is, whether the engine's figures agree."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from pilotbot.engine.calls import Calls
from pilotbot.engine.durability import ServerFacts, UnfitRedis, by_version, read_facts
from pilotbot.engine.keys import base

SCANS, AT_ONCE = 100, 1000  # at most so many looks at so many keys each: a sample, where there are more
WORK = re.compile(r"(\{pb:(\d+)\}):((?:mailbox|lane):[0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock: `ahead` of this machine's by so many seconds (negative: behind), give or take `error`."""

    name: str
    ahead: float
    error: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Chats that were looked at, and what is wrong with which: shard, `mailbox:<chat>` or `lane:<chat>`, and what.

    What: `both` or `neither` of waiting and being worked on; `unowned` lease; `unleased` owner.
    """

    looked: int
    wrong: tuple[tuple[int, str, str], ...]


class Checkup:
    """The looks, over the calls of an engine or of one's own. Each raises Away where Redis does not answer."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def facts(self) -> ServerFacts | None:
        """What the server says about itself, None where it says nothing to this user."""
        return await read_facts(self._calls.command)

    async def not_too_old(self) -> None:
        """Raises UnfitRedis where the server's scripting is older than ours."""
        facts = await self.facts()
        if facts is not None and (found := by_version(facts)).refuses:
            raise UnfitRedis([found])

    async def clock(self) -> Reading:
        """The server's clock against this machine's."""
        before = time.time()
        seconds, micros = await self._calls.command("TIME")
        after = time.time()
        return Reading("Redis", int(seconds) + int(micros) / 1e6 - (before + after) / 2, (after - before) / 2)

    async def round_trips(self, count: int) -> list[float]:
        """How long so many calls took, one after the other: seconds each, the shortest first."""
        taken = []
        for _ in range(count):
            before = time.perf_counter()
            await self._calls.command("PING")
            taken.append(time.perf_counter() - before)
        return sorted(taken)

    async def shards(self) -> int | None:
        """For how many shards this Redis was set up; None where it was not."""
        found = await self._calls.command("HGET", "{pb}:conf", "shards")
        return None if found is None else int(found)

    async def ahead(self, shards: int) -> int:
        """By how many milliseconds a sandbox has moved business time ahead."""
        found = [await self._calls.command("GET", f"{base(shard)}:offset") for shard in range(shards)]
        return max((int(offset or 0) for offset in found), default=0)

    async def sample(self, shards: int) -> Sample:
        """Whether chats with work wait or are worked on, and leases and owners agree (reliability 4.1, I1 and I2)."""
        found: dict[int, list[str]] = {shard: [] for shard in range(shards)}
        cursor = b"0"
        for _ in range(SCANS):
            cursor, keys = await self._calls.command("SCAN", cursor, "MATCH", "{pb:*", "COUNT", AT_ONCE)
            for key in keys:
                work = WORK.fullmatch(key.decode("utf-8", "replace"))
                if work and int(work[2]) in found:
                    found[int(work[2])].append(work[3])
            if cursor == b"0":
                break
        looked, wrong = 0, []
        for shard, names in found.items():
            for start in range(0, max(len(names), 1), AT_ONCE):
                count, strays = await self._examine(shard, names[start : start + AT_ONCE])
                looked += count
                wrong += [(shard, name.decode(), what.decode()) for name, what in strays]
        return Sample(looked, tuple(dict.fromkeys(wrong)))

    async def _examine(self, shard: int, names: Sequence[str]) -> tuple[int, list[tuple[bytes, bytes]]]:
        source = (files("pilotbot.engine.scripts") / "examine.lua").read_text("utf-8")  # too rare to be known to Redis from the start
        looked, wrong = await self._calls.command("EVAL_RO", source, 1, base(shard), AT_ONCE, *names)
        return looked, wrong
