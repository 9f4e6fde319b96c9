"""Pauses of a number, in all processes: while one lasts, no lane of that number is leased. And chats that are sent to slowly."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey

Cause = Literal["link", "health", "pace"]
"""What a number can be ill of, each for itself: its phone is away, WhatsApp blocks it, it is to write less."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A number pauses until then (business ms), and why."""

    until: int
    why: str

    def told(self) -> dict[str, str]:
        """As `/readyz` shows it."""
        ends = datetime.fromtimestamp(self.until / 1000, UTC)
        return {"paused": self.why, "until": ends.isoformat(timespec="seconds").replace("+00:00", "Z")}


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of a change of a number that was told of.

    `news`: it was otherwise before. `since` is when it came to be known so (business ms), 0 where it never was otherwise, or is since.
    """

    news: bool
    since: int


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

    async def down(self, number: str, at: int | None, look_after: int, why: str, *, cause: Cause = "link", change: str = "down") -> Turned:
        """A number does not send any more, since `at` (ms): in no process, until it is `up`, or a post that is tried after a while works.

        One is tried in `look_after` ms, then one a minute. `change` is a word for what happened, `why` is for people.
        """
        return await self._turned(number, at, change, (cause,), how_long=look_after, why=why)

    async def slow(self, number: str, at: int | None, how_long: int, *, change: str = "slow") -> Turned:
        """What a business begins on a number keeps a quarter of its pace, for `how_long` ms."""
        return await self._turned(number, at, change, ("pace",), how_long=how_long)

    async def up(self, number: str, at: int | None = None, causes: Sequence[Cause] = ("link", "health")) -> Turned:
        """A number is not ill of these any more, since `at` (ms): where it is of no other, what waits goes."""
        return await self._turned(number, at, "-", causes)

    async def _turned(
        self, number: str, at: int | None, change: str, causes: Sequence[Cause], *, how_long: int = 0, why: str = ""
    ) -> Turned:  # fmt: skip
        when = "" if at is None else at
        calls = (self._calls.script("number", shard, number, when, change, how_long, why, *causes) for shard in range(self.shards))
        told = await asyncio.gather(*calls)
        return Turned(news=any(int(news) > 0 for news, _ in told), since=int(told[0][1]))

    async def pauses(self, numbers: Sequence[str]) -> dict[str, Pause]:
        """Which of these numbers pause now."""
        found = await self._calls.script("pauses", 0, *numbers)
        return {number: Pause(int(end), why.decode()) for number, (end, why) in zip(numbers, found, strict=True) if end}
