"""What a handler is given of its turn: the event with the option that is meant, its chat as it is stored, a desk to say things at."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Literal, get_args

import orjson

from pilotbot import events
from pilotbot.bot import Bot
from pilotbot.contacts import Decided, Scope, canonical, human_of, out_of
from pilotbot.contacts.language import detect
from pilotbot.contacts.profile import language_of
from pilotbot.context import Chat, Contact, Context
from pilotbot.engine import ChatKind, Claimed, Lane, Place, PutAside, as_fields, marks_of
from pilotbot.replies import Ambiguous, Choice, Destination, Menu, Saying, recognise, window_enforced
from pilotbot.replies.menu import alive
from pilotbot.routing import Selected
from pilotbot.server.desk import Heard, TurnDesk
from pilotbot.server.direct import Direct
from pilotbot.server.handover import SILENT
from pilotbot.server.intake import chat_of
from pilotbot.server.recipients import known_as, known_contact
from pilotbot.server.saying import Numbers, window_of
from pilotbot.server.sent import sent_message
from pilotbot.server.turn_engine import TurnEngine

log = logging.getLogger(__name__)


BROUGHT = (events.Inbound, events.FlowResponse, events.Lead)
"""Events that a contact brought, beside calls: what is replied to others nobody asked for."""
OF_STORED_CHAT = (events.Status, events.HandedOver, events.HandedBack)
"""Events that do not say which chat they are of: they are put in its mailbox."""


Person = Literal["asked for", "has it", "gives it back"]


@dataclass(slots=True, kw_only=True)
class Desk(TurnDesk):
    """A turn's desk, with what was found out on the way to its handler."""

    choice: Choice | Ambiguous | None
    decided: Decided | None = None
    selected: Selected | None = None

    @property
    def asks(self) -> bool:
        """Whether a message gets its answer with no handler: which option is meant, or the next page of them. A day later nobody waits."""
        choice = self.choice
        return not self.turn.old and (isinstance(choice, Ambiguous) or (choice is not None and choice.turned is not None))

    async def ask(self, which: str) -> None:
        """Give that answer. `which` is the question."""
        if isinstance(self.choice, Ambiguous):
            await self.reply(Saying(content=which, options=self.choice.options), now=False)
        elif self.choice is not None and self.choice.turned is not None:
            await self.reply(Saying(content=self.choice.turned), now=False)

    def fresh(self) -> "Desk":
        """An empty desk for the error handler: what the failed handler staged is dropped, what it emitted stays emitted."""
        return Desk(
            engine=self.engine, numbers=self.numbers, turn=self.turn, event_id=f"{self.event_id}\0error", place=self.place,
            window=self.window, contact=self.before, policy=self.policy, given=self.given,
            human=self.human, answering=self.answering, hushes=self.hushes, back_after=self.back_after, choice=self.choice,
            hand_over=self.hand_over, heard=self.heard, direct=self.direct, found=self.found,
        )  # fmt: skip


async def set_up(
    turn: Claimed, event: events.Event, *, bot: Bot, engine: TurnEngine, numbers: Numbers,
    hand_over: Callable[[Lane | None, tuple[PutAside, ...]], None], heard: Heard | None = None,
    direct: Direct | None = None,
) -> tuple[Context, Desk]:  # fmt: skip
    """The context and the desk of a claimed event. `hand_over` takes the lanes that are leased on the way, `heard` hears what is said,
    `direct` reaches the platform at once.

    Raises:
        ValueError: the chat's number is not configured any more.
        Away: Redis does not answer.
    """
    kind, address = chat_of(event)
    if isinstance(event, OF_STORED_CHAT):
        kind, address = _stored_place(turn)
    if kind == "contact":
        turn = await informed(engine, turn, address)
    number = numbers.pick(turn.fields["number"].decode())
    enforced = kind == "contact" and window_enforced(number.kind, Destination(kind, address))
    seen = window_of(turn.fields, enforced=enforced, now=turn.now, margin=engine.terms.margin)
    inbound = event if isinstance(event, events.Inbound) else None
    chat_name = getattr(event, "group_name", None) or getattr(event, "newsletter_name", None) or _name(turn)
    wrote = turn.fields.get("in")
    chat = Chat(number.name, kind, address, chat_name, datetime.fromtimestamp(int(wrote) / 1000, UTC) if wrote else None)
    choice = await _choice(engine, event, turn)
    label = choice.label if isinstance(choice, Choice) else None
    found = _language(event, turn)
    turn = replace(turn, fields={**turn.fields, **found}) if found else turn
    sender = _sender(event, turn)
    marks = marks_of(turn.fields)
    record = await engine.find_record(event.id) if isinstance(event, events.Status) else None
    desk = Desk(
        engine=engine, numbers=numbers, turn=turn, window=seen, contact=sender if kind == "contact" else None, policy=bot.policy,
        event_id=event.id if inbound else f"{event.name}:{event.id}",  # the statuses of one message share its id
        human=(human := human_of(turn.fields, turn.now)), hushes=isinstance(event, SILENT) and human is None,
        answering=isinstance(event, BROUGHT) or (isinstance(event, events.Call) and event.direction != "OUTBOUND"),
        back_after=bot.handing_over.back_after,
        place=Place(key=turn.key, number=number.name, kind=kind, address=address), given={"contact": sender, "chat": chat},
        choice=choice, hand_over=hand_over, heard=heard, direct=direct, found=found,
    )  # fmt: skip
    ctx = Context(
        event=_as_received(event) if label is not None else event,
        text=label if label is not None else (inbound.text if inbound else ""),
        action=choice.action if isinstance(choice, Choice) else None,
        chat=chat, sender=sender, window=seen, now=datetime.fromtimestamp(turn.now / 1000, UTC), bot_name=bot.name,
        our_phone=inbound.to if inbound and not (inbound.to or "").endswith("@g.us") else None, desk=desk, late=turn.late, old=turn.old,
        opted_out=marks.get("all", 0) > 0, message=sent_message(record, event.id) if record is not None else None,
    )  # fmt: skip
    desk.decided = _decided(ctx, choice, bot, out_of(marks))
    return ctx, desk


