"""Content and values become requests: the table of design section 6, as pure functions. `docs/modes.md` shows it at work.

| content | goes as |
|---|---|
| text | one text, or several, cut at 4,096 characters |
| text + 1 to 3 options of 20 characters | buttons under the last 1,024 characters; the text before goes first |
| text + other options of 24 characters, or with descriptions or sections | a list; more than 10 options: pages of 9 and "more" |
| text + other options, or to a group or newsletter, or where lists are off | numbered text |
| text + 1 to 3 links alone | buttons that open, dial, copy; among options, or else, lines of text |
| image, video, document | media with the text as its caption, if that fits, else media and then text |
| image, video, document + buttons | buttons with the file as their header, by its URL; before a text of more than 1,024 characters |
| any other file + options | the file, and then the rest |
| text + carousel or flow | the same, under the text; to contacts only |
| a template | beside the first part, to contacts only: stands for the whole content while the window is closed |
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from pilotbot.origins import shown
from pilotbot.platform.fields import Mode
from pilotbot.platform.requests import SendRequest
from pilotbot.replies.destination import Destination, NumberKind
from pilotbot.replies.errors import ContentError, Unsendable
from pilotbot.replies.files import File
from pilotbot.replies.filling import fill
from pilotbot.replies.forms import free, further, request
from pilotbot.replies.menu import Menu
from pilotbot.replies.messages import LIST_BUTTON, MORE, Message, Template
from pilotbot.replies.offers import Offer
from pilotbot.replies.splitting import clean
from pilotbot.replies.templating import compiled

NAMED: Final = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")
"""A value named in braces, and nothing else there."""

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Part:
    """One request to come, in each variant that can go.

    Attributes:
        free: what goes while the window is open, or where none binds; None when there is only a template.
        template: what goes while the window is closed; only ever on the first part.
        menu: the options that this part shows, or that its template's quick replies stand for, to be remembered when it is sent.
        template_problem: why the given template could not be made; the free variant still goes.
        rest: a later part: it goes only if the first part went free-form, since a template stands for all.
        leads: what comes after it is not posted before this was reported sent: text does not overtake its file.
    """

    free: SendRequest | None
    template: SendRequest | None = None
    menu: Menu | None = None
    template_problem: str | None = None
    rest: bool = False
    leads: bool = False

    @property
    def mode(self) -> Mode:
        """How it goes free-form, or "template" when it only can go so."""
        return "template" if self.free is None else self.free.mode


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one content came to: at least one part, in the order of sending."""

    parts: tuple[Part, ...]

    @property
    def menu(self) -> Menu | None:
        """The options offered, whichever part shows them."""
        return self.parts[-1].menu

    @property
    def mode(self) -> Mode:
        """The mode to tell of: that of the part with the options, else of the first."""
        return (self.parts[-1] if self.menu is not None else self.parts[0]).mode


def render(
    content: str | Message,
    *,
    to: Destination,
    kind: NumberKind,
    values: Mapping[str, object] = _NOTHING,
    options: Sequence[Offer] | None = None,
    media: File | None = None,
    template: Template | None = None,
    lists: bool = True,
    naming: Callable[[str], str] = str,
    words: tuple[str, str] = (LIST_BUTTON, MORE),
) -> Rendered:
    """Make the requests for `content`.

    Args:
        content: what to say: a `Message` is Jinja; a plain `str` goes out as it is, and so does what is given by keyword, since it
            may hold what a contact wrote.
        to: whom to.
        kind: the kind of our number, which decides what it may send (contract 2).
        values: what the message's Jinja names.
        options: replaces the message's options, its carousel or its flow.
        media: replaces the message's file.
        template: replaces the message's template.
        lists: whether options go as lists where they fit one; else as numbered text.
        naming: makes a template's name the platform's, in the language of who it goes to.
        words: what opens a list and what shows its next page, where the message does not say.

    Raises:
        ContentError: a value is missing, or the rendered content breaks a rule; it names where the `Message` was made.
        Unsendable: this number can not send this to this destination, whatever the window.
    """
    try:
        _refuse(to, kind)
        filled = fill(content, values, options, media, words)
        if kind == "evolution_go" and filled.media is not None and filled.media.inline:
            filled = replace(filled, media=_by_address(filled.media))
        requests, menu = free(filled, to, lists=lists)
        ready, problem = _template(content, template, to, values, naming)
        if not requests and ready is None:
            template = template or (content.template if isinstance(content, Message) else None)
            nothing = "nothing is left to send. Give a text or a file; templates go to contacts only."
            raise problem or ContentError(nothing, code="VALIDATION_ERROR" if template is None else None)
        return Rendered(tuple(_parts(requests, menu, ready, problem)))
    except ContentError as error:
        if isinstance(content, Message) and content.made_at is not None:
            raise error.within(shown(content.made_at)) from None
        raise


