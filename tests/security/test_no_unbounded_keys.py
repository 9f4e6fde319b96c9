"""S22: after a day on which everything happens, each key of Redis has an end or a bound, and what has an end goes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from redis import Redis

from pilotbot import Bot, Cap, Context, Delivery, Option, Policy, Retry, State, Template, days, hours, minutes, words
from pilotbot.contacts import canonical
from pilotbot.engine import Effects, Engine, Item, Notice
from pilotbot.engine.merge import Move
from pilotbot.testing import Platform
from tests.bounds import DAY, ROWS, breaches, kind_of, let_pass
from tests.engine.steps import HOUR, arrival, claim, lane_of, place, queue

FOLLOW_UP = Template("follow_up")
SHARED, OTHER = "+5511987650001", "+5511987650002"
MOMENTARY = {
    "ready",
    "lane:ready",
    "scheduled",
    "recent",
    "relay",
    "relay:items",
    "seen",
    "looking",
    "unfinished:asked",
    "down",
    "slowed",
    "echoes",
    "echoes:payload",
    "moves",
}  # fmt: skip - hardly to be caught while a bot is at work


class Visits(State):
    n: int = 0


class Watched:
    """A platform with its Redis: every look notes which kinds of keys there are, and that none is beyond its row."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.bot = self._shop()
        self.pilot = Platform(self.bot, templates={"care": "Hi {{name}}"})

    def open(self) -> None:
        url = self.pilot._house.settings.redis_url
        assert url is not None
        self.redis = Redis.from_url(url.get_secret_value(), decode_responses=True)

    def look(self, *, at_rest: bool = False) -> None:
        kinds = {key: kind_of(key) for key in self.redis.scan_iter()}
        self.seen |= {kind for kind in kinds.values() if kind}
        assert breaches(self.redis, at_rest=at_rest) == []

    def _shop(self) -> Bot:
        bot = Bot("shop")

        @bot.message(words("order"))
        async def order(ctx: Context, visits: Visits) -> None:
            visits.n += 1
            await ctx.reply("one moment", now=True)
            self.look()
            await ctx.reply("What is it?", options=[Option("Pay"), Option("Cancel")])
            await ctx.follow_up(hours(20), "Did it arrive?", unless_replied=True)
            await ctx.follow_up("Still there?", before_window_closes=minutes(30))
            await ctx.notify("+5511987650009", "Somebody ordered", template=FOLLOW_UP)

        @bot.message(words("break"))
        async def fail(ctx: Context) -> None:
            raise ValueError("no such order")

        @bot.message(words("again"))
        async def later(ctx: Context) -> None:
            raise Retry(minutes(1))

        @bot.message()
        async def other(ctx: Context) -> None:
            await ctx.reply(f"You said {ctx.text}")

        @bot.group()
        async def chatter(ctx: Context) -> None:
            self.look()

        @bot.status("read")
        async def read(ctx: Context) -> None:
            self.look()

        @bot.every(hours(1), name="hourly")
        async def hourly(ctx: Context) -> None:
            self.look()
            await ctx.notify(SHARED, "An hour went by.", template=FOLLOW_UP)

        return bot


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    found = Watched()
    async with found.pilot.unchecked():
        found.open()
        yield found
        found.redis.close()


async def a_day_of_everything(watched: Watched) -> None:
    pilot = watched.pilot
    ana, bruno, carla, dora = (pilot.phone(f"+551198765000{n}") for n in (1, 2, 3, 4))
    await ana.says("order")
    await ana.taps("Pay")
    await bruno.says("order")
    await carla.says("break")
    await carla.says("again")
    await dora.says("stop")
    await pilot.notify(dora, "Sale!", template=FOLLOW_UP)
    await dora.says("start")
    await ana.says("hello", to=pilot.group())
    await pilot.notify("+5511987650005", "Do you like it?")  # held: they never wrote
    await pilot.notify(bruno, "x" * 5000, template=FOLLOW_UP)  # several messages
    await pilot.notify(bruno, "Later!", policy=Policy(cap=Cap(2, days(7))), delivery=Delivery(at=datetime.now(UTC) + hours(5)))
    await pilot.bot.follow_up("+5511987650006", hours(30), "How is it?", template=FOLLOW_UP, key="care")
    told = {
        "numberId": pilot.number_id("main"),
        "id": "e1",
        "messageId": "wamid.e1",
        "from": "+5511987650007",
        "userId": "BR.77",
        "type": "text",
    }
    await pilot.event({"event": "message.received", "data": {**told, "content": "hello"}})
    await pilot.event({"event": "number.connected", "data": {"numberId": pilot.number_id("main"), "id": "n1"}})
    await pilot.bot.handover("+5511987650008", "sales", for_=hours(30))
    await pilot.person_writes(carla, "I see to it myself.")
    await pilot.phone("+5511987650008").says("is anybody there?")
    for faults in ({"http500": 6}, {"http429": 2}, {"accept_then_drop": 2}, {"number_blocked": 2}):
        await pilot.faults(**faults)
        await ana.says("are you there?")
        watched.look()
    await pilot.restart()
    watched.look(at_rest=True)
    for hour in range(24):
        await pilot.travel(hours=1)
        if hour % 6 == 3:
            await bruno.says("order")
            await pilot.redeliver(last=5)
        watched.look(at_rest=True)


