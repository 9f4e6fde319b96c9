"""Working on what is leased: chats for the worker, lanes for the sender. One way to claim, to start, to renew, to heal and to stop."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, Literal, TypeVar

from pilotbot.engine import Away, ChatKey, Claimed, Engine, Lane
from pilotbot.server.hints import Hints

log = logging.getLogger(__name__)

PAUSE = 0.5  # seconds before another try after trouble
LETTING_GO = 1.0  # seconds that a task has to end once it is cancelled; an author's code may take no notice of that
L = TypeVar("L", Claimed, Lane)


class Pool(ABC, Generic[L]):
    """A bounded number of leases that this process works on, each in a task of its own.

    `what` names the kind of lease, `most` is how many at the same time, `poll` the seconds between looks at every shard.
    """

    what: Literal["mailbox", "lane"]

    def __init__(self, engine: Engine, *, most: int, poll: float) -> None:
        self._engine = engine
        self._most = most
        self._hints = Hints(engine.shards, poll)
        self._tasks: dict[asyncio.Task[None], L] = {}
        self._latest: dict[ChatKey, asyncio.Task[None]] = {}
        self._losses = engine.losses
        self._steady_since = time.monotonic()
        self._reserved = 0
        self._doubtful = False
        self._stopping = False
        self._claiming: asyncio.Task[None] | None = None

    @property
    def places(self) -> int:
        """How many more can be worked on."""
        return max(0, self._most - len(self._tasks) - self._reserved)

    def reserve(self) -> bool:
        """Keep a place for what may be leased elsewhere, if there is one; `release` it when that is known."""
        kept = self.places > 0
        self._reserved += kept
        return kept

    def release(self) -> None:
        """Give a reserved place back."""
        self._reserved -= 1

    @abstractmethod
    async def _claim(self, shard: int, most: int, *, reap: bool) -> list[L]:
        """Lease up to so many of a shard; `reap` takes back leases that ran out."""

    @abstractmethod
    async def _work(self, lease: L) -> None:
        """Work on a lease until it is settled or lost."""

    def wake(self, shard: int) -> None:
        """Say that this shard has work. Only a hint: what nobody tells of is found by polling."""
        self._hints.add(shard)

    def leases(self) -> list[L]:
        """What is worked on now."""
        return list(self._tasks.values())

    def lost(self, tokens: Iterable[str]) -> None:
        """End the work on leases that are lost: somebody else has them, and what is done here would be refused anyway."""
        gone = set(tokens)
        for task, lease in list(self._tasks.items()):
            if lease.token in gone:
                task.cancel()

    async def run(self) -> None:
        """Claim and start until stopped. No trouble ends this: it is logged, and work goes on when it is over."""
        self._claiming = asyncio.current_task()
        while not self._stopping:
            try:
                if self._doubtful or self._engine.losses != self._losses:
                    await self._heal()
                places = self.places
                if shards := self._hints.take(places):
                    await self._take(shards, places // len(shards))
            except Away:
                log.warning("the %s waits for Redis", type(self).__name__.lower())
                self._doubtful = True
            except Exception:
                log.exception("the %s met a defect; it goes on", type(self).__name__.lower())
                self._doubtful = True
            if self._doubtful:
                await asyncio.sleep(PAUSE)
            elif not self._hints or not self.places:
                await self._hints.wait()

    async def renew(self) -> None:
        """Prolong the leases that are worked on, and end the work on those that are lost."""
        leases, asked = self.leases(), time.monotonic()
        shards = {lease.key.shard for lease in leases}
        pairs = {shard: [(lease.key.id, lease.token) for lease in leases if lease.key.shard == shard] for shard in shards}
        lost = await asyncio.gather(
            *(
                self._engine.renew(shard, found, []) if self.what == "mailbox" else self._engine.renew(shard, [], found)
                for shard, found in pairs.items()
            )
        )
        gone = set().union(*lost)
        self._renewed([lease for lease in leases if lease.token not in gone], asked)
        self.lost(gone)

    def claim_no_more(self) -> None:
        """End the claims; what is worked on goes on."""
        self._stopping = True
        self._hints.look()

    async def stop(self, grace: float) -> None:
        """Claim no more, finish what is worked on within `grace` seconds, and end the rest."""
        self.claim_no_more()
        until = time.monotonic() + grace
        if self._claiming is not None:  # what a claim under way brings is seen to as well
            await asyncio.wait([self._claiming], timeout=grace)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(0.0, until - time.monotonic()))
        left = list(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=LETTING_GO)

    async def _take(self, shards: list[int], share: int) -> None:
        """Claim and start up to `share` of each shard."""
        # After an outage others need a moment to prolong what they work on, before it may be taken for lost.
        reap = time.monotonic() - self._steady_since >= self._engine.terms.lease / 3000
        claims = await asyncio.gather(*(self._claim(shard, share, reap=reap) for shard in shards))
        for shard, claimed in zip(shards, claims, strict=True):
            if len(claimed) == share:
                self._hints.add(shard)  # there may be more, after the other shards
            for lease in claimed:
                self._start(lease)

    def _start(self, lease: L) -> None:
        task = asyncio.create_task(self._alone(lease, self._latest.get(lease.key)), name=f"pilotbot-{self.what}")
        self._tasks[task] = lease
        self._latest[lease.key] = task
        task.add_done_callback(self._done)

    async def _alone(self, lease: L, before: asyncio.Task[None] | None) -> None:
        """Work on a lease, after the end of the task of the same chat that lost it."""
        if before is not None:
            before.cancel()
            await asyncio.wait([before])
        await self._work(lease)

    async def _heal(self) -> None:
        """A reply of Redis was lost: prolong what is worked on, give back what was leased to us and nobody here knows of."""
        losses = self._engine.losses
        await self.renew()
        kept = [lease.token for lease in self._tasks.values()]
        await asyncio.gather(*(self._engine.let_go(shard, self.what, kept) for shard in range(self._engine.shards)))
        self._losses, self._doubtful, self._steady_since = losses, False, time.monotonic()

    async def _give_back(self, lease: L) -> None:
        """Give back one lease that was not begun, without blame."""
        kept = [other.token for other in self._tasks.values() if other.token != lease.token]
        await self._engine.let_go(lease.key.shard, self.what, kept)

    def _renewed(self, leases: list[L], asked: float) -> None:
        """Take note of leases that were prolonged when it was `asked` (monotonic seconds)."""

    def _done(self, task: asyncio.Task[None]) -> None:
        lease = self._tasks.pop(task)
        if self._latest.get(lease.key) is task:
            del self._latest[lease.key]
        if self._hints:
            self._hints.look()  # a place is free
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._doubtful = True
        if isinstance(error, Away):
            log.warning("%s under way was given up, Redis is away; it is done again", "a turn" if self.what == "mailbox" else "a post")
        else:
            log.error("a %s met a defect; it is done again", self.what, exc_info=error)
