"""A bot's webhook server and its rooms on a real Redis, with nothing that works in the background."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession, web

from pilotbot import Bot, Context, Settings, load_settings
from pilotbot.engine import Engine
from pilotbot.server import Runtime
from pilotbot.server.http import Limits, build_runner
from tests.server.posting import other, platform, sends  # noqa: F401 - fixtures

SECRET = "the-first-secret"

Serve = Callable[..., Awaitable[tuple[ClientSession, Runtime]]]


def settings(**changes: Any) -> Settings:
    """Settings that reach no platform; any of them can be changed."""
    given = {"api_url": "http://127.0.0.1:9", "api_key": "ps_live_key", "webhook_secret": SECRET, "shards": 2, "_env_file": None}
    return load_settings(**{**given, **changes})


def echo_bot() -> Bot:
    """A bot that takes messages, and no event of any other kind."""
    bot = Bot("shop")

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply(ctx.text)

    return bot


@pytest.fixture
async def serve(engine: Engine) -> AsyncIterator[Serve]:
    """Serves the webhook of a bot that takes events in and handles none of them: nothing else is started."""
    async with AsyncExitStack() as stack:

        async def make(
            bot: Bot | None = None, *, on: Engine | None = None, limits: Limits | None = None, **changes: Any
        ) -> tuple[ClientSession, Runtime]:
            runtime = Runtime(bot or echo_bot(), settings(**changes), on or engine, {})
            runtime.app.limits = limits or runtime.app.limits
            runner = build_runner(runtime.app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            return await stack.enter_async_context(ClientSession(url)), runtime

        yield make
