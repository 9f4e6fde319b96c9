"""Explain a turn that no handler took: who was tried, why each said no, and the handler that would take it.

Without `reveal` the text holds nothing that a contact wrote, so that it may be logged.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from pilotbot.events.models import Call, Event, Group, Inbound, Lead, Newsletter, Number, Received, Reply, ScheduledRun, Status
from pilotbot.replies import fold
from pilotbot.routing.conditions import MEDIA_KINDS, TEXT_LIMIT
from pilotbot.routing.dispatch import Tried
from pilotbot.routing.turn import Turn

_SHOWN_WORDS = 3
_SHOWN_CHARACTERS = 80
_CHANGE = re.compile(r"[a-z][a-z_]{0,39}")
_INBOUND: Final[Mapping[type[Event], str]] = {
    Received: "received",
    Reply: "reply",
    Group: "group",
    Newsletter: "newsletter",
}


def explain(turn: Turn, tried: Sequence[Tried], *, bot: str = "bot", reveal: bool = False) -> str:
    """Return why nobody took `turn`, and a handler to paste that would.

    Args:
        turn: the turn.
        tried: what `Unmatched.tried` says.
        bot: the name of the router in the handler to paste, where no handler was tried that tells its variable.
        reveal: whether the contact's words may be in it, which is for DEBUG and the developer's own desk. Without it the
            pasted handler has a placeholder for them.

    Returns:
        Some lines, without a line end after the last.
    """
    lines = [f"Nobody handled {_seen(turn)}."]
    if tried:
        lines += ["Tried, in order:", *(f"  {one.handler}\n    {one.reason}" for one in tried)]
    else:
        lines.append("No handler is tied to such events.")
    decorator = _decorator(turn, reveal=reveal)
    if decorator is None:
        if isinstance(turn.event, ScheduledRun):
            return "\n".join([*lines, "Filters of an include(...) keep it from its handler."])
        return "\n".join([*lines, "There is no decorator for such events; they can be left alone."])
    outermost = min((one.handler for one in tried), key=lambda handler: len(handler.path), default=None)
    router = outermost.router if outermost is not None and outermost.router else bot
    name = decorator.partition("(")[0]
    body = 'await ctx.reply("...")' if isinstance(turn.event, Inbound) else "..."
    handler = (f"@{router}.{decorator}", f"async def on_{name}(ctx: Context) -> None:", f"    {body}")
    return "\n".join([*lines, "To handle it:", "", *(f"    {line}" for line in handler)])


def _seen(turn: Turn) -> str:
    """Say in general terms what came."""
    event = turn.event
    kind = type(event).__name__
    if not isinstance(event, Inbound):
        return f"a {kind} event"
    parts = [f"a text of {_count(turn.text)}" if turn.text.strip() else "no text"]
    if event.media is not None:
        parts.append(f"media ({event.media.kind if event.media.kind in MEDIA_KINDS else 'of another kind'})")
    if turn.action is not None:
        parts.append(f"the choice of a {type(turn.action).__name__}")
    return f"a {kind} event with {', '.join(parts)}"


def _count(text: str) -> str:
    count = len(text[:TEXT_LIMIT].split())
    return f"{count} word" if count == 1 else f"{count} words"


def _decorator(turn: Turn, *, reveal: bool) -> str | None:
    """Return the decorator that would match, without the @ and the router."""
    event = turn.event
    if turn.action is not None:
        return f"tapped({type(turn.action).__name__})"
    if isinstance(event, Lead):
        return "lead()"
    if isinstance(event, Status):
        return f"status({_literal(event.status)})"
    if isinstance(event, Number | Call):
        return f"{type(event).__name__.lower()}({_literal(event.change)})"
    kind = _INBOUND.get(type(event))
    return f"{kind}({_filter(turn, reveal=reveal)})" if kind else None


def _literal(name: str) -> str:
    return f'"{name}"' if _CHANGE.fullmatch(name) else ""


def _filter(turn: Turn, *, reveal: bool) -> str:
    event = turn.event
    if isinstance(event, Inbound) and event.media is not None:
        return f'has_media("{event.media.kind}")' if event.media.kind in MEDIA_KINDS else "has_media()"
    if not turn.text.strip():
        return ""
    if not reveal:
        return f'words("<one of the {_count(turn.text)}>")'
    if shown := " ".join(fold(turn.text[:TEXT_LIMIT]).split()[:_SHOWN_WORDS]):
        return f"words({json.dumps(shown, ensure_ascii=False)})" if len(shown) <= _SHOWN_CHARACTERS else "has_text()"
    return f"exactly({turn.text.strip()!a})" if len(turn.text) <= _SHOWN_CHARACTERS else "has_text()"
