"""`.chat` files: a conversation as plain text, read into the values of `script`. The grammar is told in docs/testing.md.

A file is read line by line, each once from left to right, so that the time grows with its length and nothing else.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from pilotbot.settings import NumberKind
from pilotbot.testing.reading import ChatSyntaxError, Reader, Source
from pilotbot.testing.script import (
    ANY,
    MEDIA,
    Awaited,
    Crashes,
    Delivers,
    Does,
    Doing,
    Line,
    Misbehaves,
    Notifies,
    Pairs,
    Places,
    Quotes,
    Reacts,
    Redelivers,
    Restarts,
    Says,
    Script,
    Sends,
    Shares,
    Shuffles,
    Step,
    Taps,
    Text,
    Turn,
    Waits,
)

__all__ = ["ChatSyntaxError", "parse", "read"]

MARKS: Final = (">", "<", "|", "!", "@", "...")
GIVEN: Final = frozenset({"contact.name", "contact.phone"})
LONGEST: Final = 3650 * 86_400  # seconds

_HEADER = re.compile(r"(bot|number)[ \t]*:[ \t]*(.*)")
_LET = re.compile(r"let[ \t]+(\w+)[ \t]*=[ \t]*(.*)")
_SPAN = re.compile(r"(?:[0-9]{1,9}[smhd])+")
_PART = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ADDRESS = re.compile(r"\+[0-9]{7,15}|[A-Z]{2}\.[0-9]+|[0-9][0-9-]*@g\.us|[0-9]+@newsletter")


def read(path: Path) -> Script:
    """Read a file.

    Raises:
        ChatSyntaxError: it is no `.chat` file, with the place and the remedy.
        OSError: it cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ChatSyntaxError(path, 1, 1, "the file is not text in UTF-8", "save it as such") from error
    return parse(text, path)


def parse(text: str, path: Path = Path("<text>")) -> Script:
    """Read the text of a file; `path` is what errors call it. Raises ChatSyntaxError as `read`."""
    return _Parser(text, path).script()


@dataclass(slots=True)
class _Draft:
    """A step whose answers are still being read."""

    doing: Doing
    at: int
    end: int
    answers: list[list[Line]] = field(default_factory=list)  # each with its alternatives
    nothing_at: int | None = None

    def step(self) -> Step:
        awaited = tuple(Awaited(line, tuple(alternatives)) for line, *alternatives in self.answers)
        return Step(self.doing, awaited if awaited or self.nothing_at is not None else None, self.at, self.end, self.nothing_at)


class _Parser:
    def __init__(self, text: str, path: Path) -> None:
        self._path = path
        self._lines = tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")) if text else ()
        self._bot: str | None = None
        self._number: NumberKind = "meta"
        self._variables: list[tuple[str, Text]] = []
        self._known: set[str] = set()
        self._drafts: list[_Draft] = []

    def script(self) -> Script:
        for source in self._sources():
            self._take(source)
        steps = tuple(draft.step() for draft in self._drafts)
        return Script(steps, self._bot, self._number, tuple(self._variables), self._path, self._lines)

    def _sources(self) -> Iterator[Source]:
        """The lines that say something, each with those that go on with it."""
        current: Source | None = None
        for number, line in enumerate(self._lines, 1):
            if line.startswith(("  ", "\t")) and line.strip():
                if current is None or current.parts[0][1][:1] not in {">", "<", "|"}:
                    raise ChatSyntaxError(
                        self._path, number, 1, "this line goes on with a line that has no text", "begin it with >, < or |, without blanks"
                    )
                current.add(number, line)
                continue
            if current is not None:
                yield current
                current = None
            if line.strip() and not line.startswith("#"):
                if line[0] in " \t":
                    raise ChatSyntaxError(self._path, number, 1, "this line begins with a blank", "take it away, or make it two to go on")
                current = Source(self._path, [(number, line)])
        if current is not None:
            yield current

    def _take(self, source: Source) -> None:
        line = source.parts[0][1]
        if line.startswith("..."):
            self._does(source, _waits(self._reader(source, 3)))
        elif line[0] == ">":
            self._does(source, _act(self._reader(source, 1)))
        elif line[0] == "@":
            self._does(source, _turn(self._reader(source, 1)))
        elif line[0] == "!":
            self._does(source, _happens(self._reader(source, 1)))
        elif line[0] == "<":
            self._awaits(source)
        elif line[0] == "|":
            self._or(source)
        else:
            self._header(source, line)

    def _reader(self, source: Source, skip: int, *, pattern: bool = False) -> Reader:
        self._known |= GIVEN  # below the head; there nobody acts yet
        return Reader(source, skip, self._known, pattern=pattern)

    def _does(self, source: Source, doing: Doing) -> None:
        self._drafts.append(_Draft(doing, source.at, source.end))

    def _awaits(self, source: Source) -> None:
        reader = self._reader(source, 1, pattern=True)
        if not self._drafts:
            reader.fail("an answer to nothing", "begin with what the contact does: > text")
        draft = self._drafts[-1]
        if reader.rest() == "nothing":
            if draft.answers:
                reader.fail("nothing, after an answer", "take one of the two away")
            draft.nothing_at = source.at
            return
        if draft.nothing_at is not None:
            reader.fail("an answer after `< nothing`", "take one of the two away")
        draft.answers.append([_answer(reader)])

    def _or(self, source: Source) -> None:
        reader = self._reader(source, 1, pattern=True)
        if not self._drafts or not self._drafts[-1].answers:
            reader.fail("an alternative to no answer", "put it below a < line")
        self._drafts[-1].answers[-1].append(_answer(reader))

    def _header(self, source: Source, line: str) -> None:
        reader = Reader(source, 0, self._known)
        found = _HEADER.fullmatch(line.rstrip())
        let = _LET.fullmatch(line.rstrip())
        if found is None and let is None:
            reader.fail(
                "a line that begins with none of the marks", f"begin it with one of {' '.join(MARKS)}, with # or with bot:, number: or let"
            )
        if self._drafts:
            reader.fail("this belongs at the head of the file", "put it before the first step")
        if let is not None:
            self._variables.append((let[1], Reader(source, let.start(2), self._known).text_to_end()))
            self._known.add(let[1])
        elif found is not None and not found[2]:
            reader.fail(f"{found[1]} has no value", "write it after the colon")
        elif found is not None and found[1] == "bot":
            self._bot = found[2]
        elif found is not None:
            kinds = get_args(NumberKind)
            if found[2] not in kinds:
                reader.fail(f"{found[2]} is no kind of number", f"write one of {', '.join(kinds)}")
            self._number = next(kind for kind in kinds if kind == found[2])


