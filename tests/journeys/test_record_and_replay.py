"""A conversation that was had is written down without anybody's data, and played again it is as it was."""

from pathlib import Path

import pytest

from bots import faq, orders
from pilotbot import Bot
from pilotbot.replies import Template
from pilotbot.settings import NumberKind
from pilotbot.testing import Platform
from pilotbot.testing.chatfile import parse
from pilotbot.testing.play import play
from pilotbot.testing.report import told

PHONE, NAME, EMAIL, CPF = "+5521964738291", "Mariana Albuquerque", "mari.albuquerque@empresa.com.br", "390.533.447-05"
PERSONAL = ("Mariana", "Albuquerque", "mari", "964738291", "96473", "390.533", "39053344705", "empresa")


async def replayed(text: str, bot: Bot) -> str:
    """What is otherwise when a file is played; empty where nothing is."""
    return told(await play(parse(text, Path("kept.chat")), bot))


def nothing_personal(text: str) -> bool:
    return not any(part.casefold() in text.casefold() for part in PERSONAL)


async def test_an_order_over_two_days() -> None:
    async with Platform(orders.bot) as pilot:
        mariana = pilot.phone(PHONE, name=NAME)
        await mariana.says(f"Oi, sou a Mariana, CPF {CPF}, {EMAIL}. Cadê meu pedido?")
        assert mariana.sees("Hi Mariana, order 4242")
        await mariana.taps("Track")
        await pilot.travel(hours=23)
        await pilot.notify(mariana, "Chegou, Mariana Albuquerque?", options=["Sim", "Não"])
        await pilot.travel(hours=2)
        await pilot.notify(mariana, "Chegou?", template=Template("follow_up"))
        assert mariana.last.mode == "template"
        await mariana.says("4312\n\n/quando?")
        await mariana.says("tap dancing")
        text = await pilot.chat_file(mariana)
    assert nothing_personal(text), text
    assert "> tap Track" in text
    assert '... 23h\n\n! notify "Chegou, Ana?"   [Sim] [Não]\n< Chegou, {contact.name}?   [Sim] [Não]\n' in text
    assert '... 2h\n\n! notify "Hello again! Is there anything else we can do for you?" template follow_up\n< template follow_up\n' in text
    assert "< Hi {contact.name}, order 4242 is out for delivery / saiu para entrega.   [Track] [Talk to a person]" in text
    assert await replayed(text, orders.bot) == ""


async def test_a_wrong_bot_is_found_by_what_was_kept() -> None:
    async with Platform(orders.bot) as pilot:
        mariana = pilot.phone(PHONE, name=NAME)
        await mariana.says("order")
        text = await pilot.chat_file(mariana)
    assert "answered otherwise" in await replayed(text, faq.bot)


async def test_quotes_files_places_cards_and_reactions() -> None:
    async with Platform(faq.bot) as pilot:
        mariana = pilot.phone(PHONE, name=NAME)
        await mariana.says("hi")
        await mariana.says("payment")
        await mariana.quotes("*Pix*", "and the delivery?")
        await mariana.reacts("👍", quoted="*Pix*")
        await mariana.sends_photo(caption=f'"{EMAIL}" {{x}} *')
        await mariana.sends_location(-23.561414, -46.655881, name="Albuquerque & Filhos")
        await mariana.sends_contacts(("Beto Siqueira", "+5531987651234"))
        text = await pilot.chat_file(mariana)
    assert nothing_personal(text), text
    assert "Siqueira" not in text
    assert "1234" not in text
    assert "23.5614" not in text
    for line in ('> /quote "We take Pix', '> /react 👍 "', "> /image * ", "> /location -23.56 -46.66", "> /card Bia +5511987650002"):
        assert line in text, text
    assert await replayed(text, faq.bot) == ""


@pytest.mark.parametrize("kind", ["evolution_v2", "evolution_go"])
async def test_on_other_kinds_of_number(kind: NumberKind) -> None:
    async with Platform(orders.bot, numbers=[kind]) as pilot:
        mariana = pilot.phone(PHONE, name=NAME)
        await mariana.says("pedido")
        await pilot.travel(days=9)
        await mariana.says("Track")
        text = await pilot.chat_file(mariana)
    assert f"number: {kind}\n" in text
    assert "... 9d" in text
    assert nothing_personal(text), text
    assert await replayed(text, orders.bot) == ""
