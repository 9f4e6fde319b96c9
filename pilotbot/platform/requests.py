"""What is sent: one `SendRequest` per message, refused here when the contract says that the platform would refuse it.

Contract sections 3.1 to 3.5. Limits that the contract only infers from WhatsApp (lengths) count Unicode code points.
No text, number or variable appears in a `repr` or in a validation error: both end up in logs.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from pilotbot.platform.blocks import CarouselBlock, FlowBlock, ListBlock
from pilotbot.platform.fields import (
    BODY_LIMIT,
    BUTTON_LIMIT,
    CAPTION_LIMIT,
    CAPTIONED,
    CONTACT,
    FOOTER_LIMIT,
    GROUP,
    HEADER_LIMIT,
    NEWSLETTER,
    TEXT_LIMIT,
    Filled,
    Label,
    Media,
    MediaType,
    Mode,
    Moment,
    Phone,
    WebUrl,
    WirePart,
    check_media,
    not_blank,
)

_Collection = TypeVar("_Collection", dict[str, str], tuple[str, ...])


class ReplyButton(WirePart):
    """A button whose tap comes back as its label (1 to 20 characters): it has no id of its own (contract 3.4)."""

    type: Literal["reply"] = "reply"
    label: Label


class UrlButton(WirePart):
    """A button that opens `url` (http or https)."""

    type: Literal["url"] = "url"
    label: Label
    url: WebUrl


class CallButton(WirePart):
    """A button that dials `phone_number` (E.164 with `+`)."""

    type: Literal["call"] = "call"
    label: Label
    phone_number: Phone


class CopyButton(WirePart):
    """A button that copies `copy_code` to the contact's clipboard."""

    type: Literal["copy"] = "copy"
    label: Label
    copy_code: Filled


Button = Annotated[ReplyButton | UrlButton | CallButton | CopyButton, Field(discriminator="type")]


class Header(WirePart):
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


class MarketingOptions(WirePart):
    """`ai_rewrite_enabled` lets the platform vary the text of marketing templates slightly."""

    ai_rewrite_enabled: bool


class SendRequest(WirePart):
    """One message to one destination (contract 3.1 to 3.5), checked when it is made.

    Exactly one of `destination_number` (E.164 with `+`, or a BSUID), `group_id`, `newsletter_id`; exactly one mode:
    `text` (1 to 4096 characters, 1 to 1024 with one of `buttons`, `list_block`, `carousel`, `flow`), `template_id` with `variables`,
    or `media` with `media_type`. Times carry a zone and leave as UTC. Raises `pydantic.ValidationError` (a `ValueError`) that names the
    rule, never the content.
    """

    destination_number: Annotated[str, StringConstraints(pattern=CONTACT)] | None = None
    group_id: Annotated[str, StringConstraints(pattern=GROUP)] | None = None
    newsletter_id: Annotated[str, StringConstraints(pattern=NEWSLETTER)] | None = None
    template_id: Filled | None = None
    variables: dict[str, Filled] | None = None
    text: Annotated[str, StringConstraints(max_length=TEXT_LIMIT), AfterValidator(not_blank)] | None = None
    buttons: Annotated[tuple[Button, ...], Field(min_length=1, max_length=BUTTON_LIMIT)] | None = None
    header: Header | None = None
    footer: Annotated[str, StringConstraints(max_length=FOOTER_LIMIT), AfterValidator(not_blank)] | None = None
    list_block: ListBlock | None = Field(default=None, alias="list")
    carousel: CarouselBlock | None = None
    flow: FlowBlock | None = None
    media: Media | None = None
    media_type: MediaType | None = None
    caption: Annotated[str, StringConstraints(max_length=CAPTION_LIMIT), AfterValidator(not_blank)] | None = None
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
        """How the message goes out: a template, media, a text with what stands under it, or a plain text."""
        if self.template_id is not None:
            return "template"
        if self.media is not None:
            return "media"
        under = _under(self)
        return under[0] if under else "text"

    def to_bytes(self) -> bytes:
        """Return the body of `POST /v1/messages/send`: compact UTF-8 JSON, the same bytes for the same request."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        return (("mode", self.mode),)


def _under(request: SendRequest) -> list[Mode]:
    """Return what the text of a request has beside itself."""
    parts: tuple[tuple[Mode, object], ...] = (
        ("buttons", request.buttons), ("list", request.list_block), ("carousel", request.carousel), ("flow", request.flow),
    )  # fmt: skip
    return [mode for mode, given in parts if given is not None]


def _problem(request: SendRequest) -> str | None:
    """Return the first rule of contract 3.1 to 3.4 that the request breaks, if any."""
    template, media = request.template_id is not None, request.media is not None
    text, blocks = request.text is not None, _under(request)
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
        (bool(blocks) and not text, "buttons, list, carousel and flow need text as their body"),
        (len(blocks) > 1, "buttons, list, carousel and flow exclude each other"),
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
            bool(blocks) and len(request.text or "") > BODY_LIMIT,
            f"text with buttons, a list, a carousel or a flow has at most {BODY_LIMIT} characters",
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
