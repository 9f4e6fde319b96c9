"""What is kept costs little, and goes: contacts, the memory of events, records of messages.

Costs are differences of `used_memory`; MEMORY USAGE of the keys is the cross-check, and says less, since it knows nothing of Redis's own
tables. Redis's clock cannot be moved: retention is proved by every key's own end, which is then brought as much nearer as time would pass.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from redis import Redis

from pilotbot.engine import Arrival, Claimed, Effects, Engine, Item, Lane, Place
from pilotbot.engine.items import derived_id
from tests.bounds import ROWS, breaches, kind_of, let_pass
from tests.chaos.load import contacts
from tests.servers import PROGRAMS, Server, serving
from tests.stage import wire

pytestmark = pytest.mark.chaos

SHORT = 1_900  # contacts of the short form: with four keys each just too few for Redis to double its tables once more
EACH = 10  # events of a contact
AT_ONCE = 256  # calls under way at once
WAVE = 20_000  # contacts who write before the bot handles it: less than the high-water mark
STATE = b'{"v":1,"x":null,"d":{"orders":3,"language":"pt"}}'
ANSWER = Item(id="", free=b'{"destinationNumber":"+5511971000000","text":"You said hello for the 3rd time."}', enforced=True)
EMPTY = 2_000_000  # bytes that a server weighs with nothing in it but our scripts
CONTACT, EVENT, RECORD = 1_000, 60, 400  # bytes: what the issue allows


@dataclass
class Crowd:
    """Contacts of an engine, and what they and the platform do; each step for all of them, in batches. The last is for trying it out."""

    engine: Engine
    redis: Redis
    addresses: list[str]

    @property
    def count(self) -> int:
        return len(self.addresses) - 1

    def place(self, contact: int) -> Place:
        address = self.addresses[contact]
        return Place(key=self.engine.keys.chat("main", address), number="main", kind="contact", address=address)

    async def all(self, step: Callable[[int], Awaitable[object]], which: range | None = None) -> None:
        numbers = iter(range(self.count) if which is None else which)

        async def lane() -> None:
            for number in numbers:
                await step(number)

        await asyncio.gather(*(lane() for _ in range(AT_ONCE)))

    async def write(self, contact: int, event: int) -> None:
        """A contact writes."""
        name, address = f"{event}-{contact:08}", self.addresses[contact]
        arrival = Arrival(
            place=self.place(contact), id=f"cm8{name}", message_id=f"wamid.{name}", at=None, mark="r", name="Ana Souza", opens_window=True,
            ages=True, body=orjson.dumps(wire(name, "hello for the 3rd time", contact=address)),
        )  # fmt: skip
        assert (await self.engine.accept(arrival)).outcome == "ok"

    async def handle(self, *, answer: bool) -> None:
        """The bot handles all that waits, with a small state, and an answer that the platform takes."""

        async def turn(claimed: Claimed) -> None:
            items = (Item(id=derived_id(claimed.key.id, claimed.seq), free=ANSWER.free, enforced=True),) if answer else ()
            settled = await self.engine.commit(claimed, Effects(sets={"state:visits": STATE}, items=items), keep=False, send=answer)
            assert settled.outcome == "ok"
            if answer:
                assert settled.lane is not None
                await self.engine.sent(settled.lane)

        for shard in range(self.engine.shards):
            while claimed := await self.engine.claim(shard, AT_ONCE):
                await asyncio.gather(*map(turn, claimed))

    async def confirm(self, contact: int) -> None:
        """The platform took a message, and it was sent, delivered and read."""
        platform, place = f"msg_{contact:024x}", self.place(contact)
        item = Item(id=derived_id(platform), free=ANSWER.free, enforced=True, cause=f"cmn9in{contact:019}")
        lane = Lane(place.key, "", item, "free", 0, unknown=False, first_post=0, inbound="1790000000000", number="main", now=0)
        await self.engine.record(lane, platform)
        wamid, at = f"wamid.HBgNNTUxMTk4NzY1MDAwMRUCABEYEj{contact:028x}", time.time_ns() // 1_000_000
        for status, earlier in (("sent", 3_500), ("delivered", 2_800), ("read", 0)):
            await self.engine.merge_status(platform, status, code=None, message_id=wamid, times={status: at - earlier})

    def used(self) -> int:
        """Bytes that Redis uses, without the buffers of those who talk to it."""
        buffers = sum(int(client["tot-mem"]) for client in self.redis.client_list())
        return int(self.redis.info("memory")["used_memory"]) - buffers

    def weight(self, *kinds: str) -> float:
        """The mean of what MEMORY USAGE says of keys of these kinds, over the first thousand of each, added up."""
        found = 0.0
        for kind in kinds:
            keys = [key for _, key in zip(range(1000), self.redis.scan_iter(f"*:{kind}:*", count=1000), strict=False)]
            found += sum(self.redis.memory_usage(key, samples=0) or 0 for key in keys) / len(keys)
        return found


@contextmanager
def redis_of_its_own(place: Path, program: Path) -> Iterator[Server]:
    """Without what it notes on its commands, which is much beside so little data."""
    with serving(place, {"maxmemory-policy": "noeviction", "slowlog-max-len": "0", "latency-tracking": "no"}, program) as server:
        yield server


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
async def test_contacts_events_and_records_cost_little_and_end(tmp_path: Path, program: Path, full: bool) -> None:
    if full and program != PROGRAMS[-1]:
        pytest.skip("in its long form on the dearest one only")
    count = 100_000 if full else SHORT
    with redis_of_its_own(tmp_path / "redis", program) as server:
        engine = Engine(server.url, shards=8)
        await engine.open()
        crowd = Crowd(engine, server.redis, contacts(count + 1))
        try:
            await costs(crowd, aloud=full)
            await retention(crowd, aloud=full)
        finally:
            await engine.close()


async def costs(crowd: Crowd, *, aloud: bool) -> None:
    count, began = crowd.count, time.monotonic()

    def tell(what: str, each: float, keys: float, most: int) -> None:
        if aloud:
            sys.stderr.write(f"\n{time.monotonic() - began:.0f} s: {what}: {each:.0f} B, at most {most}; keys alone {keys:.0f} B")
        assert each <= most, what
        assert keys <= most, what

    async def round_of(event: int, *, answer: bool = False) -> None:
        for first in range(0, count, WAVE):
            await crowd.all(lambda contact: crowd.write(contact, event), range(first, min(first + WAVE, count)))
            await crowd.handle(answer=answer)

    await crowd.write(count, 0)  # so that what Redis keeps once for all is there: of scripts, commands, shards
    await crowd.handle(answer=True)
    await crowd.confirm(count)
    crowd.weight("chat")
    start = crowd.used()
    await round_of(0, answer=True)
    with_contacts = crowd.used()
    tell("a contact", (with_contacts - start) / count, (one := crowd.weight("chat", "dedupe")), CONTACT)
    for event in range(1, EACH):
        await round_of(event)
    with_events = crowd.used()
    remembered = (crowd.weight("chat", "dedupe") - one) / (EACH - 1)
    tell("an event", (with_events - with_contacts) / count / (EACH - 1), remembered, EVENT)
    await crowd.all(crowd.confirm)
    tell("a record", (crowd.used() - with_events) / count, crowd.weight("record", "wamid"), RECORD)


async def retention(crowd: Crowd, *, aloud: bool) -> None:
    """Every key has an end or a bound; what has ended by business time goes with a contact's next message, the rest by itself."""
    redis, engine = crowd.redis, crowd.engine
    full = crowd.used()
    assert breaches(redis) == []
    await engine.advance(9 * 24 * 3_600_000)
    some = min(crowd.count, 2_000)
    await crowd.all(lambda contact: crowd.write(contact, EACH), range(some))
    await crowd.handle(answer=False)
    for contact in range(some):
        key = crowd.place(contact).key
        assert redis.zcard(f"{{pb:{key.shard}}}:dedupe:{key.id}") == 2, "of eleven events the newest one's two ids"
    let_pass(redis, 46)
    assert {kind_of(key) for key in redis.scan_iter(count=1000)} <= {"chat", *(kind for kind, row in ROWS.items() if row.ttl is None)}
    let_pass(redis, 355)
    left = {kind_of(key) for key in redis.scan_iter(count=1000)}
    assert left <= {kind for kind, row in ROWS.items() if row.ttl is None}
    async with asyncio.timeout(30):
        while (rest := crowd.used()) > max(full / 20, EMPTY):  # noqa: ASYNC110 - tables shrink by and by
            await asyncio.sleep(0.1)
    if aloud:
        sys.stderr.write(f"\nat its fullest {full / 1e6:.0f} MB, past retention {rest / 1e6:.1f} MB\n")
