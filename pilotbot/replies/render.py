"""Content and values become requests: the table of design section 6, as pure functions.

| content | goes as |
|---|---|
| text | one text, or several, cut at 4,096 characters |
| text + 1 to 3 options that fit buttons | buttons under the last 1,024 characters; the text before goes first |
| text + other options, or to a group or newsletter | numbered text |
| image, video, document | media with the text as its caption, if that fits, else media and then text |
| image, video, document + buttons | buttons with the file as their header |
| audio, voice, sticker; a file given as data + buttons | the file, and then the rest |
| a template | beside the first part, to contacts only: stands for the whole content while the window is closed |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from pilotbot.platform.requests import (
    BODY_LIMIT,
    BUTTON_LIMIT,
    CAPTION_LIMIT,
    CAPTIONED,
    FOOTER_LIMIT,
    HEADER_LIMIT,
    LABEL_LIMIT,
    TEXT_LIMIT,
    Mode,
    ReplyButton,
    SendRequest,
)
from pilotbot.replies.actions import Option, holds_jinja
from pilotbot.replies.destination import Destination, NumberKind
from pilotbot.replies.errors import ContentError, Unsendable
from pilotbot.replies.menu import Menu
from pilotbot.replies.messages import File, Message, Template, as_options, label_key
from pilotbot.replies.splitting import clean, split_tail, split_text
from pilotbot.replies.templating import MAX_LENGTH, compiled

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Part:
    """One request to come, in each variant that can go.

    Attributes:
        free: what goes while the window is open, or where none binds; None when there is only a template.
        template: what goes while the window is closed; only ever on the first part.
        menu: the options that this part shows, to be remembered when it is sent.
        template_problem: why the given template could not be made; the free variant still goes.
        rest: a later part: it goes only if the first part went free-form, since a template stands for all.
    """

    free: SendRequest | None
    template: SendRequest | None = None
    menu: Menu | None = None
    template_problem: str | None = None
    rest: bool = False

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
    options: Sequence[Option | str] | None = None,
    media: File | None = None,
    template: Template | None = None,
) -> Rendered:
    """Make the requests for `content`.

    Args:
        content: what to say: a `Message` is Jinja; a plain `str` goes out as it is, and so does what is given by keyword, since it
            may hold what a contact wrote.
        to: whom to.
        kind: the kind of our number, which decides what it may send (contract 2).
        values: what the message's Jinja names.
        options: replaces the message's options.
        media: replaces the message's file.
        template: replaces the message's template.

    Raises:
        ContentError: a value is missing, or the rendered content breaks a rule.
        Unsendable: this number can not send this to this destination, whatever the window.
    """
    if kind == "meta" and to.kind == "newsletter":
        raise Unsendable("Meta numbers do not write to newsletters. Send it from an Evolution number.")
    filled = _fill(content, values, options, media)
    if kind == "evolution_go" and filled.media is not None and filled.media.inline:
        raise Unsendable("Evolution GO takes no files as data. Put the file at a public http(s) URL and give that.")
    requests = _free(filled, to)
    menu = Menu.of(filled.options, filled.text) if filled.options else None
    ready, problem = _template(content, template, to, values)
    if not requests and ready is None:
        raise ContentError(problem or "nothing is left to send. Give a text or a file; templates go to contacts only.")
    if not requests:
        return Rendered((Part(None, ready),))
    last = len(requests) - 1
    return Rendered(
        tuple(
            Part(
                free,
                template=ready if index == 0 else None,
                menu=menu if index == last else None,
                template_problem=problem if index == 0 else None,
                rest=index > 0,
            )
            for index, free in enumerate(requests)
        )
    )


@dataclass(frozen=True, slots=True)
class _Filled:
    """Content with its values in: nothing here is Jinja any more."""

    text: str
    options: tuple[Option, ...] = ()
    media: File | None = None
    header: str = ""
    footer: str = ""


def _fill(
    content: str | Message,
    values: Mapping[str, object],
    options: Sequence[Option | str] | None,
    media: File | None,
) -> _Filled:
    """Put the values in, and check what only now can be checked."""
    if isinstance(content, str) or options is not None:
        ready = tuple(_checked(option) for option in as_options(options or ()))
    else:
        ready = tuple(_option(option, values) for option in as_options(content.options))
    if isinstance(content, str):
        filled = _Filled(clean(content), ready, media)
    else:
        file = media or content.media
        if file is not None and media is None:
            file = File(compiled(file.url_or_data).render(values), file.kind)
        filled = _Filled(
            clean(compiled(content.text).render(values)),
            ready,
            file,
            _line(content.header, values),
            _line(content.footer, values),
        )
    if len(filled.text) > MAX_LENGTH:
        raise ContentError(f"the text has more than {MAX_LENGTH} characters. Send a document instead.")
    if filled.options and not filled.text.strip():
        raise ContentError("options need a text to stand under, and the text is blank. Give it one.")
    return filled


def _line(source: str | None, values: Mapping[str, object]) -> str:
    return "" if source is None else " ".join(clean(compiled(source).render(values)).split())


def _option(option: Option, values: Mapping[str, object]) -> Option:
    """Fill an author's option: its label, and the strings of its action."""
    action = option.action
    if action is not None and holds_jinja(action.fields()):
        action = action.checked({name: _deep(value, values) for name, value in action.fields().items()})
    return _checked(Option(compiled(option.label).render(values), action))


