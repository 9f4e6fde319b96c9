"""`pilotbot check`: a bot's local mistakes, found before it runs. `run` and `dev` refuse the same ones at their start."""

import asyncio
from pathlib import Path

import typer

from pilotbot.bot import Bot
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand
from pilotbot.cli.named import against_definitions, against_platform, named_templates
from pilotbot.cli.platform import listed, numbers_of
from pilotbot.cli.reading import Finding, read_bot
from pilotbot.server.templates import folder, read_folder
from pilotbot.settings import Settings, SettingsError, load_settings, without_effect
from pilotbot.target import load_bot


@told()
def check_bot(target: str, *, remote: bool, number: str | None, data: Path | None) -> None:
    """Load a bot, check its wiring, its code and the settings, and list its handlers; `remote`: and its templates at the platform."""
    bot, doubts = examined(target)
    if remote:
        doubts += checked_remotely(bot, at_hand(data), number)
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
        Failed: it cannot be loaded, or its code or the definitions of its templates hold mistakes; lists all of them.
        WiringError: a handler asks for what it cannot be given.
    """
    bot = load_bot(target)
    bot.build()
    settings = _settings()
    meta = settings is None or any(number.kind == "meta" for number in settings.numbers)
    catalogue, flaws = read_folder(folder(bot, settings.templates_dir if settings is not None else None), meta=meta)
    found = [*read_bot(bot), *(Finding(flaw.where, flaw.text, flaw.sure) for flaw in flaws)]
    return bot, _doubts([*found, *against_definitions(named_templates(bot), catalogue)], "in the code of the bot")


def checked_remotely(bot: Bot, settings: Settings, number: str | None) -> list[str]:
    """What is perhaps wrong with the bot's templates as the platform has them, a line each.

    Raises:
        Failed: one is missing there, cannot be sent or is not filled in; lists all of them. Or the platform does not answer.
    """
    catalogue, _ = read_folder(folder(bot, settings.templates_dir))
    named = named_templates(bot)
    found = [
        finding
        for one, infos in asyncio.run(listed(settings, numbers_of(settings, number)))
        for finding in against_platform(named, catalogue, infos, one.name, meta=one.kind == "meta")
    ]
    return _doubts(found, "in the bot's templates")


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


def _settings() -> Settings | None:
    try:
        return load_settings()
    except SettingsError:  # told where they matter
        return None


def _doubts(found: list[Finding], place: str) -> list[str]:
    """The findings that are not sure, a line each. Raises Failed with those that are."""
    wrong = [str(finding) for finding in found if finding.sure]
    if wrong:
        raise Failed(f"{_counted(len(wrong), 'mistake')} {place}:\n  " + "\n  ".join(wrong))
    return [str(finding) for finding in found]


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
