"""Messages that harm: one ends every process that runs it, one holds up every event loop. They are parked; all others are answered once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pilotbot.engine import Engine, Letter
from tests.chaos.harness import BOTS, LEASE, Chaos, Process
from tests.stage import ANA, BRUNO, Stage

pytestmark = pytest.mark.chaos

POISON = BOTS / "poison.py"
OTHERS = [f"+55119876500{n}" for n in range(10, 14)]


@pytest.fixture
def letters(engine: Engine) -> Any:
    """Waits for so many dead letters, and returns them."""

    async def wait(stage: Stage, count: int) -> list[Letter]:
        async def enough() -> list[Letter]:
            found = await engine.dead_letters()
            return found if len(found) >= count else []

        found: list[Letter] = await stage.until(enough, "the dead letter") if count else await engine.dead_letters()
        return found

    return wait


class Supervisor:
    """Starts processes again that ended by themselves, as systemd does."""

    def __init__(self, processes: list[Process]) -> None:
        self.deaths = 0
        self._processes = processes

    async def run(self) -> None:
        while True:
            for process in self._processes:
                if process.ended:
                    self.deaths += 1
                    process.start()
            await asyncio.sleep(0.02)


@asynccontextmanager
async def supervised(*processes: Process) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(list(processes))
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def answers(stage: Stage, count: int, contact: str = ANA) -> list[str]:
    return [row["text"] for row in await stage.sees(count, contact=contact)]


async def test_a_message_that_ends_its_process_is_parked_after_three_crashes_and_harms_nobody_else(chaos: Chaos, letters: Any) -> None:
    stage = chaos.stage
    processes = [await chaos.process(POISON).work() for _ in range(2)]
    for process in processes:
        await chaos.listen(process, alone=False)
    async with supervised(*processes) as supervisor:
        for contact in OTHERS:
            await stage.says("slow", contact=contact)  # under way when their process ends
        await stage.says("one")
        await stage.says("die")
        await stage.says("two")
        await stage.says("one", contact=BRUNO)
        (letter,) = await letters(stage, 1)
        assert (letter.reason, letter.crashes, letter.tries) == ("poison", 3, 0)
        assert '"content":"die"' in letter.payload
        assert await answers(stage, 2) == ["1: one", "2: two"]
        assert await answers(stage, 1, BRUNO) == ["1: one"]
        for contact in OTHERS:
            assert await answers(stage, 1, contact) == ["1: slow"]
        assert supervisor.deaths == 3
        assert len(await letters(stage, 0)) == 1


async def state_of(stage: Stage, process: Process) -> dict[str, Any]:
    async with stage.http.get(f"{process.url}/readyz") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_a_process_that_is_blocked_past_its_lease_takes_no_effect_and_says_where(chaos: Chaos, letters: Any) -> None:
    stage = chaos.stage
    first = await chaos.process(POISON, TEST_BLOCK=str(20 * LEASE), TEST_UNTIL_TAKEN="1").work()
    await chaos.listen(first)
    await stage.says("block")
    await stage.until((chaos.place / "blocked").exists, "the handler to begin")
    second = await chaos.process(POISON).work()
    await chaos.listen(second)
    await stage.says("two")
    assert await answers(stage, 2) == ["1: block", "2: two"]
    await first.ready()
    state = await state_of(stage, first)
    assert state["counts"]["loop:blocked"] == 1
    assert state["loop"]["longest_lag"] > 1
    second.kill()
    await chaos.listen(first)
    await stage.says("three")
    assert await answers(stage, 3) == ["1: block", "2: two", "3: three"]
    assert len((chaos.place / "blocked").read_text().splitlines()) == 2
    said = [line for line in (chaos.place / f"log-{first.port}").read_text().splitlines() if "the event loop is blocked" in line]
    assert len(said) == 1
    assert "poison.py:" in said[0]
    assert " count;" in said[0]
    assert await letters(stage, 0) == []


async def test_a_message_that_blocks_every_process_is_parked_after_three_losses_and_its_chat_goes_on(chaos: Chaos, letters: Any) -> None:
    stage = chaos.stage
    processes = [await chaos.process(POISON, TEST_BLOCK=str(2.5 * LEASE)).work() for _ in range(2)]
    for process in processes:
        await chaos.listen(process, alone=False)
    await stage.says("one")
    await stage.says("block")
    await stage.says("two")
    await stage.says("one", contact=BRUNO)
    (letter,) = await letters(stage, 1)
    assert (letter.reason, letter.crashes) == ("poison", 3)
    assert await answers(stage, 2) == ["1: one", "2: two"]
    assert await answers(stage, 1, BRUNO) == ["1: one"]
    assert len((chaos.place / "blocked").read_text().splitlines()) == 3
