"""What a bot tells the sandbox of a chat: its state as it is stored, and what the journal holds of it. At a developer's desk only."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from pilotbot import events
from pilotbot.contacts import StateError, canonical, load, state_classes
from pilotbot.engine import ChatKey, ChatView, Engine
from pilotbot.replies import Ambiguous, Choice, Menu, window_enforced
from pilotbot.routing import Handler
from pilotbot.server.intake import number_of
from pilotbot.server.journal import AsideNote, Journal, PostNote, TurnNote
from pilotbot.server.prepare import menus_of
from pilotbot.server.saying import destination, expects, window_of
from pilotbot.settings import NumberSettings

Json = dict[str, object]


class Inspection:
    """Answers `sandbox.inspect`. `bot` is the bot's name."""

    def __init__(self, bot: str, engine: Engine, numbers: Sequence[NumberSettings], journal: Journal) -> None:
        self._bot = bot
        self._engine = engine
        self._numbers = numbers
        self._journal = journal

    async def answer(self, event: events.Inspect) -> Json:
        """What the bot knows of the chat that is asked about. Raises Away."""
        number = number_of(self._numbers, event.number_id)
        if number is None:
            return {"bot": self._bot, "chat": None, "turns": [], "posts": [], "aside": []}
        known = event.contact
        if not known.startswith("+"):
            known = await self._engine.alias(known) or known
        key = self._engine.keys.chat(number.name, canonical(known))
        return {"bot": self._bot, "chat": await self._chat(key, number, known), **journalled(self._journal, key)}

    async def _chat(self, key: ChatKey, number: NumberSettings, address: str) -> Json | None:
        view = await self._engine.chat(key)
        if not view.fields:
            return None
        to = destination(address)
        seen = window_of(view.fields, enforced=window_enforced(number.kind, to), now=view.now, margin=self._engine.terms.margin)
        wrote = view.fields.get("in")
        states, problems = states_of(view)
        return {
            "number": number.name,
            "kind": to.kind,
            "lastInboundAt": iso(int(wrote)) if wrote else None,
            "window": {"state": seen.state, "closesAt": _text(seen.closes_at)},
            "states": states,
            "problems": problems,
            "menus": [_menu(menu) for menu in menus_of(view.fields)],
            "waiting": {"events": view.waiting_events, "messages": view.waiting_items, "held": view.held_items},
        }


def states_of(view: ChatView) -> tuple[Json, dict[str, str]]:
    """The states of a chat by the names of their classes, as plain values; and what is wrong with some, by the same names.

    What no class of the bot reads is shown as it is stored, under the name that it is stored under.
    """
    states: Json = {}
    problems: dict[str, str] = {}
    classes = {cls.state_name: cls for cls in state_classes()}
    for field, raw in view.fields.items():
        kind, _, stored_as = field.partition(":")
        if kind != "state":
            continue
        cls = classes.get(stored_as)
        if cls is None:
            states[stored_as], problems[stored_as] = _readable(raw), f"no class of this bot is stored as {stored_as!r}"
            continue
        try:
            states[cls.__name__] = load(cls, raw, view.now).model_dump(mode="json", by_alias=False)
        except StateError as error:
            states[cls.__name__], problems[cls.__name__] = _readable(raw), str(error)
    return states, problems


def journalled(journal: Journal, key: ChatKey) -> Json:
    """What the journal holds of a chat."""
    return {
        "turns": [turn_json(note) for note in journal.turns(key)],
        "posts": [_post(note) for note in journal.posts(key)],
        "aside": [_aside(note) for note in journal.aside(key)],
    }


def turn_json(note: TurnNote) -> Json:
    """A turn."""
    return {
        "at": iso(note.at),
        "event": note.event,
        "messageId": note.message_id,
        "text": note.text,
        "choice": _choice(note.choice),
        "handler": _handler(note.handler) if note.handler is not None else None,
        "tried": [{**_handler(one.handler), "reason": one.reason} for one in note.tried],
        "said": [
            {
                "text": one.shown.text,
                "options": list(one.shown.options),
                "template": one.shown.template,
                "to": one.to,
                "outcome": "dropped, since the handler failed" if one.dropped else expects(one.outcome),
            }
            for one in note.said
        ],
        "error": note.error,
        "place": note.place or None,
        "outcome": note.end,
    }


def iso(ms: int) -> str:
    """A time in business ms as people and JavaScript read it, UTC."""
    return _text(datetime.fromtimestamp(ms / 1000, UTC)) or ""


def _post(note: PostNote) -> Json:
    closes_at = note.why.closes_at
    return {
        "key": note.key,
        "mode": note.pin,
        "why": {"code": note.why.code, "closesAt": iso(closes_at) if closes_at is not None else None},
        "tries": note.tries,
        "at": iso(note.at),
        "result": note.result,
        "error": note.error,
    }


def _aside(note: AsideNote) -> Json:
    return {"at": iso(note.at), "what": note.what, "why": note.why, "text": note.text}


def _handler(handler: Handler) -> Json:
    return {"name": handler.name, "where": handler.where, "decorator": handler.decorator}


def _choice(choice: Choice | Ambiguous | None) -> Json | None:
    if isinstance(choice, Ambiguous):
        return {"label": choice.candidates[0].label, "action": None, "meanings": len(choice.candidates)}
    if choice is None:
        return None
    return {"label": choice.label, "action": choice.action.action_name if choice.action is not None else None}


def _menu(menu: Menu) -> Json:
    actions = {entry.label: {"name": entry.name, "values": entry.data} for entry in menu.entries if entry.name is not None}
    return {"labels": [entry.label for entry in menu.entries], "actions": actions}


def _readable(raw: bytes) -> object:
    """Stored bytes as JSON, or as the text that they are."""
    try:
        stored: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")
    return stored["d"] if isinstance(stored, dict) and "d" in stored else stored


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment is not None else None
