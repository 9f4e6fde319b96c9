"""README says what is so: its code runs, its commands and variables exist."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pilotbot import Bot, Settings, Template
from pilotbot.cli.main import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_code_builds_a_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotbot.replies.actions._registry", {})  # the example bots have a Track of their own
    first, second = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope: dict[str, object] = {"__name__": "readme"}

    class Orders:
        async def place(self, order_id: str) -> str:
            return order_id

    scope["Orders"] = Orders
    exec(compile(first, "README.md", "exec"), scope)
    bot = scope["bot"]
    assert isinstance(bot, Bot)
    assert len(first.strip().splitlines()) <= 10
    bot.provide(Orders, Orders)
    exec(compile(second, "README.md", "exec"), scope)
    assert [handler.name for handler in bot.build().handlers] == ["order_status", "track"]
    assert all(Template(name).name for name in bot.templates())
    assert bot.templates() == {"order_status"}


def test_its_commands_are_those_of_the_command_line() -> None:
    table = README.split("## The commands")[1].split("##")[0]
    told = set(re.findall(r"^\| `pilotbot (\w+)", table, re.MULTILINE))
    command = get_command(app)
    assert told == set(getattr(command, "commands", {}))


def test_its_variables_are_settings() -> None:
    told = set(re.findall(r"PILOTBOT_[A-Z_]+", README))
    assert told <= {f"PILOTBOT_{name.upper()}" for name in Settings.model_fields}
    examples = set(re.findall(r"PILOTBOT_[A-Z_]+", (ROOT / ".env.example").read_text("utf-8")))
    assert told <= examples


def test_its_files_exist() -> None:
    for path in re.findall(r"`((?:bots|flows|docs|tests|docker)/[\w./-]*)`", README) + re.findall(r"\]\(([\w/.-]+)\)", README):
        assert (ROOT / path).exists(), path
