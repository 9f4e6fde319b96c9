"""A bot that counts a chat's messages, and tells of each run of its handler: a line "<pid> <text>" in `runs` of PILOTBOT_TEST_GATE."""

import asyncio
import os
from pathlib import Path

from pilotbot import Bot, Context, State

GATE = Path(os.environ["PILOTBOT_TEST_GATE"])
bot = Bot("told")


class Seen(State, name="seen_told"):
    count: int = 0


@bot.message()
async def count(ctx: Context, seen: Seen) -> None:
    with (GATE / "runs").open("a") as runs:
        runs.write(f"{os.getpid()} {ctx.text}\n")
    before = seen.count
    await asyncio.sleep(0.05)  # long enough for a stop to find some of them at work
    seen.count = before + 1
    await ctx.reply(f"{seen.count}: {ctx.text}")
