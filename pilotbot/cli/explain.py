"""`pilotbot explain`: what a bot would make of a message, and why; nothing is sent and nothing is stored."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import orjson
import typer
from pydantic import ValidationError

from pilotbot.bot import Bot
from pilotbot.cli import logs
from pilotbot.cli.check import examined
from pilotbot.cli.explanation import told_lines
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.cli.notify import check_phone
from pilotbot.contacts import State, address, canonical, dump, state_classes
from pilotbot.engine import HOUR, WINDOW, ChatKey, ChatView, Claimed, Engine
from pilotbot.replies import NumberKind
from pilotbot.server.rehearsal import NOWHERE, QUOTED, DryEngine, Rehearsal, rehearse
from pilotbot.server.saying import Numbers
from pilotbot.settings import NumberSettings, Settings, SettingsError

NOBODY: Final = 3
"""The exit code where no handler takes the message."""

NEW_CONTACT: Final = "+5511987650000"
PATIENCE: Final = 120.0  # seconds that the handler has where no settings say it

WindowState = Literal["open", "closed", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: a text or a tapped label, of whom, in which chat."""

    text: str | None
    tap: str | None
    who: str | None
    name: str | None
    number_kind: NumberKind | None
    window: WindowState
    states: Sequence[str]
    quoted: bool
    run: bool


@told()
def explain_message(target: str, asked: Question, data: Path | None) -> None:
    """Print what a bot would make of a message; exit code 3 where nobody takes it, 1 where its handler fails."""
    if (asked.text is None) == (asked.tap is None):
        raise Failed('give what the contact writes, such as "order", or what they tap, such as --tap Track; one of the two')
    if asked.who is not None:
        check_phone(asked.who)
    bot, _ = examined(target)
    states = stated(asked.states)
    settings = _settings(data) if asked.who is not None else None
    logs.set_up("WARNING")
    with _unlogged():
        rehearsal, turn = asyncio.run(_rehearse(bot, asked, states, settings))
    for line in told_lines(rehearsal, bot, turn.fields):
        typer.echo(line)
    code = exit_code(rehearsal)
    if code:
        raise typer.Exit(code)


def exit_code(rehearsal: Rehearsal) -> int:
    """0 where a handler takes the message (or the bot asks which option is meant), 1 where that fails, 3 where nobody takes it."""
    if rehearsal.note is not None and rehearsal.note.end != "committed":
        return 1
    if rehearsal.trace is None or rehearsal.trace.winner is not None:
        return 0
    return NOBODY if rehearsal.trace.ends is None else 1


def stated(given: Sequence[str]) -> list[State]:
    """`Cart={"items": ["a"]}` pairs as states; fields that are not given have their defaults.

    Raises:
        Failed: one is not of this form, or names a class or a field that the bot does not have, or a value does not fit.
    """
    classes = {cls.__name__: cls for cls in state_classes()}
    return [_state(one, classes) for one in given]


def _state(given: str, classes: dict[str, type[State]]) -> State:
    name, equals, document = given.partition("=")
    name = name.strip()
    if not equals or not name:
        raise Failed("""--state takes CLASS=JSON, such as --state 'Cart={"items": ["a"]}'""")
    cls = classes.get(name)
    if cls is None:
        raise Failed(
            f"--state: the bot has no state called {name}; " + (f"it has {', '.join(sorted(classes))}" if classes else "it has none")
        )
    try:
        values = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise Failed(f"--state {name}: what follows the = is not JSON (column {error.colno}: {error.msg.partition(': ')[0]})") from None
    if not isinstance(values, dict):
        raise Failed(f'--state {name}: give an object of its fields, such as {{"{next(iter(cls.model_fields), "field")}": ...}}')
    unknown = [field for field in values if field not in cls.model_fields]
    if unknown:
        raise Failed(f"--state {name}: it has no field {unknown[0]!r}; it has {', '.join(cls.model_fields) or 'none'}")
    try:
        return cls.model_validate_json(orjson.dumps(values), by_name=True, by_alias=False)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False, include_input=False))
        raise Failed(f"--state {name}: {wrong}") from None


def _settings(data: Path | None) -> Settings | None:
    """Those of the installation at hand; None where there is none."""
    try:
        return at_hand(data)
    except SettingsError as error:
        if "PILOTBOT_API_KEY: is not set" not in str(error) or data is not None:
            raise
    return None


