"""`pilotbot check`: a bot's local mistakes, found before it runs. `run` and `dev` refuse the same ones at their start."""

import typer

from pilotbot.bot import Bot
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.reading import read_bot
from pilotbot.settings import SettingsError, load_settings, without_effect
from pilotbot.target import load_bot


@told()
def check_bot(target: str) -> None:
    """Load a bot, check its wiring, its code and the settings, and list its handlers."""
    bot, doubts = examined(target)
    handlers = bot.handlers
    places = max((len(handler.where) for handler in handlers), default=0)
    names = max((len(handler.name) for handler in handlers), default=0)
    for handler in handlers:
        typer.echo(f"{handler.where:<{places}}  {handler.name:<{names}}  {handler.decorator}")
    doubts = [*doubts, *without_effect()]
    for doubt in doubts:
        typer.echo(f"warning: {doubt}")
    problems = settings_problems()
    if problems:
        raise Failed("the settings are not right:\n  " + "\n  ".join(problems))
    typer.echo(f"{bot.name}: {_counted(len(handlers), 'handler')}, {_counted(len(doubts), 'warning') if doubts else 'nothing wrong'}")


def examined(target: str) -> tuple[Bot, list[str]]:
    """The bot, and what is perhaps wrong with it, a line each.

    Raises:
        Failed: it cannot be loaded, or its code holds mistakes; lists all of them.
        WiringError: a handler asks for what it cannot be given.
    """
    bot = load_bot(target)
    bot.build()
    found = read_bot(bot)
    wrong = [str(finding) for finding in found if finding.sure]
    if wrong:
        raise Failed(f"{_counted(len(wrong), 'mistake')} in the code of the bot:\n  " + "\n  ".join(wrong))
    return bot, [str(finding) for finding in found]


def settings_problems() -> list[str]:
    """What is wrong with the settings; what is merely missing counts only where an API key is given."""
    try:
        load_settings()
    except SettingsError as error:
        doubts = without_effect()
        lines = [line for line in str(error).splitlines() if line not in doubts]
        given = not any(line.startswith("PILOTBOT_API_KEY: is not set") for line in lines)
        return [line for line in lines if given or " is not set" not in line]
    return []


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
