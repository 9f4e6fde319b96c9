"""`pilotbot dead`: events whose handler failed for good, and messages that could not be sent."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import orjson
import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.engine import Engine, Item, Letter
from pilotbot.settings import Settings

T = TypeVar("T")


@told()
def list_dead(most: int, data: Path | None) -> None:
    """Print the oldest dead letters, a line each."""
    for line in table(_with_engine(data, lambda engine: engine.dead_letters(most))):
        typer.echo(line)


@told()
def show_dead(name: str, data: Path | None) -> None:
    """Print a dead letter in full."""
    letter = _with_engine(data, lambda engine: engine.dead_letter(name))
    if letter is None:
        raise _unknown(name)
    typer.echo(described(letter))


@told()
def retry_dead(name: str, data: Path | None) -> None:
    """Put a dead letter back in its queue."""

    async def retry(engine: Engine) -> tuple[bool, Letter | None]:
        done = await engine.retry_dead(name)
        return done, None if done else await engine.dead_letter(name)

    done, left = _with_engine(data, retry)
    if left is not None:
        waits = "events wait to be handled in" if left.kind == "event" else "messages wait to be sent to"
        raise Failed(f"nothing was done: too many {waits} the chat of {name!r}, or the contact opted out; it stays a dead letter")
    if not done:
        raise _unknown(name)
    typer.echo(f"{name} is back in its queue")


@told()
def drop_dead(name: str, data: Path | None) -> None:
    """Forget a dead letter."""
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
    facts: dict[str, object] = {
        "time": _time(letter.at), "kind": letter.kind, "reason": letter.reason, "detail": letter.detail, "chat": letter.chat.id,
        "tries": letter.tries, "crashes": letter.crashes,
    }  # fmt: skip
    told = [f"{name + ':':<9}{value}" for name, value in facts.items() if value != 0]
    return "\n".join([*told, "", *([letter.trace] if letter.trace else []), *_payload(letter)])


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
    return Failed(f"nothing was done: there is no dead letter {name!r}; see `pilotbot dead list`")
