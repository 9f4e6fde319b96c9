"""`pilotbot check`: a bot's local mistakes, found before it runs."""

import typer

from pilotbot.cli.failures import Failed, told
from pilotbot.cli.target import load_bot
from pilotbot.settings import SettingsError, load_settings


@told()
def check_bot(target: str) -> None:
    """Load a bot, check its wiring and the settings, and list its handlers."""
    bot = load_bot(target)
    handlers = bot.build().handlers
    places = max((len(handler.where) for handler in handlers), default=0)
    names = max((len(handler.name) for handler in handlers), default=0)
    for handler in handlers:
        typer.echo(f"{handler.where:<{places}}  {handler.name:<{names}}  {handler.decorator}")
    problems = settings_problems()
    if problems:
        raise Failed("the settings are not right:\n  " + "\n  ".join(problems))
    count = len(handlers)
    typer.echo(f"{bot.name}: {count} {'handler' if count == 1 else 'handlers'}, nothing wrong")


def settings_problems() -> list[str]:
    """What is wrong with the settings; what is merely missing counts only where an API key is given."""
    try:
        load_settings()
    except SettingsError as error:
        lines = str(error).splitlines()
        given = not any(line.startswith("PILOTBOT_API_KEY: is not set") for line in lines)
        return [line for line in lines if given or " is not set" not in line]
    return []