# --- answers -----------------------------------------------------------------------------------------------------------------------


def _answer(reader: Reader) -> Line:
    """What stands after `<` or `|`."""
    at, end = reader.source.at, reader.source.end
    options = reader.take_options()
    offered: tuple[Text, ...] | None = None if options == ((ANY,),) else options
    word = reader.peek_word()
    if word == "template":
        reader.word()
        name = reader.word() or reader.fail("a template without a name", "write < template NAME")
        variables = _pairs(reader)
        text = reader.quoted() if reader.peek() == '"' else None
        reader.end()
        return Line(text, offered if options else None, name, variables, None, at, end)
    if word in MEDIA:
        reader.word()
        caption = reader.text_to_end()
        return Line(caption or None, offered, None, (), word, at, end)
    text = _quoted_whole(reader)
    if not text and not options:
        reader.fail("an answer without a text", "write what the bot says, or `< nothing`, or `< *` for anything")
    return Line(text or None, offered, None, (), None, at, end)


def _quoted_whole(reader: Reader) -> Text:
    """A text in quotes or without them, to the end."""
    if reader.peek() != '"':
        return reader.text_to_end()
    text = reader.quoted()
    reader.end()
    return text


def _pairs(reader: Reader) -> Pairs:
    """`name=value` as long as there are some."""
    found: list[tuple[str, Text]] = []
    while (name := reader.name_before("=")) is not None:
        found.append((name, reader.quoted() if reader.peek() == '"' else reader.text_of_word()))
    return tuple(found)


# --- what the contact does ---------------------------------------------------------------------------------------------------------


def _act(reader: Reader) -> Doing:
    """What stands after `>`."""
    word = reader.peek_word()
    if word == "tap":
        word = "/tap"
    if not word.startswith("/"):
        text = _quoted_whole(reader)
        return Says(text) if text else reader.fail("the contact says nothing", "write a text after >")
    reader.word()
    act = _ACTS.get(word)
    if act is None:
        reader.fail(f"{word} is nothing that a contact does", f'write one of {" ".join(_ACTS)}, or put a text in quotes: "{word[:20]}"')
    doing = act(reader)
    reader.end()
    return doing


def _tap(reader: Reader) -> Doing:
    label = _quoted_whole(reader)
    return Taps(label) if label else reader.fail("a tap on nothing", "write the label: > tap Track")


def _quote(reader: Reader) -> Doing:
    if reader.peek() != '"':
        reader.fail("what is quoted is missing", 'write > /quote "a part of the message" text')
    message = reader.quoted(pattern=True)
    text = _quoted_whole(reader)
    return Quotes(message, text) if text else reader.fail("the contact says nothing", "write a text after what is quoted")


def _sends(kind: str) -> Callable[[Reader], Doing]:
    def sends(reader: Reader) -> Doing:
        file = reader.plain_word() or reader.fail("a file is missing", f"write its path, a URL or * for a sample: > /{kind} photo.png")
        return Sends(kind, file, _quoted_whole(reader))

    return sends


