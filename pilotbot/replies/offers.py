"""What can stand among the options of a message: choices, links, and sections of choices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import ValidationError

from pilotbot.platform.fields import ROW_DESCRIPTION_LIMIT, ROW_TITLE_LIMIT
from pilotbot.platform.requests import CallButton, CopyButton, UrlButton
from pilotbot.replies.actions import Action, Option, holds_jinja
from pilotbot.replies.errors import ContentError
from pilotbot.replies.markup import neutral


@dataclass(frozen=True, slots=True)
class Link:
    """A button that does something on the contact's phone, of which the bot learns nothing; see `link`, `dial`, `copy_code`."""

    kind: Literal["url", "call", "copy"]
    label: str
    target: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise ContentError("a link has a blank label. Give it one.")
        if not any(map(holds_jinja, self.sources)):
            self.check()

    def check(self) -> None:
        """Raise ContentError where the platform would refuse its target: at creation, or after rendering where it is Jinja."""
        try:
            self.button("x")
        except ValidationError:
            needs = {"url": "link needs a public http(s) URL", "call": "dial needs a phone as +digits", "copy": "copy_code needs a code"}
            raise ContentError(f"{needs[self.kind]}.", code="VALIDATION_ERROR") from None

    @property
    def sources(self) -> tuple[str, str]:
        """The strings that are Jinja in a `Message`."""
        return self.label, self.target

    def button(self, label: str | None = None) -> UrlButton | CallButton | CopyButton:
        """The button that it is. Raises ValidationError where its label has more than 20 characters."""
        label = self.label if label is None else label
        match self.kind:
            case "url":
                return UrlButton(label=label, url=self.target)
            case "call":
                return CallButton(label=label, phone_number=self.target)
            case "copy":
                return CopyButton(label=label, copy_code=self.target)

    @property
    def line(self) -> str:
        """The line of text that says the same, where it can be no button."""
        return f"{neutral(self.label)}: {self.target}"


def link(label: str, url: str) -> Link:
    """A button that opens a page; a line of text where it can be no button. Raises ContentError where `url` is no http(s) URL."""
    return Link("url", label, url)


def dial(label: str, phone: str) -> Link:
    """A button that calls a phone (as +digits); a line of text where it can be no button. Raises ContentError where it is none."""
    return Link("call", label, phone)


def copy_code(label: str, code: str) -> Link:
    """A button that copies a code; a line of text where it can be no button. Raises ContentError where `code` is blank."""
    return Link("copy", label, code)


@dataclass(frozen=True, slots=True)
class Section:
    """Choices under a title of up to 24 characters, in a list; in numbered text, too."""

    title: str
    options: Sequence[Option | str]

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ContentError("a section has a blank title. Give it one.")
        if not holds_jinja(self.title) and len(self.title) > ROW_TITLE_LIMIT:
            raise ContentError(f"the section {self.title!r} has {len(self.title)} characters, {ROW_TITLE_LIMIT} at most. Shorten it.")
        options = as_offers(self.options)
        if not options or not all(isinstance(option, Option) for option in options):
            raise ContentError(f"the section {self.title!r} has options, one at least, and no links or sections.")
        object.__setattr__(self, "options", options)


Offer: TypeAlias = Option | Link | Section | str
"""What can stand among options: a label, an action's option, a link, a section."""


def as_offers(options: Sequence[Offer]) -> tuple[Option | Link | Section, ...]:
    """What is offered, labels as options. Raises ContentError on anything else."""
    if isinstance(options, str):
        raise ContentError("options is a list. Write options=['Yes', 'No'].")
    for option in options:
        if isinstance(option, Action):
            name = option.action_name
            raise ContentError(f"the option {name} has no label. Give it one: {name}(...).option('...').")
        if not isinstance(option, Option | Link | Section | str):
            raise ContentError(f"{type(option).__name__} is no option. Give a label, or an action's .option('...').")
    return tuple(Option(option) if isinstance(option, str) else option for option in options)


def as_options(options: Sequence[Offer]) -> tuple[Option, ...]:
    """The choices among what is offered, in order. Raises ContentError as `as_offers`."""
    return tuple(option for _, option in titled(options) if isinstance(option, Option))


def titled(options: Sequence[Offer]) -> Iterator[tuple[str, Option | Link]]:
    """Each choice and link with the title of its section, empty outside of sections. Raises ContentError as `as_offers`."""
    for offer in as_offers(options):
        if isinstance(offer, Section):
            yield from ((offer.title, each) for each in as_options(offer.options))
        else:
            yield "", offer


def check_labels(options: Sequence[Option]) -> None:
    """Check what can be known of choices before rendering: blankness, uniqueness, descriptions. Raises ContentError."""
    seen: set[str] = set()
    for option in options:
        label = option.label
        if not label.strip():
            raise ContentError("an option has a blank label. Give it one.")
        if not holds_jinja(option.description) and len(option.description) > ROW_DESCRIPTION_LIMIT:
            long = f"{len(option.description)} characters, {ROW_DESCRIPTION_LIMIT} at most"
            raise ContentError(f"the description of {label!r} has {long}. Shorten it.")
        if holds_jinja(label):
            continue
        if label_key(label) in seen:
            raise ContentError(f"the label {label!r} is there twice, so a tap would not tell which. Rename one.", code="VALIDATION_ERROR")
        seen.add(label_key(label))


def label_key(label: str) -> str:
    """What makes two labels the same label: a tap comes back as the label, maybe in other case or spacing."""
    return " ".join(label.split()).casefold()
