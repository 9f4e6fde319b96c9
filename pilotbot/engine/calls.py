"""Calls of Redis: scripts by their digest, plain commands; repeated through short absences, which scripts allow (safe to run twice)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from pilotbot.engine.batch import Argument, Batcher
from pilotbot.engine.embedded import RedisUnavailable
from pilotbot.engine.keys import base
from pilotbot.engine.scripts import script

T = TypeVar("T")


class Away(Exception):
    """Redis does not answer, or refuses to write: nothing was promised, try again later."""


# By these Redis says that it cannot write now, but may in a moment: those that redis-py has classes for, and the others.
AWAY = (RedisConnectionError, ReadOnlyError, OutOfMemoryError, ClusterDownError, TryAgainError, MasterDownError)
NOT_NOW = ("NOREPLICAS", "MISCONF")


class Calls:
    """Redis at one URL. `patience` is in seconds; `restore` is awaited before each new try, to bring an embedded server back."""

    def __init__(self, url: str | Callable[[], str], *, patience: float, restore: Callable[[], Awaitable[object]] | None) -> None:
        self._patience = patience
        self._restore = restore
        self._batch = Batcher(lambda: _unconnected(url if isinstance(url, str) else url()))

    @property
    def losses(self) -> int:
        """How often replies were lost, so that nobody knows what Redis did."""
        return self._batch.losses

    async def once(self, *command: Argument) -> Any:
        """A command that is not repeated. Raises what redis-py does."""
        return await self._batch.call(*command)

    async def command(self, *command: Argument) -> Any:
        """A command that may be run twice. Raises Away when patience is over."""
        return await self._persist(lambda: self._batch.call(*command))

    async def script_once(self, name: str, shard: int, *arguments: Argument) -> Any:
        """A script in a shard, not repeated."""
        wanted = script(name)
        try:
            return await self._batch.call("EVALSHA", wanted.sha, 1, base(shard), *arguments)
        except NoScriptError:  # Redis was restarted: tell it the script again
            return await self._batch.call("EVAL", wanted.source, 1, base(shard), *arguments)

    async def script(self, name: str, shard: int, *arguments: Argument) -> Any:
        """A script in a shard. Raises Away when patience is over."""
        return await self._persist(lambda: self.script_once(name, shard, *arguments))

    async def close(self) -> None:
        """Disconnect; later calls fail."""
        await self._batch.close()

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await attempt()
        except RedisError as error:
            if not _absent(error):
                raise
            problem: Exception = error
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        if self._restore is not None:
                            await self._restore()
                        return await attempt()
                    except (RedisError, RedisUnavailable) as error:
                        if not (isinstance(error, RedisUnavailable) or _absent(error)):
                            raise
                        problem = error
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Away(str(problem)) from problem


def _absent(error: RedisError) -> bool:
    """Whether an error means that Redis is away or cannot write now, and may be back in a moment."""
    return isinstance(error, AWAY) or str(error).startswith(NOT_NOW)


def _unconnected(url: str) -> AbstractConnection:
    """A connection that never retries by itself: what is safe to repeat, and for how long, is decided here."""
    pool = ConnectionPool.from_url(
        url, protocol=2, socket_timeout=10, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py leaves it unannotated
    return connection
