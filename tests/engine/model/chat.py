"""What must be true of the engine's chats, in plain Python; `test_model.py` holds the scripts on a real Redis against it.

Times are business ms of a clock that stands still between steps. All figures are hours apart, so the moments that pass meanwhile on the
real clock decide nothing.
"""

from dataclasses import dataclass, field

from pilotbot.engine import HOLD, Effects, Item, Pin, Timer
from pilotbot.replies import choose
from tests.engine.model.things import BURST, MEMORY, TERMS, Armed, Event, Pinned, fired, label


@dataclass(eq=False)
class Chat:
    """A chat: what it did, what it has to do, and who is at it."""

    name: str

    inbound: int | None = None
    shut: int | None = None
    generation: int = 0
    consent: int = 0
    flood: int = 0

    seq: int = 0
    seen: set[str] = field(default_factory=set)
    waiting: list[Event] = field(default_factory=list)
    done: list[Event] = field(default_factory=list)
    handled: int = 0
    emitted: set[str] = field(default_factory=set)
    due: int | None = None  # when it may be leased, where it waits for that
    holder: str | None = None
    running: Event | None = None
    blamed: bool = True  # the loss of its process would be the running event's fault
    lapsed: bool = False  # the lease ran out and nobody has taken it back yet
    last: tuple[str, int] | None = None

    lane: list[Item] = field(default_factory=list)
    held: list[Item] = field(default_factory=list)
    held_until: dict[str, int] = field(default_factory=dict)
    pin: Pinned | None = None
    lane_due: int | None = None
    sender: str | None = None
    sender_lapsed: bool = False
    leads: dict[str, str] = field(default_factory=dict)
    pace: int = 0
    paused: int = 0
    slow: int = 0

    timers: dict[str, Armed] = field(default_factory=dict)

    said: dict[str, int] = field(default_factory=dict)  # by label: in which order, each time anew
    sent: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    dead: dict[str, Event | Item] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)

    # --- in ---

    def head(self) -> Event:
        """The event that is next: by time, then by arrival."""
        return min(self.waiting, key=lambda event: (event.time, event.seq))

    def is_open(self, now: int) -> bool:
        return self.inbound is not None and self.inbound != self.shut and now < self.inbound + TERMS.open_for

    def accept(self, event: Event, now: int, *, busy: bool) -> str:
        names = {event.body} | ({f"message:{event.message}"} if event.message else set())
        noted = {f"note:{event.body}"} if event.note_only else set()  # apart: the message itself may still come
        if (names | noted) & self.seen:
            return "replaced" if event.mark == "q" and not event.note_only and self._replace(event) else "dup"
        if event.time < now - MEMORY:
            return "stale"
        old = event.ages and event.time < now - TERMS.old_after
        kept = not event.note_only and (not old or event.keep_old)
        if kept and len(self.waiting) >= TERMS.depth:
            return "full"
        if kept and busy:
            return "busy"
        flood = max(self.flood, now)
        if event.opens and flood - TERMS.contact_gap * TERMS.contact_burst > now:
            return "flood"
        self.seen |= noted or names
        self.seq += 1
        event.seq, event.mark = self.seq, "o" if old else event.mark
        if event.opens:
            self.flood = flood + TERMS.contact_gap
            self.inbound = max(self.inbound or 0, event.time)
            if not old:
                self.generation += 1
                self.disarm()
        if kept:
            event.generation = self.generation
            self.waiting.append(event)
            self._wake(now)
        if event.opens:
            self.release_held(now, handled=0 if kept else now)
        return "ok" if kept else "noted" if event.note_only else "old"

    def _replace(self, quote: Event) -> bool:
        """A quote says more than the same message without it, and takes its place as long as nobody has tried that."""
        for event in self.waiting:
            if event.mark == "r" and event.message == quote.message and event is not self.running and not event.blames:
                event.body, event.mark = quote.body, "q"
                self.seen.add(quote.body)
                return True
        return False

    def _wake(self, now: int) -> None:
        if self.holder is None and self.due is None:
            self.due = now

    def lease(self, token: str) -> None:
        self.holder, self.running, self.due, self.blamed, self.lapsed = token, self.head(), None, True, False

    def release(self, at: int) -> None:
        self.holder, self.running, self.lapsed = None, None, False
        self.due = at if self.waiting else None

    def commit(self, token: str, seq: int, now: int) -> str:
        """Settle the event, if this token may; what it says and sets comes after this."""
        if self.last == (token, seq):
            if self.holder == token:  # the next event was leased, and the reply that said so was lost
                self.release(now)
            return "replay"
        if self.holder != token or self.running is None or self.running.seq != seq:
            return "stale"
        self.last = (token, seq)
        self.handled = max(self.handled, self.running.time)
        self.done.append(self.settle())
        return "ok"

    def effect(self, effects: Effects, generation: int, now: int) -> bool:
        """What a commit makes so in its own chat. Returns whether the lane has something new."""
        released = self.release_held(now, handled=self.done[-1].time)
        for item in effects.items:
            self.say(item, now)
        for timer in effects.timers:
            self.arm(timer, generation)
        return bool(effects.items) or released

    def bury(self, token: str, seq: int, now: int) -> str:
        if self.holder != token or self.running is None or self.running.seq != seq:
            return "stale"
        event = self.settle()
        event.blames.clear()  # whoever runs it again begins without
        self.dead[event.body] = event
        self.release_held(now, handled=event.time)
        return "ok"

    def settle(self) -> Event:
        event = self.running
        assert event is not None
        self.waiting.remove(event)
        self.running = None
        self.emitted.clear()
        return event

    def put_back(self, event: Event, time: int, now: int) -> None:
        """A dead letter is run again: after all that waits."""
        self.seq += 1
        event.seq, event.time, event.generation = self.seq, time, None
        self.waiting.append(event)
        self._wake(now)

    def crash(self, now: int) -> None:
        """The lease ran out, and is taken back."""
        if self.running is not None and self.blamed:
            self.running.blames["crashes"] += 1
        self.release(now)

    # --- out ---

    def say(self, item: Item, now: int) -> None:
        """Put an item in the lane; where nothing of that is pinned, this may be an answer that need not wait for a pace."""
        self.lane.append(item)
        self.said[label(item)] = max(self.said.values(), default=0) + 1
        if self.sender is None and (self.lane_due is None or not self.pin):
            self.lane_due = now if self.lane_due is None else min(self.lane_due, now)

    def enqueue(self, items: tuple[Item, ...], now: int) -> str:
        first = f"item:{items[0].id}"
        if first in self.seen:
            return "dup"
        self.seen.add(first)
        for item in items:
            self.say(item, now)
        return "ok"

    def barred(self, item: Item) -> str | None:
        """Why an item may not be posted first, whatever the window."""
        if item.generation is not None and item.generation != self.generation:
            return "replied"
        return "opted-out" if item.business and self.consent > 0 else None

    def may_go(self, item: Item, variant: Pin, now: int) -> bool:
        """Whether an item may be posted first this way."""
        return not self.barred(item) and (variant == "template" or not item.enforced or self.is_open(now))

    def lease_lane(self, now: int) -> Item | None:
        """The item that must be leased now, pinned; None where none may go."""
        if self.sender or (self.lane_due is not None and self.lane_due > now):
            return None
        if self.lane and self.paused > now:
            self.lane_due = self.paused
            return None
        while self.lane:
            item = self.lane[0]
            if self.pin and self.pin.known and not self.may_go(item, self.pin.variant, now):
                self.pin = None
            if self.pin is None:
                variant = self._goes(item, now)
                if variant is None:
                    continue
                slow = self.slow > now  # then answers keep the pace, too, and their place
                if (item.business or slow) and (at := self._waits_for_pace(now)):
                    if slow or not self._answer_first():
                        self.lane_due = at
                        return None
                    continue
                self.pin = Pinned(variant, self.inbound)
                if item.group and not item.rest:
                    self.leads[item.group] = variant
            self.lane_due = None
            return item
        self.lane_due = None
        return None

    def _goes(self, item: Item, now: int) -> Pin | None:
        """How the first item goes; None where it left the lane."""
        why = self.barred(item)
        verdict = choose(
            has_free=bool(item.free), has_template=bool(item.template), enforced=item.enforced, window_open=self.is_open(now),
            closed_policy=item.closed,
        )  # fmt: skip
        if why or (item.rest and self.leads.get(item.group) == "template"):
            verdict = "skip"
        if verdict in {"free", "template"}:
            return "free" if verdict == "free" else "template"
        del self.lane[0]
        if verdict == "defer":
            self._hold(item, now)
            return None
        self.notes.append((verdict, why or "window-closed"))
        if verdict == "fail":
            self.dead[label(item)] = item
        else:
            self.aside.append(label(item))
        return None

    def _waits_for_pace(self, now: int) -> int | None:
        """Until when a message has to wait; None, and it counts, where it may go."""
        at = max(self.pace, now) - BURST
        if at > now:
            return at
        self.pace = max(self.pace, now) + TERMS.chat_gap
        return None

    def _answer_first(self) -> bool:
        """An answer does not wait behind what a business began."""
        answer = next((item for item in self.lane if not item.business), None)
        if answer is None:
            return False
        self.lane.remove(answer)
        self.lane.insert(0, answer)
        return True

    def _hold(self, item: Item, now: int) -> None:
        self.sweep(now)
        self.held_until.setdefault(label(item), now + HOLD)
        self.held.append(item)
        self.notes.append(("defer", "window-closed"))

    def sweep(self, now: int) -> None:
        """Bury what was held for too long."""
        while self.held and self.held_until[label(self.held[0])] <= now:
            item = self.held.pop(0)
            self.dead[label(item)] = item
            self.notes.append(("fail", "hold-expired"))

    def release_held(self, now: int, *, handled: int) -> bool:
        """Let go what waited for the window, if that is open; what a business began only once the message that opened it is handled."""
        if not self.held or not self.is_open(now):
            return False
        self.sweep(now)
        released = [item for item in self.held if handled >= (self.inbound or 0) or not item.business]
        self.held = [item for item in self.held if item not in released]
        for item in released:
            self.say(item, now)
        return bool(released)

    def let_lane_go(self, at: int) -> None:
        self.sender, self.sender_lapsed = None, False
        self.lane_due = at if self.lane else None

    def give_up(self, now: int) -> None:
        """Nobody knows what became of the post."""
        assert self.pin is not None
        self.pin.known = False
        self.let_lane_go(now)

    def settled(self) -> Item:
        """The lane's first item is done with."""
        self.pin, self.sender, self.sender_lapsed = None, None, False
        return self.lane.pop(0)

    def refused(self, inbound: int | None) -> None:
        """The platform found the window closed, of which the last message that we knew then was this one."""
        if inbound is not None and self.inbound == inbound:
            self.shut = inbound

    # --- time ---

    def arm(self, timer: Timer, generation: int) -> bool:
        """Set, replace or forget a follow-up, said when so many messages had come. False where there was none to forget."""
        known = self.timers.pop(timer.name, None)
        if not timer.items:
            return known is not None
        if timer.silence and generation != self.generation:
            self.notes.append(("skip", "replied"))
        else:
            self.timers[timer.name] = Armed(timer.due, timer, generation if timer.silence else None)
        return True

    def disarm(self) -> None:
        for name in [name for name, armed in self.timers.items() if armed.generation is not None]:
            del self.timers[name]
            self.notes.append(("skip", "replied"))

    def fire(self, now: int) -> int:
        """Move what is due to the lane. Returns how many were."""
        due = sorted((armed.due, name) for name, armed in self.timers.items() if armed.due <= now)
        for since, name in due:
            armed, at = self.timers[name], since
            if armed.timer.before_close is not None and self.inbound is not None:
                at = max(at, self.inbound + TERMS.open_for - armed.timer.before_close)
            if at > now:
                armed.due = at
                continue
            del self.timers[name]
            late = armed.timer.late if now - at > TERMS.late_after else "run"
            if armed.generation not in {None, self.generation}:
                self.notes.append(("skip", "replied"))
            elif late == "skip":
                self.notes.append(("skip", "late"))
            elif late == "coalesce" and self._stands_for(at, name, now):
                self.notes.append(("skip", "coalesced"))
            else:
                for item in armed.timer.items:
                    self.say(fired(item, armed.generation, self.name), now)
        return len(due)

    def _stands_for(self, at: int, name: str, now: int) -> bool:
        """Whether a later one, due as well, says the same; not one that may yet be moved."""
        return any(
            other.timer.late == "coalesce" and other.timer.before_close is None and (at, name) < (other.due, known) and other.due <= now
            for known, other in self.timers.items()
        )

    def facts(self) -> list[object]:
        """All that is promised, and that a repeated call leaves as it is."""
        timers = {name: (armed.due, armed.timer) for name, armed in self.timers.items()}
        lists = [list(one) for one in (self.waiting, self.done, self.lane, self.held, self.sent, self.aside, self.dead)]
        return [lists, dict(self.said), set(self.seen), set(self.emitted), timers, self.inbound, self.shut, self.generation, self.consent]
