"""The phone page in a real browser, against a real sandbox, and the two sides that meet there: a bot and its contacts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from pilotbot.sandbox import Sandbox, SandboxSettings

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ANA = "+5511987650001"
BRUNO = "+5511987650002"
GROUP = "120363000000000001@g.us"

OpenPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not HAS_CHROMIUM:
        pytest.skip(f"no browser at {CHROMIUM}: apt install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxSettings(receipt_delay=(0, 0)), port=0) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def phone(browser: Browser, sandbox: Sandbox) -> AsyncIterator[OpenPage]:
    """Opens the page; afterwards sees that it reported no error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    async def open_page(*, locale: str = "en-US", scheme: str = "light", width: int = 1280, height: int = 800) -> Page:
        options: dict[str, Any] = {"locale": locale, "color_scheme": scheme, "viewport": {"width": width, "height": height}}
        context = await browser.new_context(**options, reduced_motion="reduce")
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None)
        await page.goto(sandbox.url)
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert errors == []


class Platform:
    """The two sides of the sandbox: what a bot sends, what a contact writes without the page."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session

    async def _post(self, path: str, body: dict[str, Any], key: str = "ps_sandbox_number", once: str | None = None) -> dict[str, Any]:
        headers = {"x-api-key": key, **({"Idempotency-Key": once} if once else {})}
        async with self._session.post(self._url + path, json=body, headers=headers) as answer:
            assert answer.status < 300, await answer.text()
            found: dict[str, Any] = await answer.json()
            return found

    async def send(self, contact: str = ANA, *, once: str | None = None, **body: object) -> dict[str, Any]:
        """Send as the bot, from the Meta number; `once` is the ``Idempotency-Key``."""
        return await self._post("/v1/messages/send", {"destinationNumber": contact, **body}, once=once)

    async def typing(self, contact: str = ANA) -> None:
        """Show, as the bot, that somebody types."""
        await self._post("/v1/messages/typing", {"destinationNumber": contact})

    async def write(self, text: str | None = None, contact: str = ANA, **more: object) -> dict[str, Any]:
        """Write as a contact."""
        return await self._post("/sandbox/inbound", {"from": contact, **({"text": text} if text else {}), **more})

    async def contact(self, contact: str = ANA, **about: object) -> dict[str, Any]:
        """Make or change a chat."""
        return await self._post("/sandbox/contacts", {"contact": contact, **about})

    async def template(self, name: str, **components: object) -> None:
        """Have a template of the Meta number approved."""
        await self._post("/v1/templates", {"name": name, "category": "UTILITY", "body": components, "examples": {"name": "Ana"}})
        await self._post(f"/sandbox/templates/{name}/approve", {})

    async def cancel(self, message: str) -> None:
        """Cancel a message that waits to be sent."""
        body = {"messageIds": [message]}
        async with self._session.delete(f"{self._url}/v1/messages/cancel", json=body, headers={"x-api-key": "ps_sandbox_number"}) as answer:
            assert answer.status == 200, await answer.text()

    async def send_to_group(self, text: str) -> dict[str, Any]:
        """Send to the group as the bot, from the Evolution number."""
        return await self._post("/v1/messages/send", {"groupId": GROUP, "text": text}, key="ps_sandbox_evolution")

    async def chats(self) -> list[dict[str, Any]]:
        """All chats of the sandbox."""
        async with self._session.get(f"{self._url}/sandbox/state") as answer:
            found: list[dict[str, Any]] = (await answer.json())["chats"]
            return found

    async def register(self, url: str) -> None:
        """Register a webhook for all events."""
        await self._post("/v1/webhooks", {"url": url, "name": "test", "events": ["*"]})

    async def messages(self) -> list[dict[str, Any]]:
        """All messages of the sandbox, in order."""
        async with self._session.get(f"{self._url}/sandbox/messages") as answer:
            rows: list[dict[str, Any]] = await answer.json()
            return rows


@pytest_asyncio.fixture(loop_scope="module")
async def platform(sandbox: Sandbox) -> AsyncIterator[Platform]:
    async with aiohttp.ClientSession() as session:
        yield Platform(sandbox.url, session)


class Hook:
    """A webhook that plays the bot: takes events with `status`, answers ``sandbox.inspect`` with `answer` (an object as JSON, a
    text as it is, a number as a status)."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: dict[str, Any] | str | int = {"status": "unknown"}
        self.asked: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.signatures: list[str | None] = []

    async def take(self, request: web.Request) -> web.Response:
        """``POST /hook``."""
        body: dict[str, Any] = await request.json()
        if body["event"] != "sandbox.inspect":
            self.events.append(body)
            self.signatures.append(request.headers.get("x-pilot-status-signature"))
            return web.Response(status=self.status, text="taken")
        self.asked.append(body["data"])
        if isinstance(self.answer, int):
            return web.Response(status=self.answer)
        return web.Response(text=self.answer) if isinstance(self.answer, str) else web.json_response(self.answer)


@pytest_asyncio.fixture(loop_scope="module")
async def hook(platform: Platform) -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    async with TestServer(app, host="127.0.0.1") as server:
        await platform.register(str(server.make_url("/hook")))
        yield hook


def bubble(page: Page, text: str) -> Locator:
    return page.get_by_test_id("bubble").filter(has_text=text)


async def open_chat(page: Page, contact: str = ANA) -> None:
    await page.locator(f'[data-testid="chat"][data-contact="{contact}"]').click()
