"""Pauses of a number, in all processes: while one lasts, no lane of that number is leased. And chats that are sent to slowly."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey


@dataclass(frozen=True, slots=True)
class Pause:
    """A number pauses until then (business ms), and why."""

    until: int
    why: str

    def told(self) -> dict[str, str]:
        """As `/readyz` shows it."""
        ends = datetime.fromtimestamp(self.until / 1000, UTC)
        return {"paused": self.why, "until": ends.isoformat(timespec="seconds").replace("+00:00", "Z")}


class Pauses:
    """The pauses of all numbers; a part of `Engine`."""

    shards: int
    _calls: Calls
    _lane_terms: str

    async def pause(self, number: str, delay: int, why: str = "") -> int:
        """Lease no lane of a number for `delay` ms, in no process; a longer pause stays. Returns when this one ends (business ms)."""
        ends = await asyncio.gather(*(self._calls.script("pause", shard, number, delay, why) for shard in range(self.shards)))
        return max(int(end) for end in ends)

    async def slow_down(self, chat: ChatKey, how_long: int) -> None:
        """Send to a chat by its pace alone, answers too, for `how_long` ms."""
        await self._calls.script("slow", chat.shard, chat.id, how_long, self._lane_terms)

    async def down(self, number: str, at: int | None, look_after: int, why: str) -> bool:
        """A number does not send any more, since `at` (ms): in no process, until it is `up`, or a post that is tried after a while works.

        One is tried in `look_after` ms, then one a minute. False where a later change is known.
        """
        return any(changed >= 0 for changed in await self._number("down", number, at, look_after, why))

    async def slow(self, number: str, at: int | None, how_long: int) -> bool:
        """What a business begins on a number keeps a quarter of its pace, for `how_long` ms. False where a later change is known."""
        return any(changed >= 0 for changed in await self._number("slow", number, at, how_long, ""))

    async def up(self, number: str, at: int | None = None) -> bool:
        """A number sends again, since `at` (ms), or as was just seen: what waits goes. False where that is nothing new."""
        return any(changed > 0 for changed in await self._number("up", number, at, 0, ""))

    async def _number(self, verb: str, number: str, at: int | None, how_long: int, why: str) -> list[int]:
        when = "" if at is None else at
        calls = (self._calls.script("number", shard, verb, number, when, how_long, why) for shard in range(self.shards))
        return [int(changed) for changed, _ in await asyncio.gather(*calls)]

    async def pauses(self, numbers: Sequence[str]) -> dict[str, Pause]:
        """Which of these numbers pause now."""
        found = await self._calls.script("pauses", 0, *numbers)
        return {number: Pause(int(end), why.decode()) for number, (end, why) in zip(numbers, found, strict=True) if end}
