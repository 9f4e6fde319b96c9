"""A bot that counts a chat's messages, slowly enough for two processes to get in each other's way."""

import asyncio

from pilotbot import Bot, Context, State

bot = Bot("counter")


class Seen(State, name="seen_counter"):
    count: int = 0


@bot.message()
async def count(ctx: Context, seen: Seen) -> None:
    before = seen.count
    await asyncio.sleep(0.005)
    seen.count = before + 1
    await ctx.reply(f"{seen.count}: {ctx.text}")
