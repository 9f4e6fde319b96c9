"""How long journey tests take: so many of them, each a platform of its own with four messages and 25 hours, in a pytest with two workers.

    python bench/journeys.py [--count 200] [--workers 2]

Prints the seconds of the whole run, and those a test; beside them, for comparison, the seconds that the same pytest takes for as many
empty tests, on the same machine in the same minute.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
JOURNEY = """
import pytest
from bots import orders
from pilotbot.testing import Platform

@pytest.mark.parametrize("at", range({count}))
async def test_a_journey(at):
    async with Platform(orders.bot) as pilot:
        ana = pilot.phone("+5511987650001", name="Ana")
        await ana.says("order")
        assert ana.sees("order 4242", mode="buttons")
        await ana.taps("Track")
        assert ana.sees_only("Parcel of order 4242*")
        await pilot.travel(hours=25)
        await pilot.notify(ana, orders.ORDER, order=await orders.Orders().find("4312"))
        assert ana.last.mode == "template"
        await ana.says("a person, please")
        assert ana.sees("A person will answer")
"""
EMPTY = """
import pytest

@pytest.mark.parametrize("at", range({count}))
async def test_nothing(at):
    pass
"""


def run(code: str, workers: int) -> float:
    """Seconds that pytest takes for a test file."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "test_it.py").write_text(code, "utf-8")
        (Path(place) / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n", "utf-8")
        began = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), place]
        subprocess.run(command, check=True, cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


def main() -> None:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    empty, journeys = (run(code.format(count=given.count), given.workers) for code in (EMPTY, JOURNEY))
    print(f"{given.count} journeys, {given.workers} workers: {journeys:.1f} s, {1000 * journeys / given.count:.0f} ms each")
    print(f"{given.count} empty tests: {empty:.1f} s")


if __name__ == "__main__":
    main()
