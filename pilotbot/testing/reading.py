"""Reading one line of a `.chat` file, with the lines that go on with it, from left to right."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pilotbot.testing.script import ANY, Pairs, Slot, Text
from pilotbot.testing.wording import printable

BLANKS = " \t"
LONGEST = 160  # characters of a problem or a remedy, which may name a word of the file
ESCAPED = {"n": "\n", "*": "*", "[": "[", "]": "]", "{": "{", '"': '"', "\\": "\\"}


class ChatSyntaxError(ValueError):
    """A place of a `.chat` file that cannot be understood: where, what is wrong, and the remedy. Lines and columns are from 1."""

    def __init__(self, path: Path, line: int, column: int, problem: str, remedy: str) -> None:
        problem, remedy = (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in (problem, remedy))
        super().__init__(printable(f"{path}:{line}:{column}: {problem}; {remedy}"))
        self.path = path
        self.line = line
        self.column = column
        self.problem = problem
        self.remedy = remedy


@dataclass(slots=True)
class Source:
    """A line and those that go on with it, each with its number, without the blanks that make it go on."""

    path: Path
    parts: list[tuple[int, str]]
    indents: list[int] = field(default_factory=lambda: [0])

    def add(self, number: int, line: str) -> None:
        """Add a line that goes on: one that begins with a tab or two blanks."""
        indent = 1 if line.startswith("\t") else 2
        self.parts.append((number, line[indent:]))
        self.indents.append(indent)

    @property
    def at(self) -> int:
        """The number of the first line."""
        return self.parts[0][0]

    @property
    def end(self) -> int:
        """The number of the last line."""
        return self.parts[-1][0]


class Reader:
    """Reads a source once from left to right, in words, quoted texts, and the text to the end.

    Args:
        source: the lines.
        skip: how many characters the mark at the beginning has.
        known: the names of the variables.
        pattern: whether a star stands for any text.
    """

    def __init__(self, source: Source, skip: int, known: AbstractSet[str], *, pattern: bool = False) -> None:
        self.source = source
        self._known = known
        self._pattern = pattern
        first, *more = (line.rstrip() for _, line in source.parts)
        # A lone backslash is an empty line; the line ends are characters of their own, which nobody can type.
        self._text = "\n".join([first, *("" if line.strip() == "\\" else line for line in more)])
        self._at = self._word = skip
        self._end = len(self._text)
        self._blank()

    def fail(self, problem: str, remedy: str) -> NoReturn:
        """Say what is wrong where the reader stands. Raises ChatSyntaxError."""
        at = min(self._at, len(self._text))
        line = self._text.count("\n", 0, at)
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        number = self.source.parts[line][0]
        raise ChatSyntaxError(self.source.path, number, column + (self.source.indents[line] if line else 0), problem, remedy)

    def peek(self) -> str:
        """The next character; empty at the end."""
        return self._text[self._at : min(self._at + 1, self._end)]

    def peek_word(self) -> str:
        """The next word, without taking it."""
        before = self._at
        word = self.word()
        self._at = before
        return word

    def fail_at_word(self, problem: str, remedy: str) -> NoReturn:
        """Say what is wrong with the word that was read last. Raises ChatSyntaxError."""
        self._at = self._word
        self.fail(problem, remedy)

    def word(self) -> str:
        """The characters up to the next blank; empty at the end."""
        start = self._word = self._at
        while self._at < self._end and self._text[self._at] not in " \t\n":
            self._at += 1
        word = self._text[start : self._at]
        self._blank()
        return word

    def plain_word(self) -> str:
        """A word, or a text in quotes without variables."""
        if self.peek() != '"':
            return self.word()
        text = self.quoted()
        return "".join(piece for piece in text if isinstance(piece, str))

    def rest(self) -> str:
        """All that is left, as it stands, without taking it."""
        return self._text[self._at : self._end].strip()

    def skip(self) -> None:
        """Take all that is left."""
        self._at = self._end

    def end(self) -> None:
        """Be at the end. Raises ChatSyntaxError."""
        if self._at < self._end:
            self.fail(f"nothing should follow here, but {self.rest()[:20]!r} does", "take it away, or put texts in quotes")

    def number(self, low: float, high: float) -> float:
        """A number between two others. Raises ChatSyntaxError."""
        before = self._at
        word = self.word()
        try:
            value = float(word)
        except ValueError:
            value = high + 1
        if not low <= value <= high:
            self._at = before
            self.fail(f"{word or 'nothing'} is no number from {low:g} to {high:g}", "write degrees: > /location -23.55 -46.63 Shop")
        return value

    def name_before(self, sign: str) -> str | None:
        """A name with `sign` right behind it, both taken; None, and nothing taken, where there is none."""
        at = self._at
        while at < self._end and (self._text[at].isalnum() or self._text[at] in "_."):
            at += 1
        if at == self._at or self._text[at : at + 1] != sign or at >= self._end:
            return None
        name, self._at = self._text[self._at : at], at + 1
        return name

    def lines_to_end(self) -> list[str]:
        """All that is left, line by line."""
        lines = [line.strip() for line in self.rest().split("\n")]
        self.skip()
        return lines

    # --- texts ------------------------------------------------------------------------------------------------------------------

    def text_to_end(self) -> Text:
        """All that is left, as a text."""
        return self._read(self._end, "")

    def text_of_word(self) -> Text:
        """A word, as a text."""
        text = self._read(self._end, " \t\n")
        self._blank()
        return text

    def quoted(self, *, pattern: bool | None = None) -> Text:
        """A text in quotes. Raises ChatSyntaxError where the closing one is missing."""
        kept, self._pattern = self._pattern, self._pattern if pattern is None else pattern
        start = self._at
        self._at += 1
        text = self._read(self._end, '"')
        self._pattern = kept
        if self.peek() != '"':
            self._at = start
            self.fail("these quotes are not closed", 'end the text with "; a quote inside it is \\"')
        self._at += 1
        self._blank()
        return text

    def whole_text(self) -> Text:
        """All that is left, as a text, in quotes or without them."""
        if self.peek() != '"':
            return self.text_to_end()
        text = self.quoted()
        self.end()
        return text

    def pairs(self) -> Pairs:
        """`name=value` as long as there are some."""
        found: list[tuple[str, Text]] = []
        while (name := self.name_before("=")) is not None:
            found.append((name, self.quoted() if self.peek() == '"' else self.text_of_word()))
        return tuple(found)

    def take_options(self) -> tuple[Text, ...]:
        """The `[labels]` at the end of the last line, after two blanks or a tab: taken from there, before anything else is read."""
        start = max(self._at, self._text.rfind("\n", 0, self._end) + 1)
        found = _groups(self._text, start, self._end, alone=start == self._at or self._text[start - 1 : start] == "\n")
        if not found:
            return ()
        before = self._at
        options = []
        for opens, closes in found:
            self._at = opens + 1
            options.append(self._read(closes, ""))
        self._at, self._end = before, len(self._text[: found[0][0]].rstrip(" \t\n"))
        self._at = min(before, self._end)
        return tuple(options)

    def _read(self, end: int, stops: str) -> Text:
        """A text up to `end` or to one of the characters that stop it: escapes, variables, and stars where they stand for any text."""
        pieces: list[str | Slot] = []
        letters: list[str] = []

        def flush() -> None:
            if letters:
                pieces.append("".join(letters))
                letters.clear()

        while self._at < end and (char := self._text[self._at]) not in stops:
            if char == "\\":
                after = self._text[self._at + 1 : min(self._at + 2, end)]
                if after not in ESCAPED:
                    self.fail("a backslash before nothing that it changes", r"write \\ for a backslash; there are \n \* \[ \] \{ \" \\")
                letters.append(ESCAPED[after])
                self._at += 2
            elif char == "{":
                flush()
                pieces.append(self._slot(end))
            elif char == "*" and self._pattern:
                flush()
                if not pieces or pieces[-1] != ANY:
                    pieces.append(ANY)
                self._at += 1
            else:
                letters.append(char)
                self._at += 1
        flush()
        return tuple(pieces)

    def _slot(self, end: int) -> Slot:
        close = self._text.find("}", self._at, end)
        name = self._text[self._at + 1 : close].strip() if close >= 0 else ""
        if name not in self._known:
            self.fail(
                f"no variable is called {name!r}" if name else "a brace that begins no variable",
                r"define it at the head of the file, let name = value; a plain brace is \{",
            )
        self._at = close + 1
        return Slot(name)

    def _blank(self) -> None:
        while self._at < self._end and self._text[self._at] in " \t\n":
            self._at += 1


def _groups(text: str, start: int, end: int, *, alone: bool) -> list[tuple[int, int]]:
    """Where the `[...]` groups open and close that a line ends with, after two blanks or a tab, or alone on the line."""
    found: list[tuple[int, int]] = []
    opened: int | None = None
    blanks, at = 2 if alone else 0, start
    while at < end:
        char = text[at]
        if char == "\\":
            if opened is None:
                found, blanks = [], 0
            at += 2
            continue
        if opened is not None:
            if char == "]":
                found.append((opened, at))
                opened = None
            elif char == "[":
                found, opened, blanks = [], None, 0
        elif char in BLANKS:
            blanks += 2 if char == "\t" else 1
        elif char == "[" and (found or blanks >= 2):
            opened, blanks = at, 0
        else:
            found, blanks = [], 0
        at += 1
    return found if opened is None else []
