"""A number that is disconnected or ill: what waits is kept, nothing is tried but now and then, people are told, and all goes on."""

from typing import Any

import pytest

from pilotbot import Alert, Bot, Context
from pilotbot.engine import Accepted, Arrival, Away
from pilotbot.testing import Platform
from tests.stage import ANA, Stage, wire


class Shop:
    def __init__(self) -> None:
        self.bot = bot = Bot("shop")
        self.alerts: list[tuple[str, str, str]] = []

        @bot.message()
        async def other(ctx: Context) -> None:
            await ctx.reply(f"You said {ctx.text}")

        @bot.alert()
        async def alert(ctx: Context, event: Alert) -> None:
            self.alerts.append((event.what, event.number, event.detail))


def number(change: str, **data: object) -> dict[str, Any]:
    return {"change": change, **data}


async def posts(stage: Stage) -> int:
    return sum(row["direction"] == "out" for row in await stage.rows(ANA))


async def told(stage: Stage, change: str, **data: object) -> None:
    await stage.api("POST", "/sandbox/numbers", {"change": change, **data})


async def test_disconnected_pauses_in_all_processes_and_connected_resumes(stage: Stage) -> None:
    shop, twin = Shop(), Shop()
    one = await stage.work(shop.bot)
    two = await stage.work(twin.bot, webhook=False)
    await told(stage, "disconnected", error="Session closed by the phone", errorCode="CODE")
    await stage.until(lambda: shop.alerts or twin.alerts, "the alert")
    await stage.says("one")
    await stage.says("two")
    await stage.counted(one, "message.received:ok", 2)
    await stage.until(lambda: one.counts["turn:ok"] + two.counts["turn:ok"] == 3, "both to be handled, and the alert")
    assert await posts(stage) == 0
    for runtime in (one, two):
        state = await runtime._readiness()
        assert state["ready"]
        assert "disconnected" in str(state["numbers"])
    await told(stage, "connected")
    assert [row["text"] for row in await stage.sees(2)] == ["You said one", "You said two"]
    await stage.until(lambda: len(shop.alerts + twin.alerts) == 2, "both alerts")
    assert sorted(shop.alerts + twin.alerts) == [
        ("connected", "main", ""), ("disconnected", "main", "CODE Session closed by the phone"),
    ]  # fmt: skip
    assert (await one._readiness())["numbers"] == {}


async def test_where_no_webhook_tells_that_it_is_connected_a_post_that_works_does(stage: Stage) -> None:
    shop = Shop()
    runtime = await stage.work(shop.bot)
    await told(stage, "disconnected")
    await stage.until(lambda: shop.alerts, "the alert")
    await stage.says("one")
    await stage.says("two", contact="+5521998760002")
    await stage.counted(runtime, "turn:ok", 3)
    assert await stage.rows(ANA) == [row for row in await stage.rows(ANA) if row["direction"] == "in"]
    await stage.travel("5m")
    await stage.sees(1)
    await stage.sees(1, contact="+5521998760002")
    assert (await runtime._readiness())["numbers"] == {}


async def test_health_events_pause_and_recovered_resumes() -> None:
    for change in ("health_blocked", "health_shadowban"):
        shop = Shop()
        async with Platform(shop.bot) as pilot:
            ana = pilot.phone()
            await pilot._house.api("POST", "/sandbox/numbers", number(change))
            await pilot._house.api("POST", "/sandbox/inbound", {"from": ana.address, "text": "hi"})
            await until_alerted(pilot, shop, 1)
            assert not [row for row in await pilot._house.api("GET", "/sandbox/messages") if row["direction"] == "out"]
            await pilot._house.api("POST", "/sandbox/numbers", number("recovered"))
            await pilot.rest()
            assert [row["text"] for row in pilot.rows] == ["hi", "You said hi"]
            assert [what for what, *_ in shop.alerts] == [change, "recovered"]


async def until_alerted(pilot: Platform, shop: Shop, count: int) -> None:
    runtime = pilot._house.runtime
    stage = Stage.__new__(Stage)
    await stage.until(lambda: len(shop.alerts) >= count and runtime.counts["turn:ok"] >= count + 1, "the alert and the turn")


async def test_a_connected_that_is_older_than_the_disconnected_changes_nothing(stage: Stage) -> None:
    shop = Shop()
    runtime = await stage.work(shop.bot, webhook=False)
    base = {"numberId": "num_meta", "phone": "+551140028922", "displayName": "Shop"}
    for change, at in (
        ("disconnected", "2026-11-20T10:00:00Z"),
        ("connected", "2026-11-20T09:00:00Z"),
        ("disconnected", "2026-11-20T10:00:00Z"),
    ):
        await stage.deliver(runtime.url, {"event": f"number.{change}", "data": {**base, "createdAt": at}})
    await stage.deliver(runtime.url, wire("m1", "one"))
    await stage.counted(runtime, "turn:ok", 2)
    assert await stage.rows(ANA) == []
    assert [what for what, *_ in shop.alerts] == ["disconnected"]


