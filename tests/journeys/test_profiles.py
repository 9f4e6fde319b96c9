"""What a bot knows of a contact: the language they write, or that was set; time zone; tags; kept with the turn, heeded from then on."""

import pytest

from pilotbot import Bot, Context, tagged, words
from pilotbot.testing import Platform


def clerk() -> Bot:
    bot = Bot("clerk")

    @bot.message(words("english"))
    async def english(ctx: Context) -> None:
        ctx.set_language("en-us")
        ctx.set_timezone("America/Manaus")

    @bot.message(words("join"))
    async def join(ctx: Context) -> None:
        ctx.tag("vip")
        ctx.tag("new")
        ctx.untag("new")

    @bot.message(words("leave"))
    async def leave(ctx: Context) -> None:
        ctx.untag("vip")

    @bot.message(words("fail"))
    async def fail(ctx: Context) -> None:
        ctx.tag("failed")
        raise LookupError

    @bot.error(LookupError)
    async def failed(ctx: Context) -> None:
        ctx.tag("sorry")

    @bot.message(tagged("vip", "gold"))
    async def vip(ctx: Context) -> None:
        await ctx.reply(f"vip {ctx.contact.language}")

    @bot.message()
    async def other(ctx: Context) -> None:
        contact = ctx.contact
        await ctx.reply(f"{contact.language} {contact.timezone} {sorted(contact.tags)}")

    @bot.group()
    async def group(ctx: Context) -> None:
        with pytest.raises(ValueError, match="are a contact's"):
            ctx.tag("vip")

    return bot


async def test_the_country_says_until_they_write_and_what_was_set_holds() -> None:
    async with Platform(clerk()) as pilot:
        ana = pilot.phone("+5511987650001")
        for said, known in (("?", "pt None []"), ("hola", "es None []"), ("hello", "es None []")):
            await ana.says(said)
            assert ana.sees(known)
        await ana.says("english")
        await ana.says("bom dia")
        assert ana.sees("en_US America/Manaus []")


async def test_tags_are_put_on_taken_away_and_asked_for() -> None:
    async with Platform(clerk()) as pilot:
        ana = pilot.phone("+5511987650001")
        for said, answer in (("join", None), ("hello", "vip en"), ("leave", None), ("?", "en None []")):
            await ana.says(said)
            assert answer is None or ana.sees(answer)


async def test_what_a_failed_handler_noted_is_dropped() -> None:
    async with Platform(clerk()) as pilot:
        ana = pilot.phone("+5511987650001")
        await ana.says("fail")
        await ana.says("?")
        assert ana.sees("['sorry']")


async def test_a_group_has_none() -> None:
    async with Platform(clerk()) as pilot:
        ana = pilot.phone("+5511987650001")
        await ana.says("hello", to=pilot.group())