def next_page(menu: Menu, *, to: Destination, kind: NumberKind, lists: bool = True) -> Rendered:
    """Make the request for the page of options after the one that `menu` shows; its menu takes that one's place.

    Raises ContentError where there is none, Unsendable as `render`.
    """
    _refuse(to, kind)
    made, turned = further(menu, to, lists=lists)
    return Rendered((Part(made, menu=turned),))


def _parts(requests: Sequence[SendRequest], menu: Menu | None, ready: SendRequest | None, problem: ContentError | None) -> Iterator[Part]:
    """The parts of a content: its free-form requests, the template beside the first of them. With the template goes the menu, too."""
    if not requests:
        yield Part(None, ready)
    last = len(requests) - 1
    for index, each in enumerate(requests):
        yield Part(
            each,
            template=ready if index == 0 else None,
            menu=menu if index == last or (index == 0 and ready is not None) else None,
            template_problem=str(problem) if index == 0 and problem is not None else None,
            rest=index > 0,
            leads=index < last and each.media is not None,
        )


def _refuse(to: Destination, kind: NumberKind) -> None:
    if kind == "meta" and to.kind == "newsletter":
        raise Unsendable("Meta numbers do not write to newsletters. Send it from an Evolution number.", code="NOT_SUPPORTED_FOR_META")


def _by_address(file: File) -> File:
    if file.url is None:
        raise Unsendable(
            f"Evolution GO takes no files as data. Put the file at a public http(s) URL: {file.kind}(..., url='https://...').",
            code="VALIDATION_ERROR",
        )
    return File(file.url, file.kind)


def _template(
    content: str | Message, given: Template | None, to: Destination, values: Mapping[str, object], naming: Callable[[str], str]
) -> tuple[SendRequest | None, ContentError | None]:
    """The template variant, or why there is none: an open window must still be answered, so this does not raise."""
    template = given or (content.template if isinstance(content, Message) else None)
    if template is None or to.kind != "contact":
        return None, None
    variables: dict[str, str] = {}
    try:
        for name, value in template.variables.items():
            variables[name] = _variable(name, value, values) if given is None else _datum(name, value, values)
        return request(to, template_id=naming(template.name), variables=variables), None
    except ContentError as error:
        return None, error.within(f"template {template.name}")


def _variable(name: str, value: object, values: Mapping[str, object]) -> str:
    """A template's variable in a message: strings are Jinja."""
    if isinstance(value, str):
        text = compiled(value)
        try:
            value = text.render(values)
        except ContentError as error:
            code = "MISSING_TEMPLATE_VARIABLES" if text.variables - values.keys() else "INVALID_TEMPLATE_VARIABLE_VALUE"
            raise ContentError(f"{name}: {error}", code=code) from None
    return _one_line(name, value)


def _datum(name: str, value: object, values: Mapping[str, object]) -> str:
    """A template's variable beside a content: as it is, which the name of a value in braces is surely not meant to be."""
    if isinstance(value, str) and any(named in values for named in NAMED.findall(value)):
        raise ContentError(f"{name}: beside a content its variables are data: pass the value itself.")
    return _one_line(name, value)


def _one_line(name: str, value: object) -> str:
    line = " ".join(clean("" if value is None else str(value)).split())
    if not line:
        blank = f"{name} is blank, which the platform refuses: give it a value, or use default()"
        raise ContentError(blank, code="INVALID_TEMPLATE_VARIABLE_VALUE")
    return line
