"""No means no: after an opt-out nothing goes that the contact did not ask for; answers do; a word back opens it again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pilotbot import Action, Bot, Context, OptOut, Planned, Policy, Queued, Retry, Skipped, Template, hours, words
from pilotbot.contacts import canonical
from pilotbot.engine import Consent, Decision
from pilotbot.server.recipients import OPTED_OUT
from pilotbot.testing import Phone, Platform
from tests.stage import ANA, BRUNO, Stage, wire

FOLLOW_UP = Template("follow_up")


class Leave(Action, name="leave_the_menu"):
    """An option that is called as an opt-out is."""


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message(words("order", "start"))
    async def order(ctx: Context) -> None:
        await ctx.reply(f"Your order, {'silent' if ctx.opted_out else 'noisy'} one.")
        await ctx.follow_up(hours(2), "How is it?", template=FOLLOW_UP)

    return bot


def texts(phone: Phone) -> list[str]:
    return [answer.text for answer in phone.answers]


@pytest.mark.parametrize(
    ("word", "confirmed", "back", "welcome"),
    [
        ("Parar!", "Certo: não", "voltar", "Certo: você voltará"),
        ("NÃO QUERO RECEBER", "Certo: não", "quero receber", "Certo: você voltará"),
        ("stop", "Done: we will not", "START", "Done: you will hear"),
        ("Darme de baja.", "Listo: no", "alta", "Listo: volverá"),
    ],
)
async def test_a_word_and_a_word_back(word: str, confirmed: str, back: str, welcome: str) -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        await ana.says(word)
        assert ana.sees(confirmed)
        assert len(ana.answers) == 1
        assert await pilot.notify(ana, "Sale!", template=FOLLOW_UP) == Skipped(
            "the contact opted out of messages that they did not ask for"
        )
        await pilot.travel(hours=3)  # the follow-up of the order
        assert ana.answers == []
        await ana.says("order")
        assert texts(ana) == ["Your order, silent one."]
        await ana.says(back)
        assert ana.sees(welcome)
        await pilot.notify(ana, "Sale!")
        assert ana.sees("Sale!")


async def test_only_the_whole_message_counts_and_an_order_to_cancel_is_none() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        for text in ("please stop the order", "cancelar", "parar de chover, order"):
            await ana.says(text)
        await pilot.notify(ana, "Sale!")
        assert ana.sees("Sale!")


async def test_a_word_back_means_nothing_to_who_never_left() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("start")
        assert texts(ana) == ["Your order, noisy one."]


async def test_it_holds_on_all_numbers_also_where_the_contact_never_wrote() -> None:
    async with Platform(shop(), numbers={"main": "meta", "other": "evolution_v2"}) as pilot:
        ana, there = pilot.phone("+5511987650001"), pilot.phone("+5511987650001", number="other")
        await there.says("order")
        await pilot.notify(there, "before")
        await ana.says("stop")
        assert isinstance(await pilot.notify(there, "Sale!"), Skipped)
        await pilot.travel(hours=3)
        assert texts(there) == []


async def test_what_waited_for_the_window_is_not_sent_when_it_opens() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await pilot.notify(ana, "It waits until she writes.")
        await ana.says("sair")
        assert len(ana.answers) == 1
        assert ana.sees("Certo: não")
        await ana.says("order")
        assert texts(ana) == ["Your order, silent one."]


async def test_words_and_confirmations_of_ones_own_or_none_at_all() -> None:
    own = OptOut(out={"en": ("enough",)}, back={"en": ("more",)}, out_said={"en": "Bye."}, back_said={"en": "Hello again."})
    bot = Bot("shop", opt_out=own)

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply("?")

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        for text, answer in (("stop", "?"), ("Enough", "Bye."), ("more", "Hello again."), ("more", "?")):
            await ana.says(text)
            assert texts(ana) == [answer]
    silent = Bot("silent", opt_out=None)
    async with Platform(silent) as pilot:
        ana = pilot.phone()
        await ana.says("stop")
        assert texts(ana) == []


async def test_handlers_note_it_too_and_the_ledger_says_how_and_why() -> None:
    bot = Bot("shop")

    @bot.message(words("no adverts"))
    async def no(ctx: Context) -> None:
        await ctx.opt_out(ctx.text)
        await ctx.reply("None.")

    @bot.message(words("adverts"))
    async def yes(ctx: Context) -> None:
        await ctx.opt_in("asked for adverts")

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("no adverts")
        assert isinstance(await pilot.notify(ana, "Sale!"), Skipped)
        await pilot.travel(seconds=2)
        await ana.says("adverts")
        await pilot.travel(seconds=2)
        await ana.says("STOP")
        engine = pilot._house.runtime.engine
        _, ledger = await engine.consents.of(engine.keys.person(canonical(ana.address)))
        assert [(entry.what, entry.source, entry.evidence) for entry in ledger] == [
            ("out", "word", "STOP"), ("in", "handler", "asked for adverts"), ("out", "handler", "no adverts"),
        ]  # fmt: skip


def told_by(contact: str, text: str, name: str, **data: object) -> dict[str, object]:
    """A message of a contact who is known by a BSUID, with or without their phone."""
    return wire(name, text, contact=contact, numberId=None, **data)


async def test_who_opted_out_under_a_bsuid_is_not_written_to_under_the_phone_nor_the_other_way(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot, number_kind="evolution_v2")
    await stage.deliver(runtime.url, told_by("BR.77", "stop", "one"))
    await stage.quiet(runtime)
    await bot.follow_up("BR.77", hours(1), "hm", unless_replied=True)
    await stage.deliver(runtime.url, told_by(ANA, "hello", "two", userId="BR.77"))
    await stage.quiet(runtime)
    assert await bot.notify(ANA, "Sale!") == Skipped(OPTED_OUT)
    assert await bot.follow_ups("BR.77") == []
    await stage.deliver(runtime.url, told_by(ANA, "voltar", "three"))
    await stage.quiet(runtime)
    assert isinstance(await bot.notify("BR.77", "Sale!"), Queued)
    chats = [runtime.engine.keys.chat("main", canonical(who)) for who in (ANA, "BR.77")]
    await stage.deliver(runtime.url, told_by(ANA, "stop", "four"))
    await stage.quiet(runtime)
    marks = [int((await runtime.engine.chat(chat)).fields["consent"]) for chat in chats]
    assert marks[0] == marks[1] > 0


async def test_a_stop_that_comes_a_day_late_counts(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    late = (datetime.now(UTC) - timedelta(hours=25)).isoformat().replace("+00:00", "Z")
    status, answer, _ = await stage.deliver(runtime.url, wire("late", "STOP", createdAt=late))
    assert (status, answer["status"]) == (200, "ok")
    await stage.counted(runtime, "turn:ok", 1)
    assert await bot.notify(ANA, "Sale!", template=FOLLOW_UP) == Skipped(OPTED_OUT)
    assert await stage.sees(0) == []  # nobody waits for its confirmation


async def test_a_stop_that_waits_behind_others_holds_at_once(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        raise Retry(after=hours(1))

    runtime = await stage.work(bot)
    await stage.says("order")
    await stage.counted(runtime, "turn:retry", 1)
    await stage.says("stop")
    await stage.counted(runtime, "message.received:ok", 2)
    assert await bot.notify(ANA, "Sale!") == Skipped(OPTED_OUT)


async def test_a_chat_that_begins_later_knows_it_too(stage: Stage) -> None:
    bot = shop()
    first = {"id": "num_meta", "name": "main", "kind": "meta", "key": "ps_sandbox_number"}
    async with stage.at_work(bot, numbers=[first], api_key=None) as runtime:
        await stage.says("stop")
        await stage.quiet(runtime)
    other = {"id": "num_evolution", "name": "other", "kind": "evolution_v2", "key": "ps_sandbox_evolution"}
    runtime = await stage.work(bot, keys=("ps_sandbox_evolution",), numbers=[first, other], api_key=None)
    await stage.says("order", number="num_evolution")
    await stage.quiet(runtime)
    assert [row["text"] for row in await stage.rows(ANA) if row["direction"] == "out"][1:] == ["Your order, silent one."]
    assert await bot.follow_ups(ANA, number="other") == []


async def test_an_option_with_an_action_is_that_action_whatever_its_label() -> None:
    bot = Bot("shop")

    @bot.message(words("menu"))
    async def menu(ctx: Context) -> None:
        await ctx.reply("Well?", options=["Ficar", Leave().option("Sair"), "Parar"])

    @bot.tapped(Leave)
    async def leave(ctx: Context) -> None:
        await ctx.reply("You left the menu.")

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("menu")
        await ana.taps("Sair")
        assert texts(ana) == ["You left the menu."]
        await ana.taps("Parar")
        assert ana.sees("Certo: não")


@pytest.mark.parametrize("point", ["handler", "commit", "post", "record"])
async def test_a_crash_on_the_way_confirms_it_once(point: str) -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        pilot.crash(after=point)  # type: ignore[arg-type]
        await ana.says("stop")
        assert len(ana.screen) == 1
        assert isinstance(await pilot.notify(ana, "Sale!"), Skipped)


ADVERT = Policy(purpose="marketing")


async def test_marketing_goes_to_nobody_who_did_not_opt_in_and_the_rest_does() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("order")
        refused = await pilot.notify(ana, "Sale!", policy=ADVERT)
        assert isinstance(refused, Skipped)
        assert "did not opt in" in refused.reason
        await pilot.bot.opt_in(ana.address, "form of 12 May", purpose="marketing")
        await pilot.notify(ana, "Sale!", policy=ADVERT)
        assert ana.sees("Sale!")
        await pilot.travel(seconds=1)
        await ana.says("Sem promoções")
        assert ana.sees("não enviaremos mais promoções")
        assert await pilot.notify(ana, "Sale!", policy=ADVERT) == Skipped(OPTED_OUT)
        await pilot.notify(ana, "Your order is there.")
        assert ana.sees("Your order is there.")
        await ana.says("quero promoções")
        await pilot.notify(ana, "Sale!", policy=ADVERT)
        assert ana.sees("Sale!")


async def test_a_handler_notes_it_for_one_purpose_and_a_follow_up_heeds_it() -> None:
    bot = Bot("shop")
    planned: list[object] = []

    @bot.message(words("yes"))
    async def yes(ctx: Context) -> None:
        await ctx.opt_in(ctx.text, purpose="marketing")

    @bot.message(words("no"))
    async def no(ctx: Context) -> None:
        await ctx.opt_out(ctx.text, purpose="marketing")

    @bot.message(words("plan"))
    async def plan(ctx: Context) -> None:
        planned.append(await ctx.follow_up(hours(1), "An offer", template=FOLLOW_UP, policy=ADVERT))

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        for text, kind in (("plan", Skipped), ("yes", None), ("plan", Planned), ("no", None), ("plan", Skipped)):
            await ana.says(text)
            await pilot.travel(seconds=1)
            assert kind is None or isinstance(planned[-1], kind)
        await pilot.travel(hours=2)
        assert texts(ana) == []  # what was planned while it was allowed


@pytest.mark.parametrize(("given", "goes"), [(True, True), (False, False), (None, False)])
async def test_who_said_yes_in_a_form_of_an_advertisement_has_opted_in(stage: Stage, given: bool | None, goes: bool) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    lead: dict[str, object] = {
        "leadId": "lead1", "leadgenId": "9000001", "whatsappNumberId": "num_meta", "pageId": "1001", "formId": "2001",
        "createdAt": "2026-11-20T16:00:00.000Z", "fullName": "Ana Souza", "phone": ANA.removeprefix("+"),
        "fields": [], "consentGiven": given,
    }  # fmt: skip
    for _ in range(2):
        assert (await stage.deliver(runtime.url, {"event": "lead.received", "data": lead}))[0] == 200
    outcome = await bot.notify(ANA, "Sale!", template=FOLLOW_UP, policy=ADVERT)
    assert isinstance(outcome, Queued) == goes
    _, ledger = await runtime.engine.consents.of(runtime.engine.keys.person(canonical(ANA)))
    assert [(entry.what, entry.purpose, entry.source) for entry in ledger] == ([("in", "marketing", "lead")] if goes else [])


async def test_a_decision_from_outside_a_turn_says_what_it_is_about_and_what_shows_it(stage: Stage) -> None:
    bot = shop()
    await stage.work(bot)
    for who, evidence, purpose, told in (
        (ANA, " ", "all", "evidence is what shows it"),
        (ANA, "a form", "sales", "'sales' is no purpose"),
        ("120363000000000001@g.us", "a form", "all", "a group or newsletter decides nothing"),
    ):
        with pytest.raises(ValueError, match=told):
            await bot.opt_in(who, evidence, purpose=purpose)  # type: ignore[arg-type]
    await bot.opt_out(ANA, "asked on the phone")
    assert await bot.notify(ANA, "Hello", template=FOLLOW_UP) == Skipped(OPTED_OUT)


async def test_it_holds_from_when_it_is_accepted_though_no_worker_has_a_place(stage: Stage) -> None:
    bot, goes_on = shop(), asyncio.Event()

    @bot.message(words("wait"))
    async def slow(ctx: Context) -> None:
        await goes_on.wait()

    runtime = await stage.work(bot, workers=1)
    await stage.says("wait", contact=BRUNO)
    await stage.says("stop")
    await stage.until(lambda: runtime.counts["message.received:ok"] == 2, "both accepted")
    assert isinstance(await bot.notify(ANA, "Half price!", template=FOLLOW_UP), Skipped)
    goes_on.set()
    assert [row["template"] for row in await stage.sees(1, settled=True)] == [None]  # the confirmation


async def test_a_number_that_was_away_when_they_decided_is_told(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    engine = runtime.engine
    chat, person = engine.keys.chat("main", canonical(ANA)), engine.keys.person(canonical(ANA))
    await bot.opt_in(ANA, "a form")
    now = (await engine.chat(chat)).now
    entry = Consent(what="out", at=now + 1, source="word", evidence="stop")
    await engine.decide(Decision(entry=entry, person=person, chats=()))  # as an installation without this number does
    assert isinstance(await bot.notify(ANA, "News!", template=FOLLOW_UP), Skipped)
