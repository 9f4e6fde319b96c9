"""The stage that journeys play on: a bot at work on a real Redis, a sandbox with its clock, real HTTP between them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from hmac import HMAC
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson

from pilotbot import Bot, Settings, load_settings, running
from pilotbot.engine.embedded import RedisServer
from pilotbot.sandbox import Sandbox
from pilotbot.server import Runtime

ANA = "+5511987650001"
BRUNO = "+5521998760002"
SECRET = "sandbox-webhook-secret"
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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def settings(self, **changes: Any) -> Settings:
        """Settings for a bot on this stage; any of them can be changed."""
        given: dict[str, Any] = {
            "api_url": self.sandbox.url, "api_key": "ps_sandbox_number", "webhook_secret": SECRET, "port": 0,
            "redis_url": self._redis_url, "data_dir": self._data, "shards": 2, "_env_file": None,
        }  # fmt: skip
        return load_settings(**{**given, **changes})

    async def work(self, bot: Bot, *, keys: tuple[str, ...] = ("ps_sandbox_number",), webhook: bool = True, **changes: Any) -> Runtime:
        """Put a bot to work, and have the sandbox deliver to it the events of the numbers of these keys.

        `changes` are of settings; `reveal=True` puts it at a developer's desk, with a journal.
        """
        return await self._stack.enter_async_context(self.at_work(bot, keys=keys if webhook else (), **changes))

    @asynccontextmanager
    async def at_work(
        self, bot: Bot, *, keys: tuple[str, ...] = ("ps_sandbox_number",), reveal: bool = False, **changes: Any
    ) -> AsyncIterator[Runtime]:
        """As `work`, until the block is left: for a bot that is stopped and started again. Its webhook moves with it."""
        async with running(bot, self.settings(**changes), reveal=reveal) as runtime:
            for key in keys:
                await self._deliver_to(f"{runtime.url}/webhook", bot.name, key)
            yield runtime

    async def _deliver_to(self, url: str, name: str, key: str) -> None:
        known = [hook["id"] for hook in await self.api("GET", "/v1/webhooks", key=key) if hook["name"] == name]
        if known:
            await self.api("PATCH", f"/v1/webhooks/{known[0]}", {"url": url}, key=key)
        else:
            await self.api("POST", "/v1/webhooks", {"url": url, "name": name, "events": ["*"]}, key=key)

    async def redis(self) -> RedisServer:
        """A Redis server of this test's own, to be taken away from the bot; stopped after the bots that use it."""
        server = await RedisServer.open(url=None, data_dir=self._data / "redis")
        self._stack.push_async_callback(server.close)
        return server

    async def api(self, method: str, path: str, body: object = None, *, key: str = "ps_sandbox_number") -> Any:
        """A call of the sandbox's API or control paths, which must succeed."""
        async with self.http.request(method, self.sandbox.url + path, json=body, headers={"x-api-key": key}) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def deliver(self, url: str, body: object, *, secret: str | None = SECRET) -> tuple[int, Row, Row]:
        """Post a body to a bot's webhook as the platform does. Returns the status, the answer's body and its headers."""
        raw = orjson.dumps(body)
        headers = {"content-type": "application/json"}
        if secret is not None:
            headers["x-pilot-status-signature"] = HMAC(secret.encode(), raw, sha256).hexdigest()
        async with self.http.post(f"{url}/webhook", data=raw, headers=headers) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def deliveries(self, event: str) -> list[Row]:
        """The webhook deliveries of an event, oldest first."""
        found: list[Row] = await self.api("GET", f"/sandbox/deliveries?event={event}")
        return found

    async def webhooks(self, *, active: bool) -> None:
        """Switch off what the sandbox tells the bots, or on again: what happens meanwhile is never told."""
        for hook in await self.api("GET", "/v1/webhooks"):
            await self.api("PATCH", f"/v1/webhooks/{hook['id']}", {"active": active})

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

        async def enough() -> tuple[list[Row]] | None:
            out = [row for row in await self.rows(contact) if row["direction"] == "out"]
            done = not settled or all(row["status"] in {"READ", "FAILED"} for row in out)
            return (out,) if len(out) >= count and done else None

        (found,) = await self.until(enough, f"{count} messages to the contact")
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

    async def counted(self, runtime: Runtime, what: str, least: int) -> int:
        """Wait until a bot's counter has come to `least`, and return it."""

        def enough() -> int | None:
            return runtime.counts[what] if runtime.counts[what] >= least else None

        found: int = await self.until(enough, f"{what} to be {least}")
        return found

    async def quiet(self, *runtimes: Runtime) -> None:
        """Wait until no event and no message waits in any chat, and every delivery is answered."""

        async def idle() -> bool:
            pending = [one for one in await self.api("GET", "/sandbox/deliveries") if one["status"] == "PENDING"]
            busy = [await runtime.engine.busy() for runtime in runtimes]
            return not pending and not any(busy)

        await self.until(idle, "everything to be done")


def wire(name: str, text: str, *, contact: str = ANA, **data: Any) -> Row:
    """A `message.received` as the platform writes it (contract 8.6), from `contact` and now. `name` is its id, for dedupe."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    usual = {
        "numberId": "num_meta", "messageId": f"wamid.{name}", "id": name, "type": "text", "fromMe": False, "createdAt": now,
        "from": contact, "to": "+551140028922", "participantName": "Ana Souza", "content": text,
    }  # fmt: skip
    return {"event": "message.received", "data": {**usual, **data}}
