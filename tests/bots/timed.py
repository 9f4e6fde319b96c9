"""A bot that counts the seconds, each in a run of a schedule; it takes its time before it moves the schedule on, or after it."""

import asyncio
import os
from pathlib import Path

from pilotbot import Bot, Context, ScheduledRun, State, seconds
from pilotbot.engine.schedules import Schedules, Stored

bot = Bot("timed")
move = Schedules.move


async def slowly(self: Schedules, name: str, before: Stored | None, after: Stored | None) -> bool:
    if before is None or after is None or not after.next:
        return await move(self, name, before, after)
    moved = await move(self, name, before, after) if after.next // 1000 % 2 else False
    with (Path(os.environ["PILOTBOT_TEST_GATE"]) / "between").open("a") as told:
        told.write(f"{os.getpid()}\n")
    await asyncio.sleep(0.3)
    return moved or await move(self, name, before, after)


Schedules.move = slowly  # type: ignore[method-assign]  # for processes to meet there, and to be killed there


class Seconds(State, name="seconds_timed"):
    count: int = 0


@bot.every(seconds(1), missed="run", name="seconds")
async def tell(ctx: Context, event: ScheduledRun, seen: Seconds) -> None:
    seen.count += 1
    await ctx.notify(f"+55119{event.due // 1000 % 10**8:08}", f"{seen.count}: {event.due}")  # to somebody else each time: one chat is paced
