"""The face: help, version, errors in one line, and nothing heavy where nothing heavy is needed."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import Result

from pilotbot.cli.main import app

Invoke = Callable[..., Result]
COMMANDS = ("demo", "dev", "sandbox", "check", "run", "notify", "doctor", "dead")


def test_help_lists_every_command_in_whole_sentences(invoke: Invoke) -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        line = next(line for line in result.output.splitlines() if line.startswith(f"  {command} "))
        assert line.endswith("."), line
        assert not line.endswith("..."), line


@pytest.mark.parametrize("words", [*((name,) for name in COMMANDS), *(("dead", verb) for verb in ("list", "show", "retry", "drop"))])
def test_every_command_has_help_with_an_example(invoke: Invoke, words: tuple[str, ...]) -> None:
    result = invoke(*words, "--help")
    assert result.exit_code == 0
    assert f"Example: pilotbot {words[0]}" in result.output


def test_the_version_is_the_packages(invoke: Invoke) -> None:
    assert invoke("--version").output == f"pilotbot {version('pilotbot')}\n"


@pytest.mark.parametrize("words", [(), ("nonsense",), ("run",), ("demo", "--port", "x"), ("demo", "--port", "0"), ("dead", "show")])
def test_wrong_usage_is_exit_code_two(invoke: Invoke, words: tuple[str, ...]) -> None:
    assert invoke(*words).exit_code == 2


def test_the_face_itself_imports_no_command() -> None:
    code = (
        "import sys, types, pathlib\n"
        "for name in ('pilotbot', 'pilotbot.cli'):\n"  # without the package's own imports, which are another matter
        "    module = types.ModuleType(name)\n"
        "    module.__path__ = [str(pathlib.Path(sys.argv[1], *name.split('.')))]\n"
        "    sys.modules[name] = module\n"
        "import pilotbot.cli.main\n"
        "print([name for name in ('aiohttp', 'pydantic', 'redis', 'httpx') if name in sys.modules])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_defect_shows_no_values_of_variables() -> None:
    assert isinstance(app, typer.Typer)
    assert app.pretty_exceptions_enable is False
