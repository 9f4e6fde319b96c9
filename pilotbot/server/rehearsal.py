"""A rehearsal: one turn as `TurnRunner` runs it, with nothing sent and nothing stored, to see what would be said and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pilotbot import events
from pilotbot.bot import Bot
from pilotbot.contacts import Decided, Window
from pilotbot.context import Context
from pilotbot.engine import (
    ChatKey,
    ChatView,
    Claimed,
    Effects,
    Engine,
    Item,
    Keyring,
    Lane,
    Marks,
    Place,
    PutAside,
    Record,
    Settled,
    Terms,
    Waits,
)
from pilotbot.replies import Ambiguous, Choice, Destination, NumberKind, choose, window_enforced
from pilotbot.routing import Routes, Trace
from pilotbot.server.journal import Journal, TurnNote, Utterance, Why, why
from pilotbot.server.prepare import Person, menus_of, person_of, set_up
from pilotbot.server.saying import Numbers, window_of
from pilotbot.server.turn import Hands, TurnRunner

QUOTED: Final = "wamid.rehearsed"
"""Stands for the bot's last message with options, where a rehearsed event quotes it."""

Way = Literal["free", "template", "defer", "skip", "fail"]


NOWHERE: Final = Keyring(b"", 1)
"""Names chats where there is no installation."""


