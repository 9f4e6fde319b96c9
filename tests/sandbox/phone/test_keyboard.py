"""The whole phone page by keyboard alone: no pointer is used in this file, and no element is focused by the test."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.sandbox.phone.answers import answer, turn
from tests.sandbox.phone.conftest import Hook, OpenPage, Platform, bubble

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HAS_FOCUS = "(element) => element === document.activeElement"
SEEN = """() => {
  const at = document.activeElement; // the input of a switch is clear: its label is what is seen
  return at === document.body || (at.closest("label") ?? at).checkVisibility({ opacityProperty: true });
}"""
FARTHEST = 60


async def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until the target has the focus; each stop on the way must be visible."""
    for _ in range(FARTHEST):
        if await target.count() and await target.first.evaluate(HAS_FOCUS):
            return
        await page.keyboard.press(key)
        assert await page.evaluate(SEEN), await page.evaluate("document.activeElement.outerHTML")
    raise AssertionError(f"{target} is not reached by {key}")


async def press(page: Page, target: Locator, key: str = "Enter") -> None:
    await tab_to(page, target)
    await page.keyboard.press(key)


async def test_a_conversation_and_what_is_behind_it(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    by_id = page.get_by_test_id

    # A new contact.
    await press(page, by_id("new-contact"))
    await expect(by_id("new-name")).to_be_focused()
    await page.keyboard.type("Carla")
    await tab_to(page, by_id("new-phone"))
    await page.keyboard.press("Control+A")
    await page.keyboard.type("+5511987650003")
    await page.keyboard.press("Enter")

    # A message, and the bot's answer to it.
    await expect(by_id("composer")).to_be_focused()
    await page.keyboard.type("hello")
    await page.keyboard.press("Enter")
    await expect(bubble(page, "hello")).to_be_visible()
    [row] = await platform.messages()
    hook.answer = answer(turns=[turn(row["messageId"])])
    await platform.send(contact="+5511987650003", text="Choose", buttons=[{"type": "reply", "label": "Track"}])
    await expect(bubble(page, "Choose")).to_have_attribute("data-status", "read")

    # Back to the bubbles: a tap, a quote, the details.
    await tab_to(page, by_id("option"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("bubble")).to_have_count(3)
    await tab_to(page, page.get_by_test_id("bubble").filter(has_text="Track").last, "Shift+Tab")
    await page.keyboard.press("Home")
    await expect(bubble(page, "hello")).to_be_focused()
    await press(page, bubble(page, "hello").get_by_test_id("details"))
    await expect(page.get_by_role("tab", name="Message")).to_be_focused()
    await expect(page.get_by_test_id("turn")).to_contain_text("Handled by greet")

    # The panel: its tabs, the log, a filter, a delivery sent again, and back.
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#pane-bot")).to_contain_text("Live menus")
    await page.keyboard.press("ArrowRight")
    await tab_to(page, by_id("log-filter"))
    await page.keyboard.press("ArrowDown")
    await expect(by_id("log-filter")).not_to_have_value("")
    await page.keyboard.press("Home")
    await tab_to(page, by_id("delivery").first)
    await page.keyboard.press("End")
    await expect(by_id("delivery").last).to_be_focused()
    await page.keyboard.press("Enter")
    await press(page, by_id("resend"))
    await expect(page.locator("#toast")).to_have_text("Sent again")
    await page.keyboard.press("Escape")
    await expect(bubble(page, "hello").get_by_test_id("details")).to_be_focused()


async def test_the_bar_on_top(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    by_id = page.get_by_test_id
    await press(page, by_id("clock-1h"))
    await expect(page.locator("#clock-date b")).to_have_text("1 h ahead")
    await expect(by_id("clock-1h")).to_be_focused()
    await press(page, by_id("clock-any"))
    await expect(by_id("clock-span")).to_be_focused()
    await page.keyboard.type("2d")
    await page.keyboard.press("Enter")
    await expect(page.locator("#clock-date b")).to_have_text("2 d 1 h ahead")
    await expect(by_id("clock-any")).to_be_focused()
    await press(page, by_id("receipts"), "Space")
    await expect(by_id("receipts")).not_to_be_checked()

    await press(page, by_id("faults"))
    await press(page, page.locator('[data-fault="numberBlocked"]'), "Space")
    await expect(by_id("trouble")).to_contain_text("Number blocked")
    await tab_to(page, page.locator('[data-fault="http429"]'), "Shift+Tab")
    await page.keyboard.press("ArrowRight")
    await expect(by_id("trouble")).to_contain_text("Too many requests (429) (5 %)")
    await page.keyboard.press("Escape")
    await expect(by_id("faults")).to_be_focused()
    await press(page, by_id("trouble-clear"))
    await expect(by_id("trouble")).to_be_hidden()
    await expect(by_id("faults")).to_be_focused()

    await press(page, by_id("language"))
    await expect(by_id("connection")).to_have_text("Ao vivo")
    await expect(by_id("language")).to_be_focused()


async def test_a_chat_its_menu_and_its_test(phone: OpenPage, platform: Platform) -> None:
    await platform.write("hi", name="Ana")
    page = await phone()
    await page.route("**/sandbox/chatfile?*", lambda route: route.fulfill(body="> hi\n", content_type="text/plain"))
    await press(page, page.get_by_test_id("chat"))
    await expect(page.get_by_test_id("composer")).to_be_focused()
    await tab_to(page, page.get_by_test_id("chat-menu"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_test_id("menu-read")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("chat-menu")).to_be_focused()
    await tab_to(page, page.get_by_test_id("save-test"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("chatfile")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("save-test")).to_be_focused()
    await page.keyboard.press("Enter")
    async with page.expect_download() as download:
        await press(page, page.get_by_test_id("dialog-submit"))
    assert (await download.value).suggested_filename == "conversation.chat"


async def test_a_phone_sized_page(phone: OpenPage, platform: Platform) -> None:
    await platform.write("hi", name="Ana")
    page = await phone(width=380)
    await press(page, page.get_by_test_id("chat"))
    await press(page, page.locator("#panel-open"))
    await press(page, page.locator("#panel-close"))
    await expect(page.locator("#panel-open")).to_be_focused()
    await press(page, page.locator("#back"))
    await expect(page.get_by_test_id("chat")).to_be_focused()
