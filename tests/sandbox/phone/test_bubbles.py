"""Messages as bubbles: markup, ticks, templates, media and their players, cards, reactions, quotes."""

import base64
import io
import wave
from typing import Any

import pytest
from playwright.async_api import Page, expect

from pilotbot.sandbox import Sandbox
from tests.sandbox.phone.conftest import ANA, BRUNO, GROUP, OpenPage, Platform, bubble, open_chat
from tests.sandbox.phone.test_phone_look import CONTRAST

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PLACE = {"latitude": -23.561414, "longitude": -46.655881, "name": "MASP", "address": "Av. Paulista, 1578"}
CARD = {"name": "Bruno Lima", "phone": BRUNO}


def data_uri(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def silence(seconds: int) -> str:
    """A sound, as a data URI."""
    raw = io.BytesIO()
    with wave.open(raw, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 8000 * seconds)
    return data_uri("audio/wav", raw.getvalue())


def cards(sandbox: Sandbox) -> dict[str, Any]:
    media = {"type": "image", "url": f"{sandbox.url}/phone/sample.svg"}
    return {
        "cards": [
            {
                "media": media,
                "body": f"Plan {plan}",
                "buttons": [
                    {"type": "QUICK_REPLY", "text": f"I want {plan}"},
                    {"type": "URL", "text": "See", "url": "https://example.com/"},
                ],
            }
            for plan in "ABC"
        ]
    }


async def greet(page: Page, platform: Platform) -> None:
    await platform.write("hi", name="Ana")
    await open_chat(page)


async def test_lists_and_quotes_are_laid_out(phone: OpenPage) -> None:
    page = await phone()
    show = "async (text) => { const m = await import('/phone/markup.js'); return m.formatted(text).map((n) => n.outerHTML ?? n).join('') }"
    for text, drawn in {
        "- a\n- *b*": "<ul><li>a</li><li><strong>b</strong></li></ul>",
        "3. a\n4. b": '<ol start="3"><li>a</li><li>b</li></ol>',
        "> a\n> _b_": '<blockquote class="cited">a\n<em>b</em></blockquote>',
        "one\n\n- two": "one\n\n<ul><li>two</li></ul>",
        "- a\n\n1. b": '<ul><li>a</li></ul>\n<ol start="1"><li>b</li></ol>',
        "-a\n1.b\n>": "-a\n1.b\n>",
        "say ```x```- no list": 'say <code class="mono">x</code>- no list',
        "1000. not a list": "1000. not a list",
    }.items():
        assert await page.evaluate(show, text) == drawn, text
    plain = "async (text) => (await import('/phone/markup.js')).plain(text)"
    assert await page.evaluate(plain, "*a*\n- b\n> c") == "a - b > c"


async def test_up_to_three_emoji_alone_are_large(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    for text in ("👍", "👩‍👩‍👧‍👦🇧🇷❤️", "👍👍👍👍", "ok 👍", "12"):
        await platform.write(text)
    await expect(page.locator(".words.big")).to_have_text(["👍", "👩‍👩‍👧‍👦🇧🇷❤️"])


async def test_ticks_tell_how_far_a_message_came(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await platform.write("hi", name="Ana")
    await platform.contact(reads=False)
    await open_chat(page)
    await platform.send(text="Hello")
    ticks = bubble(page, "Hello").locator(".ticks")
    await expect(ticks).to_have_attribute("aria-label", "Delivered")
    grey = await ticks.evaluate("(each) => getComputedStyle(each).color")
    assert await ticks.locator(".icon-double").count() == 1
    await page.get_by_test_id("chat-menu").click()
    await page.get_by_test_id("menu-read").click()
    await expect(ticks).to_have_attribute("aria-label", "Read")
    assert await ticks.evaluate("(each) => getComputedStyle(each).color") != grey
    await platform.contact(blocked=True)
    await platform.send(text="Again")
    await expect(bubble(page, "Again").locator(".icon-sent")).to_be_visible()


async def test_the_first_of_a_series_has_the_tail(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.write("are you there?")
    await platform.send(text="Yes")
    await expect(page.get_by_test_id("bubble")).to_have_count(3)
    tail = "(each) => getComputedStyle(each.querySelector('.sheet'), '::before').content !== 'none'"
    assert [await each.evaluate(tail) for each in await page.get_by_test_id("bubble").all()] == [True, False, True]


async def test_a_template_looks_as_it_was_approved(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.template(
        "invoice",
        header={"type": "IMAGE", "url": f"{sandbox.url}/phone/sample.svg"},
        body={"text": "Hello {{name}}, your invoice."},
        footer={"text": "Reply STOP to opt out"},
        buttons=[{"type": "URL", "text": "Pay", "url": "https://example.com/pay"}, {"type": "QUICK_REPLY", "text": "Help"}],
    )
    await platform.send(templateId="invoice", variables={"name": "Ana"})
    message = bubble(page, "Hello Ana, your invoice.")
    await expect(message.locator(".tag")).to_have_text("template · invoice")
    await expect(message.locator("img")).to_have_js_property("complete", value=True)
    await expect(message.locator(".footer")).to_have_text("Reply STOP to opt out")
    await expect(message.get_by_role("link", name="Pay")).to_have_attribute("href", "https://example.com/pay")
    await message.get_by_role("button", name="Help").click()
    await expect(bubble(page, "Help").last).to_have_attribute("data-direction", "in")


async def test_a_picture_opens_large_and_closes_again(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(media=f"{sandbox.url}/phone/sample.svg", mediaType="image", caption="Your *parcel*")
    await page.get_by_test_id("view-large").focus()
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Your *parcel*")
    await expect(viewer.locator("img")).to_be_visible()
    await expect(viewer.locator(".viewer-caption strong")).to_have_text("parcel")
    await expect(viewer.get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(page.get_by_test_id("view-large")).to_be_focused()


async def test_a_voice_message_has_a_player(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(media=silence(8), mediaType="voice")
    await platform.send(media=silence(3), mediaType="audio")
    await expect(page.get_by_test_id("bubble").last).to_have_attribute("data-status", "read")
    players = page.get_by_role("group", name="Voice message")  # a bot's audio is one, too (contract 3.3)
    await expect(players.get_by_test_id("duration")).to_have_text(["0:08", "0:03"])
    player = players.first
    await player.get_by_role("button", name="Play").focus()
    await page.keyboard.press("Enter")
    await expect(player.get_by_role("button", name="Pause")).to_be_focused()
    await platform.write(type="reaction", reaction={"emoji": "👍", "message": (await platform.messages())[1]["id"]})
    await expect(page.get_by_test_id("reactions")).to_be_visible()
    await expect(player.get_by_role("button", name="Pause")).to_be_visible()  # drawn anew, it plays on
    await players.last.get_by_role("button", name="Play").click()
    await expect(player.get_by_role("button", name="Play")).to_be_visible()  # one at a time
    await player.get_by_test_id("position").fill("750")
    await expect(player.get_by_test_id("position")).to_have_attribute("aria-valuetext", "0:06 of 0:08")
    await player.get_by_test_id("speed").click()
    await expect(player.get_by_test_id("speed")).to_contain_text("1.5")


async def test_a_sound_that_cannot_be_played_is_a_file(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(media=f"{sandbox.url}/phone/nothing.ogg", mediaType="audio")
    await expect(page.get_by_test_id("file")).to_contain_text("Cannot be shown here")


async def test_a_sound_that_cannot_be_played_stays_a_file_when_its_bubble_is_drawn_anew(phone: OpenPage, sandbox: Sandbox) -> None:
    page = await phone()
    twice = """async (address) => {
        const { media } = await import('/phone/media.js');
        const box = document.body.appendChild(document.createElement('div'));
        const drawn = () => media(address, 'audio', { id: 'broken', voice: true });
        box.append(drawn());
        while (!box.querySelector('.file')) await new Promise((later) => setTimeout(later, 5));
        return drawn().className;
    }"""
    assert await page.evaluate(twice, f"{sandbox.url}/phone/nothing.ogg") == "file"


async def test_a_document_tells_its_name_kind_and_size(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(media=data_uri("application/pdf", b"x" * 12345), mediaType="document")
    await platform.send(media=f"{sandbox.url}/phone/sample.svg", mediaType="document")
    await platform.send(media="https://cdn.example.com/bill.pdf", mediaType="document")
    files = page.get_by_test_id("file")
    await expect(files.locator(".file-note")).to_have_text(["PDF · 12 kB", "SVG · 684 B", "PDF"])
    assert [await each.get_attribute("download") for each in await files.all()] == ["Document", "sample.svg", None]


async def test_a_place_is_drawn_without_a_map_from_elsewhere(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await greet(page, platform)
    await platform.write(type="location", location=PLACE)
    place = page.get_by_test_id("location")
    for text in ("MASP", "Av. Paulista, 1578", "-23.56141, -46.65588"):
        await expect(place).to_contain_text(text)
    await expect(place.get_by_role("link", name="Open the map")).to_have_attribute(
        "href", "https://www.openstreetmap.org/?mlat=-23.561414&mlon=-46.655881#map=17/-23.561414/-46.655881"
    )
    assert [url for url in asked if "127.0.0.1" not in url] == []


async def test_a_contact_card_leads_to_a_chat(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.write(type="contacts", contacts=[CARD])
    await expect(page.get_by_test_id("contact-card")).to_contain_text("Bruno Lima+55 11 98765-0002")
    await page.get_by_role("button", name="Message: Bruno Lima").click()
    await expect(page.locator("#talk-name")).to_have_text("Bruno Lima")
    assert BRUNO in [chat["contact"] for chat in await platform.chats()]


async def test_a_sticker_has_no_bubble(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.write(type="sticker", media=f"{sandbox.url}/phone/sample.svg", mediaType="image/webp")
    last = page.get_by_test_id("bubble").last
    await expect(last.get_by_role("img", name="Sticker")).to_be_visible()
    assert await last.locator(".sheet").evaluate("(each) => getComputedStyle(each).backgroundColor") == "rgba(0, 0, 0, 0)"


async def test_the_cards_of_a_carousel_can_be_tapped(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(text="Offers", carousel=cards(sandbox))
    await expect(bubble(page, "Offers")).to_have_attribute("data-status", "read")
    await expect(page.get_by_test_id("card").locator(".words")).to_have_text(["Plan A", "Plan B", "Plan C"])
    await expect(page.get_by_role("link", name="See").first).to_have_attribute("rel", "noopener noreferrer")
    await page.get_by_role("button", name="I want C").click()
    await expect(page.get_by_test_id("card").last.locator(".tapped")).to_contain_text("I want C")
    *_, offer, answer = await platform.messages()
    assert (answer["text"], answer["quoted"]) == ("I want C", offer["messageId"])


async def test_a_contact_reacts_and_takes_it_back(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(text="Hello")
    hello = bubble(page, "Hello")
    await expect(hello).to_have_attribute("data-status", "read")
    await hello.hover()
    await hello.get_by_test_id("react").click()
    await page.locator('[data-emoji="❤️"]').click()
    await expect(hello.get_by_test_id("reactions")).to_have_text("❤️")
    await hello.hover()
    await hello.get_by_test_id("react").click()
    await expect(page.locator('[data-emoji="❤️"]')).to_have_attribute("aria-pressed", "true")
    await page.locator('[data-emoji="👍"]').click()
    await expect(hello.get_by_test_id("reactions")).to_have_text("👍")
    await hello.get_by_test_id("reactions").click()
    await expect(hello.get_by_test_id("reactions")).to_have_count(0)
    _, sent, *reactions = await platform.messages()
    assert [row["reaction"] for row in reactions] == [{"emoji": emoji, "message": sent["id"]} for emoji in ("❤️", "👍", "")]
    await expect(page.get_by_test_id("bubble")).to_have_count(2)


async def test_bubbles_are_reached_and_used_with_the_keyboard(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    await platform.send(text="Hello")
    await expect(bubble(page, "Hello")).to_have_attribute("data-status", "read")
    await page.get_by_test_id("composer").focus()
    await page.keyboard.press("ArrowUp")
    await expect(bubble(page, "Hello")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(bubble(page, "hi")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await expect(bubble(page, "Hello").get_by_test_id("react")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-emoji="👍"]')).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(bubble(page, "Hello").get_by_test_id("reactions")).to_have_text("😂")
    await expect(bubble(page, "Hello").get_by_test_id("react")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#quoting")).to_contain_text("Hello")
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_reactions_of_a_group_are_counted_for_each_person(phone: OpenPage, platform: Platform) -> None:
    await platform.contact(GROUP, number="num_evolution", name="Volleyball", members=[{"contact": ANA, "name": "Ana"}])
    page = await phone()
    await open_chat(page, GROUP)
    await platform.send_to_group("Shall I book?")
    asked = bubble(page, "Shall I book?")
    await expect(asked).to_have_attribute("data-status", "read")
    message = (await platform.messages())[0]["messageId"]
    for person, name, emoji in ((ANA, "Ana", "👍"), (BRUNO, "Bruno", "👍"), (BRUNO, "Bruno", "🎉")):
        reaction = {"emoji": emoji, "message": message}
        await platform.write(
            contact=person, name=name, number="num_evolution", event="group", groupId=GROUP, type="reaction", reaction=reaction
        )
    await expect(asked.get_by_test_id("reactions")).to_have_text("👍 🎉2")
    await expect(asked.get_by_test_id("reactions")).to_have_attribute("title", "Reactions: 👍 Ana, 🎉 Bruno. Take back 🎉")


async def test_a_quote_leads_to_what_it_answers(phone: OpenPage, platform: Platform) -> None:
    page = await phone(height=500)
    await greet(page, platform)
    await platform.send(text="When suits you?")
    await expect(bubble(page, "When suits you?")).to_have_attribute("data-status", "read")
    for number in range(8):
        await platform.write(f"let me see {number}")
    await platform.write("Tomorrow", quoted=(await platform.messages())[1]["messageId"])
    await page.get_by_test_id("quoted").click()
    question = page.locator(".bubble.out")
    await expect(question).to_be_focused()
    await expect(question).to_be_in_viewport()


async def test_what_is_not_sent_yet_or_never_looks_so(phone: OpenPage, platform: Platform) -> None:
    page = await phone()
    await greet(page, platform)
    sent = await platform.send(text="Tomorrow then", deliverAt="2999-01-02T10:00:00Z")
    note = bubble(page, "Tomorrow then").locator(".sheet-note")
    await expect(note).to_contain_text("Scheduled for")
    await platform.cancel(sent["id"])
    await expect(bubble(page, "Tomorrow then")).to_have_attribute("data-status", "canceled")
    await expect(note).to_have_text("Canceled before it was sent")


async def fill(page: Page, platform: Platform, sandbox: Sandbox) -> None:
    """One message of each look."""
    await platform.write("hi", name="Ana", contact=ANA)
    await platform.send(text="*Hello* `code`\n- one\n> two", buttons=[{"type": "reply", "label": "Track"}], footer="Shop")
    await platform.send(text="Offers", carousel=cards(sandbox))
    await platform.send(media=silence(1), mediaType="voice")
    await platform.send(media=data_uri("application/pdf", b"x" * 900), mediaType="document", caption="A" * 80)
    await platform.send(text="Later", deliverAt="2999-01-02T10:00:00Z")
    await platform.write(type="location", location=PLACE)
    await platform.write(type="contacts", contacts=[CARD])
    row = (await platform.messages())[1]
    await platform.write("yes", quoted=row["messageId"] or "none")
    await platform.write(type="reaction", reaction={"emoji": "👍", "message": row["id"]})
    for number in range(12):
        person = {"contact": f"+55119876501{number:02}", "name": f"Member {number}"}
        await platform.contact(person["contact"], number="num_evolution", name=person["name"], colour=number)
        await platform.write("me too", number="num_evolution", event="group", groupId=GROUP, **person)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_look_has_enough_contrast(phone: OpenPage, platform: Platform, sandbox: Sandbox, scheme: str) -> None:
    page = await phone(scheme=scheme)
    await fill(page, platform, sandbox)
    for contact in (ANA, GROUP):
        await open_chat(page, contact)
        await expect(page.get_by_test_id("bubble").last).to_be_visible()
        assert await page.evaluate(CONTRAST) == []
    await expect(page.locator(".author-name")).to_have_count(12)


async def test_every_look_fits_a_narrow_screen(phone: OpenPage, platform: Platform, sandbox: Sandbox) -> None:
    page = await phone(width=380)
    await fill(page, platform, sandbox)
    await open_chat(page)
    await expect(page.get_by_test_id("bubble")).to_have_count(9)
    for element in ("document.documentElement", "document.getElementById('scroll')"):
        assert await page.evaluate(f"{element}.scrollWidth - {element}.clientWidth") == 0
