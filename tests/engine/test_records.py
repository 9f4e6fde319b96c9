"""The record of a sent message: how it went, when each status was reached, what is kept of its content and for how long."""

from collections import Counter
from dataclasses import replace

import pytest
from redis import Redis

from pilotbot.engine import HOUR, Engine, Item, Record
from pilotbot.server.intake import settle_failure
from tests.engine.steps import arrival, lane_of, now_ms, queue

DAY = 24 * HOUR
SAID = Item(id="0123456789abcdef" * 2, free=b'{"text":"Packed."}', template=b'{"t":1}', menu=b'{"id":"m"}', enforced=True, cause="in-1")


async def recorded(engine: Engine, item: Item = SAID, **how: object) -> Record:
    await queue(engine, item)
    return await engine.record(await lane_of(engine), "p1", **how)  # type: ignore[arg-type]


async def found(engine: Engine, name: str = "p1") -> Record:
    record = await engine.find_record(name)
    assert record is not None
    return record


async def test_it_says_how_a_message_went_and_what_caused_it(engine: Engine) -> None:
    before = now_ms()
    await engine.accept(arrival(engine, "hi"))
    record = await recorded(engine, mode="buttons")
    assert (record.item, record.pin, record.mode, record.template, record.cause) == (SAID.id, "free", "buttons", None, "in-1")
    assert before <= record.known <= now_ms()
    assert (record.status, record.times, record.code, record.cost) == (None, {}, None, None)


async def test_of_a_template_its_name(engine: Engine) -> None:
    record = await recorded(engine, mode="ignored", template="packed")  # no window: it goes as the template
    assert (record.pin, record.mode, record.template) == ("template", "template", "packed")


async def test_a_text_is_what_is_left_out(engine: Engine) -> None:
    record = await recorded(engine, Item(id="one", free=b"x"))
    assert (record.item, record.mode, record.cause) == ("one", "text", "")


async def test_each_status_has_its_time_the_first_that_was_told_and_none_is_of_the_future(engine: Engine) -> None:
    began = now_ms()
    await recorded(engine)
    await engine.merge_status("p1", "read", code=None, message_id=None, times={"read": began + HOUR, "sent": began - 3})
    await engine.merge_status("p1", "sent", code=None, message_id=None, times={"sent": began})
    await engine.merge_status("p1", "delivered", code=None, message_id=None)
    times = (await found(engine)).times
    assert times["sent"] == began - 3
    assert began <= times["read"] <= now_ms()
    assert began <= times["delivered"] <= now_ms()


async def test_a_status_tells_no_times_of_those_beyond_it(engine: Engine) -> None:
    _, record = await engine.merge_status("p1", "sent", code=None, message_id=None, times={"read": 5, "sent": 4})
    assert (record.status, set(record.times)) == ("sent", {"sent"})


async def test_the_code_of_a_failure_stays_when_a_receipt_overrules_it(engine: Engine) -> None:
    await recorded(engine)
    await engine.merge_status("p1", "failed", code="DELIVERY_TIMEOUT", message_id=None)
    _, record = await engine.merge_status("p1", "delivered", code=None, message_id=None, cost="utility")
    assert (record.status, record.code, record.cost) == ("delivered", "DELIVERY_TIMEOUT", "utility")


@pytest.mark.parametrize("keep", [False, True])
async def test_the_content_goes_with_the_delivery_unless_handlers_want_it(engine: Engine, redis: Redis, keep: bool) -> None:
    await engine.accept(arrival(engine, "hi"))
    record = await recorded(engine, replace(SAID, menu=b""), keep=keep)
    assert record.again == replace(SAID, menu=b"").decided_again()
    await engine.merge_status("p1", "sent", code=None, message_id=None)
    assert (await found(engine)).kept == replace(SAID, menu=b"")
    _, record = await engine.merge_status("p1", "delivered", code=None, message_id=None)
    assert record.again is None
    assert record.kept == (replace(SAID, menu=b"") if keep else None)
    (left,) = redis.keys("*:content:*") if keep else (None,)
    assert redis.keys("*:content:*") == ([left] if keep else [])
    assert left is None or 13 * DAY < redis.pttl(left) <= 14 * DAY


async def test_the_menu_stays_as_long_as_it_can_be_tapped_and_is_there_once(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "hi"))
    record = await recorded(engine, keep=True)
    assert record.menu == SAID.menu
    assert record.again == SAID.decided_again()
    assert record.kept == replace(SAID, menu=b"")
    (content,), (menu,) = redis.keys("*:content:*"), redis.keys("*:menu:*")
    assert 13 * DAY < redis.pttl(content) <= 14 * DAY
    assert 44 * DAY < redis.pttl(menu) <= 45 * DAY
    redis.delete(content)
    assert (await found(engine)).menu == SAID.menu
    assert (await found(engine)).kept is None


async def test_what_is_not_sent_again_is_not_kept_for_that(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "hi"))
    await recorded(engine)
    _, record = await engine.merge_status("p1", "failed", code="DELIVERY_TIMEOUT", message_id=None)
    assert record.again is not None
    assert await settle_failure(engine, record, lambda _: None, Counter()) == ()
    assert redis.keys("*:content:*") == []


async def test_what_is_long_is_kept_compressed_and_what_is_huge_is_not(engine: Engine, redis: Redis) -> None:
    await engine.accept(arrival(engine, "hi"))
    long = Item(id="long", free=b'{"text":"%s"}' % (b"Your order is packed. " * 40), enforced=True)
    assert (await recorded(engine, long, keep=True)).kept == long
    (content,) = redis.keys("*:content:*")
    assert (redis.memory_usage(content) or 0) < len(long.free) / 2


async def test_a_file_that_was_given_as_data_is_not_kept_for_handlers(engine: Engine) -> None:
    huge = Item(id="huge", free=b'{"media":"data:%s"}' % (b"x" * 40_000))
    assert (await recorded(engine, huge, keep=True)).kept == huge  # until it is delivered: it may be decided again
    _, record = await engine.merge_status("p1", "delivered", code=None, message_id=None)
    assert record.kept is None


async def test_what_was_decided_again_is_not_once_more(engine: Engine) -> None:
    assert (await recorded(engine, replace(SAID, again=True))).again is None


async def test_a_message_of_others_is_forgotten_after_two_days_and_one_that_proves_ours_is_not(engine: Engine, redis: Redis) -> None:
    await engine.merge_status("p1", "read", code=None, message_id="wamid.1", body=b"{}")
    keys = sorted(redis.keys("*:record:*") + redis.keys("*:content:*") + redis.keys("*:wamid:*"))
    assert [0 < redis.pttl(key) <= 2 * DAY for key in keys] == [True] * 3
    assert sum(redis.memory_usage(key) or 0 for key in keys) < 500
    record = await recorded(engine, keep=True)
    assert record.parked == (b"{}",)
    await engine.unpark(record)
    assert [redis.pttl(key) > 2 * DAY for key in keys] == [True] * 3
    assert (await found(engine, "wamid.1")).item == SAID.id
