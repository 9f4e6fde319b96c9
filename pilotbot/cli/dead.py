"""`pilotbot dead`: events whose handler failed for good, and messages that could not be sent."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.cli.main import LOOKS
from pilotbot.cli.options import AnyDataOption
from pilotbot.engine import Engine, Item, Letter
from pilotbot.settings import Settings

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
    with told():
        for line in table(_with_engine(data, lambda engine: engine.dead_letters(most))):
            typer.echo(line)


@dead.command()
def show(name: IdArgument, *, data: AnyDataOption = None) -> None:
    """Show a dead letter with all that is in it; that may be personal data.

    Example: pilotbot dead show 1c2f-7
    """
    with told():
        letter = _with_engine(data, lambda engine: engine.dead_letter(name))
        if letter is None:
            raise _unknown(name)
        typer.echo(described(letter))


@dead.command()
def retry(name: IdArgument, *, data: AnyDataOption = None) -> None:
    """Put a dead letter back where it came from, to be tried again by the running bot.

    Example: pilotbot dead retry 1c2f-7
    """
    with told():
        if not _with_engine(data, lambda engine: engine.retry_dead(name)):
            raise _unknown(name)
        typer.echo(f"{name} is back in its queue")


@dead.command()
def drop(name: IdArgument, *, data: AnyDataOption = None) -> None:
    """Forget a dead letter.

    Example: pilotbot dead drop 1c2f-7
    """
    with told():
        if not _with_engine(data, lambda engine: engine.drop_dead(name)):
            raise _unknown(name)
        typer.echo(f"{name} is forgotten")


def table(letters: Sequence[Letter]) -> list[str]:
    """Dead letters in columns, without anything that a contact wrote or is called by."""
    if not letters:
        return ["no dead letters"]
    rows = [("ID", "TIME", "KIND", "REASON", "CHAT")]
    rows += [(letter.id, _time(letter.at), letter.kind, letter.reason, letter.chat.id) for letter in letters]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def described(letter: Letter) -> str:
    """A dead letter in full."""
    facts = {"time": _time(letter.at), "kind": letter.kind, "reason": letter.reason, "detail": letter.detail, "chat": letter.chat.id}
    return "\n".join([*(f"{name + ':':<8}{value}" for name, value in facts.items()), "", *_payload(letter)])


def _payload(letter: Letter) -> list[str]:
    """What was to be handled, or the variants of what was to be sent."""
    stored = letter.payload.encode("utf-8", "surrogatepass")
    if letter.kind == "event":
        return [_pretty(stored)]
    item = Item.unpack(stored)
    variants = {"in an open window": item.free, "as a template": item.template}
    return [f"{name}:\n{_pretty(body)}" for name, body in variants.items() if body]


def _pretty(body: bytes) -> str:
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _with_engine(data: Path | None, work: Callable[[Engine], Awaitable[T]]) -> T:
    async def visit(settings: Settings) -> T:
        async with engine_at_hand(settings) as (engine, _):
            return await work(engine)

    settings = at_hand(data)
    logs.set_up("WARNING")
    return asyncio.run(visit(settings))


def _unknown(name: str) -> Failed:
    return Failed(f"nothing was done: there is no dead letter {name!r}, or its queue is full; see `pilotbot dead list`")
