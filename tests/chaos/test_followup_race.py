"""Replies that come in the very moment in which a follow-up is due or sent: once a reply is answered 200, none is first posted.

Half of the replies come about when the follow-ups of their round are due, the others with the arrival of the round's first follow-up at the
platform, when the rest is on its way. Both ends are in this process, so that one clock tells what was first.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from redis import Redis

from tests.chaos.business import EVOLUTION, HEARD, UNPACED, Business, Taken, at_work, business, concluded
from tests.chaos.harness import Chaos, Held
from tests.chaos.load import Event, Load, contacts
from tests.chaos.verdict import Findings, Verdict, settled
from tests.stage import ANA

pytestmark = pytest.mark.chaos

SETTINGS = {**EVOLUTION, **UNPACED}
LATENCY = 5  # ms that the platform takes for a post
AHEAD = 0.4  # seconds from setting a round's follow-ups until they are due
SILENT = 10  # every so manieth contact never replies
CLOSE = 0.005  # seconds
TEXT, REPLY = "still there?", "yes"


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    trials: int
    round: int  # contacts whose follow-ups are due at the same time


SHORT, FULL = Size(2, 240, 40), Size(3, 5_000, 50)


async def test_followup_race(
    chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    size, stage, rng = FULL if full else SHORT, chaos.stage, random.Random(seed)
    taken = Taken(monkeypatch)
    processes = [chaos.process(HEARD, **SETTINGS) for _ in range(size.workers)]
    await asyncio.gather(*(process.work() for process in processes))
    await stage.faults(latencyMs=LATENCY)
    replying, silent = contacts(size.trials), [f"+55219{71000000 + n}" for n in range(size.trials // SILENT)]
    began = time.monotonic()
    async with Load(stage, processes, seed) as load, business(chaos, **EVOLUTION) as ours:
        for at, people in enumerate(_batched(replying, size.round)):
            quiet = silent[at * size.round // SILENT : (at + 1) * size.round // SILENT]
            await _round(ours, load, taken, people, quiet, rng)
        drained = await settled(stage, redis, patience=20)
        spans = {one.event.contact: (one.began, one.began + one.took) for one in load.attempts if one.status == 200}
        findings, measured = judged(taken, spans, silent)
        verdict = noted(
            await concluded(
                "follow-up race", stage, findings, seed=seed, began=began, contacts=len(replying) + len(silent), events=len(spans),
                deliveries=len(load.attempts), faults=f"{size.trials:,} replies about when a follow-up was due or sent", measured=measured,
            )
        )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained


def _batched(people: Sequence[str], size: int) -> list[Sequence[str]]:
    return [people[at : at + size] for at in range(0, len(people), size)]


async def _round(
    ours: Business, load: Load, taken: Taken, people: Sequence[str], silent: Sequence[str], rng: random.Random
) -> None:  # fmt: skip
    """Follow-ups of some contacts are due at the same moment, and most of them reply about then."""
    events = [await load.say(contact, REPLY) for contact in people]
    due, before = time.time() + AHEAD, len(taken.messages)
    await ours.follow_up([(contact, TEXT, round(due * 1000)) for contact in [*people, *silent]], silence=True)

    async def when_due(event: Event, jitter: float) -> None:
        await asyncio.sleep(max(0.0, due + jitter - time.time()))
        await load.deliver(event)

    async def when_sent(event: Event, jitter: float) -> None:
        while len(taken.messages) == before and time.time() < due + 2:  # noqa: ASYNC110 - in step with the platform, to the ms
            await asyncio.sleep(0.001)
        await asyncio.sleep(jitter)
        await load.deliver(event)

    halves = events[::2], events[1::2]
    await asyncio.gather(
        *(when_due(event, rng.uniform(-0.01, 0.25)) for event in halves[0]), *(when_sent(event, rng.uniform(0, 0.1)) for event in halves[1])
    )  # fmt: skip


def judged(taken: Taken, spans: Mapping[str, tuple[float, float]], silent: Sequence[str]) -> tuple[Findings, dict[str, str]]:
    """Each got the follow-up before their reply was answered 200, or not; each reply was answered once. Also how close it was."""
    lost: list[str] = []
    doubled: list[str] = []
    wrong: list[str] = []
    went = across = close = 0
    by_contact = taken.by_contact()
    for contact, (start, answered) in spans.items():
        told = by_contact.get(contact, [])
        sent = [at for at, text in told if text == TEXT]
        answers = [text for _, text in told if text != TEXT]
        went += bool(sent)
        for at in sent[:1]:
            across += start <= at <= answered
            close += min(abs(at - start), abs(at - answered)) <= CLOSE
            if at > answered:
                wrong.append(f"{contact}: sent {1000 * (at - answered):.1f} ms after the reply was accepted")
        doubled += [f"{contact}: {TEXT}"] * (len(sent) - 1) + [f"{contact}: {REPLY}"] * (len(answers) - 1)
        lost += [] if answers else [f"{contact}: {REPLY}"]
    for contact in silent:
        sent = [at for at, _ in by_contact.get(contact, [])]
        lost += [] if sent else [f"{contact}: {TEXT}"]
        doubled += [f"{contact}: {TEXT}"] * (len(sent) - 1)
    measured = {
        "replied first": f"{len(spans) - went:,}", "follow-up first": f"{went:,}",
        "taken while the reply was delivered": f"{across:,}", f"within {1000 * CLOSE:.0f} ms of it": f"{close:,}",
    }  # fmt: skip
    return Findings(lost=lost, doubled=doubled, wrong=wrong), measured


# --- controls -------------------------------------------------------------------------------------------------------------------


async def _reply_in_a_post(chaos: Chaos, redis: Redis, seed: int, sabotage: str, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """The reply comes while the follow-up's post is held in the platform."""
    only = await at_work(chaos, chaos.process(HEARD, TEST_SABOTAGE=sabotage, LEASE_SECONDS="20", **SETTINGS))
    taken, held = Taken(monkeypatch), Held(chaos.stage, monkeypatch)
    async with Load(chaos.stage, [only], seed) as load, business(chaos, **EVOLUTION) as ours:
        event = await load.say(ANA, REPLY)
        await ours.follow_up([(ANA, TEXT, round(time.time() * 1000))], silence=True)
        await held.arrived.wait()
        delivered = asyncio.create_task(load.deliver(event))
        await chaos.stage.until(lambda: load.attempts, "an answer to the reply")
        held.go_on.set()
        await delivered
        await settled(chaos.stage, redis, patience=5)
        return judged(taken, _spans(load), [])[0]