@contextmanager
def _unlogged() -> Iterator[None]:
    """Have the turn log nothing: all that it would say is shown."""
    turns = logging.getLogger("pilotbot.server.turn")
    turns.disabled = True
    try:
        yield
    finally:
        turns.disabled = False


@asynccontextmanager
async def _stored(settings: Settings | None) -> AsyncIterator[Engine | None]:
    """The engine of an installation that has stored something, to be read."""
    if settings is None or (settings.redis_url is None and not (settings.data_dir / "server.lock").exists()):
        yield None
        return
    async with engine_at_hand(settings) as (engine, _):
        yield engine


async def _rehearse(bot: Bot, asked: Question, states: Sequence[State], settings: Settings | None) -> tuple[Rehearsal, Claimed]:
    numbers = settings.numbers if settings is not None else (NumberSettings(name="main"),)
    if asked.number_kind is not None:
        numbers = tuple(number.model_copy(update={"kind": asked.number_kind}) for number in numbers)
    async with _stored(settings) as engine:
        turn = await claimed(engine, numbers, asked, states)
        patience = settings.handler_timeout_seconds if settings is not None else PATIENCE
        rehearsal = await rehearse(bot, bot.build(), turn, DryEngine(turn, engine), Numbers(numbers), patience=patience, run=asked.run)
        return rehearsal, turn


async def claimed(engine: Engine | None, numbers: Sequence[NumberSettings], asked: Question, states: Sequence[State]) -> Claimed:
    """The message as a turn would be given it: in the stored chat of whom is asked about, or in a new one.

    Raises:
        Failed: that is no contact.
    """
    try:
        who = address(asked.who or NEW_CONTACT)
    except ValueError as error:
        raise Failed(f"--as: {error}") from None
    if who.endswith(("@g.us", "@newsletter")):
        raise Failed("--as: groups and newsletters are not explained; give a contact's phone")
    number, key, chat = await _chat_of(engine, numbers, who)
    given = {"number": number.name.encode(), "kind": b"contact", "address": who.encode()}
    fields = {**chat.fields, **given, **{f"state:{state.state_name}": dump(state, chat.now) for state in states}}
    if asked.name:
        fields["name"] = asked.name.encode("utf-8", "replace")
    match asked.window:  # a message opens the window; answers may come late all the same
        case "open":
            fields["in"] = b"%d" % chat.now
        case "closed":
            fields["in"] = b"%d" % (chat.now - WINDOW - HOUR)
        case "never":
            fields.pop("in", None)
    body = orjson.dumps(envelope(asked, number, who, chat.now))
    return Claimed(key, "rehearsal", "0", "0", "q" if asked.quoted else "r", "", body, fields, chat.now)


async def _chat_of(engine: Engine | None, numbers: Sequence[NumberSettings], who: str) -> tuple[NumberSettings, ChatKey, ChatView]:
    """The chat with a contact: that of the first number which knows them, else a new one of the first number."""
    if engine is None:
        now = round(datetime.now(UTC).timestamp() * 1000)
        return numbers[0], NOWHERE.chat(numbers[0].name, canonical(who)), ChatView(now, {}, 0, 0, 0)
    known = who if who.startswith("+") else await engine.alias(who) or who
    keys = [engine.keys.chat(number.name, canonical(known)) for number in numbers]
    chats = [await engine.chat(key) for key in keys]
    found = next((at for at, chat in enumerate(chats) if chat.fields), 0)
    return numbers[found], keys[found], chats[found]


def envelope(asked: Question, number: NumberSettings, who: str, now: int) -> dict[str, object]:
    """The event as the platform would tell of it (contract 8.6 to 8.8)."""
    at = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data: dict[str, object] = {
        "numberId": number.id, "id": "rehearsed", "messageId": "wamid.rehearsal", "fromMe": False, "createdAt": at, "from": who,
        "type": "interactive" if asked.tap is not None else "text", "content": asked.tap if asked.tap is not None else asked.text,
    }  # fmt: skip
    if asked.name:
        data["participantName"] = asked.name
    if asked.quoted:
        data["quotedMessageId"] = QUOTED
    return {"event": "message.reply" if asked.quoted else "message.received", "data": data}
