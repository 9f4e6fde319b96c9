"""What a contact sends besides words: emoji, files from the disk, dropped or pasted, places, contact cards."""

import base64

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.sandbox.phone.conftest import ANA, BRUNO, OpenPage, Platform, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
PHOTO: FilePayload = {"name": "parcel.png", "mimeType": "image/png", "buffer": PIXEL}
PAPER: FilePayload = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 bill"}
# Hands files over as a drop on the conversation, or as a paste into the composer, does.
HAND_OVER = """([selector, type, size]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(size)], 'shot.png', { type: 'image/png' }));
  const about = { bubbles: true, cancelable: true, clipboardData: carried, dataTransfer: carried };
  const made = type === 'paste' ? new ClipboardEvent(type, about) : new DragEvent(type, about);
  document.querySelector(selector).dispatchEvent(made);
}"""


async def attach(page: Page, item: str, *files: FilePayload) -> None:
    """Choose an item of the attach menu, and files in the browser's dialog."""
    await page.get_by_test_id("attach").click()
    if not files:
        await page.get_by_test_id(item).click()
        return
    async with page.expect_file_chooser() as chooser:
        await page.get_by_test_id(item).click()
    await (await chooser.value).set_files(list(files))


async def start(phone: OpenPage, platform: Platform) -> Page:
    page = await phone()
    await platform.write("hi", name="Ana")
    await open_chat(page)
    return page


async def test_emoji_are_picked_with_the_keyboard_and_remembered(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    composer = page.get_by_test_id("composer")
    await composer.fill("Good  day")
    await composer.evaluate("(each) => each.setSelectionRange(5, 5)")
    await page.get_by_test_id("emoji").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-emoji="😀"]')).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(composer).to_have_value("Good 😍 day")
    await expect(composer).to_be_focused()
    await page.get_by_test_id("emoji").click()
    await expect(page.locator("[data-emoji]").first).to_have_text("😍")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("emoji")).to_be_focused()
    await page.get_by_test_id("emoji").click()
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_test_id("popup")).to_be_hidden()


