"""What a contact decided is looked up once for each chat, and is known to it from then on, whoever enters it when."""

from typing import Any

import pytest

from pilotbot import Bot, Context
from pilotbot.contacts import canonical
from pilotbot.engine import ChatKey, Decision, Marks
from pilotbot.engine.consent import Consent
from pilotbot.server import Runtime
from tests.stage import ANA, BRUNO, Stage


def bot() -> Bot:
    made = Bot("shop")

    @made.message()
    async def answer(ctx: Context) -> None:
        await ctx.reply("opted out" if ctx.opted_out else "nothing known")

    return made


@pytest.fixture
async def runtime(stage: Stage) -> Runtime:
    return await stage.work(bot())


def looked_up(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[ChatKey]:
    """Whose decisions are looked up from now on."""
    found: list[ChatKey] = []
    consent = runtime.engine.consent

    async def noted(person: ChatKey) -> Marks:
        found.append(person)
        return await consent(person)

    monkeypatch.setattr(runtime.engine, "consent", noted)
    return found


def opts_out(runtime: Runtime, contact: str, at: int) -> Decision:
    keys, who = runtime.engine.keys, canonical(contact)
    return Decision(
        person=keys.person(who), chats=(keys.chat("main", who),), entry=Consent(what="out", at=at, source="command", evidence="a note")
    )


async def said(stage: Stage, contact: str, count: int) -> Any:
    await stage.says("hello", contact=contact)
    return (await stage.sees(count, contact=contact))[-1]["text"]


async def test_it_is_looked_up_once_where_nothing_is_known(stage: Stage, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_up(runtime, monkeypatch)
    for count in (1, 2, 3):
        assert await said(stage, ANA, count) == "nothing known"
    assert len(found) == 1
    assert await said(stage, BRUNO, 1) == "nothing known"
    assert len(found) == 2


async def test_a_decision_counts_before_and_after_it_was_looked_up(stage: Stage, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_up(runtime, monkeypatch)
    now = (await runtime.engine.chat(runtime.engine.keys.chat("main", canonical(ANA)))).now
    await runtime.engine.decide(opts_out(runtime, BRUNO, now))
    assert await said(stage, BRUNO, 1) == "opted out"
    assert await said(stage, ANA, 1) == "nothing known"
    await runtime.engine.decide(opts_out(runtime, ANA, now + 1))
    assert await said(stage, ANA, 2) == "opted out"
    assert len(found) == 1, "what is known to a chat is not looked up"
