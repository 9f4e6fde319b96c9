"""The commands of those who look after a running bot, with their options and help. What a command does is in the module of its name.

Those modules are imported when their command is used, so that `pilotbot --help` is quick.
"""

# ruff: noqa: PLC0415 - see above

from typing import Annotated

import typer

from pilotbot.cli.options import BotData, LetterId, group

dead = group("Look after events and messages that failed for good.\n\nExample: pilotbot dead list")


@dead.command("list")
def list_letters(
    *,
    most: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Show so many at most, the oldest first.")] = 100,
    data: BotData = None,
) -> None:
    """List dead letters, without phone numbers and texts.

    Example: pilotbot dead list
    """
    from pilotbot.cli.dead import list_dead

    list_dead(most, data)


@dead.command("show")
def show_letter(name: LetterId, *, data: BotData = None) -> None:
    """Show all of a dead letter; there may be personal data in it.

    Example: pilotbot dead show 1c2f-7
    """
    from pilotbot.cli.dead import show_dead

    show_dead(name, data)


@dead.command("retry")
def retry_letter(name: LetterId, *, data: BotData = None) -> None:
    """Put a dead letter back, for the running bot to try again.

    Example: pilotbot dead retry 1c2f-7
    """
    from pilotbot.cli.dead import retry_dead

    retry_dead(name, data)


@dead.command("drop")
def drop_letter(name: LetterId, *, data: BotData = None) -> None:
    """Forget a dead letter.

    Example: pilotbot dead drop 1c2f-7
    """
    from pilotbot.cli.dead import drop_dead

    drop_dead(name, data)
