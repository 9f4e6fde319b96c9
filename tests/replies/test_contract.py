"""Section 6's promise: whatever the content, number and destination, no rendered request is one that the contract refuses."""

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pilotbot.platform.fields import CAPTIONED
from pilotbot.replies import (
    Action,
    Card,
    Carousel,
    ContentError,
    Destination,
    File,
    Flow,
    Link,
    Message,
    NumberKind,
    Offer,
    Option,
    Rendered,
    Section,
    Template,
    Unsendable,
    choose,
    forecast,
    image,
    next_page,
    recognise,
    render,
    video,
    window_enforced,
)
from pilotbot.replies.markup import neutral
from pilotbot.replies.splitting import clean
from pilotbot.sandbox.schemas import is_data_uri, is_url
from tests.replies.judge import KINDS, refusal


class ContractPick(Action):
    what: str
    count: int = 0


DESTINATIONS = [
    Destination("contact", "+5511987650001"),
    Destination("contact", "BR.123456"),
    Destination("group", "120363000000000001@g.us"),
    Destination("newsletter", "120363000000000099@newsletter"),
]
FIELDS = {
    "destinationNumber", "groupId", "newsletterId", "templateId", "variables", "text", "media", "mediaType", "caption",
    "buttons", "header", "footer", "list", "carousel", "flow",
}  # fmt: skip


UNDER = {"buttons", "list", "carousel", "flow"}


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
        assert len(body["text"]) <= (1024 if UNDER & set(body) else 4096)
    if "media" in body:
        check_media(body["media"], kind)
        assert body["mediaType"] in {"image", "video", "document", "audio", "voice", "sticker"}
    if "caption" in body:
        assert body["mediaType"] in {"image", "video", "document"}
        assert body["caption"].strip()
    if "buttons" in body:
        assert destination == "destinationNumber"
        assert 1 <= len(body["buttons"]) <= 3
        assert all(0 < len(button["label"].strip()) <= 20 for button in body["buttons"])
        assert len({button["label"].strip().lower() for button in body["buttons"]}) == len(body["buttons"])
    assert len(UNDER & set(body)) <= 1
    assert not UNDER & set(body) or ("text" in body and destination == "destinationNumber")
    check_under(body)
    assert "buttons" in body or not {"header", "footer"} & set(body)
    if "header" in body:
        assert set(body["header"]) == {"type", "content"}
        if body["header"]["type"] == "text":
            assert 0 < len(body["header"]["content"]) <= 60
        else:
            assert is_url(body["header"]["content"])
    assert len(body.get("footer", "x")) in range(1, 61)


def check_under(body: dict[str, Any]) -> None:
    """What stands under a text: contract 3.4."""
    if "buttons" in body:
        kinds = {button["type"] for button in body["buttons"]}
        assert kinds == {"reply"} or kinds <= {"url", "call", "copy"}
        assert all(is_url(button["url"]) for button in body["buttons"] if button["type"] == "url")
        assert all(re.fullmatch(r"\+[1-9]\d{6,14}", button["phoneNumber"]) for button in body["buttons"] if button["type"] == "call")
        assert all(button["copyCode"].strip() for button in body["buttons"] if button["type"] == "copy")
    if "list" in body:
        rows = [row for section in body["list"]["sections"] for row in section["rows"]]
        assert 0 < len(body["list"]["buttonText"]) <= 20
        assert all(0 < len(section["title"]) <= 24 for section in body["list"]["sections"])
        assert 1 <= len(rows) <= 10
        assert all(0 < len(row["title"]) <= 24 and len(row.get("description", "")) <= 72 for row in rows)
        assert len({row["title"].strip().lower() for row in rows}) == len(rows)
        assert all(row["rowId"] == row["title"] for row in rows)
    if "carousel" in body:
        assert 1 <= len(body["carousel"]["cards"]) <= 10
        for card in body["carousel"]["cards"]:
            assert set(card["media"]) == {"type", "url"}
            assert is_url(card["media"]["url"])
            assert len(card["body"].strip()) > 0
            assert len(card["body"]) <= 160
            assert len(card.get("buttons", [])) <= 2
            assert all(0 < len(button["text"]) <= 20 for button in card.get("buttons", []))
    if "flow" in body:
        assert body["flow"]["flowId"].strip()
        assert 0 < len(body["flow"]["cta"]) <= 20
        assert "flowToken" not in body["flow"]


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
plain_options = st.builds(Option, words, st.none() | actions, st.just("") | words) | words
links = st.builds(
    lambda kind, label, target: lambda: Link(kind, label, target),
    st.sampled_from(["url", "call", "copy"]),
    words,
    st.sampled_from(["https://example.com/{{ name }}", "+551140028922", "A*1", "{{ name }}"]),
)
sections = st.builds(lambda title, options: lambda: Section(title, options), words, st.lists(plain_options, max_size=4))
offers = st.lists(plain_options, max_size=14) | st.lists(plain_options | links | sections, max_size=6)
cards = st.builds(
    lambda body, file, options: lambda: Card(body, file, made(options)),
    words, st.sampled_from([image("https://example.com/{{ name }}"), video("https://example.com/1.mp4")]),
    st.lists(plain_options | links, max_size=3),
)  # fmt: skip
flows = st.builds(lambda cta, data: lambda: Flow("400{{ name }}", cta, data=data), words, st.dictionaries(words, words, max_size=2))
templates = st.builds(
    lambda name, variables: lambda: Template(name, **variables),
    words,
    st.dictionaries(st.sampled_from(["order_id", "name", "1"]), texts | st.integers() | st.none(), max_size=3),
)


