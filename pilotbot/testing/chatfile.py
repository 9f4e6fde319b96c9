"""`.chat` files: a conversation as plain text, read into the values of `script`. The grammar is told in docs/testing.md.

A file is read line by line, each once from left to right, so that the time grows with its length and nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from pilotbot.settings import NumberKind
from pilotbot.testing.doings import act, happens, turn, waits
from pilotbot.testing.reading import ChatSyntaxError, Reader, Source
from pilotbot.testing.script import ANY, MEDIA, Awaited, Doing, Line, Script, Step, Text

__all__ = ["ChatSyntaxError", "parse", "read"]

MARKS: Final = (">", "<", "|", "!", "@", "...")
GIVEN: Final = frozenset({"contact.name", "contact.phone"})

_HEADER = re.compile(r"(bot|number)[ \t]*:[ \t]*(.*)")
_LET = re.compile(r"let[ \t]+(\w+)[ \t]*=[ \t]*(.*)")


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
            self._does(source, waits(self._reader(source, 3)))
        elif line[0] == ">":
            self._does(source, act(self._reader(source, 1)))
        elif line[0] == "@":
            self._does(source, turn(self._reader(source, 1)))
        elif line[0] == "!":
            self._does(source, happens(self._reader(source, 1)))
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
        variables = reader.pairs()
        text = reader.quoted() if reader.peek() == '"' else None
        reader.end()
        return Line(text, offered if options else None, name, variables, None, at, end)
    if word in MEDIA:
        reader.word()
        caption = reader.text_to_end()
        return Line(caption or None, offered, None, (), word, at, end)
    text = reader.whole_text()
    if not text and not options:
        reader.fail("an answer without a text", "write what the bot says, or `< nothing`, or `< *` for anything")
    return Line(text or None, offered, None, (), None, at, end)
