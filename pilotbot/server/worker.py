"""Claims chats that have work and runs their turns: many chats at once, each chat one event after the other (design: claim)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError

from pilotbot.engine import Away, Claimed, Engine
from pilotbot.server.hints import Hints

log = logging.getLogger(__name__)

IN_A_ROW = 50  # events of one chat under one lease, before others get their turn

RunTurn = Callable[[Claimed, bool], Awaitable[Claimed | None]]
"""Runs one turn to its commit. The flag says whether the chat's next event may be leased with it; that one is returned."""


class Worker:
    """Runs turns. `turns` is how many chats are worked on at the same time, `poll` the seconds between looks without a hint."""

    def __init__(self, engine: Engine, run_turn: RunTurn, *, turns: int = 64, poll: float = 0.25) -> None:
        self._engine = engine
        self._run_turn = run_turn
        self._most = turns
        self._hints = Hints(engine.shards, poll)
        self._tasks: dict[asyncio.Task[None], Claimed] = {}
        self._doubtful = False
        self._stopping = False

    def wake(self, shard: int) -> None:
        """Say that a chat of this shard has work."""
        self._hints.add(shard)

    def leases(self) -> list[Claimed]:
        """The turns that run now, for renewal."""
        return list(self._tasks.values())

    def lost(self, tokens: set[str]) -> None:
        """End the turns whose lease is lost: somebody else runs them now, and what they did would be refused anyway."""
        for task, turn in list(self._tasks.items()):
            if turn.token in tokens:
                task.cancel()

    async def run(self) -> None:
        """Claim chats until cancelled or stopped."""
        while not self._stopping:
            if self._doubtful and not await self._heal():
                continue
            free = self._most - len(self._tasks)
            if shards := self._hints.take(free):
                try:
                    await self._claim(shards, free // len(shards))
                except (Away, RedisError) as error:
                    log.warning("the worker waits for Redis: %s", type(error).__name__)
                    self._doubtful = True
            if not self._hints or len(self._tasks) >= self._most:
                await self._hints.wait()

    async def _claim(self, shards: list[int], share: int) -> None:
        """Claim and start up to `share` chats of each shard."""
        for shard, claimed in zip(shards, await asyncio.gather(*(self._engine.claim(shard, share) for shard in shards)), strict=True):
            if len(claimed) == share:
                self._hints.add(shard)  # there may be more, after the other shards
            for turn in claimed if not self._stopping else ():  # what comes too late for a stop is given back with the rest
                self._start(turn)

    async def stop(self, grace: float) -> None:
        """Claim no more, and let the turns that run come to their commit, for at most `grace` seconds."""
        self._stopping = True
        self._hints.look()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in list(self._tasks):
            task.cancel()

    async def _heal(self) -> bool:
        """Redis was away: leases that nobody here works on, since a reply was lost or a commit gave up, are given back."""
        kept = [turn.token for turn in self._tasks.values()]
        try:
            await asyncio.gather(*(self._engine.let_go(shard, "mailbox", kept) for shard in range(self._engine.shards)))
        except (Away, RedisError):
            await asyncio.sleep(0.5)
            return False
        self._doubtful = False
        return True

    def _start(self, turn: Claimed) -> None:
        task = asyncio.create_task(self._chat(turn), name="pilotbot-turn")
        self._tasks[task] = turn
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._hints:
            self._hints.look()  # a place is free
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a turn stopped; its lease runs out and it is run again", exc_info=error)

    async def _chat(self, turn: Claimed) -> None:
        task = asyncio.current_task()
        following: Claimed | None = turn
        for done in range(1, IN_A_ROW + 1):
            if following is None or (done > 1 and self._stopping):
                return
            if task is not None:
                self._tasks[task] = following
            try:
                following = await self._run_turn(following, done < IN_A_ROW and not self._stopping)
            except Away:
                log.warning("a turn could not be committed, Redis is away; it is run again")
                self._doubtful = True
                return
