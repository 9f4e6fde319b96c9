"""A conversation that was had with a bot becomes a file; the file passes with the same bot, and fails with one that says something else."""

from pathlib import Path

import pytest

from bots import orders
from pilotbot import Bot, Context, Template, has_media, image
from pilotbot.settings import NumberKind
from pilotbot.testing import Platform
from pilotbot.testing.chatfile import parse
from pilotbot.testing.play import play
from pilotbot.testing.report import told

MARIA = "+5521912345678"


async def passes(text: str, bot: Bot) -> None:
    outcome = await play(parse(text, Path("again.chat")), bot)
    assert told(outcome) == "", text
    assert outcome.passed


@pytest.mark.parametrize("kind", ["meta", "evolution_v2"])
async def test_a_conversation_about_orders(kind: NumberKind) -> None:
    async with Platform(orders.bot, numbers=[kind]) as pilot:
        maria = pilot.phone(MARIA, name="Maria Lima")
        await maria.says("Sou Maria Lima, CPF 390.533.447-05, maria@shop.com.br. Cadê meu pedido?")
        await maria.taps("Track")
        await maria.says("+55 21 91234-5678")  # whose end the bot takes for an order
        await pilot.travel(minutes=20)
        await maria.says("tap it, please")
        await maria.quotes("Parcel of order", "e o 4312?")
        await maria.sends_photo(caption="look, Maria")
        await maria.sends_location(-23.56123, -46.65512, name="Maria's home")
        await maria.sends_contacts(("José Dias", "+5585911112222"))
        await maria.reacts("👍", quoted="Parcel")
        await pilot.travel(hours=25)
        await pilot.notify(
            maria, "Order 4312 is here.", template=Template("order_status", order_id="4312", status="here"), options=["Thanks"]
        )
        await maria.says("a person, please")
        text = await pilot.chat_file(maria)
    for personal in ("Maria", "Lima", "390", "1234", "5678", "shop.com", "José", "911112222", "56123"):
        assert personal not in text
    assert "... 25h\n" in text
    assert ("template order_status" in text) == (kind == "meta")
    await passes(text, orders.bot)
    wrong = await play(parse(text.replace("Parcel of order 4242", "Parcel of order 4243")), orders.bot)
    assert "4242" in told(wrong)


def echo() -> Bot:
    """Says what it is told, in all that means something in a file."""
    bot = Bot("echo")

    @bot.message(has_media("image"))
    async def photo(ctx: Context) -> None:
        await ctx.reply("nothing\n\n*2* {x} [y] \\n", media=image("https://shop.example/a.png"))

    @bot.message()
    async def says(ctx: Context) -> None:
        await ctx.reply(f'"{ctx.text}" said {ctx.contact.name}', options=["[a] \\", "image *", '"tap" {me}'])
        await ctx.reply("template")
        await ctx.reply("  two\n   blanks   [No] [Option]")

    return bot


@pytest.mark.parametrize(
    "text", ["/help", '"so" it is', "tap it", "2*3 {x} [y] \\n", "a\n\n  b\n\\", "nothing", "# > < | ! @ ...", "[x]   [y]"]
)
async def test_whatever_is_said(text: str) -> None:
    async with Platform(echo()) as pilot:
        maria = pilot.phone(MARIA, name="Maria")
        await maria.says(text)
        await maria.taps('"tap" {me}')
        await maria.quotes('"*said*', text)
        await maria.sends_photo(caption=text)
        recorded = await pilot.chat_file(maria)
    assert "> tap" in recorded
    await passes(recorded, echo())


async def test_a_group() -> None:
    async with Platform(group(), numbers=["evolution_v2"]) as pilot:
        team = pilot.group("120363000000000777@g.us", name="Team")
        await pilot.phone(MARIA, name="Maria Lima").says("I am in", to=team)
        await pilot.phone("+5585911112222", name="Zeca").says("so am I", to=team)
        text = await pilot.chat_file(team)
    assert "< Hi {contact.name}" in text
    assert "Maria" not in text
    assert "0777" not in text
    await passes(text, group())


def group() -> Bot:
    bot = Bot("group")

    @bot.group()
    async def says(ctx: Context) -> None:
        await ctx.reply(f"Hi {ctx.contact.name}, {ctx.contact.first_name}")

    return bot
