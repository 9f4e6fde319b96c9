"""What nobody handled is explained; and nothing personal is in the log, nor in the names of what is stored."""

import asyncio
import logging

import pytest
from redis import Redis

from pilotbot import Bot, Context, Message, Template, words
from tests.stage import ANA, BRUNO, Stage, wire

PRIVATE = ("Ana", "Souza", "Bruno", "7650001", "8760002", "zanzibar", "sesame", "papaya", "sandbox-webhook-secret", "ps_sandbox_number")


def shop() -> Bot:
    bot = Bot("shop")

    @bot.received(words("order", "pedido"))
    async def order_status(ctx: Context) -> None:
        await ctx.reply(f"Your sesame order, {ctx.contact.name}", options=["Track it, papaya", "Talk to a person"])

    @bot.received(words("break"))
    async def fail(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")
        raise ValueError(f"{ctx.contact.phone} said {ctx.text}")

    @bot.received(words("worse"))
    async def fail_too(ctx: Context) -> None:
        raise LookupError(f"{ctx.contact.phone} said {ctx.text}")

    @bot.error(LookupError)
    async def sorry(ctx: Context) -> None:
        raise KeyError(ctx.contact.phone, ctx.text)

    @bot.received(words("nowhere"))
    async def to_nobody(ctx: Context) -> None:
        await ctx.notify(f"{ctx.contact.name}, {ctx.text}", "hello")

    return bot


async def test_the_log_says_who_was_tried_and_what_to_paste(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    runtime = await stage.work(shop())
    await stage.says("open sesame, please")
    await stage.until(lambda: runtime.counts["unhandled"], "the message to be unhandled")
    (text,) = [record.getMessage() for record in caplog.records if "Nobody handled" in record.getMessage()]
    assert "a Received event with a text of 3 words" in text
    for expected in ("test_unhandled.py:", "order_status", "fail", '@bot.received(words("order", "pedido"))', "not in the text"):
        assert expected in text
    assert '    @bot.received(words("<one of the 3 words>"))\n    async def on_received(ctx: Context) -> None:' in text
    assert "sesame" not in caplog.text
    await stage.quiet(runtime)
    await stage.sees(0)


async def test_nothing_personal_is_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bot = shop()
    runtime = await stage.work(bot, webhook_token="token-of-ours", webhook=False)
    await stage.api("POST", "/v1/webhooks", {"url": f"{runtime.url}/webhook?token=token-of-ours", "name": "shop", "events": ["*"]})
    await stage.faults(http500={"next": 1}, acceptThenDrop={"next": 1})
    for text in ("zanzibar", "pedido zanzibar", "break zanzibar", "worse zanzibar", "nowhere zanzibar"):
        await asyncio.gather(*(stage.says(text, contact=contact) for contact in (ANA, BRUNO)))
    for retries in (2, 4, 6):
        await stage.counted(runtime, "turn:retry", retries)
        await stage.travel("2m")
    await stage.until(lambda: runtime.counts["dead:ValueError"] == runtime.counts["dead:LookupError"] == 2, "the dead letters")
    await stage.taps("Track it, papaya")
    await stage.deliver(runtime.url, wire("m", "zanzibar"), secret="wrong")
    await bot.notify(ANA, Message("papaya", template=Template("no_such_template", name="papaya")))
    await stage.quiet(runtime)
    await stage.travel("25h")
    await bot.notify(ANA, "papaya")
    await bot.notify(ANA, Message("papaya", template=Template("no_such_template", name="papaya")))
    await stage.until(lambda: runtime.counts["defer:window-closed"], "a message to wait")
    await stage.quiet(runtime)
    assert "it is a dead letter now" in caplog.text
    for private in (*PRIVATE, "token-of-ours"):
        assert private not in caplog.text, next(line for line in caplog.text.splitlines() if private in line)


async def test_nothing_personal_is_in_the_name_of_a_key(stage: Stage, redis: Redis) -> None:
    runtime = await stage.work(shop())
    seen: set[str] = set()
    for text in ("pedido", "zanzibar", "break"):
        await stage.says(text)
        seen.update(map(str, redis.keys("*")))
    await stage.counted(runtime, "turn:retry", 1)
    seen.update(map(str, redis.keys("*")))
    assert any(":mailbox:" in key for key in seen)
    assert any(":dedupe:" in key for key in seen)
    for key in seen:
        assert not any(private.lower() in key.lower() for private in PRIVATE), key
