"""The grammar of `.chat` files: what each line means, where a mistake is and what is done about it, and that nothing else goes wrong."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilotbot.testing.chatfile import ChatSyntaxError, parse, read
from pilotbot.testing.script import (
    ANY,
    Awaited,
    Crashes,
    Delivers,
    Does,
    Doing,
    Line,
    Misbehaves,
    Notifies,
    Places,
    Quotes,
    Reacts,
    Redelivers,
    Restarts,
    Says,
    Sends,
    Shares,
    Shuffles,
    Slot,
    Step,
    Taps,
    Turn,
    Waits,
)

NAME = Slot("contact.name")


def one(text: str) -> Step:
    """The only step of a text."""
    (step,) = parse(text).steps
    return step


def answer(text: str) -> Line:
    """What `< text` means."""
    (awaited,) = one(f"> x\n< {text}\n").answers or ()
    return awaited.line


@pytest.mark.parametrize(
    ("text", "doing"),
    [
        ("> hello", Says(("hello",))),
        (">hello", Says(("hello",))),
        (">   hello you  ", Says(("hello you",))),
        ("> ação 👍🏽", Says(("ação 👍🏽",))),
        ("> 2 * 3", Says(("2 * 3",))),
        ("> [not] an option   [x]", Says(("[not] an option   [x]",))),
        ("> a\n  b\n\tc", Says(("a\nb\nc",))),
        ("> a\n  \\\n  c", Says(("a\n\nc",))),
        ("> a\n    c", Says(("a\n  c",))),
        (r"> a\nb \* \[ \] \{ \" \\", Says(('a\nb * [ ] { " \\',))),
        ('> "tap Track"', Says(("tap Track",))),
        ('> "/read"', Says(("/read",))),
        (r'> "say \"no\""', Says(('say "no"',))),
        ('> say "no"', Says(('say "no"',))),
        ("> { contact.name }, {contact.phone}", Says((NAME, ", ", Slot("contact.phone")))),
        ("> tap Track", Taps(("Track",))),
        ('> tap "Talk to a person"', Taps(("Talk to a person",))),
        ("> tapping", Says(("tapping",))),
        ("> /tap Talk to a person", Taps(("Talk to a person",))),
        ('> /tap "Track "', Taps(("Track ",))),
        ('> /quote "order *" and now?', Quotes(("order ", ANY), ("and now?",))),
        (r'> /quote "5 \*" *', Quotes(("5 *",), ("*",))),
        ("> /photo *", Sends("image", "*")),
        ("> /photo shoe.png the left one", Sends("image", "shoe.png", ("the left one",))),
        ('> /document "my invoice.pdf" "/read"', Sends("document", "my invoice.pdf", ("/read",))),
        ("> /video https://shop.example/a.mp4", Sends("video", "https://shop.example/a.mp4")),
        ("> /photo * one\n  two", Sends("image", "*", ("one\ntwo",))),
        *[(f"> /{kind} *", Sends(kind, "*")) for kind in ("image", "video", "audio", "voice", "document", "sticker")],
        ("> /location -23.5 -46.6", Places(-23.5, -46.6)),
        ("> /location -23.5 -46.6 Shop\n  Street 1", Places(-23.5, -46.6, ("Shop\nStreet 1",))),
        ("> /card Bia Lima +5511987650002", Shares((("Bia Lima", "+5511987650002"),))),
        ("> /card Bia +5511987650002\n  Caio +5511987650003", Shares((("Bia", "+5511987650002"), ("Caio", "+5511987650003")))),
        ("> /react 👍", Reacts("👍")),
        ("> /react -", Reacts("")),
        ('> /react 👍 "order *"', Reacts("👍", ("order ", ANY))),
        ("> /block", Does("block")),
        ("> /unblock", Does("unblock")),
        ("> /read", Does("read")),
        ("@ Ana", Turn("Ana")),
        ("@ Ana Lima +5511987650001", Turn("Ana Lima", "+5511987650001")),
        ("@ Ana BR.123", Turn("Ana", "BR.123")),
        ("@ +5511987650001", Turn("+5511987650001")),
        ("@ +5511987650001 +5511987650001", Turn("+5511987650001", "+5511987650001")),
        ("@ group Our Sales 120363000000000001@g.us", Turn("Our Sales", "120363000000000001@g.us", group=True)),
        ("... 25h", Waits(25 * 3600)),
        ("...90s", Waits(90)),
        ("... 1h 30m", Waits(5400)),
        ("... 3d", Waits(3 * 86_400)),
        ('! notify "Did it arrive?"', Notifies(("Did it arrive?",))),
        ('! notify "2 * 2"', Notifies(("2 * 2",))),
        (
            '! notify "{contact.name}?" template follow_up id=4242 status="on its way"   [Yes] [No]',
            Notifies((NAME, "?"), "follow_up", (("id", ("4242",)), ("status", ("on its way",))), (("Yes",), ("No",))),
        ),
        ("! restart", Restarts()),
        ("! redeliver", Redelivers()),
        ("! shuffle", Shuffles(on=True)),
        ("! shuffle on", Shuffles(on=True)),
        ("! shuffle off", Shuffles(on=False)),
        ("! crash post", Crashes("post")),
        ("! faults http500=1 drop=0.5 reads=false all=true", Misbehaves((("http500", 1), ("drop", 0.5), ("reads", False), ("all", True)))),
        ('! event {"event": "number.disconnected", "data": {}}', Delivers('{"event": "number.disconnected", "data": {}}')),
    ],
)  # fmt: skip
def test_what_is_done(text: str, doing: Doing) -> None:
    assert one(text) == Step(doing)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Hi.", Line(("Hi.",))),
        ("Hi {contact.name}, *", Line(("Hi ", NAME, ", ", ANY))),
        ("a ** b", Line(("a ", ANY, " b"))),
        (r"5 \* 3 \[a\] \{", Line(("5 * 3 [a] {",))),
        ("*", Line((ANY,))),
        ("a\n  b", Line(("a\nb",))),
        ("a\n  \\\n  b   [Yes]", Line(("a\n\nb",), (("Yes",),))),
        ("Hi.   [Yes] [No, thanks]", Line(("Hi.",), (("Yes",), ("No, thanks",)))),
        ("Hi.\t[Yes][No]", Line(("Hi.",), (("Yes",), ("No",)))),
        ("Hi. [Yes]", Line(("Hi. [Yes]",))),
        ("Hi.  [Yes] or no", Line(("Hi.  [Yes] or no",))),
        (r"Hi.  \[Yes]", Line(("Hi.  [Yes]",))),
        (r"Hi.  [a \[b\] c]", Line(("Hi.",), (("a [b] c",),))),
        ("Hi.   [Track *]", Line(("Hi.",), (("Track ", ANY),))),
        ("Hi.   [*]", Line(("Hi.",), None)),
        ("[Yes]", Line(None, (("Yes",),))),
        ("Hi.\n  [Yes]", Line(("Hi.",), (("Yes",),))),
        ("Hi.   []", Line(("Hi.",), ((),))),
        ('"nothing"', Line(("nothing",))),
        ('"Hi. "   [Yes]', Line(("Hi. ",), (("Yes",),))),
        (r"\"Hi.\" she said", Line(('"Hi." she said',))),
        ("nothing new", Line(("nothing new",))),
        ("template follow_up", Line(None, None, "follow_up")),
        ('template order id=42* s="on * way" "*4242*"   [Yes]',
         Line((ANY, "4242", ANY), (("Yes",),), "order", (("id", ("42", ANY)), ("s", ("on ", ANY, " way"))))),
        ("templates", Line(("templates",))),
        ("image", Line(None, (), media="image")),
        ("image the left *   [Yes]", Line(("the left ", ANY), (("Yes",),), media="image")),
        *[(kind, Line(None, (), media=kind)) for kind in ("video", "document", "audio", "voice", "sticker")],
    ],
)  # fmt: skip
def test_what_is_expected(text: str, line: Line) -> None:
    assert answer(text) == line


def test_a_template_without_labels_is_not_asked_for_its_options() -> None:
    assert answer("template follow_up").options is None


def test_a_whole_file() -> None:
    head = "# of a shop\nbot: bots/orders.py\nnumber: evolution_v2\nlet a = 4242\nlet b = no {a}\n\n"
    script = parse(f"{head}> {{b}}\n\n< x\n| y\n| z\n< *\n> z\n> w\n< nothing\n")
    assert (script.bot, script.number) == ("bots/orders.py", "evolution_v2")
    assert script.values() == {"a": "4242", "b": "no 4242"}
    assert script.steps == (
        Step(Says((Slot("b"),)), (Awaited(Line(("x",)), (Line(("y",)), Line(("z",)))), Awaited(Line((ANY,))))),
        Step(Says(("z",))),
        Step(Says(("w",)), ()),
    )


def test_where_things_are_is_kept() -> None:
    script = parse("> a\n  b\n# c\n< d\n  e\n| f\n> g\n< nothing\n")
    first, second = script.steps
    assert (first.at, first.end) == (1, 2)
    assert [(line.at, line.end) for line in (first.answers or ())[0].lines] == [(4, 5), (6, 6)]
    assert (second.at, second.nothing_at) == (7, 8)
    assert script.lines == ("> a", "  b", "# c", "< d", "  e", "| f", "> g", "< nothing")


def test_line_ends_of_other_systems(tmp_path: Path) -> None:
    file = tmp_path / "order.chat"
    file.write_bytes("\ufeff> olá\r\n  e\r\n< *\r\n".encode())
    assert read(file) == parse("> olá\n  e\n< *\n")


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n\n", "bot: x.py", "   \n\t\n"])
def test_nothing_happens(text: str) -> None:
    assert parse(text).steps == ()


MISTAKES: list[tuple[str, int, int, str, str]] = [
    ("hello", 1, 1, "begins with none of the marks", "begin it with one of > < | ! @ ..."),
    ("\n\n= x", 3, 1, "none of the marks", "bot:, number: or let"),
    (" > x", 1, 1, "begins with a blank", "take it away"),
    ("  x", 1, 1, "goes on with a line that has no text", "begin it with >, < or |"),
    ("@ Ana\n  x", 2, 1, "goes on with", "without blanks"),
    ("# c\n  x", 2, 1, "goes on with", "without blanks"),
    ("< x", 1, 3, "an answer to nothing", "> text"),
    ("| x", 1, 3, "an alternative to no answer", "below a < line"),
    ("> x\n| y", 2, 3, "an alternative to no answer", "below a < line"),
    ("> x\n< nothing\n| y", 3, 3, "an alternative to no answer", "below a < line"),
    ("> x\n< y\n< nothing", 3, 3, "nothing, after an answer", "take one"),
    ("> x\n< nothing\n< y", 3, 3, "an answer after `< nothing`", "take one"),
    ("> x\n<", 2, 2, "an answer without a text", "`< nothing`"),
    ("> x\n< y\n|", 3, 2, "an answer without a text", "`< nothing`"),
    (">", 1, 2, "the contact says nothing", "write a text"),
    ('> ""', 1, 5, "the contact says nothing", "write a text"),
    ('> "a', 1, 3, "these quotes are not closed", 'a quote inside it is \\"'),
    ('> "a" b', 1, 7, "nothing should follow here, but 'b' does", "take it away"),
    ("> a {b} c", 1, 5, "no variable is called 'b'", "let name = value"),
    ("> a {", 1, 5, "a brace that begins no variable", r"\{"),
    ("> a {}", 1, 5, "a brace that begins no variable", r"\{"),
    ("> x\n< a {order}", 2, 5, "no variable is called 'order'", "let name = value"),
    (r"> a \x", 1, 5, "a backslash before nothing", r"\\"),
    ("> a\n  bc \\x", 2, 6, "a backslash before nothing", r"\\"),
    ("> a \\", 1, 5, "a backslash before nothing", r"\\"),
    ("> x\n< a   [b {c}]", 2, 10, "no variable is called 'c'", "let name = value"),
    ("> x\n< template", 2, 11, "a template without a name", "< template NAME"),
    ('> x\n< template a "b" c', 2, 18, "nothing should follow", "take it away"),
    ("> x\n< template a b", 2, 14, "nothing should follow", "take it away"),
    ("> /dance", 1, 3, "/dance is nothing that a contact does", "put a text in quotes"),
    ("> tap", 1, 6, "a tap on nothing", "> tap Track"),
    ("> /quote x", 1, 10, "what is quoted is missing", "> /quote"),
    ('> /quote "x"', 1, 13, "the contact says nothing", "after what is quoted"),
    ("> /photo", 1, 9, "a file is missing", "/image photo.png"),
    ("> /location 91 0", 1, 13, "91 is no number from -90 to 90", "degrees"),
    ("> /location 0 east", 1, 15, "east is no number from -180 to 180", "degrees"),
    ("> /location nan 0", 1, 13, "nan is no number", "degrees"),
    ("> /card Bia", 1, 12, "a card needs a name and a phone", "/card Bia +55"),
    ("> /card +5511987650002", 1, 23, "a card needs a name and a phone", "/card Bia +55"),
    ("> /react", 1, 9, "an emoji is missing", "/react -"),
    ("> /block now", 1, 10, "nothing should follow", "take it away"),
    ("@", 1, 2, "nobody is named", "@ Ana"),
    ("@ group +5511987650001", 1, 23, "nobody is named", "@ Ana"),
    ("@ group Sales", 1, 14, "a group needs its id", "@g.us"),
    ("... later", 1, 10, "no span of time", "25h"),
    ("...", 1, 4, "no span of time", "25h"),
    ("... 0s", 1, 7, "time goes forward", "25h"),
    ("... 999999999d", 1, 15, "ten years at most", "25h"),
    ("! dance", 1, 3, "dance is nothing that happens", "notify, restart"),
    ("!", 1, 2, "nothing is nothing that happens", "notify, restart"),
    ("! notify x", 1, 10, "what the bot writes is missing", "! notify"),
    ('! notify "x" template', 1, 22, "a template without a name", "after the word template"),
    ('! notify "x" y', 1, 14, "nothing should follow", "take it away"),
    ("! restart now", 1, 11, "nothing should follow", "take it away"),
    ("! shuffle maybe", 1, 16, "maybe is neither on nor off", "! shuffle on"),
    ("! crash", 1, 8, "after what?", "! crash post"),
    ("! faults", 1, 9, "which faults?", "! faults http500=1"),
    ("! faults http500=many", 1, 18, "many is no number", "true or false"),
    ("! event x", 1, 9, "an event is a JSON object", "! event"),
    ("! event [1]", 1, 9, "an event is a JSON object", "! event"),
    ("> x\nbot: y.py", 2, 1, "belongs at the head", "before the first step"),
    ("> x\nlet a = b", 2, 1, "belongs at the head", "before the first step"),
    ("bot:", 1, 1, "bot has no value", "after the colon"),
    ("number: fax", 1, 1, "fax is no kind of number", "meta"),
    ("let a = {b}", 1, 9, "no variable is called 'b'", "let name = value"),
    ("let a = {contact.name}", 1, 9, "no variable is called 'contact.name'", "let name = value"),
]


@pytest.mark.parametrize(("text", "line", "column", "problem", "remedy"), MISTAKES)
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, problem: str, remedy: str) -> None:
    with pytest.raises(ChatSyntaxError) as caught:
        parse(text, Path("shop.chat"))
    error = caught.value
    assert problem in error.problem
    assert remedy in error.remedy
    assert (str(error.path), error.line, error.column) == ("shop.chat", line, column)
    assert str(error) == f"shop.chat:{line}:{column}: {error.problem}; {error.remedy}"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "photo.chat"
    file.write_bytes(b"\x89PNG\xff")
    with pytest.raises(ChatSyntaxError, match=r"photo\.chat:1:1: the file is not text in UTF-8; save it as such"):
        read(file)


# --- any text ----------------------------------------------------------------------------------------------------------------------

SCRAPS = [
    *("> ", "< ", "| ", "! ", "@ ", "... ", "# ", "  ", "\t", "\n", "\r\n", "\\", "\\n", "\\*", "[", "]", "   [A] [B]", "{", "}", '"', "*"),
    *("{contact.name}", "nothing", "template x ", "a=b ", "image ", "tap ", "/quote ", "/photo ", "/location 1 2", "/card ", "/react "),
    *("notify ", "event ", "faults ", "crash ", "bot: ", "number: meta", "let a = ", "{a}", "group ", "+5511987650001", "25h"),
    *("\u2028", "\x85", "\x00"),
]


def problem_of(text: str) -> ChatSyntaxError | None:
    """What the parser says against a text. Whatever else it raised would fail the test."""
    try:
        script = parse(text)
    except ChatSyntaxError as error:
        return error
    values = script.values() | {"contact.name": "Ana", "contact.phone": "+5511987650001"}
    assert all(awaited.expected(values).ways for step in script.steps for awaited in step.answers or ())
    return None


@given(st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(SCRAPS), st.text(max_size=3)), max_size=30).map("".join)))
@example("! faults a=²")
@example("> /location ٣ 1")
@example("... ٣h")
@example("let a={contact.name}")
@example("let ² = x\n> {²}")
@example("! event " + "[" * 5000)
@example('! event {"a": ' + "9" * 5000 + "}")
@example("! faults a=" + "9" * 5000)
def test_any_text_parses_or_is_told_where_not(text: str) -> None:
    error = problem_of(text)
    if error is not None:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert error.problem
        assert error.remedy


MARKS = [
    *(
        "> ",
        "> x\n< ",
        "> x\n< y\n| ",
        '> x\n< "',
        "> x\n< template ",
        "> /",
        "> /quote ",
        "> /card ",
        "> /location ",
        "> {",
        "@ ",
        "@ group ",
    ),
    *("! ", "! notify ", "! event ", "! faults a=", "! shuffle ", "... ", "bot:", "number:", "let a =", "="),
]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("scrap", ["[", "]", "*", "\\", "\\\\", "{", '"', "a=", "9", "9h", "   [a", "   [a]", " ", "\n  [a]", "\n  \\"])
def test_long_lines_are_read_in_one_go(mark: str, scrap: str) -> None:
    error = problem_of(f"{mark}{scrap * (200_000 // len(scrap))}")
    assert error is None or len(str(error)) < 500  # a message names the place, it does not repeat the file


def test_many_lines_are_read_in_one_go() -> None:
    many = range(40_000)
    script = parse("".join([*(f"let a{at} = {at}\n" for at in many), "> x\n", "< {a39999}\n", *("| y\n" for _ in many)]))
    ((awaited,),) = (step.answers or () for step in script.steps)
    assert (len(script.variables), len(awaited.alternatives)) == (40_000, 40_000)
