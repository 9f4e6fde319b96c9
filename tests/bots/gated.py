"""A bot that counts a chat's messages; each handler first tells that it began, and waits until it may go on.

Both by files in the directory PILOTBOT_TEST_GATE: lines in `begun`, the existence of `open`.
"""

import asyncio
import os
from pathlib import Path

from pilotbot import Bot, Context, State

GATE = Path(os.environ["PILOTBOT_TEST_GATE"])
bot = Bot("gated")


class Seen(State, name="seen_gated"):
    count: int = 0


@bot.message()
async def count(ctx: Context, seen: Seen) -> None:
    seen.count += 1
    with (GATE / "begun").open("a") as begun:
        begun.write(f"{ctx.text}\n")
    while not (GATE / "open").exists():  # noqa: ASYNC110 - another process opens it
        await asyncio.sleep(0.01)
    await ctx.reply(f"{seen.count}: {ctx.text}")
