"""Forgotten is forgotten: no key, no byte, in memory or on disk; but for a no, and for when it was."""

import asyncio
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis

from pilotbot import Bot, Context, Option, Retry, Skipped, State, Template, hours, minutes, words
from pilotbot.contacts import canonical
from pilotbot.engine import Engine, Item, Notice, Place
from pilotbot.engine.keys import compact, spread
from pilotbot.server import Runtime
from pilotbot.server.forgetting import export
from pilotbot.server.recipients import OPTED_OUT
from pilotbot.server.saying import Numbers
from pilotbot.settings import NumberSettings
from tests.stage import ANA, BRUNO, Stage, wire

FOLLOW_UP = Template("follow_up")
BSUID = "BR.424242424242"
EVOLUTION: dict[str, Any] = {"keys": ("ps_sandbox_evolution",), "api_key": "ps_sandbox_evolution", "number_kind": "evolution_v2"}
CANARY = "quetzalcoatl"  # in whatever she says and is told
EVERY = {
    "chat", "mailbox", "dedupe", "emitted", "lane", "hold", "leads", "kept", "recent", "record", "content", "wamid", "alias", "consent",
    "ready", "timers", "dead", "relay", "echoes", "humans", "unfinished", "newcomer",
}  # fmt: skip
TRACES = (b"87650001", BSUID.encode(), CANARY.encode(), b"Ana Souza")


class Notes(State, name="notes_of_forget"):
    text: str = ""


@pytest.fixture
def raw(redis: Redis, redis_socket: Path) -> Iterator[Redis]:
    """A client that reads bytes."""
    client = Redis(unix_socket_path=str(redis_socket))
    yield client
    client.close()


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message(words("order"))
    async def order(ctx: Context, notes: Notes) -> None:
        notes.text = ctx.text
        ctx.tag(CANARY)
        await ctx.reply("one moment", now=True)
        await ctx.reply(f"What is it, {CANARY}?", options=[Option("Pay"), Option(f"Cancel {CANARY}")])
        await ctx.follow_up(hours(20), f"Did it arrive, {CANARY}?", template=FOLLOW_UP)
        await ctx.follow_up(f"Still there, {CANARY}?", before_window_closes=minutes(30), key=f"key {CANARY}")
        await ctx.notify(BRUNO, "somebody ordered", template=FOLLOW_UP)

    @bot.message(words("break"))
    async def fail(ctx: Context) -> None:
        raise ValueError(ctx.text)

    @bot.message(words("later"))
    async def later(ctx: Context) -> None:
        raise Retry(minutes(10))

    @bot.message(words("human"))
    async def human(ctx: Context) -> None:
        await ctx.handover("sales", note=CANARY)

    @bot.status("read", "failed")
    async def read(ctx: Context) -> None:
        pass

    @bot.message()
    async def other(ctx: Context, notes: Notes) -> None:
        await ctx.reply(f"You said {ctx.text}, before that {notes.text or 'nothing'}")

    return bot


def traces(redis: Redis, chats: Sequence[str] = ()) -> list[str]:
    """Where something of her is left: names, contents as they are, and contents as Redis would write them."""
    needles = [*TRACES, *(name.encode() for chat in chats for name in (chat, compact(chat)))]
    found = []
    for key in redis.scan_iter(count=1000):
        bodies = [key, redis.dump(key) or b"", *contents(redis, key)]
        bodies += [zlib.decompress(body) for body in bodies if body[:2] == b"x\x9c"]
        found += [f"{key!r}: {needle!r}" for needle in needles if any(needle in body for body in bodies)]
    tombstones = tuple(f":chat:{chat}'" for chat in chats)
    return [one for one in found if not any(tombstone in one for tombstone in tombstones)]


def contents(redis: Redis, key: bytes) -> list[bytes]:
    match redis.type(key):
        case b"string":
            found: list[Any] = [redis.get(key) or b""]
        case b"hash":
            found = [part for pair in redis.hgetall(key).items() for part in pair]
        case b"list":
            found = list(redis.lrange(key, 0, -1))
        case b"zset":
            found = list(redis.zrange(key, 0, -1))
        case other:
            raise AssertionError(f"{key!r} is a {other!r}")
    return found


def on_disk(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix in {".aof", ".rdb"}]
    assert files
    return [f"{path.name}: {needle!r}" for path in files for needle in TRACES if needle in path.read_bytes()]


def kinds(redis: Redis) -> set[str]:
    return {key.decode().partition("}:")[2].partition(":")[0] for key in redis.scan_iter()}


