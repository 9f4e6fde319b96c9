"""Redis servers with settings of a test's choice: the bundled one, and Debian's where it is installed."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError

from pilotbot.engine.embedded import _find_program

BUNDLED = _find_program()
PROGRAMS = [BUNDLED, *(Path(found) for name in ("redis-server",) if (found := shutil.which(name)))]


@dataclass(frozen=True)
class Server:
    """A server at work, and a plain client of it that may do everything."""

    process: "subprocess.Popen[bytes]"
    socket: Path
    redis: Redis

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def url_of(self, user: str, password: str) -> str:
        return f"unix://{user}:{password}@{self.socket}"


@contextlib.contextmanager
def serving(place: Path, settings: Mapping[str, str], program: Path = BUNDLED) -> Iterator[Server]:
    """A server in a directory, with settings by their names in redis.conf. It is killed at the end."""
    place.mkdir(exist_ok=True)
    path = place / "s"
    usual = {"port": "0", "unixsocket": str(path), "dir": str(place), "logfile": str(place / "log"), "save": ""}
    process = subprocess.Popen([program, *(word for name, value in {**usual, **settings}.items() for word in (f"--{name}", value))])
    client = Redis(unix_socket_path=str(path), decode_responses=True)
    try:
        _until_up(client, process)
        yield Server(process, path, client)
    finally:
        client.close()
        process.kill()
        process.wait()


def _until_up(client: Redis, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(RedisConnectionError, BusyLoadingError, FileNotFoundError):
            client.ping()
            return
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.01)
