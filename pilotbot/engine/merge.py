"""A chat moves into another one, when two addresses turn out to be one person's: many steps, each safe to repeat (design section 3.2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pilotbot.engine.batch import Argument
from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey
from pilotbot.engine.values import PutAside, Terms, put_aside

AT_ONCE: Final = 20
LISTS: Final = 6  # that a source gives a target

Rename = Callable[[str, str], str]
"""What a follow-up with an author's key is called in a chat: its name follows from both."""


@dataclass(frozen=True, slots=True)
class Move:
    """What is kept in `source` moves to `target`, whose contact is written to at `address`."""

    source: ChatKey
    target: ChatKey
    address: str


class Merges:
    """Moves of chats; a part of `Engine`. See merge.lua."""

    def __init__(self, calls: Calls, terms: Terms) -> None:
        self._calls = calls
        self._terms = terms

    async def open(self, move: Move) -> bool:
        """Begin a move. False where there is nothing to move: then all of it is done."""
        source = move.source
        return bool(await self._calls.script("merge", source.shard, "open", source.id, str(move.target), move.address))

    async def due(self, shard: int) -> list[Move]:
        """Moves that are not finished, the oldest first."""
        found = await self._calls.script("merge", shard, "due", AT_ONCE)
        return [Move(ChatKey(shard, c.decode()), ChatKey.parse(target.decode()), address.decode()) for c, target, address in found]

    async def go_on(self, move: Move, rename: Rename) -> tuple[bool, tuple[PutAside, ...]]:
        """Do what can be done of a move. Says whether its target waits for it no longer, and what was put aside."""
        source, target = move.source, move.target
        await self._calls.script("merge", target.shard, "wait", target.id, source.id, move.address, 0, *([0] * LISTS))
        busy, *lists, silenced = await self._calls.script("merge", source.shard, "look", source.id)
        *_, held, timers = lists
        lists[-1] = _renamed(timers, target.id, rename)
        arguments: list[Argument] = [target.id, source.id, move.address, self._terms.open_for, *map(len, lists)]
        for one in lists:
            arguments += one
        (notes,) = await self._calls.script("merge", target.shard, "wait" if busy else "take", *arguments)
        if not busy:
            await self._calls.script("merge", source.shard, "done", source.id, *held)
        return not busy, (*put_aside(source.shard, silenced), *put_aside(target.shard, notes))


def _renamed(timers: list[bytes], chat: str, rename: Rename) -> list[bytes]:
    """Follow-ups (name, due, payload, ...) as they are called in another chat; see timers.lua."""
    found = list(timers)
    for index in range(0, len(found), 3):
        label = found[index + 2].partition(b"\n")[0].decode().split("|", 3)[3]
        if label:
            found[index] = rename(chat, label).encode()
    return found
