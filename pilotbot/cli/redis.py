"""Redis for a short-lived command: the one that a bot works with, or else one that is started for a moment (design section 3.18)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pilotbot.engine import Engine
from pilotbot.engine.embedded import RedisServer
from pilotbot.server.runtime import open_engine
from pilotbot.settings import Settings


@asynccontextmanager
async def engine_at_hand(settings: Settings) -> AsyncIterator[tuple[Engine, bool]]:
    """The opened engine, and whether its Redis was there already. One that had to be started is stopped again; its data stay.

    Raises:
        RedisUnavailable, Away, Mismatch: as `open_engine`.
    """
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    server = await RedisServer.open(url=url, data_dir=settings.data_dir)
    try:
        async with open_engine(settings) as engine:
            yield engine, not server.owned
    finally:
        await server.close()
