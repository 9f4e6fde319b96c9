"""`pilotbot handover`: chats that people have; given to them and back to the bot, from another terminal or a tool of theirs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.cli.notify import check_phone
from pilotbot.cli.spans import span_of
from pilotbot.contacts import UNASKED, Human
from pilotbot.engine import Engine
from pilotbot.engine.handover import Held
from pilotbot.replies import DEFAULT
from pilotbot.server.outbox import LaneOutbox
from pilotbot.server.saying import Numbers
from pilotbot.settings import Settings
from pilotbot.testing.wording import printable

T = TypeVar("T")


@told()
def start(phone: str, *, queue: str, note: str, span: str | None, number: str | None, data: Path | None) -> None:
    """Give a chat to a person."""
    check_phone(phone)
    how_long = UNASKED.back_after if span is None else span_of("--for", span)
    new = _at_work(
        number, data, lambda engine, settings: _outbox(engine, settings).handover(phone, how_long, queue=queue, note=note, number=number)
    )
    typer.echo("a person has the chat now; the bot is silent there" if new else "a person has the chat already; this holds from now on")


@told()
def end(phone: str, number: str | None, data: Path | None) -> None:
    """Give a chat back to the bot; exit code 1 where the bot has it."""
    check_phone(phone)
    if not _at_work(number, data, lambda engine, settings: _outbox(engine, settings).hand_back(phone, number)):
        raise Failed("nothing was done: the bot has this chat; see `pilotbot handover list`")
    typer.echo("the bot has the chat again")


@told()
def show(queue: str | None, data: Path | None) -> None:
    """Print the chats that people have, a line each, the soonest to be over first."""
    found = _at_work(None, data, lambda engine, _: engine.handovers.all(engine.shards))
    lines = table([(held, human) for held in found if queue in {None, (human := Human.load(held.human)).queue}])
    for line in lines:
        typer.echo(line)
    if not lines:
        typer.echo("no person has a chat" if queue is None else f"no person has a chat of queue {queue!r}")


def table(found: list[tuple[Held, Human]]) -> list[str]:
    """Chats in columns; times are UTC. There is personal data in it."""
    if not found:
        return []
    rows = [("CHAT", "NUMBER", "QUEUE", "BY", "SINCE", "UNTIL", "NOTE")]
    for held, human in sorted(found, key=lambda one: one[1].until):
        who = printable(" ".join(f"{held.place.address} {held.name}".split()))  # what contacts call themselves, and their words
        note = printable(" ".join(human.note.split()))
        rows.append((who, held.place.number, human.queue or "-", human.by, _time(human.since), _time(human.until), note))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _outbox(engine: Engine, settings: Settings) -> LaneOutbox:
    return LaneOutbox(engine, Numbers(settings.numbers), policy=DEFAULT)


def _at_work(number: str | None, data: Path | None, work: Callable[[Engine, Settings], Awaitable[T]]) -> T:
    settings = at_hand(data)
    names = [one.name for one in settings.numbers]
    if number is not None and number not in names:
        raise Failed(f"no number is called {number!r}; configured: {', '.join(names)}")
    logs.set_up("WARNING")

    async def visit() -> T:
        async with engine_at_hand(settings) as (engine, _):
            try:
                return await work(engine, settings)
            except ValueError as error:  # no address, or a queue, note or span that is none
                raise Failed(str(error)) from None

    return asyncio.run(visit())


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
