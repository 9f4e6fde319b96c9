"""The choice of mode as a page, made by running it: `python -m pilotbot.replies.table > docs/modes.md` (design section 6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from pilotbot.platform.requests import SendRequest
from pilotbot.replies.actions import Option
from pilotbot.replies.blocks import Card, Carousel, Flow
from pilotbot.replies.choose import choose
from pilotbot.replies.destination import Destination, NumberKind, window_enforced
from pilotbot.replies.errors import ContentError
from pilotbot.replies.files import File, audio, document, image
from pilotbot.replies.menu import Menu
from pilotbot.replies.messages import Message, Template
from pilotbot.replies.offers import Section, copy_code, link
from pilotbot.replies.render import render

_CONTACT: Final = Destination("contact", "+5511987650001")
_GROUP: Final = Destination("group", "120363000000000001@g.us")
_NEWSLETTER: Final = Destination("newsletter", "120363000000000099@newsletter")
_PHOTO: Final = image("https://example.com/1.jpg")
_DATA: Final = "data:image/png;base64,AAAA"
_TEMPLATE: Final = Template("order_status", order_id="7")


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a content goes, and from what number."""

    name: str
    kind: NumberKind
    to: Destination
    open: bool = True
    lists: bool = True


CONTACTS: Final = (
    Situation("Meta, open", "meta", _CONTACT),
    Situation("Meta, closed", "meta", _CONTACT, open=False),
    Situation("Evolution v2", "evolution_v2", _CONTACT),
    Situation("Evolution GO", "evolution_go", _CONTACT),
    Situation("lists off", "evolution_v2", _CONTACT, lists=False),
)
OTHERS: Final = (
    Situation("group, Meta", "meta", _GROUP),
    Situation("group, Evolution v2", "evolution_v2", _GROUP),
    Situation("group, Evolution GO", "evolution_go", _GROUP),
    Situation("newsletter, Meta", "meta", _NEWSLETTER),
    Situation("newsletter, Evolution v2", "evolution_v2", _NEWSLETTER),
    Situation("newsletter, Evolution GO", "evolution_go", _NEWSLETTER),
)


def _offering(count: int, length: int = 1, **fields: object) -> Message:
    labels = [f"{number:0{length}}" for number in range(count)]
    return Message("Which?", options=labels, **fields)  # type: ignore[arg-type]  # its other fields


def _with_file(file: File, **fields: object) -> Message:
    return Message("Look.", media=file, **fields)  # type: ignore[arg-type]  # its other fields


CONTENTS: Final[Mapping[str, Message]] = {
    "text": Message("Hello."),
    "text of 5,000 characters": Message("Hello. " * 714 + "Hi"),
    "text, 1 to 3 options of at most 20 characters": _offering(3, 20),
    "1 to 3 options, header and footer": _offering(3, 20, header="Top", footer="Bottom"),
    "text of 2,000 characters, options, header": Message("Hello. " * 286, options=["A"], header="Top"),
    "text, 1 to 3 options of 21 to 24": _offering(3, 24),
    "text, 4 to 10 options": _offering(10),
    "4 to 10 options, header and footer": _offering(4, header="Top", footer="Bottom"),
    "text, options with descriptions": Message("Which?", options=[Option("A", description="The first"), "B"]),
    "text, options in sections": Message("Which?", options=[Section("One", ["A"]), Section("Two", ["B"])]),
    "text, more than 10 options": _offering(12),
    "text, options of more than 24 characters": _offering(3, 25),
    "text, 1 to 3 links": Message("Look.", options=[link("Open", "https://example.com"), copy_code("Copy", "PROMO10")]),
    "text, options and links": Message("Look.", options=["Yes", link("Open", "https://example.com")]),
    "image, video, document": Message(media=_PHOTO),
    "the same, header and footer": Message(media=_PHOTO, header="Top", footer="Bottom"),
    "the same, text": _with_file(_PHOTO),
    "the same, text of more than 1,024 characters": Message("Look. " * 200, media=_PHOTO),
    "the same, text, 1 to 3 options": _with_file(_PHOTO, options=["A"]),
    "the same, text of 2,000 characters, options": Message("Look. " * 334, media=_PHOTO, options=["A"]),
    "the same, text, 4 options": _with_file(document("https://example.com/1.pdf"), options=list("ABCD")),
    "image as data, text": _with_file(image(_DATA)),
    "image as data, text, options": _with_file(image(_DATA), options=["A"]),
    "image as data with a URL, text, options": _with_file(image(_DATA, url="https://example.com/1.png"), options=["A"]),
    "audio, voice or sticker, text": _with_file(audio("https://example.com/1.ogg")),
    "audio, voice or sticker, text, options": _with_file(audio("https://example.com/1.ogg"), options=["A"]),
    "carousel": Message("Look.", carousel=Carousel([Card("A", _PHOTO, ["Buy"])])),
    "WhatsApp Flow": Message("Book.", flow=Flow("400", "Book")),
    "text and a template": Message("Hello.", template=_TEMPLATE),
    "text, options, image and a template": _with_file(_PHOTO, options=["A"], template=_TEMPLATE),
    "document and a template": Message(media=document("https://example.com/1.pdf"), template=_TEMPLATE),
    "a template alone": Message(template=_TEMPLATE),
}


