from types import SimpleNamespace

import orjson
import pytest

from pilotbot.replies import (
    Action,
    ContentError,
    Destination,
    Menu,
    Message,
    Option,
    Part,
    Template,
    Unsendable,
    audio,
    document,
    image,
    render,
)

ANA = Destination("contact", "+5511987650001")
TEAM = Destination("group", "120363000000000001@g.us")
CHANNEL = Destination("newsletter", "120363000000000099@newsletter")
PHOTO = image("https://example.com/1.jpg")
INLINE = image("data:image/png;base64,AAAA")
VOICE = audio("https://example.com/1.ogg")


class RenderTrack(Action):
    order_id: int


class RenderNote(Action):
    note: str


ORDER = Message(
    "Order {{ order.id }} of {{ name }}.",
    options=[RenderTrack(order_id="{{ order.id }}").option("Track {{ order.id }}"), "Talk to a person"],
    template=Template("order_status", order_id="{{ order.id }}", status="{{ order.status }}"),
)
VALUES = {"order": SimpleNamespace(id=7, status="on\nits  way"), "name": "{{ 7*7 }}"}


def body(part: Part, variant: str = "free") -> dict[str, object]:
    request = part.free if variant == "free" else part.template
    assert request is not None
    made: dict[str, object] = orjson.loads(request.to_bytes())
    made.pop("destinationNumber", None)
    return made


def bodies(*args: object, **kwargs: object) -> list[dict[str, object]]:
    given: dict[str, object] = {"to": ANA, "kind": "meta", **kwargs}
    return [body(part) for part in render(*args, **given).parts]  # type: ignore[arg-type]  # a shorthand of many shapes


def test_a_message_becomes_buttons_and_a_template() -> None:
    (part,) = render(ORDER, to=ANA, kind="meta", values=VALUES).parts
    assert body(part) == {
        "text": "Order 7 of {{ 7*7 }}.",
        "buttons": [{"type": "reply", "label": "Track 7"}, {"type": "reply", "label": "Talk to a person"}],
    }
    assert body(part, "template") == {
        "templateId": "order_status",
        "variables": {"order_id": "7", "status": "on its way"},
    }
    assert part.menu == Menu.of([Option("Track 7", RenderTrack(order_id=7)), Option("Talk to a person")], "Order 7 of {{ 7*7 }}.")
    assert (part.mode, part.rest, part.template_problem) == ("buttons", False, None)


def test_a_plain_string_goes_out_as_it_is() -> None:
    assert bodies("You said {{ 7*7 }} {% x %} %s {0}") == [{"text": "You said {{ 7*7 }} {% x %} %s {0}"}]


def test_beside_a_message_plain_labels_and_addresses_go_out_as_they_are() -> None:
    file = image("https://example.com/{{name}}")
    (part,) = render(ORDER, to=ANA, kind="meta", values=VALUES, options=["{{ 7*7 }}"], media=file).parts
    assert body(part)["buttons"] == [{"type": "reply", "label": "{{ 7*7 }}"}]
    assert body(part)["header"] == {"type": "image", "content": "https://example.com/{{name}}"}


@pytest.mark.parametrize("content", ["Hi", Message("Hi"), ORDER])
def test_what_is_given_by_keyword_is_data_since_it_may_be_a_contacts(content: str | Message) -> None:
    options = [Option("{{ 7*7 }}", RenderNote(note="{{ 7*7 }}"))]
    template = Template("welcome", name="{{ order.id }}")
    (part,) = render(content, to=ANA, kind="meta", values=VALUES, options=options, template=template).parts
    assert body(part)["buttons"] == [{"type": "reply", "label": "{{ 7*7 }}"}]
    assert part.menu is not None
    assert part.menu.entries[0].data == {"note": "{{ 7*7 }}"}
    assert body(part, "template") == {"templateId": "welcome", "variables": {"name": "{{ order.id }}"}}


def test_a_value_named_in_a_template_beside_a_content_is_refused() -> None:
    (part,) = render("Hi", to=ANA, kind="meta", values={"order": 7}, template=Template("order_status", order_id="{{ order }}")).parts
    assert part.free is not None
    assert part.template is None
    assert "order_id: beside a content its variables are data: pass the value itself" in (part.template_problem or "")
    with pytest.raises(ContentError, match="pass the value itself"):
        render(" ", to=ANA, kind="meta", values={"order": 7}, template=Template("order_status", order_id="No. {{order}}"))
    for data in ("{{ name }}", "{{ 7*7 }}", "{{ order", "7"):  # what a contact may have written
        (part,) = render("Hi", to=ANA, kind="meta", values={"order": 7}, template=Template("order_status", order_id=data)).parts
        assert body(part, "template")["variables"] == {"order_id": data}


