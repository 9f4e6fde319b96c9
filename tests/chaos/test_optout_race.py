"""Contacts who opt out while what a business says to them is being sent: nothing of it follows, one confirmation does, others get all."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from redis import Redis

from pilotbot.engine.keys import base
from tests.chaos.business import EVOLUTION, HEARD, Business, Taken, at_work, business, concluded
from tests.chaos.harness import Chaos, Held
from tests.chaos.load import Load, contacts
from tests.chaos.verdict import Findings, Verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

LATENCY = 20  # ms that the platform takes for a post
WORDS = ("PARAR", "Sair!", "stop", "Baja")
CONFIRMED = ("Certo:", "Done:", "Listo:")
CLOSE = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    contacts: int
    each: int
    leaving: int  # contacts who opt out
    rate: int  # messages of the business a second


SHORT, FULL = Size(2, 30, 8, 15, 60), Size(2, 250, 8, 125, 100)


async def test_optout_race(
    chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    size, stage, rng = FULL if full else SHORT, chaos.stage, random.Random(seed)
    taken = Taken(monkeypatch)
    paced = {**EVOLUTION, "BUSINESS_PER_SECOND": str(size.rate), "BUSINESS_CHAT_SECONDS": "0"}
    processes = [chaos.process(HEARD, **paced) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    await stage.faults(latencyMs=LATENCY)
    people = contacts(size.contacts)
    leaving = rng.sample(people, size.leaving)
    notices = [(contact, f"notice {n}") for n in range(size.each) for contact in rng.sample(people, len(people))]
    began = time.monotonic()
    async with Load(stage, processes, seed) as load, business(chaos, **EVOLUTION) as ours:
        commits = Commits(redis, ours)
        watching = asyncio.create_task(commits.watch())
        sending = asyncio.create_task(_all(ours, notices))
        last = len(notices) / size.rate

        async def leave(contact: str) -> None:
            await asyncio.sleep(last * rng.uniform(0.05, 0.9))
            event = await load.say(contact, rng.choice(WORDS))
            commits.awaited.add(contact)
            await asyncio.gather(*(load.deliver(event) for _ in range(rng.randint(1, 2))))

        await asyncio.gather(*(leave(contact) for contact in leaving))
        await sending
        drained = await settled(stage, redis, patience=20)
        watching.cancel()
        findings, measured = judged(taken, notices, commits.seen, leaving)
        verdict = noted(
            await concluded(
                "opt-out race", stage, findings, seed=seed, began=began, contacts=len(people), events=len(leaving),
                deliveries=len(load.attempts), faults=f"{len(leaving)} opt out while {len(notices):,} are sent", measured=measured,
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained


async def _all(ours: Business, notices: Sequence[tuple[str, str]]) -> None:
    for contact, text in notices:
        await ours.notify(contact, text)


class Commits:
    """When Redis was first seen to hold the opt-outs of those who are `awaited`, their events done with (monotonic seconds)."""

    def __init__(self, redis: Redis, ours: Business) -> None:
        self.awaited: set[str] = set()
        self.seen: dict[str, float] = {}
        self._redis = redis
        self._ours = ours

    async def watch(self) -> None:
        while True:
            waiting = list(self.awaited - self.seen.keys())
            pipe = self._redis.pipeline(transaction=True)
            for contact in waiting:
                key = self._ours.place(contact).key
                pipe.hget(f"{base(key.shard)}:chat:{key.id}", "consent")
                pipe.hexists(f"{base(key.shard)}:chat:{key.id}", "committed")
            found = pipe.execute()
            now = time.monotonic()
            self.seen |= {
                contact: now
                for contact, consent, committed in zip(waiting, found[::2], found[1::2], strict=True)
                if consent and int(consent) > 0 and committed
            }
            await asyncio.sleep(0.003)


def judged(
    taken: Taken, notices: Sequence[tuple[str, str]], commits: Mapping[str, float], leaving: Sequence[str]
) -> tuple[Findings, dict[str, str]]:  # fmt: skip
    """Who left got a beginning of their notices and one confirmation, and nothing after that, or after the commit; the others all."""
    lost: list[str] = []
    doubled: list[str] = []
    disordered: list[str] = []
    wrong: list[str] = []
    spared = close = 0
    by_contact = taken.by_contact()
    due: dict[str, list[str]] = {}
    for contact, text in notices:
        due.setdefault(contact, []).append(text)
    for contact, texts in due.items():
        told = by_contact.get(contact, [])
        got = [text for _, text in told if not text.startswith(CONFIRMED)]
        ends = [at for at, text in told if text.startswith(CONFIRMED)]
        doubled += [f"{contact}: {text}" for text, count in Counter(got).items() for _ in range(count - 1)]
        if got != texts[: len(got)] and not doubled:
            disordered.append(f"{contact}: {got}")
        if contact not in leaving:
            lost += [f"{contact}: {text}" for text in texts if text not in got]
            wrong += [f"{contact}: a confirmation"] * len(ends)
            continue
        spared += len(texts) - len(got)
        lost += [] if ends else [f"{contact}: the confirmation"]
        doubled += [f"{contact}: the confirmation"] * (len(ends) - 1)
        end = min([*ends, commits.get(contact, float("inf"))])
        close += any(end - CLOSE <= at <= end for at, text in told if text in texts)
        wrong += [f"{contact}: {text}, {1000 * (at - end):.0f} ms after" for at, text in told if text in texts and at > end]
    measured = {"not sent any more": f"{spared:,}", f"sent within {1000 * CLOSE:.0f} ms before": f"{close:,}"}
    return Findings(lost=lost, doubled=doubled, disordered=disordered, wrong=wrong), measured


# --- controls -------------------------------------------------------------------------------------------------------------------


async def _leaves_before_a_post(chaos: Chaos, redis: Redis, seed: int, sabotage: str, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """The number pauses, with a notice in the lane, while the contact opts out."""
    taken = Taken(monkeypatch)
    only = await chaos.process(HEARD, TEST_SABOTAGE=sabotage, **EVOLUTION).work()
    async with Load(chaos.stage, [only], seed) as load, business(chaos, **EVOLUTION) as ours:
        await ours.engine.pause("main", 3_000, "for a test")
        await _all(ours, [(ANA, "one")])
        commits = Commits(redis, ours)
        watching = asyncio.create_task(commits.watch())
        commits.awaited.add(ANA)
        await load.deliver(await load.say(ANA, "stop"))
        await chaos.stage.until(lambda: commits.seen, "the commit")
        watching.cancel()
        await settled(chaos.stage, redis, patience=5)
        return judged(taken, [(ANA, "one")], commits.seen, [ANA])[0]


async def _leaves_in_a_post(chaos: Chaos, redis: Redis, seed: int, sabotage: str, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """The contact opts out while the post of a notice is held in the platform, until the opt-out is committed, or a while."""
    only = await at_work(chaos, chaos.process(HEARD, TEST_SABOTAGE=sabotage, LEASE_SECONDS="20", **EVOLUTION))
    taken, held = Taken(monkeypatch), Held(chaos.stage, monkeypatch)
    async with Load(chaos.stage, [only], seed) as load, business(chaos, **EVOLUTION) as ours:
        commits = Commits(redis, ours)
        watching = asyncio.create_task(commits.watch())
        await _all(ours, [(ANA, "one")])
        await held.arrived.wait()
        commits.awaited.add(ANA)
        await load.deliver(await load.say(ANA, "stop"))
        key = ours.place(ANA).key
        await chaos.stage.until(lambda: redis.hexists(f"{base(key.shard)}:chat:{key.id}", "consent"), "the opt-out to be marked")
        await asyncio.wait([watching], timeout=1.0 if sabotage else 0.3)
        held.go_on.set()
        await chaos.stage.until(lambda: commits.seen, "the commit")
        watching.cancel()
        await settled(chaos.stage, redis, patience=5)
        return judged(taken, [(ANA, "one")], commits.seen, [ANA])[0]


Scene = Callable[[Chaos, Redis, int, str, pytest.MonkeyPatch], "asyncio.Future[Findings]"]


@pytest.mark.parametrize(
    ("scene", "sabotage", "kinds"),
    [
        (_leaves_before_a_post, "consent", {"wrong"}),
        (_leaves_before_a_post, "", set()),
        (_leaves_in_a_post, "settle", {"wrong"}),
        (_leaves_in_a_post, "", set()),
    ],
)
async def test_control(
    scene: Scene, sabotage: str, kinds: set[str], chaos: Chaos, redis: Redis, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = await scene(chaos, redis, seed, sabotage, monkeypatch)
    assert findings.kinds() == kinds, findings
