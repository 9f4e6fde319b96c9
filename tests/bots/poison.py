"""A bot that counts a chat's messages, and that some of them harm: "die" ends its process, "block" holds up its event loop.

"slow" takes a while; each "block" adds a line to the file `blocked` in the directory PILOTBOT_TEST_GATE.
"""

import asyncio
import os
import time
from pathlib import Path

from pilotbot import Bot, Context, State

GATE = Path(os.environ["PILOTBOT_TEST_GATE"])
BLOCK = float(os.environ.get("PILOTBOT_TEST_BLOCK", "0"))  # seconds
OTHERS = "PILOTBOT_TEST_UNTIL_TAKEN" in os.environ  # block until another process has begun the same, BLOCK at most
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
        begun = time.monotonic()
        time.sleep(min(BLOCK, 2))  # noqa: ASYNC251 - that is the harm
        while time.monotonic() < begun + BLOCK and not (OTHERS and len((GATE / "blocked").read_text().splitlines()) > 1):
            time.sleep(0.05)  # noqa: ASYNC251 - that is the harm
    if ctx.text == "slow":
        await asyncio.sleep(0.7)
    await ctx.reply(f"{seen.count}: {ctx.text}")
