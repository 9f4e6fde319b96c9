"""A power cut: what a server had handed to the system, and what was not yet on the disk, is gone.

`kill -9` alone proves little here, as the system keeps what a killed process wrote. So strace, where it may be used, notes the writes to
the append-only file and the fdatasyncs that came back; the file is cut to what the last of those covered, and another server starts on it.
Without strace only the order of write and reply is tested, by a copy of the file. One fsync goes before the replies of all calls that came
in one batch: Redis answers a batch when it has written and synced what the batch did, as the first test sees.
"""

import asyncio
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from pilotbot import running
from pilotbot.engine import Arrival, Engine, Place
from pilotbot.target import load_bot
from tests.servers import PROGRAMS, Server, serving
from tests.stage import Stage, wire

pytestmark = pytest.mark.chaos

COUNTER = Path(__file__).parents[1] / "bots" / "counter.py"
CONTACTS = [f"+55119876500{n:02}" for n in range(1, 9)]
CUT_AFTER = 60  # events answered 200


@dataclass
class Disk:
    """What a trace says of the append-only file: how much of it was written, and how much is on the disk, and since when."""

    written: int = 0
    synced: int = 0
    synced_at: float = 0.0  # when the last fdatasync that came back had begun: Unix seconds
    replies: list[int] = field(default_factory=list)  # for each reply to a client: bytes not yet on the disk when it left
    _syncing: dict[str, tuple[int, float]] = field(default_factory=dict)
    _writing: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, trace: Path) -> "Disk":
        disk = cls()
        for line in trace.read_text("utf-8", "replace").splitlines():
            thread, at, *call = line.split(maxsplit=2)
            if call:
                disk._note(thread, float(at), call[0])
        return disk

    def _note(self, thread: str, at: float, call: str) -> None:
        """A line of the trace: a call and its result, or the one now ("unfinished") and the other later ("resumed")."""
        done = re.search(r"= (\d+)$", call)
        if ".incr.aof>" in call and call.startswith("fdatasync("):
            self._syncing[thread] = (self.written, at)
        elif ".incr.aof>" in call and call.startswith("write("):
            self._writing.add(thread)
        elif call.startswith("write(") and "<socket:" in call:
            self.replies.append(self.written - self.synced)
        if done is None:
            return
        if thread in self._syncing and "fdatasync" in call:
            self.synced, self.synced_at = max((self.synced, self.synced_at), self._syncing.pop(thread))
        elif thread in self._writing and "write" in call:
            self._writing.discard(thread)
            self.written += int(done[1])


