"""`pilotbot test`: files played from the command line, what is shown, and how it ends."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import BOT, Invoke

GOOD = "> hello\n< one\n"
BAD = "> hello\n< two\n"


@pytest.fixture
def chats(desk: Path) -> Path:
    """A directory with a bot beside it and files in it."""
    (desk / "shop.py").write_text(BOT, "utf-8")
    folder = desk / "chats"
    folder.mkdir()
    (folder / "good.chat").write_text(f"bot: ../shop.py\n{GOOD}", "utf-8")
    return folder


def test_all_is_as_written(chats: Path, invoke: Invoke) -> None:
    (chats / "deeper").mkdir()
    (chats / "deeper" / "also.chat").write_text(f"bot: shop.py\n{GOOD}", "utf-8")  # from the working directory
    done = invoke("test", "chats")
    assert done.exit_code == 0, done.output
    assert "✓ chats/deeper/also.chat" in done.output
    assert "✓ chats/good.chat" in done.output
    assert "2 passed in " in done.output


def test_what_is_otherwise_is_shown_with_its_line_and_ends_with_1(chats: Path, invoke: Invoke) -> None:
    (chats / "bad.chat").write_text(f"bot: ../shop.py\n{BAD}", "utf-8")
    done = invoke("test", "chats")
    assert done.exit_code == 1
    assert "✗ chats/bad.chat" in done.output
    assert "chats/bad.chat:3: the bot answered otherwise" in done.output
    assert "     3 - < two\n       + < one\n" in done.output
    assert "1 passed, 1 failed in " in done.output
    assert "-> answer  (" not in done.output
    assert "-> answer  (" in invoke("test", "chats", "--whole").output


def test_a_mistake_in_a_file_is_located_and_ends_with_2(chats: Path, invoke: Invoke) -> None:
    (chats / "bad.chat").write_text("bot: ../shop.py\n> hello\nhello again\n", "utf-8")
    done = invoke("test", "chats")
    assert done.exit_code == 2
    assert "chats/bad.chat:3:1: " in done.output
    assert "1 passed, 1 could not be played in " in done.output


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("", "which bot?"),
        ("bot: nowhere.py\n", "there is no such file"),
        ("bot: ../broken.py\n", "broken.py:1"),
        ("bot: ../wiring.py\n", "nobody provides"),
    ],
)
def test_a_bot_that_cannot_be_had(chats: Path, invoke: Invoke, head: str, told: str) -> None:
    (chats.parent / "broken.py").write_text("import nonsense_of_no_package\n", "utf-8")
    wiring = BOT.replace("ctx: Context", "ctx: Context, shop: Shop").replace("bot = Bot", "class Shop: ...\n\nbot = Bot")
    (chats.parent / "wiring.py").write_text(wiring, "utf-8")
    (chats / "good.chat").write_text(f"{head}{GOOD}", "utf-8")
    done = invoke("test", "chats")
    assert done.exit_code == 2
    assert told in done.output


def test_another_bot_can_be_named(chats: Path, invoke: Invoke) -> None:
    (chats / "good.chat").write_text(GOOD, "utf-8")
    assert invoke("test", "chats", "--bot", "shop.py").exit_code == 0
    assert invoke("test", "chats", "--bot", "shop.py:bot").exit_code == 0


def test_the_terminal_obeys_nothing_that_a_bot_wrote(chats: Path, invoke: Invoke) -> None:
    (chats.parent / "shop.py").write_text(BOT.replace('"one"', '"\\x1b[2Jone"'), "utf-8")
    done = invoke("test", "chats", "--whole")
    assert "␛[2Jone" in done.output
    assert "\x1b[2J" not in done.output


def test_update_accepts(chats: Path, invoke: Invoke) -> None:
    bad = chats / "bad.chat"
    bad.write_text(f"# mine\nbot: ../shop.py\n{BAD}", "utf-8")
    done = invoke("test", "chats", "--update")
    assert done.exit_code == 0
    assert "↻ chats/bad.chat" in done.output
    assert "1 passed, 1 updated" in done.output
    assert bad.read_text("utf-8") == f"# mine\nbot: ../shop.py\n{GOOD}"
    assert invoke("test", "chats").exit_code == 0


def test_some_of_them_and_only_up_to_the_first_failure(chats: Path, invoke: Invoke) -> None:
    for name in ("a", "b"):
        (chats / f"{name}.chat").write_text(f"bot: ../shop.py\n{BAD}", "utf-8")
    assert invoke("test", "chats", "-k", "GOOD").exit_code == 0
    done = invoke("test", "chats", "-x")
    assert "1 failed, 2 not tried" in done.output


def test_a_report_for_build_servers(chats: Path, invoke: Invoke) -> None:
    (chats / "bad.chat").write_text(f"bot: ../shop.py\n{BAD}", "utf-8")
    assert invoke("test", "chats", "--junit", "reports/out.xml").exit_code == 1
    (suite,) = ET.parse("reports/out.xml").getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    assert suite[0][0].attrib["message"].startswith("chats/bad.chat:3: ")


@pytest.mark.parametrize(("words", "told"), [(("nowhere",), "no such file or directory"), (("chats", "-k", "nothing"), "no .chat file")])
def test_nothing_to_play_is_told(chats: Path, invoke: Invoke, words: tuple[str, ...], told: str) -> None:
    done = invoke("test", *words)
    assert done.exit_code == 1
    assert told in done.output
