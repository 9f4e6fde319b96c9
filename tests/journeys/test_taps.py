"""An option that is chosen, however it is chosen and however late, reaches its handler with its payload."""

import pytest

from pilotbot import Action, Bot, Context, File, Message, Received, Template, audio, image, words
from tests.stage import ANA, Row, Stage


class Follow(Action):
    order: str


class Paint(Action):
    colour: str


STATUS = Message("Order {{ order }} is on its way.", options=[Follow(order="{{ order }}").option("Já vou ver"), "Talk to a person"])
COLOURS = ["Red", "Green", "Blue", "A colour of my own choosing"]


def shop() -> Bot:
    bot = Bot("shop")

    @bot.tapped(Follow)
    async def follow(ctx: Context, action: Follow) -> None:
        await ctx.reply(f"Following {action.order}")

    @bot.tapped(Paint)
    async def paint(ctx: Context, action: Paint) -> None:
        await ctx.reply(f"Painting it {action.colour}")

    @bot.received(words("talk to a person"))
    async def person(ctx: Context) -> None:
        assert isinstance(ctx.event, Received)
        await ctx.reply(f"A person comes: {ctx.text}")

    @bot.received(words("colour"))
    async def colour(ctx: Context) -> None:
        await ctx.reply("Which colour?", options=[Paint(colour=each.lower()).option(each) for each in COLOURS])

    @bot.received(words("order"))
    async def order(ctx: Context) -> None:
        await ctx.reply(STATUS, order=ctx.text.split()[-1])

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply(f"No choice: {ctx.text}")

    return bot


async def offered(stage: Stage, *orders: str) -> list[Row]:
    """The status of these orders was sent and read. Returns the messages."""
    rows: list[Row] = []
    for count, order in enumerate(orders, 1):
        await stage.says(f"order {order}")
        rows = await stage.sees(count, settled=True)
    return rows


async def answer(stage: Stage) -> str:
    """The bot's answer to what the contact wrote last."""

    async def answered() -> list[Row]:
        rows = await stage.rows(ANA)
        last = max(index for index, row in enumerate(rows) if row["direction"] == "in")
        return rows[last + 1 :]

    (row,) = await stage.until(answered, "an answer")
    return str(row["text"])


@pytest.mark.parametrize("variant", ["reply", "received", "interactive", "buttonId"])
async def test_a_tap_brings_its_payload_whatever_the_wire_makes_of_it(stage: Stage, variant: str) -> None:
    await stage.work(shop())
    await offered(stage, "4242")
    await stage.taps("Já vou ver", tapAs=variant)
    assert await answer(stage) == "Following 4242"


@pytest.mark.parametrize("typed", ["Já vou ver", "JA VOU VER", "já vou ver!", "1", "1️⃣", "(1)", " 1. "])
async def test_its_label_or_its_number_can_be_typed(stage: Stage, typed: str) -> None:
    await stage.work(shop())
    await offered(stage, "4242")
    await stage.says(typed)
    assert await answer(stage) == "Following 4242"


@pytest.mark.parametrize("typed", ["3", "0", "12", "see", "1 2"])
async def test_what_was_not_offered_is_no_choice(stage: Stage, typed: str) -> None:
    await stage.work(shop())
    await offered(stage, "4242")
    await stage.says(typed)
    assert await answer(stage) == f"No choice: {typed}"


async def test_a_tap_on_an_old_message_means_that_message(stage: Stage) -> None:
    await stage.work(shop())
    rows = await offered(stage, *"123456789")
    await stage.travel("3d")
    await stage.taps("Já vou ver", quoted=rows[0]["messageId"])
    assert await answer(stage) == "Following 1"
    await stage.says("ja vou ver", quoted=rows[1]["messageId"])
    assert await answer(stage) == "Following 2"


@pytest.mark.parametrize("variant", ["reply", "received", "interactive", "buttonId"])
async def test_a_plain_option_comes_back_as_text_that_was_received(stage: Stage, variant: str) -> None:
    await stage.work(shop())
    await offered(stage, "4242")
    await stage.taps("Talk to a person", tapAs=variant)
    assert await answer(stage) == "A person comes: Talk to a person"


@pytest.mark.parametrize("chosen", ["4", "4️⃣", "a colour of my own choosing"])
async def test_more_than_buttons_hold_are_numbered_and_chosen_by_number_or_label(stage: Stage, chosen: str) -> None:
    await stage.work(shop())
    await stage.says("colour")
    (menu,) = await stage.sees(1)
    assert menu["text"] == "Which colour?\n\n1. Red\n2. Green\n3. Blue\n4. A colour of my own choosing"
    await stage.says(chosen)
    assert await answer(stage) == "Painting it a colour of my own choosing"


@pytest.mark.parametrize(("chosen", "meant"), [("1", "2"), ("2", "1"), ("Order 1 is on its way.", "1")])
async def test_a_label_with_two_meanings_is_asked_about_and_the_answer_settles_it(stage: Stage, chosen: str, meant: str) -> None:
    await stage.work(shop())
    await offered(stage, "1", "2")
    await stage.taps("Já vou ver", tapAs="received")
    asked = (await stage.sees(3, settled=True))[-1]
    assert asked["text"] == "Which one do you mean?"
    assert [row["label"] for row in asked["buttons"]] == ["Order 2 is on its way.", "Order 1 is on its way."]
    await stage.says(chosen)
    assert await answer(stage) == f"Following {meant}"


QUICK = {"body": {"text": "Order {{order}} is on its way."}, "buttons": [{"type": "QUICK_REPLY", "text": "Já vou ver"}]}


@pytest.mark.parametrize("variant", ["reply", "received", "interactive", "buttonId"])
@pytest.mark.parametrize("media", [None, audio("https://example.com/4242.ogg"), image("https://example.com/4242.jpg")])
async def test_a_tap_on_a_template_of_three_days_ago_brings_its_payload(stage: Stage, variant: str, media: File | None) -> None:
    """Also where the template stands for a content of several messages, of which only the last would have had the buttons."""
    await stage.api("POST", "/v1/templates", {"name": "on_its_way", "category": "UTILITY", "body": QUICK, "examples": {"order": "1"}})
    await stage.api("POST", "/sandbox/templates/on_its_way/approve", {})
    bot = shop()
    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    await stage.travel("25h")
    await bot.notify(ANA, STATUS, media=media, template=Template("on_its_way", order="4242"), order="4242")
    row = (await stage.sees(2, settled=True))[-1]
    assert (row["mode"], row["status"]) == ("template", "READ")
    await stage.travel("3d")
    await stage.taps("Já vou ver", tapAs=variant, quoted=row["messageId"])
    assert await answer(stage) == "Following 4242"


async def test_a_number_means_the_newest_menu(stage: Stage) -> None:
    await stage.work(shop())
    await offered(stage, "1", "2")
    await stage.says("1")
    assert await answer(stage) == "Following 2"
