"""S8 on the phone page: what a contact or a bot wrote is shown as text, in bubbles, in the list of chats, as labels and as names."""

import pytest
from playwright.async_api import expect

from tests.sandbox.phone.conftest import BRUNO, OpenPage, Platform, browser, open_chat, phone, platform, sandbox
from tests.security.test_ssti_inbound import TEXTS, one_line

__all__ = ["browser", "phone", "platform", "sandbox"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

MARKUP = str.maketrans("", "", "*_~`")
"""What WhatsApp's own markup may take as its own: `id` in a text is shown as code."""


async def test_ssti_inbound_on_the_phone_page(phone: OpenPage, platform: Platform) -> None:
    texts = [text for text in TEXTS.values() if "\0" not in text and "\x1b" not in text]  # which HTML cannot show
    for text in texts:
        await platform.write(text, name="<b>Ana</b> {{7*7}}")
        await platform.send(text=text)
    await platform.write("{{7*7}}<img src=x>", contact=BRUNO, name="<img src=x onerror=alert(1)>")
    rows = [row["text"] for row in await platform.messages()]
    assert rows[:-1] == [text for text in texts for _ in range(2)]

    page = await phone()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await open_chat(page)
    bubbles = page.get_by_test_id("bubble")
    await expect(bubbles).to_have_count(2 * len(texts))
    shown = [one_line(text).translate(MARKUP) for text in await bubbles.all_text_contents()]
    for text, bubble in zip([text for text in texts for _ in range(2)], shown, strict=True):
        assert one_line(text).translate(MARKUP) in bubble
    assert await bubbles.locator("img, script, iframe, b").count() == 0
    chats = page.get_by_test_id("chat")
    assert any("<img src=x onerror=alert(1)>" in text for text in await chats.all_text_contents())
    assert await chats.locator("img, script, b").count() == 0
    assert dialogs == []
