"""What an author makes once and sends many times: files, templates and messages, checked when they are made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

from pilotbot.platform.requests import BUTTON_LIMIT, CAPTIONED, FOOTER_LIMIT, HEADER_LIMIT, LABEL_LIMIT, MediaType, check_media
from pilotbot.replies.actions import Action, Option, holds_jinja
from pilotbot.replies.errors import ContentError
from pilotbot.replies.templating import compiled

RESERVED: Final = frozenset({
    "self", "content", "who", "options", "media", "template", "policy", "delivery", "now", "number", "key", "before_window_closes",
    "unless_replied", "if_late",
})  # fmt: skip
"""Names that no value can have: the parameters of `reply`, `notify` and `follow_up`, in `ctx` and `bot`."""

_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: a public http(s) URL, or `data:<mime>;base64,<data>` if the number takes it (contract 3.3)."""

    url_or_data: str = field(repr=False)
    kind: MediaType

    def __post_init__(self) -> None:
        if not holds_jinja(self.url_or_data):
            self.check()

    def check(self) -> None:
        """Raise ContentError where the platform would refuse it: at creation, or after rendering where it is Jinja."""
        try:
            check_media(self.url_or_data)
        except ValueError as error:
            raise ContentError(f"the {self.kind} {error}.") from None

    @property
    def inline(self) -> bool:
        """Whether the bytes themselves are in it, which Evolution GO does not take."""
        return self.url_or_data.startswith("data:")


def image(url: str) -> File:
    """An image, by public URL or data URI."""
    return File(url, "image")


def video(url: str) -> File:
    """A video, by public URL or data URI."""
    return File(url, "video")


def document(url: str) -> File:
    """A document, by public URL or data URI."""
    return File(url, "document")


def audio(url: str) -> File:
    """An audio file, by public URL or data URI; it arrives as a voice note and has no caption."""
    return File(url, "audio")


def voice(url: str) -> File:
    """A voice note, by public URL or data URI; it has no caption."""
    return File(url, "voice")


def sticker(url: str) -> File:
    """A sticker, by public URL or data URI; it has no caption."""
    return File(url, "sticker")


class Template:
    """An approved template and its variables: what goes while the window is closed (contract 3.5, 6).

    Args:
        name: the template's id or name on the platform.
        variables: each must be there and not blank when it is sent. Strings are Jinja, in a `Message` or beside one, so
            what a contact wrote is never put into them: name a value, `name="{{ name }}"`, and pass it.
    """

    __slots__ = ("name", "variables")

    def __init__(self, name: str, /, **variables: object) -> None:
        if not name.strip():
            raise ContentError("a template needs its name. Give the id or the name that the platform knows.")
        for key, value in variables.items():
            if not _NAME.fullmatch(key):
                raise ContentError(f"template {name}: {key!r} is no variable name. Use letters, digits and _.")
            if value is None or (isinstance(value, str) and not value.strip()):
                raise ContentError(f"template {name}: {key} is blank, which the platform refuses. Give it a text.")
        self.name = name
        self.variables: Mapping[str, object] = variables

    def __repr__(self) -> str:
        """The name and the variables' names; their values may be a contact's."""
        return f"Template({', '.join([repr(self.name), *self.variables])})"


