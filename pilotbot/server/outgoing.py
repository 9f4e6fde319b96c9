"""From what is said to what is stored: rendered content becomes outbox items, in a turn (the desk) or outside one (the outbox)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import orjson

from pilotbot.contacts import Window, address, canonical, sendable, window
from pilotbot.context import Contact, Outcome
from pilotbot.engine import HOLD, Claimed, ClosedPolicy, Effects, Engine, Item, Lane, Notice, Place, PutAside, derived_id
from pilotbot.replies import (
    Destination,
    File,
    Menu,
    Message,
    Option,
    Queued,
    Rendered,
    Skipped,
    Template,
    forecast,
    render,
    window_enforced,
)
from pilotbot.server.turn_engine import TurnEngine
from pilotbot.settings import NumberSettings

UNSENDABLE = "this contact is known by an id only that cannot be written to"
MENUS = 5  # menus of a chat that labels are still recognised from


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One content, ready to be stored: its items in the order of sending, and what is expected of it."""

    items: tuple[Item, ...]
    menu: Menu | None
    outcome: Outcome


class Numbers:
    """The configured numbers by name, and what each may send."""

    def __init__(self, numbers: Sequence[NumberSettings]) -> None:
        self._by_name = {number.name: number for number in numbers}

    def pick(self, name: str | None) -> NumberSettings:
        """The number of that name; the only one without a name. Raises ValueError."""
        if name is None and len(self._by_name) == 1:
            return next(iter(self._by_name.values()))
        if name not in self._by_name:
            raise ValueError(f"no number is called {name!r}: PILOTBOT_NUMBERS has {', '.join(self._by_name)}")
        return self._by_name[name]


def say(
    content: str | Message,
    *,
    to: Destination,
    number: NumberSettings,
    seen: Window,
    now: int,
    closed: ClosedPolicy,
    base: str,
    options: Sequence[Option | str] | None = None,
    media: File | None = None,
    template: Template | None = None,
    values: Mapping[str, object],
) -> Said:
    """Render content into items. `seen` is the window as it is now (for the forecast), `base` what the items' ids derive from."""
    rendered = render(content, to=to, kind=number.kind, values=values, options=options, media=media, template=template)
    enforced = window_enforced(number.kind, to)
    until = datetime.fromtimestamp((now + HOLD) / 1000, UTC)
    outcome = forecast(rendered, enforced=enforced, window_open=seen.free, closed_policy=closed, until=until)
    items = _items(rendered, base=base, enforced=enforced, closed=closed)
    menu = replace(rendered.menu, id=items[-1].id) if rendered.menu is not None else None
    return Said(items=items, menu=menu, outcome=outcome)


def _items(rendered: Rendered, *, base: str, enforced: bool, closed: ClosedPolicy) -> tuple[Item, ...]:
    has_template, several = rendered.parts[0].template is not None, len(rendered.parts) > 1
    items = []
    for ordinal, part in enumerate(rendered.parts):
        name = derived_id(base, ordinal)
        items.append(
            Item(
                id=name,
                free=part.free.to_bytes() if part.free else b"",
                template=part.template.to_bytes() if part.template else b"",
                menu=orjson.dumps(replace(part.menu, id=name).dump()) if part.menu else b"",
                enforced=enforced,
                closed=closed,
                group=base if several and has_template else "",
                rest=part.rest and has_template,
            )
        )
    return tuple(items)


class Heard(Protocol):
    """Hears what a turn says: see `Journal.said`."""

    def __call__(self, items: Sequence[Item], outcome: Outcome, *, emitted: bool, to: str | None) -> None:
        """Take note of a content."""


@dataclass(slots=True, kw_only=True)
class TurnDesk:
    """The desk of one turn: what handlers say is staged here, and becomes so with the commit (design sections 3.6 and 3.7).

    `heard` is told of all that is said, where there is a journal.
    """

    engine: TurnEngine
    numbers: Numbers
    turn: Claimed
    event_id: str
    place: Place
    window: Window
    closed: ClosedPolicy
    given: Mapping[str, object]
    menus: list[Menu]
    hand_over: Callable[[Lane | None, tuple[PutAside, ...]], None]
    heard: Heard | None = None
    _items: list[Item] = field(default_factory=list)
    _notices: list[Notice] = field(default_factory=list)
    _menus_changed: bool = False
    _staged: int = 0
    _emitted: int = 0

    async def reply(
        self,
        content: str | Message,
        *,
        options: Sequence[Option | str] | None,
        media: File | None,
        template: Template | None,
        now: bool,
        values: dict[str, object],
    ) -> Outcome:
        """Stage an answer, or emit it at once."""
        if self.place.kind == "number":
            return self._told((), Skipped("nobody wrote this event, so there is nobody to answer: use ctx.notify"))
        if not sendable(self.place.address):
            return self._told((), Skipped(UNSENDABLE))
        # What is sent at once counts by itself: a second run may stage other answers, and an id never means two contents.
        base = self._next_emitted() if now else self._next_staged()
        said = say(
            content, to=Destination(self.place.kind, self.place.address), number=self.numbers.pick(self.place.number), seen=self.window,
            now=self.turn.now, closed=self.closed, base=base, options=options, media=media, template=template,
            values={**self.given, **values},
        )  # fmt: skip
        if now:
            for item in said.items:
                outcome, lane, notes = await self.engine.emit(self.turn, item.id, item)
                if outcome == "stale":
                    raise LeaseLost
                if outcome == "full":
                    return self._told((), Skipped("too many messages wait to be sent to this chat", failed=True))
                self.hand_over(lane, notes)
        else:
            self._items.extend(said.items)
        if said.menu is not None:
            self.menus = [said.menu, *self.menus][:MENUS]
            self._menus_changed = True
        return self._told(said.items, said.outcome, emitted=now)

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        options: Sequence[Option | str] | None,
        media: File | None,
        template: Template | None,
        number: str | None,
        values: dict[str, object],
    ) -> Outcome:
        """Stage a message to another chat; it is relayed after the commit."""
        if isinstance(who, Contact) and not sendable(who.address):
            return self._told((), Skipped(UNSENDABLE), to=who.address)
        notice, outcome = await compose(
            self.engine, self.numbers.pick(number or self.place.number), who, content, occasion=self._next_staged(), closed=self.closed,
            options=options, media=media, template=template, values=values,
        )  # fmt: skip
        self._notices.append(notice)
        return self._told(notice.items, outcome, to=notice.place.address)

    def _told(self, items: Sequence[Item], outcome: Outcome, *, emitted: bool = False, to: str | None = None) -> Outcome:
        if self.heard is not None:
            self.heard(items, outcome, emitted=emitted, to=to)
        return outcome

    def _next_staged(self) -> str:
        self._staged += 1
        return derived_id(self.turn.key.id, self.event_id, self._staged)

    def _next_emitted(self) -> str:
        self._emitted += 1
        return derived_id(self.turn.key.id, self.event_id, self.turn.seq, "now", self._emitted)

    def effects(self, states: Mapping[str, bytes]) -> Effects:
        """What the commit makes so. `states` are the changed ones, by name."""
        sets = {f"state:{name}": stored for name, stored in states.items()}
        if self._menus_changed:
            sets["menus"] = orjson.dumps([menu.dump() for menu in self.menus])
        return Effects(sets=sets, items=tuple(self._items), notices=tuple(self._notices))


