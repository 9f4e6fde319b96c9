"""The scripts against a model of them: any interleaving of two workers, lost leases, repeated calls and crashes (reliability 4.1, L1).

MODEL_EXAMPLES sets how many runs there are, for a long one; MODEL_SEED repeats one.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from pilotbot.engine import HOUR, Arrival, Claimed, Consent, Decision, Effects, Engine, Item, Lane, Notice, Place, PutAside, Timer, derived_id
from tests.engine.look import Look, keys_for_ever
from tests.engine.model import TERMS, Chat, Event, label

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
        item = self.item(shape) if shape else None
        return Timer(name=name, due=self.now + after, items=(Item(**{**_fields(item), "id": ""}),) if item else (), **more)

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
        idle, first = chat.holder is None and chat.due is None, event.body not in chat.seen
        waiting = sum(len(other.waiting) for other in self.chats.values() if self.shard(other) == self.shard(chat))
        outcome = chat.accept(event, self.now, busy=waiting >= TERMS.high_water // SHARDS)
        accepted = self.run(self.engine.accept(arrival))
        assert accepted.outcome == outcome
        assert accepted.wake_mailbox == (outcome == "ok" and idle)
        self.noted(accepted.put_aside)
        silent = chat.pin is not None and chat.lane[0].generation is not None
        if event.opens and outcome in {"ok", "noted", "dup"} and first:
            assert accepted.under_way == (chat.sender if chat.sender and silent else "")

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
