"""A storm of webhooks over several processes, doubled, shuffled, forged, played again and late: each real event is run once.

What comes while older events wait is sorted in among them; what comes after a newer one was handled says so (`ctx.late`).
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import HMAC

import orjson
import pytest
from redis import Redis

from pilotbot.engine import HOUR
from tests.chaos.business import EVOLUTION, HEARD, Business, business, concluded, sandbox_ms, wrote
from tests.chaos.harness import Chaos
from tests.chaos.load import Event, Load, contacts
from tests.chaos.verdict import Findings, Row, Verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

APART = 150  # ms between two messages of a contact
COPIES = (1, 1, 2, 4)
OLD = (25 * HOUR, 9 * 24 * HOUR)  # ms: beyond what is answered, beyond what is remembered


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    each: int
    forged: int
    spread: float  # seconds over which contacts write
    late: float  # seconds that the latest comes late


SHORT, FULL = Size(2, 20, 10, 60, 4.0, 2.0), Size(4, 150, 15, 1_000, 40.0, 15.0)


async def test_storm(chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]) -> None:
    size, stage, rng = FULL if full else SHORT, chaos.stage, random.Random(seed)
    processes = [chaos.process(HEARD, **EVOLUTION) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    people = contacts(size.contacts)
    began, start = time.monotonic(), sandbox_ms(stage)
    async with Load(stage, processes, seed) as load, business(chaos, **EVOLUTION) as ours:
        # Who wrote what when is settled before; the times of the first are past, those of the last to come.
        written = {
            contact: sorted(start + rng.randrange(round(1000 * size.spread)) // APART * APART + n for n in range(size.each))
            for contact in people
        }  # fmt: skip
        events = {
            (contact, f"message {n}"): await wrote(stage, contact, f"message {n}", at)
            for contact, moments in written.items()
            for n, at in enumerate(moments)
        }
        at = {place: written[place[0]][int(place[1].split()[1])] for place in events}
        worthless = [forged(rng.choice(list(events.values())), n, rng) for n in range(size.forged)]
        ancient = [await wrote(stage, contact, f"old {n}", start - age) for contact in people for n, age in enumerate(OLD)]

        async def later(event: Event, wait: float) -> None:
            await asyncio.sleep(max(0.0, wait))
            await load.deliver(event)

        async def try_it(event: Event, wait: float) -> None:
            await asyncio.sleep(wait)
            await load.attempt(event, rng.choice(processes))

        deliveries = []
        for place, event in events.items():
            delay = rng.choice((0.0, 0.0, 0.3, size.late)) * rng.random()
            for copy in range(rng.choice(COPIES)):
                wait = (at[place] - sandbox_ms(stage)) / 1000 + delay + copy * rng.random()
                deliveries.append(later(event, wait))
        deliveries += [try_it(event, rng.uniform(0, size.spread)) for event in worthless]
        deliveries += [later(event, rng.uniform(0, size.spread)) for event in ancient]
        await asyncio.gather(*deliveries)
        await settled(stage, redis, patience=20)
        await asyncio.gather(*(load.deliver(event) for event in [*events.values(), *ancient]))  # a capture, played again
        drained = await settled(stage, redis, patience=20)
        refused = {one.event.text: one.status for one in load.attempts if one.event in worthless}
        posts = (await stage.api("GET", "/sandbox/posts"))["refused"]
        findings, overtaken = judged(await stage.rows(), at, counts(redis, ours, people), posts)
        findings = replace(findings, wrong=[*findings.wrong, *(f"{text}: {got}" for text, got in refused.items() if got != 401)])
        verdict = noted(
            await concluded(
                "storm", stage, findings, seed=seed, began=began, contacts=len(people), events=len(events), deliveries=len(load.attempts),
                faults=f"{len(worthless):,} forged, {len(ancient):,} old, all played again",
                measured={"overtaken and told so": f"{overtaken:,}", "forged refused": f"{len(refused):,}"},
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained
    assert overtaken


def forged(event: Event, n: int, rng: random.Random) -> Event:
    """A real delivery as somebody would change it who does not know the secret."""
    data = orjson.loads(event.body)
    data["data"] |= {"content": f"forged {n}", "id": f"forged-{n}", "messageId": f"wamid.FORGED{n}"}
    body = orjson.dumps(data)
    signature = rng.choice([event.signature, "", "0" * 64, HMAC(b"guessed", body, sha256).hexdigest(), sha256(body).hexdigest()])
    return Event(event.contact, f"forged {n}", body, signature)


def counts(redis: Redis, ours: Business, people: Sequence[str]) -> dict[str, int]:
    """How many messages the bot remembers of each contact, by Redis."""
    found = {}
    for contact in people:
        key = ours.place(contact).key
        stored = redis.hget(f"{{pb:{key.shard}}}:chat:{key.id}", "state:heard")
        found[contact] = orjson.loads(stored)["d"]["count"] if stored else 0
    return found


def judged(
    rows: Sequence[Row], at: Mapping[tuple[str, str], int], kept: Mapping[str, int], refused: Sequence[Row]
) -> tuple[Findings, int]:  # fmt: skip
    """Every event was answered once, numbered in the order of the answers; late is who comes after a newer one. Also how many were."""
    told: dict[str, list[str]] = {contact: [] for contact, _ in at}
    for row in rows:
        if row["direction"] == "out":
            told[row["contact"]].append(row["text"])
    doubled: list[str] = []
    disordered: list[str] = []
    wrong: list[str] = []
    left = set(at)
    overtaken = 0
    for contact, answers in told.items():
        newest = 0
        for n, answer in enumerate(answers, 1):
            number, late, text = re.fullmatch(r"(\d+)( late)?: (.*)", answer).groups()  # type: ignore[union-attr]
            if (contact, text) not in at:
                wrong.append(f"{contact}: {answer}, which was not to be answered")
                continue
            if (contact, text) not in left:
                doubled.append(f"{contact}: {answer}")
            left.discard((contact, text))
            if int(number) != n:
                wrong.append(f"{contact}: {answer} in place {n}")
            behind = at[contact, text] < newest
            overtaken += behind
            if behind is not bool(late):
                disordered.append(f"{contact}: {answer}")
            newest = max(newest, at[contact, text])
        due = sum(other == contact for other, _ in at)
        if kept[contact] != due:
            wrong.append(f"{contact}: {kept[contact]} are counted instead of {due}")
    posts = [f"{one['status']} {one['code']}, {one['bytes']} bytes under {one['idempotencyKey']}" for one in refused]
    return Findings(
        lost=[f"{contact}: {text}" for contact, text in left], doubled=doubled, disordered=disordered, wrong=wrong, posts=posts
    ), overtaken


# --- controls -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sabotage", "kinds"), [("signature", {"wrong"}), ("dedupe", {"wrong", "posts"}), ("lateness", {"disordered"}), ("", set())]
)
async def test_control(chaos: Chaos, redis: Redis, seed: int, sabotage: str, kinds: set[str]) -> None:
    """The newer of two messages comes first and twice, then the older, and a forged one."""
    stage = chaos.stage
    only = await chaos.process(HEARD, TEST_SABOTAGE=sabotage, **EVOLUTION).work()
    async with Load(stage, [only], seed) as load, business(chaos, **EVOLUTION) as ours:
        now = sandbox_ms(stage)
        at = {(ANA, "older"): now - 1000, (ANA, "newer"): now}
        older, newer = [await wrote(stage, ANA, text, moment) for (_, text), moment in at.items()]
        await load.deliver(newer)
        await settled(stage, redis, patience=5)
        for event in (newer, older):
            await load.deliver(event)
        await load.attempt(forged(newer, 0, random.Random(seed)), only)
        await settled(stage, redis, patience=5)
        posts = (await stage.api("GET", "/sandbox/posts"))["refused"]
        findings, _ = judged(await stage.rows(), at, counts(redis, ours, [ANA]), posts)
    assert findings.kinds() == kinds, findings
