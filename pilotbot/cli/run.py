"""`pilotbot run`: a bot at work, until it is told to stop."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from pilotbot.bot import Bot
from pilotbot.cli import lifecycle, logs
from pilotbot.cli.failures import port_taken, told
from pilotbot.cli.installation import of_the_platform, of_the_sandbox
from pilotbot.cli.options import TargetArgument
from pilotbot.cli.target import load_bot
from pilotbot.server import running
from pilotbot.settings import Settings


def run(
    target: TargetArgument,
    *,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Listen on this address, in place of PILOTBOT_HOST.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=1, max=65_535, help="Listen on this port, in place of PILOTBOT_PORT.", show_default=False),
    ] = None,
    dev: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run a bot: answer webhooks, send, see to what is due.

    Settings come from the environment (PILOTBOT_...) and from .env. SIGTERM and Ctrl-C let it finish what is under way.

    Example: pilotbot run bots/orders.py
    """
    with told():
        settings = of_the_platform(host=host, port=port) if dev is None else of_the_sandbox(dev, port=port)
        logs.set_up(settings.log_level)
        lifecycle.run(_serve(load_bot(target), settings, at_desk=dev is not None))


async def _serve(bot: Bot, settings: Settings, *, at_desk: bool) -> None:
    """Serve until cancelled. `at_desk`: a child of `dev`, which shows contacts' words, and ends with its parent."""
    async with AsyncExitStack() as stack:
        with port_taken(settings.host, settings.port, "--port"):
            await stack.enter_async_context(running(bot, settings, reveal=at_desk))
        typer.echo(f"{bot.name} listens on http://{settings.host}:{settings.port}/webhook")
        await (lifecycle.end_of_input() if at_desk else lifecycle.forever())
