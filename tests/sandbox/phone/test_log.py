"""The webhook log of the phone page: what the bot was sent and answered, by event, sent again."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.sandbox.phone.conftest import Hook, OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def open_log(page: Page) -> None:
    await page.get_by_role("tab", name="Webhooks").click()


async def test_the_log_shows_what_the_bot_was_sent_and_answered(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    await open_chat(page)
    await expect(bubble(page, "hi")).to_have_attribute("data-status", "delivered")
    await open_log(page)
    row = page.get_by_test_id("delivery")
    await expect(row).to_contain_text("message.received")
    await expect(row).to_contain_text("200")
    await row.click()
    await expect(row).to_have_attribute("aria-expanded", "true")
    await expect(page.locator(".json")).to_contain_text('"participantName": "Ana"')
    await expect(page.locator(".signature .mono")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    await expect(page.get_by_test_id("answer")).to_have_text(re.compile(r"^200 · 1 attempt · in \d+ mstaken$"))


async def test_what_is_copied_is_the_signature_and_the_body(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await platform.write("hi")
    await open_log(page)
    await page.get_by_test_id("delivery").click()
    for name, expected in (("Signature", hook.signatures[0]), ("Body", '"event": "message.received"')):
        await page.get_by_role("button", name=f"Copy: {name}").click()
        await expect(page.get_by_role("alert")).to_have_text("Copied")
        assert str(expected) in await page.evaluate("navigator.clipboard.readText()")


async def test_json_is_coloured_and_stays_text(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    evil = '"}, <img src=x onerror="window.hit=1"> \\ 12 true'
    await platform.write(evil)
    await open_log(page)
    await page.get_by_test_id("delivery").click()
    shown = page.locator(".json")
    await expect(shown.locator(".json-key").filter(has_text="content")).to_have_text('"content"')
    await expect(shown.locator(".json-text").filter(has_text="onerror")).to_have_count(1)
    await expect(shown.locator(".json-value").filter(has_text="false")).not_to_have_count(0)
    body: dict[str, Any] = await shown.evaluate("(element) => JSON.parse(element.textContent)")
    assert body == hook.events[0]
    assert await shown.locator("img").count() == 0


async def test_the_log_is_filtered_by_event(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    await platform.send(text="Hello")
    await open_log(page)
    rows = page.get_by_test_id("delivery")
    await expect(rows).to_have_count(4)
    choice = page.get_by_test_id("log-filter")
    await expect(choice.locator("option").first).to_have_text("All events (4)")
    await choice.select_option("message.read")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("message.read")
    await choice.select_option("")
    await expect(rows).to_have_count(4)


async def test_a_delivery_is_sent_again_as_it_was(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    await open_log(page)
    row = page.get_by_test_id("delivery")
    await row.click()
    await page.get_by_test_id("resend").click()
    await expect(row).to_have_count(2)
    await expect(row.first).to_contain_text("200")
    await expect(page.get_by_role("alert")).to_have_text("Sent again")
    assert hook.events[0] == hook.events[1]
    assert hook.signatures[0] == hook.signatures[1]
    await page.route("**/resend", lambda route: route.fulfill(status=404, json={"error": "It was forgotten"}))
    await page.get_by_test_id("resend").click()
    await expect(page.get_by_role("alert")).to_contain_text("It was forgotten")


async def test_a_failing_webhook_shows_its_attempts_and_the_next(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.status = 503
    page = await phone()
    await open_log(page)
    await platform.write("hi")
    row = page.get_by_test_id("delivery")
    await expect(row).to_contain_text("503")
    await row.click()
    await expect(page.get_by_test_id("answer")).to_contain_text(re.compile(r"503 · \d attempts? · in .* · next at \d\d:"))
    await page.get_by_test_id("clock-1h").click()
    await expect(page.get_by_test_id("answer")).to_contain_text("503 · 3 attempts")
    hook.status = 200
    await page.get_by_test_id("clock-1h").click()
    await expect(row).to_contain_text("200")
    await expect(page.get_by_test_id("answer")).to_contain_text(re.compile(r"200 · \d attempts · "))


async def test_an_empty_log_says_how_it_fills(phone: OpenPage) -> None:
    page = await phone()
    await open_log(page)
    await expect(page.locator("#pane-log")).to_contain_text("Start your bot")
    await expect(page.get_by_test_id("log-filter")).to_be_hidden()
