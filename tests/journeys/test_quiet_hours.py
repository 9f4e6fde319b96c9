"""Quiet hours: what nobody asked for waits for the contact's morning, and answers do not wait behind it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pilotbot import Bot, Contact, Context, Deferred, Delivery, Policy, Queued, Quiet, hours
from tests.stage import ANA, BRUNO, Stage

ACRE = "+5568998760002"  # two hours behind ANA's
NOWHERE = "BR.1234567890"


def clock(zone: str, ahead: float) -> str:
    """What the clocks of a zone show so many hours from now."""
    return (datetime.now(ZoneInfo(zone)) + timedelta(hours=ahead)).strftime("%H:%M")


def night(zone: str = "America/Sao_Paulo", *, begins: float = -1, ends: float = 8, default: str | None = None) -> Policy:
    """Quiet hours around now."""
    return Policy(quiet=Quiet(clock(zone, begins), clock(zone, ends), default))


def greeter(policy: Policy) -> Bot:
    bot = Bot("shop", policy=policy)

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("Hello!")
        if ctx.text == "remind me":
            await ctx.follow_up(hours(1), "A reminder.")

    return bot


async def test_what_is_said_at_night_goes_in_the_morning_and_answers_go_at_once(stage: Stage) -> None:
    bot = greeter(night())
    runtime = await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1, settled=True)
    outcome = await bot.notify(ANA, "News!")
    assert isinstance(outcome, Deferred)
    assert outcome.why == "quiet"
    assert outcome.until is not None
    assert timedelta(hours=7.9) < outcome.until - datetime.now(UTC) <= timedelta(hours=8)
    await stage.says("hi again")
    assert [row["text"] for row in await stage.sees(2, settled=True)] == ["Hello!", "Hello!"]
    await stage.travel("7h")
    await stage.says("and again")
    assert [row["text"] for row in await stage.sees(3, settled=True)] == ["Hello!"] * 3
    await stage.travel("61m")
    assert [row["text"] for row in await stage.sees(4)] == [*["Hello!"] * 3, "News!"]
    await stage.quiet(runtime)


async def test_the_hours_are_those_of_the_contact(stage: Stage) -> None:
    bot = greeter(night("America/Rio_Branco", begins=-1, ends=1, default="America/Rio_Branco"))
    await stage.work(bot)
    for who in (ANA, ACRE, Contact(BRUNO, timezone="America/Rio_Branco"), NOWHERE):
        address = who.address if isinstance(who, Contact) else who
        await stage.says("hi", contact=address)
        await stage.sees(1, contact=address)
        outcome = await bot.notify(who, "News!")
        assert isinstance(outcome, Queued if who == ANA else Deferred), who
    await stage.sees(2)
    await stage.sees(1, contact=ACRE)


async def test_a_call_may_say_otherwise(stage: Stage) -> None:
    bot = greeter(night())
    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1)
    await bot.notify(ANA, "News!")
    assert await bot.notify(ANA, "Your code: 123", policy=Policy(quiet=False, purpose="authentication")) == Queued("text")
    assert [row["text"] for row in await stage.sees(2)] == ["Hello!", "Your code: 123"]


async def test_a_follow_up_waits_as_well(stage: Stage) -> None:
    await stage.work(greeter(night(begins=0.5, ends=9)))
    await stage.says("remind me")
    await stage.sees(1, settled=True)
    await stage.travel("2h")
    await stage.says("hi")
    assert [row["text"] for row in await stage.sees(2, settled=True)] == ["Hello!", "Hello!"]
    await stage.travel("421m")
    assert [row["text"] for row in await stage.sees(3)] == ["Hello!", "Hello!", "A reminder."]


async def test_what_is_to_be_delivered_by_day_does_not_wait_for_the_morning_after(stage: Stage) -> None:
    bot = greeter(night())
    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1)
    at = datetime.now(UTC) + timedelta(hours=10)
    assert await bot.notify(ANA, "News!", delivery=Delivery(at=at)) == Queued("text")
    await stage.travel("35970s")
    row = (await stage.sees(2))[-1]
    assert datetime.fromisoformat(row["deliverAt"]) - at < timedelta(seconds=1)
