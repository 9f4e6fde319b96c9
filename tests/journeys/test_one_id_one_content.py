"""One id, one content: the platform takes a key for what it was first posted with, so no two contents may ever share one."""

from pilotbot import Bot, Context, Queued, Skipped, words
from tests.stage import ANA, BRUNO, Stage


async def test_one_occasion_reaches_everybody_it_is_told_to(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message()
    async def greet(ctx: Context) -> None:
        await ctx.reply("hi")

    await stage.work(bot)
    for contact in (ANA, BRUNO):
        await stage.says("hello", contact=contact)
        await stage.sees(1, contact=contact)
        assert await bot.notify(contact, f"The sale begins, {contact}", key="sale") == Queued("text")
        assert isinstance(await bot.notify(contact, "The sale begins", key="sale"), Skipped)
    for contact in (ANA, BRUNO):
        _, news = await stage.sees(2, contact=contact)
        assert news["text"] == f"The sale begins, {contact}"


async def test_a_second_run_that_answers_otherwise_is_not_taken_for_the_first(stage: Stage) -> None:
    bot = Bot("shop")
    runs: list[str] = []

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        runs.append(ctx.text)
        if len(runs) == 1:
            await ctx.reply("One moment...", now=True)
            raise ConnectionError
        await ctx.reply("Your order is ready")

    await stage.work(bot)
    await stage.says("order")
    await stage.sees(1)
    await stage.travel("10s")
    rows = await stage.sees(2)
    assert [row["text"] for row in rows] == ["One moment...", "Your order is ready"]
