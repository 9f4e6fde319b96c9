"""The phone page in a real browser, against a real sandbox: what a person sees and does."""

import aiohttp
import pytest
from playwright.async_api import expect

from pilotbot.sandbox import Sandbox, SandboxSettings
from tests.sandbox.phone.conftest import ANA, BRUNO, OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_first_visit_invites_to_write_as_ana(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await page.get_by_test_id("sample").click()
    await expect(page.get_by_test_id("composer")).to_have_value("order")
    await expect(page.get_by_test_id("composer")).to_be_focused()
    await page.get_by_test_id("send").click()
    await expect(bubble(page, "order")).to_have_attribute("data-direction", "in")
    [row] = await platform.messages()
    assert (row["contact"], row["text"], row["contactName"]) == (ANA, "order", "Ana")


async def test_a_tap_answers_with_the_label_and_quotes_its_message(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    await open_chat(page)
    for text in ("Choose", "Once more"):
        buttons = [{"type": "reply", "label": "Track"}, {"type": "reply", "label": "Talk"}]
        await platform.send(text=text, buttons=buttons)
        await expect(bubble(page, text)).to_have_attribute("data-mode", "buttons")
        await expect(bubble(page, text)).to_have_attribute("data-status", "read")
    await bubble(page, "Choose").get_by_test_id("option").filter(has_text="Track").click()
    await expect(page.locator(".option.tapped")).to_have_text("Tracktapped")
    _, menu, _, answer = await platform.messages()
    assert (answer["text"], answer["quoted"]) == ("Track", menu["messageId"])


async def test_read_receipts_can_be_switched_off(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await page.locator(".receipts").click()
    await expect(page.get_by_test_id("receipts")).not_to_be_checked()
    await platform.send(text="Hello")
    await expect(bubble(page, "Hello")).to_have_attribute("data-status", "delivered")


async def test_after_25_hours_the_window_is_closed_and_text_fails(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await expect(page.get_by_test_id("window")).to_have_attribute("data-window", "open")
    await expect(page.get_by_test_id("window")).to_contain_text("Window open, closes in 23:59:")
    await page.get_by_test_id("clock-25h").click()
    await expect(page.get_by_test_id("window")).to_have_attribute("data-window", "closed")
    await platform.send(text="Too late")
    await expect(bubble(page, "Too late")).to_have_attribute("data-status", "failed")
    await expect(bubble(page, "Too late")).to_contain_text("META_OUTSIDE_24H_WINDOW")
    await platform.send(templateId="order_status", variables={"order_id": "4312", "status": "ready"})
    await expect(bubble(page, "Your order 4312 is ready now.")).to_have_attribute("data-mode", "template")
    await expect(bubble(page, "Your order 4312 is ready now.")).to_contain_text("template · order_status")


async def test_markup_is_shown_and_html_is_only_text(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    evil = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    await platform.write(evil, name=evil)
    await open_chat(page)
    await platform.send(text=f"*bold* _italic_ ~gone~ ```mono``` 2*3*4 snake_case_name {evil} https://example.com/a.")
    await expect(page.get_by_test_id("bubble")).to_have_count(2)
    last = page.get_by_test_id("bubble").last.locator(".words")
    for tag, text in {"strong": "bold", "em": "italic", "s": "gone", "code": "mono"}.items():
        await expect(last.locator(tag)).to_have_text(text)
    await expect(last.locator("a")).to_have_attribute("href", "https://example.com/a")
    await expect(last).to_contain_text(f"2*3*4 snake_case_name {evil}")
    assert await page.locator("#bubbles img, #chat-list img, body script").count() == 0
    assert await page.evaluate("window.hit") is None


async def test_marks_that_hug_nothing_stay(phone: OpenPage) -> None:
    page = await phone()
    show = "async (text) => { const m = await import('/phone/markup.js'); return m.formatted(text).map((n) => n.outerHTML ?? n).join('') }"
    for text in ["* a *", "**", "*a\nb*", "a*b*", "```open", "_", "x ``` y", "", "*", "`"]:
        drawn = await page.evaluate(show, text)
        assert "<" not in drawn, text
    assert await page.evaluate(show, "*a _b_*") == "<strong>a <em>b</em></strong>"
    assert await page.evaluate(show, "a ```*b*``` ```c") == 'a <code class="mono">*b*</code> ```c'


async def test_events_out_of_order_never_turn_a_status_back(phone: OpenPage) -> None:
    page = await phone()
    seen = await page.evaluate(
        """async () => {
          const { emptyState, mergeMessage, rowsOf } = await import('/phone/state.js');
          const state = emptyState();
          const row = (id, status, createdAt) => ({ id, status, createdAt, direction: 'out', number: 'n', contact: '+1' });
          for (const [id, status] of [['2', 'QUEUED'], ['1', 'SENT'], ['2', 'READ'], ['2', 'DELIVERED'], ['1', 'FAILED']])
            mergeMessage(state, row(id, status, id));
          return rowsOf(state, 'n|+1').map((row) => row.id + row.status);
        }"""
    )
    assert seen == ["1FAILED", "2READ"]


async def test_a_lost_connection_is_shown_and_healed(phone: OpenPage, sandbox: Sandbox) -> None:
    page = await phone()
    url, port = sandbox.url, sandbox.port
    await sandbox.stop()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "lost")
    await page.get_by_test_id("clock-1h").click()
    await expect(page.get_by_role("alert")).to_contain_text("Is it running?")
    async with Sandbox(SandboxSettings(), port=port), aiohttp.ClientSession() as session:
        await Platform(url, session).write("back", contact=BRUNO)
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live", timeout=15000)
        await expect(page.locator(f'[data-contact="{BRUNO}"]')).to_contain_text("back")


async def test_enter_sends_shift_enter_breaks_the_line(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("one")
    await composer.press("Shift+Enter")
    await composer.press_sequentially("two")
    await composer.press("Enter")
    await expect(page.get_by_test_id("bubble")).to_have_count(2)
    await expect(composer).to_have_value("")
    assert (await platform.messages())[-1]["text"] == "one\ntwo"


async def test_a_refused_message_comes_back_to_the_composer(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await page.route("**/sandbox/inbound", lambda route: route.fulfill(status=400, json={"error": "no", "code": "NOPE"}))
    await page.get_by_test_id("composer").fill("keep me")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("no (NOPE)")
    await expect(page.get_by_test_id("composer")).to_have_value("keep me")


async def test_a_message_can_be_quoted(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await platform.send(text="When suits you?")
    await expect(bubble(page, "When suits you?")).to_have_attribute("data-status", "read")
    await bubble(page, "When suits you?").hover()
    await bubble(page, "When suits you?").get_by_test_id("quote").click()
    await expect(page.locator("#quoting")).to_contain_text("When suits you?")
    await page.get_by_test_id("composer").press_sequentially("Tomorrow")
    await page.get_by_test_id("composer").press("Enter")
    await expect(bubble(page, "Tomorrow").locator(".quoted")).to_contain_text("When suits you?")
    await expect(page.locator("#quoting")).to_be_hidden()
    *_, asked, answer = await platform.messages()
    assert answer["quoted"] == asked["messageId"]


async def test_unread_messages_are_counted(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi", contact=BRUNO, name="Bruno")
    await platform.send(contact=BRUNO, text="Hello")
    await expect(page.locator(".badge")).to_have_text("1")
    await expect(page).to_have_title("(1) Pilot Status sandbox")
    await open_chat(page, BRUNO)
    await expect(page.locator(".badge")).to_have_count(0)


async def test_a_contact_sends_a_photo_by_its_link(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await page.get_by_test_id("attach").click()
    await page.get_by_test_id("attach-by-link").click()
    await page.get_by_test_id("attach-link").fill("nowhere")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A link begins with")).to_be_visible()
    await page.get_by_test_id("attach-link").fill(f"{page.url}phone/sample.svg")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("bubble").last.locator("img")).to_be_visible()
    assert (await platform.messages())[-1]["mediaType"] is not None


async def test_arrows_move_through_the_chats(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi", contact=ANA, name="Ana")
    await platform.write("hi", contact=BRUNO, name="Bruno")
    await expect(page.get_by_test_id("chat")).to_have_count(2)
    first, second = page.get_by_test_id("chat").first, page.get_by_test_id("chat").last
    await first.focus()
    await page.keyboard.press("ArrowDown")
    await expect(second).to_be_focused()
    await expect(second).to_have_attribute("tabindex", "0")
    await expect(first).to_have_attribute("tabindex", "-1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_forgetting_all_chats_brings_the_invitation_back(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await page.get_by_test_id("sample").click()
    await page.get_by_test_id("send").click()
    await expect(bubble(page, "order")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_test_id("faults").click()
    await page.get_by_test_id("reset").click()
    await expect(page.get_by_test_id("sample")).to_be_visible()
    assert await platform.messages() == []


async def test_someone_who_reads_back_is_not_moved(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    for number in range(30):
        await platform.write(f"line {number}")
    await open_chat(page)
    await expect(page.get_by_test_id("bubble")).to_have_count(30)
    await page.locator("#scroll").evaluate("(element) => { element.scrollTop = 0 }")
    await platform.send(text="news")
    await expect(page.locator("#jump")).to_be_visible()
    assert await page.locator("#scroll").evaluate("(element) => element.scrollTop") == 0
    await page.locator("#jump").click()
    await expect(bubble(page, "news")).to_be_in_viewport()
    await expect(page.locator("#jump")).to_be_hidden()
