"""Contacts and groups on the phone page: names, colours, members, blocking, reading, search, the window of each."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from pilotbot.sandbox.records import Chat
from pilotbot.sandbox.rows import colour_of
from tests.sandbox.phone.conftest import ANA, BRUNO, GROUP, OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CARLA = "+5511987650003"


async def choose(page: Page, item: str) -> None:
    """Choose an item of the chat's menu."""
    await page.get_by_test_id("chat-menu").click()
    await page.get_by_test_id(item).click()


async def test_a_new_contact_has_the_name_and_colour_that_were_chosen(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await page.get_by_test_id("new-contact").click()
    await page.get_by_test_id("new-name").fill("Bruno Lima")
    await page.get_by_test_id("new-phone").fill("12345")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A phone looks like")).to_be_visible()
    await page.get_by_test_id("new-phone").fill("+55 (11) 98765-0002")
    await page.get_by_role("radio", name="Red").check()
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("composer")).to_be_focused()
    await expect(page.locator("#talk-name")).to_have_text("Bruno Lima")
    await expect(page.locator("#talk-avatar")).to_have_class("avatar hue-9")
    await expect(page.get_by_test_id("chat").locator(".avatar")).to_have_text("BL")
    [chat] = await platform.chats()
    assert (chat["contact"], chat["number"], chat["name"], chat["colour"]) == (BRUNO, "num_meta", "Bruno Lima", 9)


async def test_a_contact_is_edited_with_the_keyboard_alone(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.contact(name="Ana", colour=0)
    await open_chat(page)
    await page.get_by_test_id("chat-menu").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("menu-edit")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("new-name")).to_be_focused()
    await page.keyboard.type("Ana Dias")
    await page.get_by_role("radio", name="Teal").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(page.locator("#talk-name")).to_have_text("Ana Dias")
    await expect(page.locator("#talk-avatar")).to_have_class("avatar hue-1")
    [chat] = await platform.chats()
    assert (chat["name"], chat["colour"]) == ("Ana Dias", 1)


async def test_whoever_chose_no_colour_has_the_one_that_the_sandbox_gives(phone: OpenPage) -> None:
    page = await phone()
    addresses = [ANA, "+551187650001", BRUNO, "+15550001111", GROUP, "BR.123"]
    found = await page.evaluate("async (all) => { const { hue } = await import('/phone/format.js'); return all.map(hue) }", addresses)
    assert found == [colour_of(Chat("num_meta", address, "contact")) for address in addresses]


async def test_a_new_group_has_members_who_write_in_turn(phone: OpenPage, platform: Platform) -> None:
    await platform.contact(name="Ana", colour=4)
    await platform.contact(BRUNO, name="Bruno", colour=3)
    page = await phone()
    await page.get_by_test_id("new-group").click()
    await expect(page.get_by_test_id("new-number")).to_have_value("num_evolution")
    await page.get_by_test_id("group-id").fill(GROUP)
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A group needs a name")).to_be_visible()
    await page.get_by_test_id("group-name").fill("Volleyball")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("add at least one")).to_be_visible()
    await page.locator(f'[data-testid="member"][data-contact="{ANA}"]').check()
    await page.get_by_test_id("member-name").fill("Carla")
    await page.get_by_test_id("member-phone").fill(CARLA)
    await page.get_by_test_id("member-add").click()
    await expect(page.locator(f'[data-testid="member"][data-contact="{CARLA}"]')).to_be_checked()
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.locator("#talk-number")).to_have_text("2 members → Evolution number")
    for person, text in ((CARLA, "Who comes?"), (ANA, "I do")):
        await page.get_by_test_id("author").select_option(person)
        await page.get_by_test_id("composer").fill(text)
        await page.get_by_test_id("composer").press("Enter")
        await expect(bubble(page, text)).to_be_visible()
    await expect(page.locator(".author-name")).to_have_text(["Carla", "Ana"])
    await expect(bubble(page, "I do").locator(".author-name")).to_have_class("author-name name-4")
    await expect(page.get_by_test_id("window")).to_have_attribute("data-window", "none")
    rows = await platform.messages()
    assert [(row["contact"], row["author"], row["number"]) for row in rows] == [
        (GROUP, CARLA, "num_evolution"), (GROUP, ANA, "num_evolution")
    ]  # fmt: skip


async def test_members_leave_a_group(phone: OpenPage, platform: Platform) -> None:
    people = [{"contact": ANA, "name": "Ana"}, {"contact": BRUNO, "name": "Bruno"}]
    await platform.contact(GROUP, number="num_evolution", name="Volleyball", members=people)
    page = await phone()
    await open_chat(page, GROUP)
    await expect(page.get_by_test_id("author").locator("option")).to_have_count(2)
    await choose(page, "menu-edit")
    await page.locator(f'[data-testid="member"][data-contact="{BRUNO}"]').uncheck()
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_test_id("author").locator("option")).to_have_text(["Ana +55 11 98765-0001"])
    [chat] = await platform.chats()
    assert chat["members"] == [people[0]]