def made(given: list[Any]) -> list[Any]:
    """What is made late, since making it may be refused."""
    return [each() if callable(each) else each for each in given]


@st.composite
def contents(draw: st.DrawFn) -> Callable[[], str | Message]:
    template = draw(st.none() | templates)
    fields: dict[str, Any] = {
        "text": draw(texts),
        "options": draw(st.just([]) | offers),
        "media": draw(st.none() | files),
        "header": draw(st.none() | words),
        "footer": draw(st.none() | words),
        "list_button": draw(st.just("Options") | words),
        "more": draw(st.just("More") | words),
    }
    block = draw(st.none() | st.lists(cards, max_size=3) | flows) if not fields["options"] else None
    plain = draw(st.booleans())

    def make() -> str | Message:
        under: dict[str, Any] = {}
        if block is not None:
            under = {"carousel": Carousel(made(block))} if isinstance(block, list) else {"flow": block()}
        more = fields | under | {"options": made(fields["options"]), "template": template() if template else None}
        return str(fields["text"]) if plain else Message(**more)

    return make


def judge(rendered: Rendered, to: Destination, kind: NumberKind, *, window_open: bool) -> None:
    """Nothing of it breaks the contract, and the sandbox sends all that is chosen for this window."""
    assert rendered.parts
    for part in rendered.parts:
        for request in (part.free, part.template):
            if request is not None:
                check(orjson.loads(request.to_bytes()), kind)
    for part in rendered.parts[1:]:
        assert part.free is not None
        assert part.template is None
        assert part.rest
    assert not rendered.parts[-1].leads
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
    if goes == "free":
        bodies = [orjson.loads(part.free.to_bytes()) for part in rendered.parts if part.free]
        assert [refusal(body, kind, window_open=window_open) for body in bodies] == [None] * len(rendered.parts)
    if goes == "template" and first.template is not None:
        body = orjson.loads(first.template.to_bytes()) | {"templateId": "order_status"}
        assert refusal(body, kind, window_open=window_open, variables=tuple(body.get("variables", {}))) is None
    forecast(rendered, enforced=enforced, window_open=window_open, closed_policy="defer")


filled = texts.map(lambda text: "ok " + text.replace("{", "("))
labels = st.lists(st.text("abç Ñ", max_size=21), max_size=25).map(lambda made: [f"{index} {label}" for index, label in enumerate(made)])
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
    lists=st.booleans(),
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
    lists: bool,
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
        rendered = render(message, to=to, kind=kind, values={"name": name, "id": 7}, lists=lists)
    except Unsendable:
        assert (kind, to.kind) == ("meta", "newsletter") or (kind == "evolution_go" and media and media.inline)
        return
    judge(rendered, to, kind, window_open=window_open)
    assert (rendered.menu is not None) == bool(labels)
    shown = "".join(text for part in rendered.parts if part.free for text in (part.free.text, part.free.caption) if text)
    assert "".join(clean(neutral(name)).split()) in "".join(shown.split())
    menu, found = rendered.menu, []
    while menu is not None:
        found += [entry.label for entry in menu.shown if entry not in menu.further]
        if not menu.more:
            break
        turned = next_page(menu, to=to, kind=kind, lists=lists)
        judge(turned, to, kind, window_open=True)
        assert turned.menu is not None
        assert turned.menu.page == menu.page + 1
        menu = turned.menu
    assert found == [" ".join(label.split()) for label in labels]


plain = st.text("abc é", max_size=18).map(str.strip)
described_options = st.builds(lambda label, description: (label, description), plain, st.just("") | plain)
groups = st.lists(st.tuples(st.just("") | plain, st.lists(described_options, min_size=1, max_size=5)), max_size=3)


