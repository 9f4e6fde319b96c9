"""How the phone page looks: on narrow and wide screens, in light and dark, in both languages."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from pilotbot.sandbox import Sandbox
from tests.sandbox.phone.conftest import BRUNO, OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
CUT = """(selector) => [...document.querySelectorAll(selector)]
  .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)"""


async def test_media_are_drawn(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await platform.send(media=f"{sandbox.url}/phone/sample.svg", mediaType="image", caption="Your parcel")
    await expect(bubble(page, "Your parcel").locator("img")).to_have_js_property("complete", value=True)
    await platform.send(media="https://cdn.example.com/bill.pdf", mediaType="document")
    await expect(bubble(page, "bill.pdf").locator("a")).to_have_attribute("rel", "noopener noreferrer")


async def test_the_page_speaks_portuguese(phone: OpenPage, platform: Platform) -> None:
    page = await phone(locale="pt-BR")
    await page.get_by_test_id("sample").click()
    await expect(page.get_by_test_id("composer")).to_have_value("pedido")
    await expect(page.get_by_test_id("window")).to_have_text("Janela fechada: Ana nunca escreveu")
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("window")).to_have_text("Window closed: Ana never wrote")
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Live")


async def test_portuguese_names_numbers_and_captions(phone: OpenPage, platform: Platform) -> None:
    page = await phone(locale="pt-BR")
    await platform.write("oi", name="Ana")
    await open_chat(page)
    rows = [{"title": "Boleto", "rowId": "1"}]
    sent: list[tuple[str, dict[str, Any]]] = [
        ("texto", {"text": "Um"}),
        ("botões", {"text": "Dois", "buttons": [{"type": "reply", "label": "Sim"}]}),
        ("lista", {"text": "Três", "list": {"buttonText": "Ver", "sections": [{"title": "Tudo", "rows": rows}]}}),
        ("mídia", {"media": "https://cdn.example.com/conta.pdf", "mediaType": "document"}),
        ("template", {"templateId": "follow_up"}),
    ]
    for _, body in sent:
        await platform.send(**body)
    await expect(page.locator(".mode")).to_have_text([caption for caption, _ in sent])
    await expect(page.locator("#talk-number")).to_contain_text("Número Meta")
    await expect(page.locator(".chat-number")).to_have_text("Número Meta")
    await page.get_by_test_id("new-contact").click()
    await expect(page.get_by_test_id("new-number").locator("option")).to_contain_text(["Número Meta", "Número Evolution"])


@pytest.mark.parametrize("locale", ["en-US", "pt-BR"])
@pytest.mark.parametrize("width", [320, 380, 701, 768, 961, 1000, 1121, 1280])
async def test_the_bar_on_top_fits_whatever_it_says(phone: OpenPage, sandbox: Sandbox, locale: str, width: int) -> None:
    page = await phone(locale=locale, width=width)
    for move in ("clock-25h", *["clock-3d"] * 4):
        await page.get_by_test_id(move).click()
    await expect(page.locator("#clock-date b")).to_contain_text("13 d 1 h")
    await see_bar_fits(page, width)
    await sandbox.stop()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "lost")
    await see_bar_fits(page, width)


async def see_bar_fits(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.evaluate(CUT, ".top, .top > *, .clock > *") == []
    boxes = [await part.bounding_box() for part in await page.locator(".top > *:visible").all()]
    for one, other in itertools.combinations([box for box in boxes if box], 2):
        apart_x = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        apart_y = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert apart_x or apart_y, (one, other)


async def test_a_contact_without_a_name_leaves_room_for_the_number_it_writes_to(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("Good morning, I would like to know where my parcel is", contact=BRUNO)
    await platform.write("hi", contact=BRUNO, number="num_evolution")
    await expect(page.locator(".chat-number")).to_have_text(["Evolution number", "Meta number"])
    assert await page.evaluate(CUT, ".chat-name, .chat-number") == []


@pytest.mark.parametrize("width", [768, 1000])
async def test_the_switch_of_read_receipts_keeps_its_name(phone: OpenPage, width: int) -> None:
    page = await phone(width=width)
    await expect(page.get_by_test_id("receipts")).to_have_accessible_name("Read receipts")


async def test_a_narrow_screen_shows_one_pane_at_a_time(phone: OpenPage, platform: Platform) -> None:
    page = await phone(width=380)
    await expect(page.get_by_test_id("sample")).to_be_visible()
    await platform.write("hi", name="Ana")
    await expect(page.get_by_test_id("sample")).to_be_hidden()
    await open_chat(page)
    await expect(page.get_by_test_id("new-contact")).to_be_hidden()
    await platform.send(text="x" * 500)
    await expect(page.get_by_test_id("bubble")).to_have_count(2)
    for element in ("document.documentElement", "document.getElementById('scroll')"):
        assert await page.evaluate(f"{element}.scrollWidth - {element}.clientWidth") == 0
    await page.locator("#back").click()
    await expect(page.get_by_test_id("chat")).to_be_focused()
    await page.locator("#panel-open").click()
    await expect(page.locator("#panel")).to_be_visible()
    await page.locator("#panel-close").click()
    await expect(page.locator("#panel")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_enough_contrast(phone: OpenPage, platform: Platform, scheme: str) -> None:
    page = await phone(scheme=scheme)
    await platform.write("hi", name="Ana")
    await platform.send(text="*Hello* https://example.com", buttons=[{"type": "reply", "label": "Track"}], footer="Shop")
    await platform.send(templateId="order_status", variables={"order_id": "1", "status": "ready"})
    await platform.write("again", quoted=(await platform.messages())[1]["messageId"] or "none")
    await open_chat(page)
    await page.get_by_test_id("clock-25h").click()
    await platform.send(text="Too slow")
    await expect(bubble(page, "Too slow")).to_have_attribute("data-status", "failed")
    await page.get_by_test_id("faults").click()
    found: list[dict[str, Any]] = await page.evaluate(CONTRAST)
    assert found == []