async def _reply_before_a_post(chaos: Chaos, redis: Redis, seed: int, sabotage: str, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """The reply comes when the follow-up is due, and nobody was there yet to send it."""
    taken = Taken(monkeypatch)
    only, server = chaos.process(HEARD, TEST_SABOTAGE=sabotage, **SETTINGS), chaos.process(HEARD, TEST_SABOTAGE=sabotage, **SETTINGS)
    server.options = ("--role", "server")
    await server.work()
    async with Load(chaos.stage, [server], seed) as load, business(chaos, **EVOLUTION) as ours:
        event = await load.say(ANA, REPLY)
        await ours.follow_up([(ANA, TEXT, round(time.time() * 1000))], silence=True)
        await load.deliver(event)
        await only.work()
        await chaos.stage.until(lambda: taken.messages, "the answer")
        await settled(chaos.stage, redis, patience=5)
        return judged(taken, _spans(load), [])[0]


def _spans(load: Load) -> dict[str, tuple[float, float]]:
    return {one.event.contact: (one.began, one.began + one.took) for one in load.attempts if one.status == 200}


Scene = Callable[[Chaos, Redis, int, str, pytest.MonkeyPatch], "asyncio.Future[Findings]"]


@pytest.mark.parametrize(
    ("scene", "sabotage", "kinds"),
    [
        (_reply_in_a_post, "settle", {"wrong"}),
        (_reply_in_a_post, "", set()),
        (_reply_before_a_post, "silence", {"wrong"}),
        (_reply_before_a_post, "", set()),
    ],
)
async def test_control(
    scene: Scene, sabotage: str, kinds: set[str], chaos: Chaos, redis: Redis, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = await scene(chaos, redis, seed, sabotage, monkeypatch)
    assert findings.kinds() == kinds, findings