async def test_no_unbounded_keys(watched: Watched) -> None:
    await a_day_of_everything(watched)
    never = set(ROWS) - watched.seen
    assert never <= MOMENTARY, "a row of what is never there says nothing"
    assert {letter.reason for letter in await watched.pilot.dead_letters()} >= {"ValueError"}


async def test_no_unbounded_keys_what_is_there_for_a_moment(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "hi"))
    notice = Notice(place=place(engine, "bruno"), items=(Item(id="n", free=b"x"),))
    await engine.commit(await claim(engine), Effects(notices=(notice,)), keep=False, send=False)
    await queue(engine, Item(id="one", free=b"x"))
    await engine.record(await lane_of(engine), "p1")
    await queue(engine, Item(id="capped", free=b"x", cap=(2, DAY)), who="carla")
    carla = await lane_of(engine, "carla")
    await engine.scheduled(carla.key, carla.item.id, "p2", HOUR)
    await engine.accept(arrival(engine, "hello", who="dora"))
    await queue(engine, Item(id="two", free=b"x"), who="bruno")
    await engine.down("main", None, HOUR, "disconnected")
    await engine.slow("main", None, HOUR)
    await engine.handovers.wait(place(engine).key, "e", b"x")
    await engine.seen.saw("main", 1)
    await engine.seen.want("main")
    assert await engine.merges.open(Move(place(engine).key, place(engine, "bruno").key, "+5511987650001"))
    assert await engine.seen.begin("main", "somebody") is not None
    await engine.advance(HOUR)
    for shard in range(engine.shards):
        await engine.unfinished(shard)
    assert {kind_of(key) for key in redis.scan_iter()} >= MOMENTARY
    assert breaches(redis, at_rest=False) == []


async def test_no_unbounded_keys_what_has_an_end_goes(watched: Watched) -> None:
    pilot = watched.pilot
    ana = pilot.phone(OTHER)
    await ana.says("order")
    await pilot.notify(ana, "Sale!", template=FOLLOW_UP)
    engine = pilot._house.runtime.engine
    chat = engine.keys.chat("main", canonical(OTHER))

    async def ended() -> int:
        return watched.redis.zcount(f"{{pb:{chat.shard}}}:dedupe:{chat.id}", "-inf", (await engine.chat(chat)).now)

    assert await ended() == 0
    await pilot.travel(days=8.1)
    assert await ended() >= 4  # two ids for the message, two answers that were read
    await ana.says("hello")
    assert await ended() == 0  # what ended by business time goes with the next message
    let_pass(watched.redis, 401)
    assert {kind_of(key) for key in watched.redis.scan_iter()} <= {kind for kind, row in ROWS.items() if row.ttl is None}


@pytest.mark.parametrize(
    ("key", "make", "says"),
    [
        ("{pb:0}:newcomer:0123456789abcdef", "set", "is not on the list"),
        ("{pb:0}:record:0123456789abcdef", "hset", "ends in -1 ms"),
        ("{pb:0}:wamid:0123456789abcdef", "set", "ends in -1 ms"),
        ("{pb:0}:lane:0123456789abcdef", "rpush", "has 201 members, more than 200"),
        ("{pb:0}:timers", "zadd", "has 201 members for 0 of chat"),
        ("{pb:0}:relay", "zadd", "is there, though nothing is under way"),
        ("{pb:0}:echoes", "zadd", "is there, though nothing is under way"),
        ("{pb:0}:dead", "hset", "is a hash"),
        ("else", "set", "is not on the list"),
    ],
)
def test_no_unbounded_keys_a_newcomer_or_one_without_end_is_named(redis: Redis, key: str, make: str, says: str) -> None:
    assert breaches(redis) == []
    many = {str(n): n for n in range(201)}
    match make:
        case "set":
            redis.set(key, "1")
        case "hset":
            redis.hset(key, "a", "1")
        case "rpush":
            redis.rpush(key, *many)
        case "zadd":
            redis.zadd(key, many)
    (wrong,) = breaches(redis)
    assert wrong.startswith(f"{key}: {says}")


def test_no_unbounded_keys_passing_time_ends_what_is_due_and_nothing_else(redis: Redis) -> None:
    redis.set("a", "1", px=2 * DAY)
    redis.set("b", "1", px=4 * DAY)
    redis.set("c", "1")
    let_pass(redis, 3)
    assert sorted(redis.scan_iter()) == ["b", "c"]
    assert 0 < redis.pttl("b") <= DAY