def scraps(engine: Engine, redis: Redis, sent: str) -> None:
    """What is there for a moment only, or after what this bot does not do."""
    chat = engine.keys.chat("main", canonical(ANA))
    item = Item(id="0" * 32, free=CANARY.encode(), business=True)
    place = Place(key=chat, number="main", kind="contact", address=ANA)
    other = f"{{pb:{1 - chat.shard}}}"
    redis.hset(f"{other}:relay:items", item.id, Notice(place=place, items=(item,)).pack())
    redis.zadd(f"{other}:relay", {item.id: 9e15})
    here = f"{{pb:{chat.shard}}}"
    redis.hset(f"{here}:echoes:payload", f"{chat.id}:later", CANARY)
    redis.zadd(f"{here}:echoes", {f"{chat.id}:later": 9e15})
    redis.rpush(f"{here}:hold:{chat.id}", item.pack())
    redis.zadd(f"{here}:hold:due", {chat.id: 9e15})
    redis.zadd(f"{here}:humans", {chat.id: 9e15})
    redis.hset(f"{here}:leads:{chat.id}", CANARY, "free")
    redis.hset(f"{here}:emitted:{chat.id}", CANARY, "1")
    redis.zadd(f"{here}:recent:{chat.id}", {CANARY: 1})
    redis.zadd(f"{{pb:{engine.keys.record(sent).shard}}}:unfinished", {sent: 9e15})
    redis.set(f"{here}:newcomer:{chat.id}", CANARY)


def chats_of(engine: Engine) -> list[str]:
    return [engine.keys.chat("main", canonical(who)).id for who in (ANA, BSUID)]


async def everything(stage: Stage, bot: Bot, runtime: Runtime) -> None:
    """All that can be kept of a contact, under both addresses."""

    def told(name: str, text: str, **more: Any) -> dict[str, Any]:
        return wire(name, f"{text} {CANARY}", numberId=None, **more)

    for body in (
        told("one", "order", contact=BSUID), told("two", "order", userId=BSUID), told("three", "break"), told("four", "hello"),
    ):  # fmt: skip
        assert (await stage.deliver(runtime.url, body))[0] == 200
    await stage.until(lambda: runtime.counts["dead:ValueError"], "a dead letter")
    await stage.quiet(runtime)
    unknown = {"numberId": None, "messageId": f"wamid.{CANARY}", "id": f"id-{CANARY}", "fromMe": True, "to": ANA, "content": CANARY}
    await stage.deliver(runtime.url, {"event": "message.read", "data": {**unknown, "createdAt": "2026-11-20T13:00:02.114Z"}})
    await bot.opt_in(ANA, f"she said {CANARY}", purpose="marketing")
    await bot.handover(ANA, note=CANARY)
    await stage.deliver(runtime.url, told("five", "to the person"))
    chat = runtime.engine.keys.chat("main", canonical(ANA))
    await stage.until(lambda: runtime.engine.kept(chat), "a message to be kept for the person")
    await stage.faults(http500=True)
    assert not isinstance(await bot.notify(ANA, f"sent? {CANARY}", template=FOLLOW_UP), Skipped)
    await bot.hand_back(ANA)
    await bot.follow_up(ANA, hours(20), f"Did you like it, {CANARY}?", template=FOLLOW_UP, key=f"key {CANARY}")
    await stage.deliver(runtime.url, told("six", "later"))
    await stage.counted(runtime, "turn:retry", 2)


async def test_nothing_is_left_of_who_is_forgotten_in_memory_and_on_disk(stage: Stage, tmp_path: Path) -> None:
    server = await stage.redis()
    bot = shop()
    runtime = await stage.work(bot, redis_url=f"unix://{server.address.path}", **EVOLUTION)
    await everything(stage, bot, runtime)
    redis = Redis(unix_socket_path=str(server.address.path))
    engine = runtime.engine
    chats = chats_of(engine)
    sent = (await stage.rows(ANA))[-1]["id"]
    scraps(engine, redis, sent)
    assert kinds(redis) >= EVERY
    assert len(traces(redis, chats)) > 30
    assert on_disk(tmp_path / "redis")
    kept = await export(engine, Numbers([NumberSettings(name="main", kind="evolution_v2")]), ANA)
    text = orjson.dumps(kept).decode()
    assert {chat["number"] for chat in kept["chats"]} == {"main"}  # type: ignore[attr-defined]
    for part in (f"order {CANARY}", f"she said {CANARY}", f"You said hello {CANARY}", f"Did you like it, {CANARY}?", f"break {CANARY}",
                 f"later {CANARY}", f"sent? {CANARY}", "follow_up", "notes_of_forget", BSUID):  # fmt: skip
        assert part in text, part
    await bot.forget(ANA)
    assert traces(redis, chats) == []
    assert not any(sent.encode() in body for key in redis.scan_iter() for body in contents(redis, key))
    left: list[dict[Any, Any]] = [redis.hgetall(f"{{pb:{engine.keys.place(chat).shard}}}:chat:{chat}") for chat in chats]
    assert [set(fields) for fields in left] == [{b"gone"}] * 2
    pointers = [engine.keys.place(spread(*contents(redis, key))) for key in redis.scan_iter(match="*:wamid:*")]
    assert all(redis.exists(f"{{pb:{place.shard}}}:record:{place.id}") for place in pointers)  # of others
    assert on_disk(tmp_path / "redis") == []
    assert await export(engine, Numbers([NumberSettings(name="main")]), ANA) == {
        "addresses": [ANA], "consent": [], "chats": [], "messages": [], "dead_letters": [], "notices": [],
    }  # fmt: skip
    redis.close()