def test_keywords_replace_parts_and_an_empty_list_takes_options_away() -> None:
    assert bodies(Message("Hi", options=["A"]), options=[]) == [{"text": "Hi"}]
    assert bodies("Hi", media=PHOTO) == [{"media": "https://example.com/1.jpg", "mediaType": "image", "caption": "Hi"}]


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(ContentError, match="no value for order"):
        render(ORDER, to=ANA, kind="meta", values={"name": "Ana"})


@pytest.mark.parametrize("status", [None, "", " \n "])
def test_a_template_that_can_not_be_filled_leaves_the_free_part(status: object) -> None:
    values = {"order": SimpleNamespace(id=7, status=status), "name": "Ana"}
    (part,) = render(ORDER, to=ANA, kind="meta", values=values).parts
    assert part.free is not None
    assert part.template is None
    assert "order_status: status is blank" in (part.template_problem or "")


def test_a_template_alone() -> None:
    message = Message(template=Template("welcome", name="{{ name }}"))
    (part,) = render(message, to=ANA, kind="meta", values={"name": "Ana"}).parts
    assert part.free is None
    assert part.mode == "template"
    with pytest.raises(ContentError, match="no value for name"):
        render(message, to=ANA, kind="meta")
    with pytest.raises(ContentError, match="templates go to contacts only"):
        render(message, to=TEAM, kind="evolution_v2", values={"name": "Ana"})


def test_a_text_that_renders_blank_needs_a_template() -> None:
    with pytest.raises(ContentError, match="nothing is left"):
        render(Message("{{ name }}", footer="x"), to=ANA, kind="meta", values={"name": " "})
    assert render(" ", to=ANA, kind="meta", template=Template("follow_up")).mode == "template"


def test_options_need_a_text() -> None:
    with pytest.raises(ContentError, match="need a text"):
        render("", to=ANA, kind="meta", options=["A"], media=PHOTO)


@pytest.mark.parametrize("labels", [["A", "B", "C", "x" * 25], ["x" * 25], ["Same", "same"]])
def test_options_that_fit_no_buttons_are_numbered(labels: list[str]) -> None:
    (part,) = render("Which?", to=ANA, kind="meta", options=labels).parts
    lines = "\n".join(f"{number}. {label}" for number, label in enumerate(labels, 1))
    assert body(part) == {"text": f"Which?\n\n{lines}"}
    assert part.menu is not None
    assert [entry.label for entry in part.menu.entries] == labels
    assert part.menu.numbered


@pytest.mark.parametrize("to", [TEAM, CHANNEL])
def test_groups_and_newsletters_get_numbers_and_no_template(to: Destination) -> None:
    (part,) = render(ORDER, to=to, kind="evolution_v2", values=VALUES).parts
    assert part.template is None
    assert part.template_problem is None
    assert body(part)["text"] == "Order 7 of {{ 7*7 }}.\n\n1. Track 7\n2. Talk to a person"


def test_media_with_options_stands_above_the_buttons() -> None:
    assert bodies("Hi", media=PHOTO, options=["A"]) == [
        {
            "text": "Hi",
            "buttons": [{"type": "reply", "label": "A"}],
            "header": {"type": "image", "content": "https://example.com/1.jpg"},
        }
    ]


@pytest.mark.parametrize("file", [VOICE, INLINE])
def test_a_file_that_can_not_stand_above_goes_first(file: object) -> None:
    first, second = bodies("Hi", media=file, options=["A"])
    assert set(first) == {"media", "mediaType"}
    assert [part.leads for part in render("Hi", to=ANA, kind="meta", media=file, options=["A"]).parts] == [True, False]  # type: ignore[arg-type]  # a file
    assert second == {"text": "Hi", "buttons": [{"type": "reply", "label": "A"}]}


def test_audio_never_has_a_caption() -> None:
    assert bodies("Hi", media=VOICE) == [
        {"media": "https://example.com/1.ogg", "mediaType": "audio"},
        {"text": "Hi"},
    ]


def test_a_long_caption_follows_its_file() -> None:
    assert [set(made) for made in bodies("x" * 1025, media=PHOTO)] == [{"media", "mediaType"}, {"text"}]


def test_header_and_footer_stand_around_a_file_without_a_text() -> None:
    (made,) = bodies(Message(media=PHOTO, header="Top", footer="Bottom"))
    assert made["caption"] == "Top\n\nBottom"
    assert bodies(Message("{{ text }}", media=VOICE, footer="Bottom"), values={"text": " "})[1] == {"text": "Bottom"}
    for line in ("header", "footer"):
        with pytest.raises(ContentError, match="a header or a footer needs a text or a file"):
            Message(template=Template("follow_up"), **{line: "Top"})  # type: ignore[arg-type]  # a line


