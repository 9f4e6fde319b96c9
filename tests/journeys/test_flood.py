"""Back-pressure: who writes too much is told to come again, alone; nothing is lost by it, and others are answered meanwhile."""

import asyncio
from collections.abc import Callable

import pytest

from pilotbot import Bot, Context
from pilotbot.contacts import canonical
from pilotbot.server import Runtime
from tests.stage import ANA, BRUNO, Row, Stage, wire

CAROL = "+5531987650003"


class Gated:
    """A bot that answers everybody at once but Ana, whose handlers wait for the gate: so her mailbox fills up."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.bot = Bot("gated")

        @self.bot.message()
        async def answer(ctx: Context) -> None:
            if ctx.contact.phone == ANA:
                await self.gate.wait()
            await ctx.reply(f"You said {ctx.text}")


@pytest.fixture
def gated() -> Gated:
    return Gated()


def waiting(runtime: Runtime) -> Callable[[int], Callable[[], object]]:
    """Whether so many of Ana's events wait."""
    key = runtime.engine.keys.chat("main", canonical(ANA))

    def of(count: int) -> Callable[[], object]:
        async def look() -> bool:
            return (await runtime.engine.chat(key)).waiting_events == count

        return look

    return of


def texts(rows: list[Row]) -> list[str]:
    return [row["text"] for row in rows]


async def refused(stage: Stage, runtime: Runtime, name: str, code: str, *, contact: str = ANA) -> None:
    """One more event of a contact is answered 503 with that code, and when to come again."""
    status, body, headers = await stage.deliver(runtime.url, wire(name, name, contact=contact))
    assert (status, body["code"]) == (503, code)
    assert int(headers["Retry-After"]) > 0


async def test_a_contact_that_floods_is_refused_alone_and_all_it_wrote_is_handled_in_order(stage: Stage, gated: Gated) -> None:
    runtime = await stage.work(gated.bot, contact_per_second=0.01, contact_burst=5)
    said = [f"message {n}" for n in range(12)]
    for text in said:
        await stage.says(text)
    await stage.until(waiting(runtime)(6), "as many as may come at once to wait")  # a burst, and the one that is due now
    await stage.counted(runtime, "refused:flood", 6)
    await refused(stage, runtime, "never taken in", "FLOOD")
    await stage.says("hello", contact=BRUNO)
    assert texts(await stage.sees(1, contact=BRUNO)) == ["You said hello"]
    await stage.travel("20m")
    await stage.until(waiting(runtime)(12), "what was refused to come again")
    gated.gate.set()
    assert texts(await stage.sees(12)) == [f"You said {text}" for text in said]


async def test_a_chat_that_is_full_is_refused_alone_and_nothing_is_lost(stage: Stage, gated: Gated) -> None:
    runtime = await stage.work(gated.bot, chat_waiting_most=3)
    for n in range(5):
        await stage.says(f"message {n}")
    await stage.until(waiting(runtime)(3), "the chat to be full")
    await stage.counted(runtime, "refused:full", 2)
    await refused(stage, runtime, "never taken in", "FULL")
    await stage.says("hello", contact=BRUNO)
    assert texts(await stage.sees(1, contact=BRUNO)) == ["You said hello"]
    gated.gate.set()
    answers = texts(await stage.sees(5))
    assert answers[:3] == [f"You said message {n}" for n in range(3)]
    assert sorted(answers) == [f"You said message {n}" for n in range(5)]  # those that were refused come when they come


async def test_above_the_high_water_mark_everybody_is_refused_until_some_are_done(stage: Stage, gated: Gated) -> None:
    runtime = await stage.work(gated.bot, api_key="ps_sandbox_evolution", number_kind="evolution_v2", waiting_most=100, shards=1)
    for n in range(100):
        assert (await stage.deliver(runtime.url, wire(f"a{n}", f"message {n}")))[0] == 200
    await refused(stage, runtime, "a100", "BUSY")
    for contact in (BRUNO, CAROL):
        await refused(stage, runtime, f"hello{contact[-1]}", "BUSY", contact=contact)
    assert (await stage.deliver(runtime.url, wire("a7", "message 7")))[0] == 200, "what is kept already is answered so"
    gated.gate.set()
    await stage.sees(100)
    assert (await stage.deliver(runtime.url, wire("hello2", "hello", contact=BRUNO)))[0] == 200
    assert texts(await stage.sees(1, contact=BRUNO)) == ["You said hello"]
