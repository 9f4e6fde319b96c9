"""`pilotbot followup`: messages for later, from another terminal or a script."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.cli.notify import check_phone, variables
from pilotbot.cli.spans import span_of
from pilotbot.context import Late
from pilotbot.replies import DEFAULT, Saying, Skipped, Template
from pilotbot.server.outbox import LaneOutbox
from pilotbot.server.saying import Numbers

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for, as it was typed."""

    within: str | None
    at: str | None
    text: str | None
    template: str | None
    given: Sequence[str]
    unless_replied: bool
    key: str | None
    if_late: Late


@told()
def add_follow_up(phone: str, wanted: Wanted, number: str | None, data: Path | None) -> None:
    """Plan a message, and tell when it goes and by which key it is known; exit code 1 where it is not planned."""
    when, content, template = moment(wanted), said(wanted), chosen(wanted)

    async def add(outbox: LaneOutbox) -> str | Skipped:
        planned = await outbox.follow_up(
            phone, when, Saying(content=content, template=template), before_window_closes=None, unless_replied=wanted.unless_replied,
            key=secrets.token_hex(4) if wanted.key is None else wanted.key, if_late=wanted.if_late, number=number,
        )  # fmt: skip
        return planned if isinstance(planned, Skipped) else f"planned for {_time(planned.at)}, key {planned.key}"

    outcome = _with_outbox(phone, number, data, add)
    if isinstance(outcome, Skipped):
        raise Failed(f"nothing is planned: {outcome.reason}")
    typer.echo(outcome)


@told()
def list_follow_ups(phone: str, number: str | None, data: Path | None) -> None:
    """Print what waits, a line each."""
    found = _with_outbox(phone, number, data, lambda outbox: outbox.follow_ups(phone, number))
    for one in found:
        typer.echo(f"{_time(one.at)}  {one.key}  {one.text}{'  (unless they reply)' if one.unless_replied else ''}")
    if not found:
        typer.echo("nothing waits to be sent to this contact")


@told()
def cancel_follow_ups(phone: str, key: str | None, number: str | None, data: Path | None) -> None:
    """End one or all; exit code 1 where there was none."""
    ended = _with_outbox(phone, number, data, lambda outbox: outbox.cancel_follow_ups(phone, key, number))
    if not ended:
        raise Failed("nothing was done: no such follow-up waits; see `pilotbot followup list`")
    typer.echo(f"{ended} ended")


def moment(wanted: Wanted) -> timedelta | datetime:
    """When it is to go. Raises Failed."""
    if (wanted.within is None) == (wanted.at is None):
        raise Failed("say when: --in 2d, or --at 2026-12-01T09:00-03:00")
    if wanted.within is not None:
        return span_of("--in", wanted.within)
    try:
        at = datetime.fromisoformat(wanted.at or "")
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Failed(f"--at {wanted.at} is no time with its zone; write one such as 2026-12-01T09:00-03:00 or 2026-12-01T12:00Z")
    return at


def said(wanted: Wanted) -> str:
    """What is to be said; nothing where the template is all. Raises Failed."""
    text = wanted.text or ""
    if not text.strip() and wanted.template is None:
        raise Failed("say what: --text, --template or both")
    return text


def chosen(wanted: Wanted) -> Template | None:
    """The template that is to go while the window is closed. Raises Failed."""
    if wanted.template is None and wanted.given:
        raise Failed("--var is for a template; name it with --template")
    return None if wanted.template is None else Template(wanted.template, **variables(wanted.given))


def _with_outbox(phone: str, number: str | None, data: Path | None, work: Callable[[LaneOutbox], Awaitable[T]]) -> T:
    check_phone(phone)
    settings = at_hand(data)
    names = [one.name for one in settings.numbers]
    if number is not None and number not in names:
        raise Failed(f"no number is called {number!r}; configured: {', '.join(names)}")
    logs.set_up("WARNING")

    async def visit() -> T:
        async with engine_at_hand(settings) as (engine, _):
            try:
                return await work(LaneOutbox(engine, Numbers(settings.numbers), policy=DEFAULT))
            except ValueError as error:  # no address, or content that cannot be sent
                raise Failed(str(error)) from None

    return asyncio.run(visit())


def _time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
