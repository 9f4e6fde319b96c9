"""One connection, many callers: all calls of a loop tick share one round trip.

Measured about five times cheaper a call than a pool with a connection each, and a pool starves under load. The connection is
redis-py's own (TLS, authentication, unix sockets); commands are packed (by hiredis, in C) and replies read on it by hand.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from hiredis import HiredisError, pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

Argument = str | bytes | int | float
MOST_AT_ONCE = 512


class Batcher:
    """Sends commands in the order of their calls over one connection.

    `connect` makes an unconnected redis-py connection. A lost connection fails every call that was under way with redis-py's
    ConnectionError: whether Redis did them is unknown, so callers repeat only what is safe to run twice. The next call connects again.
    """

    def __init__(self, connect: Callable[[], AbstractConnection]) -> None:
        self._connect = connect
        self._connection: AbstractConnection | None = None
        self._waiting: deque[tuple[tuple[Argument, ...], asyncio.Future[Any]]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self.losses = 0
        """How often replies were lost with their connection, so that nobody knows what Redis did."""

    def call(self, *command: Argument) -> asyncio.Future[Any]:
        """Queue a command. The future has the reply, or the error that Redis answered with, or a ConnectionError."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._closed:
            _fail([future], RedisConnectionError("closed"))
            return future
        self._waiting.append((command, future))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run(), name="pilotbot-redis")
        return future

    def abandon(self) -> None:
        """Send nothing more, from this very moment: what is under way is lost, as if the process had been killed."""
        self._closed = True
        if self._pump is not None:
            self._pump.cancel()

    async def close(self) -> None:
        """Drop the connection. Calls still waiting, and all later ones, fail with ConnectionError."""
        self._closed = True
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            await asyncio.wait([self._pump])
        _fail([future for _, future in self._waiting], RedisConnectionError("closed"))
        self._waiting.clear()
        await self._drop()

    async def _run(self) -> None:
        while self._waiting:
            futures: list[asyncio.Future[Any]] = []
            try:
                connection = await self._connected()
                packed = self._pack(futures)
                await connection.send_packed_command(packed)
                for future in futures:
                    reply = await _read(connection)
                    if not future.done():
                        if isinstance(reply, ResponseError):
                            future.set_exception(reply)
                        else:
                            future.set_result(reply)
            except (RedisError, OSError, TimeoutError) as error:
                await self._lose(futures, f"Redis is away: {error}")
            except BaseException:
                # Cancelled between a command and its reply: a connection left as it is would hand the reply to the next caller.
                await self._lose(futures, "closed")
                raise

    def _pack(self, futures: list[asyncio.Future[Any]]) -> list[bytes]:
        """Take what waits into one batch. A command whose caller has gone is not sent; one that cannot be packed fails alone."""
        packed: list[bytes] = []
        while self._waiting and len(futures) < MOST_AT_ONCE:
            command, future = self._waiting.popleft()
            if future.done():
                continue
            try:
                packed.append(pack_command(command))  # type: ignore[arg-type]  # its stub names a tuple of one
            except (HiredisError, TypeError, UnicodeError) as error:
                _fail([future], error)
            else:
                futures.append(future)
        return packed

    async def _lose(self, futures: list[asyncio.Future[Any]], why: str) -> None:
        """The connection is of no use any more. What waits while there is none waited in vain."""
        if self._connection is None:
            futures = [future for _, future in self._waiting]
            self._waiting.clear()
        self.losses += 1
        await self._drop()
        _fail(futures, RedisConnectionError(why))

    async def _connected(self) -> AbstractConnection:
        if self._connection is None:
            connection = self._connect()
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it unannotated
            self._connection = connection
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _read(connection: AbstractConnection) -> Any:
    """A reply, or the error that Redis gave as its reply: that one concerns its caller only."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _fail(futures: list[asyncio.Future[Any]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # seen: a caller that went away leaves no warning behind
