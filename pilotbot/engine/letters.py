"""Dead letters: events whose handler failed for good, messages that could not be sent; kept for a person to look at and to put back."""

import asyncio
from typing import Any

import orjson

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey
from pilotbot.engine.values import Claimed, Lane, Letter, Settled, Terms, put_aside


class DeadLetters:
    """The dead letters of all shards; a part of `Engine`."""

    shards: int
    terms: Terms
    _calls: Calls

    async def bury(self, turn: Claimed, *, reason: str, detail: str, keep: bool, tries: int = 0, trace: str = "") -> Settled:
        """Put a turn's event with the dead letters; its chat goes on. `tries` is how often it was run, `trace` where that failed."""
        letter = {
            "kind": "event", "chat": turn.key.id, "reason": reason, "detail": sound(detail), "at": turn.now, "mark": turn.mark,
            "message": turn.message, "payload": turn.body.decode("utf-8", "replace"), "tries": tries, "crashes": turn.crashes,
            "trace": sound(trace),
            "place": {name: turn.fields[name].decode() for name in ("number", "kind", "address") if name in turn.fields},
        }  # fmt: skip
        name = f"{turn.key.id}-{int(turn.seq)}"
        reply = await self._calls.script(
            "fail", turn.key.shard, turn.key.id, turn.token, turn.seq, turn.score, "dead", 0, name, orjson.dumps(letter), int(keep),
            self.terms.lease, self.terms.open_for,
        )  # fmt: skip
        return self._settled(turn.key.shard, [*reply[:2], False, reply[2]])

    def _settled(self, shard: int, reply: list[Any]) -> Settled:
        outcome, following, lane, notes = reply
        return Settled(
            outcome.decode(), Claimed.read(shard, following) if following else None, Lane.read(shard, lane) if lane else None,
            put_aside(shard, notes),
        )  # fmt: skip

    async def blame(self, turn: Claimed, *, is_to: bool) -> bool:
        """Say whether the loss of this process would be counted as the fault of an event. False where its lease is lost."""
        return bool(await self._calls.script("blame", turn.key.shard, turn.key.id, turn.token, turn.seq, int(is_to)))

    async def dead_letters(self, most: int = 100) -> list[Letter]:
        """The oldest dead letters of all shards, by time."""
        shards = await asyncio.gather(*(self._calls.script("dead", shard, "list", most) for shard in range(self.shards)))
        letters = [letter_of(shard, *one) for shard, found in enumerate(shards) for one in found]
        return sorted(letters, key=lambda letter: letter.at)[:most]

    async def dead_letter(self, name: str) -> Letter | None:
        """A dead letter by its id, or None."""
        shards = await asyncio.gather(*(self._calls.script("dead", shard, "show", name) for shard in range(self.shards)))
        return next((letter_of(shard, *found) for shard, found in enumerate(shards) if found), None)

    async def retry_dead(self, name: str) -> bool:
        """Put a dead letter back where it came from. False where there is none, or its mailbox or lane is full: then it stays."""
        calls = (self._calls.script_once("dead", shard, "retry", name, self.terms.depth) for shard in range(self.shards))
        return any(await asyncio.gather(*calls))

    async def drop_dead(self, name: str) -> bool:
        """Forget a dead letter. False where there is none."""
        return any(await asyncio.gather(*(self._calls.script_once("dead", shard, "drop", name) for shard in range(self.shards))))


def letter_of(shard: int, name: bytes, at: bytes, text: bytes) -> Letter:
    """A dead letter as it is stored."""
    data = orjson.loads(text)
    return Letter(
        name.decode(), int(float(at)), data["kind"], ChatKey(shard, data["chat"]), data["reason"], data["detail"], data["payload"],
        tries=data.get("tries", 0), crashes=data.get("crashes", 0), trace=data.get("trace", ""),  # earlier versions stored none
    )  # fmt: skip


def sound(text: str) -> str:
    """Text as JSON can hold it: halves of characters, which file names may have, are replaced."""
    return text.encode("utf-8", "replace").decode()
