"""A chat as a `.chat` file: each answer as the lines that only it matches, a whole conversation with nobody's data, and its path."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox import Sandbox
from pilotbot.sandbox.chatfile import HEAD, answer_lines, chat_file
from pilotbot.testing.answers import Answer
from pilotbot.testing.chatfile import parse
from pilotbot.testing.script import Doing, Quotes, Says, Taps, plain
from tests.sandbox.conftest import Api, settle

MARIA = "+5521912345678"
GROUP = "120363000000000099@g.us"
KINDS = ("image", "video", "document", "audio", "voice", "sticker")


def row(text: str | None = None, **more: Any) -> dict[str, Any]:
    """A message row of the bot."""
    usual: dict[str, Any] = {
        "id": "1", "messageId": "wamid.1", "direction": "out", "fromMe": False, "contact": MARIA, "author": None, "authorName": None,
        "mode": "text", "type": "text", "text": text, "caption": None, "media": None, "header": None, "footer": None, "buttons": [],
        "template": None, "variables": None, "quoted": None, "reaction": None, "location": None, "contacts": None, "status": "READ",
        "errorCode": None, "createdAt": "2026-11-25T10:00:00.000Z", "deliverAt": None,
    }  # fmt: skip
    return usual | more


def heard(text: str | None = None, **more: Any) -> dict[str, Any]:
    """A message row of a contact."""
    return row(text, **({"direction": "in", "status": "DELIVERED", "author": MARIA, "authorName": "Maria Lima", "id": "2"} | more))


def button(label: str) -> dict[str, str]:
    return {"type": "reply", "label": label}


def chat(kind: str = "contact") -> dict[str, Any]:
    return {"kind": kind, "contact": GROUP if kind == "group" else MARIA, "name": "Maria Lima" if kind == "contact" else "Our team"}


def lines(*rows: dict[str, Any], kind: str = "contact") -> list[str]:
    """What a file says of these messages, without its head and blank lines; it can be read again."""
    text = chat_file(rows, chat(kind))
    parse(text)
    first, *others = text.removesuffix("\n").split("\n")
    assert first == HEAD
    return [line for line in others if line]


def at(minutes: float) -> dict[str, str]:
    days, rest = divmod(round(minutes * 60), 86_400)
    return {"createdAt": f"2026-11-{1 + days:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.000Z"}


# --- one answer --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (row("Hi"), ["< Hi"]),
        (row("  a  \n\n  b\n\\\n"), ["< a", "  \\", "    b", "  \\\\"]),
        (row("nothing"), ['< "nothing"']),
        (row("template of\nit"), [r'< "template of\nit"']),
        (row("image"), ['< "image"']),
        (row('"so"\nhe said'), [r'< \"so"', "  he said"]),
        (row(r"2*3 {x} [y] \n"), [r"< 2\*3 \{x} \[y] \\n"]),
        (row("Well?", buttons=[button("Yes"), button("[no]*")]), [r"< Well?   [Yes] [\[no\]\*]"]),
        (row("a\nb", buttons=[button("Yes")]), ["< a", "  b   [Yes]"]),
        (row("nothing", buttons=[button("Yes")]), ['< "nothing"   [Yes]']),
        (row("Well?", buttons=None), ["< Well?   [*]"]),
        (row("x", template="order_status", variables={"id": '4 "2"'}), [r'< template order_status id="4 \"2\""']),
        (row(type="image", media="u", caption="nothing\nhere"), ["< image nothing", "  here"]),
        (row(type="sticker", media="u"), ["< sticker"]),
        (row("x", header={"type": "video", "content": "u"}), ["< video x"]),
        (row("x", header={"type": "text", "content": "u"}), ["< x"]),
        (row("# > < | ! @ ..."), ["< # > < | ! @ ..."]),
    ],
)
def test_how_an_answer_is_written(said: dict[str, Any], written: list[str]) -> None:
    assert answer_lines(said) == written


CHARACTERS = st.characters(exclude_categories=["Cs"])  # all that UTF-8 can hold
SCRAPS = st.sampled_from(
    ["nothing", "template", "template x", "image", "voice ", "tap Track", "/react", '"', '\\"', "\\", "\\n", "*", r"\*", "[A]",
     "   [A] [B]", "[*]", "]", "{", "}", "{contact.name}", "  ", "\t", "\n", "\n  ", "\n\n", "\r\n", "\r", "# ", "> ", "< ", "| ", "! ",
     "@ ", "... ", "\0", "\x0b", "\x1c", "\x85", "\u2028", "\ufeff", "\u200b", "e\u0301", "é", "👍🏽"]
)  # fmt: skip
TEXTS = st.one_of(st.text(CHARACTERS), st.lists(st.one_of(SCRAPS, st.text(CHARACTERS, max_size=4)), max_size=12).map("".join), SCRAPS)
LABELS = TEXTS.filter(lambda label: label.strip() != "")


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    options: dict[str, Any] = {"buttons": [button(label) for label in draw(st.lists(LABELS, max_size=3))]}
    text = draw(TEXTS)
    match draw(st.sampled_from(["text", "header", "media", "template"])):
        case "header":
            return row(text, mode="buttons", header={"type": "image", "content": "https://shop.example/a.png"}, footer="x", **options)
        case "media":
            return row(mode="media", type=draw(st.sampled_from(KINDS)), media="https://shop.example/a", caption=text)
        case "template":
            variables = draw(st.dictionaries(st.text("abz_09", min_size=1), TEXTS, max_size=3))
            return row("body", mode="template", template="order_status", variables=variables, **options)
        case _:
            return row(text, mode="buttons" if options["buttons"] else "text", **options)


def others(said: dict[str, Any], extra: str) -> list[dict[str, Any]]:
    """Messages that say something else."""
    if said["template"]:
        changed = [said["variables"] | {name: f"{value}{extra}"} for name, value in said["variables"].items()]
        return [said | {"template": "follow_up"}, *({**said, "variables": each} for each in changed)]
    where = "caption" if said["mode"] == "media" else "text"
    text = said[where].strip()
    found = [said | {where: f"{text}{extra}"}, said | {where: f"{extra}{text}"}] if text else []
    found += [said | {"buttons": [*said["buttons"], button("more")]}, said | {"template": "t", "mode": "template"}]
    if said["buttons"]:
        first, *more = said["buttons"]
        found += [said | {"buttons": more}, said | {"buttons": [button(f"{first['label']}{extra}"), *more]}]
    return found


@given(answers(), st.characters(categories=["L", "N"]))
def test_an_answer_that_is_written_is_expected_just_so(said: dict[str, Any], extra: str) -> None:
    (step,) = parse("\n".join(["> x", *answer_lines(said), ""])).steps
    (expected,) = [each.expected({}) for each in step.answers or ()]
    assert expected.accepts(Answer.read(said))
    for other in others(said, extra):
        assert not expected.accepts(Answer.read(other)), other


# --- a conversation ----------------------------------------------------------------------------------------------------------------


def test_a_conversation_from_the_first_word_to_a_tap() -> None:
    menu = row("Hi Maria, which?", id="m", messageId="wamid.m", buttons=[button("Track"), button("Stop")])
    assert lines(heard("hi"), menu, heard("Track", quoted="wamid.m"), row("On its way.")) == [
        "> hi",
        "< Hi {contact.name}, which?   [Track] [Stop]",
        "> tap Track",
        "< On its way.",
    ]


def test_the_kind_of_number_stands_at_the_head() -> None:
    assert chat_file([heard("hi")], chat(), kind="evolution_go").split("\n")[1] == "number: evolution_go"
    assert parse(chat_file([heard("hi")], chat(), kind="evolution_go")).number == "evolution_go"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (heard("/help"), ['> "/help"']),
        (heard("tap it\nnow"), [r'> "tap it\nnow"']),
        (heard('"so" it is'), [r'> \"so" it is']),
        (heard("2 * 3 {x} [y]"), [r"> 2 * 3 \{x} \[y]"]),
        (heard("a\n\n  b"), ["> a", "  \\", "    b"]),
        (heard("Track"), ["> Track"]),
        (heard("Track", quoted="wamid.gone"), ["> Track"]),
        (heard(mode="media", type="image", media="u", caption="mine"), ["> /image * mine"]),
        (heard(mode="media", type="sticker", media="u"), ["> /sticker *"]),
        (heard(mode="media", type="hologram", media="u"), ["> /document *"]),
        (
            heard(type="location", location={"latitude": -23.56123, "longitude": -46.65512, "name": '"Home" of Maria'}),
            [r'> /location -23.56 -46.66 \"Home" of Ana'],
        ),
        (heard(type="location", location={"latitude": 0.00001, "longitude": 1}), ["> /location 0.00 1.00"]),
        (
            heard(type="contacts", contacts=[{"name": "Caio Dias", "phone": "+5585911112222"}, {"name": "X", "phone": MARIA}]),
            ["> /card Bia +5511987650002", "  Ana +5511987650001"],
        ),
        (heard(type="reaction", reaction={"emoji": "👍", "message": "1"}), ["> /react 👍"]),
        (heard(type="reaction", reaction={"emoji": "", "message": "1"}), ["> /react -"]),
        (heard(" ", type="order"), ["# the contact sent something that cannot be written here (order)"]),
    ],
)  # fmt: skip
def test_what_a_contact_did(said: dict[str, Any], written: list[str]) -> None:
    assert lines(heard("hi"), row("Hi."), said)[2:] == written


def test_a_quote_and_a_reaction_name_the_message_that_is_meant() -> None:
    old = row("Order 4242 of Maria is on its way to you, since today", id="old", messageId="wamid.old")
    again = lines(
        heard("hi"),
        old,
        row("Anything else?", id="new"),
        heard("when?", quoted="wamid.old"),
        heard(type="reaction", reaction={"emoji": "👍", "message": "old"}),
        heard(type="reaction", reaction={"emoji": "👍", "message": "new"}),
    )
    known = "Order 4242 of {contact.name} is on its"
    assert again[3:] == [f'> /quote "{known}" when?', f'> /react 👍 "{known}"', "> /react 👍"]


def test_a_long_number_is_not_cut_in_a_quote() -> None:
    old = row(f"{'x' * 30} 390.533.447-05 is yours", id="old", messageId="wamid.old")
    assert lines(heard("hi"), old, heard("no", quoted="wamid.old"))[-1] == f'> /quote "{"x" * 30} * is" no'


def test_who_stands_on_a_card_is_a_sample_in_texts_too() -> None:
    card = heard(type="contacts", contacts=[{"name": "Caio Dias", "phone": "+5585911112222"}])
    assert lines(card, row("Who is Caio?"), heard("Caio is my son")) == ["> /card Bia +5511987650002", "< Who is *?", "> Bia is my son"]


def test_what_did_not_arrive_is_left_out() -> None:
    seen = lines(
        heard("hi"), row("a", status="FAILED"), row("b", status="CANCELED"), row("c", status="QUEUED", deliverAt="later"), row("d")
    )
    assert seen == ["> hi", "< d"]


def test_a_person_who_answered_is_no_answer_of_the_bot() -> None:
    assert lines(heard("hi"), row("Hello, Maria", fromMe=True, status="SENT")) == ["> hi", "# somebody answered by hand here"]


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (4.9, None),
        (5, "... 5m"),
        (59.99, "... 59m"),
        (90.5, "... 1h30m"),
        (24 * 60 - 1, "... 23h59m"),
        (24 * 60, "... 24h"),
        (25 * 60 + 40, "... 25h"),
        (50 * 60, "... 50h"),
        (24 * 60 * 3 + 300, "... 3d"),
    ],
)
def test_time_that_passed_is_told_and_never_more_than_that(minutes: float, said: str | None) -> None:
    seen = lines(heard("a", **at(0)), heard("b", **at(minutes)))
    assert seen == ["> a", *([said] if said else []), "> b"]


def test_what_the_bot_wrote_by_itself_it_is_made_to_write() -> None:
    seen = lines(
        heard("hi, I am 390.533.447-05", **at(0)),
        row("Hi.", **at(0.1)),
        row("Well, Maria Lima?", buttons=[button("Yes")], **at(10)),
        row("Of 390.533.447-05", template="order_status", variables={"id": "4242"}, **at(1600)),
        row("A second one", **at(1600)),
        row(type="image", media="u", **at(1700)),
        row("Hello again", **at(1702)),
    )
    assert seen == [
        "> hi, I am 529.982.247-25",
        "< Hi.",
        "... 9m",
        '! notify "Well, Ana?"   [Yes]',
        "< Well, {contact.name}?   [Yes]",
        "... 26h",
        '! notify "Of 529.982.247-25" template order_status id="4242"',
        '< template order_status id="4242"',
        "< A second one",
        "... 1h40m",
        "# the bot sent this by itself, which a file cannot have it do",
        "# < image",
        '! notify "Hello again"',
        "< Hello again",
    ]


def test_in_a_group_everybody_has_a_name_of_their_own() -> None:
    zeca = {"author": "+5585911112222", "authorName": "Zeca"}
    menu = row("Hi Maria, Zeca asks", id="m", messageId="wamid.m", contact=GROUP, buttons=[button("Yes")])
    seen = lines(
        heard("bot, hi", contact=GROUP),
        menu,
        heard("Maria, you?", contact=GROUP, **zeca),
        row("Hi Maria, Zeca asks", contact=GROUP),
        heard("Yes", contact=GROUP, quoted="wamid.m"),
        heard(mode="media", type="image", media="u", contact=GROUP),
        kind="group",
    )
    assert seen == [
        "@ Ana +5511987650001",
        "@ group Group 120363000000000001@g.us",
        "> bot, hi",
        "< Hi {contact.name}, * asks   [Yes]",
        "@ Bia +5511987650002",
        "@ group Group 120363000000000001@g.us",
        "> Ana, you?",
        "< Hi *, {contact.name} asks",
        "@ Ana +5511987650001",
        "@ group Group 120363000000000001@g.us",
        "> Yes",
        "# the contact sent something that cannot be written here (image)",
    ]


def test_a_chat_that_nothing_was_said_in() -> None:
    assert lines() == []
    assert lines(kind="group") == ["@ Ana +5511987650001", "@ group Group 120363000000000001@g.us"]


PLAIN = TEXTS.filter(lambda text: sum(map(str.isdigit, text)) < 8 and re.search(r"\w@\w", text) is None)
DOINGS = st.sampled_from(["says", "says", "taps", "quotes", "photo", "bot", "bot"])


@given(st.lists(st.tuples(DOINGS, PLAIN, LABELS), max_size=8))
def test_any_conversation_can_be_read_again(said: list[tuple[str, str, str]]) -> None:
    rows: list[dict[str, Any]] = []
    for what, text, label in said:
        menu = next((each for each in reversed(rows) if each["direction"] == "out"), None)
        match what:
            case "bot":
                rows.append(row(text, id=f"{len(rows)}", messageId=f"w{len(rows)}", buttons=[button(label)]))
            case "photo":
                rows.append(heard(mode="media", type="image", media="u", caption=text))
            case "taps" if menu is not None:
                rows.append(heard(menu["buttons"][0]["label"], quoted=menu["messageId"]))
            case _:
                rows.append(heard(text, quoted=menu["messageId"] if menu and what == "quotes" else None))
    script = parse(chat_file(rows, chat()))
    wrote = [each["text"] for each in rows if each["direction"] == "in" and each["text"] and each["text"].strip()]
    assert [each for step in script.steps for each in texts(step.doing)] == [seen(text) for text in wrote]


def texts(doing: Doing) -> list[str]:
    """What a contact writes."""
    match doing:
        case Says(text) | Quotes(_, text) | Taps(text):
            return [seen(plain(text, {}))]
        case _:
            return []


def seen(text: str) -> str:
    """A text without the blanks at the ends of its lines, which nobody sees."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


