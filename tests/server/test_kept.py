"""The start is refused where Redis cannot keep what is promised; without a promise it is told; afterwards it is watched."""

import logging
from pathlib import Path
from typing import Any

import pytest

from pilotbot import Bot, running
from pilotbot.engine.durability import ServerFacts, UnfitRedis
from pilotbot.engine.embedded import RedisServer
from tests.servers import serving
from tests.stage import Stage

OFF = {"appendonly": "no"}
SECONDLY = {"appendonly": "yes", "appendfsync": "everysec"}
SAFE = {"appendonly": "yes", "appendfsync": "always"}


async def readyz(stage: Stage, url: str) -> tuple[int, Any]:
    async with stage.http.get(f"{url}/readyz") as answer:
        return answer.status, (await answer.json())["durability"]


@pytest.mark.parametrize(
    ("server", "profile", "remedy"),
    [(OFF, "safe", "appendonly yes"), (OFF, "fast", "appendonly yes"), (SECONDLY, "safe", "appendfsync always")],
)
async def test_a_promise_that_redis_cannot_keep_is_refused(
    stage: Stage, tmp_path: Path, server: dict[str, str], profile: str, remedy: str
) -> None:
    with serving(tmp_path / "r", server) as redis:
        settings = stage.settings(redis_url=redis.url, durability=profile)
        with pytest.raises(UnfitRedis, match=f"{profile} is promised; CONFIG SET {remedy}"):
            async with running(Bot("shop"), settings):
                pytest.fail("it started")
        redis.redis.config_set(*remedy.split())
        if profile == "safe":
            redis.redis.config_set("appendfsync", "always")
        async with running(Bot("shop"), settings) as runtime:
            assert await readyz(stage, runtime.url) == (200, "ok")


async def test_without_a_promise_it_starts_and_tells(stage: Stage, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with serving(tmp_path / "r", OFF) as redis:
        runtime = await stage.work(Bot("shop"), redis_url=redis.url)
        status, told = await readyz(stage, runtime.url)
        assert status == 200
        assert told == ["appendonly is no: when it stops, what it holds is gone; CONFIG SET appendonly yes, and the same in its redis.conf"]
        await runtime._kept.look()
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR and "Redis:" in record.getMessage()]
    assert errors == [f"Redis: {told[0]}"]


async def test_a_promise_that_is_broken_later_is_no_readiness_until_it_is_kept_again(stage: Stage, tmp_path: Path) -> None:
    with serving(tmp_path / "r", SAFE) as redis:
        runtime = await stage.work(Bot("shop"), redis_url=redis.url, durability="safe")
        redis.redis.config_set("appendfsync", "everysec")
        await runtime._kept.look()
        status, (told,) = await readyz(stage, runtime.url)
        assert status == 503
        assert "safe is promised; CONFIG SET appendfsync always" in told
        redis.redis.config_set("appendfsync", "always")
        await runtime._kept.look()
        assert await readyz(stage, runtime.url) == (200, "ok")


async def test_an_old_server_is_refused_before_anything_is_written(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def old(_: object) -> ServerFacts:
        return ServerFacts("redis", (6, 2))

    monkeypatch.setattr("pilotbot.engine.checkup.read_facts", old)
    with serving(tmp_path / "r", SAFE) as redis:
        with pytest.raises(UnfitRedis, match=r"redis 6\.2 is older than 7\.0"):
            async with running(Bot("shop"), stage.settings(redis_url=redis.url)):
                pytest.fail("it started")
        assert redis.redis.dbsize() == 0


@pytest.mark.parametrize(("profile", "fsync"), [(None, "always"), ("safe", "always"), ("fast", "everysec")])
async def test_the_embedded_server_is_started_for_what_is_promised(stage: Stage, profile: str | None, fsync: str) -> None:
    runtime = await stage.work(Bot("shop"), redis_url=None, durability=profile)
    facts = await runtime.engine.checkup.facts()
    assert facts is not None
    assert facts.fsync == fsync
    assert await readyz(stage, runtime.url) == (200, "ok")


@pytest.mark.parametrize("profile", [None, "safe"])
async def test_a_running_server_of_our_own_that_was_started_for_less_is_refused(stage: Stage, tmp_path: Path, profile: str | None) -> None:
    settings = stage.settings(redis_url=None, durability=profile)
    server = await RedisServer.open(url=None, data_dir=settings.data_dir, fsync="everysec")
    try:
        with pytest.raises(UnfitRedis, match="start them with the same PILOTBOT_DURABILITY"):
            async with running(Bot("shop"), settings):
                pytest.fail("it started")
    finally:
        await server.close()
