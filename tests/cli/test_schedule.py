"""`pilotbot schedule`: listed and steered beside a running bot; the coming times of a bot without one."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from pilotbot.cli.schedule import coming, table
from pilotbot.engine.schedules import Stored
from pilotbot.schedule import Schedule, crontab

Invoke = Callable[..., Result]
TIMED = """
from pilotbot import Bot, Context, hours

bot = Bot("shop")


@bot.message()
async def answer(ctx: Context) -> None:
    await ctx.reply("one")


@bot.cron("30 2 * * *", timezone="Europe/Berlin")
async def night() -> None: ...


@bot.every(hours(1), missed="run")
async def hourly(ctx: Context) -> None:
    await ctx.notify("+5511987650001", "an hour")
"""


def test_the_list_is_by_name_in_utc() -> None:
    known = {
        "report": Stored(definition='cron("0 9 * * *", timezone="UTC")', next=1_700_000_000_000, last=1_699_913_600_000, at=1),
        "look": Stored(definition="every(minutes(5))", next=1_700_000_000_000, at=1, paused=True),
        "once": Stored(definition="schedule(...)", next=None, at=1),
    }
    assert table(known) == [
        "NAME    NEXT                  LAST                  TIMES",
        "look    paused                -                     every(minutes(5))",
        "once    -                     -                     schedule(...)",
        'report  2023-11-14 22:13:20Z  2023-11-13 22:13:20Z  cron("0 9 * * *", timezone="UTC")',
    ]
    assert table({}) == ["no schedules; a bot's are known once it ran"]


@pytest.mark.parametrize(
    ("zone", "now", "lines"),
    [
        (
            "Europe/Berlin",
            datetime(2026, 3, 27, 12, tzinfo=UTC),
            [
                "Sat 2026-03-28 02:30:00 +01:00 Europe/Berlin",
                "Sun 2026-03-29 03:30:00 +02:00 Europe/Berlin  (the clocks went forward by 1 h)",
                "Mon 2026-03-30 02:30:00 +02:00 Europe/Berlin",
            ],
        ),
        (
            "Australia/Lord_Howe",
            datetime(2026, 4, 4, 12, tzinfo=UTC),
            ["Sun 2026-04-05 02:30:00 +10:30 Australia/Lord_Howe  (the clocks went back by 30 min)"],
        ),
    ],
)
def test_coming_times_are_in_their_zone_and_tell_when_the_clocks_change(zone: str, now: datetime, lines: list[str]) -> None:
    assert list(coming(Schedule("night", crontab("30 2 * * *", zone)), now, len(lines))) == lines


def test_next_needs_no_settings_and_no_redis(bot_file: Path, invoke: Invoke, desk: Path) -> None:
    bot_file.write_text(TIMED)
    shown = invoke("schedule", "next", "shop.py", "-n", "2")
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == 'night  cron("30 2 * * *", timezone="Europe/Berlin")'
    assert lines[4] == "hourly  every(hours(1))"
    assert [line.startswith("  ") for line in lines] == [False, True, True, False, False, True, True]
    assert not (desk / ".pilotbot").exists()


def test_next_of_a_bot_without_schedules_says_how_to_have_one(bot_file: Path, invoke: Invoke) -> None:
    shown = invoke("schedule", "next", "shop.py")
    assert shown.exit_code == 0
    assert "@bot.cron(" in shown.stdout


def test_a_wrong_expression_is_told_with_file_and_line(bot_file: Path, invoke: Invoke) -> None:
    bot_file.write_text(TIMED.replace("30 2 * * *", "30 26 * * *"))
    refused = invoke("check", "shop.py")
    assert refused.exit_code == 1
    assert 'shop.py:12: ValueError: cron("30 26 * * *"): ' in refused.stderr
    bot_file.write_text(TIMED.replace("async def hourly", "async def night"))
    refused = invoke("check", "shop.py")
    assert refused.exit_code == 1
    assert "another schedule is called 'night', at shop.py:12" in refused.stderr


def test_listed_run_paused_and_resumed_beside_the_bot(dev: Any, bot_file: Path, invoke: Invoke) -> None:
    bot_file.write_text(TIMED)
    dev.command.until("shop listens on")
    dev.phone.write("hi")
    dev.phone.until("one")

    listed = invoke("schedule", "list")
    assert listed.exit_code == 0, listed.output
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert names == ["NAME", "hourly", "night"]

    assert invoke("schedule", "run", "hourly").stdout == "a run of hourly is taken in\n"
    dev.phone.until("one", "an hour")
    assert invoke("schedule", "pause", "hourly").stdout == "hourly rests; what was taken in before still runs\n"
    assert "paused" in invoke("schedule", "list").stdout
    dev.phone.travel("3h")
    assert invoke("schedule", "resume", "hourly").exit_code == 0
    dev.phone.write("hi")
    dev.phone.until("one", "an hour", "one")
    dev.phone.travel("1h")
    dev.phone.until("one", "an hour", "one", "an hour")

    for verb in ("run", "pause", "resume"):
        unknown = invoke("schedule", verb, "weekly")
        assert unknown.exit_code == 1
        assert "no schedule is called 'weekly'; known: hourly, night" in unknown.stderr
    dev.command.end()
    assert invoke("schedule", "run", "night", "--data", ".pilotbot").stdout.endswith("it counts when one is.\n")
