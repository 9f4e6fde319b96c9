"""The panel of the phone page: the life of a message, the chat as the bot has it, the ways in and out."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.sandbox.phone.answers import answer, chat, post, turn
from tests.sandbox.phone.conftest import ANA, Hook, OpenPage, Platform, bubble, open_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


def part(page: Page, name: str) -> Locator:
    return page.locator(f'#panel [data-part="{name}"]')


async def see_details(page: Page, text: str) -> None:
    await bubble(page, text).hover()
    await bubble(page, text).get_by_test_id("details").click()


async def open_tab(page: Page, name: str) -> None:
    await page.get_by_role("tab", name=name).click()


# -- the life of a message ---------------------------------------------------------------------------------------------


async def test_a_message_of_the_bot_tells_its_life(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    sent = await platform.send(text="Hello", labels=["greeting"])
    await expect(bubble(page, "Hello")).to_have_attribute("data-status", "read")
    await see_details(page, "Hello")
    await expect(part(page, "head")).to_contain_text("Sent by the bot")
    steps = page.get_by_test_id("timeline").locator("li")
    await expect(steps).to_have_text([re.compile(rf"^{name}\d\d:\d\d:\d\d") for name in ("Accepted", "Sent", "Delivered", "Read")])
    await expect(steps.nth(1)).to_contain_text(re.compile(r"\+ \d+ ms$"))
    [_, row] = await platform.messages()
    assert row["id"] == sent["id"]
    for name in ("id", "messageId", "correlationId"):
        await expect(part(page, "ids")).to_contain_text(row[name])
    await expect(part(page, "ids")).to_contain_text("greeting")


async def test_the_latest_message_is_followed_until_one_is_chosen(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("first")
    await open_chat(page)
    await expect(part(page, "head")).to_contain_text("first")
    await platform.write("second")
    await expect(part(page, "head")).to_contain_text("second")
    await see_details(page, "first")
    await expect(part(page, "head")).to_contain_text("first")
    await platform.write("third")
    await expect(page.get_by_test_id("bubble")).to_have_count(3)
    await expect(part(page, "head")).to_contain_text("first")
    await page.get_by_test_id("follow").click()
    await expect(part(page, "head")).to_contain_text("third")


async def test_a_failed_message_says_code_reason_and_advice(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.send(text="Too soon")
    await open_chat(page)
    failed = page.get_by_test_id("failed-why")
    await expect(failed).to_contain_text("META_NO_CONVERSATION")
    await expect(failed).to_contain_text("The contact never wrote")
    await expect(failed).to_contain_text("Begin with a template")
    await expect(page.locator('[data-step="failed"] time')).to_be_visible()  # the time of its webhook


async def test_template_and_variables_are_told(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.send(templateId="order_status", variables={"order_id": "4312", "status": "<i>ready</i>"})
    await open_chat(page)
    for text in ("order_status", "order_id", "4312", "<i>ready</i>"):
        await expect(part(page, "template")).to_contain_text(text)


WHYS = [
    ("open", {"text": "x"}, "Went as free text: the window was open until "),
    ("closed", {"templateId": "follow_up"}, "Went as the template: the contact has not written for 24 hours (window closed since "),
    ("never", {"templateId": "follow_up"}, "Went as the template: the contact has never written."),
    ("pinned", {"text": "x"}, "a repetition never changes the way."),
    ("refused-late", {"templateId": "follow_up"}, "refused the free text as too late."),
    ("no-free-form", {"templateId": "follow_up"}, "the bot gave no free text for it."),
    ("brand-new", {"text": "x"}, "Went as free text (brand-new)."),
]


async def test_why_a_message_went_this_way_is_a_sentence(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    hook.answer = answer(posts=[post(f"key {code}", code) for code, _, _ in WHYS])
    for code, body, sentence in WHYS:
        await platform.send(once=f"key {code}", **body)
        await expect(page.get_by_test_id("why")).to_contain_text(sentence)


async def test_posts_that_did_not_go_at_once_say_so(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    await platform.send(text="Hello", once="key")
    hook.answer = answer(posts=[post("key", "open", tries=2, result="retry", error="429 slow down")])
    await open_chat(page)
    await expect(part(page, "why")).to_contain_text("Posted 3 times")
    await expect(part(page, "why")).to_contain_text("the bot tries again: 429 slow down")


async def test_a_message_that_no_bot_remembers_says_so(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.answer = answer()
    page = await phone()
    await platform.write("hi")
    await platform.send(text="Hello")
    await open_chat(page)
    await expect(page.get_by_test_id("why")).to_contain_text("sent by another program, or before the bot was started")


async def test_a_contacts_message_tells_who_took_it_and_who_did_not(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    [row] = await platform.messages()
    about = {"choice": {"label": "Hi there", "action": "Greet"}}
    hook.answer = answer(turns=[turn(row["messageId"], **about)])
    await open_chat(page)
    await expect(part(page, "head")).to_contain_text("Written by Ana")
    told = page.get_by_test_id("turn")
    for text in (
        "Handled by greet",
        "bots/orders.py:42",
        '@bot.message(words("hi"))',
        "Taken as a tap on “Hi there” → Greet",
        "Hello, Ana!",
        "queued, expected as text",
        "Tried before: 1",
    ):
        await expect(told).to_contain_text(text)
    await expect(page.get_by_text("the text is none of the words")).to_be_hidden()
    await page.get_by_text("Tried before: 1").click()
    await expect(page.get_by_text("the text is none of the words")).to_be_visible()


async def test_a_message_that_nobody_took_shows_all_who_were_tried(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    [row] = await platform.messages()
    hook.answer = answer(turns=[turn(row["messageId"], handler=None, said=[])])
    await open_chat(page)
    await expect(page.get_by_test_id("turn")).to_contain_text("No handler took it")
    await expect(page.get_by_test_id("turn")).to_contain_text("It said nothing.")
    await expect(page.get_by_text("the text is none of the words")).to_be_visible()


async def test_a_handler_that_failed_shows_its_error_and_each_try(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    [row] = await platform.messages()
    wrong = {"error": "ValueError: no such order <1>", "place": "bots/orders.py:64"}
    tries = [turn(row["messageId"], outcome="retried", **wrong), turn(row["messageId"], outcome="buried", **wrong)]
    hook.answer = answer(turns=tries)
    await open_chat(page)
    told = page.get_by_test_id("turn")
    await expect(told).to_have_count(2)
    await expect(told.first).to_have_attribute("data-outcome", "buried")  # the latest first
    await expect(told.first.get_by_test_id("turn-error")).to_contain_text("ValueError: no such order <1>")
    await expect(told.first.get_by_test_id("turn-error")).to_contain_text("bots/orders.py:64")
    await expect(told.last).to_contain_text("tried again later")


async def test_a_message_not_handled_yet_says_where_it_is(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.status, hook.answer = 503, answer()
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await expect(page.get_by_test_id("turn-none")).to_have_text("No bot has taken it yet.")
    hook.status = 200
    await page.get_by_test_id("clock-1h").click()
    await expect(page.get_by_test_id("turn-none")).to_contain_text("The bot has not handled it yet")
    [row] = await platform.messages()
    hook.answer = answer(turns=[turn(row["messageId"])])
    await page.get_by_test_id("clock-1h").click()
    await expect(page.get_by_test_id("turn")).to_contain_text("Handled by greet")


async def test_a_webhook_about_a_message_leads_to_the_log(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await part(page, "webhooks").get_by_role("button").click()
    await expect(page.get_by_role("tab", name="Webhooks")).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_test_id("delivery")).to_be_focused()
    await expect(page.get_by_test_id("delivery")).to_have_attribute("aria-expanded", "true")


# -- the bot -----------------------------------------------------------------------------------------------------------


async def test_the_chat_is_shown_as_the_bot_has_it(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.answer = answer(chat=chat(problems={"Visit": "a field is missing"}))
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await open_tab(page, "Bot")
    await expect(part(page, "bot 0")).to_contain_text("orders")
    await expect(part(page, "chat 0")).to_contain_text("open until")
    await expect(page.get_by_test_id("waiting")).to_have_text(re.compile("Events 0.*To send 0.*Held back 1"))
    await expect(part(page, "states 0")).to_contain_text('"asked": 2')
    await expect(part(page, "states 0")).to_contain_text("<b>bold</b>")
    await expect(part(page, "states 0")).to_contain_text("a field is missing")
    await expect(part(page, "menus 0")).to_contain_text('Track(order_id="4242")')
    await expect(part(page, "menus 0")).to_contain_text("Talkplain label")
    await expect(part(page, "aside 0")).to_contain_text("Your parcel is here")
    await expect(part(page, "aside 0")).to_contain_text("the window is closed and there is no template")
    assert hook.asked[0]["contact"] == ANA


async def test_the_state_follows_what_happens_with_few_questions(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.answer = answer()
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await open_tab(page, "Bot")
    await expect(part(page, "states 0")).to_contain_text('"asked": 2')
    before = len(hook.asked)
    hook.answer = answer(chat=chat(states={"Visit": {"asked": 3}}))
    await asyncio.gather(*(platform.write(f"again {number}") for number in range(60)))
    await expect(page.get_by_test_id("bubble")).to_have_count(61)
    await expect(part(page, "states 0")).to_contain_text('"asked": 3')
    assert before < len(hook.asked) < before + 20


async def test_where_nothing_happens_nothing_is_asked(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.answer = answer()
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await open_tab(page, "Bot")
    await expect(part(page, "states 0")).to_contain_text('"asked": 2')

    async def second() -> int:
        shown = await page.get_by_test_id("clock").text_content()
        await expect(page.get_by_test_id("clock")).not_to_have_text(shown or "")
        return len(hook.asked)

    await second()
    asked = await second()
    assert [await second(), await second()] == [asked, asked]


async def test_a_bot_at_work_is_asked_again_by_itself(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    hook.answer = answer(chat=chat(waiting={"events": 1, "messages": 0, "held": 0}))
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await open_tab(page, "Bot")
    await expect(page.get_by_test_id("waiting")).to_contain_text("Events 1")
    hook.answer = answer(chat=chat(waiting={"events": 0, "messages": 0, "held": 0}))
    await expect(page.get_by_test_id("waiting")).to_contain_text("Events 0")


async def test_a_turn_leads_to_its_message(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    [row] = await platform.messages()
    hook.answer = answer(turns=[turn(row["messageId"]), turn(None, event="timer", text="")])
    await platform.write("later")
    await open_chat(page)
    await open_tab(page, "Bot")
    await expect(part(page, "turns 0").locator("li")).to_have_count(2)
    await part(page, "turns 0").get_by_role("button").click()
    await expect(page.get_by_role("tab", name="Message")).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_test_id("turn")).to_contain_text("Handled by greet")


EMPTY: list[tuple[dict[str, Any] | str | int, str]] = [
    (401, "The bot refused: status 401"),
    ("<html>", "The answer makes no sense"),
    ("[1, 2]", "The answer makes no sense"),
    ({"hello": 1}, "The answer makes no sense"),
    ({"status": "unknown"}, "The bot keeps its state to itself"),
    (answer(chat=None), "The bot has not heard of this chat yet."),
    (
        {"bot": "odd", "chat": {"window": 3, "states": [], "menus": "x", "waiting": None}, "turns": {}, "posts": [1], "aside": [None]},
        "Nothing is stored.",
    ),
]


async def test_whatever_a_bot_answers_is_told_plainly(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await open_tab(page, "Bot")
    for said, words in EMPTY:
        hook.answer = said
        await platform.write("next")
        await expect(page.locator("#pane-bot")).to_contain_text(words)


async def test_no_bot_and_a_bot_that_does_not_answer(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await open_tab(page, "Bot")
    await expect(page.locator("#pane-bot")).to_contain_text("Open a chat")
    await platform.write("hi")
    await open_chat(page)
    await expect(page.locator("#pane-bot")).to_contain_text("No bot is connected")
    await expect(page.locator("#pane-bot")).to_contain_text("pilotbot dev")
    await platform.register("http://127.0.0.1:9/nobody")
    await platform.write("again")
    await expect(page.locator("#pane-bot")).to_contain_text("The bot does not answer")


async def test_a_slow_answer_for_another_chat_is_not_shown(phone: OpenPage, platform: Platform, hook: Hook) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    await platform.write("hi", contact="+5511987650002", name="Bruno")
    anas, brunos = asyncio.Event(), asyncio.Event()

    async def hold(route: Any) -> None:
        await (anas if "650001" in route.request.url else brunos).wait()
        await route.continue_()

    hook.answer = answer()
    await page.route("**/sandbox/bot?*", hold)
    await open_tab(page, "Bot")
    await open_chat(page)
    await expect(page.locator("#pane-bot")).to_contain_text("Asking the bot")
    await open_chat(page, "+5511987650002")
    async with page.expect_request("**/sandbox/bot?*650002*"):  # asked once Ana's answer is there
        anas.set()
    await expect(page.locator("#pane-bot")).to_have_text("Asking the bot…")
    hook.answer = answer(bot="brunos")
    brunos.set()
    await expect(part(page, "bot 0")).to_contain_text("brunos")


# -- the way in and out ------------------------------------------------------------------------------------------------


async def test_arrows_move_through_the_tabs_and_the_choice_stays(phone: OpenPage) -> None:
    page = await phone()
    message, bot, log = (page.get_by_role("tab", name=name) for name in ("Message", "Bot", "Webhooks"))
    await message.focus()
    await page.keyboard.press("ArrowRight")
    await expect(bot).to_be_focused()
    await expect(page.locator("#pane-bot")).to_be_visible()
    await expect(page.locator("#pane-message")).to_be_hidden()
    await page.keyboard.press("End")
    await expect(log).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowRight")
    await expect(message).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(log).to_be_focused()
    await page.reload()
    await expect(log).to_have_attribute("aria-selected", "true")


async def test_on_a_phone_the_panel_is_a_sheet_that_holds_and_returns_the_focus(phone: OpenPage, platform: Platform) -> None:
    page = await phone(width=380)
    await platform.write("hi")
    await open_chat(page)
    await see_details(page, "hi")
    panel = page.get_by_test_id("panel")
    await expect(panel).to_be_visible()
    await expect(panel).to_have_role("dialog")
    box = await panel.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 380)
    await expect(page.get_by_role("tab", name="Message")).to_be_focused()
    outside = "() => document.activeElement !== document.body && !document.getElementById('panel').contains(document.activeElement)"
    for _ in range(15):
        await page.keyboard.press("Tab")
        assert not await page.evaluate(outside)
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(bubble(page, "hi").get_by_test_id("details")).to_be_focused()


async def test_a_sheet_on_a_screen_that_grows_lets_the_page_go(phone: OpenPage, platform: Platform) -> None:
    page = await phone(width=380)
    await platform.write("hi")
    await open_chat(page)
    await see_details(page, "hi")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await expect(page.get_by_test_id("panel")).not_to_have_role("dialog")
    await page.get_by_test_id("clock-1h").click()
    await expect(page.locator("#clock-date b")).to_have_text("1 h ahead")


async def test_a_chat_is_saved_as_a_test(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    text = "# a test\n> hi\n< Hello <b>there</b>\n"
    await page.route("**/sandbox/chatfile?*", lambda route: route.fulfill(body=text, content_type="text/plain; charset=utf-8"))
    await page.get_by_test_id("save-test").click()
    await expect(page.get_by_test_id("chatfile")).to_have_text(text)
    await expect(page.locator("#dialog")).to_contain_text("Personal data is masked")
    await page.get_by_test_id("chatfile-copy").click()
    await expect(page.locator("#toast")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == text
    await page.get_by_test_id("chatfile-name").fill("../evil")
    await page.get_by_test_id("dialog-submit").click()
    await expect(page.get_by_text("Letters, digits")).to_be_visible()
    await page.get_by_test_id("chatfile-name").fill("greeting.chat")
    async with page.expect_download() as download:
        await page.get_by_test_id("dialog-submit").click()
    saved = await download.value
    assert saved.suggested_filename == "greeting.chat"
    assert (await saved.path()).read_text("utf-8") == text


async def test_a_refused_test_file_is_told(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi")
    await open_chat(page)
    await page.route("**/sandbox/chatfile?*", lambda route: route.fulfill(status=404, json={"error": "no such chat"}))
    await page.get_by_test_id("save-test").click()
    await expect(page.locator("#toast")).to_contain_text("no such chat")