async def test_the_attach_menu_is_used_with_the_keyboard(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await page.get_by_test_id("attach").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.get_by_role("menuitem", name="From a link")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_be_hidden()
    await expect(page.get_by_test_id("attach")).to_be_focused()
    await page.get_by_test_id("attach").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.get_by_test_id("attach").click()
    await expect(page.get_by_role("menu")).to_be_hidden()


async def test_a_photo_of_the_disk_goes_with_its_caption(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await attach(page, "attach-visual", PHOTO)
    await expect(page.get_by_role("heading", name="Send parcel.png")).to_be_visible()
    await expect(page.get_by_test_id("preview").locator("img")).to_have_js_property("naturalWidth", 1)
    await expect(page.get_by_test_id("caption")).to_be_focused()
    await page.keyboard.type("My parcel")
    await page.keyboard.press("Enter")
    last = page.get_by_test_id("bubble").last
    await expect(last).to_contain_text("My parcel")
    await expect(last.locator("img")).to_have_js_property("naturalWidth", 1)
    row = (await platform.messages())[-1]
    assert (row["type"], row["mediaType"], row["caption"], row["filename"]) == ("image", "image/png", "My parcel", "parcel.png")


async def test_several_files_go_in_order(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await attach(page, "attach-document", PAPER, PHOTO)
    await expect(page.get_by_test_id("preview")).to_have_count(2)
    await page.get_by_test_id("caption").fill("For you")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("bubble")).to_have_count(3)
    await expect(page.get_by_test_id("file").locator(".file-name")).to_have_text(["bill.pdf", "parcel.png"])
    await expect(page.get_by_test_id("file").locator(".file-note")).to_have_text(["PDF · 13 B", f"PNG · {len(PIXEL)} B"])
    _, first, second = await platform.messages()
    assert [(row["type"], row["caption"]) for row in (first, second)] == [("document", "For you"), ("document", None)]


async def test_a_sticker_of_the_disk(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await attach(page, "attach-sticker", PHOTO)
    await expect(page.get_by_test_id("caption")).to_have_count(0)
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.locator(".bubble.bare")).to_be_visible()
    assert (await platform.messages())[-1]["type"] == "sticker"


@pytest.mark.parametrize(("selector", "event"), [("#scroll", "drop"), ("#text", "paste")])
async def test_files_are_dropped_and_pasted(phone: OpenPage, platform: Platform, selector: str, event: str) -> None:
    page = await start(phone, platform)
    if event == "drop":
        await page.evaluate(HAND_OVER, [selector, "dragover", 3])
        await expect(page.get_by_text("Drop to send to the bot")).to_be_visible()
    await page.evaluate(HAND_OVER, [selector, event, 3])
    await expect(page.get_by_text("Drop to send to the bot")).to_be_hidden()
    await expect(page.get_by_role("heading", name="Send shot.png")).to_be_visible()
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("bubble")).to_have_count(2)
    assert (await platform.messages())[-1]["filename"] == "shot.png"


@pytest.mark.parametrize(("size", "problem"), [(0, "shot.png is empty"), (16 * 1024 * 1024 + 1, "shot.png is larger than 16 MB")])
async def test_a_file_that_cannot_go_is_told_before(phone: OpenPage, platform: Platform, size: int, problem: str) -> None:
    page = await start(phone, platform)
    await page.evaluate(HAND_OVER, ["#scroll", "drop", size])
    await expect(page.get_by_role("alert").filter(has_text=problem)).to_be_visible()
    await expect(page.get_by_test_id("dialog-submit")).to_be_disabled()


async def test_a_file_that_the_sandbox_refuses_is_told(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await page.route("**/sandbox/media", lambda route: route.fulfill(status=413, json={"error": "too large", "code": "TOO_LARGE"}))
    await attach(page, "attach-visual", PHOTO)
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_role("alert").filter(has_text="too large (TOO_LARGE)")).to_be_visible()
    assert len(await platform.messages()) == 1


async def test_files_go_to_the_chat_in_which_they_were_chosen(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await platform.write("hello", contact=BRUNO, name="Bruno")
    await expect(page.get_by_test_id("chat")).to_have_count(2)
    await attach(page, "attach-visual", PHOTO)
    await page.evaluate("document.querySelector('[data-contact=\"+5511987650002\"]').click()")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("chat").first).to_have_attribute("data-contact", ANA)
    assert (await platform.messages())[-1]["contact"] == ANA


async def test_a_place_is_shared(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await attach(page, "attach-location")
    await page.get_by_test_id("latitude").fill("91")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A latitude is a number")).to_be_visible()
    await page.get_by_test_id("latitude").fill("-23,5")
    await page.get_by_test_id("place-name").fill("The shop")
    await page.get_by_test_id("place-address").fill("")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("location")).to_contain_text("The shop")
    assert (await platform.messages())[-1]["location"] == {"latitude": -23.5, "longitude": -46.655881, "name": "The shop"}


async def test_a_contact_card_is_shared(phone: OpenPage, platform: Platform) -> None:
    await platform.contact(BRUNO, name="Bruno")
    page = await start(phone, platform)
    await attach(page, "attach-contact")
    await page.get_by_test_id("card-which").select_option(BRUNO)
    await expect(page.get_by_test_id("card-phone")).to_have_value(BRUNO)
    await page.get_by_test_id("card-name").fill(" ")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A card needs a name")).to_be_visible()
    await page.get_by_test_id("card-name").fill("Bruno Lima")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("contact-card")).to_contain_text("Bruno Lima")
    assert (await platform.messages())[-1]["contacts"] == [{"name": "Bruno Lima", "phone": BRUNO}]


async def test_a_file_may_answer_a_message(phone: OpenPage, platform: Platform) -> None:
    page = await start(phone, platform)
    await platform.send(text="A photo, please")
    asked = page.locator(".bubble.out")
    await expect(asked).to_have_attribute("data-status", "read")
    await asked.hover()
    await asked.get_by_test_id("quote").click()
    await attach(page, "attach-visual", PHOTO)
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("bubble").last.get_by_test_id("quoted")).to_contain_text("A photo, please")
    await expect(page.locator("#quoting")).to_be_hidden()
