"""From a target to its bot, and what is said where that fails."""

import sys
from pathlib import Path

import pytest

from pilotbot.target import TargetError, directory, load_bot, split

ONE = 'from pilotbot import Bot\nbot = Bot("one")\n'
TWO = 'from pilotbot import Bot\nfirst = Bot("first")\nsecond = Bot("second")\n'


def write(desk: Path, name: str, text: str) -> str:
    path = desk / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return name


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("bots/orders.py", ("bots/orders.py", None)),
        ("bots/orders.py:bot", ("bots/orders.py", "bot")),
        ("shop.main:bot", ("shop.main", "bot")),
        ("shop.main", ("shop.main", None)),
        (r"C:\bots\orders.py", (r"C:\bots\orders.py", None)),
        (":bot", (":bot", None)),
    ],
)
def test_a_target_is_a_place_and_perhaps_a_name(target: str, parts: tuple[str, str | None]) -> None:
    assert split(target) == parts


def test_a_file_with_one_bot_needs_no_name(desk: Path) -> None:
    assert load_bot(write(desk, "one.py", ONE)).name == "one"


def test_a_module_is_found_in_the_working_directory(desk: Path) -> None:
    write(desk, "cli_shop/__init__.py", "")
    write(desk, "cli_shop/main.py", TWO)
    assert load_bot("cli_shop.main:second").name == "second"


def test_a_file_imports_its_neighbours(desk: Path) -> None:
    write(desk, "bots/cli_neighbour.py", 'NAME = "with help"\n')
    target = write(desk, "bots/near.py", "from cli_neighbour import NAME\nfrom pilotbot import Bot\nbot = Bot(NAME)\n")
    assert load_bot(target).name == "with help"


def test_of_nested_bots_the_outermost_is_meant(desk: Path) -> None:
    assert load_bot(write(desk, "nested.py", TWO + "first.include(second)\nalias = first\n")).name == "first"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("two.py", "two.py has several bots; name one: two.py:first, two.py:second"),
        ("two.py:third", "two.py has no third; name one: two.py:first, two.py:second"),
        ("two.py:Bot", "two.py has a Bot, but it is no Bot; name one: two.py:first, two.py:second"),
        ("none.py", 'none.py has no bot: make one with `bot = Bot("shop")`'),
        ("gone.py", "gone.py: there is no such file; give one such as bots/orders.py"),
        ("cli_gone.main:bot", "no module is called cli_gone; give a file such as bots/orders.py, or a module:bot"),
        ("syntax.py", "syntax.py:2: '(' was never closed\n    x = ("),
        ("missing.py", "missing.py:1: ModuleNotFoundError: No module named 'cli_gone'\n    import cli_gone"),
        ("label.py", "label.py:2: ContentError: the label 'yes' is there twice"),
    ],
)
def test_what_is_wrong_is_said_with_place_and_remedy(desk: Path, target: str, words: str) -> None:
    write(desk, "two.py", TWO)
    write(desk, "none.py", "x = 1\n")
    write(desk, "syntax.py", "y = 1\nx = (\n")
    write(desk, "missing.py", "import cli_gone\n")
    write(desk, "label.py", 'from pilotbot import Message\nM = Message("a", options=["Yes", "yes"])\n')
    with pytest.raises(TargetError) as caught:
        load_bot(target)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("flows/faq.yaml", "a YAML file is not a bot: did you mean bots/faq.py?"),
        ("flows/faq.yaml:bot", "a YAML file is not a bot: did you mean bots/faq.py?"),
        ("near.yml", "a YAML file is not a bot: did you mean near.py?"),
        ("other.yaml", "a YAML file is not a bot: give the Python file that reads it"),
        ("./notes.txt", "./notes.txt is not Python code; give a file such as bots/orders.py"),
        ("bots/", "bots/ is a directory; give a file in it, such as bots/orders.py"),
    ],
)
def test_what_is_no_python_file_is_said_to_be_none(desk: Path, target: str, words: str) -> None:
    for name in ("flows/faq.yaml", "bots/faq.py", "near.py", "notes.txt"):
        write(desk, name, ONE)
    with pytest.raises(TargetError) as caught:
        load_bot(target)
    assert str(caught.value) == words


@pytest.mark.parametrize("name", ["pilotbot.py", "redis.py", "statistics.py", "sys.py", "bots/__main__.py"])
def test_a_file_does_not_take_the_place_of_another_module(desk: Path, name: str) -> None:
    stem = Path(name).stem
    known = sys.modules.get(stem)
    with pytest.raises(TargetError, match=rf"^{name} has the name of another module, {stem} \(.*\), which would be lost: rename the file$"):
        load_bot(write(desk, name, ONE))
    assert sys.modules.get(stem) is known


def test_a_file_may_be_loaded_again_or_be_called_like_a_directory(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(desk)
    write(desk, "cli_flows/faq.yaml", "")
    for name in ("cli_flows.py", "cli-bot.py", "cli_flows.py"):
        assert load_bot(write(desk, name, ONE)).name == "one"


def test_an_error_is_placed_in_the_authors_code_not_in_what_it_calls(desk: Path) -> None:
    write(desk, "deep.py", "import json\n\ndef read():\n    return json.loads('{')\n\nread()\n")
    with pytest.raises(TargetError, match=r"^deep\.py:4: JSONDecodeError"):
        load_bot("deep.py")


def test_the_directory_to_watch_is_the_codes(desk: Path) -> None:
    assert directory("bots/orders.py:bot") == desk / "bots"
    assert directory("shop.main:bot") == desk


def test_an_error_of_an_installed_package_is_placed_in_the_authors_code(desk: Path) -> None:
    write(desk, "flows.py", "import yaml\nFAQ = yaml.safe_load('{')\n")
    with pytest.raises(TargetError, match=r"^flows\.py:2: ParserError"):
        load_bot("flows.py")
