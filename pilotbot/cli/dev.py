"""`pilotbot dev`: sandbox and bot on this machine; the bot is a child process that is started anew when a file changes."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import typer
from watchfiles import Change, DefaultFilter, awatch

from pilotbot.cli import lifecycle, logs
from pilotbot.cli.failures import told
from pilotbot.cli.installation import claimed
from pilotbot.cli.local import caller, local_sandbox, mark_for, register
from pilotbot.engine.embedded import RedisServer
from pilotbot.target import directory

ENDINGS = (".py", ".yaml", ".yml")


@told()
def develop(target: str, data: Path, sandbox_port: int, port: int) -> None:
    """Serve sandbox and bot until a signal."""
    logs.set_up("INFO")
    with claimed(data):
        lifecycle.run(_dev(target, data, sandbox_port, port))


async def _dev(target: str, data: Path, sandbox_port: int, port: int) -> None:
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(local_sandbox(sandbox_port, data / "sandbox"))
        mark_for(sandbox, data)
        redis = await RedisServer.open(url=None, data_dir=data)  # ours, so that it stays up while the bot is started again
        stack.push_async_callback(redis.close)
        async with caller(sandbox) as client:
            await register(client, f"http://127.0.0.1:{port}/webhook")
        typer.echo(f"Open {sandbox.url} for the phone. Ctrl-C ends it; {data} keeps the data.")
        changes = await stack.enter_async_context(aclosing(awatch(*watched(target), watch_filter=Sources())))
        # -P: the working directory is the author's, and none of its files may stand for a module of ours.
        command = [sys.executable, "-P", "-m", "pilotbot", "run", target, "--port", str(port), "--dev", str(data)]
        while True:
            async with _child(command) as child:
                told_end = asyncio.create_task(_tell_end(child))
                try:
                    changed = await anext(changes)
                finally:
                    told_end.cancel()
            typer.echo(f"{_names(changed)} changed: starting again")


class Sources(DefaultFilter):
    """What a bot is made of; not what tools and environments keep beside it."""

    def __call__(self, change: Change, path: str) -> bool:
        """Whether a change counts."""
        return path.endswith(ENDINGS) and super().__call__(change, path)


def watched(target: str) -> list[Path]:
    """The directories whose changes count: the code's, and the flows beside it or here."""
    home = directory(target)
    flows = {place / "flows" for place in (home, home.parent, Path.cwd())}
    return [home, *sorted(place for place in flows if place.is_dir() and not place.is_relative_to(home))]


@asynccontextmanager
async def _child(command: list[str]) -> AsyncIterator[Process]:
    """The bot's process, ended with the block. It also ends by itself when we are gone, since its standard input does."""
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE)
    try:
        yield child
    finally:
        await lifecycle.end(child)


async def _tell_end(child: Process) -> None:
    """Say that the bot ended by itself; it has said why."""
    code = await child.wait()
    typer.echo(f"The bot ended with code {code}; it comes back with the next change.", err=True)


def _names(changed: set[tuple[Change, str]]) -> str:
    paths = sorted({Path(path) for _, path in changed})
    here = Path.cwd()
    return ", ".join(str(path.relative_to(here) if path.is_relative_to(here) else path) for path in paths)
