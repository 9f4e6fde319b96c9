"""`pilotbot demo` (and so `make demo`): a conversation over real HTTP, as often as one likes, and nothing is left behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import free_port, working_in

PATIENCE_S = 60
TRANSCRIPT = """
A conversation with the example bots, over HTTP on this machine:

  who   status     mode      text
  Ana              text      delivery
  bot   READ       text      Delivery takes 2 to 5 working days and is free above R$ 150.
                             A entrega leva de 2 a 5 dias úteis e é grátis acima de R$ 150.
  Ana              text      Where is my order?
  bot   READ       buttons   Hi Ana, order 4242 is out for delivery / saiu para entrega.
                             [Track] [Talk to a person]
  Ana              tap       Track
  bot   READ       text      Parcel of order 4242: BR4242X, at the depot since 08:10.
  clock            +25h      the 24-hour window closes: free text may not go any more
  bot   READ       template  Your order 4242 is out for delivery / saiu para entrega now.
""".lstrip()


class Demo:
    """Demos on one data directory, in sessions of their own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.sandbox_port, self.port = free_port(), free_port()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pilotbot", "demo", "--sandbox-port", str(self.sandbox_port), "--port", str(self.port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PILOTBOT_")}
        self.started.append(
            subprocess.Popen(
                [*command, "--data", "data", *options],
                cwd=self.place,
                env=environment | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        )
        return self.started[-1]

    def left(self) -> list[str]:
        """Processes that still work in our directory, once they had a moment to end."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := list(working_in(self.place))) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    for process in demo.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_once_and_once_more_on_the_same_data(demo: Demo) -> None:
    for _ in range(2):
        process = demo.start("--once")
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, err, out) == (0, "", TRANSCRIPT)
        assert demo.left() == []


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_up_for_the_browser_and_ends_with_its_group(demo: Demo, name: signal.Signals) -> None:
    process = demo.start()
    assert process.stdout is not None
    said = next(line for line in process.stdout if "Now you" in line)
    page = re.search(r"http://\S+", said)
    assert page is not None
    assert httpx.get(page[0], trust_env=False).status_code == 200
    os.killpg(process.pid, name)
    os.killpg(process.pid, name)  # as with make, which passes on what the group got already
    assert process.wait(PATIENCE_S) == 0
    assert demo.left() == []


@pytest.mark.parametrize("option", ["--sandbox-port", "--port"])
def test_a_port_that_is_taken_is_said_in_one_line(demo: Demo, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, err = demo.start("--once", option, str(port)).communicate(timeout=PATIENCE_S)
    assert err.startswith(f"pilotbot: 127.0.0.1:{port} is taken; choose another with {option}, such as {option} ")
    assert err.count("\n") == 1
    assert demo.started[0].returncode == 1
    assert demo.left() == []


def test_where_make_runs_it_the_remedy_is_makes(demo: Demo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, err = demo.start("--once", "--made", "--sandbox-port", str(port)).communicate(timeout=PATIENCE_S)
    assert err.startswith(f'pilotbot: 127.0.0.1:{port} is taken; choose another, such as make demo ARGS="--sandbox-port ')
    assert err.count("\n") == 1


def test_make_passes_its_options_on() -> None:
    root = Path(__file__).parents[2]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # the suite itself is run by make
    told = subprocess.run(["make", "help"], cwd=root, env=alone, capture_output=True, text=True, check=True).stdout
    example = re.search(r'make demo (ARGS="--sandbox-port \d+ --port \d+")', told)
    assert example is not None
    words = example[1].replace('"', "")
    command = ["make", "--dry-run", "demo", words]
    done = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True, check=True).stdout
    assert done.splitlines()[-1] == f".venv/bin/pilotbot demo --made {words.removeprefix('ARGS=')}"
