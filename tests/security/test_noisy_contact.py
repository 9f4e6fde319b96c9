"""S17: one contact who writes as much as they can takes nothing from the others (how much time it costs them: `bench/noisy.py`)."""

import asyncio
import time
from collections import Counter

from redis import Redis

from pilotbot import Bot, Context, events
from pilotbot.engine import Engine, Terms
from pilotbot.server.intake import FLOODING, FLOODING_MOST, Intake, Tell
from pilotbot.settings import NumberSettings
from tests.security.conftest import received, signed
from tests.server.conftest import Serve
from tests.stage import Stage, wire

NOISY = "+5511988000000"
QUIET = [f"+55119870000{n:02}" for n in range(20)]
EACH = 5
POSTS = 1_000
BURST, A_SECOND = 300, 10  # by default


async def test_noisy_contact(stage: Stage) -> None:
    bot = Bot("echo")

    @bot.message()
    async def echo(ctx: Context) -> None:
        await ctx.reply(f"You said {ctx.text}")

    runtime = await stage.work(bot, api_key="ps_sandbox_evolution", number_kind="evolution_v2")
    told: Counter[tuple[int, str]] = Counter()
    left = iter(range(POSTS))
    began = time.monotonic()

    async def noise() -> None:
        for n in left:
            status, body, _ = await stage.deliver(runtime.url, wire(f"noise{n}", "me!", contact=NOISY))
            told[status, body.get("code", "")] += 1

    async def quiet(contact: str) -> None:
        for n in range(EACH):
            status, _, _ = await stage.deliver(runtime.url, wire(f"{contact}{n}", str(n), contact=contact))
            assert status == 200
            await stage.sees(n + 1, contact=contact)

    await asyncio.gather(*(noise() for _ in range(16)), *(quiet(contact) for contact in QUIET))
    for contact in QUIET:
        assert [row["text"] for row in await stage.sees(EACH, contact=contact)] == [f"You said {n}" for n in range(EACH)]
    assert set(told) == {(200, ""), (503, "FLOOD")}
    assert BURST <= told[200, ""] <= BURST + 1 + A_SECOND * (time.monotonic() - began)


async def test_noisy_contact_costs_redis_nothing_while_none_of_its_messages_could_be_taken_in(
    serve: Serve, engine: Engine, redis: Redis
) -> None:
    engine.terms = Terms(contact_gap=100_000, contact_burst=1)
    client, _ = await serve()

    def scripts() -> int:
        return int(redis.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])

    async def post(number: int) -> int:
        raw = received(f"e{number}")
        async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
            return answer.status

    assert [await post(n) for n in range(3)] == [200, 200, 503]
    before, began = scripts(), time.monotonic()
    assert {await post(n) for n in range(3, 103)} == {503}
    assert scripts() - before <= (time.monotonic() - began) / FLOODING_MOST


async def test_noisy_contact_is_asked_for_again_when_time_was_moved_and_many_are_not_remembered_for_ever(engine: Engine) -> None:
    engine.terms = Terms(contact_gap=60_000, contact_burst=1)
    counts: Counter[str] = Counter()
    tell = Tell(lambda _: None, lambda _: None, lambda _: None)
    intake = Intake(engine, [NumberSettings(name="main")], tell, wants=lambda _: True, follow_clock=True, counts=counts)

    async def take(raw: bytes) -> str:
        return await intake.take(events.decode(raw), raw)

    assert [await take(received(f"e{n}")) for n in range(3)] == ["ok", "ok", "flood"]
    await intake.take(events.Clock(name="sandbox.clock", id="", offset=60_000), b"")
    assert await take(received("e3")) == "ok"
    for n in range(FLOODING + 1):
        intake._floods(engine.keys.chat("main", str(n)))
    assert len(intake._flooding) <= FLOODING
