"""Where there may be work: the shards that worker and sender look at next. Only hints: what nobody told of is found by polling."""

import asyncio
import time


class Hints:
    """The shards that may have work, in the order of the hints, so that a busy one does not keep the others waiting.

    `shards` is how many there are; every `poll` seconds all of them may have some, however many hints there are for one of them.
    """

    def __init__(self, shards: int, poll: float) -> None:
        self._all = range(shards)
        self._poll = poll
        self._due = dict.fromkeys(self._all)
        self._look_everywhere = time.monotonic() + poll
        self._news = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._due)

    def add(self, shard: int) -> None:
        """Say that this shard has work."""
        self._due[shard] = None
        self._news.set()

    def look(self) -> None:
        """End the wait: there is place for work again, or nothing to wait for any more."""
        self._news.set()

    def take(self, most: int) -> list[int]:
        """The next shards to look at, at most so many; they are not due any more."""
        if time.monotonic() >= self._look_everywhere:
            self._look_everywhere = time.monotonic() + self._poll
            self._due |= dict.fromkeys(self._all)
        taken = list(self._due)[: max(most, 0)]
        for shard in taken:
            del self._due[shard]
        return taken

    async def wait(self) -> None:
        """Wait for a hint, or until it is time to look everywhere."""
        try:
            await asyncio.wait_for(self._news.wait(), max(0.0, self._look_everywhere - time.monotonic()))
        except TimeoutError:
            return
        self._news.clear()
