"""The desk of a turn: what handlers say is staged there, and becomes so with the commit (design sections 3.6 and 3.7)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from pilotbot.contacts import UNASKED, Human, Scope, Window, profile, sendable
from pilotbot.context import Contact, FollowUp, Late, Outcome
from pilotbot.engine import (
    Change,
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
    marks_of,
)
from pilotbot.events import Inbound, Media, decode
from pilotbot.media import MediaFile, MediaUnavailable
from pilotbot.replies import Planned, Policy, Saying, Skipped
from pilotbot.server import followups
from pilotbot.server.direct import Direct
from pilotbot.server.handover import taking
from pilotbot.server.manners import Standing
from pilotbot.server.recipients import HUMAN, check_consent, compose, decision
from pilotbot.server.saying import Numbers, Said, destination, items_of, say, whole
from pilotbot.server.turn_engine import TurnEngine

UNSENDABLE = "this contact is known by an id only that cannot be written to"
CAUSE_MOST = 80  # characters of an event's id that the records of its answers keep


class Heard(Protocol):
    """Hears what a turn says: see `Journal.said`."""

    def __call__(self, items: Sequence[Item], outcome: Outcome, *, emitted: bool, to: str | None) -> None:
        """Take note of a content."""


@dataclass(slots=True, kw_only=True)
class TurnDesk:
    """The desk of one turn: what handlers say is staged here, and becomes so with the commit (design sections 3.6 and 3.7).

    `human` is who has the chat in place of the bot, `change` who has it after this turn, where that is staged, `back_after` for how long.
    `answering`: the contact brought the event, so that a reply is an answer; else nobody asked for it. `hushes`: nothing is said at once
    should a person have the chat by then. `contact` is who a chat with a contact is with, `before` as they were before this turn, `found`
    what was found out about them; `policy` holds for what is said, and is the handler's once that is known. `heard` is told of all that is
    said, where there is a journal; `direct` is missing where nothing may reach the platform.
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
    human: Human | None = None
    change: Change | None = None
    answering: bool = True
    hushes: bool = False
    back_after: timedelta = UNASKED.back_after
    hand_over: Callable[[Lane | None, tuple[PutAside, ...]], None]
    heard: Heard | None = None
    direct: Direct | None = None
    found: Mapping[str, bytes] = field(default_factory=dict)
    before: Contact | None = field(init=False)
    _items: list[Item] = field(default_factory=list)
    _notices: list[Notice] = field(default_factory=list)
    _timers: dict[str, Timer] = field(default_factory=dict)
    _decision: Decision | None = None
    _known: dict[str, bytes] = field(default_factory=dict)
    _staged: int = 0
    _emitted: int = 0

    def __post_init__(self) -> None:
        self.before = self.contact

    async def reply(self, saying: Saying, *, now: bool, leads: bool = False) -> Outcome:
        """Stage an answer, or emit it at once. `leads`: what comes after it waits until it was reported sent."""
        if self.place.kind == "number":
            return self._told((), Skipped("nobody wrote this event, so there is nobody to answer: use ctx.notify"))
        if not sendable(self.place.address):
            return self._told((), Skipped(UNSENDABLE))
        # What is sent at once counts by itself: a second run may stage other answers, and an id never means two contents.
        base = self._next_emitted() if now else self._next_staged()
        if self.answering:
            said = self._say(saying, base, asked=int(float(self.turn.score)), leads=leads)
        else:
            said = self._say(saying, base, standing=Standing(self.turn.fields), leads=leads)
        if said.withheld:
            return self._told((), said.outcome)
        if now:
            for item in said.items:
                outcome, lane, notes = await self.engine.emit(self.turn, item.id, item, unless_human=self.hushes)
                if outcome == "stale":
                    raise LeaseLost
                if outcome == "full":
                    return self._told((), Skipped("too many messages wait to be sent to this chat", failed=True))
                self.hand_over(lane, notes)
                if outcome == "hushed":
                    return self._told((), Skipped(HUMAN))
        else:
            self._items.extend(said.items)
        return self._told(said.items, said.outcome, emitted=now)

    async def notify(self, who: str | Contact, saying: Saying, *, number: str | None) -> Outcome:
        """Stage a message to another chat; it is relayed after the commit."""
        if isinstance(who, Contact) and not sendable(who.address):
            return self._told((), Skipped(UNSENDABLE), to=who.address)
        notice, outcome = await compose(
            self.engine, self.numbers.pick(number or self.place.number), who, saying, occasion=self._next_staged(), policy=self.policy,
            templates=self.numbers.templates,
        )  # fmt: skip
        if notice is None:
            return self._told((), outcome)
        notice = replace(notice, items=self._caused(notice.items))
        self._notices.append(notice)
        return self._told(notice.items, outcome, to=notice.place.address)

    async def follow_up(
        self, when: timedelta | datetime | None, saying: Saying, *, before_window_closes: timedelta | None, unless_replied: bool,
        key: str | None, if_late: Late,
    ) -> Planned | Skipped:  # fmt: skip
        """Stage a message to this chat for later; the commit sets its timer."""
        if self.place.kind == "number":
            return Skipped("nobody wrote this event, so there is nobody to write to: use bot.follow_up outside a turn")
        if self.human is not None or (self.change is not None and self.change.what == "take"):
            return Skipped(HUMAN)
        followups.check_delivery(saying.delivery)
        followups.check_target(self.place.kind, unless_replied=unless_replied, before_window_closes=before_window_closes)
        last = whole(self.turn.fields.get("in"))
        due = followups.due_at(when, before_window_closes, now=self.turn.now, last_inbound=last, terms=self.engine.terms)
        if due is None:
            return Skipped(followups.NO_WINDOW)
        base = self._next_staged()
        said = self._say(saying, base, standing=Standing(self.turn.fields), due=due)
        if said.withheld and isinstance(said.outcome, Skipped):
            return said.outcome
        made = followups.timer(
            said.items, chat=self.turn.key.id, key=key, occasion=base, due=due, unless_replied=unless_replied, if_late=if_late,
            generation=self.turn.generation, before_window_closes=before_window_closes,
        )  # fmt: skip
        if followups.too_many(self.turn.fields.get("timers", b"").decode(), self._timers, made.name):
            return followups.skipped_full()
        self._timers[made.name] = made
        return followups.planned(made)

    def know(self, *, language: str | None, timezone: str | None, tagged: str | None, untagged: str | None) -> None:
        """Stage what is known of the contact."""
        if self.contact is None:
            raise ValueError("languages, time zones and tags are a contact's; this is a chat with a group, a newsletter or nobody")
        if language is not None:
            self.contact = replace(self.contact, language=profile.language(language))
            self._known["language"] = str(self.contact.language).encode()
        if timezone is not None:
            self.contact = replace(self.contact, timezone=profile.timezone(timezone))
            self._known["timezone"] = str(self.contact.timezone).encode()
        if tagged is not None or untagged is not None:
            tags = self.contact.tags - {profile.tag(untagged)} if untagged is not None else self.contact.tags
            tags = tags | {profile.tag(tagged)} if tagged is not None else tags
            self._known["tags"] = profile.packed(tags)
            self.contact = replace(self.contact, tags=tags)

    async def handover(self, queue: str, note: str, how_long: timedelta | None) -> None:
        """Stage that a person has the chat."""
        if self.place.kind not in {"contact", "group"}:
            raise ValueError("a person can have a chat with a contact or a group; nobody writes in this one")
        self.change = taking(self.turn.now, self.back_after if how_long is None else how_long, queue=queue, note=note, by="handler")

    async def kept_messages(self) -> list[Inbound]:
        """What was written while a person had the chat, the last one that this turn knows of."""
        since = int(self.turn.fields.get("held", b"0"))
        found = [decode(body) for body in await self.engine.kept(self.turn.key, since)]
        return [event for event in found if isinstance(event, Inbound)]

    async def typing(self) -> None:
        """Show that somebody is typing, where that can be had."""
        if self.direct is not None and self.place.kind == "contact" and sendable(self.place.address):
            await self.direct.typing(self.place.number, self.place.address)

    def download(self, media: Media) -> AbstractAsyncContextManager[MediaFile]:
        """A file that was sent to this chat's number."""
        if self.direct is None:
            raise MediaUnavailable("a rehearsal fetches no files")
        return self.direct.download(self.place.number, media)

    async def cancel(self, name: str) -> bool:
        """Take a message back: what this turn staged is not staged any more, the rest is taken back at once."""
        items = set(items_of(name)[1])
        kept = [item for item in self._items if item.id not in items]
        others = [notice for notice in self._notices if notice.id not in items]
        if len(kept) < len(self._items) or len(others) < len(self._notices):
            self._items, self._notices = kept, others
            return True
        return self.direct is not None and await self.direct.cancel(name)

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

    async def consent(self, what: Literal["out", "in"], source: str, evidence: str, purpose: Scope = "all") -> None:
        """Stage what the contact decided; the commit makes it so, for all our numbers."""
        if self.place.kind != "contact":
            raise ValueError("only a contact can opt out or in; a group, a newsletter or a number cannot")
        check_consent(evidence, purpose)
        entry = Consent(
            what=what, at=min(int(float(self.turn.score)), self.turn.now), source=source, evidence=evidence, event=self.event_id,
            purpose=purpose,
        )  # fmt: skip
        self._decision = await decision(self.engine, self.numbers, self.place.address, entry)

    def _say(
        self, saying: Saying, base: str, *, standing: Standing | None = None, due: int | None = None, asked: int | None = None,
        leads: bool = False,
    ) -> Said:  # fmt: skip
        """Render what is said to this chat, which is one that can be answered."""
        said = say(
            saying, to=destination(self.place.address), number=self.numbers.pick(self.place.number), contact=self.contact,
            seen=self.window, now=self.turn.now, policy=self.policy, base=base, given=self.given,
            chat=self.turn.key.id, standing=standing, due=due, asked=asked, leads=leads, templates=self.numbers.templates,
        )  # fmt: skip
        return replace(said, items=self._caused(said.items))

    def _caused(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """Items that know which event they were said in."""
        return tuple(replace(item, cause=self.event_id.partition("\0")[0][:CAUSE_MOST]) for item in items)

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
        sets = {**{f"state:{name}": stored for name, stored in states.items()}, **self.found, **self._known}
        if self.place.kind == "contact" and "asked" not in self.turn.fields and not marks_of(self.turn.fields):
            sets["asked"] = b"1"  # see `informed`
        return Effects(
            sets=sets, items=tuple(self._items), notices=tuple(self._notices), timers=tuple(self._timers.values()),
            decision=self._decision, change=self.change,
        )  # fmt: skip


class LeaseLost(Exception):
    """The turn's lease was lost while it ran: somebody else runs it, and nothing of this run takes effect."""
