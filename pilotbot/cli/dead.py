"""`pilotbot dead`: events whose handler failed for good, and messages that could not be sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand
from pilotbot.cli.main import LOOKS
from pilotbot.cli.options import AnyDataOption
from pilotbot.cli.redis import engine_at_hand
from pilotbot.engine import Engine, Item, Letter

T = TypeVar("T")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `pilotbot dead list` shows it.", show_default=False)]

dead = typer.Typer(
    name="dead",
    no_args_is_help=True,
    help="Look after dead letters: events and messages that failed for good.\n\nExample: pilotbot dead list",
    **LOOKS,
)


@dead.command("list")
def list_(
    *,
    most: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Show so many at most, the oldest first.")] = 100,
    data: AnyDataOption = None,
) -> None:
    """List dead letters: id, time, kind, reason and chat; no phone number and no text.

    Example: pilotbot dead list
    """
    letters = _with_engine(data, lambda engine: engine.dead_letters(most))
    for line in table(letters):
        typer.echo(line)


@dead.command()
def show(name: IdArgument, *, data: AnyDataOption = None) -> None:
    """Show a dead letter with all that is in it; that may be personal data.

    Example: pilotbot dead show 1c2f-7
    """
    letter = _with_engine(data, lambda engine: engine.dead_letter(name))
    if letter is None:
        raise _unknown(name)
    typer.echo(described(letter))


@dead.command()
def retry(name: IdArgument, *, data: AnyDataOption = None) -> None:
    """Put a dead letter back where it came from, to be tried again by the running bot.

    Example: pilotbot dead retry 1c2f-7
    """
    if not _with_engine(data, lambda engine: engine.retry_dead(name)):
        raise _unknown(name)
    typer.echo(f"{name} is back in its queue")


@dead.command()
def drop(name: IdArgument, *, data: AnyDataOption = None) -> None:
    """Forget a dead letter.

    Example: pilotbot dead drop 1c2f-7
    """
    if not _with_engine(data, lambda engine: engine.drop_dead(name)):
        raise _unknown(name)
    typer.echo(f"{name} is forgotten")
