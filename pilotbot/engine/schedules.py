"""What is known of a bot's schedules: of each by its name, when it is due next, and whether it rests.

It is changed by comparing: who read something older than what is there changes nothing. A run is taken in by `Engine.accept` before
its schedule moves on, so that no lease is needed: whoever is killed between the two, or does it at the same time as another process,
has it taken in twice under one id, which is once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson

from pilotbot.engine.calls import Calls

SHARD = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A schedule as it is stored. Times are business milliseconds.

    `definition` is the text of its times, by which a change is seen; `next` the next time, None where nobody has found it yet or there
    is none; `last` the time of the last run that was taken in; `at` when this was written.
    """

    definition: str
    next: int | None
    at: int
    paused: bool = False
    last: int | None = None
    raw: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def read(cls, raw: bytes) -> "Stored":
        """Read what `pack` wrote."""
        data = orjson.loads(raw)
        return cls(
            definition=data["definition"], next=data["next"], at=data["at"], paused=data["paused"], last=data["last"], raw=raw
        )  # fmt: skip

    def pack(self) -> bytes:
        """As it is stored."""
        return orjson.dumps({"definition": self.definition, "next": self.next, "at": self.at, "paused": self.paused, "last": self.last})


class Schedules:
    """The schedules of an installation, all in one shard: there are few of them, however many chats there are."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def all(self) -> tuple[int, dict[str, Stored]]:
        """Business time, and every schedule that is known, by name. Raises Away."""
        now, flat = await self._calls.script("schedule", SHARD, "all")
        return int(now), {flat[i].decode(): Stored.read(flat[i + 1]) for i in range(0, len(flat), 2)}

    async def move(self, name: str, before: Stored | None, after: Stored | None) -> bool:
        """Put `after` in the place of `before` (None: it is not there), unless something else is there by now. Raises Away.

        Returns whether `after` is what is there now.
        """
        was, is_now = (stored.raw or stored.pack() if stored is not None else b"" for stored in (before, after))
        return bool(await self._calls.script("schedule", SHARD, "move", name, was, is_now))

    async def pause(self, name: str) -> bool:
        """Have no run of a schedule taken in until `resume`. False where none has this name. Raises Away."""
        return await self._change(name, lambda stored, now: replace(stored, paused=True, at=now, raw=b""))

    async def resume(self, name: str) -> bool:
        """Go on with a paused schedule, from the first time after now. False where none has this name. Raises Away."""

        def gone_on(stored: Stored, now: int) -> Stored:
            return replace(stored, paused=False, next=None, at=now, raw=b"") if stored.paused else stored

        return await self._change(name, gone_on)

    async def _change(self, name: str, change: Callable[[Stored, int], Stored]) -> bool:
        while True:
            now, known = await self.all()
            stored = known.get(name)
            if stored is None or await self.move(name, stored, change(stored, now)):
                return stored is not None
