"""`pilotbot message`: the life of one sent message, from the records of the bot or, where there is none, from the platform."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson
import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.engine import Engine, Record
from pilotbot.platform import MessageStatus, PlatformError
from pilotbot.replies import SentMessage
from pilotbot.server import clients
from pilotbot.server.sent import as_the_platform_says, sent_message
from pilotbot.settings import Settings
from pilotbot.testing.wording import printable

NOT_OURS = "this bot has no record of it: it was sent by others, or more than 45 days ago"


@told()
def show_message(name: str, data: Path | None, *, show_text: bool, as_json: bool) -> None:
    """Print what became of a message."""
    settings = at_hand(data)
    logs.set_up("WARNING")
    message, chat = asyncio.run(_found(settings, name))
    typer.echo(in_json(message, chat, show_text=show_text) if as_json else "\n".join(described(message, chat, show_text=show_text)))


async def _found(settings: Settings, name: str) -> tuple[SentMessage, str | None]:
    """The message, and its chat where the bot knows it. Raises Failed where nobody knows it."""
    async with engine_at_hand(settings) as (engine, _):
        known = await _record(engine, name)
        if known is not None:
            return sent_message(known, name), str(known.chat)
        found = await _asked(settings, name)  # by its correlation id, say
        known = await _record(engine, found.id)
    return (as_the_platform_says(found), None) if known is None else (sent_message(known, found.id), str(known.chat))


async def _record(engine: Engine, name: str) -> Record | None:
    found = await engine.find_record(name)
    return found if found is not None and found.chat is not None else None


async def _asked(settings: Settings, name: str) -> MessageStatus:
    problems = []
    async with aiohttp.ClientSession() as session, clients(settings, session) as platform:
        for number, client in platform.items():
            try:
                return await client.get(name)
            except PlatformError as error:
                problems.append(f"{number}: {error}")
    raise Failed(f"no message is known by {name!r}, neither here nor to the platform ({'; '.join(problems)})")


def described(message: SentMessage, chat: str | None, *, show_text: bool) -> list[str]:
    """A message in lines; what it says only where that is asked for."""
    facts = {
        "id": message.id, "mode": message.mode or "not known", "template": message.template, "chat": chat, "cause": message.cause,
        "cost": message.cost, "status": message.status or "accepted",
    }  # fmt: skip
    lines = [f"{name + ':':<10}{value}" for name, value in facts.items() if value]
    lines += [f"  {_time(at)}  {status}" for status, at in message.statuses.items()]
    if message.failure is not None:
        lines.append(f"{'error:':<10}{message.error_code or 'no code'}: {message.meaning} {message.remedy}")
    if show_text:
        lines += ["", *_content(message)]
    if chat is None:
        lines += ["", NOT_OURS]
    return lines


def _content(message: SentMessage) -> list[str]:
    said = [message.text] if message.text is not None else []
    said += [f"{name} = {value}" for name, value in message.variables.items()]
    said += [f"[{option.label}]" for option in message.options]
    lines = [printable(line) for line in said]
    return lines or ["what it says is not kept: only where the bot handles statuses, for 14 days, or while it may be sent again"]


def in_json(message: SentMessage, chat: str | None, *, show_text: bool) -> str:
    """A message as one JSON object; texts only where they are asked for."""
    told: dict[str, object] = {
        "id": message.id, "mode": message.mode or None, "template": message.template, "chat": chat, "cause": message.cause,
        "cost": message.cost, "status": message.status or "accepted", "times": {name: _iso(at) for name, at in message.statuses.items()},
        "errorCode": message.error_code, "failure": message.failure, "meaning": message.meaning, "remedy": message.remedy,
    }  # fmt: skip
    if show_text:
        told |= {"text": message.text, "variables": message.variables, "options": [option.label for option in message.options]}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
