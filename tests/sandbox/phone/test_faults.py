"""The bar on top of the phone page: trouble to simulate, and the clock."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from pilotbot.sandbox import Sandbox
from tests.sandbox.phone.conftest import OpenPage, Platform

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def faults_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("fetch('/sandbox/faults').then((answer) => answer.json())")
    return found


async def test_every_fault_of_the_sandbox_can_be_set(phone: OpenPage) -> None:
    page = await phone()
    await page.get_by_test_id("faults").click()
    for name in await faults_of(page):
        control = page.locator(f'[data-fault="{name}"]')
        await expect(control).to_have_count(1)
        await expect(control).to_have_accessible_name(re.compile(r"\w\w"))
        await expect(control).to_have_accessible_description(re.compile(r"\w.*\."))


async def test_a_chance_is_set_in_percent(phone: OpenPage) -> None:
    page = await phone()
    await page.get_by_test_id("faults").click()
    for percent, chance in (("50", 0.5), ("100", 1), ("0", 0)):
        await page.locator('[data-fault="http500"]').fill(percent)
        await page.locator('[data-fault="http500"]').dispatch_event("change")
        await expect(page.locator("#faults-open")).to_have_class("tool on" if chance else "tool")
        assert (await faults_of(page))["http500"] == chance


async def test_a_fault_meets_exactly_the_next_sends(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await page.get_by_test_id("faults").click()
    await page.locator('[data-fault="acceptThenDrop-next"]').fill("2")
    await page.locator('[data-fault="acceptThenDrop-next"]').press("Tab")
    await expect(page.get_by_test_id("trouble")).to_contain_text("Accepted, then cut off (the next 2)")
    assert (await faults_of(page))["acceptThenDrop"] == {"next": 2}
    await page.locator('[data-fault="acceptThenDrop-next"]').fill("-5")
    await page.locator('[data-fault="acceptThenDrop-next"]').press("Tab")
    await expect(page.get_by_test_id("trouble")).to_be_hidden()
    assert (await faults_of(page))["acceptThenDrop"] is False


async def test_trouble_is_told_and_switched_off_at_once(phone: OpenPage) -> None:
    page = await phone()
    await page.get_by_test_id("faults").click()
    for name in ("duplicateWebhooks", "numberBlocked", "subscription", "readReceipts"):
        await page.locator(f'[data-fault="{name}"]').press("Space")
    await page.locator('[data-fault="latencyMs"]').fill("99999")
    await page.locator('[data-fault="latencyMs"]').press("Tab")
    await expect(page.locator('[data-fault="latencyMs"]')).to_have_value("60000")
    await expect(page.locator("#faults-open")).to_have_text("4")
    await expect(page.get_by_test_id("trouble")).to_contain_text(
        "Simulated trouble: Slow answers (60000 ms), Everything twice, Number blocked, No paid plan"
    )
    await page.get_by_test_id("faults-clear").click()
    await expect(page.get_by_test_id("trouble")).to_be_hidden()
    await expect(page.locator('[data-fault="latencyMs"]')).to_have_value("0")
    await expect(page.locator('[data-fault="subscription"]')).to_be_checked()
    left = await faults_of(page)
    assert left.pop("readReceipts") is False  # what a contact chose is no trouble, and stays
    assert left.pop("subscription") is True
    assert not any(left.values())


async def test_the_strip_switches_off_what_others_switched_on(phone: OpenPage, platform: Platform) -> None:
    page = await phone(locale="pt-BR", width=380)
    await page.evaluate("import('/phone/api.js').then((api) => api.setFaults({ shuffleWebhooks: true, http429: 0.25 }))")
    await expect(page.get_by_test_id("trouble")).to_contain_text("Pedidos demais (429) (25 %), Fora de ordem")
    await expect(page.get_by_test_id("faults")).to_have_accessible_name("Simular problemas: 2 ativos")
    await page.get_by_test_id("trouble-clear").click()
    await expect(page.get_by_test_id("trouble")).to_be_hidden()
    await expect(page.get_by_test_id("faults")).to_be_focused()


async def test_a_refused_fault_goes_back_and_is_told_over_the_dialog(phone: OpenPage) -> None:
    page = await phone()
    await page.route("**/sandbox/faults", lambda route: route.fulfill(status=400, json={"error": "not today"}))
    await page.get_by_test_id("faults").click()
    await page.locator('[data-fault="disconnected"]').press("Space")
    await expect(page.locator("#toast")).to_contain_text("not today")
    assert await page.locator("#toast").evaluate("(toast) => toast.matches(':popover-open')")  # else it is under the dialog
    await expect(page.locator('[data-fault="disconnected"]')).not_to_be_checked()


async def test_the_clock_moves_by_any_span(phone: OpenPage, sandbox: Sandbox) -> None:
    page = await phone()
    await page.get_by_test_id("clock-any").click()
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A span looks like")).to_be_visible()
    for wrong in ("25", "-1h", "1h30", "5000d", "0s"):
        await page.get_by_test_id("clock-span").fill(wrong)
        await page.get_by_test_id("dialog-submit").click()
        await expect(page.get_by_test_id("clock-span")).to_have_attribute("aria-invalid", "true")
    await page.get_by_test_id("clock-span").fill("2D 3h")
    await expect(page.locator("#dialog")).to_contain_text("It will then be")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.locator("#clock-date b")).to_have_text("2 d 3 h ahead")
    await expect(page.get_by_test_id("clock-any")).to_be_focused()
