"""What a test platform is made of: a sandbox, an empty Redis and the bot's runtime; started, killed, started again, waited for."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import aiohttp
from redis.asyncio import Redis

from pilotbot.bot import Bot
from pilotbot.sandbox import ApiKey, Number, Sandbox, SandboxSettings, TemplateSeed
from pilotbot.server import Runtime, open_engine, running
from pilotbot.settings import NumberKind, Settings, given_settings
from pilotbot.testing.crash import CrashingEngine, Fuse, end_leases
from pilotbot.testing.databases import empty_database
from pilotbot.testing.quiet import Waiting, waiting_in

SECRET = "sandbox-webhook-secret"  # noqa: S105 - of a sandbox that lives as long as a test
OVER_BACKOFF = 300_000  # ms of business time that one wait may skip to get past back-offs: all tries of an event, and more
RETRIES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)  # seconds, on the sandbox's clock, between the attempts of a delivery


class Refused(AssertionError):
    """The sandbox would not do what a test asked for; the text says why."""


class Installation:
    """A sandbox with a bot at work on it. `numbers` are the kinds of our numbers by name, `settings` changes of the bot's.

    A bot that does not come to rest within `patience` seconds is given up.
    """

    def __init__(
        self,
        bot: Bot,
        numbers: Mapping[str, NumberKind],
        *,
        templates: Mapping[str, str],
        patience: float,
        settings: Mapping[str, Any],
    ) -> None:
        self.numbers = {
            name: Number(f"num_{name}", f"+55114002{8922 + at}", f"{name.capitalize()} number", kind)
            for at, (name, kind) in enumerate(numbers.items())
        }
        self.sandbox = Sandbox(SandboxSettings(
            port=0, numbers=tuple(self.numbers.values()), receipt_delay=(0, 0), retry_schedule=RETRIES, webhook_secret=SECRET,
            keys=tuple(ApiKey(f"key_{name}", _key(name), number.id) for name, number in self.numbers.items()),
            templates=(*SandboxSettings().templates, *(TemplateSeed(name, body) for name, body in templates.items())),
        ))  # fmt: skip
        self.fuse = Fuse()
        self.settings: Settings
        self.runtime: Runtime
        self._bot = bot
        self._patience = patience
        self._changes = settings
        self._restarting = asyncio.Lock()
        self._redis: Redis
        self._http: aiohttp.ClientSession
        self._stack, self._life = AsyncExitStack(), AsyncExitStack()

    async def start(self) -> None:
        """Start all parts.

        Raises:
            RedisUnavailable, SettingsError, WiringError: as when the bot is run.
        """
        try:
            redis_url = await self._stack.enter_async_context(empty_database())
            await self._stack.enter_async_context(self.sandbox)
            self.settings = self._made(redis_url)
            self._redis = await self._stack.enter_async_context(Redis.from_url(redis_url))
            self._http = await self._stack.enter_async_context(aiohttp.ClientSession())
            await self._start_bot()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all parts."""
        try:
            await self._life.aclose()
        finally:
            await self._stack.aclose()

    async def restart(self) -> None:
        """Kill the bot, as `kill -9` does, have its leases run out, and start it again."""
        await self.runtime.kill()
        await self._life.aclose()
        async with open_engine(self.settings) as engine:
            await end_leases(self._redis, engine)
        self.fuse.burnt = False
        await self._start_bot()

    async def api(self, method: str, path: str, body: object = None, *, number: str | None = None) -> Any:
        """A call of the sandbox, with the key of a number, the first by default: its JSON, or its text where it answers with that.

        Raises:
            Refused: it does not answer with a success.
        """
        headers = {"x-api-key": _key(number or next(iter(self.numbers)))}
        async with self._http.request(method, self.sandbox.url + path, json=body, headers=headers) as answer:
            if answer.content_type == "text/plain":
                return await answer.text()
            found = await answer.json()
            if answer.status >= 300:
                raise Refused(f"the sandbox refuses {method} {path}: {found.get('error', answer.status)}")
            return found

    async def rest(self, *, before_restart: Callable[[], None]) -> None:
        """Wait until nothing is under way: every delivery answered, every event handled, every message sent and confirmed.

        Time is moved over back-offs, at most 5 minutes of it; a bot that was killed is started again.

        Raises:
            TimeoutError: the bot is still busy after `patience` seconds.
        """
        deadline, skipped, looks = time.monotonic() + self._patience, 0, 0
        while True:
            async with self._restarting:  # of several contacts who act at once, one sees to it
                if self.fuse.burnt:
                    before_restart()
                    await self.restart()
            waiting = await self._waiting()
            if not waiting.now:
                if waiting.soonest is None or skipped + waiting.soonest > OVER_BACKOFF:
                    return
                step = max(1, -(-waiting.soonest // 1000))  # whole seconds
                skipped += step * 1000
                await self.api("POST", "/sandbox/clock", {"advance": f"{step}s"})
            elif time.monotonic() > deadline:
                raise TimeoutError(f"the bot is still busy after {self._patience:g} s")
            else:
                looks += 1
                await asyncio.sleep(0.001 if looks < 50 else 0.01)

    async def _waiting(self) -> Waiting:
        """What waits anywhere. Work goes from the sandbox to Redis and back, so it is looked for on both sides, twice on one."""
        before = self.sandbox.pending()
        if before.now:
            return Waiting(now=True)
        found = await waiting_in(self._redis, self.settings.shards)
        after = self.sandbox.pending()
        moved = after.now > 0 or after.sequence != before.sequence
        return found | Waiting(moved, after.later[0] - after.now_ms if after.later else None)

    def _made(self, redis_url: str) -> Settings:
        """The bot's settings: nothing of the environment counts."""
        numbers = [{"name": name, "id": number.id, "kind": number.kind, "key": _key(name)} for name, number in self.numbers.items()]
        given: dict[str, Any] = {
            "api_url": self.sandbox.url, "redis_url": redis_url, "numbers": numbers, "webhook_secret": SECRET, "webhook_token": None,
            "api_key": None, "api_key_id": None, "number_kind": "meta", "host": "127.0.0.1", "port": 0, "shards": 2,
        }  # fmt: skip
        return given_settings(**{**given, **self._changes})

    async def _start_bot(self) -> None:
        engine = partial(CrashingEngine, fuse=self.fuse)
        self.runtime = await self._life.enter_async_context(running(self._bot, self.settings, reveal=True, engine=engine))
        hook = {"url": f"{self.runtime.url}/webhook", "name": self._bot.name, "events": ["*"]}
        for name in self.numbers:
            known = await self.api("GET", "/v1/webhooks", number=name)
            method, path = ("PATCH", f"/v1/webhooks/{known[0]['id']}") if known else ("POST", "/v1/webhooks")
            await self.api(method, path, hook, number=name)


def _key(number: str) -> str:
    return f"ps_sandbox_{number}"
