"""Empty databases for platforms: each its own, used again, and empty again."""

from redis.asyncio import Redis

from pilotbot.testing.databases import empty_database


async def test_each_is_empty_and_used_again_after_it_was_left() -> None:
    async with empty_database() as one, empty_database() as other:
        assert one != other
        async with Redis.from_url(one) as client:
            await client.set("left", "behind")
    async with empty_database() as first, empty_database() as second:
        assert {first, second} == {one, other}
        async with Redis.from_url(one) as client:
            assert await client.dbsize() == 0
