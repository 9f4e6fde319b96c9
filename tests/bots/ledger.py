"""A bot whose answers and state show whether an event was lost, run twice or out of turn: two answers an event, a count and a digest.

A text "probe NAME" or "hold NAME" is a gate: each run appends its process id to the file NAME in the directory PILOTBOT_TEST_GATE and
waits until it may go on: a probe until a second run began, so that the first is there to be killed or frozen; a hold until the file
NAME.<n> is there, n counting runs from 1. That it waits no more is told by the file NAME.<n>.over.

PILOTBOT_TEST_SABOTAGE names guards to be taken away from this process (tests/chaos/sabotage.py).
"""

import asyncio
import os
from hashlib import sha256
from pathlib import Path

from pilotbot import Bot, Context, State

GATE = Path(os.environ.get("PILOTBOT_TEST_GATE", "."))
GATES = ("probe", "hold")

if names := os.environ.get("PILOTBOT_TEST_SABOTAGE"):
    from tests.chaos import sabotage

    sabotage.apply(names)

bot = Bot("ledger")


class Ledger(State, name="ledger"):
    count: int = 0
    digest: str = ""


@bot.message()
async def enter(ctx: Context, ledger: Ledger) -> None:
    text = ctx.text or ""
    count, digest = ledger.count, ledger.digest
    await asyncio.sleep(0.005)  # long enough for two processes to get in each other's way
    if text.startswith(GATES):
        await _gate(*text.split())
    ledger.count = count + 1
    ledger.digest = chained(digest, text)
    await ctx.reply(f"{ledger.count}.1: {text}")
    await ctx.reply(f"{ledger.count}.2: {text}")


def chained(digest: str, text: str) -> str:
    """What stands for all texts so far, and their order."""
    return sha256(f"{digest}\0{text}".encode()).hexdigest()[:16]


async def _gate(word: str, name: str) -> None:
    runs = GATE / name
    with runs.open("a") as told:
        told.write(f"{os.getpid()}\n")
    mine = len(runs.read_text().splitlines())
    try:
        while not (GATE / f"{name}.{mine}").exists():
            if word == "probe" and len(runs.read_text().splitlines()) > 1:
                return
            await asyncio.sleep(0.01)
    finally:
        (GATE / f"{name}.{mine}.over").touch()
