"""Engines with figures of a test's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from pilotbot.engine import Engine, Terms
from tests.engine.steps import Limited


@pytest.fixture
async def limited(redis_url: str) -> AsyncIterator[Limited]:
    """Opens engines with other figures on an empty Redis, two shards."""
    async with AsyncExitStack() as stack:

        async def opened(**terms: int) -> Engine:
            engine = Engine(redis_url, shards=2, terms=Terms(patience=200, **terms))
            await engine.open()
            stack.push_async_callback(engine.close)
            return engine

        yield opened
