"""Whatever is sent, the answer is a clean one: no input breaks the sandbox."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pilotbot.sandbox.clock import iso, parse_iso
from pilotbot.sandbox.control_schemas import ContactRequest, InboundRequest, MediaRequest, ReadRequest, ResendRequest
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.faults import FaultsRequest
from pilotbot.sandbox.http import parse
from pilotbot.sandbox.schemas import SendRequest, TemplateWrite, WebhookCreate, is_url
from tests.sandbox.conftest import Api

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def bodies(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with the model's fields and any values."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return st.dictionaries(st.sampled_from(names), JSON, max_size=6)


@pytest.mark.parametrize(
    "model",
    [SendRequest, TemplateWrite, WebhookCreate, FaultsRequest, InboundRequest, ContactRequest, ReadRequest, MediaRequest, ResendRequest],
)
def test_any_object_is_taken_or_refused_in_contract_form(model: type[BaseModel]) -> None:
    @given(bodies(model))
    def check(body: dict[str, Any]) -> None:
        try:
            parse(model, orjson.dumps(body))
        except ApiError as error:
            refused = error
            orjson.dumps(refused.body())
        else:
            return
        assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")

    check()


@given(st.binary(max_size=50))
def test_any_bytes_are_taken_or_refused(raw: bytes) -> None:
    try:
        parse(SendRequest, raw)
    except ApiError as error:
        refused = error
        orjson.dumps(refused.body())


@given(st.text(max_size=30))
def test_any_text_is_a_url_or_not(text: str) -> None:
    assert is_url(text) in {True, False}


@given(st.datetimes(timezones=st.timezones()))
def test_any_time_that_can_be_read_can_be_shown(moment: Any) -> None:
    try:
        ms = parse_iso(moment.isoformat())
    except ValueError:
        return
    assert parse_iso(iso(ms)) == ms


async def test_nesting_without_end_is_refused(api: Api) -> None:
    deep = "[" * 900 + "]" * 900
    raw = b'{"body": {"event": "x", "data": ' + deep.encode() + b"}}"
    assert (await api.call("POST", "/sandbox/events", raw=raw)).status == 400


@pytest.mark.parametrize("text", ["{{name}}", "%s %(x)s {0}", "\x00\u202e", "</script>", "👩‍👩‍👧‍👦" * 50, "a" * 4096])
async def test_texts_come_back_as_they_were_written(api: Api, text: str) -> None:
    await api.write(text)
    await api.send({"text": text})
    assert [row["text"] for row in await api.rows()] == [text, text]
