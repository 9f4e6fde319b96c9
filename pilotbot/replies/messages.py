"""What an author makes once and sends many times: templates and messages, checked when they are made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

from pilotbot.origins import written_at
from pilotbot.platform.fields import CAPTIONED, FOOTER_LIMIT, HEADER_LIMIT, LABEL_LIMIT, ROW_TITLE_LIMIT
from pilotbot.replies.actions import Option, holds_jinja
from pilotbot.replies.blocks import Carousel, Flow
from pilotbot.replies.errors import ContentError
from pilotbot.replies.files import File
from pilotbot.replies.offers import Link, Offer, Section, as_offers, as_options, check_labels
from pilotbot.replies.templating import MAX_LENGTH, compiled

RESERVED: Final = frozenset({
    "self", "content", "who", "options", "media", "template", "policy", "delivery", "now", "number", "key", "before_window_closes",
    "unless_replied", "if_late",
})  # fmt: skip
"""Names that no value can have: the parameters of `reply`, `notify` and `follow_up`, in `ctx` and `bot`."""

LIST_BUTTON: Final = "Options"
MORE: Final = "More…"
_WORDS: Final = {"pt": ("Opções", "Mais…"), "es": ("Opciones", "Más…")}

_NAME = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ListWords:
    """What opens a list, and the label of what shows its next page, where a message does not say; see `Bot`.

    Raises:
        ContentError: one is blank, or too long.
    """

    button: str | None = None
    more: str | None = None

    def __post_init__(self) -> None:
        _check_line("list_button", self.button, LABEL_LIMIT)
        _check_line("label more", self.more, ROW_TITLE_LIMIT)

    def spoken(self, language: str | None) -> tuple[str, str]:
        """Both, in a language such as "pt_BR" where they are not given: Portuguese, Spanish, else English."""
        button, more = _WORDS.get((language or "")[:2].lower(), (LIST_BUTTON, MORE))
        return self.button or button, self.more or more


class Template:
    """An approved template and its variables: what goes while the window is closed (contract 3.5, 6).

    Args:
        name: the template's id or name on the platform.
        variables: each must be there and not blank when it is sent. In a `Message`, strings are Jinja: name a value,
            `name="{{ name }}"`, and pass it. Beside a content (`ctx.reply("Hi", template=Template("hi", name=name))`) they are data and
            go as they are, since they may hold what a contact wrote: give the value itself.
    """

    __slots__ = ("name", "variables")

    def __init__(self, name: str, /, **variables: object) -> None:
        if not name.strip():
            raise ContentError("a template needs its name. Give the id or the name that the platform knows.")
        for key, value in variables.items():
            if not _NAME.fullmatch(key):
                raise ContentError(f"template {name}: {key!r} is no variable name. Use letters, digits and _.")
            if value is None or (isinstance(value, str) and not value.strip()):
                blank = f"template {name}: {key} is blank, which the platform refuses. Give it a text."
                raise ContentError(blank, code="INVALID_TEMPLATE_VARIABLE_VALUE")
        self.name = name
        self.variables: Mapping[str, object] = variables

    def __repr__(self) -> str:
        """The name and the variables' names; their values may be a contact's."""
        return f"Template({', '.join([repr(self.name), *self.variables])})"


@dataclass(frozen=True, slots=True)
class Message:
    """One content, many modes; every string in it is Jinja, checked when the message is made.

    What contacts wrote belongs into values (`ctx.reply(message, name=...)`), never into a Message made on the fly. The names of
    `RESERVED` are parameters there, and so cannot be values; `contact` and `chat` are given. Marks of WhatsApp's formatting in whatever
    stands in braces are shown as they are, and do not format, your own words there too (`{{ "*new*" if fresh }}`): `{{ motto | markup }}`
    lets them.

    Args:
        text: the body; with captionable media, its caption.
        options: what the contact can choose, labels or `Track(...).option("Track")`: up to 3 go as buttons, up to 10 as a list, more as
            pages of one. `Section("Finance", [...])` groups them; `link`, `dial` and `copy_code` may stand among them.
        media: a file that goes with it.
        template: what goes while the window is closed.
        header: a line above, of at most 60 characters; stands above the buttons where there are buttons.
        footer: a line below, of at most 60 characters.
        list_button: what opens a list of options, up to 20 characters; without it the bot's, see `Bot`.
        more: the label of the option that shows the next page of a list, up to 24 characters; without it the bot's.
        carousel: cards below the text; to contacts only, and without options.
        flow: a WhatsApp Flow below the text; to contacts only, and without options.

    Raises:
        ContentError: at creation, with the remedy.
    """

    text: str = ""
    _: KW_ONLY
    options: Sequence[Offer] = ()
    media: File | None = None
    template: Template | None = None
    header: str | None = None
    footer: str | None = None
    list_button: str | None = None
    more: str | None = None
    carousel: Carousel | None = None
    flow: Flow | None = None
    made_at: tuple[str, int] | None = field(default=None, init=False, repr=False, compare=False)
    """The file and the line where it was made, for errors."""

    def __post_init__(self) -> None:
        options = as_offers(self.options)
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "made_at", written_at())
        if not (self.text.strip() or self.media or self.template):
            raise ContentError("the message is empty. Give it a text, a file or a template.")
        if (options or self.carousel or self.flow) and not self.text.strip():
            raise ContentError("options, a carousel or a flow need a text to stand under. Give the message a text.")
        if sum(map(bool, (options, self.carousel, self.flow))) > 1:
            raise ContentError("options, a carousel and a flow exclude each other. Give the message one of them.")
        if self.header is not None and self.media is not None and self.media.kind in CAPTIONED and options:
            raise ContentError("the file stands where the header would. Give the message one of the two.")
        if len(self.text) > MAX_LENGTH:
            raise ContentError(f"the text: it has more than {MAX_LENGTH} characters. Send a document instead.")
        if (self.header is not None or self.footer is not None) and not self.text.strip() and self.media is None:
            raise ContentError("a header or a footer needs a text or a file; a template has its own. Give a text, or leave it out.")
        check_labels(as_options(options) if self.carousel is None else self.carousel.options)
        _check_line("header", self.header, HEADER_LIMIT)
        _check_line("footer", self.footer, FOOTER_LIMIT)
        _check_line("list_button", self.list_button, LABEL_LIMIT)
        _check_line("label more", self.more, ROW_TITLE_LIMIT)
        for where, source in self.sources():
            try:
                reserved = compiled(source).variables & RESERVED
            except ContentError as error:
                raise error.within(where) from None
            if reserved:
                name = min(reserved)
                raise ContentError(f"{where}: no value can be called {name}, a parameter of reply and notify. Rename the variable.")

    @property
    def variables(self) -> frozenset[str]:
        """The top-level names that rendering needs, over all parts."""
        return frozenset[str]().union(*(compiled(source).variables for _, source in self.sources()))

    def sources(self, *, without: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
        """Every string of the message that holds Jinja, each with its place; `without` the fields that a call replaces."""
        return ((where, source) for where, source in self._strings(without) if holds_jinja(source))

    def _strings(self, without: frozenset[str]) -> Iterator[tuple[str, str]]:
        yield "the text", self.text
        lines = {"the header": self.header, "the footer": self.footer, "the list_button": self.list_button, "the label more": self.more}
        yield from ((name, line) for name, line in lines.items() if line is not None)
        if self.media is not None and "media" not in without:
            yield from (("the file's address", source) for source in self.media.sources)
        if "options" not in without:
            yield from _sources_of(self.options)
        for card in self.carousel.cards if self.carousel is not None else ():
            yield "the text of a card", card.body
            yield from (("the address of a card's file", source) for source in card.media.sources)
            yield from _sources_of(card.options)
        yield from (("the flow", source) for source in (self.flow.sources if self.flow is not None else ()))
        if self.template is not None and "template" not in without:
            for name, value in self.template.variables.items():
                if isinstance(value, str):
                    yield f"template {self.template.name}, {name}", value


def _check_line(name: str, line: str | None, limit: int) -> None:
    if line is None:
        return
    if not line.strip():
        raise ContentError(f"the {name} is blank. Leave it out.")
    if not holds_jinja(line) and len(line) > limit:
        raise ContentError(f"the {name} has {len(line)} characters, it holds {limit}. Shorten it.")


def _sources_of(options: Sequence[Offer]) -> Iterator[tuple[str, str]]:
    for offer in as_offers(options):
        match offer:
            case Option():
                label, description, *action = offer.sources
                yield f"the label {label!r}", label
                yield f"the description of {label!r}", description
                yield from ((f"the action of {label!r}", source) for source in action)
            case Link():
                yield f"the label {offer.label!r}", offer.label
                yield f"the link {offer.label!r}", offer.target
            case Section():
                yield f"the section {offer.title!r}", offer.title
                yield from _sources_of(offer.options)
