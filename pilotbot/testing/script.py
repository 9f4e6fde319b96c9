"""A conversation as a `.chat` file says it: plain values, made by `chatfile.parse`.

Places in the file (`at`, `end`: lines from 1, the last one included) are no part of what a value is: they do not count in comparisons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilotbot.settings import NumberKind
from pilotbot.testing.answers import Expected
from pilotbot.testing.wording import literal

NAME, PHONE = "Ana", "+5511987650001"
"""The contact of a file that names none."""

MEDIA = ("image", "video", "document", "audio", "voice", "sticker")
"""The kinds of file that the bot or the contact can send."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a text that something stands in for: a variable, or any text where the name is a star."""

    name: str


ANY = Slot("*")

Text = tuple[str | Slot, ...]
"""A text in pieces; no two strings follow each other, and none is empty."""

Pairs = tuple[tuple[str, Text], ...]
"""Names with texts, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`@`: who acts from here on; `address` is None where they were introduced before."""

    name: str
    address: str | None = None
    group: bool = False


@dataclass(frozen=True, slots=True)
class Says:
    """`> text`."""

    text: Text


@dataclass(frozen=True, slots=True)
class Taps:
    """`> tap Label`: of the newest message that offers it."""

    label: Text


@dataclass(frozen=True, slots=True)
class Quotes:
    """`> /quote "message*" text`: of the newest message that says so."""

    message: Text
    text: Text


@dataclass(frozen=True, slots=True)
class Sends:
    """`> /photo FILE caption`, and the like. `file` is a path beside the `.chat` file, a URL, or `*` for any file of that kind."""

    kind: str
    file: str
    caption: Text = ()


@dataclass(frozen=True, slots=True)
class Places:
    """`> /location LATITUDE LONGITUDE name`, an address on a line of its own below."""

    latitude: float
    longitude: float
    name: Text = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """`> /card Name +phone`, further ones each on a line of its own below."""

    cards: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reacts:
    """`> /react 👍`, to the newest message of the bot, or to the newest that says `message`."""

    emoji: str
    message: Text | None = None


@dataclass(frozen=True, slots=True)
class Does:
    """`> /block`, `> /unblock` or `> /read`."""

    what: str


@dataclass(frozen=True, slots=True)
class Waits:
    """`... 25h`: time passes."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Notifies:
    """`! notify "text" template NAME variable=value  [Option]`: the bot writes to the chat that acts, by itself."""

    text: Text
    template: str | None = None
    variables: Pairs = ()
    options: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Restarts:
    """`! restart`: the bot is stopped and started."""


@dataclass(frozen=True, slots=True)
class Redelivers:
    """`! redeliver`: what the contacts did is delivered to the bot once more."""


@dataclass(frozen=True, slots=True)
class Shuffles:
    """`! shuffle on` or `off`: webhooks come in any order."""

    on: bool


@dataclass(frozen=True, slots=True)
class Misbehaves:
    """`! faults name=value`: what the local Pilot Status does wrong from here on."""

    faults: tuple[tuple[str, int | float | bool], ...]


@dataclass(frozen=True, slots=True)
class Crashes:
    """`! crash post`: the bot is killed when it next comes to that point."""

    after: str


@dataclass(frozen=True, slots=True)
class Delivers:
    """`! event {json}`: an envelope is delivered to the bot as it is; variables are not yet filled in."""

    body: str


Doing = (
    Turn | Says | Taps | Quotes | Sends | Places | Shares | Reacts | Does | Waits | Notifies | Restarts | Redelivers | Shuffles
    | Misbehaves | Crashes | Delivers
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One `<` or `|` line: what a message of the bot is. None is what is not looked at.

    Attributes:
        text: what it says.
        options: what it offers; None for `[*]`.
        template: the template it goes as; None where it does not go as one.
        variables: the template's variables that are looked at.
        media: what kind of file comes with it.
    """

    text: Text | None = None
    options: tuple[Text, ...] | None = ()
    template: str | None = None
    variables: Pairs = ()
    media: str | None = None
    at: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def expected(self, values: Mapping[str, str]) -> Expected:
        """What that is, with the variables filled in."""
        template = self.template is not None
        return Expected(
            text=None if self.text is None else pattern(self.text, values),
            mode="template" if template else "free",
            options=None if self.options is None else tuple(pattern(option, values) for option in self.options),
            template=self.template,
            variables={name: pattern(value, values) for name, value in self.variables},
            media_kind=None if template else self.media or "",
        )


@dataclass(frozen=True, slots=True)
class Awaited:
    """One message that the bot should send: the `<` line, and the `|` lines below it."""

    line: Line
    alternatives: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """All of them."""
        return (self.line, *self.alternatives)

    def expected(self, values: Mapping[str, str]) -> Expected:
        """What the message should be, with the variables filled in."""
        first, *others = (line.expected(values) for line in self.lines)
        return Expected(**{name: getattr(first, name) for name in first.__slots__} | {"alternatives": tuple(others)})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, and what the bot should answer.

    `answers` is None where the file says nothing about it here: what comes is looked at with the next answers of that chat. It is empty
    for `< nothing`.
    """

    doing: Doing
    answers: tuple[Awaited, ...] | None = None
    at: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    nothing_at: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole file.

    Attributes:
        steps: what is done, in order.
        bot: the target that the header names, as `pilotbot run` takes it.
        number: the kind of number that the bot answers from.
        variables: the `let` lines.
        path: the file; `<text>` where there is none.
        lines: the file's lines as they are, without their line ends' newline.
    """

    steps: tuple[Step, ...] = ()
    bot: str | None = None
    number: NumberKind = "meta"
    variables: Pairs = ()
    path: Path = field(default=Path("<text>"), compare=False)
    lines: tuple[str, ...] = field(default=(), compare=False)

    def values(self) -> dict[str, str]:
        """The variables' values."""
        known: dict[str, str] = {}
        for name, text in self.variables:
            known[name] = plain(text, known)
        return known


def plain(text: Text, values: Mapping[str, str]) -> str:
    """A text with its variables filled in; a star in it is a star."""
    return "".join(piece if isinstance(piece, str) else "*" if piece == ANY else values[piece.name] for piece in text)


def pattern(text: Text, values: Mapping[str, str]) -> str:
    """A text as a pattern of `wording`, with its variables filled in."""
    return "".join(literal(piece) if isinstance(piece, str) else "*" if piece == ANY else literal(values[piece.name]) for piece in text)
