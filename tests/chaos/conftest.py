"""What the tests of chaos share: two sizes, a seed, and the table of verdicts.

`--chaos full` (`make chaos`) runs the sizes of docs/guarantees.md, and tells its progress on stderr; the short form is part of the suite.
CHAOS_SEED repeats a run's choices: who gets which event how often, who is killed when. What processes and networks make of them is new
each time.
"""

import os
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.harness import Chaos
from tests.chaos.servers import OwnRedis
from tests.chaos.verdict import HEAD, Verdict
from tests.stage import Stage

FULL_TIMEOUT = 1800  # seconds, of one test


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos", choices=("short", "full"), default="short", help="how long the tests of tests/chaos are")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if is_full(config):
        for item in items:
            item.add_marker(pytest.mark.timeout(FULL_TIMEOUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, where the long form ran."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    rows = [value for report in reports if report.when == "call" for name, value in report.user_properties if name == "verdict"]
    if rows and is_full(config):
        terminalreporter.section("verdicts")
        terminalreporter.write_line("\n".join([HEAD, "|" + " --- |" * HEAD.count(" |"), *rows]))


def is_full(config: pytest.Config) -> bool:
    # Where the whole suite is collected, the option comes too late to be known, and is not given.
    return bool(config.getoption("chaos", "short") == "full")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long form."""
    return is_full(request.config)


@pytest.fixture
def seed() -> int:
    """Decides all that is left to chance; shown where a test fails."""
    found = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
    sys.stdout.write(f"CHAOS_SEED={found}\n")
    return found


@pytest.fixture
def noted(request: pytest.FixtureRequest) -> Callable[[Verdict], Verdict]:
    """Puts a verdict in the table."""

    def note(verdict: Verdict) -> Verdict:
        request.node.user_properties.append(("verdict", str(verdict)))
        return verdict

    return note


@pytest.fixture
async def chaos(stage: Stage, redis_url: str, tmp_path: Path) -> AsyncIterator[Chaos]:
    found = Chaos(stage, redis_url, tmp_path)
    yield found
    found.end()


@pytest.fixture
def chaos_on(stage: Stage, tmp_path: Path) -> Iterator[Callable[[str], Chaos]]:
    """Makes the same on another Redis."""
    made: list[Chaos] = []

    def make(redis_url: str) -> Chaos:
        made.append(Chaos(stage, redis_url, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Callable[..., OwnRedis]]:
    """Makes Redis servers that a test may kill; not started yet."""
    made: list[OwnRedis] = []

    def make(**options: object) -> OwnRedis:
        made.append(OwnRedis(tmp_path / f"redis-{len(made)}", **options))  # type: ignore[arg-type]  # as OwnRedis takes them
        return made[-1]

    yield make
    for one in made:
        one.end()
