"""A schedule while those who see to it are killed at the worst moment: each of its times is run once, in order, and none is lost."""

import asyncio
import time

import pytest

from tests.chaos.harness import BOTS, Chaos
from tests.stage import Row

pytestmark = pytest.mark.chaos

ON_EVOLUTION = {"API_KEY": "ps_sandbox_evolution", "NUMBER_KIND": "evolution_v2"}  # no window to mind


async def test_each_second_is_run_once_while_processes_are_killed(chaos: Chaos, full: bool) -> None:
    stage, between = chaos.stage, chaos.place / "between"
    processes = [chaos.process(BOTS / "timed.py", **ON_EVOLUTION) for _ in range(3)]
    await asyncio.gather(*(process.work() for process in processes))
    for _ in range(60 if full else 8):
        # Killed just before the schedule moves on, or just after it, with others who do the same at that moment.
        seen = len(between.read_text().splitlines()) if between.exists() else 0

        def caught(seen: int = seen) -> list[str]:
            return between.read_text().splitlines()[seen:] if between.exists() else []

        pid = int((await stage.until(caught, "somebody to move the schedule on"))[0])
        victim = next(process for process in processes if process.pid == pid)
        victim.kill()
        victim.start()
    end = round(time.time() * 1000)

    async def told() -> list[Row]:
        return [row for row in await stage.rows() if row["direction"] == "out"]

    async def past_the_end() -> bool:
        return any(int(row["text"].split(": ")[1]) > end for row in await told())

    await stage.until(past_the_end, "a run after the last kill")
    runs = sorted((int(count), int(due)) for count, due in (row["text"].split(": ") for row in await told()))
    whole = [due for _, due in runs if due <= end]
    assert whole == list(range(whole[0], end + 1, 1000))
    assert [count for count, due in runs if due <= end] == list(range(1, len(whole) + 1))