async def test_who_writes_again_is_new_and_what_they_wrote_before_is_not_taken_in(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    await stage.says("order")
    await stage.quiet(runtime)
    old = wire("old", "an old one")
    await stage.travel("1m")
    await bot.forget(ANA)
    status, answer, _ = await stage.deliver(runtime.url, old)
    assert (status, answer["status"]) == (200, "forgotten")
    await stage.says("hello")
    await stage.quiet(runtime)
    assert (await stage.rows(ANA))[-1]["text"] == "You said hello, before that nothing"


async def test_a_no_is_kept_without_what_they_said_and_holds_when_they_write_again(stage: Stage) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    await stage.says("stop")
    await stage.quiet(runtime)
    await bot.forget(ANA)
    assert await bot.notify(ANA, "Sale!", template=FOLLOW_UP) == Skipped(OPTED_OUT)
    ((entry,),) = [(await runtime.engine.consents.of(runtime.engine.keys.person(canonical(ANA))))[1]]
    assert (entry.what, entry.evidence, entry.source) == ("out", "", "forgotten")


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_turn_that_runs_meanwhile_brings_nothing_back(stage: Stage, raw: Redis, at_once: bool) -> None:
    bot = Bot("shop")
    begun, go_on = asyncio.Event(), asyncio.Event()

    @bot.message(words("hello"))
    async def quick(ctx: Context) -> None:
        pass

    @bot.message()
    async def slow(ctx: Context, notes: Notes) -> None:
        begun.set()
        await go_on.wait()
        await ctx.reply(f"At once {CANARY}", now=at_once)
        notes.text = CANARY
        await ctx.opt_in(f"said {CANARY}")
        await ctx.reply(f"Hello {CANARY}")

    runtime = await stage.work(bot)
    await stage.says(CANARY)
    await begun.wait()
    await bot.forget(ANA)
    go_on.set()
    await stage.says("hello", contact=BRUNO, name="Bruno Lima")
    await stage.counted(runtime, "turn:ok", 1)
    await stage.quiet(runtime)
    assert traces(raw, chats_of(runtime.engine)) == []
    assert await stage.sees(0) == []


async def test_what_is_being_posted_meanwhile_leaves_no_record(stage: Stage, raw: Redis) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    await stage.faults(latencyMs=400)
    await bot.notify(ANA, CANARY, template=FOLLOW_UP)
    await stage.until(lambda: runtime._sender._deadlines, "the post")
    await bot.forget(ANA)
    await stage.faults(latencyMs=0)
    await stage.sees(1, settled=True)
    await stage.quiet(runtime)
    assert traces(raw, chats_of(runtime.engine)) == []


async def test_a_status_that_comes_later_is_not_kept_for_handlers_and_that_of_others_is(stage: Stage, raw: Redis) -> None:
    bot = shop()
    runtime = await stage.work(bot)
    await stage.says("hello")
    await stage.quiet(runtime)
    await bot.forget(ANA)
    for who in (ANA, BRUNO):
        read = {"numberId": "num_meta", "id": f"read by {who[-1]}", "fromMe": True, "to": who, "content": "x"}
        await stage.deliver(runtime.url, {"event": "message.read", "data": {**read, "createdAt": "2026-11-20T13:00:02.114Z"}})
    assert traces(raw) == []
    assert any(BRUNO.encode() in body for key in raw.scan_iter(match="*:content:*") for body in contents(raw, key))


@pytest.mark.parametrize("spelled", ["+551187650001", BSUID])
async def test_by_any_of_their_addresses(stage: Stage, raw: Redis, spelled: str) -> None:
    bot = shop()
    runtime = await stage.work(bot, **EVOLUTION)
    await stage.deliver(runtime.url, wire("one", f"order {CANARY}", userId=BSUID, numberId=None))
    await stage.counted(runtime, "turn:ok", 1)
    await stage.quiet(runtime)
    await bot.forget(spelled)
    assert traces(raw) == []
    await stage.deliver(runtime.url, wire("two", "hello", userId=BSUID, numberId=None, createdAt="2036-11-20T13:00:02.114Z"))
    assert await runtime.engine.alias(BSUID) == ANA  # learned anew
