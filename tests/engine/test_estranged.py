"""A Redis that lost what it held: set up again as it was, or, where another process was quicker, not worked with any more."""

import pytest
from redis import Redis

from pilotbot.engine import Away, Engine
from tests.engine.steps import arrival


async def test_one_that_came_back_empty_is_set_up_as_before(engine: Engine, redis: Redis, redis_url: str) -> None:
    before = redis.hgetall("{pb}:conf")
    redis.flushall()
    assert await engine.ready()
    assert redis.hgetall("{pb}:conf") == before
    other = Engine(redis_url, shards=2)
    await other.open()
    assert other.keys.person("ana") == engine.keys.person("ana")
    await other.close()


@pytest.mark.parametrize("forgot_scripts", [True, False])
async def test_one_that_another_process_set_up_anew_is_not_worked_with(
    engine: Engine, redis: Redis, redis_url: str, forgot_scripts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Chats have other names there: who goes on with the old ones would overlook what is decided under the new."""
    redis.flushall()
    other = Engine(redis_url, shards=2)
    await other.open()
    if forgot_scripts:  # it was restarted: the next step notices
        redis.script_flush()
        with pytest.raises(Away, match="set up anew"):
            await engine.accept(arrival(engine, "a"))
    else:  # the look that is taken every minute, and by /readyz
        with pytest.raises(Away, match="set up anew"):
            await engine.ready()
    with pytest.raises(Away, match="set up anew"):
        await engine.accept(arrival(engine, "b"))
    assert "must be started again" in caplog.text
    assert redis.keys("{pb:*}:mailbox:*") == []
    await other.close()
