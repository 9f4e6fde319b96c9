"""How long each key of Redis lives, or what bounds it (S22): a key that is not on this list, or is beyond it, is named."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from redis import Redis

from pilotbot.engine import Terms

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
AT_ONCE = 1000  # keys in one round trip
SIZES = {"string": "strlen", "hash": "hlen", "zset": "zcard", "list": "llen"}


@dataclass(frozen=True, slots=True)
class Row:
    """What holds for keys of one kind.

    Attributes:
        type: of Redis.
        ttl: each of them ends so many ms after its last write, or sooner.
        most: none has more members (of a string: bytes).
        each: at rest it has no more members than so many for each key of this kind in its shard.
        at_rest: at rest, when nothing is under way, it is gone.
    """

    type: str
    ttl: int | None = None
    most: int | None = None
    each: tuple[int, str] | None = None
    at_rest: bool = False


ROWS = {
    "chat": Row("hash", ttl=400 * DAY),
    "dedupe": Row("zset", ttl=45 * DAY),
    "emitted": Row("hash", ttl=45 * DAY),
    "hold": Row("list", ttl=45 * DAY, most=20),
    "leads": Row("hash", ttl=8 * DAY, most=400),
    "recent": Row("zset", ttl=91 * DAY),
    "scheduled": Row("string", ttl=400 * DAY),
    "record": Row("hash", ttl=45 * DAY),
    "content": Row("hash", ttl=14 * DAY),
    "menu": Row("string", ttl=45 * DAY),
    "wamid": Row("string", ttl=45 * DAY),
    "alias": Row("string", ttl=400 * DAY),
    "schedules": Row("hash", ttl=400 * DAY),
    "paused": Row("string", ttl=DAY + MINUTE),
    "paused-why": Row("string", ttl=DAY),
    "pace": Row("string", ttl=DAY),
    "down": Row("string", ttl=45 * DAY),
    "slowed": Row("string", ttl=45 * DAY),
    "causes": Row("hash", ttl=45 * DAY),
    "kept": Row("list", ttl=8 * DAY),
    "humans": Row("zset", each=(1, "chat")),
    "echoes": Row("zset", most=500, at_rest=True),
    "echoes:payload": Row("hash", most=500, at_rest=True),
    "seen": Row("hash", ttl=45 * DAY),
    "looking": Row("string", ttl=MINUTE),
    "mailbox": Row("zset", most=Terms().depth, at_rest=True),
    "lane": Row("list", most=200),
    "moves": Row("zset", each=(1, "chat"), at_rest=True),
    "consent": Row("zset", most=101),  # of a person, for good: a no has no end
    "dead": Row("zset", most=10_000),
    "dead:letters": Row("hash", most=10_000),
    "unfinished": Row("zset", most=10_000),
    "unfinished:asked": Row("hash", most=10_000),
    "ready": Row("zset", each=(1, "mailbox"), at_rest=True),
    "lease": Row("zset", each=(1, "mailbox"), at_rest=True),
    "owner": Row("hash", each=(1, "mailbox"), at_rest=True),
    "lane:ready": Row("zset", each=(1, "lane")),
    "lane:lease": Row("zset", each=(1, "lane"), at_rest=True),
    "lane:owner": Row("hash", each=(1, "lane"), at_rest=True),
    "hold:due": Row("zset", each=(1, "hold")),
    "timers": Row("zset", each=(50, "chat")),
    "timers:payload": Row("hash", each=(50, "chat")),
    "relay": Row("zset", at_rest=True),
    "relay:items": Row("hash", at_rest=True),
    "token": Row("string", most=20),
    "offset": Row("string", most=20),
    "waiting": Row("string", most=20),
    "conf": Row("hash", most=2 + 64),  # the pepper, the number of shards, a catalogue of templates for each number
}
NAME = re.compile(r"\{pb(?::\d+)?\}:(.+)")
OF_ONE = re.compile(r"([a-z-]+):(?:[0-9a-f]{16}|[a-z0-9][a-z0-9_-]{0,31})")  # of a chat, a record, a person; of a number by its name


def kind_of(key: str) -> str | None:
    """The row of a key, None where it has none."""
    found = NAME.fullmatch(key)
    if found is None:
        return None
    name = found[1]
    if name in ROWS:
        return name
    one = OF_ONE.fullmatch(name)
    return one[1] if one is not None and one[1] in ROWS else None


def breaches(redis: Redis, *, at_rest: bool = True) -> list[str]:
    """What is wrong with the keys that there are; `at_rest` where nothing is under way."""
    kinds = {key: kind_of(key) for key in redis.scan_iter(count=AT_ONCE)}
    counts = Counter((key.partition("}")[0], kind) for key, kind in kinds.items())
    found = []
    for some in batches(kinds):
        looks = redis.pipeline(transaction=False)
        for key in some:
            looks.type(key)
            looks.pttl(key)
        answers = looks.execute()
        for key, type_, ttl in zip(some, answers[::2], answers[1::2], strict=True):
            kind = kinds[key]
            if type_ == "none":
                continue  # gone since
            size = int(getattr(redis, SIZES[type_])(key)) if kind and ROWS[kind].ttl is None else 0
            found += [f"{key}: {wrong}" for wrong in _wrong(kind, type_, ttl, size, counts, key.partition("}")[0], at_rest=at_rest)]
    return found


def _wrong(
    kind: str | None, type_: str, ttl: int, size: int, counts: Counter[tuple[str, str | None]], shard: str, *, at_rest: bool
) -> Iterator[str]:
    if kind is None:
        yield "is not on the list"
        return
    row = ROWS[kind]
    if type_ != row.type:
        yield f"is a {type_}"
    if row.ttl is not None and not 0 <= ttl <= row.ttl:
        yield f"ends in {ttl} ms, not within {row.ttl}"
    if row.ttl is None and row.most is not None and size > row.most:
        yield f"has {size} members, more than {row.most}"
    if row.each is not None and at_rest and size > row.each[0] * counts[shard, row.each[1]]:
        yield f"has {size} members for {counts[shard, row.each[1]]} of {row.each[1]}"
    if row.at_rest and at_rest:
        yield "is there, though nothing is under way"


def let_pass(redis: Redis, days: float) -> None:
    """As if so many days went by for Redis: every key ends so much sooner, and what ended by then is gone.

    Redis's clock cannot be moved, and it alone says when a key ends.
    """
    for some in batches(redis.scan_iter(count=AT_ONCE)):
        looks = redis.pipeline(transaction=False)
        for key in some:
            looks.pttl(key)
        changes = redis.pipeline(transaction=False)
        for key, ttl in zip(some, looks.execute(), strict=True):
            if ttl >= 0:
                changes.pexpire(key, ttl - int(days * DAY))
        changes.execute()


def batches(keys: Iterable[str]) -> Iterator[list[str]]:
    """The keys, so many at a time."""
    left = iter(keys)
    while some := list(itertools.islice(left, AT_ONCE)):
        yield some
