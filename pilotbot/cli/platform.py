"""The platform, for commands that ask it: clients by number, and its refusals in a line."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from pilotbot.cli.failures import Failed
from pilotbot.platform import PilotStatus, PlatformError, TemplateInfo
from pilotbot.server import clients
from pilotbot.settings import NumberSettings, Settings


def numbers_of(settings: Settings, name: str | None) -> tuple[NumberSettings, ...]:
    """The number of that name, all without one. Raises Failed where none is called so."""
    if name is None:
        return settings.numbers
    found = tuple(number for number in settings.numbers if number.name == name)
    if not found:
        raise Failed(f"no number is called {name!r}; there are {', '.join(number.name for number in settings.numbers)}")
    return found


@asynccontextmanager
async def at_platform(settings: Settings, numbers: Sequence[NumberSettings]) -> AsyncIterator[list[tuple[NumberSettings, PilotStatus]]]:
    """The numbers, each with its client."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session, clients(settings, session) as by_name:
        yield [(number, by_name[number.name]) for number in numbers]


@contextmanager
def refusals(number: NumberSettings, what: str) -> Iterator[None]:
    """Turn the platform's refusal of `what` into `Failed`."""
    try:
        yield
    except PlatformError as error:
        words = f" ({error.message})" if error.message else ""
        raise Failed(f"number {number.name}: {what}: {error}{words}") from None


async def listed(settings: Settings, numbers: Sequence[NumberSettings]) -> list[tuple[NumberSettings, tuple[TemplateInfo, ...]]]:
    """The numbers, each with its templates. Raises Failed where the platform does not give them."""
    found = []
    async with at_platform(settings, numbers) as pairs:
        for number, client in pairs:
            with refusals(number, "its templates cannot be read"):
                found.append((number, await client.templates()))
    return found