def _location(reader: Reader) -> Doing:
    latitude, longitude = reader.number(-90, 90), reader.number(-180, 180)
    return Places(latitude, longitude, _quoted_whole(reader))


def _card(reader: Reader) -> Doing:
    cards = []
    for line in reader.lines_to_end():
        name, _, phone = line.rpartition(" ")
        if not name.strip() or not _ADDRESS.fullmatch(phone):
            reader.fail("a card needs a name and a phone", "write > /card Bia +5511987650002")
        cards.append((name.strip(), phone))
    return Shares(tuple(cards))


def _react(reader: Reader) -> Doing:
    emoji = reader.word() or reader.fail("an emoji is missing", "write > /react 👍, or > /react - to take it back")
    message = reader.quoted(pattern=True) if reader.peek() == '"' else None
    return Reacts("" if emoji == "-" else emoji, message)


_ACTS: Final[Mapping[str, Callable[[Reader], Doing]]] = {
    "/tap": _tap,
    "/quote": _quote,
    "/photo": _sends("image"),
    **{f"/{kind}": _sends(kind) for kind in MEDIA},
    "/location": _location,
    "/card": _card,
    "/react": _react,
    **{f"/{what}": lambda _, what=what: Does(what) for what in ("block", "unblock", "read")},  # type: ignore[misc]
}


# --- what happens ------------------------------------------------------------------------------------------------------------------


def _turn(reader: Reader) -> Doing:
    words = reader.rest().split()
    reader.skip()
    group = len(words) > 1 and words[0] == "group"
    address = words[-1] if len(words) > 1 and _ADDRESS.fullmatch(words[-1]) else None
    name = " ".join(words[1 if group else 0 : -1 if address else None])
    if not name:
        reader.fail("nobody is named", "write @ Ana, or @ Ana +5511987650001 to introduce her")
    if group and address is None:
        reader.fail("a group needs its id", "write @ group Sales 120363000000000001@g.us")
    return Turn(name, address, group)


def _waits(reader: Reader) -> Doing:
    span = reader.rest().replace(" ", "")
    reader.skip()
    if not _SPAN.fullmatch(span):
        reader.fail("this is no span of time", "write one such as ... 90s, 5m, 25h, 3d or 1h30m")
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(span))
    if not 0 < seconds <= LONGEST:
        reader.fail("time goes forward, by ten years at most", "write a span such as ... 25h")
    return Waits(seconds)


def _happens(reader: Reader) -> Doing:
    """What stands after `!`."""
    word = reader.word()
    make = _HAPPENINGS.get(word)
    if make is None:
        reader.fail(f"{word or 'nothing'} is nothing that happens", f"write one of {', '.join(_HAPPENINGS)}")
    doing = make(reader)
    reader.end()
    return doing


def _notify(reader: Reader) -> Doing:
    options = reader.take_options()
    if reader.peek() != '"':
        reader.fail("what the bot writes is missing", 'write ! notify "Did it arrive?"')
    text = reader.quoted()
    template: str | None = None
    variables: Pairs = ()
    if reader.peek_word() == "template":
        reader.word()
        template = reader.word() or reader.fail("a template without a name", "write its name after the word template")
        variables = _pairs(reader)
    return Notifies(text, template, variables, options)


def _shuffle(reader: Reader) -> Doing:
    word = reader.word() or "on"
    if word not in {"on", "off"}:
        reader.fail(f"{word} is neither on nor off", "write ! shuffle on")
    return Shuffles(word == "on")


def _faults(reader: Reader) -> Doing:
    faults: list[tuple[str, int | float | bool]] = []
    while (name := reader.name_before("=")) is not None:
        faults.append((name, _value(reader)))
    return Misbehaves(tuple(faults)) if faults else reader.fail("which faults?", "write ! faults http500=1")


def _value(reader: Reader) -> int | float | bool:
    word = reader.word()
    if word in {"true", "false"}:
        return word == "true"
    try:
        return int(word) if word.isascii() and word.isdigit() else float(word)
    except ValueError:
        reader.fail(f"{word or 'nothing'} is no number", "write a number, true or false")


def _event(reader: Reader) -> Doing:
    body = reader.rest()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        reader.fail("an event is a JSON object", 'write ! event {"event": "number.connected", "data": {}}')
    reader.skip()
    return Delivers(body)


def _crash(reader: Reader) -> Doing:
    return Crashes(reader.word() or reader.fail("after what?", "write ! crash post"))


_HAPPENINGS: Final[Mapping[str, Callable[[Reader], Doing]]] = {
    "notify": _notify,
    "restart": lambda _: Restarts(),
    "redeliver": lambda _: Redelivers(),
    "shuffle": _shuffle,
    "faults": _faults,
    "crash": _crash,
    "event": _event,
}
