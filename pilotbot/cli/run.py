"""`pilotbot run`: a bot at work, until it is told to stop."""

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import typer

from pilotbot.bot import Bot
from pilotbot.cli import lifecycle, logs
from pilotbot.cli.check import examined
from pilotbot.cli.failures import port_taken, told
from pilotbot.cli.installation import of_the_platform, of_the_sandbox
from pilotbot.server import running
from pilotbot.settings import Settings, SettingsError, without_effect

log = logging.getLogger(__name__)


@told()
def run_bot(target: str, *, host: str | None, port: int | None, dev: Path | None) -> None:
    """Serve a bot until a signal; `dev` is the data directory of the `pilotbot dev` that this is a child of."""
    try:
        settings = of_the_platform(host=host, port=port) if dev is None else of_the_sandbox(dev, port=port)
    except SettingsError as error:
        raise SettingsError(f"{error}\nTo work without an account: pilotbot dev {target}") from None
    logs.set_up(settings.log_level)
    bot, doubts = examined(target)
    for line in (*without_effect(), *doubts):
        log.warning("%s", line)
    lifecycle.run(_serve(bot, settings, at_desk=dev is not None))


async def _serve(bot: Bot, settings: Settings, *, at_desk: bool) -> None:
    """Serve until cancelled. `at_desk`: a child of `dev`, which shows contacts' words, and ends with its parent."""
    async with AsyncExitStack() as stack:
        with port_taken(settings.host, settings.port, "--port"):
            await stack.enter_async_context(running(bot, settings, reveal=at_desk))
        typer.echo(f"{bot.name} listens on http://{settings.host}:{settings.port}/webhook")
        await (lifecycle.end_of_input() if at_desk else lifecycle.forever())