@pytest.fixture(scope="module")
def strace(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Whether strace is here and allowed to watch another process."""
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "60"]) as other:
        watcher, attached = watching(other.pid, tmp_path_factory.mktemp("strace") / "trace")
        other.kill()
        watcher.communicate(timeout=20)
        return attached


def watching(pid: int, trace: Path) -> tuple["subprocess.Popen[bytes]", bool]:
    """A strace, and whether it got hold of the process; it ends with that."""
    words = ["strace", "-f", "-y", "-ttt", "-s", "0", "-e", "trace=write,fdatasync", "-e", "signal=none", "-o", str(trace), "-p", str(pid)]
    watcher = subprocess.Popen(words, stderr=subprocess.PIPE)
    assert watcher.stderr is not None
    return watcher, b"attached" in watcher.stderr.readline()


@contextmanager
def traced(place: Path, program: Path, fsync: str, *, strace: bool) -> Iterator[tuple[Server, Path]]:
    """A server, and the trace of its writes and syncs where there can be one, complete once the server has ended."""
    trace = place / "trace"
    with serving(place, {"appendonly": "yes", "appendfsync": fsync}, program) as server:
        watcher = watching(server.process.pid, trace)[0] if strace else None
        try:
            yield server, trace
        finally:
            server.process.kill()
            if watcher is not None:
                watcher.communicate(timeout=20)


def cut(before: Path, after: Path, trace: Path) -> Disk | None:
    """The disk as a new server finds it; None where no trace says what of it was there."""
    shutil.copytree(before / "appendonlydir", after / "appendonlydir")
    if not trace.exists():
        return None
    disk = Disk.read(trace)
    (file,) = (after / "appendonlydir").glob("*.incr.aof")
    assert disk.written >= file.stat().st_size >= disk.synced
    with file.open("r+b") as opened:
        opened.truncate(disk.synced)
    return disk


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("fsync", ["always", "everysec"])
async def test_with_always_no_reply_leaves_before_its_data_are_on_the_disk(tmp_path: Path, program: Path, fsync: str, strace: bool) -> None:
    """Pipelined scripts as well; with everysec replies do leave before."""
    if not strace:
        pytest.skip("strace alone sees what is on the disk")
    with traced(tmp_path, program, fsync, strace=True) as (server, trace):
        engine = Engine(server.url, shards=2)
        await engine.open()
        places = [Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who) for who in CONTACTS]
        for n in range(20):
            await asyncio.gather(*(engine.accept(Arrival(place=place, id=f"{n}", body=b"{}", at=None)) for place in places))
        await engine.close()
    replies = Disk.read(trace).replies
    assert len(replies) >= 20
    assert any(replies) == (fsync == "everysec")


class Writers:
    """Contacts who write until the power is cut; `answered` is what was answered 200, and when."""

    def __init__(self, stage: Stage, url: str) -> None:
        self.answered: list[tuple[str, int, float]] = []
        self._stage = stage
        self._url = url

    @staticmethod
    def event(contact: str, n: int) -> object:
        return wire(f"{contact}-{n}", f"message {n}", contact=contact, numberId="num_meta")

    async def write(self, contact: str) -> None:
        for n in range(1, 1000):
            try:
                status, _, _ = await self._stage.deliver(self._url, self.event(contact, n))
            except aiohttp.ClientError:
                return
            if status != 200:
                return
            self.answered.append((contact, n, time.time()))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("profile", ["safe", "fast"])
async def test_what_was_answered_200_after_a_power_cut(stage: Stage, tmp_path: Path, program: Path, profile: str, strace: bool) -> None:
    """`safe`: all of it is there, and answered once and in order; `fast`: all that came before the last fdatasync."""
    if profile == "fast" and not strace:
        pytest.skip("strace alone sees what is on the disk")
    bot = load_bot(str(COUNTER))
    changes = {"durability": profile, "lease_seconds": 1}
    before, after = tmp_path / "before", tmp_path / "after"
    with traced(before, program, "always" if profile == "safe" else "everysec", strace=strace) as (server, trace):
        async with running(bot, stage.settings(redis_url=server.url, **changes)) as runtime:
            writers = Writers(stage, runtime.url)
            writing = [asyncio.create_task(writers.write(contact)) for contact in CONTACTS]
            await stage.until(lambda: len(writers.answered) >= CUT_AFTER, "events to be answered 200")
            if profile == "fast":  # until a sync has covered some of them, and then some more
                covered = writers.answered[-1][2]
                await stage.until(lambda: Disk.read(trace).synced_at > covered, "a sync")
                more = len(writers.answered) + CUT_AFTER
                await stage.until(lambda: len(writers.answered) >= more, "events after the sync")
            server.process.send_signal(signal.SIGKILL)  # in the moment after a 200; those under way may still come
            await runtime.kill()
            await asyncio.gather(*writing)
    after.mkdir()
    disk = cut(before, after, trace)
    with serving(after, {"appendonly": "yes", "appendfsync": "always"}, program) as server:
        async with running(bot, stage.settings(redis_url=server.url, **changes)) as runtime:
            assert len(writers.answered) >= CUT_AFTER
            said = [await stage.deliver(runtime.url, writers.event(contact, n)) for contact, n, _ in writers.answered]
            lost = [at for (_, body, _), (_, _, at) in zip(said, writers.answered, strict=True) if body != {"status": "dup"}]
            if profile == "safe":
                assert lost == []
                await stage.quiet(runtime)
                for contact in CONTACTS:
                    count = max(n for who, n, _ in writers.answered if who == contact)
                    texts = [row["text"] for row in await stage.rows(contact) if row["direction"] == "out"]
                    assert texts[:count] == [f"{n}: message {n}" for n in range(1, count + 1)]
            else:
                assert disk is not None
                # A thread of Redis syncs what was written when it was asked to, which is a little before it begins.
                assert all(at > disk.synced_at - 0.5 for at in lost)
                assert len(lost) <= len(said) - CUT_AFTER