def _decided(ctx: Context, choice: Choice | Ambiguous | None, bot: Bot, opted_out: frozenset[Scope]) -> Decided | None:
    """What the contact decided by this message, before anything else looks at it (design section 3.14).

    A choice that carries an action is that action, whatever its label; a plain label that opts out does so.
    """
    if bot.opting_out is None or not isinstance(ctx.event, events.Received | events.Reply):
        return None
    if isinstance(choice, Choice) and choice.action is not None:
        return None
    return bot.opting_out.decided(ctx.text, opted_out=opted_out)


def person_of(ctx: Context, desk: Desk, bot: Bot) -> Person | None:
    """What a message has to do with a person who has the chat, or is to have it (design section 3.14); None for nothing.

    A choice that carries an action is that action, whatever its label; what comes late asks for nothing.
    """
    if not isinstance(ctx.event, SILENT):
        return None
    if desk.human is not None:
        return "gives it back" if bot.handing_over.asks_for_bot(ctx.text) and not ctx.old else "has it"
    meant = isinstance(desk.choice, Choice) and desk.choice.action is not None
    asks = not (meant or ctx.old or isinstance(ctx.event, events.Group)) and bot.handing_over.asks_for_person(ctx.text)
    return "asked for" if asks else None


async def informed(engine: TurnEngine, turn: Claimed, address: str) -> Claimed:
    """The turn with what the contact decided among its fields: a chat that is new asks once what is known of its person.

    The commit notes that it did (`asked`); a decision that comes meanwhile, or later, is told to the chat by whoever enters it.
    """
    if "asked" in turn.fields or marks_of(turn.fields):
        return turn
    marks = await engine.consent(engine.keys.person(canonical(await known_as(engine, address))))
    if not marks:
        return turn
    await engine.tell_consent(turn.key, marks)
    return replace(turn, fields={**turn.fields, **as_fields(marks)})


def menus_of(stored: Mapping[str, bytes]) -> list[Menu]:
    """The menus among a chat's stored fields, that labels are still recognised from; newest first."""
    return [Menu.load(orjson.loads(line)) for line in stored.get("menus", b"").split(b"\n") if line]


async def _choice(engine: TurnEngine, event: events.Event, turn: Claimed) -> Choice | Ambiguous | None:
    """The option that a message means, if any: quoted menus first, then the chat's last ones (design section 3.14)."""
    if not isinstance(event, events.Received | events.Reply | events.Group):
        return None
    menus, quotes = menus_of(turn.fields), event.quoted_id if isinstance(event, events.Reply) else None
    quoted = await _quoted(engine, quotes, menus) if quotes else None
    awaited = bool(menus) and not turn.fields["menus"].startswith(b"\n")
    answers = awaited and (quoted is not None or not quotes)  # what quotes another message answers that one
    menus = alive(menus, awaited=awaited, now=turn.now)
    if quoted is None and not menus:
        return None
    tap = event.tap
    choice = recognise(
        menus, tap.label if tap else event.text, quoted=quoted, choice_id=tap.choice_id if tap else None, tapped=tap is not None,
        awaited=answers, strict=isinstance(event, events.Group),
    )  # fmt: skip
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
    if isinstance(event, events.Group | events.Newsletter):
        return Contact(event.sender, event.sender_name, language_of({}, event.sender))
    if isinstance(event, events.Inbound):
        return known_contact(turn.fields, event.sender, event.sender_name or _name(turn))
    kind, address = _stored_place(turn) if isinstance(event, OF_STORED_CHAT) else chat_of(event)
    told = event.full_name if isinstance(event, events.Lead) else None
    return known_contact(turn.fields, address, told or _name(turn)) if kind == "contact" else None


def _language(event: events.Event, turn: Claimed) -> dict[str, bytes]:
    """The language that a contact's message is in, where none is known yet."""
    if {"language", "heard"} & turn.fields.keys() or not isinstance(event, events.Received | events.Reply) or event.tap is not None:
        return {}
    found = detect(event.text)
    return {"heard": found.encode()} if found is not None else {}


def _stored_place(turn: Claimed) -> tuple[ChatKind, str]:
    kind = next(kind for kind in get_args(ChatKind) if kind == turn.fields["kind"].decode())
    return kind, turn.fields["address"].decode()
