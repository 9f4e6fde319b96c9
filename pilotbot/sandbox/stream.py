"""Server-sent events for the phone page: every change, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
from aiohttp import web

from pilotbot.sandbox.records import Json

KEEP_ALIVE_S = 15.0
MAX_BEHIND = 10_000


class Stream:
    """Hands changes to everybody who listens; a listener too far behind is let go, to reload."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[bytes | None]] = set()

    def publish(self, make: Callable[[], Json]) -> None:
        """Tell all listeners; `make` is called only if there is one."""
        if not self._listeners:
            return
        line = b"data: " + orjson.dumps(make()) + b"\n\n"
        for queue in tuple(self._listeners):
            if queue.qsize() < MAX_BEHIND:
                queue.put_nowait(line)
            else:
                self._let_go(queue)

    def close(self) -> None:
        """End all streams."""
        for queue in tuple(self._listeners):
            self._let_go(queue)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer ``GET /sandbox/stream`` until the listener leaves or the sandbox stops."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"})
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            await response.prepare(request)
            await response.write(b": connected\n\n")
            while True:
                line = await _next(queue)
                if line is None:
                    break
                await response.write(line)
        except ConnectionError:
            pass  # the listener left: nothing to tell it
        finally:
            self._listeners.discard(queue)
        return response

    def _let_go(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._listeners.discard(queue)
        queue.put_nowait(None)


async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            return await queue.get()
    except TimeoutError:
        return b": keep-alive\n\n"
