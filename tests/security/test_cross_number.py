"""S23: what belongs to one number never reaches the chats of another."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession as Client
from redis import Redis

from pilotbot import Bot, Context, State
from pilotbot.server import Runtime
from tests.security.conftest import asked, received, signed
from tests.server.conftest import Serve
from tests.stage import ANA, Stage, wire

EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "events" / "webhook-examples.json").read_text("utf-8"))
NUMBERS = [
    {"name": "shop", "id": "num_meta", "kind": "meta", "key": "ps_sandbox_number"},
    {"name": "help", "id": "num_evolution", "kind": "evolution_v2", "key": "ps_sandbox_evolution"},
]
OURS = [{"name": "main", "id": "ours", "key": "k"}, {"name": "second", "id": "too", "key": "k"}]
LOOKALIKES = ["other", "OURS", "ours ", "ours\0", "our", "oursx", "main", "*", "", "../ours", "ours\n"]


class Visits(State, name="visits_of_security"):
    count: int = 0


def wanting() -> Bot:
    """A bot that has a handler for all there is, so that nothing is dropped for want of one."""
    bot = Bot("all")

    @bot.message()
    @bot.group()
    @bot.newsletter()
    @bot.status()
    @bot.number()
    @bot.call()
    @bot.lead()
    async def take(ctx: Context) -> None:
        await ctx.reply("taken")

    return bot


async def post(client: Client, raw: bytes) -> str:
    async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
        assert answer.status == 200
        return str((await answer.json())["status"])


@pytest.mark.parametrize("name", [one["name"] for one in EXAMPLES if (one["body"].get("data") or {}).get("numberId")])
async def test_cross_number_no_event_of_another_is_kept(serve: Serve, redis: Redis, name: str) -> None:
    client, _ = await serve(wanting(), numbers=OURS)
    body = next(one["body"] for one in EXAMPLES if one["name"] == name)
    before = asked(redis)
    assert await post(client, json.dumps(body).encode()) in {"other-number", "unknown"}
    assert asked(redis) == before


@pytest.mark.parametrize("number", LOOKALIKES)
async def test_cross_number_an_id_that_is_nearly_ours(serve: Serve, redis: Redis, number: str) -> None:
    client, _ = await serve(numbers=OURS)
    before = asked(redis)
    assert await post(client, received(numberId=number)) == "other-number"
    assert asked(redis) == before


@pytest.mark.parametrize("number", [None, 7, {"id": "ours"}, ["ours"], True])
async def test_cross_number_an_id_that_is_none_is_nobodys(serve: Serve, redis: Redis, number: object) -> None:
    client, _ = await serve(numbers=OURS)
    before = asked(redis)
    assert await post(client, received(numberId=number)) == "other-number"
    assert asked(redis) == before


async def test_cross_number_a_status_of_another_changes_no_message(stage: Stage, redis: Redis) -> None:
    """It has the id of a message of ours, and would say that it failed."""
    bot = Bot("shop")

    @bot.message()
    async def answer(ctx: Context) -> None:
        await ctx.reply("one")

    runtime = await stage.work(bot, numbers=NUMBERS[:1])
    await stage.says("hi")
    (sent,) = await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    record = await runtime.engine.find_record(sent["id"])
    before = {key: redis.dump(key) for key in _texts(redis)}
    for event in ("message.sent", "message.delivered", "message.failed"):
        data = {"numberId": "num_of_somebody", "id": sent["id"], "to": ANA, "errorCode": "META_OUTSIDE_24H_WINDOW"}
        status, told, _ = await stage.deliver(runtime.url, {"event": event, "data": data})
        assert (status, told) == (200, {"status": "other-number"})
    assert {key: redis.dump(key) for key in _texts(redis)} == before
    assert await runtime.engine.find_record(sent["id"]) == record


async def test_cross_number(stage: Stage) -> None:
    """Two bots, a number each, and both are told of everything that happens to either."""

    def counter(name: str) -> Bot:
        bot = Bot(name)

        @bot.message()
        async def count(ctx: Context, visits: Visits) -> None:
            visits.count += 1
            await ctx.reply(f"{name} {visits.count} at {ctx.chat.number}")

        return bot

    both = ("ps_sandbox_number", "ps_sandbox_evolution")
    shop = await stage.work(counter("A"), keys=both, numbers=NUMBERS[:1])
    redis_of_b = await stage.redis()
    help_ = await stage.work(counter("B"), keys=both, numbers=NUMBERS[1:], redis_url=f"unix://{redis_of_b.address.path}")
    for _ in range(3):
        await stage.says("hi", number="num_meta")
    await stage.says("hi", number="num_evolution")
    rows = await stage.sees(4, settled=True)
    await stage.quiet(shop, help_)
    assert sorted(row["text"] for row in rows) == ["A 1 at shop", "A 2 at shop", "A 3 at shop", "B 1 at help"]
    assert {row["text"][0]: row["number"] for row in rows} == {"A": "num_meta", "B": "num_evolution"}
    assert _messages(shop) == {"message.received:ok": 3, "message.received:other-number": 1}
    assert _messages(help_) == {"message.received:ok": 1, "message.received:other-number": 3}


async def test_cross_number_one_installation_keeps_them_apart(stage: Stage, redis: Redis) -> None:
    """State, window and menu of a contact at one number are not those at the other, whatever the body claims beside the id."""
    bot = Bot("both")

    @bot.message()
    async def count(ctx: Context, visits: Visits) -> None:
        visits.count += 1
        await ctx.reply(f"{visits.count} at {ctx.chat.number}")

    runtime = await stage.work(bot, keys=(), numbers=NUMBERS)
    shop, helping = "+551140028922", "+551140028933"
    for name, number, to in (("a", "num_meta", shop), ("b", "num_evolution", shop), ("c", "num_meta", helping)):
        assert (await stage.deliver(runtime.url, wire(name, "hi", numberId=number, to=to)))[0] == 200
    await stage.quiet(runtime)
    rows = [row for row in await stage.rows(ANA) if row["direction"] == "out"]
    found = sorted((row["number"], row["text"]) for row in rows)
    assert found == [("num_evolution", "1 at help"), ("num_meta", "1 at shop"), ("num_meta", "2 at shop")]
    assert len({key.rpartition(":")[2] for key in redis.scan_iter("*:chat:*")}) == 2


def _messages(runtime: Runtime) -> dict[str, int]:
    return {what: times for what, times in runtime.counts.items() if what.startswith("message.received")}


def _texts(redis: Redis) -> list[str]:
    return sorted(key for key in redis.scan_iter() if ":record:" in key or ":chat:" in key or ":lane:" in key)
