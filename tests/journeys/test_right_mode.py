"""The right mode: nothing free-form is first posted to a closed window; what is refused late is decided again, once."""

import asyncio

from pilotbot import Bot, Context, Deferred, Message, Queued, Template, words
from tests.stage import ANA, Stage

NEWS = Message(
    "Order {{ order }} is {{ status }}.",
    options=["Track", "Talk to a person"],
    template=Template("order_status", order_id="{{ order }}", status="{{ status }}"),
)


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context) -> None:
        assert await ctx.reply(NEWS, order="4242", status="packed") == Queued("buttons")

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")

    return bot


async def test_an_open_window_gets_text_and_buttons(stage: Stage) -> None:
    await stage.work(shop())
    await stage.says("hello {{ 7*7 }}")
    await stage.says("my order?")
    text, buttons = await stage.sees(2, settled=True)
    assert (text["mode"], text["text"], text["status"]) == ("text", "You said hello {{ 7*7 }}", "READ")
    assert (buttons["mode"], buttons["text"]) == ("buttons", "Order 4242 is packed.")
    assert [button["label"] for button in buttons["buttons"]] == ["Track", "Talk to a person"]


async def test_the_same_content_goes_as_a_template_once_the_window_is_closed(stage: Stage) -> None:
    bot = shop()
    await stage.work(bot)
    await stage.says("order")
    await stage.sees(1)
    await stage.travel("25h")
    assert await bot.notify(ANA, NEWS, order="4242", status="on its way") == Queued("template")
    _, template = await stage.sees(2, settled=True)
    assert (template["mode"], template["status"]) == ("template", "READ")
    assert template["variables"] == {"order_id": "4242", "status": "on its way"}


async def test_a_contact_who_never_wrote_gets_a_template(stage: Stage) -> None:
    bot = shop()
    await stage.work(bot)
    await bot.notify(ANA, NEWS, order="1", status="new")
    (template,) = await stage.sees(1, settled=True)
    assert (template["mode"], template["status"]) == ("template", "READ")


async def test_without_a_template_it_waits_until_the_contact_writes(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    assert isinstance(await bot.notify(ANA, "Did it arrive?"), Deferred)
    await stage.quiet(runtime)
    assert await stage.rows() == []
    await stage.says("hi")
    held, answer = await stage.sees(2)
    assert (held["text"], answer["text"]) == ("Did it arrive?", "You said hi")


async def test_a_number_without_a_window_always_gets_free_text(stage: Stage) -> None:
    bot = shop()
    await stage.work(bot, keys=("ps_sandbox_evolution",), api_key="ps_sandbox_evolution", number_kind="evolution_v2")
    await bot.notify(ANA, NEWS, order="1", status="new")
    (sent,) = await stage.sees(1)
    assert sent["mode"] == "buttons"


async def test_what_the_platform_refuses_late_is_decided_again_once(stage: Stage) -> None:
    """The bot believes the window open, the platform does not: its contact wrote when the bot's own margin says open still."""
    bot = shop()
    runtime = await stage.work(bot, window_margin_seconds=1)
    await stage.says("order")
    await stage.sees(1)
    await stage.faults(latencyMs=0)
    # The platform alone moves: its clock event is lost, so the bot's business time stays.
    hooks = await stage.api("GET", "/v1/webhooks")
    await stage.api("PATCH", f"/v1/webhooks/{hooks[0]['id']}", {"active": False})
    await stage.travel("25h")
    await stage.api("PATCH", f"/v1/webhooks/{hooks[0]['id']}", {"active": True})
    assert await bot.notify(ANA, NEWS, order="4242", status="late") == Queued("buttons")
    rows = await stage.sees(3, settled=True)
    assert [(row["mode"], row["status"], row["errorCode"]) for row in rows[1:]] == [
        ("buttons", "FAILED", "META_OUTSIDE_24H_WINDOW"),
        ("template", "READ", None),
    ]
    # The window is known to be closed now.
    assert await bot.notify(ANA, NEWS, order="4242", status="later") == Queued("template")
    await stage.sees(4)
    await stage.quiet(runtime)


async def test_first_posts_lost_in_transit_are_one_message_and_no_second_variant(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    await stage.says("order")
    await stage.sees(1)
    await stage.travel("23h57m")
    await stage.faults(dropBefore={"next": 1})
    assert await bot.notify(ANA, NEWS, order="1", status="soon") == Queued("buttons")
    _, sent = await stage.sees(2, settled=True)
    assert (sent["mode"], sent["status"]) == ("buttons", "READ")
    await stage.quiet(runtime)
    await stage.sees(2)


async def test_a_post_that_was_taken_and_not_answered_is_one_message(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    await stage.says("order")
    await stage.sees(1)
    await stage.faults(acceptThenDrop={"next": 2})
    await asyncio.gather(*(bot.notify(ANA, NEWS, order=str(n), status="soon", key=str(n)) for n in range(2)))
    await stage.sees(3, settled=True)
    await stage.quiet(runtime)
    await stage.sees(3)
