import pytest

from pilotbot.replies import Action, ContentError, File, Message, Option, Template, audio, document, image, video


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
        ({"text": "Hi", "options": ["x" * 21]}, "21 characters, a button holds 20"),
        ({"text": "Hi", "options": ["x" * 25, "a", "b", "c"]}, "25 characters, a row of a list holds 24"),
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


@pytest.mark.parametrize("limits", [["x" * 20], ["x" * 24, "a", "b", "c"], ["{{ name }} of the many orders"]])
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


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "example.com/1.jpg", "http://", "http://[", "http://:80/x", "data:image/png,x", "data:;base64,",
     "https://exa mple.com/x"],
)  # fmt: skip
def test_a_file_needs_an_address(url: str) -> None:
    with pytest.raises(ContentError, match="needs a public"):
        image(url)


def test_files_know_whether_they_carry_their_bytes() -> None:
    assert video("data:video/mp4;base64,AAAA").inline
    assert not audio("https://example.com/1.ogg").inline
    assert not File("https://example.com/{{ id }}.pdf", "document").inline


def test_repr_of_values_that_may_be_a_contact_s_is_silent() -> None:
    assert "Ana" not in repr(Template("welcome", name="Ana"))
    assert "secret" not in repr(image("https://example.com/secret.jpg"))
