"""Free-form content becomes requests, in the form that its destination can have: the table of `replies.render`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from pilotbot.platform.fields import (
    BODY_LIMIT,
    BUTTON_LIMIT,
    CAPTION_LIMIT,
    CAPTIONED,
    FOOTER_LIMIT,
    HEADER_LIMIT,
    LABEL_LIMIT,
    TEXT_LIMIT,
)
from pilotbot.platform.requests import Button, ReplyButton, SendRequest
from pilotbot.replies.blocks import carousel_block, flow_block, rule
from pilotbot.replies.destination import Destination
from pilotbot.replies.errors import ContentError, Unsendable
from pilotbot.replies.files import File
from pilotbot.replies.filling import Filled
from pilotbot.replies.menu import Menu
from pilotbot.replies.offers import label_key
from pilotbot.replies.pages import Form, described, first_page, fits_list, heading, list_block, numbered, page_after
from pilotbot.replies.splitting import split_tail, split_text

_ADDRESSES = {"destination_number", "group_id", "newsletter_id"}


def free(content: Filled, to: Destination, *, lists: bool) -> tuple[list[SendRequest], Menu | None]:
    """The free-form requests of a content, in order, and the options that they offer.

    `lists`: the number sends lists. Raises ContentError where a rule is broken, Unsendable where it goes to contacts only.
    """
    menu = Menu.of(content.choices, content.text) if content.choices else None
    if content.carousel is not None or content.flow is not None:
        return _with_block(content, to), menu
    form, lines = Form.of(content), "\n".join(link.line for link in content.links)
    if to.kind == "contact" and menu is not None:
        listed = lists and fits_list(content)
        if _fit_buttons([option.label for option in content.choices]) and not described(content) and not any(content.titles):
            buttons = tuple(ReplyButton(label=option.label) for option in content.choices)
            return _with_buttons(content, _stacked(content.text, lines), to, buttons), menu
        if listed:
            menu = first_page(menu, form)
            text = _stacked(content.header, content.text, lines, content.footer)
            return _under(text, content.media, to, list_block=list_block(menu, form)), menu
    elif to.kind == "contact" and _fit_buttons([link.label for link in content.links]):
        return _with_buttons(content, content.text, to, tuple(link.button() for link in content.links)), None
    choices = ""
    if menu is not None:
        menu = replace(menu, numbered=True)
        choices = numbered(menu, form)
    said = content.text.strip() or content.media is not None  # a header or a footer is nothing by itself
    text = _stacked(content.header, content.text, choices, lines, content.footer) if said else ""
    return _plain(text, content.media, to), menu


def further(menu: Menu, to: Destination, *, lists: bool) -> tuple[SendRequest, Menu]:
    """The request of the page after the one that a menu shows, and its menu. Raises ContentError where there is none."""
    if not menu.more:
        raise ContentError("there is no further page of these options.")
    turned = page_after(menu)
    form, text = Form.load(turned.form), heading(turned)
    if lists and to.kind == "contact":
        with suppress(ValidationError):  # what is stored may be of another version
            return request(to, text=text, list_block=list_block(turned, form)), replace(turned, numbered=False)
    return request(to, text=_stacked(text, numbered(turned, form))), replace(turned, numbered=True)


def request(to: Destination, **fields: Any) -> SendRequest:
    """A checked request to this destination. Raises ContentError with the rule that it breaks."""
    match to.kind:
        case "contact":
            fields["destination_number"] = to.address
        case "group":
            fields["group_id"] = to.address
        case "newsletter":
            fields["newsletter_id"] = to.address
    try:
        return SendRequest(**fields)
    except ValidationError as error:
        address = bool(_ADDRESSES & {str(part) for part in error.errors()[0]["loc"]})
        raise ContentError(rule(error), code="INVALID_DESTINATION" if address else "VALIDATION_ERROR") from None


def _fit_buttons(labels: Sequence[str]) -> bool:
    """Whether labels can be those of buttons: few, short, distinct (contract 3.4)."""
    return all(len(label) <= LABEL_LIMIT for label in labels) and 0 < len(set(map(label_key, labels))) == len(labels) <= BUTTON_LIMIT


def _with_block(content: Filled, to: Destination) -> list[SendRequest]:
    """Text with a carousel or a flow."""
    if to.kind != "contact":
        raise Unsendable("carousels and flows go to contacts only. Send a text with options to groups and newsletters.")
    text = _stacked(content.header, content.text, content.footer)
    if content.carousel is not None:
        return _under(text, content.media, to, carousel=carousel_block(content.carousel))
    return _under(text, content.media, to, flow=flow_block(content.flow) if content.flow is not None else None)


def _with_buttons(content: Filled, text: str, to: Destination, buttons: tuple[Button, ...]) -> list[SendRequest]:
    """Text with buttons; what does not fit above, in or below it goes ahead or into the text."""
    file = content.media
    footer = content.footer if len(content.footer) <= FOOTER_LIMIT else ""
    text = _stacked(text, "" if footer else content.footer)
    whole = len(text) <= BODY_LIMIT  # else the beginning goes ahead, and before it what stands above it
    on_top = file if whole and file is not None and file.kind in CAPTIONED and file.address is not None else None
    header = content.header if whole and on_top is None and len(content.header) <= HEADER_LIMIT else ""
    text = _stacked("" if header else content.header, text)
    shown = {"type": "text", "content": header} if header else None
    if on_top is not None:
        shown = {"type": on_top.kind, "content": on_top.address or ""}
    return _under(text, None if on_top else file, to, buttons=buttons, header=shown, footer=footer or None)


def _under(text: str, file: File | None, to: Destination, **block: Any) -> list[SendRequest]:
    """A block under the end of a text; the file and the beginning of the text go ahead."""
    head, body = split_tail(text, BODY_LIMIT)
    return [*_plain("", file, to), *_plain(head, None, to), request(to, text=body, **block)]


def _plain(text: str, file: File | None, to: Destination) -> list[SendRequest]:
    """A file and a text without options: with the text as the caption where it can be one."""
    if file is not None and file.kind in CAPTIONED and text.strip() and len(text) <= CAPTION_LIMIT:
        return [request(to, media=file.url_or_data, media_type=file.kind, caption=text)]
    files = [] if file is None else [request(to, media=file.url_or_data, media_type=file.kind)]
    return files + [request(to, text=piece) for piece in split_text(text, TEXT_LIMIT)]


def _stacked(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block.strip())
