"""The pytest plugin, there wherever pilotbot is installed: the fixture `pilot`, `*.chat` files as tests, chats shown where a test fails."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from pilotbot.bot import Bot
from pilotbot.testing.collect import ChatFile
from pilotbot.testing.platform import Platform

FAILED = pytest.StashKey[bool]()

try:
    import pytest_asyncio
except ImportError:

    @pytest.fixture(name="pilot")
    def no_pilot() -> None:
        """Say what is missing."""
        raise pytest.UsageError('the fixture `pilot` needs pytest-asyncio: pip install "pilotbot[testing]"')
else:

    @pytest_asyncio.fixture
    async def pilot(bot: Bot, request: pytest.FixtureRequest) -> AsyncIterator[Platform]:
        """A `Platform` with your `bot` at work on it, for one test."""
        async with Platform(bot) as platform:
            yield platform
            if request.node.stash.get(FAILED, False):
                platform.excuse()


@pytest.fixture
def bot() -> Bot:
    """The bot that `pilot` runs: define this fixture in your conftest.py."""
    raise pytest.UsageError("`pilot` runs the bot that a fixture `bot` of yours returns: define one in conftest.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-chats."""
    group = parser.getgroup("pilotbot")
    group.addoption("--update-chats", action="store_true", help="write what the bot says now into the *.chat files that fail")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take `*.chat` files as tests."""
    return ChatFile.from_parent(parent, path=file_path) if file_path.suffix == ".chat" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the chats of a platform that a failed test was given as a fixture; those of others stand with the error itself."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
        given = getattr(item, "funcargs", {}).values()
        report.sections += [("chats", platform.transcript()) for platform in given if isinstance(platform, Platform)]
    return report