def test_a_header_stands_before_the_first_of_a_long_text() -> None:
    first, last = bodies(Message("x" * 900 + "\n\n" + "y" * 900, header="Top", footer="Bottom", options=["A"]))
    assert first == {"text": "Top\n\n" + "x" * 900}
    assert (last["text"], last["footer"], "header" in last) == ("y" * 900, "Bottom", False)


def test_a_file_address_may_hold_values() -> None:
    message = Message(media=document("https://example.com/{{ id }}.pdf"))
    assert bodies(message, values={"id": 7})[0]["media"] == "https://example.com/7.pdf"
    for wrong in ("a b", "{{ id }}"):
        with pytest.raises(ContentError, match=r"(document|media:) must be a public"):
            render(message, to=ANA, kind="meta", values={"id": wrong})
    with pytest.raises(ContentError, match="media: must be a public"):
        render("Hi", to=ANA, kind="meta", media=image("{{ url }}"))


def test_a_long_text_goes_in_pieces_with_the_template_first_and_the_buttons_last() -> None:
    text = "\n\n".join(["x" * 900] * 8)
    parts = render(text, to=ANA, kind="meta", options=["A"], template=Template("follow_up")).parts
    assert [part.mode for part in parts] == ["text", "text", "buttons"]
    assert [part.template is not None for part in parts] == [True, False, False]
    assert [part.menu is not None for part in parts] == [True, False, True]  # a template's quick reply finds the options, too
    assert [part.rest for part in parts] == [False, True, True]
    assert "\n\n".join(str(body(part)["text"]) for part in parts) == text


def test_header_and_footer_stand_around_the_buttons_or_in_the_text() -> None:
    message = Message("Hi", header="Top {{ n }}", footer="Bottom", options=["A"])
    (made,) = bodies(message, values={"n": 1})
    assert (made["header"], made["footer"]) == ({"type": "text", "content": "Top 1"}, "Bottom")
    (made,) = bodies(message, values={"n": "x" * 60})
    assert (made["text"], "header" in made) == ("Top " + "x" * 60 + "\n\nHi", False)
    (made,) = bodies(Message("Hi", footer="{{ n }}", options=["A"]), values={"n": "x" * 61})
    assert (made["text"], "footer" in made) == ("Hi\n\n" + "x" * 61, False)
    (made,) = bodies(message, values={"n": 1}, options=["A", "B", "C", "D"], lists=False)
    assert made == {"text": "Top 1\n\nHi\n\n1. A\n2. B\n3. C\n4. D\n\nBottom"}


def test_meta_does_not_write_to_newsletters() -> None:
    with pytest.raises(Unsendable, match="Evolution number"):
        render("Hi", to=CHANNEL, kind="meta")


def test_evolution_go_takes_no_inline_files() -> None:
    with pytest.raises(Unsendable, match="public http"):
        render("Hi", to=ANA, kind="evolution_go", media=INLINE)
    assert len(render("Hi", to=ANA, kind="evolution_v2", media=INLINE).parts) == 1


def test_an_action_that_does_not_fit_after_rendering_is_refused_without_its_value() -> None:
    message = Message("Hi", options=[RenderTrack(order_id="{{ id }}").option("A")])
    for value in ("secret", "{{ secret }}"):
        with pytest.raises(ContentError, match="RenderTrack") as refused:
            render(message, to=ANA, kind="meta", values={"id": value})
        assert "secret" not in str(refused.value)


def test_an_action_given_by_keyword_must_fit_at_once() -> None:
    with pytest.raises(ContentError, match="RenderTrack"):
        render("Hi", to=ANA, kind="meta", options=[RenderTrack(order_id="{{ id }}").option("A")], values={"id": 7})


def test_a_blank_label_after_rendering_is_refused() -> None:
    with pytest.raises(ContentError, match="label is blank"):
        render(Message("Hi", options=["{{ name }}"]), to=ANA, kind="meta", values={"name": ""})


def test_a_wrong_address_is_refused_without_naming_it() -> None:
    with pytest.raises(ContentError) as refused:
        render("Hi", to=Destination("contact", "987650001"), kind="meta")
    assert "98765" not in str(refused.value)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(ContentError, match="Send a document"):
        render("x" * 40_000, to=ANA, kind="meta")


def test_strange_strings_still_go() -> None:
    assert bodies("a\ud800\ufeffb") == [{"text": "a\ufffdb"}]
