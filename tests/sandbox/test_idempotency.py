"""The four cases of `Idempotency-Key`, for 24 hours on the sandbox's clock (contract 3.7)."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.sandbox.conftest import Api


async def test_same_key_same_body_is_answered_again_and_sent_once(api: Api) -> None:
    first = await api.send({"text": "a"}, key="k1")
    again = await api.send({"text": "a"}, key="k1")
    assert (again.status, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert [row["idempotencyKey"] for row in await api.rows()] == ["k1"]


async def test_same_key_other_body_is_reused(api: Api) -> None:
    await api.send({"text": "a"}, key="k1")
    other = await api.send({"text": "b"}, key="k1")
    assert (other.status, other.json["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_the_same_json_in_other_bytes_is_another_body(api: Api) -> None:
    for raw, status in ((b'{"destinationNumber":"+5511987650001","text":"a"}', 202),
                        (b'{"destinationNumber":"+5511987650001", "text":"a"}', 409)):  # fmt: skip
        answer = await api.call("POST", "/v1/messages/send", raw=raw, headers={"Idempotency-Key": "k1"})
        assert answer.status == status


async def test_a_key_whose_first_call_still_runs_is_in_use(api: Api) -> None:
    await api.faults(latencyMs=60_000)
    both = [asyncio.create_task(api.send({"text": "a"}, key="k1")) for _ in range(2)]
    done, running = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    second = done.pop().result()
    assert (second.status, second.json["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    running.pop().cancel()


async def test_an_error_is_not_remembered(api: Api) -> None:
    assert (await api.send({"text": ""}, key="k1")).status == 400
    assert (await api.send({"text": "a"}, key="k1")).status == 202


async def test_keys_belong_to_one_number(api: Api, evolution: Api) -> None:
    assert (await api.send({"text": "a"}, key="k1")).status == 202
    assert (await evolution.send({"text": "b"}, key="k1")).status == 202


async def test_keys_are_forgotten_after_24_hours(api: Api) -> None:
    await api.send({"text": "a"}, key="k1")
    await api.advance("23h59m")
    assert (await api.send({"text": "b"}, key="k1")).status == 409
    await api.advance("1m")
    assert (await api.send({"text": "b"}, key="k1")).status == 202


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_invalid_keys(api: Api, key: str) -> None:
    answer = await api.send({"text": "a"}, key=key)
    assert (answer.status, answer.json["code"]) == (400, "IDEMPOTENCY_KEY_INVALID")


async def test_a_lost_answer_is_found_again_by_its_key(api: Api) -> None:
    await api.faults(acceptThenDrop={"next": 1})
    with pytest.raises(aiohttp.ClientError):
        await api.send({"text": "a"}, key="k1")
    again = await api.send({"text": "a"}, key="k1")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [row["id"] for row in await api.rows()] == [again.json["id"]]


async def test_a_lost_post_was_never_accepted(api: Api) -> None:
    await api.faults(dropBefore={"next": 1})
    with pytest.raises(aiohttp.ClientError):
        await api.send({"text": "a"}, key="k1")
    assert await api.rows() == []
    assert "Idempotent-Replayed" not in (await api.send({"text": "a"}, key="k1")).headers
