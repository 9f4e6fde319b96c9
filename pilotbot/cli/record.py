"""`pilotbot record`: a conversation that was had, as a `.chat` file, personal data masked."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx
import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand
from pilotbot.cli.notify import check_phone
from pilotbot.cli.spans import span_of
from pilotbot.contacts import address, canonical
from pilotbot.platform import HistoryRow, PilotStatus, PlatformError
from pilotbot.sandbox.chatfile import chat_file
from pilotbot.server import clients
from pilotbot.settings import NumberSettings, Settings
from pilotbot.target import relative
from pilotbot.testing.wording import printable

PAGES = 100  # of a hundred messages each
BY_BOTS = {None, "API", "SYSTEM", "MCP"}  # origins; other messages of ours were written by people


@told()
def record_chat(phone: str, *, out: Path | None, force: bool, since: str, number: str | None, data: Path | None) -> None:
    """Write the file, or print it."""
    check_phone(phone)
    try:
        who = address(phone)
    except ValueError as error:
        raise Failed(str(error)) from None
    if out is not None and out.exists() and not force:
        raise Failed(f"{out} exists; give another name with --out, or --force to write over it")
    span = span_of("--since", since)
    logs.set_up("WARNING")
    text = asyncio.run(_text(at_hand(data), who, span, number))
    if out is None:
        typer.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8")
    except OSError as error:
        raise Failed(f"{out} cannot be written: {error.strerror}") from None
    typer.echo(f"kept in {out}; read it, then: pilotbot test {relative(str(out))} --bot TARGET")


async def _text(settings: Settings, who: str, span: timedelta, number: str | None) -> str:
    names = [each.name for each in settings.numbers]
    if number is not None and number not in names:
        raise Failed(f"no number is called {number!r}; configured: {', '.join(names)}")
    chosen = next(each for each in settings.numbers if number in {None, each.name})
    return await (_of_the_sandbox(settings, who, chosen) if settings.obeys_sandbox_clock else _of_the_platform(settings, who, span, chosen))


async def _of_the_sandbox(settings: Settings, who: str, number: NumberSettings) -> str:
    """The sandbox knows all of it: buttons, templates, what was tapped."""
    path = f"/sandbox/chatfile?contact={quote(who)}{f'&number={quote(number.id)}' if number.id else ''}"
    async with httpx.AsyncClient(base_url=settings.api_url, trust_env=False, timeout=10) as client:
        try:
            answer = await client.get(path)
        except httpx.HTTPError as error:
            raise Failed(
                f"the sandbox at {settings.api_url} does not answer ({type(error).__name__}): is `pilotbot dev` running?"
            ) from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise Failed("the sandbox has no chat with this contact; its phone page lists those that there are")
    if answer.is_error:
        raise Failed(f"the sandbox refuses with {answer.status_code}: {answer.text[:200]}")
    return answer.text


async def _of_the_platform(settings: Settings, who: str, span: timedelta, number: NumberSettings) -> str:
    """The platform's history has texts and files; which buttons and templates there were it does not say (contract 4.3)."""
    async with aiohttp.ClientSession() as session, clients(settings, session) as by_name:
        try:
            found = await _history(by_name[number.name], who, datetime.now(UTC) - span)
        except PlatformError as error:
            raise Failed(f"the platform does not give the history: {error}") from None
    if not found:
        raise Failed("the platform's history has nothing of this contact in that time; look further back with --since 30d")
    if all(row.redacted for row in found):
        raise Failed("the platform keeps no texts of this number (its privacy mode hides them), so there is nothing to write down")
    chat: dict[str, object] = {
        "kind": "contact",
        "contact": who,
        "name": next((row.participant_name for row in found if row.participant_name), None),
    }
    head, rest = chat_file(as_rows(found, who), chat, kind=number.kind).split("\n", 1)
    return f"{head}\n# From the platform's history, which does not tell of buttons ([*]) and templates.\n{rest}"


async def _history(client: PilotStatus, who: str, start: datetime) -> list[HistoryRow]:
    """The messages with one contact, oldest first."""
    found: list[HistoryRow] = []
    for page in range(1, PAGES + 1):
        answer = await client.history(start, None, page=page, page_size=100)
        found += [row for row in answer.messages if canonical(row.participant_phone or row.participant_user_id or "") == canonical(who)]
        if page >= (answer.total_pages or 1):
            break
    return found[::-1]


def as_rows(found: Sequence[HistoryRow], who: str) -> list[dict[str, Any]]:
    """Rows of the history in the form that the sandbox shows messages in; `buttons` are None, since they are not known."""
    return [_row(row, who) for row in found]


def _row(row: HistoryRow, who: str) -> dict[str, Any]:
    inbound = row.direction == "INBOUND"
    at = row.provider_timestamp or row.created_at or row.sent_at or datetime.fromtimestamp(0, UTC)
    return {
        "id": row.id, "messageId": row.external_message_id, "direction": "in" if inbound else "out", "status": row.status or "SENT",
        "fromMe": not inbound and row.origin not in BY_BOTS, "contact": who, "author": who if inbound else None,
        "authorName": row.participant_name if inbound else None,
        "mode": "media" if row.media else "text", "type": row.message_type or "text",
        "text": None if row.media else row.text, "caption": row.text if row.media else None, "media": "*" if row.media else None,
        "quoted": row.replied_to_external_id, "buttons": [] if inbound else None, "header": None, "footer": None, "template": None,
        "variables": None, "reaction": None, "location": None, "contacts": None, "createdAt": at.isoformat(),
    }  # fmt: skip
