"""What a post said is read back, whatever it was."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.platform import FailureFamily, SendRequest
from pilotbot.replies import Destination, Message, SentMessage, Template, image, render
from pilotbot.replies.sent import MODES, Posted, read_posted

ANA = Destination("contact", "+5511987650001")
AT = datetime(2026, 11, 20, 13, tzinfo=UTC)


def posted(content: Message) -> Posted:
    (part,) = render(content, to=ANA, kind="meta").parts
    assert isinstance(part.free, SendRequest)
    found = read_posted(part.free.to_bytes())
    assert found.mode == part.free.mode
    return found


def test_a_text_buttons_and_a_picture() -> None:
    assert posted(Message("Olá")) == Posted("text", text="Olá")
    assert posted(Message("Which?", options=["Red", "Blue"])) == Posted("buttons", text="Which?", labels=("Red", "Blue"))
    assert posted(Message("Look", media=image("https://cdn.example.com/1.jpg"))) == Posted("media", text="Look")


def test_a_template_with_its_variables() -> None:
    (part,) = render(Message("x", template=Template("packed", order="4242")), to=ANA, kind="meta").parts
    assert part.template is not None
    assert read_posted(part.template.to_bytes()) == Posted("template", template="packed", variables={"order": "4242"})


def test_a_list() -> None:
    body = {"text": "Which?", "list": {"buttonText": "See", "sections": [{"title": "A", "rows": [{"title": "Red", "rowId": "1"}]}]}}
    assert read_posted(orjson.dumps(body)) == Posted("list", text="Which?", labels=("Red",))


@pytest.mark.parametrize("block", ["carousel", "flow"])
def test_what_has_a_block(block: str) -> None:
    assert read_posted(orjson.dumps({"text": "x", block: {}})).mode == block


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rows", "sections", "label", "title"]), inner),
)
NAMES = ["text", "templateId", "variables", "buttons", "list", "media", "caption", "flow"]


@given(st.dictionaries(st.sampled_from(NAMES), values).map(orjson.dumps) | st.binary(max_size=30))
def test_anything_is_read(body: bytes) -> None:
    assert read_posted(body).mode in MODES


def test_a_failure_has_a_meaning_and_a_remedy_and_what_did_not_fail_has_none() -> None:
    failed = SentMessage(id="p1", mode="text", statuses={"failed": AT}, status="failed", error_code="WHATSAPP_NOT_EXIST")
    assert (failed.failure, failed.meaning) == (FailureFamily.PERMANENT, "The phone number has no WhatsApp.")
    overruled = SentMessage(id="p1", mode="text", statuses={"failed": AT, "read": AT}, status="read", error_code="DELIVERY_TIMEOUT")
    assert overruled.failure is FailureFamily.POSSIBLY_DELIVERED
    fine = SentMessage(id="p1", mode="text", statuses={"read": AT}, status="read")
    assert (fine.failure, fine.meaning, fine.remedy) == (None, None, None)
    assert SentMessage(id="p1", mode="text", status="failed").remedy is not None


def test_a_repr_says_nothing_of_its_content() -> None:
    assert "Olá" not in repr(SentMessage(id="p1", mode="text", text="Olá", variables={"a": "Olá"})) + repr(Posted("text", text="Olá"))
