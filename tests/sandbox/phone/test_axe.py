"""axe-core finds nothing to complain of, in every view and dialog: light and dark, both languages, wide and narrow."""

from collections.abc import Awaitable, Callable

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.sandbox.phone.answers import answer, chat, post, turn
from tests.sandbox.phone.conftest import ANA, BRUNO, GROUP, Hook, OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LOOKS = [("light", "en-US", 1280), ("dark", "pt-BR", 1280), ("dark", "en-US", 380), ("light", "pt-BR", 380)]
ROWS = [{"title": "Invoice", "description": "PDF", "rowId": "1"}, {"title": "Refund", "rowId": "2"}]

Check = Callable[[str], Awaitable[None]]


def checks(page: Page, found: list[str]) -> Check:
    """Runs axe over the page as it is; what it finds goes to `found`, under the name of the view."""
    axe = Axe()

    async def check(view: str) -> None:
        results = await axe.run(page)
        found.extend(
            f"{view}: {rule['id']} ({rule['impact']}): {node['html'][:200]} {node['failureSummary']}"
            for rule in results.response["violations"]
            for node in rule["nodes"]
        )

    return check


async def converse(platform: Platform, hook: Hook, url: str) -> None:
    """A chat with one of everything, a group, and a bot that tells of them."""
    await platform.write("hi", name="Ana")
    await platform.send(text="*Hello* https://example.com", buttons=[{"type": "reply", "label": "Track"}], footer="Shop", once="k1")
    await platform.send(text="Pick", list={"buttonText": "See", "sections": [{"title": "All", "rows": ROWS}]})
    await platform.send(media=f"{url}phone/sample.svg", mediaType="image", caption="Your parcel")
    await platform.send(media="https://cdn.example.com/bill.pdf", mediaType="document")
    rows = await platform.messages()
    await platform.write("Track", quoted=rows[1]["messageId"])
    await platform.write(type="location", location={"latitude": -23.5, "longitude": -46.6, "name": "Market"})
    await platform.write(type="contacts", contacts=[{"name": "Bia", "phone": BRUNO}])
    await platform.write(type="reaction", reaction={"emoji": "👍", "message": rows[1]["id"]})
    await platform.send(templateId="order_status", variables={"order_id": "1", "status": "ready"}, labels=["order"], once="k2")
    await platform.send(contact=BRUNO, text="Too soon")
    await platform.write("bom dia", event="group", groupId=GROUP, number="num_evolution", name="Bruno")
    message_id = (await platform.messages())[0]["messageId"]
    wrong = turn(message_id, error="ValueError: no such order", place="bots/orders.py:64", outcome="retried")
    hook.answer = answer(
        chat=chat(problems={"Visit": "a field is missing"}),
        posts=[post("k1", "open", tries=1, result="retry", error="429"), post("k2", "closed", mode="template")],
        turns=[wrong, turn(message_id, choice={"label": "Hi", "action": "Greet"})],
    )


async def see_details(page: Page, text: str) -> None:
    await bubble(page, text).first.hover()
    await bubble(page, text).first.get_by_test_id("details").click()


@pytest.mark.parametrize(("scheme", "locale", "width"), LOOKS)
async def test_nothing_stands_in_anybodys_way(
    phone: OpenPage, platform: Platform, hook: Hook, scheme: str, locale: str, width: int
) -> None:
    found: list[str] = []
    page = await phone(scheme=scheme, locale=locale, width=width)
    check = checks(page, found)
    await check("first visit")
    await converse(platform, hook, page.url)
    await expect(page.get_by_test_id("chat")).to_have_count(3)
    await check("chats")
    await open_chat(page, ANA)
    await expect(bubble(page, "Your parcel")).to_be_visible()
    await check("chat")

    narrow = width < 700
    await see_details(page, "example.com")
    await expect(page.get_by_test_id("why")).to_contain_text("12:00")
    await check("message of the bot")
    if narrow:
        await page.locator("#panel-close").click()
    await see_details(page, "hi")
    await expect(page.get_by_test_id("turn")).to_have_count(2)
    await page.get_by_test_id("tried").first.locator("summary").click()
    await check("message of a contact")
    await page.locator("#tab-bot").click()
    await expect(page.locator("#pane-bot")).to_contain_text("Visit")
    await check("bot")
    await page.locator("#tab-log").click()
    await page.get_by_test_id("delivery").first.click()
    await expect(page.get_by_test_id("resend")).to_be_visible()
    await check("webhooks")
    if narrow:
        await page.locator("#panel-close").click()
    assert found == []


@pytest.mark.parametrize(("scheme", "locale", "width"), LOOKS)
async def test_no_dialog_stands_in_anybodys_way(
    phone: OpenPage, platform: Platform, hook: Hook, scheme: str, locale: str, width: int
) -> None:
    found: list[str] = []
    page = await phone(scheme=scheme, locale=locale, width=width)
    check = checks(page, found)
    await page.route("**/sandbox/chatfile?*", lambda route: route.fulfill(body="> hi\n", content_type="text/plain"))

    async def dialog(opener: str, wrong: bool = False) -> None:
        await page.get_by_test_id(opener).click()
        await expect(page.locator("#dialog")).to_be_visible()
        if wrong:
            await page.get_by_test_id("dialog-submit").click()
        await check(opener)
        await page.keyboard.press("Escape")

    await platform.write("hi", name="Ana")
    await platform.send(text="Reach us", buttons=[{"type": "call", "label": "Call us", "phoneNumber": "+551140028922"}])
    await platform.send(text="Book", flow={"flowId": "1", "data": {"day": "2026-12-01"}})
    await expect(page.get_by_test_id("chat")).to_be_visible()
    await dialog("new-contact")
    await dialog("new-group", wrong=True)
    await dialog("clock-any", wrong=True)
    await page.get_by_test_id("faults").click()
    await page.locator('[data-fault="numberBlocked"]').press("Space")
    await expect(page.get_by_test_id("trouble")).to_be_visible()
    await page.keyboard.press("Escape")
    await dialog("faults")
    await check("trouble")
    await open_chat(page)
    await dialog("save-test")
    await dialog("option")
    await dialog("open-flow")
    for opener in ("chat-menu", "emoji", "attach"):
        await page.get_by_test_id(opener).click()
        await expect(page.get_by_test_id("popup")).to_be_visible()
        await check(opener)
        await page.keyboard.press("Escape")
    await platform.contact(blocked=True)
    await expect(page.get_by_test_id("blocked")).to_be_visible()
    await check("blocked")
    assert found == []


async def test_panels_with_nothing_to_show(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    found: list[str] = []
    page = await phone()
    check = checks(page, found)
    for tab in ("message", "bot", "log"):
        await page.locator(f"#tab-{tab}").click()
        await check(f"empty {tab}")
    hook.answer = 401
    await platform.write("hi")
    await open_chat(page)
    await page.locator("#tab-bot").click()
    await expect(page.locator("#pane-bot")).to_contain_text("refused")
    await check("a bot that refuses")
    assert found == []


async def test_axe_would_find_a_fault(phone: OpenPage) -> None:
    found: list[str] = []
    page = await phone()
    await page.locator("#language").evaluate(
        "(button) => { button.textContent = ''; button.removeAttribute('aria-label'); button.title = ''; }"
    )
    await checks(page, found)("broken")
    assert [line.split(" (")[0] for line in found] == ["broken: button-name"]
