"""The scripts against a model of them: any interleaving of two workers, lost leases, repeated calls and crashes (reliability 4.1, L1).

MODEL_EXAMPLES sets how many runs there are, for a long one; MODEL_SEED repeats one.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from pilotbot.engine import HOUR, Arrival, Claimed, Consent, Decision, Effects, Engine, Item, Lane, Notice, Place, PutAside, Record, Timer, derived_id
from pilotbot.engine.keys import base
from tests.engine.look import Look, keys_for_ever, letters, timers
from tests.engine.model import BURST, TERMS, Chat, Event, label

T = TypeVar("T")
SHARDS = 2
CONTACTS = ("ana", "bruno", "carla")
CONTACT = st.sampled_from(("ana", "ana", *CONTACTS))  # one of them has much to do
WORKER = st.integers(0, 1)
AGE = st.sampled_from((0, 1, 2, 2 * HOUR, 23 * HOUR, 30 * HOUR, 9 * 24 * HOUR))
WEEK = 7 * 24 * HOUR  # dedupe remembers for longer

SHAPES: dict[str, dict[str, Any]] = {
    "text": {"free": True, "enforced": True},
    "text or template": {"free": True, "template": True, "enforced": True},
    "template": {"template": True},
    "unbound": {"free": True},
    "text, or skipped": {"free": True, "enforced": True, "closed": "skip"},
    "text, or failed": {"free": True, "enforced": True, "closed": "fail"},
}
SHAPE = st.sampled_from(tuple(SHAPES))
Verdict = Literal["unposted", "retry", "again", "dead"]
VERDICTS: tuple[Verdict, ...] = ("unposted", "retry", "retry", "again", "dead")
TIMER = st.fixed_dictionaries(
    {
        "name": st.sampled_from(("a" * 12, "b" * 12, "c" * 12)),
        "shape": st.none() | SHAPE,  # None: to be forgotten
        "after": st.sampled_from((-2 * HOUR, 0, HOUR, 20 * HOUR)),
        "silence": st.booleans(),
        "late": st.sampled_from(("run", "skip", "coalesce")),
        "before_close": st.sampled_from((None, None, HOUR)),
    }
)


class Machine(RuleBasedStateMachine):
    """Two workers on one Redis, step by step. Each rule tells the model and the engine the same, and compares what they answer."""

    socket: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis(unix_socket_path=str(self.socket), decode_responses=True)
        self.redis.flushall()
        self.redis.hset("{pb}:conf", "pepper", "00" * 16)  # the same shards in every run, so that a failure can be shrunk
        self.engines = [Engine(f"unix://{self.socket}", shards=SHARDS, terms=TERMS) for _ in range(2)]
        for engine in self.engines:
            self.run(engine.open())
        self.engine = self.engines[0]  # for what is no worker's
        keys = self.engine.keys
        self.places = {name: Place(key=keys.chat("main", name), number="main", kind="contact", address=name) for name in CONTACTS}
        self.names = {place.key: name for name, place in self.places.items()}
        self.chats = {name: Chat(name) for name in CONTACTS}
        self.turns: list[tuple[Engine, Claimed]] = []
        self.lanes: list[tuple[Engine, Lane]] = []
        self.staged: list[tuple[int, Notice]] = []
        self.refusable: dict[str, str] = {}  # platform id -> who; what may be refused late for the window
        self.tokens: Counter[int] = Counter()
        self.made = 0
        self.start = int(self.redis.time()[0]) * 1000  # type: ignore[index]
        self.offset = 0
        self.last: Callable[[], object] | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def do(self, step: Callable[[], object]) -> None:
        """A step that a lost reply has repeated."""
        self.last = step
        step()

    def teardown(self) -> None:
        for engine in self.engines:
            self.run(engine.close())
        self.runner.close()
        self.redis.close()

    # --- what rules are made of ---

    @property
    def now(self) -> int:
        return self.start + self.offset

    def chat(self, lease: Claimed | Lane) -> Chat:
        return self.chats[self.names[lease.key]]

    def shard(self, chat: Chat) -> int:
        return self.places[chat.name].key.shard

    def item(self, shape: str, **more: Any) -> Item:
        """A message that there is only one of."""
        self.made += 1
        given = {"id": derived_id(self.made), **SHAPES[shape], **more}
        for part in ("free", "template"):
            given[part] = b'{"%s":"#%d#"}' % (part.encode(), self.made) if given.get(part) else b""
        return Item(**given)

    def timer(self, name: str, shape: str | None, after: int, **more: Any) -> Timer:
        return Timer(name=name, due=self.now + after, items=(replace(self.item(shape), id=""),) if shape else (), **more)

    def noted(self, notes: Sequence[PutAside]) -> None:
        """What was put aside is what the model put aside."""
        expected = Counter(note for chat in self.chats.values() for note in chat.notes)
        for chat in self.chats.values():
            chat.notes.clear()
        assert Counter((note.what, note.why) for note in notes) == expected

    def fresh(self, shard: int, token: str) -> None:
        number = int(token.rpartition("}")[2])
        assert number > self.tokens[shard], "a token is not newer than all before it"
        self.tokens[shard] = number

    def take(self, engine: Engine, turn: Claimed, *, heard: bool = True) -> None:
        """A chat was leased."""
        chat = self.chat(turn)
        assert chat.holder is None, "a chat is leased twice"
        event = chat.head()
        assert (turn.body.decode(), turn.mark, int(turn.seq)) == (event.body, event.mark, event.seq), "not its turn"
        assert (turn.crashes, turn.tries, turn.errors) == tuple(event.blames[what] for what in ("crashes", "tries", "errors"))
        assert int(turn.fields.get("count", b"0")) == len(chat.done), "state is not that of the last commit"
        assert turn.generation == chat.generation
        assert turn.late == (event.time < chat.handled)
        chat.lease(turn.token)
        if heard:
            self.turns.append((engine, turn))

    def take_lane(self, engine: Engine, chat: Chat, lane: Lane | None, *, heard: bool = True) -> None:
        """A lane was leased, or not: as it must be."""
        expected = chat.lease_lane(self.now)
        assert (lane is None) == (expected is None)
        if lane is None or expected is None or chat.pin is None:
            return
        self.fresh(lane.key.shard, lane.token)
        assert (label(lane.item), lane.item.body(lane.pin)) == (label(expected), expected.body(chat.pin.variant))
        assert (lane.pin, lane.unknown, lane.tries) == (chat.pin.variant, not chat.pin.known, chat.pin.tries)
        assert lane.inbound == ("" if chat.pin.inbound is None else str(chat.pin.inbound))
        if not lane.unknown:  # then this is the first post that can arrive
            assert chat.may_go(lane.item, lane.pin, self.now), "what must not go any more"
            mine = chat.said[label(lane.item)]
            passed = [item for item in chat.lane if chat.said[label(item)] < mine]
            assert all(item.business for item in passed) and not (passed and lane.item.business), "out of order"
        chat.sender = lane.token
        if heard:
            self.lanes.append((engine, lane))

    # --- in ---

    @rule(
        name=CONTACT, what=st.integers(0, 9), age=AGE, kind=st.sampled_from("rrrrqe"), keep_old=st.booleans(), note_only=st.sampled_from((0, 0, 0, 1))
    )
    def accept(self, name: str, what: int, age: int, kind: str, keep_old: bool, note_only: int) -> None:
        at = self.now - age
        more: dict[str, Any] = {"opens": kind != "e", "ages": kind != "e", "keep_old": keep_old, "note_only": bool(note_only)}
        message = "" if kind == "e" else f"m{what}"
        self.do(lambda: self._accept(name, Event(f"{kind}{what}", at, kind, message, **more)))

    def _accept(self, name: str, event: Event) -> None:
        chat = self.chats[name]
        arrival = Arrival(
            place=self.places[name], id=event.body, at=event.time, body=event.body.encode(), mark=event.mark, message_id=event.message,
            opens_window=event.opens, ages=event.ages, keep_old=event.keep_old, note_only=event.note_only,
        )  # fmt: skip
        idle = chat.holder is None and chat.due is None
        waiting = sum(len(other.waiting) for other in self.chats.values() if self.shard(other) == self.shard(chat))
        outcome = chat.accept(event, self.now, busy=waiting >= TERMS.high_water // SHARDS)
        accepted = self.run(self.engine.accept(arrival))
        assert accepted.outcome == outcome
        assert accepted.wake_mailbox == (outcome == "ok" and idle)
        self.noted(accepted.put_aside)
        forbids = event.opens and event.mark != "o" and outcome in {"ok", "noted", "dup"}
        silent = chat.pin is not None and chat.lane[0].generation is not None
        assert accepted.under_way == (chat.sender if forbids and silent and chat.sender else "")

    @rule(worker=WORKER, most=st.sampled_from((1, 10)), reap=st.booleans(), heard=st.booleans())
    def claim(self, worker: int, most: int, reap: bool, heard: bool) -> None:
        """Where the reply is not heard, chats are leased that nobody works on."""
        engine = self.engines[worker]
        self.last = None
        for shard in range(SHARDS):
            here = [chat for chat in self.chats.values() if self.shard(chat) == shard]
            for chat in here:
                if reap and chat.lapsed:
                    chat.crash(self.now)
            able = {chat.name for chat in here if chat.due is not None and chat.due <= self.now}
            turns = self.run(engine.claim(shard, most, reap=reap))
            assert len(turns) == min(most, len(able))
            assert {self.chat(turn).name for turn in turns} <= able
            for turn in turns:
                self.fresh(shard, turn.token)
                self.take(engine, turn, heard=heard)

    # --- a turn ends, in time or too late ---

    @precondition(lambda self: self.turns)
    @rule(
        data=st.data(), keep=st.booleans(), send=st.booleans(), says=st.lists(SHAPE, max_size=2), to=st.none() | CONTACT, timer=st.none() | TIMER
    )
    def commit(
        self, data: st.DataObject, keep: bool, send: bool, says: list[str], to: str | None, timer: dict[str, Any] | None
    ) -> None:
        engine, turn = self.drawn(data, self.turns)
        notice = Notice(place=self.places[to], items=(self.item("template", business=True),)) if to else None
        effects = Effects(
            sets={"count": str(int(turn.fields.get("count", b"0")) + 1).encode()},
            items=tuple(self.item(shape) for shape in says),
            notices=(notice,) if notice else (),
            timers=(self.timer(**timer),) if timer else (),
        )
        self.do(lambda: self._commit(engine, turn, effects, keep=keep, send=send))

    def _commit(self, engine: Engine, turn: Claimed, effects: Effects, *, keep: bool, send: bool) -> None:
        chat = self.chat(turn)
        outcome = chat.commit(turn.token, int(turn.seq), self.now)
        settled = self.run(engine.commit(turn, effects, keep=keep, send=send))
        assert settled.outcome == outcome
        if outcome == "ok":
            self.staged += ((turn.key.shard, notice) for notice in effects.notices)
            new = chat.effect(effects, turn.generation, self.now)
            if new and send:
                self.take_lane(engine, chat, settled.lane)
            else:
                assert settled.lane is None
            self.go_on(engine, chat, settled.next, keep=keep)
        else:
            assert (settled.next, settled.lane) == (None, None)
        self.noted(settled.put_aside)

    def go_on(self, engine: Engine, chat: Chat, following: Claimed | None, *, keep: bool) -> None:
        """After an event was settled."""
        assert (following is not None) == (keep and bool(chat.waiting))
        chat.release(self.now)
        if following is not None:
            self.take(engine, following)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), ordinal=st.sampled_from("01"), shape=SHAPE)
    def emit(self, data: st.DataObject, ordinal: str, shape: str) -> None:
        engine, turn = data.draw(st.sampled_from(self.turns))
        item = self.item(shape)
        self.do(lambda: self._emit(engine, turn, ordinal, item))

    def _emit(self, engine: Engine, turn: Claimed, ordinal: str, item: Item) -> None:
        chat = self.chat(turn)
        outcome, lane, notes = self.run(engine.emit(turn, ordinal, item))
        if chat.holder != turn.token:
            assert outcome == "stale"
        elif ordinal in chat.emitted:
            assert outcome == "dup"
        else:
            assert outcome == "ok"
            chat.release_held(self.now, business=True)
            chat.emitted.add(ordinal)
            chat.say(item, self.now)
            self.take_lane(engine, chat, lane)
        assert lane is None or outcome == "ok"
        self.noted(notes)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), delay=st.sampled_from((0, HOUR)), counts_as=st.sampled_from(("tries", "errors")))
    def retry(self, data: st.DataObject, delay: int, counts_as: Literal["tries", "errors"]) -> None:
        engine, turn = self.drawn(data, self.turns)
        self.do(lambda: self._retry(engine, turn, delay, counts_as))

    def _retry(self, engine: Engine, turn: Claimed, delay: int, counts_as: Literal["tries", "errors"]) -> None:
        chat = self.chat(turn)
        settled = self.run(engine.retry(turn, delay, counts_as=counts_as))
        if chat.holder != turn.token or chat.running is None or chat.running.seq != int(turn.seq):
            assert settled.outcome == "stale"
            return
        assert settled.outcome == "ok"
        chat.running.blames[counts_as] += 1
        chat.release(self.now + delay)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), keep=st.booleans())
    def bury(self, data: st.DataObject, keep: bool) -> None:
        engine, turn = self.drawn(data, self.turns)
        self.do(lambda: self._bury(engine, turn, keep=keep))

    def _bury(self, engine: Engine, turn: Claimed, *, keep: bool) -> None:
        chat = self.chat(turn)
        outcome = chat.bury(turn.token, int(turn.seq), self.now)
        settled = self.run(engine.bury(turn, reason="test", detail="", keep=keep))
        assert settled.outcome == outcome
        self.noted(settled.put_aside)
        if outcome == "ok":
            self.go_on(engine, chat, settled.next, keep=keep)

    def drawn(self, data: st.DataObject, leases: list[tuple[Engine, T]]) -> tuple[Engine, T]:
        """One of the leases, which its worker is then done with."""
        return leases.pop(data.draw(st.integers(0, len(leases) - 1)))

    # --- out ---

    @rule(name=CONTACT, what=st.integers(0, 3), shape=SHAPE, business=st.booleans(), parts=st.booleans())
    def enqueue(self, name: str, what: int, shape: str, business: bool, parts: bool) -> None:
        first = self.item(shape, id=f"{name}-{what}", business=business, group="g" * parts)
        rest = (self.item("text", business=business, group="g", rest=True),) if parts else ()
        self.do(lambda: self._enqueue(Notice(place=self.places[name], items=(first, *rest))))

    def _enqueue(self, notice: Notice, *, bury: bool = False) -> None:
        outcome = self.chats[self.names[notice.place.key]].enqueue(notice.items, self.now)
        assert self.run(self.engine.enqueue(notice, bury=bury)) == (outcome, ())

    @precondition(lambda self: self.staged)
    @rule(dies=st.booleans())
    def relay(self, dies: bool) -> None:
        """What commits staged goes to its own chats; a process that dies over it leaves it to be done again."""
        self.do(lambda: self._relay(dies=dies))

    def _relay(self, *, dies: bool) -> None:
        if dies:
            for _, notice in self.staged:
                self._enqueue(notice, bury=True)
            return
        for shard in range(SHARDS):
            mine = [notice for there, notice in self.staged if there == shard]
            for notice in mine:
                self.chats[self.names[notice.place.key]].enqueue(notice.items, self.now)
            notices, notes = self.run(self.engine.relay_leftovers(shard, older_than=0))
            assert (sorted(notice.id for notice in notices), notes) == (sorted(notice.id for notice in mine), ())
        self.staged.clear()

    @rule(worker=WORKER, reap=st.booleans(), heard=st.booleans())
    def claim_lanes(self, worker: int, reap: bool, heard: bool) -> None:
        engine = self.engines[worker]
        self.last = None
        for shard in range(SHARDS):
            here = [chat for chat in self.chats.values() if self.shard(chat) == shard]
            for chat in here:
                if reap and chat.sender_lapsed:
                    chat.give_up(self.now)
            leases, notes = self.run(engine.claim_lanes(shard, 10, reap=reap))
            others = [chat for chat in here if chat.lane_due is not None and chat.lane_due <= self.now]
            for lane in leases:
                others.remove(self.chat(lane))
                self.take_lane(engine, self.chat(lane), lane, heard=heard)
            for chat in others:
                self.take_lane(engine, chat, None)
            self.noted(notes)

    @precondition(lambda self: self.lanes)
    @rule(data=st.data())
    def sent(self, data: st.DataObject) -> None:
        engine, lane = self.drawn(data, self.lanes)
        self.do(lambda: self._sent(engine, lane))

    def _sent(self, engine: Engine, lane: Lane) -> None:
        chat, platform_id = self.chat(lane), lane.item.key(lane.pin)
        again = self.run(engine.record(lane, platform_id)).again
        assert (again is not None) == (lane.pin == "free" and lane.item.enforced and not lane.item.again)
        if again is not None:
            self.refusable[platform_id] = chat.name
        settled = self.run(engine.sent(lane))
        assert settled.outcome == ("ok" if chat.sender == lane.token else "stale")
        if chat.sender == lane.token:
            chat.sent.append(label(chat.settled()))
            chat.lane_due = None
            self.take_lane(engine, chat, settled.lane)
        else:
            assert settled.lane is None
        self.noted(settled.put_aside)

    @precondition(lambda self: self.lanes)
    @rule(data=st.data(), verdict=st.sampled_from(VERDICTS), delay=st.sampled_from((0, 0, HOUR)), unknown=st.booleans())
    def unsent(self, data: st.DataObject, verdict: Verdict, delay: int, unknown: bool) -> None:
        engine, lane = self.drawn(data, self.lanes)
        self.do(lambda: self._unsent(engine, lane, verdict, delay, unknown=lane.unknown or unknown))

    def _unsent(self, engine: Engine, lane: Lane, verdict: Verdict, delay: int, *, unknown: bool) -> None:
        chat = self.chat(lane)
        outcome = self.run(engine.unsent(lane, verdict, delay=delay, unknown=unknown, reason="test"))
        assert outcome == ("ok" if chat.sender == lane.token else "stale")
        if chat.sender != lane.token or chat.pin is None:
            return
        at = self.now
        if verdict == "dead":
            item = chat.settled()
            chat.dead[label(item)] = item
        elif verdict == "again":
            chat.refused(chat.pin.inbound)
            chat.pin = None
        else:
            at += delay
            if verdict == "retry":
                chat.pin.known, chat.pin.tries = not unknown, chat.pin.tries + 1
        chat.let_lane_go(at)

    @precondition(lambda self: self.refusable)
    @rule(data=st.data())
    def refused_late(self, data: st.DataObject) -> None:
        """The platform says of a message that it took that the window was closed: decided again, once."""
        platform_id = data.draw(st.sampled_from(sorted(self.refusable)))
        chat = self.chats[self.refusable.pop(platform_id)]
        _, record = self.run(self.engine.merge_status(platform_id, "failed", code="META_OUTSIDE_24H_WINDOW", message_id=None))
        again = record.again
        assert again is not None
        self.do(lambda: self._decide_again(chat, record, again))

    def _decide_again(self, chat: Chat, record: Record, again: Item) -> None:
        outcome = chat.enqueue((again,), self.now)
        if outcome == "ok":
            chat.refused(int(record.inbound) if record.inbound else None)
        assert self.run(self.engine.decide_again(record)) == (outcome, ())

    # --- time ---

    @rule(hours=st.sampled_from((1, 2, 6, 25, 73)))
    def time_passes(self, hours: int) -> None:
        if self.offset + hours * HOUR < WEEK:
            self.offset += hours * HOUR
            self.do(lambda: self.run(self.engine.advance(self.offset)))

    @rule(name=CONTACT, timer=TIMER)
    def follow_up(self, name: str, timer: dict[str, Any]) -> None:
        """Set, replaced, or forgotten."""
        made = self.timer(**timer)
        self.do(lambda: self._follow_up(name, made))

    def _follow_up(self, name: str, timer: Timer) -> None:
        chat, place = self.chats[name], self.places[name]
        done = chat.arm(timer, chat.generation)
        assert self.run(self.engine.timers.set(place.key.shard, [(place, timer)])) == [done]

    @rule()
    def fire(self) -> None:
        self.do(self._fire)

    def _fire(self) -> None:
        for shard in range(SHARDS):
            due = sum(chat.fire(self.now) for chat in self.chats.values() if self.shard(chat) == shard)
            fired, notes = self.run(self.engine.timers.fire(shard))
            assert fired == due
            self.noted(notes)

    @rule()
    def sweep(self) -> None:
        self.do(self._sweep)

    def _sweep(self) -> None:
        for shard in range(SHARDS):
            for chat in self.chats.values():
                if self.shard(chat) == shard:
                    chat.sweep(self.now)
            self.noted(self.run(self.engine.sweep(shard)))

    # --- what people decide ---

    @rule(name=CONTACT, what=st.sampled_from(("out", "in")), age=st.sampled_from((0, HOUR)))
    def decide(self, name: str, what: Literal["out", "in"], age: int) -> None:
        self.made += 1
        entry = Consent(what=what, at=self.now - age + self.made, source="word", evidence="")  # never two at the same time
        self.do(lambda: self._decide(name, entry))

    def _decide(self, name: str, entry: Consent) -> None:
        chat, place = self.chats[name], self.places[name]
        if entry.at >= abs(chat.consent):
            chat.consent = entry.mark
        person = self.engine.keys.person(name)
        if not chat.sender:
            self.run(self.engine.decide(Decision(entry=entry, person=person, chats=(place.key,))))
            return
        mark = self.run(self.engine.consents.record(person, entry))  # the same, without the wait for what is under way
        assert mark == chat.consent
        assert self.run(self.engine.consents.mark(place.key, mark)) == chat.sender

    @precondition(lambda self: any(chat.dead for chat in self.chats.values()))
    @rule(data=st.data(), drop=st.booleans())
    def look_after_the_dead(self, data: st.DataObject, drop: bool) -> None:
        letter = data.draw(st.sampled_from(sorted(self.run(self.engine.dead_letters()), key=lambda letter: letter.payload)))
        chat = self.chats[self.names[letter.chat]]
        name = letter.payload if letter.kind == "event" else label(Item.unpack(letter.payload.encode()))
        self.do(lambda: self._look_after(chat, letter.id, name, drop=drop))

    def _look_after(self, chat: Chat, letter: str, name: str, *, drop: bool) -> None:
        found = chat.dead.get(name)
        full = isinstance(found, Event) and len(chat.waiting) >= TERMS.depth and not drop
        done = self.run(self.engine.drop_dead(letter) if drop else self.engine.retry_dead(letter))
        assert done == (found is not None and not full)
        if found is None or full:
            return
        del chat.dead[name]
        if isinstance(found, Event):
            if not drop:
                box = f"{base(self.shard(chat))}:mailbox:{self.places[chat.name].key.id}"
                _, time = self.redis.zrange(box, -1, -1, withscores=True)[0]  # type: ignore[index]
                chat.put_back(found, int(time), self.now)
        elif drop:
            del chat.said[name]
        else:
            chat.say(found, self.now)

    # --- trouble ---

    @precondition(lambda self: self.last)
    @rule()
    def reply_lost(self) -> None:
        """The last call is repeated. That changes nothing, but that a lease may be given back that nobody knew of."""
        assert self.last is not None
        before = [chat.facts() for chat in self.chats.values()]
        self.last()
        assert [chat.facts() for chat in self.chats.values()] == before

    @rule()
    def leases_run_out(self) -> None:
        """Whoever has them goes on, until somebody takes them back."""
        for shard in range(SHARDS):
            for zset in ("lease", "lane:lease"):
                name = f"{base(shard)}:{zset}"
                for c in self.redis.zrange(name, 0, -1):
                    self.redis.zadd(name, {str(c): 0})
        for chat in self.chats.values():
            chat.lapsed, chat.sender_lapsed = chat.holder is not None, chat.sender is not None

    @rule(worker=WORKER, what=st.sampled_from(("mailbox", "lane", "both")), restarts=st.booleans())
    def connection_lost(self, worker: int, what: Literal["mailbox", "lane", "both"], restarts: bool) -> None:
        """A worker gives back what it was leased and does not know of; one that starts anew knows of nothing."""
        engine = self.engines[worker]
        kept = [] if restarts else [lease.token for mine, lease in (*self.turns, *self.lanes) if mine is engine]
        self.do(lambda: self._let_go(engine, what, kept))

    def _let_go(self, engine: Engine, what: Literal["mailbox", "lane", "both"], kept: list[str]) -> None:
        for shard in range(SHARDS):
            self.run(engine.let_go(shard, what, kept))
        for chat in self.chats.values():
            if what != "lane" and chat.holder and chat.holder.startswith(engine.worker) and chat.holder not in kept:
                chat.release(self.now)
            if what != "mailbox" and chat.sender and chat.sender.startswith(engine.worker) and chat.sender not in kept:
                chat.give_up(self.now)

    @rule(worker=WORKER)
    def renew(self, worker: int) -> None:
        engine = self.engines[worker]
        for shard in range(SHARDS):
            turns = [turn for mine, turn in self.turns if mine is engine and turn.key.shard == shard]
            lanes = [lane for mine, lane in self.lanes if mine is engine and lane.key.shard == shard]
            lost = self.run(engine.renew(shard, [(turn.key.id, turn.token) for turn in turns], [(lane.key.id, lane.token) for lane in lanes]))
            for turn in turns:
                assert (turn.token in lost) == (self.chat(turn).holder != turn.token)
            for lane in lanes:
                assert (lane.token in lost) == (self.chat(lane).sender != lane.token)
            for chat in (self.chat(lease) for lease in (*turns, *lanes) if lease.token not in lost):
                chat.lapsed &= chat.holder not in {turn.token for turn in turns}
                chat.sender_lapsed &= chat.sender not in {lane.token for lane in lanes}

    @rule(name=st.none() | CONTACT)
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

    # --- what always holds ---

    @invariant()
    def redis_holds_what_the_model_says(self) -> None:
        for chat, look in zip(self.chats.values(), Look.at(self.redis, self.places.values()), strict=True):
            look.says_who_is_busy(chat)
            look.keeps_what_came(chat)
            look.keeps_what_was_said(chat)
        for shard in range(SHARDS):
            here = [chat for chat in self.chats.values() if self.shard(chat) == shard]
            armed = {f"{self.places[chat.name].key.id}:{name}": one.due for chat in here for name, one in chat.timers.items()}
            assert timers(self.redis, shard) == (armed, set(armed))
            assert letters(self.redis, shard) == sorted(name for chat in here for name in chat.dead)
            assert int(self.redis.get(f"{base(shard)}:waiting") or 0) == sum(len(chat.waiting) for chat in here)  # type: ignore[arg-type]
            assert self.redis.zcard(f"{base(shard)}:relay") == sum(there == shard for there, _ in self.staged)
        assert keys_for_ever(self.redis) == set()


def test_any_interleaving_keeps_the_promises(redis_socket: Path) -> None:
    """I1 to I8 of reliability 4.1 hold after every step."""
    Machine.socket = redis_socket
    machine = seed(int(os.environ["MODEL_SEED"]))(Machine) if "MODEL_SEED" in os.environ else Machine
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("MODEL_EXAMPLES", "100")), stateful_step_count=50, deadline=None,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip
