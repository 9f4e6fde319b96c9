"""Where worker and sender look next."""

import asyncio

from pilotbot.server.hints import Hints


async def told(hints: Hints) -> bool:
    """Whether it does not wait."""
    task = asyncio.create_task(hints.wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    return task.done()


async def test_at_first_and_after_a_while_all_shards_may_have_work() -> None:
    hints = Hints(3, poll=0.001)
    assert (hints.take(9), bool(hints)) == ([0, 1, 2], False)
    await hints.wait()
    assert hints.take(9) == [0, 1, 2]


async def test_they_come_in_the_order_of_the_hints_so_that_none_starves() -> None:
    hints = Hints(4, poll=60)
    hints.take(9)
    for shard in (2, 0, 3, 2):
        hints.add(shard)
    assert hints.take(1) == [2]
    hints.add(2)  # as busy as ever
    assert [hints.take(1), hints.take(1), hints.take(1)] == [[0], [3], [2]]


async def test_without_places_nothing_is_taken() -> None:
    hints = Hints(2, poll=60)
    assert [hints.take(0), hints.take(-3), hints.take(1)] == [[], [], [0]]


async def test_a_hint_ends_the_wait_and_one_wait_only() -> None:
    hints = Hints(2, poll=60)
    hints.add(1)
    await hints.wait()
    assert not await told(hints)
    hints.look()
    await hints.wait()
