"""What a handler is given of its turn: the event with the option that is meant, its chat as it is stored, a desk to say things at."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import get_args

import orjson

from pilotbot import events
from pilotbot.bot import Bot
from pilotbot.contacts import Decided, canonical
from pilotbot.context import Chat, Contact, Context
from pilotbot.engine import ChatKind, Claimed, Lane, Place, PutAside
from pilotbot.replies import Ambiguous, Choice, Destination, Menu, recognise, window_enforced
from pilotbot.routing import Selected
from pilotbot.server.desk import Heard, TurnDesk
from pilotbot.server.intake import chat_of
from pilotbot.server.recipients import known_as
from pilotbot.server.saying import Numbers, window_of
from pilotbot.server.turn_engine import TurnEngine

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Desk(TurnDesk):
    """A turn's desk, with what was found out on the way to its handler."""

    choice: Choice | Ambiguous | None
    decided: Decided | None = None
    selected: Selected | None = None

    def fresh(self) -> "Desk":
        """An empty desk for the error handler: what the failed handler staged is dropped, what it emitted stays emitted."""
        return Desk(
            engine=self.engine, numbers=self.numbers, turn=self.turn, event_id=f"{self.event_id}\0error", place=self.place,
            window=self.window, contact=self.contact, policy=self.policy, given=self.given, menus=menus_of(self.turn.fields),
            opted_out=self.opted_out, choice=self.choice, hand_over=self.hand_over, heard=self.heard,
        )  # fmt: skip


async def set_up(
    turn: Claimed, event: events.Event, *, bot: Bot, engine: TurnEngine, numbers: Numbers,
    hand_over: Callable[[Lane | None, tuple[PutAside, ...]], None], heard: Heard | None = None,
) -> tuple[Context, Desk]:  # fmt: skip
    """The context and the desk of a claimed event. `hand_over` takes the lanes that are leased on the way, `heard` hears what is said.

    Raises:
        ValueError: the chat's number is not configured any more.
        Away: Redis does not answer.
    """
    kind, address = chat_of(event)
    if isinstance(event, events.Status):
        kind, address = _stored_place(turn)
    number = numbers.pick(turn.fields["number"].decode())
    enforced = kind == "contact" and window_enforced(number.kind, Destination(kind, address))
    seen = window_of(turn.fields, enforced=enforced, now=turn.now, margin=engine.terms.margin)
    inbound = event if isinstance(event, events.Inbound) else None
    chat_name = getattr(event, "group_name", None) or getattr(event, "newsletter_name", None) or _name(turn)
    wrote = turn.fields.get("in")
    chat = Chat(number.name, kind, address, chat_name, datetime.fromtimestamp(int(wrote) / 1000, UTC) if wrote else None)
    menus = menus_of(turn.fields)
    choice = await _choice(engine, event, menus)
    label = choice.label if isinstance(choice, Choice) else None
    sender = _sender(event, turn)
    consent = await consent_of(engine, turn, address) if kind == "contact" else 0
    desk = Desk(
        engine=engine, numbers=numbers, turn=turn, window=seen, contact=sender if kind == "contact" else None, policy=bot.policy,
        event_id=event.id if inbound else f"{event.name}:{event.id}",  # the statuses of one message share its id
        opted_out=consent > 0,
        place=Place(key=turn.key, number=number.name, kind=kind, address=address), given={"contact": sender, "chat": chat}, menus=menus,
        choice=choice, hand_over=hand_over, heard=heard,
    )  # fmt: skip
    ctx = Context(
        event=_as_received(event) if label is not None else event,
        text=label if label is not None else (inbound.text if inbound else ""),
        action=choice.action if isinstance(choice, Choice) else None,
        chat=chat, sender=sender, window=seen, now=datetime.fromtimestamp(turn.now / 1000, UTC), bot_name=bot.name,
        our_phone=inbound.to if inbound and not (inbound.to or "").endswith("@g.us") else None, desk=desk, late=turn.late, old=turn.old,
        opted_out=consent > 0,
    )  # fmt: skip
    desk.decided = _decided(ctx, choice, bot)
    return ctx, desk


def _decided(ctx: Context, choice: Choice | Ambiguous | None, bot: Bot) -> Decided | None:
    """What the contact decided by this message, before anything else looks at it (design section 3.14).

    A choice that carries an action is that action, whatever its label; a plain label that opts out does so.
    """
    if bot.opt_out is None or not isinstance(ctx.event, events.Received | events.Reply):
        return None
    if isinstance(choice, Choice) and choice.action is not None:
        return None
    return bot.opt_out.decided(ctx.text, opted_out=ctx.opted_out)


async def consent_of(engine: TurnEngine, turn: Claimed, address: str) -> int:
    """What the contact decided, in ms, negative for yes, 0 for nothing. A chat that is new asks once what is known of its person.

    The commit notes that it did (`asked`); a decision that comes meanwhile, or later, is told to the chat by whoever enters it.
    """
    known = turn.fields.get("consent")
    if known is not None or "asked" in turn.fields:
        return int(known or b"0")
    mark = await engine.consent(engine.keys.person(canonical(await known_as(engine, address))))
    if mark:
        await engine.tell_consent(turn.key, mark)
    return mark


def menus_of(stored: Mapping[str, bytes]) -> list[Menu]:
    """The menus among a chat's stored fields, that labels are still recognised from; newest first."""
    menus = stored.get("menus")
    return [Menu.load(one) for one in orjson.loads(menus)] if menus else []


async def _choice(engine: TurnEngine, event: events.Event, menus: list[Menu]) -> Choice | Ambiguous | None:
    """The option that a message means, if any: quoted menus first, then the chat's last ones (design section 3.14)."""
    if not isinstance(event, events.Received | events.Reply | events.Group):
        return None
    quoted = await _quoted(engine, event.quoted_id, menus) if isinstance(event, events.Reply) and event.quoted_id else None
    if quoted is None and not menus:
        return None
    tap = event.tap
    choice = recognise(
        menus, tap.label if tap else event.text, quoted=quoted, choice_id=tap.choice_id if tap else None, tapped=tap is not None
    )
    if isinstance(choice, Choice) and choice.problem:
        log.warning("a stored option could not be read: %s", choice.problem)
    return choice


async def _quoted(engine: TurnEngine, message_id: str, menus: list[Menu]) -> Menu | None:
    record = await engine.find_record(message_id)
    if record is None:
        return None
    if record.menu is not None:
        return Menu.load(orjson.loads(record.menu))
    return next((menu for menu in menus if menu.id == record.item), None)


def _as_received(event: events.Event) -> events.Event:
    """A tap is not a quote: however the platform tells of it, handlers see the choice as a message that was received."""
    if not isinstance(event, events.Reply):
        return event
    kept = {field.name for field in fields(events.Received)}
    return events.Received(**{name: getattr(event, name) for name in kept})


def _name(turn: Claimed) -> str | None:
    return turn.fields["name"].decode() if "name" in turn.fields else None


def _sender(event: events.Event, turn: Claimed) -> Contact | None:
    if isinstance(event, events.Inbound):
        stored = None if isinstance(event, events.Group | events.Newsletter) else _name(turn)
        return Contact(event.sender, event.sender_name or stored)
    kind, address = _stored_place(turn) if isinstance(event, events.Status) else chat_of(event)
    return Contact(address, _name(turn)) if kind == "contact" else None


def _stored_place(turn: Claimed) -> tuple[ChatKind, str]:
    kind = next(kind for kind in get_args(ChatKind) if kind == turn.fields["kind"].decode())
    return kind, turn.fields["address"].decode()
