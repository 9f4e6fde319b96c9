# ruff: noqa: RUF001 - look-alikes are what this is about
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import Action, Destination, Message, Template, image, link, render
from pilotbot.replies.markup import Markup, neutral

ANA = Destination("contact", "+5511987650001")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("*Ana*", "∗Ana∗"),
        ("~no~ ```code``` `x`", "∼no∼ ˋˋˋcodeˋˋˋ ˋxˋ"),
        ("_kind_ snake_case _a", "ˍkindˍ snake_case ˍa"),
        ("> quoted\n> again\na > b", "› quoted\n› again\na > b"),
        (">arrow", ">arrow"),
        ("see https://example.com/~a_/*b*_ now*", "see https://example.com/~a_/*b*_ now∗"),
        ("www.example.com/_a_ and _me_@example.com", "www.example.com/_a_ and ˍmeˍ@example.com"),
        # what a mark within a word is part of, and what could not be used without its marks
        ("br.gov.bcb.pix520400005303986580262070503***63041D3D", "br.gov.bcb.pix520400005303986580262070503***63041D3D"),
        ("2*3*4 a__b a~~b", "2*3*4 a__b a~~b"),
        ("instagram.com/_loja_ instagram.com/loja_", "instagram.com/_loja_ instagram.com/loja_"),
        ("wa.me/5511?text=*oi*", "wa.me/5511?text=*oi*"),
        ("@_ana_ and @ana_b", "@_ana_ and @ana_b"),
        ("*️⃣ or *\u20e3", "*️⃣ or *\u20e3"),
        ("https://example.com/Foo_(bar)_*", "https://example.com/Foo_(bar)_∗"),
        ("http://localhost:8080/_a_?b=~c", "http://localhost:8080/_a_?b=~c"),
        ("a.__b@mail.example.com.br", "a.__b@mail.example.com.br"),
        # what could format in spite of that
        ("www.*bold*", "www.∗bold∗"),
        ("www.*", "www.∗"),
        ("http://```", "http://ˋˋˋ"),
        ("https://example.com/```code```", "https://example.com/ˋˋˋcodeˋˋˋ"),
        ("(https://x.com)*b*", "(https://x.com)∗b∗"),
        ("(https://x.com/a)*b*", "(https://x.com/a)∗b∗"),
        ("https://x.com,*b*", "https://x.com,∗b∗"),
        ("https://x.com/a*, b", "https://x.com/a∗, b"),
        ("_ana@example.com_", "ˍana@example.comˍ"),
        ("_instagram.com/a", "ˍinstagram.com/a"),
        ("a*_b_*c", "a∗ˍbˍ∗c"),
        (">", "›"),
        (">\nb", "›\nb"),
        ("Ana Souza, 12.50", "Ana Souza, 12.50"),
    ],
)
def test_marks_of_a_value_do_not_format(value: str, shown: str) -> None:
    assert neutral(value) == shown


@given(st.text())
def test_a_value_keeps_its_length_and_is_made_plain_once(value: str) -> None:
    assert len(neutral(value)) == len(value)
    assert neutral(neutral(value)) == neutral(value)


def test_a_long_value_takes_no_long_time() -> None:
    began = time.process_time()
    for value in (
        "a." * 16_000,
        "a@" * 16_000,
        "_" * 32_000,
        "https://" * 4_000,
        "a-" * 16_000,
        "x.co/" * 6_000,
        "x.co/(" * 5_000,
        "*a" * 16_000,
    ):
        neutral(value)
    assert time.process_time() - began < 0.3


class MarkupNote(Action):
    note: str


def test_values_format_nowhere_and_what_an_author_wrote_does() -> None:
    message = Message(
        "*{{ name }}* {{ name | upper }} {% for one in names %}{{ one }}{% endfor %} {{ names | join(', ') }} {{ 2 * 3 }}",
        options=[MarkupNote(note="{{ name }}").option("{{ name }}"), link("{{ name }}", "https://example.com/{{ name }}")],
        template=Template("welcome", name="{{ name }}"),
        header="{{ name }}",
    )
    (part,) = render(message, to=ANA, kind="meta", values={"name": "*a*", "names": ["_b_"]}).parts
    assert part.free is not None
    assert part.template is not None
    assert part.menu is not None
    assert part.free.text == "*∗a∗* ∗A∗ ˍbˍ ˍbˍ 6\n\n∗a∗: https://example.com/*a*"
    assert part.free.header is not None
    assert part.free.header.content == "∗a∗"
    assert part.free.buttons is not None
    assert part.free.buttons[0].label == "*a*"  # labels are not formatted, and come back as they are
    assert part.menu.entries[0].data == {"note": "*a*"}
    assert part.template.variables == {"name": "*a*"}


def test_an_object_shown_as_text_is_made_plain_too() -> None:
    class Shown:
        def __str__(self) -> str:
            return "*a*"

    assert render(Message("{{ x }}"), to=ANA, kind="meta", values={"x": Shown()}).parts[0].free.text == "∗a∗"  # type: ignore[union-attr]  # it is there


def test_an_author_lets_a_value_of_their_own_format() -> None:
    message = Message("{{ motto | markup }} {{ shop.motto | default('*none*') | markup }} {{ motto | markup | upper }}")
    (part,) = render(message, to=ANA, kind="meta", values={"motto": "*Fast*", "shop": SimpleNamespace(motto="_kind_")}).parts
    assert part.free is not None
    assert part.free.text == "*Fast* _kind_ ∗FAST∗"
    assert neutral(Markup("*a*")) == "*a*"


def test_labels_in_numbered_text_and_captions() -> None:
    (part,) = render("*Which*?", to=Destination("group", "1@g.us"), kind="evolution_v2", options=["*a*", "b"]).parts
    assert part.free is not None
    assert part.free.text == "*Which*?\n\n1. ∗a∗\n2. b"
    file = image("https://example.com/_{{ name }}_.jpg")
    (part,) = render(Message("{{ name }}", media=file), to=ANA, kind="meta", values={"name": "*a*"}).parts
    assert part.free is not None
    assert (part.free.caption, part.free.media) == ("∗a∗", "https://example.com/_*a*_.jpg")
