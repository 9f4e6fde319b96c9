from typing import get_args

import pytest
from pydantic import ValidationError

from pilotbot.platform import MediaType, SendRequest
from pilotbot.replies import (
    RESERVED,
    Action,
    Card,
    Carousel,
    ContentError,
    File,
    Flow,
    Message,
    Option,
    Section,
    Template,
    audio,
    document,
    image,
    link,
    sticker,
    video,
    voice,
)

CARD = Card("One", image("https://example.com/1.jpg"))


class MessagesTrack(Action):
    order_id: int
    tags: tuple[str, ...] = ()


def test_variables_come_from_every_part() -> None:
    message = Message(
        "{{ a }}",
        options=[MessagesTrack(order_id="{{ b.id }}", tags=("{{ h }}",)).option("{{ c }}"), "Plain"],
        media=document("https://example.com/{{ d }}.pdf"),
        template=Template("order_status", x="{{ e }}", y=5),
        footer="{{ g }}",
    )
    assert message.variables == {"a", "b", "c", "d", "e", "g", "h"}
    assert Message("plain").variables == frozenset()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"text": ""}, "empty"),
        ({"text": "  "}, "empty"),
        ({"text": "", "media": image("https://example.com/1.jpg"), "options": ["Yes"]}, "need a text"),
        ({"text": "Hi {{ name"}, "the text: line 1"),
        ({"text": "Hi {{ name() }}"}, "do not call"),
        ({"text": "Hi", "options": [Option("A", description="x" * 73)]}, "the description of 'A' has 73 characters, 72 at most"),
        ({"text": "Hi", "list_button": "x" * 21}, "the list_button has 21 characters"),
        ({"text": "Hi", "more": "x" * 25}, "the label more has 25 characters"),
        ({"text": "Hi", "options": [link("{{ a( }}", "https://example.com")]}, "the label '{{ a"),
        ({"text": "Hi", "options": [link("A", "https://example.com/{{ b( }}")]}, "the link 'A'"),
        ({"text": "Hi", "options": [Option("A", description="{{ c( }}")]}, "the description of 'A'"),
        ({"text": "Hi", "options": [Section("{{ d( }}", ["A"])]}, "the section '{{ d"),
        ({"text": "Hi", "options": [Section("One", ["A"]), "a"]}, "the label 'a' is there twice"),
        ({"text": "Hi", "options": ["A"], "flow": Flow("1", "Go")}, "exclude each other"),
        ({"text": "Hi", "carousel": Carousel([CARD]), "flow": Flow("1", "Go")}, "exclude each other"),
        ({"text": "", "media": image("https://example.com/1.jpg"), "flow": Flow("1", "Go")}, "need a text"),
        ({"text": "Hi", "flow": Flow("1", "Go", data={"a": ["{{ e( }}"]})}, "the flow: line 1"),
        ({"text": "Hi", "carousel": Carousel([Card("{{ f( }}", image("https://example.com/1.jpg"))])}, "the text of a card"),
        ({"text": "It is {{ now }}"}, "the text: no value can be called now, .* Rename the variable"),
        ({"text": "Hi", "options": ["{{ number }}"]}, "the label .*: no value can be called number"),
        ({"text": "Hi", "template": Template("order_status", a="{{ key.id }}")}, "template order_status, a: no value can be called key"),
        ({"text": "Hi", "options": ["Yes", " yes "]}, "twice"),
        ({"text": "Hi", "options": [" "]}, "blank label"),
        ({"text": "Hi", "options": "Yes"}, "options is a list"),
        ({"text": "Hi", "options": [MessagesTrack(order_id=1)]}, "has no label"),
        ({"text": "Hi", "options": [5]}, "int is no option"),
        ({"text": "Hi", "options": ["{{ a() }}"]}, "the label"),
        ({"text": "Hi", "options": [MessagesTrack(order_id="{{ a( }}").option("Go")]}, "the action of 'Go'"),
        ({"text": "Hi", "header": "x" * 61}, "the header has 61 characters"),
        ({"text": "Hi", "footer": "x" * 61}, "the footer has 61 characters"),
        ({"text": "Hi", "footer": " "}, "the footer is blank"),
        ({"text": "Hi", "footer": "{{"}, "the footer: line 1"),
        ({"text": "Hi", "template": Template("order_status", order_id="{{ order. }}")}, "template order_status, order_id"),
        (
            {"text": "Hi", "header": "Top", "media": image("https://example.com/1.jpg"), "options": ["Yes"]},
            "one of the two",
        ),
    ],
)
def test_mistakes_are_refused_at_creation(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(ContentError, match=says):
        Message(**arguments)  # type: ignore[arg-type]  # wrong types are among the mistakes


def test_labels_that_are_close_but_not_the_same_are_allowed() -> None:
    assert Message("Which?", options=["C++", "C#", "C"]).options == (Option("C++"), Option("C#"), Option("C"))


@pytest.mark.parametrize("limits", [["x" * 20], ["x" * 200], ["x" * 200, "a", "b", "c"], ["{{ name }} of the many orders"]])
def test_labels_at_the_limit_or_with_jinja_are_allowed(limits: list[str]) -> None:
    assert len(Message("Hi", options=limits).options) == len(limits)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_template_needs_a_name(name: str) -> None:
    with pytest.raises(ContentError, match="needs its name"):
        Template(name)


@pytest.mark.parametrize("variables", [{"order id": "1"}, {"{{x}}": "1"}, {"": "1"}])
def test_a_template_variable_needs_a_proper_name(variables: dict[str, object]) -> None:
    with pytest.raises(ContentError, match="is no variable name"):
        Template("order_status", **variables)


@pytest.mark.parametrize("value", ["", "  ", None])
def test_a_blank_template_variable_is_refused(value: object) -> None:
    with pytest.raises(ContentError, match="status is blank"):
        Template("order_status", status=value)


@pytest.mark.parametrize("name", sorted(RESERVED - {"self"}))
def test_a_loop_may_call_its_own_variable_as_it_likes(name: str) -> None:
    assert Message(f"{{% for {name} in lines %}}{{{{ {name} }}}}{{% endfor %}} {{{{ order.{name} }}}}").variables == {"lines", "order"}


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "example.com/1.jpg", "http://", "http://[", "http://:80/x", "data:image/png,x", "data:;base64,",
     "https://exa mple.com/x", "data:image/png;base64,!!!!", "data:image/png;base64,", "data:image/png;base64,é",
     "DATA:image/png;base64,AAAA"],
)  # fmt: skip
def test_a_file_that_the_request_would_refuse_is_refused_when_it_is_made(url: str) -> None:
    with pytest.raises(ContentError, match=r"the image (must|string)") as refused:
        image(url)
    with pytest.raises(ValidationError):
        SendRequest(destination_number="+5511987650001", media=url, media_type="image")
    assert not url or url not in str(refused.value)


def test_each_kind_of_file_has_its_maker() -> None:
    makers = (image, video, document, audio, voice, sticker)
    assert [make("https://example.com/1").kind for make in makers] == list(get_args(MediaType))


def test_files_know_whether_they_carry_their_bytes() -> None:
    assert video("data:video/mp4;base64,AAAA").inline
    assert not audio("https://example.com/1.ogg").inline
    assert not File("https://example.com/{{ id }}.pdf", "document").inline


def test_repr_of_values_that_may_be_a_contact_s_is_silent() -> None:
    assert "Ana" not in repr(Template("welcome", name="Ana"))
    assert "secret" not in repr(image("https://example.com/secret.jpg"))
