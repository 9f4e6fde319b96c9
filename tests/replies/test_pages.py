import orjson
import pytest

from pilotbot.replies import (
    Action,
    ContentError,
    Destination,
    ListWords,
    Menu,
    Message,
    Offer,
    Option,
    Rendered,
    Section,
    Unsendable,
    copy_code,
    dial,
    image,
    link,
    next_page,
    render,
)

ANA = Destination("contact", "+5511987650001")
TEAM = Destination("group", "120363000000000001@g.us")
SEVENTEEN = [f"Colour {number}" for number in range(1, 18)]


class PagesPick(Action):
    number: int


def bodies(rendered: Rendered) -> list[dict[str, object]]:
    made = [orjson.loads(part.free.to_bytes()) for part in rendered.parts if part.free is not None]
    for one in made:
        one.pop("destinationNumber", None)
    return made


def rows(*labels: str) -> list[dict[str, str]]:
    return [{"title": label, "rowId": label} for label in labels]


def block(button: str, *sections: tuple[str, list[dict[str, str]]]) -> dict[str, object]:
    return {"buttonText": button, "sections": [{"title": title, "rows": shown} for title, shown in sections]}


@pytest.mark.parametrize("labels", [["A", "B", "C", "D"], ["x" * 21], ["x" * 24, "b"], [str(number) for number in range(100, 110)]])
def test_options_that_fit_no_buttons_go_as_a_list(labels: list[str]) -> None:
    rendered = render("Which?", to=ANA, kind="meta", options=labels)
    assert bodies(rendered) == [{"text": "Which?", "list": block("Options", ("Options", rows(*labels)))}]
    assert rendered.mode == "list"
    assert rendered.menu is not None
    assert (rendered.menu.more, rendered.menu.numbered, rendered.menu.form) == ("", False, {})
    assert [entry.label for entry in rendered.menu.shown] == labels


@pytest.mark.parametrize("labels", [["A", "B", "C", "x" * 25], ["Same", "same"], ["A", "B", "C", "D"]])
@pytest.mark.parametrize(("to", "lists"), [(ANA, True), (ANA, False), (TEAM, True)])
def test_where_no_list_can_go_they_are_numbered(labels: list[str], to: Destination, lists: bool) -> None:
    if labels[-1] == "D" and (to, lists) == (ANA, True):
        return  # these are a list
    (made,) = bodies(render("Which?", to=to, kind="evolution_v2", options=labels, lists=lists))
    lines = "\n".join(f"{number}. {label}" for number, label in enumerate(labels, 1))
    assert made["text"] == f"Which?\n\n{lines}"
    assert "list" not in made


def test_sections_and_descriptions() -> None:
    message = Message(
        "How can we help?",
        options=[
            Section("{{ team }}", [Option("Invoices", description="Copies, {{ team }}"), PagesPick(number=2).option("Payments")]),
            Section("Sales", ["Prices"]),
            "Something else",
        ],
        list_button="See {{ team }}",
    )
    values = {"team": "Finance"}
    first = {"title": "Invoices", "rowId": "Invoices", "description": "Copies, Finance"}
    assert bodies(render(message, to=ANA, kind="meta", values=values)) == [
        {
            "text": "How can we help?",
            "list": block(
                "See Finance", ("Finance", [first, *rows("Payments")]), ("Sales", rows("Prices")), ("See Finance", rows("Something else"))
            ),
        }
    ]
    (made,) = bodies(render(message, to=TEAM, kind="evolution_v2", values=values))
    assert made["text"] == (
        "How can we help?\n\nFinance\n1. Invoices: Copies, Finance\n2. Payments\n\nSales\n3. Prices\n\n4. Something else"
    )


def test_few_options_with_descriptions_or_sections_are_a_list_too() -> None:
    described: list[Offer] = [Option("Yes", description="We come today"), "No"]
    assert [render("Hi", to=ANA, kind="meta", options=described, lists=lists).mode for lists in (True, False)] == ["list", "text"]
    grouped = [Section("Answers", ["Yes", "No"])]
    assert [render("Hi", to=ANA, kind="meta", options=grouped, lists=lists).mode for lists in (True, False)] == ["list", "text"]
    (made,) = bodies(render("Hi", to=ANA, kind="meta", options=grouped, lists=False))
    assert made == {"text": "Hi\n\nAnswers\n1. Yes\n2. No"}  # buttons would lose the title


def test_sections_that_fit_no_list_keep_their_titles() -> None:
    message = Message("Hi", options=[Section("{{ title }}", ["Yes", "No"])])
    (made,) = bodies(render(message, to=ANA, kind="meta", values={"title": "x" * 25}))
    assert made == {"text": f"Hi\n\n{'x' * 25}\n1. Yes\n2. No"}


