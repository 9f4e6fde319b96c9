"""A bot tried in the phone page, as on a laptop: write, tap, let a day pass, be notified."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from bots.orders import ORDER, Orders, bot
from tests.stage import ANA, Stage

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium")]


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"])
        context = await browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        yield await context.new_page()
        await browser.close()


async def test_an_order_is_asked_for_tracked_and_told_of_a_day_later(stage: Stage, page: Page, tmp_path: Path) -> None:
    await stage.work(bot)
    await page.goto(stage.sandbox.url)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")

    await page.get_by_test_id("sample").click()
    await page.get_by_test_id("send").click()
    answer = page.get_by_test_id("bubble").filter(has_text="order 4242 is out for delivery")
    await expect(answer).to_have_attribute("data-mode", "buttons")
    await answer.get_by_role("button", name="Track", exact=True).click()
    await expect(page.get_by_test_id("bubble").filter(has_text="Parcel of order 4242: BR4242X")).to_have_attribute("data-mode", "text")

    await page.get_by_test_id("clock-25h").click()
    await expect(page.get_by_test_id("window")).to_have_attribute("data-window", "closed")
    await bot.notify(ANA, ORDER, order=await Orders().latest(ANA))
    notice = page.get_by_test_id("bubble").filter(has_text="Your order 4242 is out for delivery")
    await expect(notice).to_have_attribute("data-mode", "template")
    await expect(notice).to_have_attribute("data-status", "read")
    await page.screenshot(path=tmp_path / "phone.png")
