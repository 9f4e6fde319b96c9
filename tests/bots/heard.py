"""A bot that counts a chat's messages and says of each what number it has and whether it came late; "quiet" messages are only counted.

PILOTBOT_TEST_SABOTAGE names guards to be taken away from this process (tests/chaos/sabotage_business.py).
"""

import asyncio
import os

from pilotbot import Bot, Context, State

if names := os.environ.get("PILOTBOT_TEST_SABOTAGE"):
    from tests.chaos import sabotage_business as sabotage

    sabotage.apply(names)

bot = Bot("heard")


class Heard(State, name="heard"):
    count: int = 0


@bot.message()
async def hear(ctx: Context, heard: Heard) -> None:
    before = heard.count
    await asyncio.sleep(0.005)  # long enough for two processes to get in each other's way
    heard.count = before + 1
    if not (ctx.text or "").startswith("quiet"):
        await ctx.reply(f"{heard.count}{' late' if ctx.late else ''}: {ctx.text}")
