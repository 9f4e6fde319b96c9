"""A Redis server of a test's own, on a port of its own, which can be killed and started again on its data."""

import asyncio
import contextlib
import signal
import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from pilotbot.engine.embedded import _find_program
from tests.processes import free_port


class OwnRedis:
    """The bundled server. `fsync` is its `appendfsync` (always, everysec); `persistent=False` leaves the append-only file out."""

    def __init__(self, place: Path, *, fsync: str = "always", persistent: bool = True) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis(port=self.port, host="127.0.0.1", decode_responses=True, socket_timeout=5)
        settings = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": str(place), "logfile": str(place / "log"), "save": "",
            "appendonly": "yes" if persistent else "no", "appendfsync": fsync, "maxmemory-policy": "noeviction",
        }  # fmt: skip
        self._command = [str(_find_program()), *(word for name, value in settings.items() for word in (f"--{name}", value))]
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> "OwnRedis":
        """Start it on the data that it left, and wait until it has read them."""
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdin=nothing, stdout=nothing, stderr=nothing)  # noqa: ASYNC220 - forks at once
        async with asyncio.timeout(20):
            while True:
                assert self._process.poll() is None, "the server ended at once"
                with contextlib.suppress(RedisError):  # loading is one, too
                    if self.client.ping():
                        return self
                await asyncio.sleep(0.01)

    def signal(self, what: signal.Signals) -> None:
        """Freeze it, or let it go on."""
        assert self._process is not None
        self._process.send_signal(what)

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """Kill it for good."""
        self.client.close()
        self.kill()