class LeaseLost(Exception):
    """The turn's lease was lost while it ran: somebody else runs it, and nothing of this run takes effect."""


class LaneOutbox:
    """Puts messages in lanes from outside a turn: the same lanes as answers (design section 2: there is no side door).

    `wake` tells the sender, where there is one in this process, of a shard that has work.
    """

    def __init__(self, engine: Engine, numbers: Numbers, *, closed: ClosedPolicy, wake: Callable[[int], None] | None = None) -> None:
        self._engine = engine
        self._wake = wake
        self._numbers = numbers
        self._closed = closed

    async def notify(
        self,
        who: str | Contact,
        content: str | Message,
        *,
        key: str,
        options: Sequence[Option | str] | None,
        media: File | None,
        template: Template | None,
        number: str | None,
        values: dict[str, object],
    ) -> Outcome:
        """Put a message in a chat's lane, once per key."""
        notice, outcome = await compose(
            self._engine, self._numbers.pick(number), who, content, occasion=derived_id("notify", key), closed=self._closed,
            options=options, media=media, template=template, values=values,
        )  # fmt: skip
        taken, _ = await self._engine.enqueue(notice)
        if taken == "full":
            return Skipped("too many messages wait for this contact", failed=True)
        if self._wake is not None:
            self._wake(notice.place.key.shard)
        return outcome if taken == "ok" else Skipped("a message with this key was taken before")


async def compose(
    engine: TurnEngine,
    number: NumberSettings,
    who: str | Contact,
    content: str | Message,
    *,
    occasion: str,
    closed: ClosedPolicy,
    options: Sequence[Option | str] | None,
    media: File | None,
    template: Template | None,
    values: Mapping[str, object],
) -> tuple[Notice, Outcome]:
    """A message to any chat, as a notice for its lane, with the forecast by that chat's window. Once per chat and `occasion`."""
    to = destination(address(who.address if isinstance(who, Contact) else who))
    known = to.address
    if to.kind == "contact" and not known.startswith("+"):
        known = await engine.alias(known) or known
    key = engine.keys.chat(number.name, canonical(known))
    chat = await engine.chat(key)
    if (seen := chat.fields.get("address")) is not None and sendable(seen.decode()):
        to = replace(to, address=seen.decode())  # the spelling that the platform knows the contact by (design section 3.2)
    place = Place(key=key, number=number.name, kind=to.kind, address=to.address)
    name = chat.fields.get("name", b"").decode() or None
    contact = who if isinstance(who, Contact) else Contact(to.address, name)
    seen_now = window_of(chat.fields, enforced=window_enforced(number.kind, to), now=chat.now, margin=engine.terms.margin)
    said = say(
        content, to=to, number=number, seen=seen_now, now=chat.now, closed=closed, base=derived_id(occasion, key.id), options=options,
        media=media, template=template, values={"contact": contact, **values},
    )  # fmt: skip
    return Notice(place=place, items=said.items), said.outcome


def destination(to: str) -> Destination:
    """The destination that a normal address means."""
    if to.endswith("@g.us"):
        return Destination("group", to)
    if to.endswith("@newsletter"):
        return Destination("newsletter", to)
    return Destination("contact", to)


def window_of(fields: Mapping[str, bytes], *, enforced: bool, now: int, margin: int) -> Window:
    """A chat's window, from what is stored of it. `enforced`: whether it has one at all."""
    return window(enforced=enforced, last_inbound=_int(fields.get("in")), shut_at=_int(fields.get("shut")), now=now, margin=margin)


def expects(outcome: Outcome) -> str:
    """An outcome in a few words."""
    match outcome:
        case Queued():
            return f"queued, expected as {outcome.expected_mode}"
        case Skipped():
            return f"not sent: {outcome.reason}"
    return "waits until the contact writes"


def _int(value: bytes | None) -> int | None:
    return int(value) if value else None