class DryEngine:
    """What a turn needs of the engine, writing nothing: what it is told to do is remembered. `real`, if there is one, is only read."""

    def __init__(self, turn: Claimed, real: Engine | None = None) -> None:
        self._turn = turn
        self._real = real
        self.terms = real.terms if real is not None else Terms()
        self.keys = real.keys if real is not None else NOWHERE
        self.emitted: list[Item] = []
        self.effects = Effects()

    async def chat(self, key: ChatKey) -> ChatView:
        """The rehearsed chat as the turn has it, others as they are stored."""
        if self._real is None or key == self._turn.key:
            return ChatView(self._turn.now, self._turn.fields if key == self._turn.key else {}, 0, 0, 0)
        return await self._real.chat(key)

    async def alias(self, address: str) -> str | None:
        """The phone that a BSUID belongs to."""
        return await self._real.alias(address) if self._real is not None else None

    async def find_record(self, message_id: str) -> Record | None:
        """What is known of a message of ours; `QUOTED` is the last one with options."""
        menus = menus_of(self._turn.fields)
        if message_id == QUOTED and menus:
            return Record(self._turn.key, self._turn.key, menus[0].id, None, "", 0, None, None, None, None)
        return await self._real.find_record(message_id) if self._real is not None else None

    async def follow_ups(self, key: ChatKey) -> list[Waits]:
        """The follow-ups that wait in a chat."""
        return await self._real.follow_ups(key) if self._real is not None else []

    async def kept(self, key: ChatKey, since: int = 0) -> list[bytes]:
        """What was written while a person had a chat."""
        return await self._real.kept(key, since) if self._real is not None else []

    async def consent(self, person: ChatKey) -> Marks:
        """What a person decided."""
        return await self._real.consent(person) if self._real is not None else {}

    async def tell_consent(self, chat: ChatKey, marks: Marks) -> None:
        """Tell nobody."""

    async def recent(self, chat: ChatKey, since: int) -> int:
        """How many messages a chat got since then that a cap counts."""
        return await self._real.recent(chat, since) if self._real is not None else 0

    async def emit(
        self, turn: Claimed, ordinal: str, item: Item, *, unless_human: bool = False  # noqa: ARG002 - as Engine
    ) -> tuple[str, Lane | None, tuple[PutAside, ...]]:  # fmt: skip
        """Remember what would have left before the commit."""
        self.emitted.append(item)
        return "ok", None, ()

    async def commit(self, turn: Claimed, effects: Effects, *, keep: bool, send: bool) -> Settled:  # noqa: ARG002 - as Engine
        """Remember what would have been made so."""
        self.effects = effects
        return Settled("ok")

    async def blame(self, turn: Claimed, *, is_to: bool) -> bool:  # noqa: ARG002 - as Engine
        """Blame nothing."""
        return True

    async def retry(self, turn: Claimed, delay: int, *, counts_as: Literal["tries", "errors", ""] = "tries") -> Settled:  # noqa: ARG002 - as Engine
        """Put nothing back: the journal tells that it would have been."""
        return Settled("ok")

    async def bury(self, turn: Claimed, *, reason: str, detail: str, keep: bool, tries: int = 0, trace: str = "") -> Settled:  # noqa: ARG002 - as Engine
        """Bury nothing: the journal tells that it would have been."""
        return Settled("ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a content would go, as it would be decided if it were sent now, and the inputs of that.

    `kind` is of the number that it would go from, `window` the receiver's.
    """

    way: Way
    why: Why
    kind: NumberKind
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A content that was said: its items, and the decision for the first; without items where nothing would be sent."""

    said: Utterance
    items: tuple[Item, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a turn would be, on a number of this `kind`.

    `trace` is None where the bot asks which option is meant, or shows the next page of them, before anything is routed, and where the
    contact opts out or in (`decided`), asks for a person, or writes while one has the chat (`person`). `note` is None where the
    handler was not run; `states` are the changed ones, as they would be stored, by name.
    """

    ctx: Context
    kind: NumberKind
    choice: Choice | Ambiguous | None
    trace: Trace | None
    decided: Decided | None = None
    person: Person | None = None
    note: TurnNote | None = None
    lines: tuple[Line, ...] = ()
    states: Mapping[str, bytes]


async def rehearse(
    bot: Bot, routes: Routes, turn: Claimed, engine: DryEngine, numbers: Numbers, *, patience: float, run: bool = True
) -> Rehearsal:
    """Rehearse a turn. The handler's own code does run, unless not `run`; it has `patience` seconds.

    Raises:
        ValueError: the chat's number is not configured.
        Away: Redis does not answer.
    """
    ctx, desk = await set_up(turn, events.decode(turn.body), bot=bot, engine=engine, numbers=numbers, hand_over=lambda *_: None)
    person = person_of(ctx, desk, bot)
    trace = None if desk.asks or desk.decided or person else await routes.trace(ctx)
    kind = numbers.pick(desk.place.number).kind
    if not run:
        return Rehearsal(ctx=ctx, kind=kind, choice=desk.choice, trace=trace, decided=desk.decided, person=person, states={})
    journal = Journal(margin=engine.terms.margin)
    hands = Hands(
        lane=lambda _: None, reserve=lambda: False, release=lambda: None, wake_lane=lambda _: None, relay=lambda *_: None,
        put_aside=lambda _: None,
    )  # fmt: skip
    runner = TurnRunner(bot, routes, engine, numbers, hands, timeout=patience, reveal=True, counts=Counter(), journal=journal)
    await runner.run(turn, keep=False)
    (note,) = journal.turns(turn.key)
    lines = tuple([await _line(said, engine, numbers, desk.place) for said in note.said])
    states = {field.removeprefix("state:"): raw for field, raw in engine.effects.sets.items() if field.startswith("state:")}
    return Rehearsal(
        ctx=ctx, kind=kind, choice=desk.choice, trace=trace, decided=desk.decided, person=person, note=note, lines=lines, states=states
    )


async def _line(said: Utterance, engine: DryEngine, numbers: Numbers, here: Place) -> Line:
    notices = {item.id: notice for notice in engine.effects.notices for item in notice.items}
    own = (*engine.emitted, *engine.effects.items)
    known = {item.id: item for item in (*own, *(item for notice in engine.effects.notices for item in notice.items))}
    items = tuple(known[name] for name in said.items if name in known)
    if not items:
        return Line(said=said, items=(), decision=None)
    place = notices[items[0].id].place if items[0].id in notices else here
    return Line(said=said, items=items, decision=await _decision(items[0], engine, numbers, place))


async def _decision(item: Item, engine: DryEngine, numbers: Numbers, place: Place) -> Decision:
    kind, chat = numbers.pick(place.number).kind, await engine.chat(place.key)
    enforced = place.kind == "contact" and window_enforced(kind, Destination(place.kind, place.address))
    margin, wrote = engine.terms.margin, chat.fields.get("in")
    seen = window_of(chat.fields, enforced=enforced, now=chat.now, margin=margin)
    way = choose(
        has_free=bool(item.free), has_template=bool(item.template), enforced=enforced, window_open=seen.free, closed_policy=item.closed
    )
    reason = why(
        pin="free" if way == "free" else "template", pinned=False, has_free=bool(item.free), enforced=enforced,
        group=place.kind != "contact", inbound=int(wrote) if wrote else None, now=chat.now, margin=margin, again=False,
    )  # fmt: skip
    return Decision(way=way, why=reason, kind=kind, window=seen)
