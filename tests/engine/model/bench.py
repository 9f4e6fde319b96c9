"""What the rules of the machine share: two workers on one Redis, the model beside it, and what is compared whenever something is leased."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from redis import Redis

from pilotbot.engine import HOUR, Claimed, Engine, Item, Lane, Notice, Place, PutAside, Timer, derived_id
from tests.engine.model.chat import Chat
from tests.engine.model.things import TERMS, label

Strategy = st.SearchStrategy[Any]
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., None])
SHARDS = 2
CONTACTS = ("ana", "bruno", "carla")
CONTACT = st.sampled_from(("ana", "ana", "ana", *CONTACTS))  # one of them has much to do
WORKER = st.integers(0, 1)

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
        "name": st.sampled_from(("a" * 8, "b" * 8, "c" * 8)),
        "shape": st.none() | SHAPE,  # None: to be forgotten
        "after": st.sampled_from((-2 * HOUR, 0, HOUR, 20 * HOUR)),
        "silence": st.booleans(),
        "late": st.sampled_from(("run", "skip", "coalesce")),
        "before_close": st.sampled_from((None, None, HOUR)),
    }
)


MANNER = st.sampled_from(("", "", "", "", "leads", "leads", "an ad", "capped", "by day", "brief"))


MOSTLY = st.sampled_from((True, True, True, False))
MOSTLY_NOT = st.sampled_from((False, False, False, True))
WHICH = st.integers(0, 5)  # of those that there are, 0 for the latest
AGAIN = st.sampled_from((None, None, None, 0, 1, 2))  # the latest but so many once more; None for a new one


@dataclass(frozen=True)
class Step:
    """Something that may happen: what its method is given, and how often, compared with the others, as things are; 0: not now."""

    given: st.SearchStrategy[dict[str, Any]]
    often: Callable[[Any], int]


STEPS: dict[str, Step] = {}
MOST_OFTEN = 7


def step(
    often: int = 1, needs: Callable[[Any], object] = lambda _: True, seldom: Callable[[Any], object] = lambda _: False, **given: Strategy
) -> Callable[[F], F]:  # fmt: skip
    """A method is a step of the machine. Hypothesis's own rules have no weights, and each run leaves out half of them."""

    def known(method: F) -> F:
        STEPS[method.__name__] = Step(st.fixed_dictionaries(given), lambda at: (1 if seldom(at) else often) if needs(at) else 0)
        return method

    return known


@dataclass
class Ground:
    """What all runs of the machine share: connections are dear."""

    runner: asyncio.Runner
    redis: "Redis"
    engines: list[Engine]

    @classmethod
    @contextmanager
    def on(cls, socket: Path) -> "Iterator[Ground]":
        """Two workers of the Redis behind this socket."""
        with asyncio.Runner() as runner, Redis(unix_socket_path=str(socket), decode_responses=True) as redis:
            ground = cls(runner, redis, [Engine(f"unix://{socket}", shards=SHARDS, terms=TERMS) for _ in range(2)])
            ground.clear()
            for engine in ground.engines:
                runner.run(engine.open())
            yield ground
            for engine in ground.engines:
                runner.run(engine.close())

    def clear(self) -> None:
        self.redis.flushall()
        self.redis.hset("{pb}:conf", "pepper", "00" * 16)  # the same shards in every run, so that a failure can be shrunk


class Bench(RuleBasedStateMachine):
    """A run of the machine, without its rules. Each rule tells the model and the engine the same, and compares what they answer."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.ground.clear()
        self.redis, self.engines = self.ground.redis, self.ground.engines
        self.engine = self.engines[0]  # for what is no worker's
        keys = self.engine.keys
        self.places = {name: Place(key=keys.chat("main", name), number="main", kind="contact", address=name) for name in CONTACTS}
        self.names = {place.key: name for name, place in self.places.items()}
        self.chats = {name: Chat(name) for name in CONTACTS}
        self.turns: list[tuple[Engine, Claimed]] = []
        self.lanes: list[tuple[Engine, Lane]] = []
        self.staged: list[tuple[int, Notice]] = []  # by shards; what waits for its relay
        self.leading: dict[str, str] = {}  # platform id -> who; what others may wait for
        self.refusable: dict[str, str] = {}  # platform id -> who; what may be refused late for the window
        self.tokens: Counter[int] = Counter()
        self.numbers: Counter[str] = Counter()
        self.made = 0
        self.start = int(self.redis.time()[0]) * 1000
        self.offset = 0
        self.last: Callable[[], object] | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.ground.runner.run(work)

    def do(self, step: Callable[[], object]) -> None:
        """A step that is repeated where its reply is lost."""
        self.last = step
        step()

    @property
    def now(self) -> int:
        return self.start + self.offset

    def chat(self, lease: Claimed | Lane) -> Chat:
        return self.chats[self.names[lease.key]]

    def shard(self, chat: Chat) -> int:
        return self.places[chat.name].key.shard

    def any(self, holds: Callable[[Chat], object]) -> bool:
        """Whether that is so of a chat."""
        return any(holds(chat) for chat in self.chats.values())

    def all(self, count: Callable[[Chat], Sized]) -> int:
        """How many of these all chats have together."""
        return sum(len(count(chat)) for chat in self.chats.values())

    def number(self, what: str, again: int | None) -> int:
        """The number of a new one of these, or of an earlier one."""
        if again is None:
            self.numbers[what] += 1
        return max(self.numbers[what] - (again or 0), 0)

    def item(self, shape: str, **more: Any) -> Item:
        """A message that there is only one of."""
        self.made += 1
        given = {"id": derived_id(self.made), **SHAPES[shape], **more}
        for part in ("free", "template"):
            given[part] = b'{"%s":"#%d#"}' % (part.encode(), self.made) if given.get(part) else b""
        return Item(**given)

    def manner(self, name: str) -> dict[str, Any]:
        """What an item has of a policy, by when it is said; nothing of it changes at a full hour from now."""
        minute = self.now // 60_000 % 1440
        manners: dict[str, dict[str, Any]] = {
            "": {},
            "leads": {"leads": True},
            "an ad": {"business": True, "purpose": "marketing", "opt_in": True},
            "capped": {"business": True, "cap": (2, 11 * HOUR // 2)},
            "by day": {"business": True, "quiet": ((minute - 30) % 1440, (minute + 150) % 1440)},
            "brief": {"expires": self.now + 3 * HOUR // 2},
        }
        return manners[name]

    def timer(self, name: str, shape: str | None, after: int, **more: Any) -> Timer:
        return Timer(name=name, due=self.now + after, items=(replace(self.item(shape), id=""),) if shape else (), **more)

    def here(self, shard: int) -> list[Chat]:
        return [chat for chat in self.chats.values() if self.shard(chat) == shard]

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
        assert turn.generation == (chat.generation if event.generation is None else event.generation)
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
        assert lane.barred == (chat.barred(expected) or "")
        if not lane.unknown:  # then this is the first post that can arrive
            assert chat.may_go(lane.item, lane.pin, self.now), "what must not go any more"
            mine = chat.said[label(lane.item)]
            passed = [item for item in chat.lane if chat.said[label(item)] < mine]
            assert all(item.business for item in passed), "an answer is out of order"
            awake = all(item.quiet for item in passed)
            assert awake or not lane.item.business, "a message of the business is out of order"
        chat.sender = lane.token
        if heard:
            self.lanes.append((engine, lane))

    def taken(self, leases: list[tuple[Engine, T]], which: int) -> tuple[Engine, T]:
        """One of the leases, which its worker is then done with."""
        return leases.pop(-1 - which % len(leases))
