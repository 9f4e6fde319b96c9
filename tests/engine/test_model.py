"""The scripts against a model of them: any interleaving of two workers, lost leases, repeated calls and crashes (reliability 4.1, L1)."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from pilotbot.engine import Arrival, Claimed, Effects, Engine, Item, Lane, Place
from pilotbot.engine.keys import base

T = TypeVar("T")
SHARDS = 2
CONTACTS = ("ana", "bruno", "carla")
NOW = 1_000_000  # event times; far below the real time, which orders by them all the same
OLD_ENOUGH = 7 * 86_400_000


@dataclass
class Chat:
    """What must be true of a chat."""

    waiting: dict[str, int] = field(default_factory=dict)  # event id -> time
    arrived: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    holder: str | None = None  # the token that may commit
    running: str | None = None
    committed: list[str] = field(default_factory=list)
    buried: list[str] = field(default_factory=list)
    lane: list[str] = field(default_factory=list)
    sender: str | None = None
    sent: list[str] = field(default_factory=list)

    def let_go(self, token: str) -> None:
        if self.holder == token:
            self.holder = self.running = None

    def head(self) -> str:
        """The event that is next: by time, then by arrival."""
        return min(self.waiting, key=lambda event: (self.waiting[event], self.arrived.index(event)))


class Machine(RuleBasedStateMachine):
    """Two workers on one Redis, step by step."""

    socket: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis(unix_socket_path=str(self.socket), decode_responses=True)
        self.redis.flushall()
        self.redis.hset("{pb}:conf", "pepper", "00" * 16)  # the same shards in every run, so that a failure can be shrunk
        self.engines = [Engine(f"unix://{self.socket}", shards=SHARDS) for _ in range(2)]
        for engine in self.engines:
            self.run(engine.open())
        keys = self.engines[0].keys
        self.places = {name: Place(key=keys.chat("main", name), number="main", kind="contact", address=name) for name in CONTACTS}
        self.names = {place.key.id: name for name, place in self.places.items()}
        self.chats = {name: Chat() for name in CONTACTS}
        self.turns: list[tuple[Engine, Claimed]] = []
        self.lanes: list[tuple[Engine, Lane]] = []
        self.clock = int(self.redis.time()[0]) * 1000 - OLD_ENOUGH

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        for engine in self.engines:
            self.run(engine.close())
        self.runner.close()
        self.redis.close()

    def name(self, claimed: Claimed | Lane) -> str:
        return self.names[claimed.key.id]

    @initialize()
    def begin(self) -> None:
        assert all(self.run(engine.ready()) for engine in self.engines)

    # --- in ---

    @rule(name=st.sampled_from(CONTACTS), event=st.integers(0, 12), time=st.integers(0, 3))
    def accept(self, name: str, event: int, time: int) -> None:
        chat, known = self.chats[name], f"e{event}"
        arrival = Arrival(place=self.places[name], id=known, at=self.clock + time, body=known.encode(), mark="r", opens_window=True)
        outcome = self.run(self.engines[0].accept(arrival)).outcome
        if known in chat.seen:
            assert outcome == "dup"
            return
        assert outcome == "ok"
        chat.seen.add(known)
        chat.arrived.append(known)
        chat.waiting[known] = self.clock + time

    @rule(worker=st.integers(0, 1), shard=st.integers(0, SHARDS - 1))
    def claim(self, worker: int, shard: int) -> None:
        engine = self.engines[worker]
        for turn in self.run(engine.claim(shard, 10)):
            self.take(engine, turn)

    def take(self, engine: Engine, turn: Claimed) -> None:
        chat = self.chats[self.name(turn)]
        assert chat.holder is None, "a chat is leased twice"
        assert turn.body.decode() == chat.head()
        assert int(turn.fields.get("count", b"0")) == len(chat.committed), "state is not that of the last commit"
        chat.holder, chat.running = turn.token, chat.head()
        self.turns.append((engine, turn))

    # --- a turn ends, in time or too late ---

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), keep=st.booleans(), send=st.booleans(), again=st.booleans())
    def commit(self, data: st.DataObject, keep: bool, send: bool, again: bool) -> None:
        engine, turn = data.draw(st.sampled_from(self.turns))
        self.turns.remove((engine, turn))
        chat, event = self.chats[self.name(turn)], turn.body.decode()
        item = Item(id=f"{self.name(turn)}-{event}", free=event.encode())
        effects = Effects(sets={"count": str(int(turn.fields.get("count", b"0")) + 1).encode()}, items=(item,))
        settled = self.run(engine.commit(turn, effects, keep=keep, send=send))
        if chat.holder != turn.token or chat.running != event:
            assert settled.outcome in {"stale", "replay"}
            assert settled.outcome == "stale" or event in chat.committed
            if settled.outcome == "replay":
                chat.let_go(turn.token)  # the repeat gave the next lease back
            return
        assert settled.outcome == "ok"
        del chat.waiting[event]
        chat.committed.append(event)
        chat.lane.append(item.id)
        chat.holder = chat.running = None
        if settled.next is not None:
            assert keep
            self.take(engine, settled.next)
        assert (settled.next is None) == (not keep or not chat.waiting)
        if settled.lane is not None:
            self.take_lane(engine, settled.lane)
        if again:  # the reply was lost, and the call is repeated
            repeated = self.run(engine.commit(turn, effects, keep=keep, send=send))
            assert repeated.outcome in {"replay", "stale"}
            assert repeated.lane is None
            if repeated.outcome == "replay":
                chat.let_go(turn.token)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), dead=st.booleans())
    def fail(self, data: st.DataObject, dead: bool) -> None:
        engine, turn = data.draw(st.sampled_from(self.turns))
        self.turns.remove((engine, turn))
        chat, event = self.chats[self.name(turn)], turn.body.decode()
        work = engine.bury(turn, reason="test", detail="", keep=False) if dead else engine.retry(turn, 0)
        settled = self.run(work)
        if chat.holder != turn.token or chat.running != event:
            assert settled.outcome == "stale"
            return
        assert settled.outcome == "ok"
        chat.holder = chat.running = None
        if dead:
            del chat.waiting[event]
            chat.buried.append(event)

    # --- out ---

    @rule(worker=st.integers(0, 1), shard=st.integers(0, SHARDS - 1))
    def claim_lanes(self, worker: int, shard: int) -> None:
        leases, notes = self.run(self.engines[worker].claim_lanes(shard, 10))
        assert notes == ()
        for lane in leases:
            self.take_lane(self.engines[worker], lane)

    def take_lane(self, engine: Engine, lane: Lane) -> None:
        chat = self.chats[self.name(lane)]
        assert chat.sender is None, "a lane is leased twice"
        assert lane.item.id == chat.lane[0], "out of order"
        assert lane.item.body(lane.pin) == lane.item.id.split("-")[1].encode()
        chat.sender = lane.token
        self.lanes.append((engine, lane))

    @precondition(lambda self: self.lanes)
    @rule(data=st.data(), again=st.booleans())
    def sent(self, data: st.DataObject, again: bool) -> None:
        engine, lane = data.draw(st.sampled_from(self.lanes))
        self.lanes.remove((engine, lane))
        chat = self.chats[self.name(lane)]
        settled = self.run(engine.sent(lane))
        if chat.sender != lane.token:
            assert settled.outcome == "stale"
            assert settled.lane is None
            return
        chat.sent.append(chat.lane.pop(0))
        chat.sender = None
        if settled.lane is not None:
            self.take_lane(engine, settled.lane)
        if again:
            assert self.run(engine.sent(lane)).outcome == "stale"

    @precondition(lambda self: self.lanes)
    @rule(data=st.data())
    def unsent(self, data: st.DataObject) -> None:
        engine, lane = data.draw(st.sampled_from(self.lanes))
        self.lanes.remove((engine, lane))
        chat = self.chats[self.name(lane)]
        outcome = self.run(engine.unsent(lane, "retry", delay=0, unknown=True))
        assert outcome == ("ok" if chat.sender == lane.token else "stale")
        if chat.sender == lane.token:
            chat.sender = None

    # --- trouble ---

    @rule(shard=st.integers(0, SHARDS - 1))
    def leases_run_out(self, shard: int) -> None:
        for zset in ("lease", "lane:lease"):
            for chat in self.redis.zrange(f"{base(shard)}:{zset}", 0, -1):
                self.redis.zadd(f"{base(shard)}:{zset}", {str(chat): 0})
        for name, place in self.places.items():
            if place.key.shard == shard:
                self.chats[name].holder = self.chats[name].running = self.chats[name].sender = None
        # The next claim reaps them; done here, so that the model need not know when.
        self.run(self.reap(shard))

    async def reap(self, shard: int) -> None:
        await self.engines[0].claim(shard, 0)
        await self.engines[0].claim_lanes(shard, 0)

    @rule(worker=st.integers(0, 1), shard=st.integers(0, SHARDS - 1))
    def connection_lost(self, worker: int, shard: int) -> None:
        engine = self.engines[worker]
        self.run(engine.let_go(shard, "both"))
        for name, place in self.places.items():
            chat = self.chats[name]
            if place.key.shard == shard and chat.holder and chat.holder.startswith(engine.worker):
                chat.holder = chat.running = None
            if place.key.shard == shard and chat.sender and chat.sender.startswith(engine.worker):
                chat.sender = None

    @rule(turn=st.data())
    def renew(self, turn: st.DataObject) -> None:
        if not self.turns:
            return
        engine, claimed = turn.draw(st.sampled_from(self.turns))
        lost = self.run(engine.renew(claimed.key.shard, [(claimed.key.id, claimed.token)], []))
        assert (claimed.token in lost) == (self.chats[self.name(claimed)].holder != claimed.token)

    # --- what always holds ---

    @invariant()
    def one_truth_about_who_is_busy(self) -> None:
        for name, place in self.places.items():
            at, c = base(place.key.shard), place.key.id
            chat = self.chats[name]
            ready = self.redis.zscore(f"{at}:ready", c) is not None
            leased = self.redis.zscore(f"{at}:lease", c) is not None
            assert not (ready and leased)
            assert self.redis.hget(f"{at}:owner", c) == chat.holder
            assert leased == (chat.holder is not None)
            assert not chat.waiting or ready or leased, "an event waits and nobody will ever look"
            lane_ready = self.redis.zscore(f"{at}:lane:ready", c) is not None
            lane_leased = self.redis.zscore(f"{at}:lane:lease", c) is not None
            assert not (lane_ready and lane_leased)
            assert self.redis.hget(f"{at}:lane:owner", c) == chat.sender
            assert not chat.lane or lane_ready or lane_leased, "a message waits and nobody will ever look"
            assert chat.lane or not self.redis.hexists(f"{at}:chat:{c}", "o:pin"), "a pin of no item"

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        for name, place in self.places.items():
            at, c = base(place.key.shard), place.key.id
            chat = self.chats[name]
            assert self.redis.zcard(f"{at}:mailbox:{c}") == len(chat.waiting)
            assert int(self.redis.hget(f"{at}:chat:{c}", "count") or 0) == len(chat.committed)
            assert len(set(chat.committed)) == len(chat.committed)
            assert chat.seen == {*chat.waiting, *chat.committed, *chat.buried}
            assert self.redis.llen(f"{at}:lane:{c}") == len(chat.lane)
            assert [item.split("-")[1] for item in chat.sent + chat.lane] == chat.committed, "answers are not in the order of commits"


@pytest.mark.parametrize("examples", [120])
def test_any_interleaving_keeps_the_promises(redis_socket: Path, examples: int) -> None:
    """I1 to I7 of reliability 4.1 hold after every step."""
    Machine.socket = redis_socket
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
        ),
    )