def test_a_long_description_is_cut() -> None:
    (made,) = bodies(render(Message("Hi", options=[Option("A", description="{{ d }}")]), to=ANA, kind="meta", values={"d": "x" * 80}))
    assert made["list"] == block("Options", ("Options", [{"title": "A", "rowId": "A", "description": "x" * 71 + "…"}]))


def test_a_description_is_cut_in_rows_only() -> None:
    message = Message("Hi", options=[Option("A", description="{{ d }}")])
    (made,) = bodies(render(message, to=ANA, kind="meta", values={"d": "x" * 80}, lists=False))
    assert made["text"] == f"Hi\n\n1. A: {'x' * 80}"


def test_a_list_takes_no_header_footer_or_file() -> None:
    message = Message("Which?", options=list("ABCD"), header="Top", footer="Bottom")
    (picture, made) = bodies(render(message, to=ANA, kind="meta", media=image("https://example.com/1.jpg")))
    assert picture == {"media": "https://example.com/1.jpg", "mediaType": "image"}
    assert (made["text"], set(made)) == ("Top\n\nWhich?\n\nBottom", {"text", "list"})


def test_a_long_text_goes_ahead_of_its_list() -> None:
    made = bodies(render("x" * 900 + "\n\n" + "y" * 900, to=ANA, kind="meta", options=list("ABCD")))
    assert [sorted(one) for one in made] == [["text"], ["list", "text"]]
    assert made[1]["text"] == "y" * 900


def test_more_than_ten_options_are_pages_of_nine() -> None:
    offered = [PagesPick(number=number).option(label) for number, label in enumerate([*SEVENTEEN, "Last", "Really last"])]
    rendered = render(Message("Hello.\n\nWhich colour?", more="Next"), to=ANA, kind="meta", options=offered)
    (made,) = bodies(rendered)
    assert made["list"] == block("Options", ("Options", rows(*SEVENTEEN[:9], "Next")))
    menu = rendered.menu
    assert menu is not None
    assert (len(menu.entries), menu.page, menu.more) == (19, 0, "Next")
    menu = Menu.load(orjson.loads(orjson.dumps(menu.dump())))  # as it comes back from Redis

    second = next_page(menu, to=ANA, kind="meta")
    assert bodies(second) == [
        {"text": "Hello.\n\nWhich colour? (2/3)", "list": block("Options", ("Options", rows(*SEVENTEEN[9:], "Last", "Next")))}
    ]
    assert second.menu is not None
    assert (second.menu.page, second.menu.more, second.menu.entries) == (1, "Next", menu.entries)

    third = next_page(Menu.load(orjson.loads(orjson.dumps(second.menu.dump()))), to=ANA, kind="meta")
    assert bodies(third) == [{"text": "Hello.\n\nWhich colour? (3/3)", "list": block("Options", ("Options", rows("Really last")))}]
    assert third.menu is not None
    assert third.menu.more == ""
    with pytest.raises(ContentError, match="no further page"):
        next_page(third.menu, to=ANA, kind="meta")


def test_what_opens_a_list_is_the_messages_else_what_is_given() -> None:
    words = ("Opções", "Mais…")
    for content in ("Which?", Message("Which?")):
        (made,) = bodies(render(content, to=ANA, kind="meta", options=SEVENTEEN, words=words))
        assert made["list"] == block("Opções", ("Opções", rows(*SEVENTEEN[:9], "Mais…")))
    (made,) = bodies(render(Message("Which?", list_button="Go", more="Next"), to=ANA, kind="meta", options=SEVENTEEN, words=words))
    assert made["list"] == block("Go", ("Go", rows(*SEVENTEEN[:9], "Next")))
    with pytest.raises(ContentError, match="the list_button has 21 characters"):
        ListWords("x" * 21)


def test_the_last_page_may_be_full() -> None:
    first = render("Which?", to=ANA, kind="meta", options=[str(number) for number in range(18)]).menu
    assert first is not None
    last = next_page(first, to=ANA, kind="meta").menu
    assert last is not None
    assert (len(last.shown), last.more) == (9, "")


@pytest.mark.parametrize("value", ["", " ", "x" * 25])
def test_what_opens_a_list_or_turns_its_pages_may_come_out_wrong(value: str) -> None:
    for field in ("list_button", "more"):
        message = Message("Which?", options=SEVENTEEN, **{field: "{{ value }}"})  # type: ignore[arg-type]  # texts
        assert render(message, to=ANA, kind="meta", values={"value": value}).mode == "text"