def cell(content: Message, situation: Situation) -> str:
    """How a content goes in a situation, in a few words."""
    try:
        rendered = render(content, to=situation.to, kind=situation.kind, lists=situation.lists)
    except ContentError as error:
        return f"refused: `{error.code}`" if error.code else "refused"
    first = rendered.parts[0]
    goes = choose(
        has_free=first.free is not None,
        has_template=first.template is not None,
        enforced=window_enforced(situation.kind, situation.to),
        window_open=situation.open,
        closed_policy="defer",
    )
    if goes == "free":
        return ", then ".join(_shape(part.free, part.menu) for part in rendered.parts if part.free is not None)
    return "`template`" if goes == "template" else "waits"


_PAGE: Final = """\
# In which mode a message goes

Made by running the code: `python -m pilotbot.replies.table > docs/modes.md`. A mode is one of those of the platform's
`POST /v1/messages/send`; where it takes several messages, they go in this order, and what follows a file waits until the file was
reported sent.

## To a contact

A contact is a phone or a BSUID; the window is the 24 hours after their last message, which bind Meta numbers. *waits*: the policy
decides, `Policy(closed="defer")`, `"skip"` or `"fail"`. *lists off* is a number with `"lists": false` in `PILOTBOT_NUMBERS`, here an
Evolution v2 number.

{contacts}

Text that does not fit goes ahead, cut between paragraphs, sentences or words: beyond 4,096 characters, beyond 1,024 with what
stands under it. A header, a footer or a link that can not stand where it should is a line of the text; a header always stands before
the first of it. Options in sections are never buttons, which have no titles. A description is cut only in the row of a list.

A template goes without the file of its message: its own header says what file it shows, and whether one that is given would be taken
is only known to the platform. Give its link as a variable where it must arrive.

## To a group or a newsletter

There is no window, and there are no templates. A Meta number writes to groups only as an Official Business Account, of which its
configuration says nothing: the platform refuses it otherwise (`META_GROUPS_NOT_ELIGIBLE`).

{others}

## At the moment of sending

Every variant is rendered when something is said, and one is chosen when it is sent:

{choices}
"""


def page() -> str:
    """The whole page."""
    choices = _lines(("free-form", "template", "window", "goes as"), _choices())
    return _PAGE.format(contacts=_table(CONTACTS), others=_table(OTHERS), choices=choices)


def _table(situations: tuple[Situation, ...]) -> str:
    rows = ((name, *(cell(content, situation) for situation in situations)) for name, content in CONTENTS.items())
    return _lines(("content", *(situation.name for situation in situations)), rows)


def _choices() -> Iterable[tuple[str, ...]]:
    for free, template, (window, enforced, is_open) in product(
        (True, False), (True, False), (("none", False, True), ("open", True, True), ("closed", True, False))
    ):
        goes = choose(has_free=free, has_template=template, enforced=enforced, window_open=is_open, closed_policy="defer")
        shown = {"free": "free-form", "defer": "the policy: defer, skip or fail", "fail": "refused: nothing to send"}.get(goes, goes)
        yield "yes" if free else "no", "yes" if template else "no", window, shown


def _shape(request: SendRequest, menu: Menu | None) -> str:
    """A request in a few words: its mode, and what is with it."""
    with_it = []
    if request.header is not None:
        with_it.append(f"{request.header.type} above")
    if request.footer is not None:
        with_it.append("footer")
    if request.caption is not None:
        with_it.append("caption")
    with_it += [button.type for button in request.buttons or () if button.type != "reply"]
    if menu is not None and menu.more:
        with_it.append("9 options and more")
    if menu is not None and menu.numbered:
        with_it.append("numbered")
    return f"`{request.mode}`" + (f" ({', '.join(with_it)})" if with_it else "")


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - its output is the page
