"""Request bodies of ``/v1``, written from the contract: strict in what it states, open to fields it does not name.

Lengths and counts are those that the contract takes from WhatsApp, which would refuse more.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, field_validator, model_validator

from pilotbot.sandbox.clock import parse_iso
from pilotbot.sandbox.records import ChatKind, Json, Mode

MediaKind = Literal["image", "video", "document", "audio", "voice", "sticker"]
Text = Annotated[StrictStr, Field(min_length=1)]
Label = Annotated[StrictStr, Field(min_length=1, max_length=20)]
Title = Annotated[StrictStr, Field(min_length=1, max_length=24)]

PHONE = re.compile(r"\+?[1-9][0-9]{6,14}")
BSUID = re.compile(r"[A-Z]{2}(\.[A-Za-z0-9]{1,128}){1,3}")
GROUP = re.compile(r"[0-9]{1,40}(-[0-9]{1,20})?@g\.us")
NEWSLETTER = re.compile(r"[0-9]{1,64}@newsletter")
DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w-]+=[^;,]*)*;base64,[A-Za-z0-9+/=\s]+")


def address_kind(address: str) -> ChatKind | None:
    """What kind of chat an address is of; None when it is no address."""
    if PHONE.fullmatch(address) or BSUID.fullmatch(address):
        return "contact"
    if GROUP.fullmatch(address):
        return "group"
    return "newsletter" if NEWSLETTER.fullmatch(address) else None


def with_plus(address: str) -> str:
    """A phone number with its ``+``; any other address as it is."""
    return "+" + address.lstrip("+") if PHONE.fullmatch(address) else address


def is_url(value: str) -> bool:
    """Whether `value` is an http or https URL with a host."""
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def is_data_uri(value: str) -> bool:
    """Whether `value` is ``data:<mime>;base64,<data>``."""
    return DATA_URI.fullmatch(value) is not None


class Body(BaseModel):
    """A JSON body; fields it does not name are let through."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Button(Body):
    """One of up to three buttons (contract 3.4)."""

    type: Literal["reply", "url", "call", "copy"]
    label: Label
    url: StrictStr | None = None
    phone_number: StrictStr | None = Field(None, alias="phoneNumber")
    copy_code: StrictStr | None = Field(None, alias="copyCode")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"url": self.url, "call": self.phone_number, "copy": self.copy_code}
        if self.type in needed and not needed[self.type]:
            field = {"url": "url", "call": "phoneNumber", "copy": "copyCode"}[self.type]
            raise ValueError(f"a {self.type} button needs {field}")
        return self


class Header(Body):
    """The header of a message with buttons."""

    type: Literal["text", "image", "video", "document"]
    content: Text

    @model_validator(mode="after")
    def _short(self) -> Self:
        if self.type == "text" and len(self.content) > 60:
            raise ValueError("a text header has at most 60 characters")
        return self


class Row(Body):
    """One row of a list."""

    title: Title
    description: Annotated[StrictStr, Field(max_length=72)] | None = None
    row_id: Annotated[StrictStr, Field(max_length=200)] | None = Field(None, alias="rowId")


class Section(Body):
    """A section of a list."""

    title: Annotated[StrictStr, Field(max_length=24)] | None = None
    rows: Annotated[list[Row], Field(min_length=1)]


