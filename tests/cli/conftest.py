"""Commands as users run them: in this process where it is quick, as processes where signals and reloads matter."""

import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from pilotbot.cli import app
from pilotbot.cli.logs import QUIET
from tests.processes import free_port as a_free_port
from tests.processes import working_in

PATIENCE_S = 24  # less than what `dev` gives its child to end
PHONE = "+5511987650001"
BOT = """
from pilotbot import Bot, Context

bot = Bot("shop")


@bot.message()
async def answer(ctx: Context) -> None:
    await ctx.reply("one")
"""


@dataclass
class Command:
    """A command that runs as a process of its own; what it writes is in files."""

    process: subprocess.Popen[bytes]
    output: Path
    seen: int = field(default=0)

    @property
    def text(self) -> str:
        return self.output.read_text("utf-8")

    def until(self, pattern: str) -> re.Match[str]:
        """What the output has of this pattern after what was found before, once it is there."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.compile(pattern).search(self.text, self.seen)
            if found:
                self.seen = found.end()
                return found
            if self.process.poll() is not None and not re.compile(pattern).search(self.text, self.seen):
                break
            time.sleep(0.02)
        pytest.fail(f"{pattern!r} did not come; there is:\n{self.text}")

    def end(self, name: int = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(name)
        return self.process.wait(PATIENCE_S)


Start = Callable[..., Command]
Invoke = Callable[..., Result]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory to work in, without settings; what commands change in this process is put back."""
    for name in [name for name in os.environ if name.startswith("PILOTBOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    root = logging.getLogger()
    modules, handlers = set(sys.modules), list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in ("", *QUIET)}
    yield tmp_path
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name or None).setLevel(level)
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def invoke() -> Invoke:
    """Runs a command in this process."""
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


@pytest.fixture
def start(desk: Path) -> Iterator[Start]:
    """Starts a command as a process; whatever is left of it is killed at the end. `safe`: as the script does, not `python -m`."""
    started: list[Command] = []

    def begin(*words: str, env: Mapping[str, str] | None = None, safe: bool = False, stdin: int = subprocess.DEVNULL) -> Command:
        output = desk / f"output-{len(started)}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *(["-P"] if safe else []), "-m", "pilotbot", *words],
                cwd=desk,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
                stdin=stdin,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Command(process, output))
        return started[-1]

    yield begin
    for command in started:
        if command.process.poll() is None:
            os.killpg(command.process.pid, signal.SIGKILL)
            command.process.wait()


@pytest.fixture
def left_behind(desk: Path) -> Callable[[], list[str]]:
    """The processes that work in this test's directory, once they had a moment to end."""

    def look() -> list[str]:
        deadline = time.monotonic() + PATIENCE_S
        while (found := list(working_in(desk))) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    return look


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives ports that nobody listens on, each once."""

    return a_free_port


@pytest.fixture
def bot_file(desk: Path) -> Path:
    """A bot that answers everything with "one"."""
    path = desk / "shop.py"
    path.write_text(BOT, "utf-8")
    return path


@dataclass
class Phone:
    """A simulated contact of a sandbox."""

    url: str

    def write(self, text: str) -> None:
        httpx.post(f"{self.url}/sandbox/inbound", json={"from": PHONE, "name": "Ana", "text": text}, trust_env=False).raise_for_status()

    def travel(self, how_far: str) -> None:
        """Move the sandbox's clock."""
        httpx.post(f"{self.url}/sandbox/clock", json={"advance": how_far}, trust_env=False).raise_for_status()

    def received(self) -> list[str]:
        """What the bot wrote."""
        rows = httpx.get(f"{self.url}/sandbox/messages", trust_env=False).raise_for_status().json()
        return [row["text"] for row in rows if row["direction"] == "out"]

    def until(self, *texts: str) -> None:
        """Wait until the bot has written exactly this, in this order."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.received()) != list(texts):
            assert time.monotonic() < deadline, f"the bot wrote {found}"
            time.sleep(0.02)


@dataclass
class Desk:
    """A running `pilotbot dev`."""

    command: Command
    phone: Phone


@pytest.fixture
def dev(start: Start, bot_file: Path, free_port: Callable[[], int]) -> Desk:
    """`pilotbot dev` with the bot that answers "one", in the default data directory."""
    sandbox_port, port = free_port(), free_port()
    command = start("dev", bot_file.name, "--sandbox-port", str(sandbox_port), "--port", str(port))
    command.until("shop listens on")
    return Desk(command, Phone(f"http://127.0.0.1:{sandbox_port}"))
