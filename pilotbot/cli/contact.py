"""`pilotbot contact`: what is known of a contact and what they decided; all that is kept of them, exported or erased."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import orjson
import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.cli.notify import check_phone
from pilotbot.contacts import Scope, canonical
from pilotbot.engine import Consent, Engine, Marks
from pilotbot.server.forgetting import export as exported
from pilotbot.server.forgetting import forget as forgotten
from pilotbot.server.recipients import contact_address, decision, known_as, whom
from pilotbot.server.saying import Numbers
from pilotbot.settings import Settings

T = TypeVar("T")

ON_DISK = {
    "done": "forgotten, also on Redis's disk",
    "none": "forgotten; if this Redis writes snapshots or is copied, what it wrote before goes with the next one",
    "failed": "forgotten, but Redis could not write its file anew: what was erased is in it until it does (BGREWRITEAOF)",
}


@told()
def show(phone: str, data: Path | None) -> None:
    """Print what is known."""
    for line in _with_engine(phone, data, _shown):
        typer.echo(line)


@told()
def decide(phone: str, what: Literal["out", "in"], purpose: Scope, evidence: str, data: Path | None) -> None:
    """Enter a decision, for all our numbers; from when this returns it holds."""
    if not evidence.strip():
        raise Failed('--evidence is empty; say what shows it, such as --evidence "asked on the phone"')

    async def enter(engine: Engine, settings: Settings, to: str) -> None:
        numbers = Numbers(settings.numbers)
        now = (await whom(engine, settings.numbers[0], to)).now
        entry = Consent(what=what, at=now, source="command", evidence=evidence, purpose=purpose)
        await engine.decide(await decision(engine, numbers, to, entry))

    _with_engine(phone, data, enter)
    about = "" if purpose == "all" else f" of {purpose}"
    typer.echo(f"opted out{about}: nothing {'' if purpose == 'all' else 'of it '}that they did not ask for is sent any more"
               if what == "out" else f"opted in{'' if purpose == 'all' else f' to {purpose}'}")  # fmt: skip


@told()
def export(phone: str, data: Path | None) -> None:
    """Print all that is kept, as JSON."""
    found = _with_engine(phone, data, lambda engine, settings, to: exported(engine, Numbers(settings.numbers), to))
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@told()
def forget(phone: str, data: Path | None, *, sure: bool) -> None:
    """Erase all that is kept, once that was asked about."""
    if not sure:
        typer.confirm("Erase all that is kept of this contact? It cannot be undone", abort=True)
    done = _with_engine(phone, data, lambda engine, settings, to: forgotten(engine, Numbers(settings.numbers), to))
    typer.echo(ON_DISK[done])


async def _shown(engine: Engine, settings: Settings, to: str) -> list[str]:
    marks, ledger = await engine.consents.of(engine.keys.person(canonical(await known_as(engine, to))))
    lines = [f"consent: {_decided(marks)}"]
    lines += [f"  {_time(each.at)}  {each.what:<3}  {each.purpose:<14}  {each.source:<9}  {each.evidence}" for each in ledger]
    for number in settings.numbers:
        target = await whom(engine, number, to)
        wrote = "never wrote" if target.last_inbound is None else f"last wrote {_time(target.last_inbound)}"
        waits = await engine.follow_ups(target.place.key)
        lines.append(f"{number.name}: {wrote}, window {target.seen.state}{f', {len(waits)} follow-ups wait' if waits else ''}")
        lines += [f"  {fact}" for fact in _profile(target.contact.name, target.contact.language, target.contact.timezone,
                                                   sorted(target.contact.tags)) if target.last_inbound is not None]  # fmt: skip
    return lines


def _decided(marks: Marks) -> str:
    said = []
    for scope, mark in sorted(marks.items(), key=lambda one: (one[0] != "all", one[0])):
        about = "" if scope == "all" else f" {'of' if mark > 0 else 'to'} {scope}"
        said.append(f"opted {'out' if mark > 0 else 'in'}{about} since {_time(abs(mark))}")
    return "; ".join(said) or "has decided nothing"


def _profile(name: str | None, language: str | None, timezone: str | None, tags: Sequence[str]) -> list[str]:
    facts = {"name": name, "language": language, "time zone": timezone, "tags": ", ".join(tags)}
    return [f"{fact}: {value}" for fact, value in facts.items() if value]


def _with_engine(phone: str, data: Path | None, work: Callable[[Engine, Settings, str], Awaitable[T]]) -> T:
    check_phone(phone)
    settings = at_hand(data)
    logs.set_up("WARNING")
    try:
        to = contact_address(phone)
    except ValueError as error:
        raise Failed(str(error)) from None

    async def visit() -> T:
        async with engine_at_hand(settings) as (engine, _):
            return await work(engine, settings, to)

    return asyncio.run(visit())


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
