"""The phone page in a real browser, against a real sandbox, and the two sides that meet there: a bot and its contacts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
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

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(self._url + path, json=body, headers={"x-api-key": "ps_sandbox_number"}) as answer:
            assert answer.status < 300, await answer.text()
            found: dict[str, Any] = await answer.json()
            return found

    async def send(self, contact: str = ANA, **body: object) -> dict[str, Any]:
        """Send as the bot, from the Meta number."""
        return await self._post("/v1/messages/send", {"destinationNumber": contact, **body})

    async def write(self, text: str, contact: str = ANA, **more: object) -> dict[str, Any]:
        """Write as a contact."""
        return await self._post("/sandbox/inbound", {"from": contact, "text": text, **more})

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


def bubble(page: Page, text: str) -> Locator:
    return page.get_by_test_id("bubble").filter(has_text=text)


async def open_chat(page: Page, contact: str = ANA) -> None:
    await page.locator(f'[data-testid="chat"][data-contact="{contact}"]').click()
