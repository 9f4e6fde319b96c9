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
        """Lease no lane of a number for `delay` ms, in no process; a longer pause stays. Returns when it ends (business ms)."""
        ends = await asyncio.gather(*(self._calls.script("pause", shard, number, delay, why) for shard in range(self.shards)))
        return max(int(end) for end in ends)

    async def slow_down(self, chat: ChatKey, how_long: int) -> None:
        """Send to a chat by its pace alone, answers too, for `how_long` ms."""
        await self._calls.script("slow", chat.shard, chat.id, how_long, self._lane_terms)

    async def pauses(self, numbers: Sequence[str]) -> dict[str, Pause]:
        """Which of these numbers pause now."""
        found = await self._calls.script("pauses", 0, *numbers)
        return {number: Pause(int(end), why.decode()) for number, (end, why) in zip(numbers, found, strict=True) if end}
