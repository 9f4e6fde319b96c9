"""A template from its definition to the customer: pushed, approved, sent in their language; paused, and what is told of it."""

from pathlib import Path
from typing import Any

import pytest

from pilotbot import Bot, Context, Message, Policy, Queued, Skipped, Template
from pilotbot.context import Contact
from pilotbot.platform import PilotStatus
from pilotbot.replies.drift import plan
from pilotbot.server import Runtime
from pilotbot.server.templates import Watch, read_folder
from tests.stage import ANA, BRUNO, Row, Stage

FILE = """\
name: shipped
category: UTILITY
languages:
  pt_BR:
    body: Seu pedido {{order}} saiu, obrigado.
  en:
    body: Your order {{order}} is out, thank you.
examples: {order: "4242"}
"""
SHIPPED = Message("Order {{ order }} is out.", template=Template("shipped", order="{{ order }}"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "templates"
    place.mkdir()
    (place / "shipped.yaml").write_text(FILE, "utf-8")
    return place


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await ctx.reply("noted")

    return bot


async def push(stage: Stage, place: Path) -> list[str]:
    """As `pilotbot templates push` does."""
    catalogue, flaws = read_folder(place)
    assert flaws == []
    async with PilotStatus(stage.sandbox.url, api_key="ps_sandbox_number") as client:
        steps = [step for step in plan(catalogue, await client.templates()) if step.what != "same"]
        for step in steps:
            body, more = step.wording.components(), {"language": step.language, "examples": step.definition.examples}
            if step.id is None:
                await client.create_template(step.name, category=step.definition.category, body=body, **more)  # type: ignore[arg-type]
            else:
                await client.update_template(step.id, body=body, **more)  # type: ignore[arg-type]
    return [step.name for step in steps]


async def judge(stage: Stage, name: str, verdict: str) -> None:
    await stage.api("POST", f"/sandbox/templates/{name}/{verdict}", {})


async def readyz(stage: Stage, runtime: Runtime) -> Row:
    async with stage.http.get(f"{runtime.url}/readyz") as answer:
        assert answer.status == 200
        found: Row = await answer.json()
        return found


async def told(stage: Stage, runtime: Runtime) -> str:
    """What /readyz says of the platform, after a look: the hourly one is not waited for."""
    await runtime._watch.look()
    return str((await readyz(stage, runtime))["remote"]["main"])


async def say(bot: Bot, who: str, language: str | None) -> None:
    await bot.notify(Contact(who, language=language), SHIPPED, order="4242")


def seen(rows: list[Row]) -> list[tuple[Any, Any]]:
    return [(row["template"], row["text"]) for row in rows]


async def test_pushed_approved_and_sent_in_each_contacts_language(stage: Stage, place: Path) -> None:
    assert await push(stage, place) == ["shipped", "shipped_en"]
    for name in ("shipped", "shipped_en"):
        await judge(stage, name, "approve")
    bot = shop()
    runtime = await stage.work(bot, templates_dir=place, language="pt_BR")
    assert await told(stage, runtime) == "ok"
    await say(bot, ANA, "en_US")
    await say(bot, BRUNO, "de")
    assert seen(await stage.sees(1)) == [("shipped_en", "Your order 4242 is out, thank you.")]
    assert seen(await stage.sees(1, contact=BRUNO)) == [("shipped", "Seu pedido 4242 saiu, obrigado.")]


async def test_a_language_that_waits_for_approval_is_passed_over_until_it_has_it(stage: Stage, place: Path) -> None:
    await push(stage, place)
    await judge(stage, "shipped", "approve")
    bot = shop()
    runtime = await stage.work(bot, templates_dir=place)
    assert await told(stage, runtime) == "ok"
    await say(bot, ANA, "en")
    await stage.sees(1)
    await judge(stage, "shipped_en", "approve")
    assert await told(stage, runtime) == "ok"
    await say(bot, ANA, "en")
    assert [name for name, _ in seen(await stage.sees(2))] == ["shipped", "shipped_en"]


async def test_a_paused_template_is_told_before_a_customer_notices_and_so_is_its_recovery(
    stage: Stage, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await push(stage, place)
    bot = shop()
    runtime = await stage.work(bot, templates_dir=place)
    pending = "template shipped: the platform says it is not sendable (PENDING)"
    assert await told(stage, runtime) == pending
    assert await told(stage, runtime) == pending
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [f"number main: {pending}"]
    assert (await readyz(stage, runtime))["counts"]["template:trouble"] == 1

    await judge(stage, "shipped", "approve")
    assert await told(stage, runtime) == "ok"
    assert caplog.records[-1].getMessage() == "number main: template shipped can be sent again"
    await judge(stage, "shipped", "disable")
    assert await told(stage, runtime) == "template shipped: the platform says it is not sendable (DISABLED)"


async def test_a_new_version_that_needs_more_is_told(stage: Stage, place: Path) -> None:
    await push(stage, place)
    (place / "shipped.yaml").write_text(FILE.replace("saiu,", "saiu {{day}},").replace('"4242"', '"4242", day: hoje'), "utf-8")
    assert await push(stage, place) == ["shipped"]
    await judge(stage, "shipped", "approve")
    runtime = await stage.work(shop(), templates_dir=place)
    assert await told(stage, runtime) == "template shipped: its approved text needs day, which the bot does not fill in"


async def test_a_turns_notices_and_the_language_that_a_contact_writes_in_count_too(stage: Stage, place: Path) -> None:
    await push(stage, place)
    for name in ("shipped", "shipped_en"):
        await judge(stage, name, "approve")
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await ctx.notify(Contact(BRUNO, language="en"), SHIPPED, order="1")
        await ctx.reply("noted")

    runtime = await stage.work(bot, templates_dir=place)
    await told(stage, runtime)
    await stage.says("hello there, how are you? where is my order please")
    assert [name for name, _ in seen(await stage.sees(1, contact=BRUNO))] == ["shipped_en"]
    await stage.travel("25h")
    await bot.notify(ANA, SHIPPED, order="2")  # who wrote in English
    assert [row["template"] for row in await stage.sees(2)] == [None, "shipped_en"]


async def test_after_a_restart_what_was_last_known_holds_until_the_platform_answers(
    stage: Stage, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await push(stage, place)
    for name in ("shipped", "shipped_en"):
        await judge(stage, name, "approve")
    bot = shop()
    async with stage.at_work(bot, templates_dir=place) as runtime:
        assert await told(stage, runtime) == "ok"

    async def unanswered(_: Watch) -> None:
        """As while the platform takes its time."""

    monkeypatch.setattr(Watch, "look", unanswered)
    await stage.work(bot, templates_dir=place)
    await say(bot, ANA, "en")
    assert [name for name, _ in seen(await stage.sees(1))] == ["shipped_en"]


async def test_a_template_of_marketing_needs_an_opt_in_whoever_sends_it(stage: Stage, place: Path) -> None:
    text = "name: sale\ncategory: MARKETING\nlanguage: en\nbody: The sale of {{what}} begins today.\nexamples: {what: shoes}\n"
    (place / "sale.yaml").write_text(text, "utf-8")
    await push(stage, place)
    await judge(stage, "sale", "approve")
    bot = shop()
    await stage.work(bot, templates_dir=place)
    sale = Message(template=Template("sale", what="shoes"))
    assert isinstance(await bot.notify(ANA, sale), Skipped)
    assert isinstance(await bot.notify(ANA, sale, policy=Policy(purpose="utility")), Queued)  # who says so answers for it
    await bot.opt_in(ANA, "a form", purpose="marketing")
    assert isinstance(await bot.notify(ANA, sale), Queued)
    await bot.opt_out(ANA, "a call", purpose="marketing")
    assert isinstance(await bot.notify(ANA, sale), Skipped)
    assert len(await stage.sees(2, settled=True)) == 2
