"""`pilotbot check`: local mistakes, with file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Invoke = Callable[..., Result]


def test_a_good_bot_lists_its_handlers_in_order(invoke: Invoke, bot_file: Path) -> None:
    bot_file.write_text(bot_file.read_text() + "\n\n@bot.unhandled()\nasync def last(ctx: Context) -> None: ...\n")
    result = invoke("check", "shop.py")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "shop.py:7   answer  @bot.message()",
        "shop.py:12  last    @bot.unhandled()",
        "shop: 2 handlers, nothing wrong",
    ]


def test_a_broken_bot_is_placed_by_file_and_line(invoke: Invoke, bot_file: Path) -> None:
    bot_file.write_text(bot_file.read_text().replace("ctx: Context", "ctx: Context, orders: dict"))
    result = invoke("check", "shop.py")
    assert result.exit_code == 1
    assert result.stderr.startswith("pilotbot: 1 problem in the wiring of the bot:\n  shop.py:7 answer @bot.message()\n")
    assert "nobody provides dict" in result.stderr


def test_mistakes_in_the_code_are_listed_with_file_and_line(invoke: Invoke, bot_file: Path) -> None:
    bot_file.write_text(bot_file.read_text().replace("await ctx.reply", "ctx.reply") + "    ctx.notify('+5511987650001', 'two')\n")
    result = invoke("check", "shop.py")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "pilotbot: 2 mistakes in the code of the bot:",
        "  shop.py:9: nothing is sent without await: write `await ctx.reply(...)`",
        "  shop.py:10: nothing is sent without await: write `await ctx.notify(...)`",
    ]


def test_what_is_worth_a_look_is_a_warning(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, bot_file: Path) -> None:
    monkeypatch.setenv("PILOTBOT_REDISURL", "hunter2")
    bot_file.write_text(bot_file.read_text().replace('"one"', '"{{ one }}"'))
    result = invoke("check", "shop.py")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-3:] == [
        "warning: shop.py:9: a plain str goes out as it is, with its braces: make it a Message(...)",
        "warning: PILOTBOT_REDISURL: is no setting; did you mean PILOTBOT_REDIS_URL?",
        "shop: 1 handler, 2 warnings",
    ]


@pytest.mark.parametrize(
    ("given", "exit_code", "words"),
    [
        ({}, 0, ""),
        ({"PILOTBOT_API_KEY": "k"}, 1, "PILOTBOT_WEBHOOK_SECRET: is not set"),
        ({"PILOTBOT_PORT": "many"}, 1, "PILOTBOT_PORT"),
        ({"PILOTBOT_API_KEY": "k", "PILOTBOT_WEBHOOK_SECRET": "s"}, 0, ""),
    ],
)
@pytest.mark.usefixtures("bot_file")
def test_settings_are_checked_where_there_are_any(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], exit_code: int, words: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    result = invoke("check", "shop.py")
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert "API_KEY: is not set" not in result.stderr