@dataclass(frozen=True, slots=True)
class Message:
    """One content, many modes; every string in it is Jinja, checked when the message is made.

    What contacts wrote belongs into values (`ctx.reply(message, name=...)`), never into a Message made on the fly. The names of
    `RESERVED` are parameters there, and so cannot be values; `contact` and `chat` are given.

    Args:
        text: the body; with captionable media, its caption.
        options: what the contact can choose, labels or `Track(...).option("Track")`; up to 3 go as buttons.
        media: a file that goes with it.
        template: what goes while the window is closed.
        header: a line above, of at most 60 characters; stands above the buttons where there are buttons.
        footer: a line below, of at most 60 characters.

    Raises:
        ContentError: at creation, with the remedy.
    """

    text: str = ""
    _: KW_ONLY
    options: Sequence[Option | str] = ()
    media: File | None = None
    template: Template | None = None
    header: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        options = as_options(self.options)
        object.__setattr__(self, "options", options)
        if not (self.text.strip() or self.media or self.template):
            raise ContentError("the message is empty. Give it a text, a file or a template.")
        if options and not self.text.strip():
            raise ContentError("options need a text to stand under. Give the message a text.")
        if self.header is not None and self.media is not None and self.media.kind in CAPTIONED and options:
            raise ContentError("the file stands where the header would. Give the message one of the two.")
        check_labels(options)
        _check_line("header", self.header, HEADER_LIMIT)
        _check_line("footer", self.footer, FOOTER_LIMIT)
        for where, source in _sources(self):
            try:
                reserved = compiled(source).variables & RESERVED
            except ContentError as error:
                raise ContentError(f"{where}: {error}") from None
            if reserved:
                name = min(reserved)
                raise ContentError(f"{where}: no value can be called {name}, a parameter of reply and notify. Rename the variable.")

    @property
    def variables(self) -> frozenset[str]:
        """The top-level names that rendering needs, over all parts."""
        return frozenset[str]().union(*(compiled(source).variables for _, source in _sources(self)))


def as_options(options: Sequence[Option | str]) -> tuple[Option, ...]:
    """Labels as options. Raises ContentError on anything else."""
    for option in options:
        if isinstance(option, Action):
            name = option.action_name
            raise ContentError(f"the option {name} has no label. Give it one: {name}(...).option('...').")
        if not isinstance(option, Option | str):
            raise ContentError(f"{type(option).__name__} is no option. Give a label, or an action's .option('...').")
    if isinstance(options, str):
        raise ContentError("options is a list. Write options=['Yes', 'No'].")
    return tuple(option if isinstance(option, Option) else Option(option) for option in options)


def check_labels(options: Sequence[Option]) -> None:
    """Check what can be known of the labels before rendering: blankness, uniqueness, the length of buttons. Raises ContentError."""
    buttons = len(options) <= BUTTON_LIMIT  # more are numbered lines, of any length
    seen: set[str] = set()
    for label in (option.label for option in options):
        if not label.strip():
            raise ContentError("an option has a blank label. Give it one.")
        if holds_jinja(label):
            continue
        if buttons and len(label) > LABEL_LIMIT:
            raise ContentError(f"the label {label!r} has {len(label)} characters, a button holds {LABEL_LIMIT}. Shorten it.")
        if label_key(label) in seen:
            raise ContentError(f"the label {label!r} is there twice, so a tap would not tell which. Rename one.")
        seen.add(label_key(label))


def label_key(label: str) -> str:
    """What makes two labels the same label: a tap comes back as the label, maybe in other case or spacing."""
    return " ".join(label.split()).casefold()


def _check_line(name: str, line: str | None, limit: int) -> None:
    if line is None:
        return
    if not line.strip():
        raise ContentError(f"the {name} is blank. Leave it out.")
    if not holds_jinja(line) and len(line) > limit:
        raise ContentError(f"the {name} has {len(line)} characters, it holds {limit}. Shorten it.")


def _sources(message: Message) -> Iterator[tuple[str, str]]:
    """Every string of the message that is Jinja, each with its place."""
    yield "the text", message.text
    if message.media is not None:
        yield "the file's address", message.media.url_or_data
    for name, line in (("the header", message.header), ("the footer", message.footer)):
        if line is not None:
            yield name, line
    for option in as_options(message.options):
        for index, source in enumerate(option.sources):
            yield f"the {'action of' if index else 'label'} {option.label!r}", source
    if message.template is not None:
        for name, value in message.template.variables.items():
            if isinstance(value, str):
                yield f"template {message.template.name}, {name}", value
