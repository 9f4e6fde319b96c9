"""An option is meant in many ways, and always comes back as the same typed answer; what is not clear is asked about."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pilotbot import Action, Bot, Context, words
from tests.journeys.test_taps import answer
from tests.stage import ANA, Stage, wire


class Desk(Action):
    """Where to go on."""

    name: str


LABELS = {"Acompanhar pedido": "track", "Segunda via": "copy", "Falar com alguém": "person"}


def helpdesk() -> Bot:
    bot = Bot("helpdesk")

    @bot.tapped(Desk)
    async def chosen(ctx: Context, action: Desk) -> None:
        await ctx.reply(f"Desk: {action.name}")

    @bot.received(words("oi"))
    async def menu(ctx: Context) -> None:
        await ctx.reply("Como podemos ajudar?", options=[Desk(name=name).option(label) for label, name in LABELS.items()])

    @bot.received(words("dias"))
    async def days(ctx: Context) -> None:
        await ctx.reply("Que dia?", options=["Segunda-feira", "Terça-feira", "Sexta-feira"])

    @bot.received(words("quantos"))
    async def how_many(ctx: Context) -> None:
        await ctx.reply("Quantos são?", options=["2 pessoas", "4 pessoas", "6 pessoas"])

    @bot.unhandled()
    async def other(ctx: Context) -> None:
        await ctx.reply(f"Texto: {ctx.text}")

    return bot


@pytest.mark.parametrize(
    ("typed", "desk"),
    [
        ("3", "person"), ("3️⃣", "person"), ("três", "person"), ("number two", "copy"), ("the third one", "person"),
        ("última", "person"),
        ("primeiro", "track"), ("la tercera", "person"), ("FALAR COM ALGUEM", "person"), ("falar com algem", "person"),
        ("alguém", "person"),        ("acompanhr pedido", "track"), ("quero falar com alguém", "person"), ("segunda via", "copy"),
    ],
)  # fmt: skip
async def test_every_way_to_mean_it_brings_the_same_action(stage: Stage, typed: str, desk: str) -> None:
    await stage.work(helpdesk())
    await stage.says("oi")
    await stage.sees(1)
    await stage.says(typed)
    assert await answer(stage) == f"Desk: {desk}"


@pytest.mark.parametrize(
    "typed",
    ["onde está meu pedido?", "comprei 2 pedidos", "não quero falar com alguém", "um momento", "falei com alguém ontem", "2 por favor"],
)
async def test_a_sentence_is_no_choice(stage: Stage, typed: str) -> None:
    await stage.work(helpdesk())
    await stage.says("oi")
    await stage.sees(1)
    await stage.says(typed)
    assert await answer(stage) == f"Texto: {typed}"


@pytest.mark.parametrize(
    ("opener", "typed", "asked", "then", "meant"),
    [
        ("dias", "feira", ["Segunda-feira", "Terça-feira", "Sexta-feira"], "Terça-feira", "Texto: Terça-feira"),
        ("quantos", "2", ["4 pessoas", "2 pessoas"], "2 pessoas", "Texto: 2 pessoas"),
        ("quantos", "pessoas", ["2 pessoas", "4 pessoas", "6 pessoas"], "6 pessoas", "Texto: 6 pessoas"),
    ],
)  # fmt: skip
async def test_what_may_mean_several_is_asked_about(stage: Stage, opener: str, typed: str, asked: list[str], then: str, meant: str) -> None:
    await stage.work(helpdesk())
    await stage.says(opener)
    await stage.sees(1)
    await stage.says(typed)
    rows = await stage.sees(2, settled=True)
    assert rows[-1]["text"] == "Which one do you mean?"
    assert [button["label"] for button in rows[-1]["buttons"]] == asked
    await stage.taps(then)
    assert await answer(stage) == meant


async def test_a_day_of_the_week_is_a_day_and_no_place(stage: Stage) -> None:
    await stage.work(helpdesk())
    await stage.says("dias")
    await stage.sees(1)
    await stage.says("segunda")
    assert await answer(stage) == "Texto: Segunda-feira"


async def test_once_something_else_was_said_only_labels_mean_the_old_options_and_not_for_long(stage: Stage) -> None:
    await stage.work(helpdesk())
    await stage.says("oi")
    await stage.sees(1)
    await stage.says("que horas abre?")
    await stage.sees(2, settled=True)
    await stage.says("a terceira")
    assert await answer(stage) == "Texto: a terceira"
    await stage.says("falar com alguem")
    assert await answer(stage) == "Desk: person"
    await stage.says("1")
    assert await answer(stage) == "Texto: 1"
    await stage.travel("49h")
    await stage.says("falar com alguém")
    assert await answer(stage) == "Texto: falar com alguém"


@pytest.mark.parametrize("typed", ["pessoas", "2 pessoa", "2"])
async def test_members_of_a_group_are_not_asked_what_they_mean(stage: Stage, typed: str) -> None:
    bot, group = helpdesk(), "120363000000000001@g.us"

    @bot.group()
    async def talk(ctx: Context) -> None:
        if ctx.text == "quantos":
            await ctx.reply("Quantos são?", options=["2 pessoas", "4 pessoas"])
        else:
            await ctx.reply(f"Texto: {ctx.text}")

    await stage.work(bot, keys=("ps_sandbox_evolution",), api_key="ps_sandbox_evolution", number_kind="evolution_v2")
    for count, text in enumerate(("quantos", typed), 1):
        await stage.says(text, event="group", groupId=group, number="num_evolution")
        rows = await stage.sees(count, contact=group)
    assert rows[-1]["text"] == {"2": "Texto: 4 pessoas"}.get(typed, f"Texto: {typed}")


async def test_what_was_said_last_is_answered_however_late(stage: Stage) -> None:
    await stage.work(helpdesk())
    await stage.says("oi")
    await stage.sees(1, settled=True)
    await stage.travel("20d")
    await stage.says("3")
    assert await answer(stage) == "Desk: person"


@pytest.mark.parametrize("typed", ["3", "a terceira", "alguém"])
async def test_a_quote_of_a_message_without_options_is_no_answer_to_others(stage: Stage, typed: str) -> None:
    await stage.work(helpdesk())
    await stage.says("que horas abre?")
    (hours,) = await stage.sees(1, settled=True)
    await stage.says("oi")
    await stage.sees(2, settled=True)
    await stage.says(typed, quoted=hours["messageId"])
    assert await answer(stage) == f"Texto: {typed}"


async def test_a_tap_on_a_message_of_others_means_no_part_of_a_label(stage: Stage) -> None:
    runtime = await stage.work(helpdesk())
    await stage.says("oi")
    await stage.sees(1, settled=True)
    button = {"text": "Pedido", "payload": "1"}
    await stage.deliver(runtime.url, wire("t1", "Pedido", type="button", quotedMessageId="wamid.FOREIGN", button=button))
    rows = await stage.sees(2, settled=True)
    assert rows[-1]["text"] == "Texto: Pedido"


async def test_a_quote_says_which_message_is_answered(stage: Stage) -> None:
    await stage.work(helpdesk())
    await stage.says("oi")
    (menu,) = await stage.sees(1, settled=True)
    await stage.says("que horas abre?")
    await stage.sees(2)
    await stage.says("a terceira", quoted=menu["messageId"])
    assert await answer(stage) == "Desk: person"


async def test_what_a_business_offers_while_a_handler_runs_is_not_forgotten(stage: Stage) -> None:
    bot, go_on = helpdesk(), asyncio.Event()

    @bot.received(words("devagar"))
    async def slowly(ctx: Context) -> None:
        await go_on.wait()
        await ctx.reply("Como podemos ajudar?", options=[Desk(name="copy").option("Segunda via")])

    await stage.work(bot)
    await stage.says("devagar")
    await bot.notify(ANA, "Vem ao evento?", options=[Desk(name="yes").option("Vou"), Desk(name="no").option("Não vou")])
    await stage.sees(1)
    go_on.set()
    await stage.sees(2, settled=True)
    await stage.says("nao vou")
    assert await answer(stage) == "Desk: no"
    await stage.says("segunda via")
    assert await answer(stage) == "Desk: copy"


async def test_what_comes_a_day_late_is_not_asked_about(stage: Stage) -> None:
    bot, late = helpdesk(), list[str]()

    @bot.stale()
    async def too_late(ctx: Context) -> None:
        late.append(ctx.text)

    runtime = await stage.work(bot)
    await stage.says("quantos")
    await stage.sees(1, settled=True)
    written = (datetime.now(UTC) - timedelta(hours=30)).isoformat(timespec="milliseconds")
    await stage.deliver(runtime.url, wire("late", "pessoas", createdAt=written))
    await stage.until(lambda: late, "the handler of what comes late")
    await stage.quiet(runtime)
    assert late == ["pessoas"]
    await stage.sees(1)
