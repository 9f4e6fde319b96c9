"""What is refused here with a code is what the sandbox, written apart from it, refuses with that code; and errors say where."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import (
    Action,
    Card,
    Carousel,
    ContentError,
    Destination,
    Flow,
    Message,
    NumberKind,
    Option,
    Template,
    Unsendable,
    dial,
    image,
    link,
    render,
)
from tests.replies.judge import KINDS, refusal

ANA = Destination("contact", "+5511987650001")
TEAM = Destination("group", "120363000000000001@g.us")
CHANNEL = Destination("newsletter", "120363000000000099@newsletter")
PHOTO = image("https://example.com/1.jpg")
INLINE = image("data:image/png;base64,AAAA")
HERE = Path(__file__).name
FIELDS = {"contact": "destinationNumber", "group": "groupId", "newsletter": "newsletterId"}


class RefusalsPick(Action):
    number: int


def refused(*args: Any, **kwargs: Any) -> ContentError:
    with pytest.raises(ContentError) as caught:
        render(*args, **{"to": ANA, "kind": "meta", **kwargs})
    return caught.value


def code_of(content: str | Message, **kwargs: Any) -> str | None:
    """The code that content is refused with here; None where it is not. What is refused without one fails."""
    try:
        render(content, **kwargs)
    except ContentError as error:
        return error.code or "none"
    return None


ONLY = Message(template=Template("order_status", order_id="{{ id }}"))


@pytest.mark.parametrize(
    ("error", "kind", "body"),
    [
        (lambda: refused("Hi", to=CHANNEL), "meta", {"newsletterId": CHANNEL.address, "text": "Hi"}),
        (
            lambda: refused("Hi", kind="evolution_go", media=INLINE),
            "evolution_go",
            {"destinationNumber": ANA.address, "media": INLINE.url_or_data, "mediaType": "image"},
        ),
        (lambda: refused("Hi", to=Destination("contact", "0119")), "meta", {"destinationNumber": "0119", "text": "Hi"}),
        (lambda: refused("Hi", to=Destination("group", "x@g.us")), "evolution_v2", {"groupId": "x@g.us", "text": "Hi"}),
        (lambda: refused(ONLY), "meta", {"destinationNumber": ANA.address, "templateId": "order_status"}),
        (
            lambda: refused(ONLY, values={"id": " "}),
            "meta",
            {"destinationNumber": ANA.address, "templateId": "order_status", "variables": {"order_id": " "}},
        ),
        (
            lambda: refused(Message("Hi", media=image("{{ url }}")), values={"url": "no"}),
            "meta",
            {"destinationNumber": ANA.address, "media": "no", "mediaType": "image"},
        ),
        (
            lambda: refused(Message("Hi", flow=Flow("{{ id }}", "Go")), values={"id": ""}),
            "meta",
            {"destinationNumber": ANA.address, "text": "Hi", "flow": {"flowId": "", "cta": "Go"}},
        ),
        (
            lambda: refused(Message("Hi", options=[link("Go", "{{ url }}")]), values={"url": ""}),
            "meta",
            {"destinationNumber": ANA.address, "text": "Hi", "buttons": [{"type": "url", "label": "Go", "url": ""}]},
        ),
        (
            lambda: refused(Message("Hi", flow=Flow("1", "{{ x }}")), values={"x": "x" * 21}),
            "meta",
            {"destinationNumber": ANA.address, "text": "Hi", "flow": {"flowId": "1", "cta": "x" * 21}},
        ),
        (
            lambda: refused(Message("Hi", carousel=Carousel([Card("A", PHOTO, ["{{ x }}"])])), values={"x": "x" * 21}),
            "meta",
            {
                "destinationNumber": ANA.address,
                "text": "Hi",
                "carousel": {
                    "cards": [
                        {
                            "media": {"type": "image", "url": PHOTO.url_or_data},
                            "body": "A",
                            "buttons": [{"type": "QUICK_REPLY", "text": "x" * 21}],
                        }
                    ]
                },
            },
        ),
        (lambda: refused(Message("{{ x }}"), values={"x": ""}), "meta", {"destinationNumber": ANA.address, "text": ""}),
        (
            lambda: refused(Message("{{ x }}", options=["A"]), values={"x": ""}),
            "meta",
            {"destinationNumber": ANA.address, "text": "", "buttons": [{"type": "reply", "label": "A"}]},
        ),
        (
            lambda: refused(ONLY, values={"id": ["no", "text"]}),
            "meta",
            {"destinationNumber": ANA.address, "templateId": "order_status", "variables": {"order_id": ["no", "text"]}},
        ),
    ],
)
def test_the_same_code(error: Any, kind: NumberKind, body: dict[str, Any]) -> None:
    code = error().code
    assert code is not None
    assert refusal(body, kind, variables=("order_id",)) == code


def test_a_flow_in_a_closed_window_is_what_the_sandbox_refuses_and_is_not_chosen() -> None:
    flow = {"destinationNumber": ANA.address, "text": "Hi", "flow": {"flowId": "1", "cta": "Go"}}
    assert refusal(flow, "meta", window_open=False) == "FLOW_WINDOW_CLOSED"
    assert refusal(flow, "meta") is None


@given(kind=st.sampled_from(KINDS), to=st.sampled_from(["contact", "group", "newsletter"]), address=st.from_regex(
    r"\+?[0-9]{0,17}|[A-Z]{1,3}\.?[a-zA-Z0-9.]{0,9}|[0-9-]{0,9}@?(g\.us|newsletter|s\.whatsapp\.net)?", fullmatch=True
))  # fmt: skip
def test_an_address_is_refused_as_the_sandbox_refuses_it(kind: NumberKind, to: Any, address: str) -> None:
    code = code_of("Hi", to=Destination(to, address), kind=kind)
    if to == "contact" and address[:1].isdigit():  # digits alone may be taken there (contract 3.2), and are never sent
        assert code == "INVALID_DESTINATION"
    elif (kind, to) != ("meta", "newsletter"):
        assert refusal({FIELDS[to]: address, "text": "Hi"}, kind) == code


@given(
    given=st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=3) | st.none() | st.integers(), max_size=2),
    kind=st.sampled_from(KINDS),
)
def test_a_template_is_refused_as_the_sandbox_refuses_it(given: dict[str, Any], kind: NumberKind) -> None:
    message = Message(template=Template("order_status", a="{{ a }}", b="{{ b }}"))
    wire = {name: "" if value is None else str(value) for name, value in given.items()}
    body = {"destinationNumber": ANA.address, "templateId": "order_status", "variables": wire}
    code = code_of(message, to=ANA, kind=kind, values=given)
    if len(given) == 2 or code == "MISSING_TEMPLATE_VARIABLES":  # of two mistakes, either may be told of first
        assert refusal(body, kind, variables=("a", "b")) == code
    else:
        assert code is not None


MADE = Message("Hi {{ name }}", header="{{ top }}")  # line 140 or so: `test_errors_say_where` looks it up


@pytest.mark.parametrize(
    ("message", "values", "says"),
    [
        (MADE, {"top": 1}, "the text: no value for name"),
        (MADE, {"name": 1}, "the header: no value for top"),
        (Message("Hi", options=["{{ x }}"]), {}, "the label '{{ x }}': no value for x"),
        (Message("Hi", options=[Option("A", description="{{ x }}")]), {}, "the description of 'A': no value for x"),
        (Message("Hi", options=[link("A", "https://example.com/{{ x }}")]), {}, "the link 'A': no value for x"),
        (Message("Hi", options=[RefusalsPick(number="{{ x }}").option("A")]), {}, "the action of 'A': no value for x"),
        (
            Message("Hi", options=[RefusalsPick(number="{{ x }}").option("A")]),
            {"x": "secret"},
            "the action of 'A': action RefusalsPick: number",
        ),
        (Message("Hi", media=image("https://example.com/{{ x }}")), {}, "the file's address: no value for x"),
        (Message("Hi", flow=Flow("1", "{{ x }}")), {}, "the flow: no value for x"),
        (Message("Hi", flow=Flow("1", "{{ x }}")), {"x": "secret " * 4}, "the button of a flow has"),
        (Message("Hi", flow=Flow("1", "Go", data={"a": ["{{ x }}"]})), {}, "the flow: no value for x"),
        (
            Message("Hi", carousel=Carousel([Card("{{ x }}", image("https://example.com/1.jpg"))])),
            {"x": "secret " * 24},
            "the text of a card has 168 characters",
        ),
        (Message("Hi", options=[link("{{ x }}", "{{ x }}")]), {"x": "secret"}, "the link '{{ x }}': link needs"),
        (Message("Hi", options=[dial("{{ x }}", "{{ x }}")]), {"x": "{{ secret }}"}, "the link '{{ x }}': dial needs"),
        (
            Message("Hi", carousel=Carousel([Card("A", image("https://example.com/1"), ["{{ x }}"])])),
            {"x": "secret " * 4},
            "an option of a card has 27 characters",
        ),
        (
            Message("Hi", carousel=Carousel([Card("A", image("https://example.com/1"), ["{{ x }}", "secret"])])),
            {"x": "Secret"},
            "the carousel: every button of a carousel needs a label of its own",
        ),
        (Message("Hi", media=image("{{ x }}")), {"x": "secret"}, "the image must be a public http(s) URL"),
        (ONLY, {}, "template order_status: order_id: no value for id"),
    ],
)
def test_errors_say_where(message: Message, values: dict[str, Any], says: str) -> None:
    error = refused(message, values=values)
    assert message.made_at is not None
    assert f"{HERE}:{message.made_at[1]}: " in str(error)
    assert says in str(error)
    assert "secret" not in str(error).lower()  # what values hold may be a contact's


def test_the_place_is_the_line_that_made_it() -> None:
    lines = Path(__file__).read_text().splitlines()
    assert MADE.made_at is not None
    assert lines[MADE.made_at[1] - 1].startswith("MADE = Message(")
    again = Message("Hi {{ name }}", header="{{ top }}")
    assert again == MADE  # where it was made is not what it is


def test_labels_that_are_there_twice_have_a_code() -> None:
    cards = Carousel([Card("A", PHOTO, ["Buy {{ x }}"]), Card("B", PHOTO, ["Buy 7"])])
    assert refused(Message("Hi", carousel=cards), values={"x": 7}).code == "VALIDATION_ERROR"
    with pytest.raises(ContentError, match="'Buy' is there twice") as caught:
        Message("Hi", carousel=Carousel([Card("A", PHOTO, ["Buy"]), Card("B", PHOTO, ["Buy"])]))
    assert caught.value.code == "VALIDATION_ERROR"


def test_what_goes_to_contacts_only() -> None:
    for message in (Message("Hi", flow=Flow("1", "Go")), Message("Hi", carousel=Carousel([Card("A", image("https://example.com/1"))]))):
        for to in (TEAM, CHANNEL):
            with pytest.raises(Unsendable, match="to contacts only"):
                render(message, to=to, kind="evolution_v2")
