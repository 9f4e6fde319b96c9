"""A call can be answered by a message: as a template where the window is closed, since a call does not open it."""

from pilotbot import Bot, Call, Context, Template
from pilotbot.testing import Phone, Platform

MISSED = Template("follow_up")


def shop() -> Bot:
    bot = Bot("shop")

    @bot.call("missed")
    async def missed(ctx: Context, event: Call) -> None:
        assert event.contact == ctx.contact.address == ctx.chat.address
        await ctx.reply("We missed your call. What is it about?", template=MISSED)

    @bot.call("ended")
    async def ended(ctx: Context, event: Call) -> None:
        await ctx.reply(f"{event.direction} {event.duration} s")

    return bot


async def calls(pilot: Platform, phone: Phone, change: str, **more: object) -> None:
    await pilot.act("/sandbox/calls", {"from": phone.address, "change": change, **more}, screen=phone)


def went(phone: Phone) -> str:
    """The template that the last answer went as, or its text."""
    return phone.last.template or phone.last.text


async def test_a_missed_call_is_answered_in_the_mode_that_the_window_allows() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await calls(pilot, ana, "missed")
        assert went(ana) == "follow_up"
        await ana.says("hi")
        await calls(pilot, ana, "missed")
        assert went(ana) == "We missed your call. What is it about?"
        await pilot.travel(hours=25)
        await calls(pilot, ana, "missed")
        assert went(ana) == "follow_up"


async def test_without_a_template_the_answer_waits_until_the_contact_writes() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await calls(pilot, ana, "ended", duration=180)
        assert ana.answers == []
        await ana.says("hi")
        assert [answer.text for answer in ana.answers] == ["INBOUND 180 s"]


async def test_a_call_that_we_made_is_the_contacts_as_well() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("hi")
        await calls(pilot, ana, "ended", outbound=True, duration=7)
        assert [answer.text for answer in ana.answers] == ["OUTBOUND 7 s"]


async def test_a_call_is_answered_once_however_often_it_is_told_of() -> None:
    async with Platform(shop()) as pilot:
        ana = pilot.phone()
        await ana.says("hi")
        await pilot.faults(duplicate_webhooks=True)
        await calls(pilot, ana, "missed")
        assert len(ana.answers) == 1
