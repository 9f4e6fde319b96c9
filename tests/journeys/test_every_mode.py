"""Every kind of content on the wire: what the contact gets, and what comes back when they act on it."""

from pathlib import Path

import pytest

from pilotbot import (
    Action,
    Bot,
    Card,
    Carousel,
    Context,
    Deferred,
    Flow,
    Message,
    Option,
    Queued,
    Section,
    Template,
    copy_code,
    dial,
    exactly,
    image,
    link,
)
from tests.stage import ANA, Row, Stage

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


class ModesBuy(Action):
    plan: str


HELP = Message(
    "How can we help, {{ contact.first_name }}?",
    options=[Section("Orders", [ModesBuy(plan="list").option("Track", description="The last one")]), Section("Shop", ["Hours"])],
    list_button="Choose",
)
LINKS = Message("Here:", options=[link("Open", "https://example.com"), dial("Call", "+551140028922"), copy_code("Copy", "PROMO10")])
PLANS = Message("Our plans:", carousel=Carousel([
    Card("Small", image("https://example.com/1.jpg"), [ModesBuy(plan="small").option("Buy small"), link("See", "https://example.com")]),
    Card("Large", image("https://example.com/2.jpg"), [ModesBuy(plan="large").option("Buy large")]),
]))  # fmt: skip
BOOK = Message("When?", flow=Flow("400123", "Choose a day", data={"shop": "{{ contact.first_name }}"}), template=Template("follow_up"))
BOOK_ONLY = Message("When?", flow=Flow("400123", "Choose a day"))


def shop(photo: Path) -> Bot:
    bot = Bot("shop")
    file = image(photo, url="https://example.com/photo.png")

    @bot.tapped(ModesBuy)
    async def bought(ctx: Context, action: ModesBuy) -> None:
        await ctx.reply(f"Bought {action.plan}")

    for word, content in {"help": HELP, "links": LINKS, "plans": PLANS, "book": BOOK}.items():

        @bot.message(exactly(word))
        async def say(ctx: Context, content: Message = content) -> None:
            await ctx.reply(content)

    @bot.message(exactly("photo"))
    async def shows(ctx: Context) -> None:
        await ctx.reply("Look.", media=file)
        await ctx.reply("Which?", media=file, options=list("ABCD"))

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply(Message("*You* said {{ said }}"), said=ctx.text)

    return bot


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(PNG)
    return path


async def asked(stage: Stage, word: str, count: int = 1) -> list[Row]:
    await stage.says(word)
    return await stage.sees(count, settled=True)


async def test_a_list_with_sections_and_the_row_that_is_tapped(stage: Stage, photo: Path) -> None:
    await stage.work(shop(photo))
    (row,) = await asked(stage, "help")
    assert (row["mode"], row["text"], row["list"]["buttonText"]) == ("list", "How can we help, Ana?", "Choose")
    assert [(section["title"], [each["title"] for each in section["rows"]]) for section in row["list"]["sections"]] == [
        ("Orders", ["Track"]),
        ("Shop", ["Hours"]),
    ]
    assert row["list"]["sections"][0]["rows"][0]["description"] == "The last one"
    await stage.taps("Track", tapAs="interactive")
    assert (await stage.sees(2, settled=True))[-1]["text"] == "Bought list"


async def test_links(stage: Stage, photo: Path) -> None:
    await stage.work(shop(photo))
    (row,) = await asked(stage, "links")
    assert row["mode"] == "buttons"
    assert [(button["type"], button["label"]) for button in row["buttons"]] == [("url", "Open"), ("call", "Call"), ("copy", "Copy")]


async def test_a_carousel_and_the_card_that_is_tapped(stage: Stage, photo: Path) -> None:
    await stage.work(shop(photo))
    (row,) = await asked(stage, "plans")
    assert (row["mode"], [card["body"] for card in row["cards"]]) == ("carousel", ["Small", "Large"])
    await stage.taps("Buy large")
    assert (await stage.sees(2, settled=True))[-1]["text"] == "Bought large"


async def test_a_flow_goes_while_the_window_is_open_and_as_its_template_later(stage: Stage, photo: Path) -> None:
    bot = shop(photo)
    await stage.work(bot)
    (row,) = await asked(stage, "book")
    assert (row["mode"], row["text"]) == ("flow", "When?")
    await stage.travel("25h")
    assert isinstance(await bot.notify(ANA, BOOK_ONLY), Deferred)
    assert await bot.notify(ANA, BOOK) == Queued("template")
    assert (await stage.sees(2, settled=True))[-1]["mode"] == "template"


async def test_a_file_of_this_machine_goes_as_data_and_above_a_list_ahead(stage: Stage, photo: Path) -> None:
    await stage.work(shop(photo))
    caption, ahead, choices = await asked(stage, "photo", 3)
    assert (caption["mode"], caption["caption"], caption["media"][:22]) == ("media", "Look.", "data:image/png;base64,")
    assert (ahead["mode"], ahead["caption"]) == ("media", None)
    assert (choices["mode"], choices["text"]) == ("list", "Which?")
    assert choices["sentAt"] >= ahead["sentAt"]


async def test_marks_in_what_a_contact_wrote_do_not_format(stage: Stage, photo: Path) -> None:
    await stage.work(shop(photo))
    (row,) = await asked(stage, "*bold* _no_ https://example.com/_a_")
    assert row["text"] == "*You* said \u2217bold\u2217 \u02cdno\u02cd https://example.com/_a_"


async def test_a_number_without_lists_sends_numbered_text(stage: Stage, photo: Path) -> None:
    numbers = ({"name": "main", "id": "num_meta", "kind": "meta", "key": "ps_sandbox_number", "lists": False},)
    await stage.work(shop(photo), numbers=numbers)
    (row,) = await asked(stage, "help")
    assert (row["mode"], row["text"]) == ("text", "How can we help, Ana?\n\nOrders\n1. Track: The last one\n\nShop\n2. Hours")
    await stage.says("1")
    assert (await stage.sees(2, settled=True))[-1]["text"] == "Bought list"


def test_the_options_are_typed() -> None:
    assert HELP.options[0] == Section("Orders", [Option("Track", ModesBuy(plan="list"), "The last one")])
