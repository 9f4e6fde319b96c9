"""What each mode lets the customer do: call, fill in a form, move through cards; and what they see of the bot meanwhile."""

from typing import Any

import pytest
from playwright.async_api import expect

from pilotbot.sandbox import Sandbox
from tests.sandbox.phone.conftest import ANA, Hook, OpenPage, Platform, bubble, open_chat
from tests.sandbox.phone.test_bubbles import cards, greet
from tests.sandbox.phone.test_phone_look import CONTRAST

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FLOW = {"flowId": "4000123", "cta": "Book a visit", "action": "navigate", "screen": "START", "mode": "published"}
SHOP = "+551140028922"


async def test_a_call_button_shows_the_number_and_calls_nobody(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await greet(page, platform)
    await platform.send(text="Reach us", buttons=[{"type": "call", "label": "Call us", "phoneNumber": SHOP}])
    await page.get_by_role("button", name="Call us").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Call us")
    await expect(dialog.get_by_test_id("dial")).to_contain_text("+55 11 4002-8922")
    await expect(dialog.get_by_role("button", name="Copy the number")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#toast")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == SHOP
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Call us")).to_be_focused()
    assert [row["direction"] for row in await platform.messages()] == ["in", "out"]  # the bot learns nothing of it


async def test_a_flow_is_filled_in_and_sent_back(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await greet(page, platform)
    sent = await platform.send(text="Book here", flow={**FLOW, "data": {"day": "2026-12-01", "people": 2, "vip": True}})
    await page.get_by_role("button", name="Book a visit").click()
    dialog = page.get_by_role("dialog", name="Book a visit")
    await expect(dialog.get_by_label("day")).to_be_focused()
    await dialog.get_by_label("people").fill("3")
    await dialog.get_by_label("vip").fill("false")
    await dialog.get_by_label("Another field").fill("note")
    await dialog.get_by_role("button", name="Add this field").click()
    await page.keyboard.type("by the window")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_test_id("flow-done")).to_have_text("Response sent")
    await expect(page.get_by_test_id("open-flow")).to_have_count(0)
    (told,) = [each["data"] for each in hook.events if each["event"] == "flow.response_received"]
    assert (told["from"], told["flowToken"]) == (ANA, sent["flowToken"])
    assert told["response"] == {"day": "2026-12-01", "people": 3, "vip": False, "note": "by the window"}
    await page.reload()
    await open_chat(page)
    await expect(page.get_by_test_id("flow-done")).to_be_visible()


async def test_a_flow_without_data_asks_for_an_answer_and_may_be_left(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone(locale="pt-BR", width=380)
    await greet(page, platform)
    await platform.send(text="Book here", flow={"flowId": "4000123"})
    await page.get_by_role("button", name="Abrir o formulário").click()
    await expect(page.get_by_test_id("flow-field")).to_have_count(1)
    await expect(page.get_by_label("answer")).to_be_focused()
    await page.get_by_test_id("flow-add").click()  # a field needs a name
    await expect(page.get_by_test_id("flow-field")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("open-flow")).to_be_focused()
    assert not [each for each in hook.events if each["event"] == "flow.response_received"]


async def test_cards_are_moved_through_with_a_mouse(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone(width=768)
    await greet(page, platform)
    await platform.send(text="Offers", carousel=cards(sandbox))
    before, on = page.get_by_test_id("cards-before"), page.get_by_test_id("cards-on")
    await expect(before).to_be_hidden()
    await on.click()
    await expect(before).to_be_visible()
    await expect(on).to_be_hidden()
    await expect(page.get_by_test_id("card").last).to_be_in_viewport(ratio=0.9)
    await page.get_by_role("button", name="I want C").click()
    await expect(bubble(page, "I want C").last).to_have_attribute("data-direction", "in")


async def test_that_the_bot_types_is_shown_until_it_writes(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    about = page.locator("#talk-number")
    await platform.typing()
    await expect(about).to_have_text("The bot is typing…")
    await expect(page.locator("#spoken")).to_have_text("The bot is typing…")
    await platform.send(text="Here it is")
    await expect(about).to_contain_text("+55 11 98765-0001")


async def test_what_the_number_has_read_has_blue_ticks(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await greet(page, platform)
    ticks = bubble(page, "hi").locator(".ticks")
    await expect(ticks).to_have_attribute("aria-label", "The bot has it")
    await platform.send(text="One moment", markRead=False)
    await expect(bubble(page, "One moment")).to_be_visible()
    await expect(ticks).to_have_attribute("aria-label", "The bot has it")
    await platform.send(text="Yes?")
    await expect(ticks).to_have_attribute("aria-label", "Read by the business")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_dialogs_of_calls_and_flows_can_be_read(phone: OpenPage, platform: Platform, scheme: str) -> None:
    page = await phone(scheme=scheme, width=380)
    await greet(page, platform)
    for text in "ABCDEFGHIJKL":  # so that there is enough to look at
        await platform.write(text)
    await platform.send(text="Reach us", buttons=[{"type": "call", "label": "Call us", "phoneNumber": SHOP}])
    await platform.send(text="Book here", flow={**FLOW, "data": {"day": "2026-12-01"}})
    for name in ("Call us", "Book a visit"):
        await page.get_by_role("button", name=name).click()
        await expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert await page.evaluate(CONTRAST) == []
        box: Any = await page.locator("#dialog").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 380
        await page.keyboard.press("Escape")


async def test_a_header_is_shown_whatever_it_is(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    image = f"{sandbox.url}/phone/sample.svg"
    for kind, content in {"text": "Order 4312", "image": image, "document": f"{sandbox.url}/bill.pdf"}.items():
        header = {"type": kind, "content": content}
        await platform.send(text=f"With {kind}", buttons=[{"type": "reply", "label": f"Ok {kind}"}], header=header, footer="Loja")
    await expect(bubble(page, "With text").locator(".header")).to_have_text("Order 4312")
    await expect(bubble(page, "With image").locator("img")).to_have_js_property("complete", value=True)
    await expect(bubble(page, "With document").locator(".file-name")).to_have_text("bill.pdf")
    await expect(page.locator(".footer")).to_have_text(["Loja"] * 3)
    await page.get_by_role("button", name="Ok document").click()
    await expect(bubble(page, "Ok document").last).to_have_attribute("data-direction", "in")


async def test_a_message_of_another_year_says_so(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(text="See you", deliverAt="2099-01-01T12:00:00Z")
    await expect(bubble(page, "See you")).to_contain_text("2099")
