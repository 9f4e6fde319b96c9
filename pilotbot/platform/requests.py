"""What is sent: one `SendRequest` per message, refused here when the contract says that the platform would refuse it.

Contract sections 3.1 to 3.5. Limits that the contract only infers from WhatsApp (lengths) count Unicode code points.
No text, number or variable appears in a `repr` or in a validation error: both end up in logs.
"""

import base64
import re
from collections.abc import Iterable
from datetime import UTC
from typing import Annotated, Final, Literal, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

TEXT_LIMIT: Final = 4096
BODY_LIMIT: Final = 1024
CAPTION_LIMIT: Final = 1024
LABEL_LIMIT: Final = 20
BUTTON_LIMIT: Final = 3
FOOTER_LIMIT: Final = 60
HEADER_LIMIT: Final = 60
ROW_LIMIT: Final = 10
ROW_TITLE_LIMIT: Final = 24
ROW_DESCRIPTION_LIMIT: Final = 72
ROW_ID_LIMIT: Final = 200

Mode: TypeAlias = Literal["text", "buttons", "list", "template", "media"]
MediaType: TypeAlias = Literal["image", "video", "document", "audio", "voice", "sticker"]

_Collection = TypeVar("_Collection", dict[str, str], tuple[str, ...])

CAPTIONED: Final[frozenset[MediaType]] = frozenset({"image", "video", "document"})
"""Media that takes a caption, or stands above buttons (contract 3.3)."""

CONTACT: Final = r"^(?:\+[1-9][0-9]{6,14}|[A-Z]{2}(?:\.[A-Za-z0-9]{1,128}){1,3})$"
GROUP: Final = r"^[0-9]{1,40}(?:-[0-9]{1,20})?@g\.us$"
NEWSLETTER: Final = r"^[0-9]{1,64}@newsletter$"
"""With CONTACT and GROUP: the addresses that can be sent to (contract 3.2)."""

_URL: Final = re.compile(r"https?://[^\s]+", re.IGNORECASE)
_DATA: Final = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w-]+=[\w.+-]+)*;base64,", re.ASCII)


def _not_blank(value: str) -> str:
    if not value.replace("\ufeff", "").strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return value


def _url(value: str) -> str:
    try:
        host = urlsplit(value).hostname if _URL.fullmatch(value) else None
    except ValueError:
        host = None
    if not host:
        msg = "must be a public http(s) URL"
        raise ValueError(msg)
    return value


def check_media(value: str) -> str:
    """Return the address or data of a file as it is; ValueError, without it, where the platform would refuse it (contract 3.3)."""
    if not value.startswith("data:"):
        return _url(value)
    head = _DATA.match(value)
    if head is None:
        msg = "must be an http(s) URL or data:<mime>;base64,<data>"
        raise ValueError(msg)
    try:
        content = base64.b64decode(value[head.end() :], validate=True)
    except ValueError:
        content = b""
    if not content:
        msg = "must carry valid, non-empty base64 after data:<mime>;base64,"
        raise ValueError(msg)
    return value


Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Filled = Annotated[str, AfterValidator(_not_blank)]
Label = Annotated[str, StringConstraints(max_length=LABEL_LIMIT), AfterValidator(_not_blank)]
WebUrl = Annotated[str, AfterValidator(_url)]
Media = Annotated[str, AfterValidator(check_media)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class _Part(BaseModel):
    """What all parts of a request share: frozen, nothing unknown, camelCase on the wire, silent in logs."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        return ()


class ReplyButton(_Part):
    """A button whose tap comes back as its label (1 to 20 characters): it has no id of its own (contract 3.4)."""

    type: Literal["reply"] = "reply"
    label: Label


class UrlButton(_Part):
    """A button that opens `url` (http or https)."""

    type: Literal["url"] = "url"
    label: Label
    url: WebUrl


class CallButton(_Part):
    """A button that dials `phone_number` (E.164 with `+`)."""

    type: Literal["call"] = "call"
    label: Label
    phone_number: Phone


class CopyButton(_Part):
    """A button that copies `copy_code` to the contact's clipboard."""

    type: Literal["copy"] = "copy"
    label: Label
    copy_code: Filled


Button = Annotated[ReplyButton | UrlButton | CallButton | CopyButton, Field(discriminator="type")]


class Header(_Part):
    """What stands above a message with buttons: a text of up to 60 characters, or a media URL or data URI."""

    type: Literal["text", "image", "video", "document"]
    content: Filled

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.type != "text":
            check_media(self.content)
        elif len(self.content) > HEADER_LIMIT:
            msg = f"a text header has at most {HEADER_LIMIT} characters"
            raise ValueError(msg)
        return self


class Row(_Part):
    """One choice of a list: `row_id` is the caller's (1 to 200 characters) and may come back with the tap."""

    title: Annotated[str, StringConstraints(max_length=ROW_TITLE_LIMIT), AfterValidator(_not_blank)]
    row_id: Annotated[str, StringConstraints(max_length=ROW_ID_LIMIT), AfterValidator(_not_blank)]
    description: Annotated[str, StringConstraints(max_length=ROW_DESCRIPTION_LIMIT)] | None = None


class Section(_Part):
    """Rows under a title of up to 24 characters."""

    title: Annotated[str, StringConstraints(max_length=ROW_TITLE_LIMIT), AfterValidator(_not_blank)]
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=ROW_LIMIT)]


