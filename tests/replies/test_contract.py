"""Section 6's promise: whatever the content, number and destination, no rendered request is one that the contract refuses."""

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import (
    Action,
    ContentError,
    Destination,
    File,
    Message,
    NumberKind,
    Option,
    Rendered,
    Template,
    Unsendable,
    choose,
    forecast,
    recognise,
    render,
    window_enforced,
)
from pilotbot.replies.splitting import clean
from pilotbot.sandbox.schemas import SendRequest as SandboxRequest
from pilotbot.sandbox.schemas import is_data_uri, is_url


class ContractPick(Action):
    what: str
    count: int = 0


DESTINATIONS = [
    Destination("contact", "+5511987650001"),
    Destination("contact", "BR.123456"),
    Destination("group", "120363000000000001@g.us"),
    Destination("newsletter", "120363000000000099@newsletter"),
]
KINDS: list[NumberKind] = ["meta", "evolution_v2", "evolution_go"]
FIELDS = {
    "destinationNumber", "groupId", "newsletterId", "templateId", "variables", "text", "media", "mediaType", "caption",
    "buttons", "header", "footer", "list",
}  # fmt: skip


def check(body: dict[str, Any], kind: NumberKind) -> None:
    """The contract's sections 3.1 to 3.5, written down once more, apart from the code under test."""
    assert set(body) <= FIELDS
    destinations = {"destinationNumber", "groupId", "newsletterId"} & set(body)
    assert len(destinations) == 1
    destination = destinations.pop()
    form = {
        "destinationNumber": r"\+[1-9]\d{6,14}|[A-Z]{2}\.\d+",
        "groupId": r"\d+@g\.us",
        "newsletterId": r"\d+@newsletter",
    }
    assert re.fullmatch(form[destination], body[destination])
    assert not (kind == "meta" and destination == "newsletterId")
    assert len({"templateId", "text", "media"} & set(body)) == 1
    if "templateId" in body:
        assert body["templateId"].strip()
        assert all(isinstance(value, str) and value.strip() for value in body.get("variables", {}).values())
        assert destination == "destinationNumber"
        assert set(body) <= {"templateId", "variables", destination}
    if "text" in body:
        assert body["text"].strip()
        assert len(body["text"]) <= (1024 if "buttons" in body else 4096)
    if "media" in body:
        check_media(body["media"], kind)
        assert body["mediaType"] in {"image", "video", "document", "audio", "voice", "sticker"}
    if "caption" in body:
        assert body["mediaType"] in {"image", "video", "document"}
        assert body["caption"].strip()
    if "buttons" in body:
        assert destination == "destinationNumber"
        assert 1 <= len(body["buttons"]) <= 3
        assert all(button["type"] == "reply" for button in body["buttons"])
        assert all(0 < len(button["label"].strip()) <= 20 for button in body["buttons"])
        assert len({button["label"].strip().lower() for button in body["buttons"]}) == len(body["buttons"])
    assert "buttons" in body or not {"header", "footer"} & set(body)
    if "header" in body:
        assert set(body["header"]) == {"type", "content"}
        if body["header"]["type"] == "text":
            assert 0 < len(body["header"]["content"]) <= 60
        else:
            assert is_url(body["header"]["content"])
    assert len(body.get("footer", "x")) in range(1, 61)


def check_media(media: str, kind: NumberKind) -> None:
    if media.startswith("data:"):
        assert is_data_uri(media)
        assert kind != "evolution_go"
    else:
        assert is_url(media)


words = st.text(max_size=30) | st.sampled_from(["{{ name }}", "Não", "x" * 20, "{{ 7*7 }}", "a\n\nb", "\ufeff", "\u200b"])
long_texts = st.builds(lambda word, times: word * times, st.text(min_size=1, max_size=40), st.integers(1, 400))
texts = words | long_texts
addresses = st.sampled_from(
    ["https://example.com/1.jpg", "https://example.com/{{ name }}", "data:image/png;base64,AAAA", "data:a/b;base64,{{ name }}"]
)
files = st.builds(File, addresses, st.sampled_from(["image", "video", "document", "audio", "voice", "sticker"]))
actions = st.builds(ContractPick, what=words, count=st.integers())
options = st.lists(st.builds(Option, words, st.none() | actions) | words, max_size=12)
templates = st.builds(
    lambda name, variables: lambda: Template(name, **variables),
    words,
    st.dictionaries(st.sampled_from(["order_id", "name", "1"]), texts | st.integers() | st.none(), max_size=3),
)


@st.composite
def contents(draw: st.DrawFn) -> Callable[[], str | Message]:
    template = draw(st.none() | templates)
    fields: dict[str, Any] = {
        "text": draw(texts),
        "options": draw(options),
        "media": draw(st.none() | files),
        "header": draw(st.none() | words),
        "footer": draw(st.none() | words),
    }
    plain = draw(st.booleans())
    return lambda: str(fields["text"]) if plain else Message(**fields, template=template() if template else None)


def requests(rendered: Rendered) -> list[bytes]:
    return [request.to_bytes() for part in rendered.parts for request in (part.free, part.template) if request is not None]


