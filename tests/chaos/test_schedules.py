"""A schedule while those who see to it are killed at the worst moment: each of its times is run once, in order, and none is lost."""

import asyncio
import time

import pytest

from tests.chaos.harness import BOTS, Chaos

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

    async def told() -> list[tuple[int, int]] | None:
        rows = [row["text"].split(": ") for row in await stage.rows() if row["direction"] == "out"]
        runs = sorted((int(count), int(due)) for count, due in rows)
        whole = bool(runs) and runs[0][0] == 1 and {due for _, due in runs} >= set(range(runs[0][1], end + 1, 1000))
        return runs if whole else None

    # What the killed had staged or leased comes late, and in any order: the count says which run was which.
    runs = [(count, due) for count, due in await stage.until(told, "each second up to the last kill to be told of") if due <= end]
    assert [due for _, due in runs] == list(range(runs[0][1], end + 1, 1000))
    assert [count for count, _ in runs] == list(range(1, len(runs) + 1))
