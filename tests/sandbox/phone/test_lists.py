"""The sheet that a list opens."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.sandbox.phone.conftest import OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LIST: dict[str, Any] = {
    "buttonText": "See subjects",
    "sections": [
        {"title": "Money", "rows": [{"title": "Invoice", "description": "As PDF", "rowId": "1"}, {"title": "Refund", "rowId": "2"}]},
        {"title": "Other", "rows": [{"title": "A person", "rowId": "3"}]},
    ],
}


async def test_a_row_of_a_list_is_chosen_and_sent_with_the_keyboard(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await platform.send(text="Which subject?", list=LIST)
    await expect(bubble(page, "Which subject?")).to_have_attribute("data-status", "read")
    await page.get_by_test_id("open-list").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="See subjects")
    await expect(dialog.locator("legend")).to_have_text(["Money", "Other"])
    await expect(dialog.locator(".sheet-row")).to_have_text(["InvoiceAs PDF", "Refund", "A person"])
    await expect(page.get_by_test_id("list-send")).to_be_disabled()
    await expect(dialog.get_by_role("radio").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(dialog.get_by_role("radio", name="A person")).to_be_checked()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(bubble(page, "A person")).to_have_attribute("data-direction", "in")
    *_, menu, answer = await platform.messages()
    assert (answer["text"], answer["quoted"]) == ("A person", menu["messageId"])


async def test_a_list_is_left_without_a_choice(phone: OpenPage, platform: Platform) -> None:
    page = await phone(width=380)
    await platform.write("hi")
    await open_chat(page)
    await platform.send(text="Which subject?", list=LIST)
    await page.get_by_test_id("open-list").click()
    sheet = await page.locator("#dialog").bounding_box()
    assert sheet is not None
    assert (sheet["width"], sheet["y"] + sheet["height"]) == (380, 800)
    await page.get_by_test_id("list-row").first.check()
    await page.keyboard.press("Escape")
    await expect(page.locator("#dialog")).to_be_hidden()
    await expect(page.get_by_test_id("open-list")).to_be_focused()
    assert len(await platform.messages()) == 2