def judge(rendered: Rendered, to: Destination, kind: NumberKind, *, window_open: bool) -> None:
    assert rendered.parts
    for raw in requests(rendered):
        body = orjson.loads(raw)
        check(body, kind)
        SandboxRequest.model_validate(body)
    for part in rendered.parts[1:]:
        assert part.free is not None
        assert part.template is None
        assert part.rest
    enforced = window_enforced(kind, to)
    first = rendered.parts[0]
    goes = choose(
        has_free=first.free is not None,
        has_template=first.template is not None,
        enforced=enforced,
        window_open=window_open,
        closed_policy="defer",
    )
    assert goes != "fail"
    assert not (goes == "free" and enforced and not window_open)
    forecast(rendered, enforced=enforced, window_open=window_open, closed_policy="defer")


filled = texts.map(lambda text: "ok " + text.replace("{", "("))
labels = st.lists(st.text("abç Ñ", max_size=15), max_size=9).map(lambda made: [f"{index} {label}" for index, label in enumerate(made)])
lines = st.none() | st.text("ab c", max_size=57).map(lambda line: "ok " + line)
good_files = st.builds(
    File,
    st.sampled_from(["https://example.com/{{ id }}.jpg", "data:image/png;base64,AAAA"]),
    st.sampled_from(["image", "video", "document", "audio", "voice", "sticker"]),
)
good_templates = st.builds(
    lambda variables: Template("order_status", **variables),
    st.dictionaries(st.sampled_from(["order_id", "name"]), filled | st.just("{{ name }}") | st.integers(), max_size=2),
)


@given(
    text=filled,
    labels=labels,
    media=st.none() | good_files,
    template=st.none() | good_templates,
    lines=st.tuples(lines, lines),
    to=st.sampled_from(DESTINATIONS),
    kind=st.sampled_from(KINDS),
    name=texts,
    window_open=st.booleans(),
)
def test_the_right_mode_well_formed_content_always_goes(
    text: str,
    labels: list[str],
    media: File | None,
    template: Template | None,
    lines: tuple[str | None, str | None],
    to: Destination,
    kind: NumberKind,
    name: str,
    window_open: bool,
) -> None:
    above, below = lines
    message = Message(
        text + " {{ name }}",
        options=labels,
        media=media,
        template=template,
        header=None if media and labels else above,
        footer=below,
    )
    try:
        rendered = render(message, to=to, kind=kind, values={"name": name, "id": 7})
    except Unsendable:
        assert (kind, to.kind) == ("meta", "newsletter") or (kind == "evolution_go" and media and media.inline)
        return
    judge(rendered, to, kind, window_open=window_open)
    assert (rendered.menu is not None) == bool(labels)
    shown = "".join(text for part in rendered.parts if part.free for text in (part.free.text, part.free.caption) if text)
    assert "".join(clean(name).split()) in "".join(shown.split())


@given(
    make=contents(),
    given_options=st.none() | options,
    given_media=st.none() | files,
    given_template=st.none() | templates,
    to=st.sampled_from(DESTINATIONS),
    kind=st.sampled_from(KINDS),
    name=texts,
    window_open=st.booleans(),
)
def test_the_right_mode_no_input_yields_a_request_that_is_refused(
    make: Callable[[], str | Message],
    given_options: list[Option | str] | None,
    given_media: File | None,
    given_template: Callable[[], Template] | None,
    to: Destination,
    kind: NumberKind,
    name: str,
    window_open: bool,
) -> None:
    try:
        template = given_template() if given_template else None
        rendered = render(
            make(),
            to=to,
            kind=kind,
            values={"name": name},
            options=given_options,
            media=given_media,
            template=template,
        )
    except ContentError:
        return
    judge(rendered, to, kind, window_open=window_open)


@given(given_options=options.filter(bool), text=texts, to=st.sampled_from(DESTINATIONS))
def test_every_option_offered_can_be_chosen_by_its_number_or_is_asked_about(
    given_options: list[Option | str], text: str, to: Destination
) -> None:
    try:
        menu = render(text, to=to, kind="evolution_v2", options=given_options).menu
    except ContentError:
        return
    assert menu is not None
    assert len(menu.entries) == len(given_options)
    assert all(recognise([menu], str(number)) is not None for number in range(1, len(menu.entries) + 1))
    assert all(recognise([menu], entry.label, tapped=True) is not None for entry in menu.entries)


def test_the_check_itself_can_fail() -> None:
    good = {"destinationNumber": "+5511987650001", "text": "Hi"}
    check(good, "meta")
    for bad in (
        good | {"groupId": "1@g.us"},
        good | {"text": " "},
        good | {"text": "x" * 4097},
        good | {"media": "https://example.com/1.jpg", "mediaType": "image"},
        good | {"footer": "x"},
        good | {"buttons": [{"type": "reply", "label": "x" * 21}]},
        good | {"buttons": [{"type": "reply", "label": "x"}, {"type": "reply", "label": "X"}]},
        good | {"text": "x" * 1025, "buttons": [{"type": "reply", "label": "x"}]},
        good | {"caption": "x", "text": None},
    ):
        with pytest.raises((AssertionError, KeyError, AttributeError)):
            check(bad, "meta")


def test_unsendable_is_a_content_error() -> None:
    assert issubclass(Unsendable, ContentError)
