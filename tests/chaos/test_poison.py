"""Messages that harm: one ends every process that runs it, one holds up every event loop. They are parked; all others are answered once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
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


@pytest.mark.parametrize("count", [1, 2])
async def test_a_message_that_ends_its_process_is_parked_after_three_crashes_and_harms_nobody_else(
    chaos: Chaos, letters: Any, count: int
) -> None:
    stage = chaos.stage
    processes = [await chaos.process(POISON).work() for _ in range(count)]
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
