"""A TCP proxy that misbehaves when it is told to: between a bot and its Redis, between a caller and an HTTP server."""

import asyncio
import contextlib
import socket
import struct
from pathlib import Path
from typing import Literal, Self

Direction = Literal["up", "down"]  # to the server, to the client
Upstream = tuple[str, int] | Path

CHUNK = 1 << 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: closing sends RST


class Proxy:
    """Listens on loopback, `async with`, and passes bytes on to `upstream`: a host and port, or the path of a unix socket.

    Attributes:
        latency: seconds that each chunk waits, in both directions.
        slices: if set, bytes are passed on in slices of so many, with so many seconds between them.
        carried: bytes that were passed on in each direction.
        resets: connections that were reset on purpose.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.latency = 0.0
        self.slices: tuple[int, float] | None = None
        self.carried: dict[Direction, int] = {"up": 0, "down": 0}
        self.resets = 0
        self.port = 0
        self._upstream = upstream
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._limits: dict[Direction, int] = {}
        self._marker: bytes | None = None

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self.cut()
        await asyncio.gather(*(link.task for link in self._links), return_exceptions=True)

    # --- what can go wrong ------------------------------------------------------------------------------------------------------

    async def refuse(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        if self._server is not None:
            self._server.close()  # and no wait_closed: in Python 3.12 that waits for the connections too
            self._server = None
            await asyncio.sleep(0)  # the loop lets go of the listening socket

    async def accept(self) -> None:
        """Take connections (again), always at the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection that is open."""
        for link in list(self._links):
            self._reset(link)

    def blackhole(self) -> None:
        """Pass nothing on and say nothing: what comes is held back until `lift`."""
        self._open.clear()

    def lift(self) -> None:
        """End a black hole: what was held back arrives."""
        self._open.set()

    def reset_after(self, count: int, direction: Direction) -> None:
        """Reset the connection that carries the byte after the next `count` in a direction; these are passed on. Once."""
        self._limits[direction] = count

    def lose_reply(self, marker: bytes) -> None:
        """Pass the next request that holds `marker` on, and reset its connection when the reply begins. Once."""
        self._marker = marker

    # --- passing on -------------------------------------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = _Link(writer, task)
        self._links.add(link)
        try:
            await self._open.wait()
            far_reader, link.far = await self._reach()
            pumps = [
                asyncio.create_task(self._pump(link, reader, link.far, "up")),
                asyncio.create_task(self._pump(link, far_reader, writer, "down")),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, asyncio.CancelledError):  # the server is not there, or the connection was reset: the client is told by its end
            pass
        finally:
            self._links.discard(link)
            link.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(self._upstream)
        return await asyncio.open_connection(*self._upstream)

    async def _pump(self, link: "_Link", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.latency:
                    await asyncio.sleep(self.latency)
                await self._open.wait()
                if direction == "up" and self._marker is not None and self._marker in data:
                    self._marker, link.doomed = None, True
                elif direction == "down" and link.doomed:
                    self._reset(link)
                    return
                left = self._limits.get(direction)
                if left is not None and len(data) > left:
                    del self._limits[direction]
                    await self._write(writer, data[:left], direction)
                    self._reset(link)
                    return
                if left is not None:
                    self._limits[direction] = left - len(data)
                await self._write(writer, data, direction)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, direction: Direction) -> None:
        size, pause = self.slices or (CHUNK, 0.0)
        for start in range(0, len(data), size):
            if start and pause:
                await asyncio.sleep(pause)
            piece = data[start : start + size]
            writer.write(piece)
            await writer.drain()
            self.carried[direction] += len(piece)

    def _reset(self, link: "_Link") -> None:
        self.resets += 1
        link.reset()


class _Link:
    """One client's connection, and ours to the server."""

    def __init__(self, near: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.task = task
        self.doomed = False

    def reset(self) -> None:
        """End it with RST to both sides, so that nothing under way arrives."""
        for writer in (self.near, self.far):
            if writer is not None:
                found = writer.get_extra_info("socket")
                if found.family != socket.AF_UNIX:
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
        self.task.cancel()

    def close(self) -> None:
        for writer in (self.near, self.far):
            if writer is not None:
                writer.close()
