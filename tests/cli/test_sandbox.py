"""`pilotbot sandbox`: says how to use it, and keeps what it is told to keep."""

import shlex
import socket
from collections.abc import Callable
from typing import Any

import httpx
from typer.testing import Result


def test_what_it_prints_is_enough_to_use_it(start: Any, left_behind: Callable[[], list[str]]) -> None:
    command = start("sandbox", "--port", "0", "--data", "kept")
    url = command.until(r"listens on (http://127\.0\.0\.1:\d+)")[1]
    command.until("sandbox-webhook-secret")
    words = shlex.split(command.text[command.text.index("curl ") :])
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    answer = httpx.post(words[1], headers=headers, content=words[words.index("-d") + 1], trust_env=False)
    assert answer.status_code == 201
    assert httpx.get(url, trust_env=False).status_code == 200
    assert command.end() == 0
    assert left_behind() == []


def test_a_port_that_is_taken_is_said_in_one_line(invoke: Callable[..., Result]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("sandbox", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"pilotbot: 127.0.0.1:{port} is taken; choose another with --port")
    assert result.stderr.count("\n") == 1
