"""Answers from a YAML file that a shop owner edits: `flows/faq.yaml`. Run it with `pilotbot dev bots/faq.py`, and write "delivery"."""

from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import BaseModel, Field

from pilotbot import Action, Bot, Context, Option, Router, exactly
from pilotbot.replies import fold

FILE = Path(__file__).parent.parent / "flows" / "faq.yaml"


class Entry(BaseModel, extra="forbid"):
    """One question: how people put it, and what we answer."""

    id: str
    title: str = Field(max_length=20)  # it is shown on a button
    ask: list[str] = Field(min_length=1)
    answer: str = Field(min_length=1)


class Faq(BaseModel, extra="forbid"):
    """The whole file; a mistake in it stops the start and says where it is."""

    faq: list[Entry] = Field(min_length=1)

    def best(self, text: str, *, at_least: float) -> list[Entry]:
        """Up to three entries that are put like `text`, the best first. `at_least` is 0 to 1."""
        ways = {fold(way): entry for entry in self.faq for way in (entry.title, *entry.ask)}
        asked = fold(text)
        inside = [entry for way, entry in ways.items() if f" {way} " in f" {asked} "]
        close = [ways[way] for way in get_close_matches(asked, ways, n=6, cutoff=at_least)]
        return list({entry.id: entry for entry in (*inside, *close)}.values())[:3]


class Ask(Action):
    """What a suggestion means."""

    entry: str


FAQ = Faq.model_validate(yaml.safe_load(FILE.read_text("utf-8")))
router = Router("faq")
bot = Bot("faq")
bot.include(router)


@router.tapped(Ask)
async def answer(ctx: Context, action: Ask) -> None:
    found = next((entry for entry in FAQ.faq if entry.id == action.entry), None)
    await ctx.reply(found.answer if found else "That answer is gone. / Essa resposta não existe mais.")


@router.message(exactly("hi", "hello", "help", "menu", "oi", "olá", "ajuda"))
async def menu(ctx: Context) -> None:
    await ctx.reply("What would you like to know? / O que você quer saber?", options=_options(FAQ.faq))


@router.unhandled()
async def look_up(ctx: Context) -> None:
    sure, maybe = FAQ.best(ctx.text, at_least=0.85), FAQ.best(ctx.text, at_least=0.5)
    if len(sure) == 1:
        await ctx.reply(sure[0].answer)
    elif maybe:
        await ctx.reply("Did you mean... / Você quis dizer...", options=_options(maybe))
    else:
        await menu(ctx)


def _options(entries: list[Entry]) -> list[Option]:
    return [Ask(entry=entry.id).option(entry.title) for entry in entries]
