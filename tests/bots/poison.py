"""A bot that counts a chat's messages, and that some of them harm: "die" ends its process, "block" holds up its event loop.

"slow" waits for a file called `open` in the directory PILOTBOT_TEST_GATE; each "block" adds a line to `blocked` there.
"""

import asyncio
import os
import time
from pathlib import Path

from pilotbot import Bot, Context, State

GATE = Path(os.environ["PILOTBOT_TEST_GATE"])
BLOCK = float(os.environ.get("PILOTBOT_TEST_BLOCK", "0"))  # seconds
bot = Bot("poison")


class Seen(State, name="seen_poison"):
    count: int = 0


@bot.message()
async def count(ctx: Context, seen: Seen) -> None:
    seen.count += 1
    if ctx.text == "die":
        os._exit(9)
    if ctx.text == "block":
        with (GATE / "blocked").open("a") as blocked:
            blocked.write(f"{os.getpid()}\n")
        time.sleep(BLOCK)  # noqa: ASYNC251 - that is the harm
    while ctx.text == "slow" and not (GATE / "open").exists():  # noqa: ASYNC110 - the test opens it
        await asyncio.sleep(0.01)
    await ctx.reply(f"{seen.count}: {ctx.text}")
