"""Dead letters: events whose handler failed for good, messages that could not be sent; kept for a person to look at and to put back."""

import asyncio

import orjson

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey
from pilotbot.engine.values import Claimed, Letter, Terms


class DeadLetters:
    """The dead letters of all shards; a part of `Engine`."""

    shards: int
    terms: Terms
    _calls: Calls

    async def blame(self, turn: Claimed, *, is_to: bool) -> bool:
        """Say whether the loss of this process would be counted as the fault of an event. False where its lease is lost."""
        return bool(await self._calls.script("blame", turn.key.shard, turn.key.id, turn.token, turn.seq, int(is_to)))

    async def dead_letters(self, most: int = 100) -> list[Letter]:
        """The oldest dead letters of all shards, by time."""
        shards = await asyncio.gather(*(self._calls.script("dead", shard, "list", most) for shard in range(self.shards)))
        letters = [_letter(shard, *one) for shard, found in enumerate(shards) for one in found]
        return sorted(letters, key=lambda letter: letter.at)[:most]

    async def dead_letter(self, name: str) -> Letter | None:
        """A dead letter by its id, or None."""
        shards = await asyncio.gather(*(self._calls.script("dead", shard, "show", name) for shard in range(self.shards)))
        return next((_letter(shard, *found) for shard, found in enumerate(shards) if found), None)

    async def retry_dead(self, name: str) -> bool:
        """Put a dead letter back where it came from. False where there is none, or its mailbox or lane is full: then it stays."""
        calls = (self._calls.script_once("dead", shard, "retry", name, self.terms.depth) for shard in range(self.shards))
        return any(await asyncio.gather(*calls))

    async def drop_dead(self, name: str) -> bool:
        """Forget a dead letter. False where there is none."""
        return any(await asyncio.gather(*(self._calls.script_once("dead", shard, "drop", name) for shard in range(self.shards))))


def _letter(shard: int, name: bytes, at: bytes, text: bytes) -> Letter:
    data = orjson.loads(text)
    return Letter(
        name.decode(), int(float(at)), data["kind"], ChatKey(shard, data["chat"]), data["reason"], data["detail"], data["payload"],
        tries=data.get("tries", 0), crashes=data.get("crashes", 0), trace=data.get("trace", ""),  # earlier versions stored none
    )  # fmt: skip
