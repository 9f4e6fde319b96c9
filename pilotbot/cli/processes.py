"""`pilotbot run --processes N`: a parent that keeps N children at work on one socket, and replaces them one by one at a SIGHUP.

Children are started anew, never forked: a fork would hold the lock of the embedded Redis, which is the parent's. A child's standard input
is a socket to its parent: it says there that it is ready, and ends when the other end is gone, however the parent ended.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import typer

from pilotbot.cli import lifecycle
from pilotbot.cli.failures import Failed, port_taken
from pilotbot.engine.embedded import RedisServer, RedisUnavailable
from pilotbot.server.runtime import open_redis
from pilotbot.settings import Settings

log = logging.getLogger(__name__)

START_PATIENCE = 60.0  # seconds that a child has to be ready
STEADY = 60.0  # seconds after which the end of a child is not held against the next
LONGEST_WAIT = 30.0  # seconds before a child that keeps ending is started again
REDIS_LOOKS = 1.0  # seconds between looks at the embedded Redis, whose lock is ours, so that nobody else can start it again


class NotStarted(Exception):
    """A child ended before it was ready, having said why; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a process ended with code {code} before it was ready")
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A process that works, our end of its standard input, and since when (monotonic seconds) it is ready."""

    process: Process
    channel: socket.socket
    since: float


def waiting(falls: int) -> float:
    """Seconds before a child is started again that ended `falls` times in a row, 1 at least, without having been steady."""
    return min(0.5 * 2.0 ** (falls - 1), LONGEST_WAIT)


async def serve(settings: Settings, words: Sequence[str], processes: int, *, listens: bool) -> None:
    """Keep children at work until cancelled. `words` are their command's, after `pilotbot`; `listens`: on the settings' address.

    Raises:
        typer.Exit: they do not start; they have said why.
        Failed: the address is taken, or this system has no such processes.
        RedisUnavailable: as `RedisServer.open`.
    """
    if sys.platform == "win32":
        raise Failed("several processes on one socket need Linux or macOS: start without --processes, or several with a --port each")
    async with AsyncExitStack() as stack:
        sockets = _listening(settings.host, settings.port) if listens else []
        for each in sockets:
            stack.enter_context(each)
        redis = await open_redis(settings)  # ours, so that it stays up while children come and go
        stack.push_async_callback(redis.close)
        fds = [each.fileno() for each in sockets]
        # -P: the working directory is the author's, and none of its files may stand for a module of ours.
        command = [sys.executable, "-P", "-m", "pilotbot", *words, "--child", *(word for fd in fds for word in ("--fd", str(fd)))]
        family = Family(command, fds, processes)
        stack.push_async_callback(family.end)
        for each in sockets:
            stack.callback(each.close)  # first of all: who connects during the stop is refused, and does not wait for it
        try:
            await family.start()
        except NotStarted as error:
            raise typer.Exit(max(error.code, 1)) from None
        where = f", and listen on http://{settings.host}:{sockets[0].getsockname()[1]}" if sockets else ""
        typer.echo(f"{processes} processes work{where}")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_look_after(redis))
            tasks.create_task(family.keep())


class Family:
    """The children: `count` places, each with one that works. All of them have the descriptors `fds`."""

    def __init__(self, command: Sequence[str], fds: Sequence[int], count: int) -> None:
        self._command = command
        self._fds = fds
        self._count = count
        self._places: list[Child] = []
        self._alive: set[Process] = set()
        self._asked = asyncio.Event()

    async def start(self) -> None:
        """Fill all places. The first is filled alone: what keeps a bot from starting is said once.

        Raises:
            NotStarted: a child ended before it was ready.
        """
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _hung_up, self._asked, os.isatty(0))
        self._places = [await self._child()]
        while len(self._places) < self._count:
            self._places.append(await self._child())

    async def keep(self) -> None:
        """Start again what ends by itself, and at a SIGHUP all, one by one; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for place in range(self._count):
                tasks.create_task(self._fill(place))
            while True:
                await self._asked.wait()
                self._asked.clear()
                await self._replace_all()

    async def end(self) -> None:
        """End all children, each with what is under way in it finished."""
        await asyncio.gather(*(lifecycle.end(process) for process in self._alive))

    async def _fill(self, place: int) -> None:
        """Put another child into a place whose child ended by itself, again and again."""
        falls = 0
        while True:
            child = self._places[place]
            code = await child.process.wait()
            falls = falls if _now() - child.since < STEADY else 0
            while self._places[place] is child:  # else it was replaced
                falls += 1
                log.error("process %d ended with code %d; another is started in %.1f s", child.process.pid, code, waiting(falls))
                await asyncio.sleep(waiting(falls))
                with suppress(NotStarted):
                    await self._put(place, await self._child(), instead_of=child)

    async def _replace_all(self) -> None:
        """A new child for each place in turn; the old one ends when the new one is ready."""
        log.info("all processes are replaced, one by one")
        for place in range(self._count):
            try:
                await self._put(place, await self._child())
            except NotStarted as error:
                log.error("%s; those that work go on", error)  # noqa: TRY400 - told, not traced
                return
        log.info("all processes are replaced")

    async def _put(self, place: int, child: Child, *, instead_of: Child | None = None) -> None:
        """Put a child into a place and end the one before; if that is not `instead_of`, somebody was quicker, and the new one ends."""
        before = self._places[place]
        if instead_of is None or before is instead_of:
            self._places[place], child = child, before
        await self._end(child.process)
        child.channel.close()

    async def _child(self) -> Child:
        """A new child that is ready. Raises NotStarted."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=theirs.fileno(), pass_fds=self._fds, start_new_session=True
                )
            self._alive.add(process)
            if not await self._ready(ours):
                raise NotStarted(await self._end(process))
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError):  # such as too little memory
                log.error("a process could not be started: %s", error.strerror)  # noqa: TRY400 - told, not traced
                raise NotStarted(1) from None
            raise
        return Child(process, ours, _now())

    async def _ready(self, channel: socket.socket) -> bool:
        """Whether the child at the other end comes to be ready."""
        try:
            async with asyncio.timeout(START_PATIENCE):
                return await asyncio.get_running_loop().sock_recv(channel, 1) != b""
        except TimeoutError:
            log.error("a process was not ready within %.0f s", START_PATIENCE)  # noqa: TRY400 - told, not traced
            return False

    async def _end(self, process: Process) -> int:
        code = await lifecycle.end(process)
        self._alive.discard(process)
        return code


async def _look_after(redis: RedisServer) -> None:
    """Start the embedded Redis again where it ended."""
    while True:
        await asyncio.sleep(REDIS_LOOKS)
        try:
            await redis.ensure()
        except RedisUnavailable as error:
            log.error("%s", error)  # noqa: TRY400 - told, not traced


def _listening(host: str, port: int) -> list[socket.socket]:
    """Sockets on all addresses of a host. Raises Failed where they cannot be had."""
    with port_taken(host, port, "--port"):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [socket.create_server(address[:2], family=family) for family, _, _, _, address in found]


def _hung_up(asked: asyncio.Event, had_terminal: bool) -> None:
    """A SIGHUP asks for new processes; but the end of our terminal, which sends one as well, is the end."""
    if had_terminal and not os.isatty(0):
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        asked.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