def test_pages_keep_sections_and_descriptions() -> None:
    groups = [Section(f"Part {at}", [Option(f"{at}.{n}", description=f"d{at}{n}") for n in range(4)]) for at in range(3)]
    rendered = render("Which?", to=ANA, kind="meta", options=groups)
    assert rendered.menu is not None
    (made,) = bodies(next_page(rendered.menu, to=ANA, kind="meta"))
    shown = [{"title": f"2.{n}", "rowId": f"2.{n}", "description": f"d2{n}"} for n in (1, 2, 3)]
    assert made["list"] == block("Options", ("Part 2", shown))


def test_a_page_of_a_number_without_lists_any_more_is_numbered() -> None:
    menu = render("Which?", to=ANA, kind="meta", options=SEVENTEEN).menu
    assert menu is not None
    turned = next_page(menu, to=ANA, kind="meta", lists=False)
    lines = "\n".join(f"{number}. {label}" for number, label in enumerate(SEVENTEEN[9:], 1))
    assert bodies(turned) == [{"text": f"Which? (2/2)\n\n{lines}"}]
    assert turned.menu is not None
    assert turned.menu.numbered


def test_a_page_whose_stored_form_is_not_readable_still_goes() -> None:
    menu = render("Which?", to=ANA, kind="meta", options=SEVENTEEN).menu
    assert menu is not None
    for form in ({}, {"text": 5, "button": "x" * 30, "titles": "no", "descriptions": [None]}):
        stored = menu.dump() | {"form": form}
        (made,) = bodies(next_page(Menu.load(stored), to=ANA, kind="meta"))
        assert str(made["text"]).startswith("Which? (2/2)")


def test_numbered_text_has_all_options_at_once() -> None:
    menu = render("Which?", to=TEAM, kind="evolution_v2", options=SEVENTEEN).menu
    assert menu is not None
    assert (menu.more, len(menu.shown), menu.numbered) == ("", 17, True)


def test_a_label_like_that_of_the_next_page_makes_no_list() -> None:
    assert render("Which?", to=ANA, kind="meta", options=[*SEVENTEEN, "more…"]).mode == "text"


def test_a_page_is_not_for_newsletters_of_meta() -> None:
    menu = render("Which?", to=ANA, kind="meta", options=SEVENTEEN).menu
    assert menu is not None
    with pytest.raises(Unsendable):
        next_page(menu, to=Destination("newsletter", "1@newsletter"), kind="meta")


LINKS = [link("Open", "https://example.com/{{ id }}"), dial("Call us", "+551140028922"), copy_code("Copy", "PROMO10")]
LINES = "Open: https://example.com/7\nCall us: +551140028922\nCopy: PROMO10"


def test_links_alone_are_buttons() -> None:
    message = Message("Look.", options=LINKS, header="Top", footer="Bottom")
    rendered = render(message, to=ANA, kind="meta", values={"id": 7})
    assert bodies(rendered) == [
        {
            "text": "Look.",
            "buttons": [
                {"type": "url", "label": "Open", "url": "https://example.com/7"},
                {"type": "call", "label": "Call us", "phoneNumber": "+551140028922"},
                {"type": "copy", "label": "Copy", "copyCode": "PROMO10"},
            ],
            "header": {"type": "text", "content": "Top"},
            "footer": "Bottom",
        }
    ]
    assert rendered.menu is None


@pytest.mark.parametrize(
    ("to", "more", "mode"),
    [(TEAM, [], "text"), (ANA, [link("A label of 21 letters", "https://example.com")], "text"), (ANA, ["Yes"], "buttons"),
     (ANA, ["A", "B", "C", "D"], "list")],
)  # fmt: skip
def test_links_beside_choices_or_that_do_not_fit_are_lines(to: Destination, more: list[str], mode: str) -> None:
    rendered = render(Message("Look.", options=[*LINKS, *more]), to=to, kind="evolution_v2", values={"id": 7})
    (made,) = bodies(rendered)
    assert rendered.mode == mode
    assert str(made["text"]).startswith("Look.\n\n" + LINES)
    assert "url" not in str(made.get("buttons"))


@pytest.mark.parametrize("bad", [("a b", "link"), ("{{ x }}", "link"), ("5511", "dial"), ("{{ x }}", "dial")])
def test_a_wrong_target_is_refused_after_rendering_too(bad: tuple[str, str]) -> None:
    value, which = bad
    maker = link if which == "link" else dial
    with pytest.raises(ContentError, match=r"the link 'Go': (link|dial) needs") as refused:
        render(Message("Hi", options=[maker("Go", "{{ to }}")]), to=ANA, kind="meta", values={"to": value})
    assert refused.value.code == "VALIDATION_ERROR"
    with pytest.raises(ContentError, match=r"(link|dial) needs"):
        render("Hi", to=ANA, kind="meta", options=[maker("Go", value)])