async def test_a_group_on_a_number_that_may_not_answer_in_it_says_so(phone: OpenPage) -> None:
    page = await phone()
    await page.get_by_test_id("new-group").click()
    refused = page.get_by_text("cannot answer in groups")
    await expect(refused).to_be_hidden()
    await page.get_by_test_id("new-number").select_option("num_meta")
    await expect(refused).to_be_visible()
    await page.get_by_test_id("group-name").fill("Volleyball")
    await page.get_by_test_id("group-id").fill("volleyball")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("A group id looks like")).to_be_visible()


async def test_a_contact_who_has_blocked_the_bot_gets_and_writes_nothing(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    await open_chat(page)
    await choose(page, "menu-block")
    await expect(page.get_by_test_id("blocked")).to_contain_text("Ana has blocked this business")
    await expect(page.get_by_test_id("composer")).to_be_hidden()
    await expect(page.locator(".chat-blocked")).to_have_text("blocked")
    await platform.send(text="Hello?")
    await expect(bubble(page, "Hello?")).to_have_attribute("data-status", "sent")
    await page.get_by_test_id("unblock").click()
    await expect(page.get_by_test_id("composer")).to_be_focused()
    await expect(page.locator(".chat-blocked")).to_have_count(0)
    [chat] = await platform.chats()
    assert chat["blocked"] is False


async def test_a_contact_who_does_not_read_at_once_reads_when_told(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await choose(page, "menu-reads")
    await expect(page.locator("#talk-number")).to_contain_text("does not read at once")
    await page.get_by_test_id("chat-menu").click()
    await expect(page.get_by_test_id("menu-reads")).to_have_attribute("aria-checked", "false")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("chat-menu")).to_be_focused()
    await platform.send(text="Hello")
    await expect(bubble(page, "Hello")).to_have_attribute("data-status", "delivered")
    await choose(page, "menu-read")
    await expect(bubble(page, "Hello")).to_have_attribute("data-status", "read")
    await expect(page.get_by_role("alert")).to_have_text("1 message read")


async def test_each_chat_shows_its_window_and_a_banner_tells_that_it_is_closed(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    await platform.write("hi", contact=BRUNO, name="Bruno", number="num_evolution")
    signs = page.locator(".chat-window")
    await expect(signs).to_have_text(["23 h"])
    await open_chat(page)
    await expect(page.get_by_test_id("banner")).to_be_hidden()
    await page.get_by_test_id("clock-25h").click()
    await expect(signs).to_have_attribute("data-window", "closed")
    await expect(page.get_by_test_id("banner")).to_contain_text("More than 24 hours since Ana last wrote")
    await page.get_by_test_id("composer").fill("I am back")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("banner")).to_be_hidden()
    await expect(signs).to_have_attribute("data-window", "open")


async def test_search_finds_chats_and_messages_whatever_their_accents(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("Onde está o meu PEDIDO?", name="José")
    await platform.send(text="A *padaria* fecha às 18 h")
    await platform.write("Quero um pão", contact=BRUNO, name="Bruno")
    await expect(page.get_by_test_id("chat")).to_have_count(2)
    await page.keyboard.press("/")
    await expect(page.get_by_test_id("search")).to_be_focused()
    await page.keyboard.type("jose")
    await expect(page.locator("#chat-list")).to_contain_text("José")
    await expect(page.get_by_test_id("chat")).to_have_count(1)
    await expect(page.get_by_test_id("found")).to_have_count(0)
    await page.get_by_test_id("search").fill("PÂO")
    await expect(page.get_by_test_id("found").locator("mark")).to_have_text("pão")
    await expect(page.locator("#search-count")).to_have_text("1 found")
    await page.get_by_test_id("search").fill("no such words")
    await expect(page.locator(".found-nothing")).to_have_text("Nothing found for “no such words”")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("search")).to_have_value("")
    await expect(page.get_by_test_id("chat")).to_have_count(2)


async def test_a_found_message_is_shown_where_it_stands(phone: OpenPage, platform: Platform) -> None:
    await platform.write("the needle", name="Ana")
    await asyncio.gather(*(platform.write(f"hay {number}") for number in range(201)))
    await platform.write("hi", contact=BRUNO, name="Bruno")
    page = await phone(width=380)
    await open_chat(page, BRUNO)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("needle")
    await expect(page.get_by_test_id("found")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    needle = bubble(page, "the needle")
    await expect(needle).to_be_focused()
    await expect(needle).to_be_in_viewport()
    await expect(needle).to_have_class("bubble in first found")
    await expect(needle).to_have_class("bubble in first")


async def test_what_a_contact_is_called_is_never_markup(phone: OpenPage, platform: Platform) -> None:
    evil = "<b onclick=1>Ana</b>"
    await platform.contact(name=evil)
    people: list[dict[str, Any]] = [{"contact": ANA, "name": evil}]
    await platform.contact(GROUP, number="num_evolution", name=evil, members=people)
    page = await phone()
    await open_chat(page, GROUP)
    await expect(page.locator("#talk-name")).to_have_text(evil)
    await choose(page, "menu-edit")
    await expect(page.locator(".member-name")).to_have_text(evil)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("search").fill("onclick")
    await expect(page.locator(".chat-name")).to_have_text([evil, evil])
    assert await page.locator("b[onclick]").count() == 0
