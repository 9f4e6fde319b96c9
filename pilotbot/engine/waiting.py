"""What waits on the way out and why: for a report, to be cancelled until it is delivered; and what a chat got lately."""

import asyncio
import time
from collections.abc import Sequence
from typing import Literal

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey, base
from pilotbot.engine.records import Record
from pilotbot.engine.values import HOUR

Taken = Literal["cancelled", "posted", "busy", "gone"]


async def lane_settles(calls: Calls, key: ChatKey, owner: str, patience: float) -> bool:
    """Wait until what a lane had under way for this owner is settled. False where it still is, after `patience` seconds."""
    until = time.monotonic() + patience
    while await calls.command("HGET", f"{base(key.shard)}:lane:owner", key.id) == owner.encode():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.005)
    return True


class Waiting:
    """Messages that are not there yet; a part of `Engine`."""

    _calls: Calls

    async def reported(self, record: Record) -> bool:
        """A message that leads others was sent, or failed: what waited for that may go. Returns whether something did."""
        if record.chat is None or record.item is None:
            raise ValueError("the record of a message that was not recorded yet leads nothing")
        return bool(await self._calls.script("reported", record.chat.shard, record.chat.id, record.item))

    async def cancel(self, chat: ChatKey, items: Sequence[str]) -> list[tuple[Taken, str]]:
        """Take messages back that were not posted yet. Says of each what became of it.

        `posted` to be delivered later, with the platform's id; `busy`, being posted right now by the lease with that token; `gone`: it was
        sent, or nobody knows of it.
        """
        reply = await self._calls.script("cancel", chat.shard, chat.id, *items)
        return [(what.decode(), more.decode()) for what, more in reply]

    async def cancelled(self, chat: ChatKey, item: str) -> None:
        """Remember that the platform cancelled a message that it was to deliver later."""
        await self.scheduled(chat, item, "", 7 * 24 * HOUR)

    async def recent(self, chat: ChatKey, since: int) -> int:
        """How many messages a chat got since then (business ms) that a cap counts."""
        return int(await self._calls.command("ZCOUNT", f"{base(chat.shard)}:recent:{chat.id}", f"({since}", "+inf"))

    async def scheduled(self, chat: ChatKey, item: str, platform_id: str, delay: int) -> None:
        """Remember what the platform calls a message that it delivers in `delay` ms, a day longer than that."""
        await self._calls.command("SET", f"{base(chat.shard)}:scheduled:{item[:16]}", platform_id, "PX", delay + 24 * HOUR)
