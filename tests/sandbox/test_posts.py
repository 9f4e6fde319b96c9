"""What became of posts: counted by their answer, and listed where the post itself was refused."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.sandbox.conftest import Api


async def posts(api: Api) -> dict[str, Any]:
    return dict((await api.call("GET", "/sandbox/posts")).json)


async def test_posts_are_counted_by_their_answer(api: Api) -> None:
    await api.send({"text": "one"}, key="k1")
    await api.send({"text": "one"}, key="k1")
    await api.faults(http500={"next": 1})
    await api.send({"text": "two"}, key="k2")
    await api.faults(http429={"next": 1})
    await api.send({"text": "two"}, key="k2")
    await api.faults(acceptThenDrop={"next": 1})
    with pytest.raises(aiohttp.ClientError):
        await api.send({"text": "two"}, key="k2")
    assert await posts(api) == {"answers": {"202": 2, "500": 1, "429": 1, "dropped": 1}, "replayed": 1, "refused": []}


async def test_a_post_that_is_refused_is_listed_without_its_words(api: Api) -> None:
    await api.send({"text": "one"}, key="k1")
    await api.send({"text": "other"}, key="k1")
    await api.call("POST", "/v1/messages/send", raw=b"", headers={"Idempotency-Key": "k1"})
    await api.call("POST", "/v1/messages/send", raw=b"{")
    found = await posts(api)
    listed = [(one["status"], one["code"], one["idempotencyKey"], one["bytes"]) for one in found["refused"]]
    assert listed[1:] == [(409, "IDEMPOTENCY_KEY_REUSED", "k1", 0), (400, "VALIDATION_ERROR", None, 1)]
    assert listed[0][:3] == (409, "IDEMPOTENCY_KEY_REUSED", "k1")
    assert all(one["at"].endswith("Z") for one in found["refused"])
    assert "other" not in str(found)


async def test_other_calls_are_not_posts_and_a_reset_forgets(api: Api) -> None:
    await api.send({"text": "one"})
    await api.call("GET", "/v1/messages/send")
    await api.call("GET", "/v1/numbers")
    assert (await posts(api))["answers"] == {"202": 1}
    await api.call("POST", "/sandbox/reset", {})
    assert await posts(api) == {"answers": {}, "replayed": 0, "refused": []}
