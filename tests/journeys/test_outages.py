"""The platform is away, or refuses the number: the queue is kept in order, it is told, and nothing is sent again blindly."""

import asyncio
import logging
from typing import Any

import pytest

from pilotbot import Bot, Context
from pilotbot.server import Runtime
from tests.stage import ANA, BRUNO, Stage

REFUSALS = {
    "keyRevoked": "401: Check the API key: the platform does not accept it.",
    "disconnected": "409 WHATSAPP_INSTANCE_NOT_CONNECTED: Connect the number to WhatsApp again; the queue is kept.",
    "numberBlocked": "409 NUMBER_BLOCKED (extra_charge_unpaid): Settle what is due for this number in the dashboard; the queue is kept.",
}


def echo() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")

    return bot


async def readyz(stage: Stage, runtime: Runtime) -> dict[str, Any]:
    async with stage.http.get(f"{runtime.url}/readyz") as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING and record.name.endswith("sender")]


async def looked(stage: Stage, runtime: Runtime, counter: str, times: int) -> None:
    """Wait until the platform was tried so many times, and nothing is under way."""
    await stage.counted(runtime, counter, times)
    await stage.until(lambda: not runtime._sender.leases(), "what was under way to end")


@pytest.mark.parametrize("fault", ["http500", "dropBefore"])
async def test_a_platform_that_is_out_gets_few_posts_and_then_everything_in_order(stage: Stage, fault: str) -> None:
    runtime = await stage.work(echo())
    await stage.faults(**{fault: 1})
    contacts = [ANA, BRUNO, *(f"+55119876500{n}" for n in range(10, 18))]
    for number in range(3):
        await asyncio.gather(*(stage.says(str(number), contact=contact) for contact in contacts))
    await stage.until(lambda: runtime.counts["turn:ok"] == 3 * len(contacts), "all turns to be committed")
    await looked(stage, runtime, "paused:retry", 1)
    before = runtime.counts["post:retry"]
    for look in range(1, 4):
        await stage.travel("62s")
        await looked(stage, runtime, "paused:retry", 1 + look)
    assert runtime.counts["post:retry"] == before + 3  # a probe each
    assert (await readyz(stage, runtime))["numbers"].keys() == {"main"}
    await stage.faults(**{fault: 0})
    await stage.travel("62s")
    for contact in contacts:
        answers = await stage.sees(3, contact=contact)
        assert [row["text"] for row in answers] == [f"You said {number}" for number in range(3)]
    await stage.quiet(runtime)
    assert (await readyz(stage, runtime))["numbers"] == {}
    assert await runtime.engine.dead_letters() == []


@pytest.mark.parametrize("fault", list(REFUSALS))
async def test_a_refused_number_is_told_once_kept_and_looked_at_again(stage: Stage, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    runtime = await stage.work(echo())
    await stage.faults(**{fault: True})
    await stage.says("one")
    await looked(stage, runtime, "paused:blocked", 1)
    await stage.says("two")
    await stage.says("one", contact=BRUNO)
    await stage.until(lambda: runtime.counts["turn:ok"] == 3, "the other turns")
    for looks in (2, 3):
        shown = (await readyz(stage, runtime))["numbers"]
        assert {name: state["paused"] for name, state in shown.items()} == {"main": REFUSALS[fault]}
        assert shown["main"]["until"].endswith("Z")
        await stage.travel("62s")
        await looked(stage, runtime, "paused:blocked", looks)
    assert runtime.counts["post:blocked"] == 3
    await stage.faults(**{fault: False})
    await stage.travel("62s")
    assert [row["text"] for row in await stage.sees(2)] == ["You said one", "You said two"]
    assert [row["text"] for row in await stage.sees(1, contact=BRUNO)] == ["You said one"]
    await stage.quiet(runtime)
    assert told(caplog) == [f"number main pauses, in all processes; what waits is kept: {REFUSALS[fault]}", "number main sends again"]
    assert (await readyz(stage, runtime))["numbers"] == {}
    assert await runtime.engine.dead_letters() == []


async def test_a_process_that_sent_nothing_tells_of_the_pause_too(stage: Stage) -> None:
    runtime = await stage.work(echo())
    await stage.faults(keyRevoked=True)
    await stage.says("one")
    await looked(stage, runtime, "paused:blocked", 1)
    other = await stage.work(echo(), webhook=False)
    shown = (await readyz(stage, other))["numbers"]
    assert {name: state["paused"] for name, state in shown.items()} == {"main": REFUSALS["keyRevoked"]}
    assert other.counts["post:blocked"] == 0
    await stage.faults(keyRevoked=False)


@pytest.mark.parametrize("arrived", [True, False])
async def test_after_25_hours_a_message_of_unknown_outcome_is_decided_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    """Its answer was lost; then the platform was away. What arrived is found, what nobody saw is for a person: neither is sent again."""
    monkeypatch.setattr("pilotbot.server.sender.backoff", lambda *_, **__: 30.0)  # so that the outage begins before the next try
    runtime = await stage.work(echo())
    await stage.faults(**{"acceptThenDrop" if arrived else "dropBefore": {"next": 1}})
    await stage.says("one")
    await stage.counted(runtime, "post:retry", 1)
    await stage.faults(http500=1)
    for _ in range(5):
        await stage.travel("5h")
    posts = runtime.counts["post:retry"]
    assert posts >= 1
    await stage.faults(http500=0)
    await stage.travel("2m")
    await stage.quiet(runtime)
    assert sum(row["direction"] == "out" for row in await stage.rows(ANA)) == arrived
    assert [letter.reason for letter in await runtime.engine.dead_letters()] == ([] if arrived else ["unknown-outcome"])
    assert (runtime.counts["sent:free"], runtime.counts["post:retry"]) == (0, posts)  # found or given up, not posted
    await stage.says("two")
    assert (await stage.sees(1 + arrived))[-1]["text"] == "You said two"
