"""Bots of the security tests."""

from pilotbot import Bot, Context


def counting() -> tuple[Bot, list[str]]:
    """A bot that answers what it reads with the same words, and the list of what it read."""
    bot, read = Bot("shop"), list[str]()

    @bot.message()
    async def echo(ctx: Context) -> None:
        read.append(ctx.text)
        await ctx.reply(ctx.text)

    return bot, read
