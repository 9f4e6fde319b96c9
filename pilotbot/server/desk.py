"""The desk of a turn: what handlers say is staged there, and becomes so with the commit (design sections 3.6 and 3.7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

import orjson

from pilotbot.contacts import Window, sendable
from pilotbot.context import Contact, FollowUp, Late, Outcome
from pilotbot.engine import (
    Claimed,
    Consent,
    Decision,
    Effects,
    Item,
    Lane,
    Notice,
    Place,
    PutAside,
    Timer,
    derived_id,
)
from pilotbot.replies import Menu, Planned, Policy, Saying, Skipped
from pilotbot.server import followups
from pilotbot.server.recipients import OPTED_OUT, compose, decision
from pilotbot.server.saying import Numbers, Said, destination, say, whole
from pilotbot.server.turn_engine import TurnEngine

UNSENDABLE = "this contact is known by an id only that cannot be written to"
MENUS = 5  # menus of a chat that labels are still recognised from


class Heard(Protocol):
    """Hears what a turn says: see `Journal.said`."""

    def __call__(self, items: Sequence[Item], outcome: Outcome, *, emitted: bool, to: str | None) -> None:
        """Take note of a content."""


@dataclass(slots=True, kw_only=True)
class TurnDesk:
    """The desk of one turn: what handlers say is staged here, and becomes so with the commit (design sections 3.6 and 3.7).

    `contact` is who a chat with a contact is with; `policy` holds for what is said, and is the handler's once that is known. `heard` is
    told of all that is said, where there is a journal.
    """

    engine: TurnEngine
    numbers: Numbers
    turn: Claimed
    event_id: str
    place: Place
    window: Window
    contact: Contact | None
    policy: Policy
    given: Mapping[str, object]
    menus: list[Menu]
    opted_out: bool = False
    hand_over: Callable[[Lane | None, tuple[PutAside, ...]], None]
    heard: Heard | None = None
    _items: list[Item] = field(default_factory=list)
    _notices: list[Notice] = field(default_factory=list)
    _timers: dict[str, Timer] = field(default_factory=dict)
    _decision: Decision | None = None
    _menus_changed: bool = False
    _staged: int = 0
    _emitted: int = 0

    async def reply(self, saying: Saying, *, now: bool) -> Outcome:
        """Stage an answer, or emit it at once."""
        if self.place.kind == "number":
            return self._told((), Skipped("nobody wrote this event, so there is nobody to answer: use ctx.notify"))
        if not sendable(self.place.address):
            return self._told((), Skipped(UNSENDABLE))
        # What is sent at once counts by itself: a second run may stage other answers, and an id never means two contents.
        base = self._next_emitted() if now else self._next_staged()
        said = self._say(saying, base)
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

    async def notify(self, who: str | Contact, saying: Saying, *, number: str | None) -> Outcome:
        """Stage a message to another chat; it is relayed after the commit."""
        if isinstance(who, Contact) and not sendable(who.address):
            return self._told((), Skipped(UNSENDABLE), to=who.address)
        notice, outcome = await compose(
            self.engine, self.numbers.pick(number or self.place.number), who, saying, occasion=self._next_staged(), policy=self.policy
        )
        if notice is None:
            return self._told((), outcome)
        self._notices.append(notice)
        return self._told(notice.items, outcome, to=notice.place.address)

    async def follow_up(
        self, when: timedelta | datetime | None, saying: Saying, *, before_window_closes: timedelta | None, unless_replied: bool,
        key: str | None, if_late: Late,
    ) -> Planned | Skipped:  # fmt: skip
        """Stage a message to this chat for later; the commit sets its timer."""
        if self.place.kind == "number":
            return Skipped("nobody wrote this event, so there is nobody to write to: use bot.follow_up outside a turn")
        if self.opted_out:
            return Skipped(OPTED_OUT)
        followups.check_target(self.place.kind, unless_replied=unless_replied, before_window_closes=before_window_closes)
        last = whole(self.turn.fields.get("in"))
        due = followups.due_at(when, before_window_closes, now=self.turn.now, last_inbound=last, terms=self.engine.terms)
        if due is None:
            return Skipped(followups.NO_WINDOW)
        base = self._next_staged()
        said = self._say(saying, base)
        made = followups.timer(
            said.items, chat=self.turn.key.id, key=key, occasion=base, due=due, unless_replied=unless_replied, if_late=if_late,
            generation=self.turn.generation, before_window_closes=before_window_closes,
        )  # fmt: skip
        if followups.too_many(self.turn.fields.get("timers", b"").decode(), self._timers, made.name):
            return followups.skipped_full()
        self._timers[made.name] = made
        return followups.planned(made)

    async def follow_ups(self) -> list[FollowUp]:
        """What waits in this chat, as it will be after the commit."""
        stored = {waits.name: waits for waits in await self.engine.follow_ups(self.turn.key)}
        after = {**stored, **{name: followups.as_waits(made) for name, made in self._timers.items()}}
        return [followups.seen(waits) for waits in sorted(after.values(), key=lambda waits: waits.due) if waits.items]

    async def cancel_follow_ups(self, key: str | None) -> int:
        """Stage the end of the follow-up with a key, or named so by `follow_ups`; of all without one. Returns how many there were."""
        waiting = [each.key for each in await self.follow_ups()]
        ended = waiting if key is None else [each for each in waiting if each == key]
        known = {waits.label or waits.name: waits.name for waits in await self.engine.follow_ups(self.turn.key)}
        known |= {made.label or made.name: made.name for made in self._timers.values()}
        for each in ended:
            self._timers[known[each]] = Timer(name=known[each])
        return len(ended)

    async def consent(self, what: Literal["out", "in"], source: str, evidence: str) -> None:
        """Stage what the contact decided; the commit makes it so, for all our numbers."""
        if self.place.kind != "contact":
            raise ValueError("only a contact can opt out or in; a group, a newsletter or a number cannot")
        if not isinstance(evidence, str) or not evidence.strip():
            raise ValueError("evidence is what shows it, for the ledger: the contact's words, a note")
        entry = Consent(
            what=what, at=min(int(float(self.turn.score)), self.turn.now), source=source, evidence=evidence, event=self.event_id
        )
        self._decision = await decision(self.engine, self.numbers, self.place.address, entry)

    def _say(self, saying: Saying, base: str) -> Said:
        """Render what is said to this chat, which is one that can be answered."""
        return say(
            saying, to=destination(self.place.address), number=self.numbers.pick(self.place.number), contact=self.contact,
            seen=self.window, now=self.turn.now, policy=self.policy, base=base, given=self.given,
        )  # fmt: skip

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
        if self.place.kind == "contact" and not {"consent", "asked"} & self.turn.fields.keys():
            sets["asked"] = b"1"  # see `consent_of`
        return Effects(
            sets=sets, items=tuple(self._items), notices=tuple(self._notices), timers=tuple(self._timers.values()),
            decision=self._decision,
        )  # fmt: skip


class LeaseLost(Exception):
    """The turn's lease was lost while it ran: somebody else runs it, and nothing of this run takes effect."""
