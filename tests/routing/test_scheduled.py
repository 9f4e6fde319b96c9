"""Handlers of schedules: what the decorators make and refuse, who takes a run, and that no two have one name."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger

from pilotbot.durations import minutes
from pilotbot.events import ScheduledRun
from pilotbot.events.models import Event, Received
from pilotbot.replies import Action
from pilotbot.routing import Provided, Router, Routes, Selected, Unmatched, WiringError, custom, explain


@dataclass
class Ctx:
    event: Event
    text: str = ""
    action: Action | None = None
    our_phone: str | None = None
    tags: frozenset[str] = frozenset()
    bot_name: str = "bot"
    old: bool = False


def run_of(schedule: str) -> Ctx:
    return Ctx(ScheduledRun(name="schedule.run", id="1", schedule=schedule, due=0))


def routes_of(router: Router) -> Routes:
    return Routes.build(router, context_type=Ctx, provided=Provided())


async def nothing() -> None: ...


def test_the_decorators_read_as_they_were_written() -> None:
    shop = Router("shop")

    @shop.cron("0 9 * * mon-fri", timezone="America/Sao_Paulo", missed="skip")
    async def morning() -> None: ...

    @shop.every(minutes(5), name="a look round")
    async def look(event: ScheduledRun, ctx: Ctx) -> None: ...

    @shop.schedule(CronTrigger(hour=3, timezone=UTC), missed="run")
    async def night() -> None: ...

    assert [handler.decorator for handler in shop.handlers] == [
        '@shop.cron("0 9 * * mon-fri", timezone="America/Sao_Paulo")',
        "@shop.every(minutes(5))",
        "@shop.schedule(<CronTrigger (hour='3', timezone='UTC')>)",
    ]
    schedules = routes_of(shop).schedules
    assert [(each.name, each.missed) for each in schedules] == [("morning", "skip"), ("a look round", "coalesce"), ("night", "run")]


async def test_a_run_goes_to_the_handler_of_its_schedule_and_to_no_other() -> None:
    bot, inner = Router("bot"), Router("inner")
    inner.every(minutes(5), name="inner one")(nothing)
    bot.every(minutes(5), name="first")(nothing)
    bot.include(inner)
    routes = routes_of(bot)
    found = await routes.select(run_of("inner one"))
    assert isinstance(found, Selected)
    assert found.handler.schedule is not None
    assert found.handler.schedule.name == "inner one"
    assert [one.reason for one in found.tried] == ["it is the run of another schedule than first"]
    assert isinstance(await routes.select(run_of("another")), Unmatched)
    assert isinstance(await routes.select(Ctx(Received(name="message.received", id="1", sender="+5511987650001"))), Unmatched)


async def test_a_guard_that_keeps_it_is_named() -> None:
    bot, inner = Router("bot"), Router("inner")
    inner.every(minutes(5), name="kept")(nothing)
    bot.include(inner, custom(lambda ctx: False, "never"))
    found = await routes_of(bot).select(run_of("kept"))
    assert isinstance(found, Unmatched)
    told = explain(run_of("kept"), found.tried)
    assert "custom(never) said no" in told
    assert told.endswith("Filters of an include(...) keep it from its handler.")


def test_two_of_one_name_are_refused_when_the_bot_is_built() -> None:
    bot, inner = Router("bot"), Router("inner")
    bot.every(minutes(5))(nothing)
    inner.every(minutes(7))(nothing)
    bot.include(inner)
    with pytest.raises(WiringError) as caught:
        routes_of(bot)
    told = str(caught.value)
    assert "another schedule is called 'nothing', at " in told
    assert "test_scheduled.py:" in told
    assert "give one of them another name=" in told


@pytest.mark.parametrize(
    ("call", "given", "says"),
    [
        ("cron", ("0 25 * * *",), r'cron\("0 25 \* \* \*"\): .*25'),
        ("cron", ("0 9 * * *", {"timezone": "Sao Paulo"}), "no time zone is called 'Sao Paulo'"),
        ("cron", ("0 9 * * *", {"missed": "all"}), "missed is one of run, skip, coalesce"),
        ("cron", (nothing,), "write cron"),
        ("every", (nothing,), r"write every\(minutes\(5\)\)"),
        ("every", (timedelta(0),), "whole seconds"),
        ("every", (minutes(5), {"name": ""}), "1 to 100 printable characters"),
        ("schedule", ("0 9 * * *",), r"write a trigger of apscheduler\.triggers"),
    ],
)
def test_what_is_wrong_is_refused_where_it_is_written(call: str, given: tuple[Any, ...], says: str) -> None:
    more = given[1] if len(given) > 1 else {}
    with pytest.raises((TypeError, ValueError), match=says) as caught:
        getattr(Router("shop"), call)(given[0], **more)(nothing)
    assert any(entry.path.name == "test_scheduled.py" for entry in caught.traceback if hasattr(entry.path, "name"))
