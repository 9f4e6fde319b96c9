"""The page on testing says what is so: its tests pass, its conversations are as written, and its grammar is the parser's."""

import re
from pathlib import Path

import pytest

from pilotbot.target import load_bot
from pilotbot.testing import Platform
from pilotbot.testing.chatfile import parse
from pilotbot.testing.collect import bot_of
from pilotbot.testing.play import play
from pilotbot.testing.report import told

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")

pytest_plugins = ["pytester"]


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)```", text, re.DOTALL | re.MULTILINE)


def test_its_tests_pass(pytester: pytest.Pytester) -> None:
    (conftest,) = blocks(PAGE, "python conftest")
    pytester.makepyfile(
        conftest=conftest, test_page="\n".join([*blocks(PAGE, "python"), *blocks(PAGE, "python fixture"), *blocks(README, "python test")])
    )
    pytester.makefile(".ini", pytest=f"[pytest]\nasyncio_mode = auto\npythonpath = {ROOT}\n")
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=4)  # README's has the name of one of the page's


@pytest.mark.parametrize("text", [*blocks(PAGE, "chat"), *blocks(README, "chat")])
async def test_its_conversations_are_as_written(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    script = parse(text, ROOT / "page.chat")
    outcome = await play(script, bot_of(script))
    assert told(outcome) == ""


def test_its_grammar_parses() -> None:
    table = PAGE.split("### The grammar")[1].split("## In the terminal")[0]
    lines = [line for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for line in re.findall(r"`([^`]+)`", cell)]
    known = {"variable=value": "x=1", "NAME": "follow_up", "FILE": "*", "{...}": "{}", "+55...": "+5511987650002", "\\|": "|"}
    text = "\n".join(lines)
    for word, meant in known.items():
        text = text.replace(word, meant)
    head = [line for line in text.splitlines() if line.startswith(("bot:", "number:", "let"))]
    rest = [line for line in text.splitlines() if line not in head]
    rest.remove("< nothing")
    script = parse("\n".join([*head, "> x", *rest]))
    assert len(script.steps) > 15


def test_what_it_says_of_the_kit_is_there() -> None:
    kit = PAGE.split("## Conversations as files")[0]
    bot = load_bot(str(ROOT / "bots" / "faq.py"))
    pilot = Platform(bot)
    phone = pilot.phone()
    for name in re.findall(r"`(?:await ana\.)?(\w+)\(", kit.split("### What a contact does")[1].split("### What happens")[0]):
        assert hasattr(phone, name) or hasattr(pilot, name), name
    for name in re.findall(r"^\| `(\w+)\(", kit.split("### What happens")[1], re.MULTILINE):
        assert hasattr(pilot, name), name
