"""What happens beside the two ways: time passes, people decide, processes and connections are lost."""

from typing import Any, Literal

from hypothesis import strategies as st

from pilotbot.engine import HOUR, Consent, Decision, Engine, Item, Timer
from pilotbot.engine.keys import base
from tests.engine.model.bench import CONTACT, SHARDS, TIMER, WHICH, WORKER, Bench, step
from tests.engine.model.chat import Chat
from tests.engine.model.things import BURST, TERMS, Event, label

WEEK = 7 * 24 * HOUR  # dedupe remembers for longer


def leased(chat: Chat) -> bool:
    return bool(chat.holder or chat.sender)


class Upkeep(Bench):
    """Rules for all that is neither in nor out."""

    # --- time ---

    @step(2, hours=st.sampled_from((1, 2, 6, 25, 73)))
    def time_passes(self, hours: int) -> None:
        if self.offset + hours * HOUR < WEEK:
            self.offset += hours * HOUR
            self.do(lambda: self.run(self.engine.advance(self.offset)))

    @step(3, name=CONTACT, timer=TIMER, since=st.sampled_from((None, None, 0, 1)))
    def follow_up(self, name: str, timer: dict[str, Any], since: int | None) -> None:
        """Set, replaced, or forgotten; decided before the last so many messages of the contact, or just now."""
        made = self.timer(**timer, generation=None if since is None else self.chats[name].generation - since)
        self.do(lambda: self._follow_up(name, made))

    def _follow_up(self, name: str, timer: Timer) -> None:
        chat, place = self.chats[name], self.places[name]
        done = chat.arm(timer, chat.generation if timer.generation is None else timer.generation)
        chat.notes.clear()  # who sets it from outside a turn is told no more
        assert self.run(self.engine.timers.set(place.key.shard, [(place, timer)])) == [done]

    @step(3, needs=lambda self: self.any(lambda chat: chat.timers))
    def fire(self) -> None:
        self.do(self._fire)

    def _fire(self) -> None:
        for shard in range(SHARDS):
            due = sum(chat.fire(self.now) for chat in self.here(shard))
            fired, notes = self.run(self.engine.timers.fire(shard))
            assert fired == due
            self.noted(notes)

    @step(needs=lambda self: self.any(lambda chat: chat.held))
    def sweep(self) -> None:
        self.do(self._sweep)

    def _sweep(self) -> None:
        for shard in range(SHARDS):
            for chat in self.here(shard):
                chat.sweep(self.now)
            self.noted(self.run(self.engine.sweep(shard)))

    # --- what people decide ---

    @step(
        3, name=CONTACT, what=st.sampled_from(("out", "in")), age=st.sampled_from((0, HOUR)), purpose=st.sampled_from(("all", "marketing"))
    )  # fmt: skip
    def decide(self, name: str, what: Literal["out", "in"], age: int, purpose: Literal["all", "marketing"]) -> None:
        self.made += 1
        at = self.now - age + self.made  # never two at the same time
        entry = Consent(what=what, at=at, source="word", evidence="", purpose=purpose)
        self.do(lambda: self._decide(name, entry))

    def _decide(self, name: str, entry: Consent) -> None:
        chat, place = self.chats[name], self.places[name]
        if entry.purpose == "all" and entry.at >= abs(chat.consent):
            chat.consent = entry.mark
        elif entry.purpose == "marketing" and entry.at >= abs(chat.marketing):
            chat.marketing = entry.mark
        person = self.engine.keys.person(name)
        if not chat.sender:
            self.run(self.engine.decide(Decision(entry=entry, person=person, chats=(place.key,))))
            return
        marks = self.run(self.engine.consents.record(person, entry))  # the same, without the wait for what is under way
        assert (marks.get("all", 0), marks.get("marketing", 0)) == (chat.consent, chat.marketing)
        assert self.run(self.engine.consents.mark(place.key, marks)) == chat.sender

    @step(needs=lambda self: self.any(lambda chat: chat.dead), which=WHICH, drop=st.booleans())
    def look_after_the_dead(self, which: int, drop: bool) -> None:
        letters = sorted(self.run(self.engine.dead_letters()), key=lambda letter: letter.payload)
        letter = letters[which % len(letters)]
        chat = self.chats[self.names[letter.chat]]
        name = letter.payload if letter.kind == "event" else label(Item.unpack(letter.payload.encode()))
        self.do(lambda: self._look_after(chat, letter.id, name, drop=drop))

    def _look_after(self, chat: Chat, letter: str, name: str, *, drop: bool) -> None:
        found = chat.dead.get(name)
        full = not drop and (len(chat.waiting) >= TERMS.depth if isinstance(found, Event) else found and chat.left_out(found, self.now))
        done = self.run(self.engine.drop_dead(letter) if drop else self.engine.retry_dead(letter))
        assert done == (found is not None and not full)
        if found is None or full:
            return
        del chat.dead[name]
        if isinstance(found, Event):
            if not drop:
                box = f"{base(self.shard(chat))}:mailbox:{self.places[chat.name].key.id}"
                latest: Any = self.redis.zrange(box, -1, -1, withscores=True)
                chat.put_back(found, int(latest[0][1]), self.now)
        elif drop:
            del chat.said[name]
        else:
            chat.say(found, self.now)

    # --- trouble ---

    @step(5, needs=lambda self: self.last)
    def reply_lost(self) -> None:
        """The last call is repeated. That changes nothing, but that a lease may be given back that nobody knew of."""
        assert self.last is not None
        before = [chat.facts() for chat in self.chats.values()]
        self.last()
        assert [chat.facts() for chat in self.chats.values()] == before

    @step(2, needs=lambda self: self.any(leased))
    def leases_run_out(self) -> None:
        """Whoever has them goes on, until somebody takes them back."""
        for shard in range(SHARDS):
            for zset in ("lease", "lane:lease"):
                name = f"{base(shard)}:{zset}"
                for c in self.redis.zrange(name, 0, -1):
                    self.redis.zadd(name, {str(c): 0})
        for chat in self.chats.values():
            chat.lapsed, chat.sender_lapsed = chat.holder is not None, chat.sender is not None

    @step(needs=lambda self: self.any(leased), worker=WORKER, what=st.sampled_from(("mailbox", "lane", "both")), restarts=st.booleans())
    def connection_lost(self, worker: int, what: Literal["mailbox", "lane", "both"], restarts: bool) -> None:
        """A worker gives back what it was leased and does not know of; one that starts anew knows of nothing."""
        engine = self.engines[worker]
        known = [] if restarts else [(by, turn.token) for by, turn in self.turns] + [(by, lane.token) for by, lane in self.lanes]
        kept = [token for by, token in known if by is engine]
        self.do(lambda: self._let_go(engine, what, kept))

    def _let_go(self, engine: Engine, what: Literal["mailbox", "lane", "both"], kept: list[str]) -> None:
        for shard in range(SHARDS):
            self.run(engine.let_go(shard, what, kept))
        for chat in self.chats.values():
            if what != "lane" and chat.holder and chat.holder.startswith(engine.worker) and chat.holder not in kept:
                chat.release(self.now)
            if what != "mailbox" and chat.sender and chat.sender.startswith(engine.worker) and chat.sender not in kept:
                chat.give_up(self.now)

    @step(needs=lambda self: self.any(leased), worker=WORKER)
    def renew(self, worker: int) -> None:
        engine = self.engines[worker]
        for shard in range(SHARDS):
            here = self.here(shard)
            turns = [(turn.key.id, turn.token) for by, turn in self.turns if by is engine and turn.key.shard == shard]
            lanes = [(lane.key.id, lane.token) for by, lane in self.lanes if by is engine and lane.key.shard == shard]
            asked = {token for _, token in (*turns, *lanes)}
            held = asked & {token for chat in here for token in (chat.holder, chat.sender)}
            assert self.run(engine.renew(shard, turns, lanes)) == asked - held
            for chat in here:
                chat.lapsed &= chat.holder not in held
                chat.sender_lapsed &= chat.sender not in held

    @step(name=st.none() | CONTACT)
    def told_to_wait(self, name: str | None) -> None:
        """The platform refuses the number for an hour, or wants less for one contact."""
        self.do(lambda: self._pause() if name is None else self._slow_down(name))

    def _pause(self) -> None:
        for chat in self.chats.values():
            chat.paused = max(chat.paused, self.now + HOUR)
        self.run(self.engine.pause("main", HOUR))

    def _slow_down(self, name: str) -> None:
        chat = self.chats[name]
        chat.slow, chat.pace = self.now + 3 * HOUR, max(chat.pace, self.now + BURST + TERMS.chat_gap)
        self.run(self.engine.slow_down(self.places[name].key, 3 * HOUR))