class ListBlock(_Part):
    """A single-choice list: 1 to 10 sections, 10 rows in all, behind a button of up to 20 characters."""

    button_text: Label
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=ROW_LIMIT)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        ids = [row.row_id for section in self.sections for row in section.rows]
        if len(ids) > ROW_LIMIT:
            msg = f"a list has at most {ROW_LIMIT} rows in all its sections"
            raise ValueError(msg)
        if len(set(ids)) != len(ids):
            msg = "every row of a list needs a row_id of its own"
            raise ValueError(msg)
        return self


class MarketingOptions(_Part):
    """`ai_rewrite_enabled` lets the platform vary the text of marketing templates slightly."""

    ai_rewrite_enabled: bool


class SendRequest(_Part):
    """One message to one destination (contract 3.1 to 3.5), checked when it is made.

    Exactly one of `destination_number` (E.164 with `+`, or a BSUID), `group_id`, `newsletter_id`; exactly one mode:
    `text` (1 to 4096 characters, 1 to 1024 with `buttons` or `list_block`), `template_id` with `variables`, or `media`
    with `media_type`. Times carry a zone and leave as UTC. Raises `pydantic.ValidationError` (a `ValueError`) that
    names the rule, never the content.
    """

    destination_number: Annotated[str, StringConstraints(pattern=CONTACT)] | None = None
    group_id: Annotated[str, StringConstraints(pattern=GROUP)] | None = None
    newsletter_id: Annotated[str, StringConstraints(pattern=NEWSLETTER)] | None = None
    template_id: Filled | None = None
    variables: dict[str, Filled] | None = None
    text: Annotated[str, StringConstraints(max_length=TEXT_LIMIT), AfterValidator(_not_blank)] | None = None
    buttons: Annotated[tuple[Button, ...], Field(min_length=1, max_length=BUTTON_LIMIT)] | None = None
    header: Header | None = None
    footer: Annotated[str, StringConstraints(max_length=FOOTER_LIMIT), AfterValidator(_not_blank)] | None = None
    list_block: ListBlock | None = Field(default=None, alias="list")
    media: Media | None = None
    media_type: MediaType | None = None
    caption: Annotated[str, StringConstraints(max_length=CAPTION_LIMIT), AfterValidator(_not_blank)] | None = None
    labels: tuple[Filled, ...] | None = None
    deliver_at: Moment | None = None
    deliver_until: Moment | None = None
    marketing_options: MarketingOptions | None = None
    mark_read: bool | None = None

    @field_validator("variables", "labels")
    @classmethod
    def _empty_is_unset(cls, value: _Collection | None) -> _Collection | None:
        return value or None

    @model_validator(mode="after")
    def _check(self) -> Self:
        problem = _problem(self)
        if problem is not None:
            raise ValueError(problem)
        return self

    @property
    def mode(self) -> Mode:
        """How the message goes out: a template, media, a text with buttons, a list, or a plain text."""
        if self.template_id is not None:
            return "template"
        if self.media is not None:
            return "media"
        if self.buttons is not None:
            return "buttons"
        return "text" if self.list_block is None else "list"

    def to_bytes(self) -> bytes:
        """Return the body of `POST /v1/messages/send`: compact UTF-8 JSON, the same bytes for the same request."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        return (("mode", self.mode),)


def _problem(request: SendRequest) -> str | None:
    """Return the first rule of contract 3.1 to 3.4 that the request breaks, if any."""
    template, media = request.template_id is not None, request.media is not None
    text, blocks = request.text is not None, request.buttons is not None or request.list_block is not None
    destinations = (request.destination_number, request.group_id, request.newsletter_id)
    labels = {button.label.strip().casefold() for button in request.buttons or ()}
    rules = (
        (
            sum(value is not None for value in destinations) != 1,
            "exactly one of destination_number, group_id and newsletter_id is needed",
        ),
        (media != (request.media_type is not None), "media and media_type go together"),
        (template and text, "template_id excludes text"),
        (text and media, "text excludes media: give a caption, or put the media into a header with buttons"),
        (not (template or text or media), "a message needs text, media or template_id"),
        (blocks and not text, "buttons and list need text as their body"),
        (request.buttons is not None and request.list_block is not None, "buttons exclude list"),
        (request.variables is not None and not template, "variables need template_id"),
        (request.marketing_options is not None and not template, "marketing_options need template_id"),
        (
            request.caption is not None and (template or request.media_type not in CAPTIONED),
            "caption needs direct media that is an image, a video or a document",
        ),
        (
            request.buttons is None and (request.header is not None or request.footer is not None),
            "header and footer need buttons",
        ),
        (
            blocks and len(request.text or "") > BODY_LIMIT,
            f"text with buttons or a list has at most {BODY_LIMIT} characters",
        ),
        (
            len(labels) < len(request.buttons or ()),
            "every button of a message needs a label of its own: a tap comes back as the label",
        ),
        (
            request.deliver_at and request.deliver_until and request.deliver_until <= request.deliver_at,
            "deliver_until must be later than deliver_at",
        ),
    )
    return next((rule for broken, rule in rules if broken), None)
