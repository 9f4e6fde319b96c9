"""The phone page in a real browser, against a real sandbox: what a person sees and does."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from pilotbot.sandbox import Sandbox, SandboxSettings

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = Path("/usr/bin/chromium")
HAS_CHROMIUM = CHROMIUM.exists()
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
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


async def accept_event(_: web.Request) -> web.Response:
    return web.Response()


async def test_the_log_shows_what_the_bot_was_sent_and_answered(phone: OpenPage, platform: Platform) -> None:
    app = web.Application()
    app.router.add_post("/hook", accept_event)
    async with TestServer(app, host="127.0.0.1") as server:
        await platform.register(str(server.make_url("/hook")))
        page = await phone()
        await platform.write("hi", name="Ana")
        await open_chat(page)
        await expect(bubble(page, "hi")).to_have_attribute("data-status", "delivered")
        row = page.get_by_test_id("delivery")
        await expect(row).to_contain_text("message.received")
        await expect(row).to_contain_text("200")
        await row.click()
        await expect(row).to_have_attribute("aria-expanded", "true")
        await expect(page.locator(".json")).to_contain_text('"participantName": "Ana"')
        await expect(page.locator(".delivery-more .mono")).to_have_text(re.compile("^[0-9a-f]{64}$"))


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


async def test_lists_and_media_are_drawn(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    rows = [{"title": "Invoice", "description": "PDF", "rowId": "1"}, {"title": "Refund", "rowId": "2"}]
    await platform.send(text="Pick", list={"buttonText": "See", "sections": [{"title": "All", "rows": rows}]})
    await expect(bubble(page, "Pick").get_by_test_id("option")).to_have_text(["InvoicePDF", "Refund"])
    await platform.send(media=f"{sandbox.url}/phone/sample.svg", mediaType="image", caption="Your parcel")
    await expect(bubble(page, "Your parcel").locator("img")).to_have_js_property("complete", value=True)
    await platform.send(media="https://cdn.example.com/bill.pdf", mediaType="document")
    await expect(bubble(page, "bill.pdf").locator("a")).to_have_attribute("rel", "noopener noreferrer")


async def test_a_contact_sends_a_photo(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await page.locator("#attach").click()
    await page.get_by_test_id("attach-link").fill("nowhere")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A link begins with")).to_be_visible()
    await page.get_by_test_id("attach-link").fill(f"{page.url}phone/sample.svg")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("bubble").last.locator("img")).to_be_visible()
    assert (await platform.messages())[-1]["mediaType"] is not None


async def test_a_new_contact_may_write_in_a_group(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await page.get_by_test_id("new-contact").click()
    await page.get_by_test_id("new-phone").fill("12345")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A phone looks like")).to_be_visible()
    await page.get_by_test_id("new-phone").fill("+55 (11) 98765-0002")
    await page.get_by_test_id("new-number").select_option("num_evolution")
    await page.get_by_test_id("new-group").fill("120363000000000001@g.us")
    await page.get_by_test_id("dialog-submit").click()
    await page.get_by_test_id("composer").press_sequentially("bom dia")
    await page.get_by_test_id("composer").press("Enter")
    await expect(bubble(page, "bom dia")).to_be_visible()
    await expect(page.get_by_test_id("window")).to_have_attribute("data-window", "none")
    [row] = await platform.messages()
    assert (row["contact"], row["author"], row["number"]) == ("120363000000000001@g.us", BRUNO, "num_evolution")


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


async def test_the_page_speaks_portuguese(phone: OpenPage, platform: Platform) -> None:
    page = await phone(locale="pt-BR")
    await page.get_by_test_id("sample").click()
    await expect(page.get_by_test_id("composer")).to_have_value("pedido")
    await expect(page.get_by_test_id("window")).to_have_text("Janela fechada: Ana nunca escreveu")
    await page.get_by_test_id("language").click()
    await expect(page.get_by_test_id("window")).to_have_text("Window closed: Ana never wrote")
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Live")


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
    await page.locator("#log-open").click()
    await expect(page.locator("#log-panel")).to_be_visible()
    await page.locator("#log-close").click()
    await expect(page.locator("#log-panel")).to_be_hidden()


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


async def test_faults_are_set_from_the_page(phone: OpenPage) -> None:
    page = await phone()
    await page.get_by_test_id("faults").click()
    await page.locator('[data-fault="http500"]').fill("50")
    await page.locator('[data-fault="http500"]').dispatch_event("change")
    await expect(page.locator("#faults-open")).to_have_class("tool on")
    assert (await page.evaluate("fetch('/sandbox/faults').then((r) => r.json())"))["http500"] == 0.5


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
