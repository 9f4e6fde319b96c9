"""`pilotbot contact`: what a contact decided about being written to, and the windows with our numbers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.cli.notify import check_phone
from pilotbot.contacts import address, canonical
from pilotbot.engine import Consent, Engine
from pilotbot.server.recipients import decision, known_as, whom
from pilotbot.server.saying import Numbers
from pilotbot.settings import Settings

T = TypeVar("T")


@told()
def show(phone: str, data: Path | None) -> None:
    """Print what is known."""
    for line in _with_engine(phone, data, _shown):
        typer.echo(line)


@told()
def decide(phone: str, what: Literal["out", "in"], evidence: str, data: Path | None) -> None:
    """Enter a decision, for all our numbers; from when this returns it holds."""
    if not evidence.strip():
        raise Failed('--evidence is empty; say what shows it, such as --evidence "asked on the phone"')

    async def enter(engine: Engine, settings: Settings, to: str) -> None:
        numbers = Numbers(settings.numbers)
        now = (await whom(engine, settings.numbers[0], to)).now
        await engine.decide(await decision(engine, numbers, to, Consent(what=what, at=now, source="command", evidence=evidence)))

    _with_engine(phone, data, enter)
    typer.echo("opted out: nothing that they did not ask for is sent any more" if what == "out" else "opted in")


async def _shown(engine: Engine, settings: Settings, to: str) -> list[str]:
    mark, ledger = await engine.consents.of(engine.keys.person(canonical(await known_as(engine, to))))
    state = "opted out" if mark > 0 else "opted in" if mark < 0 else "has decided nothing"
    lines = [f"consent: {state}{f' since {_time(abs(mark))}' if mark else ''}"]
    lines += [f"  {_time(entry.at)}  {entry.what:<3}  {entry.source:<7}  {entry.evidence}" for entry in ledger]
    for number in settings.numbers:
        target = await whom(engine, number, to)
        wrote = "never wrote" if target.last_inbound is None else f"last wrote {_time(target.last_inbound)}"
        waits = await engine.follow_ups(target.place.key)
        lines.append(f"{number.name}: {wrote}, window {target.seen.state}{f', {len(waits)} follow-ups wait' if waits else ''}")
    return lines


def _with_engine(phone: str, data: Path | None, work: Callable[[Engine, Settings, str], Awaitable[T]]) -> T:
    check_phone(phone)
    settings = at_hand(data)
    logs.set_up("WARNING")
    try:
        to = address(phone)
    except ValueError as error:
        raise Failed(str(error)) from None
    if to.endswith(("@g.us", "@newsletter")):
        raise Failed("a group or newsletter decides nothing; give a contact's phone number")

    async def visit() -> T:
        async with engine_at_hand(settings) as (engine, _):
            return await work(engine, settings, to)

    return asyncio.run(visit())


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
