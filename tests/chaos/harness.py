"""Bots in processes of their own, which can be killed, frozen and started again."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.stage import Stage

HOME = Path(__file__).parents[2]
BOTS = HOME / "tests" / "bots"
COUNTER = BOTS / "counter.py"
GATED = BOTS / "gated.py"
LEDGER = BOTS / "ledger.py"
LEASE = 1  # seconds


class Process:
    """A bot's process, which is started again at the same address after each kill."""

    def __init__(self, stage: Stage, bot: Path, settings: dict[str, str], place: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.options: tuple[str, ...] = ()  # more words of the command
        self._stage = stage
        self._bot = bot
        self._place = place
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it was started, and runs no more."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start it, and do not wait for it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PILOTBOT_")}
        with (self._place / f"log-{self.port}").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pilotbot", "run", str(self._bot), "--port", str(self.port), *self.options],
                env=clean | {f"PILOTBOT_{name}": value for name, value in self._settings.items()} | {"PYTHONPATH": str(HOME)},
                cwd=self._place, stdout=output, stderr=output,
            )  # fmt: skip

    async def work(self) -> "Process":
        """Start it, and wait until it is ready."""
        self.start()
        await self.ready()
        return self

    async def ready(self) -> None:
        async def ready() -> bool:
            assert not self.ended, (self._place / f"log-{self.port}").read_text()
            return await self.is_ready()

        await self._stage.until(ready, "the process to be ready")

    async def is_ready(self) -> bool:
        """Whether it says so."""
        with contextlib.suppress(aiohttp.ClientError):
            async with self._stage.http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        return False

    async def stopped(self) -> int:
        """Wait for its end, and return its exit code."""
        assert self._process is not None
        await self._stage.until(lambda: self._process is not None and self._process.poll() is not None, "the process to end")
        return self._process.wait()

    def signal(self, what: signal.Signals) -> None:
        os.kill(self.pid, what)

    def kill(self) -> None:
        """As `kill -9`: it is gone, with all that it had in memory."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Chaos:
    """The stage, with processes for bots."""

    def __init__(self, stage: Stage, redis_url: str, place: Path) -> None:
        self.stage = stage
        self.place = place
        self._redis_url = redis_url
        self._processes: list[Process] = []

    def process(self, bot: Path, **changes: str) -> Process:
        """A process that works on the stage's Redis, not started yet. A setting that is "" is left out."""
        settings = {
            "API_URL": self.stage.sandbox.url, "API_KEY": "ps_sandbox_number", "WEBHOOK_SECRET": "sandbox-webhook-secret", "SHARDS": "2",
            "REDIS_URL": self._redis_url, "LEASE_SECONDS": str(LEASE), "TEST_GATE": str(self.place), **changes,
        }  # fmt: skip
        made = Process(self.stage, bot, {name: value for name, value in settings.items() if value}, self.place)
        self._processes.append(made)
        return made

    async def listen(self, process: Process, *, alone: bool = True) -> None:
        """Have the sandbox deliver to a process from now on, and to no other if it is to be alone."""
        if alone:
            await self.stage.webhooks(active=False)
        await self.stage.api("POST", "/v1/webhooks", {"url": f"{process.url}/webhook", "name": "bot", "events": ["*"]})

    def begun(self) -> list[str]:
        """What the gated bot's handlers began with, in order."""
        told = self.place / "begun"
        return told.read_text().splitlines() if told.exists() else []

    async def begun_by(self, name: str, run: int = 1) -> int:
        """Wait until so many runs of the ledger bot's gate of this name began; the process id of the last of them."""

        def pids() -> list[str]:
            found = (self.place / name).read_text().splitlines() if (self.place / name).exists() else []
            return found if len(found) >= run else []

        return int((await self.stage.until(pids, f"run {run} of {name} to begin"))[run - 1])

    def let(self, name: str) -> None:
        """Make a file that opens a gate."""
        (self.place / name).touch()

    def open(self) -> None:
        """Let the gated handlers go on, those to come as well."""
        (self.place / "open").touch()

    def end(self) -> None:
        for process in self._processes:
            process.kill()


class Held:
    """Posts of messages are held inside the sandbox: they have arrived and are not answered."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()
        assert stage.sandbox._parts is not None
        monkeypatch.setattr(stage.sandbox._parts.faults, "wait", self._wait)

    async def _wait(self) -> None:
        self.arrived.set()
        await self.go_on.wait()
