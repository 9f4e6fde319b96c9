"""Somebody fills in the form of an advertisement, or a WhatsApp Flow: the bot answers them, in the mode that is allowed."""

from pilotbot import Bot, Context, FlowResponse, Lead, Message, Template
from pilotbot.testing import Phone, Platform

WELCOME = Message("Hi {{ contact.first_name }}!", template=Template("welcome", name="{{ contact.first_name }}"))


async def fills_in(pilot: Platform, who: Phone, **more: object) -> None:
    body = {"name": "Bianca Reis", "phone": who.address.removeprefix("+"), "fields": {"product": ["B", "C"]}, "consent": True, **more}
    await pilot.act("/sandbox/leads", body, screen=who)


async def test_a_lead_is_answered_at_its_phone_and_its_fields_are_typed() -> None:
    bot, seen = Bot("shop"), []

    @bot.lead()
    async def lead(ctx: Context, event: Lead) -> None:
        seen.append((event.fields["product"], event.full_name, event.email, event.consent_given, event.platform, event.form_id))
        await ctx.reply(WELCOME)

    @bot.message()
    async def other(ctx: Context) -> None:
        await ctx.reply(f"Hello again, {ctx.contact.name}")

    async with Platform(bot) as pilot:
        bianca = pilot.phone("+5521998760002")
        await fills_in(pilot, bianca, email="bianca@example.com")
        assert seen == [(("B", "C"), "Bianca Reis", "bianca@example.com", True, "ig", "2001")]
        assert (bianca.last.template, bianca.last.variables) == ("welcome", {"name": "Bianca"})


async def test_a_lead_without_a_phone_has_nobody_to_answer() -> None:
    bot, outcomes = Bot("shop"), []

    @bot.lead()
    async def lead(ctx: Context, event: Lead) -> None:
        outcomes.append(await ctx.reply(WELCOME))

    async with Platform(bot) as pilot:
        await fills_in(pilot, pilot.phone(), phone=None)
    assert "nobody wrote this event" in str(outcomes)


async def test_a_flow_that_comes_back_has_its_token_and_what_was_filled_in() -> None:
    bot = Bot("shop")

    @bot.flow_response()
    async def booked(ctx: Context, event: FlowResponse) -> None:
        await ctx.reply(f"{event.flow_token}: {event.response['date']}")

    @bot.message()
    async def other(ctx: Context) -> None: ...

    async with Platform(bot) as pilot:
        ana = pilot.phone()
        await ana.says("hi")
        body = {"from": ana.address, "flowToken": "booking-42", "response": {"date": "2026-12-01"}}
        await pilot.act("/sandbox/flows", body, screen=ana)
        assert [answer.text for answer in ana.answers] == ["booking-42: 2026-12-01"]