# --- its path ----------------------------------------------------------------------------------------------------------------------


async def test_the_file_of_a_chat_is_served_as_text(api: Api, sandbox: Sandbox) -> None:
    await api.call("POST", "/sandbox/inbound", {"from": MARIA, "name": "Maria Lima", "text": "olá, maria@shop.com.br"})
    await api.send({"text": "Olá, Maria", "buttons": [button("Sim")]}, to=MARIA)
    await settle(sandbox)
    await api.call("POST", "/sandbox/inbound", {"from": MARIA, "tap": "Sim"})
    for address in (MARIA, "5521912345678"):
        answer = await api.call("GET", f"/sandbox/chatfile?contact={address.replace('+', '%2B')}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.json == f"{HEAD}\n\n> olá, ana@example.com\n< Olá, {{contact.name}}   [Sim]\n\n> tap Sim\n"


async def test_the_file_of_one_of_several_numbers(api: Api, evolution: Api) -> None:
    await api.call("POST", "/sandbox/inbound", {"from": MARIA, "text": "one"})
    await api.call("POST", "/sandbox/inbound", {"from": MARIA, "text": "two", "number": "num_evolution"})
    answer = await api.call("GET", f"/sandbox/chatfile?number=num_evolution&contact={MARIA.replace('+', '%2B')}")
    assert answer.json == f"{HEAD}\nnumber: evolution_v2\n\n> two\n"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("contact=%2B5585900000000", "There is no such chat"),
        ("", "name it by ?contact="),
        ("number=num_x&contact=%2B5521912345678", "No such number here"),
    ],
)
async def test_a_chat_that_there_is_not(api: Api, query: str, said: str) -> None:
    answer = await api.call("GET", f"/sandbox/chatfile?{query}")
    assert answer.status == 404
    assert said in answer.json["error"]


async def test_of_a_newsletter_there_is_no_file(api: Api) -> None:
    newsletter = "120363000000000099@newsletter"
    await api.call("POST", "/sandbox/contacts", {"contact": newsletter, "number": "num_evolution"})
    answer = await api.call("GET", f"/sandbox/chatfile?number=num_evolution&contact={newsletter}")
    assert answer.status == 400
    assert "newsletter" in answer.json["error"]
