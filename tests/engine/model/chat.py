"""What must be true of the engine's chats, in plain Python; `test_model.py` holds the scripts on a real Redis against it.

Times are business ms of a clock that stands still between steps. All figures are hours apart, so the moments that pass meanwhile on the
real clock decide nothing.
"""

from dataclasses import dataclass, field

from pilotbot.engine import Effects, Timer
from tests.engine.model.lane import Outbound
from tests.engine.model.things import MEMORY, TERMS, Armed, Event, fired


@dataclass(eq=False)
class Chat(Outbound):
    """A chat: what it did, what it has to do, and who is at it."""

    flood: int = 0

    seq: int = 0
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

    timers: dict[str, Armed] = field(default_factory=dict)

    # --- in ---

    def head(self) -> Event:
        """The event that is next: by time, then by arrival."""
        return min(self.waiting, key=lambda event: (event.time, event.seq))

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
