"""`pilotbot run --processes N`: one socket, children that come again, a rolling restart, and nothing left behind."""

import os
import pty
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from typer.testing import Result

from pilotbot.cli.processes import waiting
from tests.processes import children

Invoke = Callable[..., Result]
PATIENCE = 24.0


@pytest.fixture(autouse=True)
def settings(desk: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]) -> None:
    """A platform that is not reachable."""
    monkeypatch.setenv("PILOTBOT_API_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("PILOTBOT_API_KEY", "ps_secret_key")
    monkeypatch.setenv("PILOTBOT_WEBHOOK_SECRET", "the-webhook-secret")


@pytest.fixture
def url(free_port: Callable[[], int]) -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def family(start: Any, bot_file: Path, url: str) -> Any:
    """Three processes at work."""
    command = start("run", bot_file.name, "--processes", "3", "--port", url.rpartition(":")[2])
    command.until(f"3 processes work, and listen on {url}\n")
    return command


def until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)


def ready(url: str) -> bool:
    return httpx.get(f"{url}/readyz", trust_env=False, timeout=PATIENCE).status_code == 200


@contextmanager
def frozen(pids: set[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_each_of_them_serves_on_the_one_socket(family: Any, url: str, left_behind: Callable[[], list[str]]) -> None:
    found = children(family.process.pid)
    assert len(found) == 3
    for one in found:
        with frozen(found - {one}):
            assert ready(url)
    assert family.end() == 0
    assert left_behind() == []
    assert "Traceback" not in family.text


def test_one_that_is_killed_is_started_again_while_the_others_serve(family: Any, url: str) -> None:
    found = children(family.process.pid)
    gone = min(found)
    os.kill(gone, signal.SIGKILL)
    family.until(rf"process {gone} ended with code -9; another is started in 0\.5 s")
    assert ready(url)
    until(lambda: len(children(family.process.pid) - {gone}) == 3, "another one")
    assert found - {gone} < children(family.process.pid)
    assert family.end() == 0


def test_a_hang_up_replaces_all_one_by_one_and_what_does_not_start_replaces_none(family: Any, url: str, bot_file: Path) -> None:
    first = children(family.process.pid)
    family.process.send_signal(signal.SIGHUP)
    family.until("all processes are replaced, one by one")
    family.until("all processes are replaced$|all processes are replaced\n")
    second = children(family.process.pid)
    assert (len(second), second & first) == (3, set())

    right = bot_file.read_text()
    bot_file.write_text(right.replace("ctx: Context", "ctx: Context, orders: dict"))
    family.process.send_signal(signal.SIGHUP)
    family.until("nobody provides dict")
    family.until("a process ended with code 1 before it was ready; those that work go on")
    assert children(family.process.pid) == second
    assert ready(url)
    assert family.end() == 0


def test_children_end_with_a_parent_that_is_killed(family: Any, left_behind: Callable[[], list[str]]) -> None:
    assert family.end(signal.SIGKILL) == -9
    assert left_behind() == []


def test_the_embedded_redis_is_started_again_by_the_parent(family: Any, url: str, desk: Path) -> None:
    found = children(family.process.pid)
    client = Redis(unix_socket_path=str(desk / ".pilotbot" / "redis.sock"))
    os.kill(client.info("server")["process_id"], signal.SIGKILL)
    client.close()
    family.until("the embedded server ended with code")
    until(lambda: ready(url), "Redis to be back")
    assert children(family.process.pid) == found
    assert family.end() == 0


def test_a_bot_that_cannot_start_says_so_once_and_ends_all(
    start: Any, bot_file: Path, url: str, left_behind: Callable[[], list[str]]
) -> None:
    bot_file.write_text(bot_file.read_text().replace("ctx: Context", "ctx: Context, orders: dict"))
    command = start("run", bot_file.name, "--processes", "3", "--port", url.rpartition(":")[2])
    assert command.process.wait(PATIENCE) == 1
    assert command.text.count("nobody provides dict") == 1
    assert "Traceback" not in command.text
    assert left_behind() == []


def test_what_the_parent_can_see_is_said_by_it(invoke: Invoke, bot_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("run", bot_file.name, "--processes", "2", "--port", str(port))
    assert (result.exit_code, f"pilotbot: 127.0.0.1:{port} is taken" in result.stderr) == (1, True)
    monkeypatch.delenv("PILOTBOT_API_KEY")
    result = invoke("run", bot_file.name, "--processes", "2")
    assert (result.exit_code, "PILOTBOT_API_KEY: is not set" in result.stderr) == (1, True)


def test_a_system_without_such_processes_refuses_them(invoke: Invoke, bot_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    result = invoke("run", bot_file.name, "--processes", "2")
    assert (result.exit_code, "several processes on one socket need Linux or macOS" in result.stderr) == (1, True)


def test_the_end_of_its_terminal_is_the_end(start: Any, bot_file: Path, url: str, left_behind: Callable[[], list[str]]) -> None:
    ours, terminal = pty.openpty()
    command = start("run", bot_file.name, "--processes", "2", "--port", url.rpartition(":")[2], stdin=terminal)
    os.close(terminal)
    command.until("2 processes work")
    os.close(ours)
    assert command.end(signal.SIGHUP) == 0
    assert left_behind() == []


def test_workers_listen_nowhere_unless_a_port_is_named(start: Any, bot_file: Path, url: str) -> None:
    silent = start("run", bot_file.name, "--processes", "2", "--role", "worker")
    silent.until("2 processes work\n")
    health = start("run", bot_file.name, "--role", "worker", "--port", url.rpartition(":")[2])
    health.until(f"shop works, and tells of its health on {url}/readyz")
    assert ready(url)
    assert httpx.post(f"{url}/webhook", json={}, trust_env=False).status_code == 404
    assert silent.end() == 0
    assert health.end() == 0


def test_the_wait_before_another_try_grows_and_is_bounded() -> None:
    assert [waiting(falls) for falls in (1, 2, 3, 7, 70)] == [0.5, 1.0, 2.0, 30.0, 30.0]
