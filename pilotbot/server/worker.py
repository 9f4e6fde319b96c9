"""Claims chats that have work and runs their turns: many chats at once, each chat one event after the other (design: claim)."""

import asyncio
from collections.abc import Awaitable, Callable

from pilotbot.engine import Claimed, Engine
from pilotbot.server.pool import Pool

IN_A_ROW = 50  # events of one chat under one lease, before others get their turn

RunTurn = Callable[[Claimed, bool], Awaitable[Claimed | None]]
"""Runs one turn to its commit. The flag says whether the chat's next event may be leased with it; that one is returned."""


class Worker(Pool[Claimed]):
    """Runs turns. `turns` is how many chats are worked on at the same time, `poll` the seconds between looks without a hint."""

    what = "mailbox"

    def __init__(self, engine: Engine, run_turn: RunTurn, *, turns: int = 64, poll: float = 0.25) -> None:
        super().__init__(engine, most=turns, poll=poll)
        self._run_turn = run_turn

    async def _claim(self, shard: int, most: int, *, reap: bool) -> list[Claimed]:
        return await self._engine.claim(shard, most, reap=reap)

    async def _work(self, lease: Claimed) -> None:
        task = asyncio.current_task()
        following: Claimed | None = lease
        for done in range(1, IN_A_ROW + 1):
            if following is None:
                return
            if self._stopping:
                await self._give_back(following)
                return
            if task is not None:
                self._tasks[task] = following
            following = await self._run_turn(following, done < IN_A_ROW and not self._stopping)
