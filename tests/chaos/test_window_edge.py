"""Messages about the edge of the window, from processes whose clocks are wrong, through a platform that loses posts: never too late.

The window counts as closed the margin before its edge: from then on nothing free-form is first posted, whatever the clock of the process
says. What was first posted before that and may have arrived keeps its variant, also past the edge, so that no message has two.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from redis import Redis

from pilotbot.engine import HOUR
from pilotbot.replies import Template
from tests.chaos.business import HEARD, UNPACED, Business, Wire, business, concluded, iso, sandbox_ms, wrote
from tests.chaos.harness import LEASE, Chaos, Process
from tests.chaos.load import Load, contacts
from tests.chaos.verdict import Findings, Row, Verdict, settled
from tests.stage import ANA, BRUNO, Stage

pytestmark = pytest.mark.chaos

MARGIN = 120_000  # ms
OPEN = 24 * HOUR - MARGIN  # ms after a contact's message
SKEWS = ("behind", "ahead", "", "behind")
CARLA = "+5531976540003"


@dataclass(frozen=True, slots=True)
class Size:
    workers: int
    rounds: int
    contacts: int  # in a round
    each: int


SHORT, FULL = Size(2, 2, 25, 6), Size(4, 20, 100, 5)


async def test_window_edge(chaos: Chaos, redis: Redis, seed: int, full: bool, noted: Callable[[Verdict], Verdict]) -> None:
    size, stage, rng = FULL if full else SHORT, chaos.stage, random.Random(seed)
    async with Wire(stage) as wire:
        processes = [chaos.process(HEARD, API_URL=wire.url, TEST_SABOTAGE=skew, **UNPACED) for skew in SKEWS[: size.workers]]
        await asyncio.gather(*(process.work() for process in processes))
        await _tell(stage, processes[0])
        people = contacts(size.rounds * size.contacts)
        edges: dict[str, int] = {}
        began = time.monotonic()
        async with Load(stage, processes, seed) as load, business(chaos) as ours:
            for at in range(size.rounds):
                await stage.faults(acceptThenDrop=0.08, http500=0.05, dropBefore=0.03)
                here = people[at * size.contacts : (at + 1) * size.contacts]
                edges |= await _round(stage, load, ours, here, size.each, rng)
                await stage.travel("125s")  # what was lost is tried again past the edge
            await stage.faults(acceptThenDrop=0, http500=0, dropBefore=0)
            drained = await settled(stage, redis, patience=30)
            findings, measured = judged(await stage.rows(), wire.first, edges, size.each)
            verdict = noted(
                await concluded(
                    "window edge", stage, findings, seed=seed, began=began, contacts=len(people), events=len(people),
                    deliveries=len(load.attempts), measured=measured,
                    faults="clocks 10 min off, 8 % taken and dropped, 8 % lost or 5xx, past the edge in between",
                )
            )  # fmt: skip
    assert verdict.clean, repr(verdict)
    assert drained


async def _tell(stage: Stage, process: Process) -> None:
    """Have a process told of failures, and with them of the clock."""
    await stage.api("POST", "/v1/webhooks", {"url": f"{process.url}/webhook", "name": "bot", "events": ["message.failed"]})


async def _round(
    stage: Stage, load: Load, ours: Business, people: Sequence[str], each: int, rng: random.Random
) -> Mapping[str, int]:  # fmt: skip
    """Contacts whose windows count as closed within the next seconds are written to about then. Returns when each window does."""
    start = sandbox_ms(stage) + 1_000 + 40 * len(people)  # ms: time to tell of all their messages first
    edges = {contact: start + rng.randrange(12 * len(people) * each) for contact in people}
    events = [await wrote(stage, contact, "quiet", edge - OPEN) for contact, edge in edges.items()]
    await asyncio.gather(*(load.deliver(event) for event in events))

    async def notify(contact: str, n: int) -> None:
        await asyncio.sleep(max(0.0, (edges[contact] - sandbox_ms(stage)) / 1000 + rng.uniform(-1.5, 1.0)))
        await _notice(ours, f"{contact} {n}", contact)

    await asyncio.gather(*(notify(contact, n) for contact in people for n in range(each)))
    await asyncio.sleep(max(0.0, (max(edges.values()) - sandbox_ms(stage)) / 1000 + LEASE))
    return edges


async def _notice(ours: Business, name: str, contact: str) -> None:
    await ours.notify(contact, name, Template("order_status", order_id=name, status="ready"))


def judged(rows: Sequence[Row], first: Mapping[str, int], edges: Mapping[str, int], each: int) -> tuple[Findings, dict[str, str]]:
    """Each notice was delivered once, in the right mode. A post that was leased just before may come a lease later, not more.

    `first` is when the first post under each key was made, `edges` when each contact's window counts as closed.
    """
    delivered: dict[str, list[str]] = {f"{contact} {n}": [] for contact in edges for n in range(each)}
    wrong: list[str] = []
    free: list[int] = []
    template: list[int] = []
    refused = 0
    for row in rows:
        if row["direction"] == "in":
            continue
        name = row["variables"]["order_id"] if row["template"] else row["text"]
        mode = "template" if row["template"] else "free"
        after = first[row["idempotencyKey"]] - edges[row["contact"]]
        (template if row["template"] else free).append(after)
        if after > 1000 * LEASE if mode == "free" else after < 0:
            wrong.append(f"{name} as {mode}, {after} ms after")
        if row["status"] == "FAILED":
            refused += 1
        else:
            delivered[name].append(mode)
    findings = Findings(
        lost=[name for name, modes in delivered.items() if not modes],
        doubled=[f"{name}: {', '.join(modes)}" for name, modes in delivered.items() if len(modes) > 1],
        wrong=wrong,
    )
    measured = {
        "first posted free-form": f"{len(free):,}, {sum(after > -1000 for after in free):,} of them in the last second, "
        f"the last {max(free, default=0)} ms after",
        "as template": f"{len(template):,}, {sum(after < 1000 for after in template):,} of them in the first second, "
        f"the first {min(template, default=0)} ms after",
        "refused late and decided again": f"{refused:,}",
    }
    return findings, measured


# --- controls -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sabotage", "kinds"), [("host,behind", {"wrong"}), ("behind", set())])
async def test_control_the_window_by_the_clock_of_the_process(
    chaos: Chaos, redis: Redis, seed: int, sabotage: str, kinds: set[str]
) -> None:  # fmt: skip
    """A minute after the window counts as closed, and a minute before its edge."""
    async with Wire(chaos.stage) as wire:
        only = await chaos.process(HEARD, API_URL=wire.url, TEST_SABOTAGE=sabotage, **UNPACED).work()
        edge = sandbox_ms(chaos.stage) - 60_000
        async with Load(chaos.stage, [only], seed) as load, business(chaos) as ours:
            await load.deliver(await wrote(chaos.stage, ANA, "quiet", edge - OPEN))
            await _notice(ours, f"{ANA} 0", ANA)
            await settled(chaos.stage, redis, patience=5)
            findings, _ = judged(await chaos.stage.rows(), wire.first, {ANA: edge}, 1)
    assert findings.kinds() == kinds, findings


@pytest.mark.parametrize(("sabotage", "kinds"), [("pin", {"doubled"}), ("", set())])
async def test_control_a_variant_is_chosen_anew(chaos: Chaos, redis: Redis, seed: int, sabotage: str, kinds: set[str]) -> None:
    """The window closes while nobody knows whether the free-form message arrived, which it did."""
    stage = chaos.stage
    async with Wire(stage) as wire:
        only = await chaos.process(HEARD, API_URL=wire.url, TEST_SABOTAGE=sabotage, **UNPACED).work()
        await _tell(stage, only)
        edge = sandbox_ms(stage) + 20_000
        async with Load(stage, [only], seed) as load, business(chaos) as ours:
            await load.deliver(await wrote(stage, ANA, "quiet", edge - OPEN))
            await stage.faults(acceptThenDrop=True)
            await _notice(ours, f"{ANA} 0", ANA)
            await stage.sees(1)
            await stage.travel("30s")
            await stage.faults(acceptThenDrop=False)
            await settled(stage, redis, patience=5)
            findings, _ = judged(await stage.rows(), wire.first, {ANA: edge}, 1)
    assert findings.kinds() == kinds, findings


# --- security row S19 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", ["ahead", "behind"])
async def test_window_edges(chaos: Chaos, redis: Redis, seed: int, skew: str) -> None:
    """By the contact's own time: what is delivered late opens no longer, what says to be of the future neither."""
    stage, only = chaos.stage, await chaos.process(HEARD, TEST_SABOTAGE=skew, **UNPACED).work()
    await _tell(stage, only)
    async with Load(stage, [only], seed) as load, business(chaos) as ours:

        async def modes(name: str, *people: str) -> list[str]:
            for contact in people:
                await _notice(ours, f"{contact} {name}", contact)
            assert await settled(stage, redis, patience=5)
            found = {row["contact"]: "template" if row["template"] else "free" for row in await stage.rows() if row["direction"] == "out"}
            return [found[contact] for contact in people]

        async def at(moment: int) -> None:
            await stage.api("POST", "/sandbox/clock", {"now": iso(moment)})

        now = sandbox_ms(stage)
        for contact, when in ((ANA, now), (BRUNO, now - 3 * HOUR), (CARLA, now + 2 * HOUR)):
            await load.deliver(await wrote(stage, contact, "quiet", when))
        await at(now - 3 * HOUR + OPEN - 8_000)
        assert await modes("late, before", BRUNO) == ["free"]
        await at(now - 3 * HOUR + OPEN + 1_000)
        assert await modes("late, after", BRUNO) == ["template"]
        await at(now + OPEN - 8_000)
        assert await modes("before", ANA, CARLA) == ["free", "free"]
        await at(now + OPEN + 3_000)  # the one of the future counts from when it came, which was a little later
        assert await modes("after", ANA, CARLA) == ["template", "template"]