def _checked(option: Option) -> Option:
    """A ready option: one line, not blank, its action validated."""
    label, action = " ".join(clean(option.label).split()), option.action
    if not label:
        raise ContentError("an option's label is blank. Give it one, or leave the option out.")
    if action is not None and action.put_off():
        action = action.checked(action.fields())
    return Option(label, action)


def _deep(value: object, values: Mapping[str, object]) -> object:
    """Render the strings in a value, however deep."""
    if isinstance(value, str):
        return compiled(value).render(values)
    if isinstance(value, Mapping):
        return {key: _deep(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_deep(item, values) for item in value]
    return value


def _free(content: _Filled, to: Destination) -> list[SendRequest]:
    """The free-form requests, by the table of this module."""
    if content.options and _fit_buttons(content.options, to):
        return _buttons(content, to)
    numbered = "\n".join(f"{number}. {option.label}" for number, option in enumerate(content.options, 1))
    text = _stacked(content.header, content.text, numbered, content.footer) if content.text.strip() else ""
    return _plain(text, content.media, to)


def _fit_buttons(options: Sequence[Option], to: Destination) -> bool:
    """Whether the options can be reply buttons: few, short, distinct, and to a contact (contract 3.4)."""
    labels = {label_key(option.label) for option in options}
    short = all(len(option.label) <= LABEL_LIMIT for option in options)
    return to.kind == "contact" and short and len(labels) == len(options) <= BUTTON_LIMIT


def _buttons(content: _Filled, to: Destination) -> list[SendRequest]:
    """Text with buttons; what does not fit above, in or below it goes ahead or into the text."""
    file = content.media
    on_top = file if file is not None and file.kind in CAPTIONED and not file.inline else None
    header = content.header if on_top is None and len(content.header) <= HEADER_LIMIT else ""
    footer = content.footer if len(content.footer) <= FOOTER_LIMIT else ""
    text = _stacked("" if header else content.header, content.text, "" if footer else content.footer)
    shown = {"type": "text", "content": header} if header else None
    if on_top is not None:
        shown = {"type": on_top.kind, "content": on_top.url_or_data}
    head, body = split_tail(text, BODY_LIMIT)
    buttons = tuple(ReplyButton(label=option.label) for option in content.options)
    ahead = _plain("", None if on_top else file, to) + _plain(head, None, to)
    return [*ahead, _request(to, text=body, buttons=buttons, header=shown, footer=footer or None)]


def _plain(text: str, file: File | None, to: Destination) -> list[SendRequest]:
    """A file and a text without options: with the text as the caption where it can be one."""
    if file is not None and file.kind in CAPTIONED and text.strip() and len(text) <= CAPTION_LIMIT:
        return [_request(to, media=file.url_or_data, media_type=file.kind, caption=text)]
    files = [] if file is None else [_request(to, media=file.url_or_data, media_type=file.kind)]
    return files + [_request(to, text=piece) for piece in split_text(text, TEXT_LIMIT)]


def _stacked(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block)


def _template(
    content: str | Message, given: Template | None, to: Destination, values: Mapping[str, object]
) -> tuple[SendRequest | None, str | None]:
    """The template variant, or why there is none: an open window must still be answered, so this does not raise."""
    template = given or (content.template if isinstance(content, Message) else None)
    if template is None or to.kind != "contact":
        return None, None
    variables: dict[str, str] = {}
    try:
        for name, value in template.variables.items():
            filled = compiled(value).render(values) if isinstance(value, str) and given is None else value
            variables[name] = " ".join(clean("" if filled is None else str(filled)).split())
            if not variables[name]:
                raise ContentError(f"{name} is blank, which the platform refuses: give it a value, or use default()")
        return _request(to, template_id=template.name, variables=variables), None
    except ContentError as error:
        return None, f"template {template.name}: {error}"


def _request(to: Destination, **fields: Any) -> SendRequest:
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
        raise ContentError(_rule(error)) from None


def _rule(error: ValidationError) -> str:
    """The first broken rule, without the values."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    where, rule = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
    return f"{where}: {rule}" if where else rule
