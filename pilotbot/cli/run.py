"""`pilotbot run`: a bot at work, until it is told to stop."""

import logging
import os
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import typer

from pilotbot.bot import Bot
from pilotbot.cli import lifecycle, logs, processes
from pilotbot.cli.check import examined
from pilotbot.cli.failures import port_taken, told
from pilotbot.cli.installation import of_the_platform, of_the_sandbox
from pilotbot.server import Role, Runtime, running
from pilotbot.settings import Settings, SettingsError, without_effect

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """What a process is a part of: `dev` is the data directory of the `pilotbot dev` that it is the child of; `child` of `--processes`,
    and then `fds` are the descriptors to listen on.
    """

    dev: Path | None = None
    child: bool = False
    fds: Sequence[int] = ()


@told()
def run_bot(target: str, *, host: str | None, port: int | None, count: int, role: Role, place: Place) -> None:
    """Serve a bot until a signal, in `count` processes."""
    try:
        settings = of_the_platform(host=host, port=port) if place.dev is None else of_the_sandbox(place.dev, port=port)
    except SettingsError as error:
        raise SettingsError(f"{error}\nTo work without an account: pilotbot dev {target}") from None
    logs.set_up(settings.log_level)
    if count > 1:
        given = {"--host": host, "--port": port, "--role": role}
        words = ["run", target, *(word for name, value in given.items() if value is not None for word in (name, str(value)))]
        lifecycle.run(processes.serve(settings, words, count, listens=role != "worker" or "port" in settings.model_fields_set))
        return
    bot, doubts = examined(target)
    for line in (*without_effect(), *doubts):
        log.warning("%s", line)
    lifecycle.run(_serve(bot, settings, role, place))


async def _serve(bot: Bot, settings: Settings, role: Role, place: Place) -> None:
    """Serve until cancelled, or until the process that this is a child of is gone. A child of `dev` shows contacts' words."""
    sockets = [socket.socket(fileno=fd) for fd in place.fds]
    async with AsyncExitStack() as stack:
        with port_taken(settings.host, settings.port, "--port"):
            work = running(bot, settings, role=role, sockets=sockets, reveal=place.dev is not None)
            runtime = await stack.enter_async_context(work)
        if place.child:
            os.write(0, b"\n")  # ready: see `processes`
        else:
            typer.echo(_told(bot, runtime))
        await (lifecycle.end_of_input() if place.child or place.dev is not None else lifecycle.forever())


def _told(bot: Bot, runtime: Runtime) -> str:
    if runtime.duties.webhooks:
        return f"{bot.name} listens on {runtime.url}/webhook"
    return f"{bot.name} works" + (f", and tells of its health on {runtime.url}/readyz" if runtime.url else "")
