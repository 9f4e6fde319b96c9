"""What servers keep, judged against what is promised: by the table, and on real servers with the settings in question."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pilotbot.engine.calls import Calls
from pilotbot.engine.checkup import Checkup
from pilotbot.engine.durability import Finding, Profile, ServerFacts, UnfitRedis, judge, promised, size
from pilotbot.engine.embedded import RedisServer
from tests.servers import PROGRAMS, Server, serving

GOOD = ServerFacts("redis", (7, 0))
SAFE = {"appendonly": "yes", "appendfsync": "always"}
PROFILES: list[Profile | None] = [None, "fast", "safe"]


def by_check(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def verdict(facts: ServerFacts | None, profile: Profile | None, check: str = "durability") -> str:
    """ok, warn, bad; "refused" where the bot may not start."""
    found = by_check(judge(facts, profile))[check]
    assert (found.remedy == "") == (found.level == "ok"), "a remedy for what is wrong, and only for that"
    return "refused" if found.refuses else found.level


@asynccontextmanager
async def checkup(url: str) -> AsyncIterator[Checkup]:
    calls = Calls(url, patience=1, restore=None)
    yield Checkup(calls)
    await calls.close()


async def facts_of(url: str) -> ServerFacts | None:
    async with checkup(url) as found:
        return await found.facts()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_good_server_is_good_for_everything(profile: Profile | None) -> None:
    assert {finding.level for finding in judge(GOOD, profile)} == {"ok"}


@pytest.mark.parametrize(
    ("changes", "unsaid", "fast", "safe"),
    [
        ({"aof": False}, "bad", "refused", "refused"),
        ({"aof": False, "fsync": None}, "bad", "refused", "refused"),
        ({"fsync": "no"}, "bad", "refused", "refused"),
        ({"fsync": "everysec"}, "warn", "ok", "refused"),
        ({"fsync": "everysec", "fsync_in_rewrite": False}, "bad", "refused", "refused"),
        ({"fsync": "always", "fsync_in_rewrite": False}, "bad", "refused", "refused"),
        ({"fsync": None, "fsync_in_rewrite": None}, "warn", "warn", "refused"),
    ],
)
def test_what_is_put_on_disk_and_when(changes: dict[str, object], unsaid: str, fast: str, safe: str) -> None:
    facts = replace(GOOD, **changes)  # type: ignore[arg-type]
    assert [verdict(facts, profile) for profile in PROFILES] == [unsaid, fast, safe]


@pytest.mark.parametrize(
    ("check", "changes", "said", "unsaid"),
    [
        ("version", {"version": (6, 2)}, "refused", "refused"),
        ("role", {"master": False}, "bad", "bad"),
        ("eviction", {"limit": 10, "policy": "allkeys-lru"}, "refused", "bad"),
        ("eviction", {"limit": 10, "policy": "volatile-ttl"}, "refused", "bad"),
        ("eviction", {"policy": "allkeys-lru"}, "ok", "ok"),
        ("memory", {"limit": 100, "used": 79}, "ok", "ok"),
        ("memory", {"limit": 100, "used": 80}, "warn", "warn"),
        ("memory", {"limit": 100, "used": 95}, "bad", "bad"),
        ("memory", {"machine": 100, "used": 80}, "warn", "warn"),
        ("append-only file", {"write_ok": False}, "bad", "bad"),
        ("append-only file", {"rewrite_ok": False}, "warn", "warn"),
    ],
)
def test_everything_else(check: str, changes: dict[str, object], said: str, unsaid: str) -> None:
    facts = replace(GOOD, **changes)  # type: ignore[arg-type]
    assert [verdict(facts, profile, check) for profile in PROFILES] == [unsaid, said, said]


def test_a_replica_that_may_lose_the_last_moments_is_told_where_safe_is_promised() -> None:
    facts = replace(GOOD, replicas=1)
    assert [verdict(facts, profile, "role") for profile in PROFILES] == ["ok", "ok", "warn"]


def test_a_server_that_shows_nothing_is_refused_once_something_is_promised() -> None:
    assert [verdict(None, profile) for profile in PROFILES] == ["bad", "refused", "refused"]


def test_the_remedy_for_a_server_of_our_own_is_no_command_of_redis() -> None:
    facts = replace(GOOD, fsync="everysec")
    assert "CONFIG SET appendfsync always" in by_check(judge(facts, "safe"))["durability"].remedy
    assert "the same PILOTBOT_DURABILITY" in by_check(judge(facts, "safe", embedded=True))["durability"].remedy


def test_an_embedded_server_is_held_to_safe_unless_fast_was_said() -> None:
    assert [promised(profile, embedded=True) for profile in PROFILES] == ["safe", "fast", "safe"]
    assert [promised(profile, embedded=False) for profile in PROFILES] == PROFILES


def test_sizes() -> None:
    assert [size(n) for n in (0, 999, 1000, 25_300_000, 1_200_000_000)] == ["0 B", "999 B", "1 kB", "25 MB", "1.2 GB"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    ("settings", "verdicts"),
    [
        ({"appendonly": "no"}, ["bad", "refused", "refused"]),
        ({"appendonly": "yes", "appendfsync": "no"}, ["bad", "refused", "refused"]),
        ({"appendonly": "yes", "appendfsync": "everysec"}, ["warn", "ok", "refused"]),
        ({"appendonly": "yes", "appendfsync": "always"}, ["ok", "ok", "ok"]),
        ({"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "yes"}, ["bad", "refused", "refused"]),
    ],
)
async def test_real_servers_are_seen_as_they_are(tmp_path: Path, program: Path, settings: dict[str, str], verdicts: list[str]) -> None:
    with serving(tmp_path, settings, program) as server:
        facts = await facts_of(server.url)
        assert facts is not None
        assert facts.name == program.name.split("-")[0]
        assert facts.version >= (7, 0)
        assert facts.used > 0
        assert [verdict(facts, profile) for profile in PROFILES] == verdicts


async def test_the_remedies_are_commands_that_help(tmp_path: Path) -> None:
    settings = {"appendonly": "no", "appendfsync": "everysec", "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}
    with serving(tmp_path, settings) as server:
        applied = []
        while refused := [finding for finding in judge(await facts_of(server.url), "safe") if finding.refuses]:
            command = refused[0].remedy.partition(",")[0].split()
            assert command[:2] == ["CONFIG", "SET"]
            server.redis.config_set(*command[2:])
            applied.append(command[2])
        assert applied == ["appendonly", "appendfsync", "maxmemory-policy"]


def user(server: Server, *rights: str) -> str:
    """The URL of a user who may do all but some things."""
    server.redis.execute_command("ACL", "SETUSER", "bot", "on", ">pw", "~*", "+@all", *rights)  # type: ignore[no-untyped-call]
    return server.url_of("bot", "pw")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
async def test_without_config_the_file_is_seen_and_its_fsync_is_not(tmp_path: Path, program: Path) -> None:
    with serving(tmp_path, SAFE, program) as server:
        facts = await facts_of(user(server, "-config"))
        assert facts is not None
        assert (facts.aof, facts.fsync) == (True, None)
        assert [verdict(facts, profile) for profile in PROFILES] == ["warn", "warn", "refused"]
        remedy = by_check(judge(facts, "safe"))["durability"].remedy
        assert "+config|get" in remedy
        granted = await facts_of(user(server, "-config", "+config|get"))
        assert granted is not None
        assert granted.fsync == "always"
        assert await facts_of(user(server, "-info")) is None


async def test_a_replica_is_seen(tmp_path: Path) -> None:
    with serving(tmp_path, {**SAFE, "replicaof": "127.0.0.1 9"}) as server:
        assert verdict(await facts_of(server.url), None, "role") == "bad"


@pytest.mark.parametrize(("fsync", "verdicts"), [("always", ["ok", "ok", "ok"]), ("everysec", ["warn", "ok", "refused"])])
async def test_the_embedded_server_keeps_what_it_was_started_for(tmp_path: Path, fsync: str, verdicts: list[str]) -> None:
    server = await RedisServer.open(url=None, data_dir=tmp_path, fsync=fsync)  # type: ignore[arg-type]
    try:
        facts = await facts_of(f"unix://{server.address.path}")
        assert facts is not None
        assert facts.fsync == fsync
        assert [verdict(facts, profile) for profile in PROFILES] == verdicts
    finally:
        await server.close()


async def test_an_old_server_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    async def old(*command: object) -> object:
        return b"# Server\r\nredis_version:6.2.14\r\nrole:master\r\n" if command == ("INFO",) else []

    found = Checkup(Calls("unix:///nowhere", patience=0, restore=None))
    monkeypatch.setattr(found._calls, "command", old)
    with pytest.raises(UnfitRedis, match=r"redis 6\.2 is older than 7\.0; upgrade"):
        await found.not_too_old()
