"""The verdict on a run, from what the platform accepted and what is in Redis at the end, never from what a bot says of itself."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis import Redis

from pilotbot.contacts import canonical
from pilotbot.engine.keys import Keyring, base
from tests.bots.ledger import chained
from tests.chaos.load import Load
from tests.stage import Stage

Row = Mapping[str, Any]
States = Mapping[str, tuple[int, str]]
"""What the bot remembers of each contact: its count and its digest."""

WORK = ("ready", "lease", "lane:ready", "lane:lease", "relay")
HEAD = "| test | events | faults | posts, replayed | lost | doubled | out of order | wrong state | bad posts | s | seed | measured |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What went wrong, an example a time. All empty: nothing did."""

    lost: Sequence[str] = ()
    doubled: Sequence[str] = ()
    disordered: Sequence[str] = ()
    wrong: Sequence[str] = ()
    posts: Sequence[str] = ()

    def kinds(self) -> set[str]:
        """The kinds of violation that there are."""
        return {name for name in ("lost", "doubled", "disordered", "wrong", "posts") if getattr(self, name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A run's findings with what it measured, `str()` of which is a row of the table.

    Attributes:
        faults: what was done to it, such as "31 kills".
        seconds: how long the run took.
        measured: further figures, by name.
    """

    name: str
    seed: int
    findings: Findings
    contacts: int
    events: int
    deliveries: int
    messages: int
    posts: int
    replayed: int
    faults: str
    seconds: float
    measured: Mapping[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.findings.kinds()

    def __str__(self) -> str:
        found = self.findings
        counts = (found.lost, found.doubled, found.disordered, found.wrong, found.posts)
        cells = [
            self.name, f"{self.events:,} of {self.contacts:,} contacts, {self.deliveries:,} deliveries", self.faults,
            f"{self.messages:,} taken of {self.posts:,} posts, {self.replayed:,} replayed", *(f"{len(one):,}" for one in counts),
            f"{self.seconds:.0f}", str(self.seed), ", ".join(f"{name} {value}" for name, value in self.measured.items()),
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"

    def __repr__(self) -> str:
        """The row, and examples of what went wrong."""
        kinds = ((kind, getattr(self.findings, kind)) for kind in sorted(self.findings.kinds()))
        return "\n".join([str(self), *(f"{kind}: {'; '.join(examples[:5])}" for kind, examples in kinds)])


def judge(rows: Iterable[Row], states: States, refused: Iterable[Row]) -> Findings:
    """Judge the sandbox's messages in the order of its acceptance, the bot's final states, and the posts that the sandbox refused."""
    said: dict[str, list[str]] = {}
    told: dict[str, list[str]] = {}
    for row in rows:
        (said if row["direction"] == "in" else told).setdefault(row["contact"], []).append(row["text"])
    lost: list[str] = []
    doubled: list[str] = []
    disordered: list[str] = []
    wrong: list[str] = []
    for contact in sorted(said.keys() | told.keys()):
        texts = said.get(contact, [])
        answers = told.get(contact, [])
        place = {(text, part): 2 * n + part for n, text in enumerate(texts) for part in (1, 2)}
        read = [_answer(answer) for answer in answers]
        counts = Counter((text, part) for _, part, text in read)
        lost += [f"{contact} {part}: {text}" for text, part in place if (text, part) not in counts]
        doubled += [f"{contact} {part}: {text}" for (text, part), count in counts.items() for _ in range(count - 1)]
        doubled += [f"{contact} {part}: {text}, never asked for" for text, part in counts if (text, part) not in place]
        first = list(dict.fromkeys((text, part) for _, part, text in read if (text, part) in place))
        highest = 0
        for text, part in first:
            if place[text, part] < highest:
                disordered.append(f"{contact} {part}: {text}")
            highest = max(highest, place[text, part])
        numbers = [f"{contact} says {n}.{part}: {text}" for n, part, text in read if place.get((text, part)) != 2 * (n - 1) + part]
        expected = (len(texts), _digest(texts))
        if states.get(contact, (0, "")) != expected:
            wrong.append(f"{contact} has {states.get(contact)} instead of {expected}")
        elif numbers:
            wrong.append(numbers[0])
    posts = [f"{one['status']} {one['code']}, {one['bytes']} bytes under {one['idempotencyKey']}" for one in refused]
    return Findings(lost=lost, doubled=doubled, disordered=disordered, wrong=wrong, posts=posts)


def _answer(text: str) -> tuple[int, int, str]:
    """An answer's number, its part (1 or 2), and the text that it answers."""
    found = re.fullmatch(r"(\d+)\.([12]): (.*)", text, re.DOTALL)
    return (int(found[1]), int(found[2]), found[3]) if found else (0, 0, text)


def _digest(texts: Iterable[str]) -> str:
    digest = ""
    for text in texts:
        digest = chained(digest, text)
    return digest


def final_states(redis: "Redis", people: Iterable[str]) -> dict[str, tuple[int, str]]:
    """What the bot remembers of each contact, read from Redis."""
    pepper, shards = (str(one) for one in redis.hmget("{pb}:conf", "pepper", "shards"))
    if not shards.isdigit():
        return {}  # it was not even set up
    keyring = Keyring(bytes.fromhex(pepper), int(shards))
    found: dict[str, tuple[int, str]] = {}
    for contact in people:
        chat = keyring.chat("main", canonical(contact))
        stored = redis.hget(f"{base(chat.shard)}:chat:{chat.id}", "state:ledger")
        if stored is not None:
            data = orjson.loads(stored)["d"]
            found[contact] = (data["count"], data["digest"])
    return found


def at_work(redis: "Redis", shards: int) -> int:
    """How many chats and lanes have work that waits or runs, by Redis itself."""
    pipe = redis.pipeline(transaction=False)
    for shard in range(shards):
        for name in WORK:
            pipe.zcard(f"{base(shard)}:{name}")
    return sum(pipe.execute())


async def settled(stage: Stage, redis: "Redis", *, shards: int = 2, patience: float) -> bool:
    """Wait until Redis holds no more work, twice in a row. False where nothing moved for `patience` seconds."""
    idle, seen, since = 0, -1, time.monotonic()
    while idle < 2:
        sequence = stage.sandbox.pending().sequence
        idle = 0 if at_work(redis, shards) else idle + 1
        if sequence != seen:
            seen, since = sequence, time.monotonic()
        elif idle == 0 and time.monotonic() - since > patience:
            return False
        await asyncio.sleep(0.1)
    return True


async def reach_verdict(
    name: str, stage: Stage, redis: "Redis", load: Load, *, seed: int, began: float, faults: str, measured: Mapping[str, str] | None = None
) -> Verdict:
    """Look at everything and judge it. `began` is when the run did (monotonic seconds)."""
    took = time.monotonic() - began
    rows = await stage.rows()
    people = {row["contact"] for row in rows}
    posts = await stage.api("GET", "/sandbox/posts")
    dead = sum(redis.zcard(f"{base(shard)}:dead") for shard in range(2))
    return Verdict(
        name=name, seed=seed, findings=judge(rows, final_states(redis, people), posts["refused"]), contacts=len(people),
        events=sum(row["direction"] == "in" for row in rows), deliveries=len(load.attempts),
        messages=sum(row["direction"] == "out" for row in rows), posts=sum(posts["answers"].values()), replayed=posts["replayed"],
        faults=faults, seconds=took, measured={**(measured or {}), **({"dead letters": str(dead)} if dead else {})},
    )  # fmt: skip
