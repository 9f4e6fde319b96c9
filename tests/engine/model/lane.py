"""The way out of the engine's chats, as it must be: the lane, what it pins and leaves out, what waits, and for what."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pilotbot.contacts import quiet_until
from pilotbot.engine import HOLD, Item, Pin
from pilotbot.replies import choose, decided, withheld
from tests.engine.model.things import BURST, TERMS, Event, Pinned, label


@dataclass(eq=False)
class Outbound:
    """What a chat has to send, and what decides about it."""

    name: str

    inbound: int | None = None
    shut: int | None = None
    generation: int = 0
    consent: int = 0
    marketing: int = 0  # what was decided of that alone
    seen: set[str] = field(default_factory=set)

    lane: list[Item] = field(default_factory=list)
    held: list[Item] = field(default_factory=list)
    held_until: dict[str, int] = field(default_factory=dict)
    pin: Pinned | None = None
    lane_due: int | None = None
    sender: str | None = None
    sender_lapsed: bool = False
    leads: dict[str, str] = field(default_factory=dict)
    gate: tuple[str, int] | None = None  # the item whose report is waited for, and until when
    opened: str | None = None  # the item that was reported before it was known to be taken
    recent: dict[str, int] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    pace: int = 0
    paused: int = 0
    slow: int = 0

    said: dict[str, int] = field(default_factory=dict)  # by label: in which order, each time anew
    sent: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    dead: dict[str, Event | Item] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def is_open(self, now: int) -> bool:
        return self.inbound is not None and self.inbound != self.shut and now < self.inbound + TERMS.open_for

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
        return "opted-out" if item.business and self._mark(item) > 0 else None

    def left_out(self, item: Item, now: int) -> str | None:
        """Why an item does not go that was never posted."""
        return self.barred(item) or withheld(
            business=item.business, purpose=item.purpose, opt_in=item.opt_in, mark=self._mark(item), human=False, expires=item.expires,
            now=now,
        )  # fmt: skip

    def _mark(self, item: Item) -> int:
        return decided(self.consent, self.marketing if item.purpose == "marketing" else 0)

    def may_go(self, item: Item, variant: Pin, now: int) -> bool:
        """Whether an item may be posted first this way."""
        if self._lead(item) is None and (self.left_out(item, now) or quiet_until(item.quiet, now)):
            return False
        return not self.barred(item) and (variant == "template" or not item.enforced or self.is_open(now))

    def lease_lane(self, now: int) -> Item | None:
        """The item that must be leased now, pinned; None where none may go."""
        if self.sender or (self.lane_due is not None and self.lane_due > now):
            return None
        if self.lane and self.paused > now:
            self.lane_due = self.paused
            return None
        if self.gate is not None and self.gate[1] <= now:
            self.gate = None
        if self.gate is not None and self.lane:
            self.lane_due = self.gate[1]
            return None
        while self.lane:
            item = self.lane[0]
            if self.pin and self.pin.known and not self.may_go(item, self.pin.variant, now):
                self.unchoose(item)
            if self.pin is None:
                due = self._pins(item, now)
                if due is not None:
                    self.lane_due = due
                    return None
            if self.pin is not None:
                self.lane_due = None
                return item
        self.lane_due = None
        return None

    def _pins(self, item: Item, now: int) -> int | None:
        """Pin the first item; or it left the lane, or made way. When to look again, where nothing may go before."""
        if asleep := self._asleep(item, now):
            if self._overtakes(lambda other: quiet_until(other.quiet, now) is None):
                return None
            return min(quiet_until(other.quiet, now) or asleep for other in self.lane)
        variant = self._goes(item, now)
        if variant is None:
            return None
        slow = self.slow > now  # then answers keep the pace, too, and their place
        if (item.business or slow) and (at := self._waits_for_pace(now)):
            return at if slow or not self._overtakes(lambda other: not other.business and not quiet_until(other.quiet, now)) else None
        self.pin = Pinned(variant, self.inbound)
        if item.cap and not item.again:
            self.recent.setdefault(item.id, now)
        if item.group and not item.rest:
            self.leads[item.group] = variant
        return None

    def _lead(self, item: Item) -> str | None:
        """How the first part of a content went, for the rest of it."""
        return self.leads.get(item.group) if item.rest else None

    def _verdict(self, item: Item, now: int) -> tuple[str, str | None]:
        """How an item goes by all but its hours and its cap, and why, where it is left out."""
        lead = self._lead(item)
        why = self.left_out(item, now) if lead is None else self.barred(item)
        if lead not in {None, "free", "template"}:
            why = why or lead
        verdict = choose(
            has_free=bool(item.free), has_template=bool(item.template), enforced=item.enforced, window_open=self.is_open(now),
            closed_policy=item.closed,
        )  # fmt: skip
        return "skip" if why or lead == "template" else verdict, why

    def _asleep(self, item: Item, now: int) -> int | None:
        """Until when an item waits that could go if it were day."""
        goes = self._verdict(item, now)[0] in {"free", "template"}
        return quiet_until(item.quiet, now) if goes and self._lead(item) is None else None

    def _capped(self, item: Item, now: int) -> bool:
        if item.cap is None or item.again or item.id in self.recent or self._lead(item) is not None:
            return False
        return sum(at > now - item.cap[1] for at in self.recent.values()) >= item.cap[0]

    def _goes(self, item: Item, now: int) -> Pin | None:
        """How the first item goes; None where it left the lane."""
        verdict, why = self._verdict(item, now)
        if verdict in {"free", "template"} and self._capped(item, now):
            verdict, why = "skip", "capped"
        if verdict in {"free", "template"}:
            return "free" if verdict == "free" else "template"
        del self.lane[0]
        if why and item.group and not item.rest:
            self.leads[item.group] = why
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

    def _overtakes(self, may: Callable[[Item], bool]) -> bool:
        """What may go does not wait behind what may not: an answer, or what has no quiet hours."""
        ahead = [item for item in self.lane if may(item)]
        self.lane = ahead + [item for item in self.lane if not may(item)]
        return bool(ahead)

    def reported(self, item: str, now: int) -> bool:
        """A message that leads was sent, or failed. Returns whether something waited for that."""
        if self.gate is not None and self.gate[0] == item:
            self.gate = None
            self.lane_due = None if self.lane_due is None else min(self.lane_due, now)
            return True
        if self.lane and self.lane[0].id == item:
            self.opened = item
        return False

    def cancel(self, item: Item, now: int) -> str:
        """Take a message back that was not posted yet."""
        if item.id in self.cancelled:
            return "cancelled"
        if item in self.lane:
            if self.lane[0] == item and self.pin is not None:
                if self.sender:
                    return "busy"
                if not self.pin.known:
                    return "gone"
                self.unchoose(item)
                self.lane_due = min(self.lane_due or now, now)
            self.lane.remove(item)
            self.lane_due = self.lane_due if self.lane else None
        elif item in self.held:
            self.held.remove(item)
        else:
            return "gone"
        self.cancelled.add(item.id)
        self.aside.append(label(item))
        return "cancelled"

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

    def unpin(self) -> None:
        self.pin = self.opened = None

    def unchoose(self, item: Item) -> None:
        """No post of it can have arrived: a cap does not count it."""
        self.unpin()
        self.recent.pop(item.id, None)

    def settled(self) -> Item:
        """The lane's first item is done with."""
        self.unpin()
        self.sender, self.sender_lapsed = None, False
        return self.lane.pop(0)

    def refused(self, inbound: int | None) -> None:
        """The platform found the window closed, of which the last message that we knew then was this one."""
        if inbound is not None and self.inbound == inbound:
            self.shut = inbound