@given(
    text=st.just("") | filled,
    groups=groups,
    targets=st.lists(plain, max_size=4),
    media=st.none() | good_files,
    lines=st.tuples(lines, lines),
    to=st.sampled_from(DESTINATIONS),
    lists=st.booleans(),
)
@example(text="", groups=[], targets=[], media=image("https://example.com/1.jpg"), lines=("ok", "ok"), to=DESTINATIONS[0], lists=True)
@example(text="ok", groups=[("Title", [("Yes", "")])], targets=[], media=None, lines=("ok", None), to=DESTINATIONS[0], lists=False)
@settings(max_examples=200)
def test_nothing_that_was_written_is_lost(
    text: str,
    groups: list[tuple[str, list[tuple[str, str]]]],
    targets: list[str],
    media: File | None,
    lines: tuple[str | None, str | None],
    to: Destination,
    lists: bool,
) -> None:
    """Header, footer, links, titles of sections, descriptions: each is somewhere in what is sent."""
    offered: list[Offer] = []
    header, footer = lines
    if groups or targets:
        text = text or "ok"
        header = None if media is not None and media.kind in CAPTIONED else header
    elif media is None:
        text = text or "ok"
    written = [line for line in (header, footer) if line is not None]
    for at, (title, options) in enumerate(groups):
        each = [
            Option(f"{at}.{index} {label}"[:24], None, f"d{at}.{index} {note}" if note else "")
            for index, (label, note) in enumerate(options)
        ]
        written += [option.label for option in each] + [option.description for option in each]
        offered += [Section(f"s{at} {title}", each)] if title else each
        written += [f"s{at} {title}"] if title else []
    for at, target in enumerate(targets):
        offered.append(Link("url", f"l{at} {target}", f"https://example.com/{at}"))
        written += [f"l{at} {target}", f"https://example.com/{at}"]
    message = Message(text, options=offered, media=media, header=header, footer=footer)
    rendered = render(message, to=to, kind="evolution_v2", values={"id": 7}, lists=lists)
    shown = [orjson.loads(part.free.to_bytes()) for part in rendered.parts if part.free is not None]
    menu = rendered.menu
    while menu is not None and menu.more:
        (part,) = next_page(menu, to=to, kind="evolution_v2", lists=lists).parts
        assert part.free is not None
        shown.append(orjson.loads(part.free.to_bytes()))
        menu = part.menu
    seen = " ".join(" ".join(everything(shown)).split())
    assert [one for one in written if " ".join(one.split()) not in seen] == []


def everything(value: object) -> list[str]:
    """All strings of a body."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in everything(item)]
    return [text for item in value for text in everything(item)] if isinstance(value, list) else [str(value)]


@given(
    make=contents(),
    given_options=st.none() | offers,
    given_media=st.none() | files,
    given_template=st.none() | templates,
    to=st.sampled_from(DESTINATIONS),
    kind=st.sampled_from(KINDS),
    name=texts,
    window_open=st.booleans(),
    lists=st.booleans(),
)
def test_the_right_mode_no_input_yields_a_request_that_is_refused(
    make: Callable[[], str | Message],
    given_options: list[Any] | None,
    given_media: File | None,
    given_template: Callable[[], Template] | None,
    to: Destination,
    kind: NumberKind,
    name: str,
    window_open: bool,
    lists: bool,
) -> None:
    try:
        template = given_template() if given_template else None
        rendered = render(
            make(),
            to=to,
            kind=kind,
            values={"name": name},
            options=made(given_options) if given_options is not None else None,
            media=given_media,
            template=template,
            lists=lists,
        )
    except ContentError:
        return
    judge(rendered, to, kind, window_open=window_open)


@given(given_options=st.lists(plain_options, min_size=1, max_size=12), text=texts, to=st.sampled_from(DESTINATIONS), lists=st.booleans())
def test_every_option_offered_can_be_chosen_by_its_number_or_is_asked_about(
    given_options: list[Offer], text: str, to: Destination, lists: bool
) -> None:
    try:
        menu = render(text, to=to, kind="evolution_v2", options=given_options, lists=lists).menu
    except ContentError:
        return
    assert menu is not None
    assert len(menu.entries) == len(given_options)
    assert all(recognise([menu], str(number)) is not None for number in range(1, len(menu.shown) + 1))
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
        good | {"list": {"buttonText": "x", "sections": [{"title": "x", "rows": [{"title": "x" * 25, "rowId": "x"}]}]}},
        good | {"flow": {"flowId": "1", "cta": "x", "flowToken": "x"}},
    ):
        with pytest.raises((AssertionError, KeyError, AttributeError)):
            check(bad, "meta")


def test_unsendable_is_a_content_error() -> None:
    assert issubclass(Unsendable, ContentError)