def change(what: str, at: str, **data: object) -> dict[str, Any]:
    data = {"numberId": "num_meta", "phone": "+551140028922", "displayName": "Shop", "createdAt": f"2026-11-20T{at}:00Z", **data}
    return {"event": f"number.{what}", "data": data}


async def test_the_same_told_again_alerts_once(stage: Stage) -> None:
    shop = Shop()
    runtime = await stage.work(shop.bot, webhook=False)
    for n in range(3):
        await stage.deliver(runtime.url, change("disconnected", f"10:0{n}", id=f"d{n}"))
    await stage.deliver(runtime.url, change("connected", "11:00"))
    await stage.until(lambda: len(shop.alerts) == 2, "both alerts")
    assert [what for what, *_ in shop.alerts] == ["disconnected", "connected"]
    assert (runtime.counts["alert:disconnected"], runtime.counts["alert:connected"]) == (1, 1)


@pytest.mark.parametrize("trouble", ["away", "full"])
async def test_an_alert_that_found_no_place_is_raised_when_it_is_told_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    shop, failing = Shop(), 1
    runtime = await stage.work(shop.bot, webhook=False)
    await stage.deliver(runtime.url, change("disconnected", "10:00"))
    await stage.until(lambda: shop.alerts, "the alert")
    accept = runtime.engine.accept

    async def failing_once(arrival: Arrival) -> Accepted:
        nonlocal failing
        if failing and arrival.id.startswith("alert:"):
            failing = 0
            if trouble == "full":
                return Accepted("full")
            raise Away("gone")
        return await accept(arrival)

    monkeypatch.setattr(runtime.engine, "accept", failing_once)
    answers = [(await stage.deliver(runtime.url, change("connected", "11:00")))[0] for _ in range(3)]
    assert answers == [503, 200, 200]
    await stage.until(lambda: len(shop.alerts) == 2, "the other alert")
    assert [what for what, *_ in shop.alerts] == ["disconnected", "connected"]


async def test_recovered_ends_a_pause_that_was_told_while_a_post_was_refused(stage: Stage) -> None:
    runtime = await stage.work(Shop().bot, webhook=False)
    await stage.faults(latencyMs=800, numberBlocked=True)
    await stage.deliver(runtime.url, wire("m1", "one"))
    await stage.until(runtime._sender.leases, "a post to be under way")
    await stage.deliver(runtime.url, change("health_blocked", "10:00"))
    await stage.until(runtime._sender.pauses, "the post to be refused")
    await stage.faults(latencyMs=0, numberBlocked=False)
    await stage.deliver(runtime.url, change("recovered", "10:01"))
    await stage.deliver(runtime.url, {"event": "sandbox.clock", "data": {"id": "c", "offsetMs": 70_000}})
    await stage.sees(1)
    assert (await runtime._readiness())["numbers"] == {}


async def test_the_words_of_the_platform_are_not_shown_to_everybody(stage: Stage) -> None:
    shop = Shop()
    runtime = await stage.work(shop.bot, webhook=False)
    await stage.deliver(runtime.url, change("disconnected", "10:00", error="call +5511987650001", errorCode="CODE"))
    await stage.until(lambda: shop.alerts, "the alert")
    state = str((await runtime._readiness())["numbers"])
    assert "disconnected: CODE" in state
    assert "+55" not in state


async def test_a_refusal_of_the_number_alerts_as_well(stage: Stage) -> None:
    shop = Shop()
    runtime = await stage.work(shop.bot)
    await stage.faults(disconnected=True)
    await stage.says("one")
    await stage.until(lambda: shop.alerts, "the alert")
    assert [what for what, *_ in shop.alerts] == ["refused"]
    await stage.faults(disconnected=False)
    await stage.travel("61s")
    await stage.sees(1)
    assert runtime.counts["alert:refused"] == 1


async def test_degraded_slows_and_nothing_of_it_comes_from_outside(stage: Stage) -> None:
    shop = Shop()
    runtime = await stage.work(shop.bot)
    await told(stage, "health_degraded")
    await stage.until(lambda: shop.alerts, "the alert")
    assert [what for what, *_ in shop.alerts] == ["health_degraded"]
    for name in ("alert.raised", "handover.started", "handover.ended"):
        body = {"event": name, "data": {"id": "x", "what": "x", "number": "main", "by": "time", "at": 1}}
        status, answer, _ = await stage.deliver(runtime.url, body)
        assert (status, answer["status"]) == (200, "unknown")
    await stage.says("one")
    await stage.sees(1)
    assert len(shop.alerts) == 1
