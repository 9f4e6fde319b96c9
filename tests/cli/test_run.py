"""`pilotbot run`: it listens, stops gracefully, and says in a line what keeps it from working."""

import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import Result

from pilotbot.cli import logs

Invoke = Callable[..., Result]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]) -> None:
    """A platform that is not reachable, which keeps no bot from working."""
    monkeypatch.setenv("PILOTBOT_API_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("PILOTBOT_API_KEY", "ps_secret_key")
    monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "the-webhook-secret")


@pytest.mark.usefixtures("settings", "bot_file")
@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(
    start: Any, name: signal.Signals, free_port: Callable[[], int], left_behind: Callable[[], list[str]]
) -> None:
    port = free_port()
    command = start("run", "shop.py", "--port", str(port))
    command.until(f"shop listens on http://127.0.0.1:{port}/webhook\n")
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    assert command.end(name) == 0
    assert left_behind() == []
    assert "Traceback" not in command.text
    assert "ps_secret_key" not in command.text
    assert "the-webhook-secret" not in command.text


@pytest.mark.usefixtures("bot_file")
def test_missing_settings_are_named_with_the_remedy(invoke: Invoke) -> None:
    result = invoke("run", "shop.py")
    assert result.exit_code == 1
    assert result.stderr.startswith("pilotbot: PILOTBOT_API_KEY: is not set; set it to the number's API key")
    assert result.stderr.endswith("\n  To work without an account: pilotbot dev shop.py\n")


@pytest.mark.usefixtures("settings", "bot_file")
def test_several_problems_of_the_settings_read_as_one_message(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTBOT_PORT", "many")
    monkeypatch.setenv("PILOTBOT_SHARDS", "many")
    first, *rest = invoke("run", "shop.py").stderr.splitlines()
    assert first.startswith("pilotbot: PILOTBOT_PORT")
    assert rest
    assert all(line.startswith("  ") for line in rest)


@pytest.mark.usefixtures("settings")
def test_what_check_refuses_is_refused_at_start(start: Any, bot_file: Path, free_port: Callable[[], int]) -> None:
    bot_file.write_text(bot_file.read_text().replace("await ctx.reply", "ctx.reply"))
    command = start("run", "shop.py", "--port", str(free_port()))
    command.until(r"^pilotbot: 1 mistake in the code of the bot:\n  shop\.py:9: nothing is sent without await")
    assert command.process.wait() == 1


@pytest.mark.usefixtures("settings")
def test_what_is_worth_a_look_is_logged_at_start_without_values(
    start: Any, bot_file: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    monkeypatch.setenv("PILOTBOT_WEBHOOK_TOKN", "hunter2")
    bot_file.write_text(bot_file.read_text().replace('"one"', '"{{ one }}"'))
    command = start("run", "shop.py", "--port", str(free_port()))
    command.until("WARNING .*PILOTBOT_WEBHOOK_TOKN: is no setting; did you mean PILOTBOT_WEBHOOK_TOKEN")
    command.until("WARNING .*shop.py:9: a plain str goes out as it is")
    command.until("shop listens on")
    assert command.end() == 0
    assert "hunter2" not in command.text


@pytest.mark.usefixtures("settings", "bot_file")
def test_a_port_that_is_taken_is_said_in_one_line(invoke: Invoke, left_behind: Callable[[], list[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("run", "shop.py", "--port", str(port))
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"pilotbot: 127.0.0.1:{port} is taken; choose another with --port")
    assert left_behind() == []


@pytest.mark.usefixtures("settings", "bot_file")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PILOTBOT_REDIS_URL", "redis://127.0.0.1:1/0", "Redis does not answer, or refuses to write"),
        ("PILOTBOT_DATA_DIR", "shop.py/data", "No Redis to work with: the data directory shop.py/data cannot be used"),
        ("PILOTBOT_LOG_LEVEL", "loud", "PILOTBOT_LOG_LEVEL"),
    ],
)
def test_what_keeps_it_from_working_is_said(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int], name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    result = invoke("run", "shop.py", "--port", str(free_port()))
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_others_that_log_every_request_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO")
    logging.getLogger("pilotbot.x").info("told")
    for name in ("httpx", "httpcore.connection", "aiohttp.access", "watchfiles.main"):
        logging.getLogger(name).info("not told")
    line = capsys.readouterr().err
    assert line.rstrip().endswith("INFO    pilotbot.x told")
    assert "not told" not in line
