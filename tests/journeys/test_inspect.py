"""The phone page asks what the bot has of a chat: through the sandbox, joined to its rows by message id and by key."""

from pilotbot import Bot, Context, State, Template, words
from tests.stage import ANA, Stage


class Visit(State, name="journey_inspected_visit"):
    asked: int = 0


async def test_the_sandbox_passes_on_what_the_bot_tells_of_a_chat(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context, visit: Visit) -> None:
        visit.asked += 1
        await ctx.reply("It is packed.", options=["Track"])

    runtime = await stage.work(bot, reveal=True)
    await stage.says("order")
    await stage.sees(1)
    await stage.travel("25h")
    await bot.notify(ANA, "It is here.", template=Template("follow_up"))
    await stage.sees(2)
    await stage.quiet(runtime)
    (told,) = await stage.api("GET", f"/sandbox/bot?number=num_meta&contact={ANA.replace('+', '%2B')}")
    assert (told["name"], told["url"], told["status"], told["error"]) == ("shop", f"{runtime.url}/webhook", 200, None)
    answer = told["answer"]
    assert (answer["bot"], answer["chat"]["states"], answer["chat"]["window"]["state"]) == ("shop", {"Visit": {"asked": 1}}, "closed")
    said, *rows = await stage.rows(ANA)
    assert [turn["messageId"] for turn in answer["turns"]] == [said["messageId"]]
    assert [(post["key"], post["why"]["code"]) for post in answer["posts"]] == [
        (rows[0]["idempotencyKey"], "open"),
        (rows[1]["idempotencyKey"], "closed"),
    ]
    assert not [one for one in await stage.deliveries("sandbox.inspect") if one["event"] == "sandbox.inspect"]


async def test_a_bot_in_production_tells_nothing(stage: Stage) -> None:
    bot = Bot("shop")

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply(ctx.text)

    await stage.work(bot)
    await stage.says("hi")
    await stage.sees(1)
    (told,) = await stage.api("GET", f"/sandbox/bot?number=num_meta&contact={ANA.replace('+', '%2B')}")
    assert (told["status"], told["answer"]) == (200, {"status": "unknown"})
