"""Follow-ups in Redis: set and forgotten from outside a turn, listed, and moved to their lanes when they are due (design section 3.12).

Within a turn the commit sets them. Moving is one step of one script, so that nobody needs a lease on a timer and none fires twice.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from pilotbot.engine.batch import Argument
from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey
from pilotbot.engine.values import Place, PutAside, Terms, Timer, Waits, put_aside

AT_ONCE = 100  # timers that one step moves, so that others get their turn


class Timers:
    """The follow-ups of all chats; a part of `Engine`."""

    def __init__(self, calls: Calls, terms: Terms) -> None:
        self._calls = calls
        self._terms = terms

    async def set(self, shard: int, timers: Sequence[tuple[Place, Timer]]) -> list[bool]:
        """Set timers of chats of one shard, or forget those without items. Says of each whether it was done.

        Not done: the chat has 50 already, or there was nothing to forget.
        """
        arguments: list[Argument] = []
        for place, group in groupby(timers, key=itemgetter(0)):  # those of one chat in a row share what is said of it
            ours = [timer for _, timer in group]
            arguments += (place.key.id, place.number, place.kind, place.address, len(ours))
            for timer in ours:
                arguments += (timer.name, timer.due if timer.items else "", timer.waits_since if timer.silence else "", timer.pack())
        return [bool(one) for one in await self._calls.script("arm", shard, *arguments)]

    async def of(self, key: ChatKey) -> list[Waits]:
        """What waits in a chat, the soonest first."""
        found, _ = await self._calls.script("armed", key.shard, key.id)
        return sorted((Waits.read(one) for one in found), key=lambda timer: timer.due)

    async def fire(self, shard: int) -> tuple[int, tuple[PutAside, ...]]:
        """Move what is due to its lanes, at most 100. Returns how many were due, and what was put aside."""
        due, notes = await self._calls.script("fire", shard, AT_ONCE, self._terms.open_for, self._terms.late_after)
        return int(due), put_aside(shard, notes)