class ListBlock(Body):
    """A single-choice list."""

    button_text: Label = Field(alias="buttonText")
    sections: Annotated[list[Section], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _rows(self) -> Self:
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > 10:
            raise ValueError("a list has at most 10 rows")
        ids = [row.row_id for row in rows if row.row_id is not None]
        if len(set(ids)) != len(ids):
            raise ValueError("each row of a list has a rowId of its own")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise ValueError("where there are several sections, each has a title")
        return self


class CardButton(Body):
    """A button of a carousel card."""

    type: Literal["QUICK_REPLY", "URL"]
    text: Label
    url: StrictStr | None = None
    payload: StrictStr | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "URL" and not is_url(self.url or ""):
            raise ValueError("a URL button needs an http(s) url")
        return self


class Card(Body):
    """A carousel card."""

    media: dict[str, StrictStr] = Field(default_factory=dict)
    body: StrictStr | None = None
    buttons: list[CardButton] = Field(default_factory=list)


class Carousel(Body):
    """A carousel."""

    cards: Annotated[list[Card], Field(min_length=1, max_length=10)]


class Flow(Body):
    """A WhatsApp Flow chosen at send time."""

    flow_id: Text = Field(alias="flowId")
    cta: Label | None = None
    action: Literal["navigate", "data_exchange"] | None = None
    screen: StrictStr | None = None
    data: Json = Field(default_factory=dict)
    mode: Literal["published", "draft"] | None = None
    flow_token: None = Field(None, alias="flowToken")
    """Minted by the platform, never the caller's."""


class SendRequest(Body):
    """The body of ``POST /v1/messages/send`` (contract 3.1 to 3.4)."""

    template_id: Text | None = Field(None, alias="templateId")
    variables: Json = Field(default_factory=dict)
    text: Text | None = None
    media: Text | None = None
    media_type: MediaKind | None = Field(None, alias="mediaType")
    caption: StrictStr | None = None
    buttons: list[Button] = Field(default_factory=list, max_length=3)
    header: Header | None = None
    footer: StrictStr | None = None
    list_block: ListBlock | None = Field(None, alias="list")
    carousel: Carousel | None = None
    flow: Flow | None = None
    destination_number: StrictStr | None = Field(None, alias="destinationNumber")
    group_id: StrictStr | None = Field(None, alias="groupId")
    newsletter_id: StrictStr | None = Field(None, alias="newsletterId")
    labels: list[StrictStr] = Field(default_factory=list)
    deliver_at: StrictStr | None = Field(None, alias="deliverAt")
    deliver_until: StrictStr | None = Field(None, alias="deliverUntil")
    mark_read: StrictBool | None = Field(None, alias="markRead")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value

    @field_validator("deliver_at", "deliver_until")
    @classmethod
    def _time(cls, value: str) -> str:
        try:
            parse_iso(value)
        except ValueError:
            raise ValueError("must be an ISO 8601 time") from None
        return value

    @model_validator(mode="after")
    def _one_destination(self) -> Self:
        given = [value for value in (self.destination_number, self.group_id, self.newsletter_id) if value is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of destinationNumber, groupId, newsletterId")
        return self

    @model_validator(mode="after")
    def _one_mode(self) -> Self:
        blocks = [block for block in (self.list_block, self.carousel, self.flow) if block is not None]
        if self.template_id and (self.text or self.buttons or blocks):
            raise ValueError("templateId excludes text, buttons, list, carousel and flow")
        if self.text and self.media:
            raise ValueError("text excludes media: put the words in caption, or the media in a header with buttons")
        if not (self.template_id or self.text or self.media):
            raise ValueError("give templateId, text, or media with mediaType")
        if (self.buttons or blocks) and not self.text:
            raise ValueError("buttons, list, carousel and flow need text as their body")
        if len(blocks) > 1 or (blocks and self.buttons):
            raise ValueError("give only one of buttons, list, carousel, flow")
        return self

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        under = bool(self.buttons or self.list_block or self.carousel or self.flow)
        for name, text, limit in (
            ("text", self.text, 1024 if under else 4096),
            ("caption", self.caption, 1024),
            ("footer", self.footer, 60),
        ):
            if text is not None and len(text) > limit:
                raise ValueError(f"{name} has at most {limit} characters here")
            if text is not None and not text.strip():
                raise ValueError(f"{name} must not be blank")
        return self

    @model_validator(mode="after")
    def _companions(self) -> Self:
        if (self.header or self.footer) and not self.buttons:
            raise ValueError("header and footer are only for messages with buttons")
        if self.media and self.media_type is None:
            raise ValueError("media needs mediaType")
        if self.caption and self.media_type not in {"image", "video", "document"}:
            raise ValueError("caption is only for image, video and document")
        if self.caption and self.template_id:
            raise ValueError("caption is only for direct media")
        return self

    @property
    def destination(self) -> str:
        """The destination as it was given."""
        return self.destination_number or self.group_id or self.newsletter_id or ""

    @property
    def chat_kind(self) -> ChatKind:
        """What kind of chat the destination is."""
        if self.group_id is not None:
            return "group"
        return "newsletter" if self.newsletter_id is not None else "contact"

    @property
    def mode(self) -> Mode:
        """Which of the mutually exclusive modes this is."""
        modes: tuple[tuple[Mode, object], ...] = (
            ("template", self.template_id),
            ("media", self.media),
            ("buttons", self.buttons),
            ("list", self.list_block),
            ("carousel", self.carousel),
            ("flow", self.flow),
        )
        return next((mode for mode, given in modes if given), "text")


class CancelRequest(Body):
    """The body of ``DELETE /v1/messages/cancel`` (contract 4.2)."""

    message_ids: list[StrictStr] = Field(alias="messageIds", min_length=1, max_length=100)


class WebhookCreate(Body):
    """The body of ``POST /v1/webhooks`` (contract 8.1)."""

    url: Text
    name: StrictStr = "webhook"
    events: list[StrictStr] = Field(default_factory=list)
    number_id: StrictStr | None = Field(None, alias="whatsappNumberId")


class WebhookPatch(Body):
    """The body of ``PATCH /v1/webhooks/{id}``: only what changes."""

    name: StrictStr | None = None
    url: Text | None = None
    active: StrictBool | None = None
    events: list[StrictStr] | None = None


class TemplateWrite(Body):
    """The body of ``POST /v1/templates`` and ``PUT /v1/templates/{id}`` (contract section 6)."""

    name: StrictStr = ""
    category: Literal["MARKETING", "UTILITY", "OTP"] | None = None
    language: StrictStr = "pt_BR"
    body: Json | StrictStr
    examples: Json = Field(default_factory=dict)
