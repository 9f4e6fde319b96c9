"""Definitions of templates: what is refused, with its line; what reads back; which language goes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies.catalogue import Button, Definition, Header, Wording, platform_name, resolve
from pilotbot.replies.definitions import dump, family, lacking, read_catalogue, read_definition

GOOD = """\
name: order_status
category: UTILITY
languages:
  en:
    header: Order {{order_id}}
    body: |
      Hi {{name}}, good news:

      it is {{status}}.
  pt_BR:
    header: {type: IMAGE, url: "https://shop.example/a.png"}
    body: Seu pedido {{order_id}} mudou.
    footer: Loja Exemplo
    buttons:
      - {type: QUICK_REPLY, text: Rastrear}
      - {type: URL, text: Ver, url: "https://shop.example/o/{{order_id}}"}
      - {type: PHONE_NUMBER, text: Ligar, phone_number: +5511987650001}
      - {type: COPY_CODE, example: [VOLTA10]}
examples: {order_id: 4242, name: Ana, status: yes}
"""


def single(body: str = "body: Hello {{name}}.", *, more: str = "examples: {name: Ana}") -> str:
    return f"name: hello\ncategory: UTILITY\nlanguage: en\n{body}\n{more}\n"


def buttons(fields: str, count: int = 1) -> str:
    return single("body: Hello {{name}}.\nbuttons:" + f"\n  - {{{fields}}}" * count)


def flaws(text: str, *, meta: bool = True) -> list[str]:
    return [str(flaw) for flaw in read_definition("t.yaml", text, meta=meta)[1]]


def test_all_of_a_definition_is_read() -> None:
    definition, found = read_definition("templates/order_status.yaml", GOOD)
    assert found == []
    assert definition == Definition(
        "order_status",
        "UTILITY",
        {
            "en": Wording("Hi {{name}}, good news:\n\nit is {{status}}.", Header("TEXT", "Order {{order_id}}")),
            "pt_BR": Wording(
                "Seu pedido {{order_id}} mudou.",
                Header("IMAGE", "https://shop.example/a.png"),
                "Loja Exemplo",
                (
                    Button("QUICK_REPLY", "Rastrear"),
                    Button("URL", "Ver", "https://shop.example/o/{{order_id}}"),
                    Button("PHONE_NUMBER", "Ligar", "+5511987650001"),
                    Button("COPY_CODE", "", "VOLTA10"),
                ),
            ),
        },
        {"order_id": "4242", "name": "Ana", "status": "yes"},
    )
    assert definition is not None
    assert definition.variants == {"order_status": "en", "order_status_pt_br": "pt_BR"}
    assert definition.variables == {"order_id", "name", "status"}
    assert definition.where("pt_BR") == "templates/order_status.yaml:11"


def test_what_is_pushed_has_the_shape_of_the_contract() -> None:
    definition, _ = read_definition("t.yaml", GOOD)
    assert definition is not None
    assert definition.languages["en"].components() == {
        "header": {"type": "TEXT", "text": "Order {{order_id}}"},
        "body": {"text": "Hi {{name}}, good news:\n\nit is {{status}}."},
    }
    assert definition.languages["pt_BR"].components()["buttons"] == [
        {"type": "QUICK_REPLY", "text": "Rastrear"},
        {"type": "URL", "text": "Ver", "url": "https://shop.example/o/{{order_id}}"},
        {"type": "PHONE_NUMBER", "text": "Ligar", "phone_number": "+5511987650001"},
        {"type": "COPY_CODE", "example": ["VOLTA10"]},
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (single("body:"), 3, "body: it is missing"),
        (single(f"body: {'a' * 1025}"), 4, "body: it has 1025 characters, and may have 1024"),
        (single("body: '{{name}}, hello.'"), 4, "body: it begins with a variable"),
        (single("body: Hello {{name}}"), 4, "body: it ends with a variable"),
        (single("body: Hello {{the name}}!"), 4, "body: it holds braces that name no variable"),
        (single("body: Hello {{name}}.\nheader: '{{name}} {{name}}'"), 5, "header: it holds more than one variable"),
        (single(f"body: Hello {{{{name}}}}.\nheader: {'a' * 61}"), 5, "header: it has 61 characters, and may have 60"),
        (single("body: Hello {{name}}.\nheader: Sale \U0001f389"), 5, "header: it has an emoji"),
        (single('body: Hello {{name}}.\nheader: "a\\nb"'), 5, "header: it has a line break"),
        (single("body: Hello {{name}}.\nheader: {type: IMAGE, url: a.png}"), 5, "header: a file needs its public http(s) address"),
        (single("body: Hello {{name}}.\nheader: {type: LOCATION}"), 5, "header: type must be one of TEXT"),
        (single("body: Hello {{name}}.\nfooter: Bye {{name}}"), 5, "footer: it holds a variable"),
        (single(f"body: Hello {{{{name}}}}.\nfooter: {'a' * 61}"), 5, "footer: it has 61 characters"),
        (buttons("type: QUICK_REPLY, text: a", 11), 6, "buttons: there are 11, and there may be 10"),
        (
            buttons("type: URL, text: a, url: 'https://a.example/'", 3), 6,
            "buttons: there are 3 of URL, and there may be 2",
        ),
        (buttons("type: URL, text: a, url: 'https://{{name}}.example/'"), 6, "without a variable in its domain"),
        (buttons("type: URL, text: a, url: 'https://a.example{{name}}'"), 6, "not have its variable in the domain"),
        (buttons("type: URL, text: a, url: 'https://a.example/{{name}}/b'"), 6, "one variable, at its end"),
        (buttons("type: COPY_CODE, example: [NOT A CODE]"), 6, "example must be a code of 15"),
        (buttons("type: PHONE_NUMBER, text: a, phone_number: 123"), 6, "must be a phone with country code"),
        (buttons("type: QUICK_REPLY"), 6, "buttons, number 1: its text is missing"),
        (buttons("type: CALL, text: a"), 6, "buttons, number 1: type must be one of QUICK_REPLY"),
        (single("bodi: Hello"), 4, "bodi: there is no such field; there are name, category, language, header, body"),
        (single("body: Hello {{name}}.\nbody: twice"), 5, "body: it is there twice"),
        ("name: a b\ncategory: UTILITY\nlanguage: en\nbody: Hello.\n", 1, "name: give letters, digits and single _"),
        ("name: a\ncategory: SERVICE\nlanguage: en\nbody: Hello.\n", 2, "category: give one of MARKETING, UTILITY, OTP"),
        ("name: a\ncategory: UTILITY\nlanguage: english\nbody: Hello.\n", 3, "language: give its code"),
        ("name: a\ncategory: OTP\nlanguages:\n  en: {body: Hello}\n  pt:\n    body: '{{a}} Oi'\n", 6, "languages.pt.body: it begins"),
        ("- a list\n", 1, "a template's file has its name"),
        ("name: [a\n", 2, "it is not YAML"),
        ("name: a\n---\nname: b\n", 2, "it is not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_field(text: str, line: int, words: str) -> None:
    found = [one for one in flaws(text) if words in one]
    assert [one.split(" ")[0] for one in found] == [f"t.yaml:{line}:"], flaws(text)


def test_what_only_meta_refuses_is_fine_on_other_numbers() -> None:
    assert flaws(single("body: '{{name}}, hello {{name}}'"), meta=False) == []


def test_examples_that_are_missing_or_of_nothing_are_worth_a_look() -> None:
    definition, found = read_definition("t.yaml", single(more="examples: {nome: Ana}"))
    assert [(str(flaw), flaw.sure) for flaw in found] == [
        ("t.yaml:5: examples: none for name, which a push needs for Meta's review", False),
        ("t.yaml:5: examples: no text has a variable nome", False),
    ]
    assert definition is not None
    assert lacking(definition) == ["name"]


def test_a_name_is_defined_once_also_by_the_language_of_another() -> None:
    german = "name: order_status_pt_br\ncategory: UTILITY\nlanguage: de\nbody: Hallo.\n"
    catalogue, found = read_catalogue([("a.yaml", GOOD), ("b.yaml", german)])
    assert list(catalogue) == ["order_status"]
    assert [str(flaw) for flaw in found] == [
        "b.yaml:1: name: a.yaml defines order_status_pt_br already, and names are unique on the platform"
    ]


# --- round trip ---

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,5})?", fullmatch=True)
TEXTS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z"), exclude_characters="{}\u2028\u2029\x85") | st.just("\n"), min_size=1,
    max_size=80,
).map(str.strip).filter(bool)  # fmt: skip
WORDINGS = st.builds(
    Wording,
    TEXTS,
    st.none() | st.builds(Header, st.just("TEXT"), TEXTS) | st.builds(Header, st.just("VIDEO"), st.just("https://a.example/v.mp4")),
    st.just("") | TEXTS,
    st.lists(
        st.builds(Button, st.just("QUICK_REPLY"), TEXTS) | st.builds(Button, st.just("COPY_CODE"), st.just(""), st.just("no")), max_size=3
    ).map(tuple),
)


@given(
    st.builds(
        Definition,
        NAMES,
        st.sampled_from(["MARKETING", "UTILITY", "OTP"]),
        st.dictionaries(st.sampled_from(["en", "pt_BR", "pt", "no", "es_419"]), WORDINGS, min_size=1),
        st.dictionaries(NAMES, TEXTS, max_size=2),
    )
)
def test_what_is_written_reads_back_the_same(definition: Definition) -> None:
    found, _ = read_definition("t.yaml", dump(definition))
    assert found == definition
    assert found is not None
    assert list(found.languages) == list(definition.languages)


# --- languages ---


def spoken(*codes: str) -> dict[str, Definition]:
    return {"hello": Definition("hello", "UTILITY", {code: Wording(code) for code in codes})}


@pytest.mark.parametrize(
    ("codes", "language", "default", "expected"),
    [
        ("pt_BR en es", "en", None, "hello_en"),
        ("pt_BR en es", "en-US", None, "hello_en"),
        ("en pt_BR", "pt", None, "hello_pt_br"),
        ("en pt_PT pt_BR", "pt_br", None, "hello_pt_br"),
        ("en pt_PT pt_BR", "pt_AO", None, "hello_pt_pt"),
        ("pt_BR en es", "de", "es", "hello_es"),
        ("pt_BR en es", "de", "es_MX", "hello_es"),
        ("pt_BR en es", None, "en", "hello_en"),
        ("pt_BR en es", "de", "fr", "hello"),
        ("pt_BR en es", None, None, "hello"),
        ("pt_BR en es", "pt_BR", "en", "hello"),
    ],
)
def test_the_language_that_goes(codes: str, language: str | None, default: str | None, expected: str) -> None:
    catalogue = spoken(*codes.split())
    all_of_them = frozenset(catalogue["hello"].variants)
    assert resolve("hello", language, catalogue, default=default, sendable=all_of_them) == expected


@pytest.mark.parametrize(
    ("sendable", "expected"),
    [
        ({"hello", "hello_en", "hello_es"}, "hello_en"),
        ({"hello", "hello_es"}, "hello_es"),  # the default
        ({"hello"}, "hello"),
        ({"hello_fr"}, "hello_fr"),  # rather than nothing
        (set(), "hello_en"),  # refused as what it was
        (None, "hello"),  # nothing is known: what the plain name means
    ],
)
def test_what_cannot_be_sent_is_passed_over(sendable: set[str] | None, expected: str) -> None:
    found = resolve("hello", "en_GB", spoken("pt_BR", "en", "es", "fr"), default="es", sendable=sendable)
    assert found == expected


def test_a_name_that_is_not_defined_is_the_platforms() -> None:
    assert resolve("hello_en", "pt", spoken("pt", "en"), sendable=frozenset({"hello"})) == "hello_en"


@given(st.lists(st.sampled_from(["en", "pt_BR", "pt_PT", "es"]), min_size=1, unique=True), st.data())
def test_what_goes_is_always_of_the_template_and_sendable_if_any_is(codes: list[str], data: st.DataObject) -> None:
    catalogue = spoken(*codes)
    variants = catalogue["hello"].variants
    sendable = data.draw(st.frozensets(st.sampled_from(sorted(variants))))
    language = data.draw(st.sampled_from([None, "en", "en_GB", "pt", "pt_BR", "de"]))
    found = resolve("hello", language, catalogue, default=data.draw(st.sampled_from([None, "es", "pt"])), sendable=sendable)
    assert found in variants
    assert found in sendable or not sendable


def test_names_of_languages_go_both_ways() -> None:
    assert platform_name("hello", "pt-BR", first=False) == "hello_pt_br"
    assert family("hello_PT_br", "pt_BR") == "hello"
    assert [family("hello", "en"), family("hello_en", None), family("_en", "en")] == [None, None, None]


def test_lines_are_no_part_of_what_is_compared() -> None:
    def read(text: str) -> Iterator[Definition]:
        yield from read_catalogue([("t.yaml", text)])[0].values()

    (one,), (other,) = read(single()), read("\n" + single())
    assert one == other
    assert one.where("en") == "t.yaml:3"
    assert other.where("en") == "t.yaml:4"
    assert one != replace(other, name="other")
