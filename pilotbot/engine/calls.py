"""Calls of Redis: scripts by their digest, plain commands; repeated through short absences, which scripts allow (safe to run twice)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
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
        self._restoring: asyncio.Future[object] | None = None
        self._estranged = ""
        self.came_back: Callable[[], Awaitable[None]] | None = None
        """Awaited where Redis turns out to have been restarted, before anything else is done on it."""
        self._batch = Batcher(lambda: _unconnected(url if isinstance(url, str) else url()))

    @property
    def losses(self) -> int:
        """How often replies were lost, so that nobody knows what Redis did."""
        return self._batch.losses

    async def once(self, *command: Argument) -> Any:
        """A command that is not repeated. Raises Away, and what else redis-py raises."""
        if self._estranged:
            raise Away(self._estranged)
        with _named():
            return await self._batch.call(*command)

    async def command(self, *command: Argument) -> Any:
        """A command that may be run twice. Raises Away when patience is over."""
        return await self._persist(lambda: self.once(*command))

    async def script_once(self, name: str, shard: int, *arguments: Argument) -> Any:
        """A script in a shard, not repeated."""
        wanted = script(name)
        try:
            return await self.once("EVALSHA", wanted.sha, 1, base(shard), *arguments)
        except NoScriptError:  # Redis was restarted: tell it the script again
            if self.came_back is not None:
                await self.came_back()
            return await self.once("EVAL", wanted.source, 1, base(shard), *arguments)

    async def script(self, name: str, shard: int, *arguments: Argument) -> Any:
        """A script in a shard. Raises Away when patience is over."""
        return await self._persist(lambda: self.script_once(name, shard, *arguments))

    def estrange(self, why: str) -> None:
        """Refuse everything from now on, as if Redis were away. Raises Away."""
        self._estranged = why
        raise Away(why)

    def abandon(self) -> None:
        """Send nothing more; later calls fail, without patience."""
        self._patience = 0.0
        self._batch.abandon()

    async def close(self) -> None:
        """Disconnect; later calls fail."""
        if self._restoring is not None:
            self._restoring.cancel()
            await asyncio.wait([self._restoring])
        await self._batch.close()

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        try:
            return await attempt()
        except Away as error:
            problem = error
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        await self._restored()
                        return await attempt()
                    except Away as error:
                        problem = error
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise problem from None

    async def _restored(self) -> None:
        """Wait for the embedded server to be back. A caller whose patience ends stops waiting; the server goes on starting."""
        if self._restore is None:
            return
        if self._restoring is None or self._restoring.done():
            self._restoring = asyncio.ensure_future(self._restore())
        try:
            await asyncio.shield(self._restoring)
        except RedisUnavailable as error:
            raise Away(str(error)) from error


@contextmanager
def _named() -> Iterator[None]:
    """Absences of Redis by one name."""
    try:
        yield
    except RedisError as error:
        if _absent(error):
            raise Away(str(error)) from error
        raise


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
