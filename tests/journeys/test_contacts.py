"""Who is who: one person in two spellings, the members of a group, two numbers of ours, and those who are nobody."""

from typing import Any

from redis import Redis

from pilotbot import Bot, Context, Deferred, Queued, Skipped, State, mentions_me
from tests.stage import ANA, BRUNO, Stage, wire

ANA_WITHOUT_THE_NINTH_DIGIT = "+551187650001"
GROUP = "120363000000000001@g.us"
NEWSLETTER = "120363000000000099@newsletter"
NUMBERS = [
    {"name": "shop", "id": "num_meta", "kind": "meta", "key": "ps_sandbox_number"},
    {"name": "help", "id": "num_evolution", "kind": "evolution_v2", "key": "ps_sandbox_evolution"},
]
BOTH: dict[str, Any] = {"keys": ("ps_sandbox_number", "ps_sandbox_evolution"), "numbers": NUMBERS}


class Seen(State, name="seen_contacts"):
    count: int = 0


def counter() -> Bot:
    bot = Bot("counter")

    @bot.message()
    async def count(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        await ctx.reply(f"{seen.count} at {ctx.chat.number}")

    @bot.group()
    async def in_group(ctx: Context, seen: Seen) -> None:
        seen.count += 1
        if ctx.chat.number == "help":
            await ctx.reply(f"{seen.count} by {ctx.contact.first_name} in {ctx.chat.name}")

    @bot.newsletter()
    async def post(ctx: Context) -> None:
        await ctx.reply(f"Seen: {ctx.text}")

    return bot


async def test_with_and_without_the_ninth_digit_is_one_chat(stage: Stage) -> None:
    bot = counter()
    runtime = await stage.work(bot)
    await stage.says("hi", contact=ANA)
    await stage.sees(1)
    await stage.says("hi again", contact=ANA_WITHOUT_THE_NINTH_DIGIT)
    answers = await stage.sees(2)
    assert [row["text"] for row in answers] == ["1 at main", "2 at main"]
    # Each answer goes to the spelling that the contact was last seen under.
    assert [row["contact"] for row in answers] == [ANA, ANA_WITHOUT_THE_NINTH_DIGIT]
    await stage.travel("23h")
    await stage.says("hi", contact=ANA_WITHOUT_THE_NINTH_DIGIT)
    await stage.sees(3)
    await stage.travel("23h")
    assert await bot.notify(ANA, "your order") == Queued("text")
    assert (await stage.sees(4))[-1]["contact"] == ANA_WITHOUT_THE_NINTH_DIGIT
    await stage.quiet(runtime)


async def test_a_group_shares_its_state_and_is_answered_as_a_group(stage: Stage) -> None:
    await stage.work(counter(), **BOTH)
    there: dict[str, Any] = {"number": "num_evolution", "groupId": GROUP, "groupName": "Neighbours"}
    await stage.says("hi all", **there)
    await stage.sees(1, contact=GROUP)
    await stage.says("hi Ana", contact=BRUNO, **{**there, "name": "Bruno Lima"})
    answers = await stage.sees(2, contact=GROUP)
    assert [row["text"] for row in answers] == ["1 by Ana in Neighbours", "2 by Bruno in Neighbours"]
    await stage.says("just me", number="num_evolution")
    assert [row["text"] for row in await stage.sees(1)] == ["1 at help"]


async def test_writing_in_a_group_opens_no_window(stage: Stage) -> None:
    bot = counter()
    runtime = await stage.work(bot)
    await stage.says("hi all", groupId=GROUP)
    await stage.until(lambda: runtime.counts["turn:ok"], "the group's message to be handled")
    assert isinstance(await bot.notify(ANA, "psst"), Deferred)
    await stage.quiet(runtime)
    await stage.sees(0)


async def test_two_numbers_have_two_states_and_two_windows(stage: Stage) -> None:
    bot = counter()
    runtime = await stage.work(bot, **BOTH)
    for number in ("num_meta", "num_evolution", "num_evolution"):
        await stage.says("hi", number=number)
        await stage.quiet(runtime)
    answers = await stage.sees(3)
    assert [(row["number"], row["text"]) for row in answers] == [
        ("num_meta", "1 at shop"), ("num_evolution", "1 at help"), ("num_evolution", "2 at help"),
    ]  # fmt: skip
    await stage.travel("20h")
    await stage.says("hi", number="num_evolution")
    await stage.sees(4)
    await stage.travel("5h")
    assert await bot.notify(ANA, "news", number="help") == Queued("text")
    assert isinstance(await bot.notify(ANA, "news", number="shop"), Deferred)
    assert (await stage.sees(5))[-1]["number"] == "num_evolution"
    await stage.quiet(runtime)


async def test_events_of_numbers_that_are_not_ours_are_dropped_and_counted(stage: Stage, redis: Redis) -> None:
    runtime = await stage.work(counter(), webhook=False, **BOTH)
    await stage.quiet(runtime)
    before = redis.dbsize()
    status, body, _ = await stage.deliver(runtime.url, wire("m1", "hi", numberId="num_of_somebody_else"))
    assert (status, body) == (200, {"status": "other-number"})
    assert runtime.counts["message.received:other-number"] == 1
    assert redis.dbsize() == before


async def test_what_we_wrote_ourselves_is_not_answered(stage: Stage) -> None:
    runtime = await stage.work(counter())
    await stage.says("I answer from the phone", fromMe=True)
    await stage.until(lambda: runtime.counts["message.received:echo"], "the echo to arrive")
    await stage.says("hi")
    await stage.until(lambda: runtime.counts["turn:ok"], "an answer")
    await stage.quiet(runtime)
    assert [row["text"] for row in await stage.rows() if row["direction"] == "out" and not row["fromMe"]] == ["1 at main"]


async def test_a_newsletter_is_answered_as_a_newsletter_and_opens_no_window(stage: Stage) -> None:
    await stage.work(counter(), **BOTH)
    await stage.says("news", number="num_evolution", newsletterId=NEWSLETTER, newsletterName="Offers")
    assert [row["text"] for row in await stage.sees(1, contact=NEWSLETTER)] == ["Seen: news"]
    await stage.sees(0)


async def test_a_mention_of_our_number_in_a_group_is_heard(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.group(mentions_me())
    async def mentioned(ctx: Context) -> None:
        await ctx.reply("You called?")

    await stage.work(bot, keys=("ps_sandbox_evolution",), api_key="ps_sandbox_evolution", number_kind="evolution_v2")
    group = {"event": "group", "groupId": "120363000000000001@g.us", "number": "num_evolution"}
    await stage.says("good morning", **group)
    await stage.says("@551140028933 are you there?", **group)
    assert [row["text"] for row in await stage.sees(1, contact="120363000000000001@g.us")] == ["You called?"]


async def test_a_contact_who_cannot_be_written_to_is_no_dead_letter(stage: Stage) -> None:
    bot = Bot("shop")
    outcomes: list[object] = []

    @bot.message()
    async def answer(ctx: Context) -> None:
        outcomes.append(await ctx.reply("hello"))

    runtime = await stage.work(bot, webhook=False)
    body = wire("in-1", "hi", contact="123456789012345@lid")
    assert (await stage.deliver(runtime.url, body))[0] == 200
    await stage.until(lambda: outcomes, "the turn")
    assert isinstance(outcomes[0], Skipped)
    await stage.quiet(runtime)
    assert await runtime.engine.dead_letters() == []
