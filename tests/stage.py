"""The stage that journeys play on: a bot at work on a real Redis, a sandbox with its clock, real HTTP between them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from pilotbot import Bot, Settings, load_settings, running
from pilotbot.sandbox import Sandbox
from pilotbot.server import Runtime

ANA = "+5511987650001"
BRUNO = "+5521998760002"
PATIENCE = 20.0  # seconds; reached only when something is wrong

Row = dict[str, Any]


class Stage:
    """Simulated contacts, one sandbox, and the bots that were put to work."""

    def __init__(self, sandbox: Sandbox, http: aiohttp.ClientSession, redis_url: str, data: Path) -> None:
        self.sandbox = sandbox
        self.http = http
        self._redis_url = redis_url
        self._data = data
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def settings(self, **changes: Any) -> Settings:
        """Settings for a bot on this stage; any of them can be changed."""
        given: dict[str, Any] = {
            "api_url": self.sandbox.url, "api_key": "ps_sandbox_number", "webhook_secret": "sandbox-webhook-secret", "port": 0,
            "redis_url": self._redis_url, "data_dir": self._data, "shards": 2, "_env_file": None,
        }  # fmt: skip
        return load_settings(**{**given, **changes})

    async def work(self, bot: Bot, *, keys: tuple[str, ...] = ("ps_sandbox_number",), webhook: bool = True, **changes: Any) -> Runtime:
        """Put a bot to work, and have the sandbox deliver to it the events of the numbers of these keys."""
        runtime = await self._stack.enter_async_context(running(bot, self.settings(**changes)))
        for key in keys if webhook else ():
            await self.api("POST", "/v1/webhooks", {"url": f"{runtime.url}/webhook", "name": bot.name, "events": ["*"]}, key=key)
        return runtime

    async def api(self, method: str, path: str, body: object = None, *, key: str = "ps_sandbox_number") -> Any:
        """A call of the sandbox's API or control paths, which must succeed."""
        async with self.http.request(method, self.sandbox.url + path, json=body, headers={"x-api-key": key}) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    # --- what contacts and time do ---

    async def says(self, text: str, *, contact: str = ANA, **more: Any) -> Row:
        """A contact writes. `more` is what `POST /sandbox/inbound` takes."""
        found: Row = await self.api("POST", "/sandbox/inbound", {"from": contact, "name": "Ana Souza", "text": text, **more})
        return found

    async def taps(self, label: str, *, contact: str = ANA, **more: Any) -> Row:
        """A contact taps an option."""
        found: Row = await self.api("POST", "/sandbox/inbound", {"from": contact, "name": "Ana Souza", "tap": label, **more})
        return found

    async def travel(self, how_far: str) -> None:
        """Move the sandbox's clock, and with it the bot's business time."""
        await self.api("POST", "/sandbox/clock", {"advance": how_far})

    async def faults(self, **faults: Any) -> None:
        """Have the sandbox misbehave."""
        await self.api("POST", "/sandbox/faults", faults)

    # --- what is to be seen ---

    async def rows(self, contact: str | None = None) -> list[Row]:
        """All messages of a contact (or group, or all), both directions, in the order of the sandbox's acceptance."""
        query = f"?contact={contact.replace('+', '%2B')}" if contact else ""
        found: list[Row] = await self.api("GET", f"/sandbox/messages{query}")
        return found

    async def sees(self, count: int, *, contact: str = ANA, settled: bool = False) -> list[Row]:
        """Wait until the bot sent a contact `count` messages, and return those; `settled`: until each was read or failed."""

        async def enough() -> list[Row] | None:
            out = [row for row in await self.rows(contact) if row["direction"] == "out"]
            done = not settled or all(row["status"] in {"READ", "FAILED"} for row in out)
            return out if len(out) >= count and done else None

        found = await self.until(enough, f"{count} messages to the contact")
        assert len(found) == count, f"{len(found)} messages instead of {count}: {[row['text'] for row in found]}"
        return list(found)

    async def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until `look()` (maybe async) gives something true, and return it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"waited {PATIENCE:.0f} s for {what}")

    async def quiet(self, *runtimes: Runtime) -> None:
        """Wait until no event and no message waits in any chat, and every delivery is answered."""

        async def idle() -> bool:
            pending = [one for one in await self.api("GET", "/sandbox/deliveries") if one["status"] == "PENDING"]
            busy = [await runtime.engine.busy() for runtime in runtimes]
            return not pending and not any(busy)

        await self.until(idle, "everything to be done")

