"""`pilotbot schedule`: what a bot does at its times, when it does so next; an extra run, a pause."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.engine import Engine
from pilotbot.engine.schedules import Stored
from pilotbot.schedule import Run, Schedule, upcoming, zone_of
from pilotbot.server.schedules import take_in
from pilotbot.settings import Settings
from pilotbot.target import load_bot

T = TypeVar("T")
NOBODY_AT_WORK = "No bot is running on this data directory; it counts when one is."


@told()
def list_schedules(data: Path | None) -> None:
    """Print what is known of every schedule, a line each."""
    (_, known), _ = _with_engine(data, lambda engine: engine.schedules.all())
    for line in table(known):
        typer.echo(line)


@told()
def show_next(target: str, most: int) -> None:
    """Print the coming times of a bot's schedules, each in its zone."""
    now = datetime.now(UTC)
    schedules = load_bot(target).build().schedules
    if not schedules:
        typer.echo('the bot has no schedules; give it one with @bot.cron("0 9 * * mon-fri", timezone="America/Sao_Paulo")')
    for at, schedule in enumerate(schedules):
        typer.echo("\n" * (at > 0) + f"{schedule.name}  {schedule.definition}")
        for line in coming(schedule, now, most):
            typer.echo(f"  {line}")


@told()
def run_now(name: str, data: Path | None) -> None:
    """Have a schedule run once more, now."""

    async def take(engine: Engine, settings: Settings) -> None:
        now, known = await engine.schedules.all()
        if name not in known:
            raise _unknown(name, known)
        taken = await take_in(engine, name, settings.numbers[0].name, Run(now), id_=secrets.token_hex(16), now=now)
        if taken.outcome != "ok":
            raise Failed(f"the run was not taken in ({taken.outcome}): too many events wait; try again later")

    settings = at_hand(data)
    _, works = _with_engine(data, lambda engine: take(engine, settings))
    typer.echo(f"a run of {name} is taken in")
    if not works:
        typer.echo(NOBODY_AT_WORK)


@told()
def pause_schedule(name: str, data: Path | None) -> None:
    """Have a schedule rest."""
    _changed(name, data, lambda engine: engine.schedules.pause(name), f"{name} rests; what was taken in before still runs")


@told()
def resume_schedule(name: str, data: Path | None) -> None:
    """Have a schedule go on."""
    _changed(name, data, lambda engine: engine.schedules.resume(name), f"{name} goes on; nothing of the pause is made up for")


def table(known: Mapping[str, Stored]) -> list[str]:
    """Schedules in columns, by name. Times are UTC."""
    if not known:
        return ["no schedules; a bot's are known once it ran"]
    rows = [("NAME", "NEXT", "LAST", "TIMES")]
    for name, stored in sorted(known.items()):
        following = "paused" if stored.paused else _utc(stored.next)
        rows.append((name, following, _utc(stored.last), stored.definition))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def coming(schedule: Schedule, now: datetime, most: int) -> Iterator[str]:
    """The next times of a schedule in its zone, with a mark where the clocks changed since the one before."""
    zone = zone_of(schedule.trigger)
    before = now.astimezone(zone).utcoffset() or timedelta(0)
    times = list(islice(upcoming(schedule.trigger, int(now.timestamp() * 1000)), most))
    for at in times:
        time = datetime.fromtimestamp(at / 1000, zone)
        offset = time.utcoffset() or timedelta(0)
        way = "forward" if offset > before else "back"
        mark = f"  (the clocks went {way} by {_span(abs(offset - before))})" if offset != before else ""
        yield f"{time:%a %Y-%m-%d %H:%M:%S} {_offset(offset)} {getattr(zone, 'key', time.tzname())}{mark}"
        before = offset
    if len(times) < most:
        yield "no more times"


def _changed(name: str, data: Path | None, change: Callable[[Engine], Awaitable[bool]], done: str) -> None:
    async def work(engine: Engine) -> None:
        if not await change(engine):
            raise _unknown(name, (await engine.schedules.all())[1])

    _with_engine(data, work)
    typer.echo(done)


def _with_engine(data: Path | None, work: Callable[[Engine], Awaitable[T]]) -> tuple[T, bool]:
    """What `work` gives, and whether Redis was at work before."""

    async def visit(settings: Settings) -> tuple[T, bool]:
        async with engine_at_hand(settings) as (engine, found):
            return await work(engine), found

    settings = at_hand(data)
    logs.set_up("WARNING")
    return asyncio.run(visit(settings))


def _unknown(name: str, known: Mapping[str, Stored]) -> Failed:
    names = f"known: {', '.join(sorted(known))}" if known else "none is known; a bot's are known once it ran"
    return Failed(f"no schedule is called {name!r}; {names}")


def _utc(at: int | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _offset(offset: timedelta) -> str:
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _span(span: timedelta) -> str:
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    return " ".join(part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part)
