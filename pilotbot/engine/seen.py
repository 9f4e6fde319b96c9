"""Up to when a number's webhooks told us of messages, and whether its history is to be read for what they did not tell.

All of it is in Redis, one small hash a number: whoever saw the trouble may be gone when it is over, and of many processes one reads.
"""

from dataclasses import dataclass

from pilotbot.engine.calls import Calls

SHARD = 0
MINUTE = 60_000
OVERLAP = 5 * MINUTE  # a silence of more than that is looked at once it ends; as much is read again before the last that was seen
EVERY = 2 * MINUTE  # between two looks at one number's history
BACK = 7 * 24 * 60 * MINUTE  # no further than that: less than what dedupe remembers
CALM_MOST = 10 * MINUTE  # for what was refused, that long is waited for calm at most
LEASE = 60_000


@dataclass(frozen=True, slots=True)
class Look:
    """A history is to be read from `start` on (business ms), which is a little before `since`, what is wanted.

    `wants` is how often it was, when this look began at `now`.
    """

    start: int
    since: int
    wants: int
    now: int


class Seen:
    """The marks of all numbers, by their configured names; a part of `Engine`. Every method raises Away."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def saw(self, number: str, at: int) -> None:
        """A message that was written at `at` (ms) came by webhook. After a longer silence the history of it is wanted."""
        await self._calls.script("seen", SHARD, "saw", number, at, OVERLAP)

    async def want(self, number: str, *, delay: int = 0) -> bool:
        """Have the history read from the last message that was seen; `delay` ms after the last who said so. False where none was."""
        return bool(await self._calls.script("seen", SHARD, "want", number, delay, CALM_MOST))

    async def begin(self, number: str, owner: str) -> Look | None:
        """Take a look on, if one is due and nobody else is at it."""
        found = await self._calls.script("seen", SHARD, "begin", number, owner, LEASE, EVERY, OVERLAP, BACK)
        return Look(*map(int, found)) if found else None

    async def hold(self, number: str, owner: str, *, since: int | None = None) -> bool:
        """Go on with a look, all before `since` having been read. False where another process took it on meanwhile."""
        return bool(await self._calls.script("seen", SHARD, "hold", number, owner, LEASE, "" if since is None else since))

    async def done(
        self, number: str, owner: str, look: Look, *, since: int | None = None, newest: int | None = None, delay: int = 0
    ) -> None:  # fmt: skip
        """End a look: `since` is from when on there is a rest, to be read `delay` ms later; `newest` the time of the newest row."""
        rest, upto = ("" if at is None else at for at in (since, newest))
        await self._calls.script("seen", SHARD, "done", number, owner, look.wants, rest, upto, delay)
