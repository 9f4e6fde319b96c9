"""Request bodies of ``/sandbox``: strict, because whoever writes them wants to be told of a slip of the pen."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, field_validator, model_validator

from pilotbot.sandbox.clock import parse_iso
from pilotbot.sandbox.records import COLOURS, ChatKind, Json
from pilotbot.sandbox.schemas import GROUP, NEWSLETTER, Text, address_kind, with_plus

MAX_MEMBERS = 1024
MAX_CARDS = 20
GROUP_LIKE = "120363000000000001@g.us"
NEWSLETTER_LIKE = "120363000000000099@newsletter"

MessageType = Literal["text", "image", "audio", "video", "document", "location", "contacts", "sticker", "reaction"]


class Strict(BaseModel):
    """A JSON body that names nothing unknown."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _contact(value: str) -> str:
    if address_kind(value) != "contact":
        raise ValueError('must be a phone number such as "+5511987650001"')
    return with_plus(value)


def _chat_address(value: str) -> str:
    if address_kind(value) is None:
        raise ValueError(
            f"must be a phone number such as +5511987650001, a group such as {GROUP_LIKE} or a channel such as {NEWSLETTER_LIKE}"
        )
    return with_plus(value)


ContactAddress = Annotated[StrictStr, AfterValidator(_contact)]
ChatAddress = Annotated[StrictStr, AfterValidator(_chat_address)]


class Location(Strict):
    """A place that a contact shares; in degrees."""

    latitude: Annotated[float, Field(strict=True, ge=-90, le=90)]
    longitude: Annotated[float, Field(strict=True, ge=-180, le=180)]
    name: StrictStr | None = None
    address: StrictStr | None = None


class ContactCard(Strict):
    """A contact card that a contact shares."""

    name: Text
    phone: Text


class Reaction(Strict):
    """A reaction to a message of the chat, named by either of its ids; an empty emoji takes it back."""

    emoji: Annotated[StrictStr, Field(max_length=32)]
    message: Text


class InboundRequest(Strict):
    """The body of ``POST /sandbox/inbound``: what a simulated contact does."""

    sender: ContactAddress = Field(alias="from")
    name: StrictStr | None = None
    text: StrictStr | None = None
    number: StrictStr | None = None
    event: Literal["received", "reply", "group", "newsletter"] | None = None
    tap: Text | None = None
    tap_as: Literal["reply", "received", "interactive", "buttonId"] = Field("reply", alias="tapAs")
    quoted: StrictStr | None = None
    group_id: StrictStr | None = Field(None, alias="groupId")
    group_name: StrictStr | None = Field(None, alias="groupName")
    newsletter_id: StrictStr | None = Field(None, alias="newsletterId")
    newsletter_name: StrictStr | None = Field(None, alias="newsletterName")
    type: MessageType | None = None
    media: Text | None = None
    media_type: StrictStr | None = Field(None, alias="mediaType")
    caption: StrictStr | None = None
    filename: StrictStr | None = None
    location: Location | None = None
    contacts: Annotated[list[ContactCard], Field(min_length=1, max_length=MAX_CARDS)] | None = None
    reaction: Reaction | None = None
    at: StrictStr | None = None
    from_me: StrictBool = Field(False, alias="fromMe")

    @field_validator("at")
    @classmethod
    def _at(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_iso(value)
            except ValueError:
                raise ValueError('"at" must be an ISO 8601 time such as "2026-11-20T13:00:00Z"') from None
        return value

    @model_validator(mode="after")
    def _content(self) -> Self:
        shared: dict[MessageType, object] = {"location": self.location, "contacts": self.contacts, "reaction": self.reaction}
        given = [kind for kind, value in shared.items() if value is not None]
        if any(kind != self.type for kind in given):
            raise ValueError('"location", "contacts" and "reaction" go each with the "type" of that name')
        typed = self.type in {*shared, "sticker"}
        if self.text is None and self.tap is None and self.media is None and self.media_type is None and not typed:
            raise ValueError('give "text", "tap" (a label), "media" with "mediaType", or "type" with "location", "contacts" or "reaction"')
        if given and (self.text is not None or self.tap is not None or self.media is not None):
            raise ValueError(f'"{given[0]}" excludes "text", "tap" and "media"')
        if self.group_id is not None and not GROUP.fullmatch(self.group_id):
            raise ValueError(f'"groupId" must look like "{GROUP_LIKE}"')
        if self.newsletter_id is not None and not NEWSLETTER.fullmatch(self.newsletter_id):
            raise ValueError(f'"newsletterId" must look like "{NEWSLETTER_LIKE}"')
        if self.event == "group" and self.group_id is None:
            raise ValueError('event "group" needs "groupId"')
        if self.event == "newsletter" and self.newsletter_id is None:
            raise ValueError('event "newsletter" needs "newsletterId"')
        return self


class MemberRequest(Strict):
    """Somebody in a group."""

    contact: ContactAddress
    name: Text | None = None


class ContactRequest(Strict):
    """The body of ``POST /sandbox/contacts``: a chat, and what is new about it."""

    contact: ChatAddress
    number: StrictStr | None = None
    name: Text | None = None
    colour: Annotated[StrictInt, Field(ge=0, lt=COLOURS)] | None = None
    members: Annotated[list[MemberRequest], Field(max_length=MAX_MEMBERS)] | None = None
    blocked: StrictBool | None = None
    reads: StrictBool | None = None

    @property
    def kind(self) -> ChatKind:
        """What kind of chat it is."""
        return address_kind(self.contact) or "contact"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.members is not None and self.kind != "group":
            raise ValueError("only a group has members")
        if self.blocked and self.kind != "contact":
            raise ValueError("only a contact can block a number")
        return self


class ReadRequest(Strict):
    """The body of ``POST /sandbox/read``: whose chat is opened."""

    contact: ChatAddress
    number: StrictStr | None = None


class MediaRequest(Strict):
    """The body of ``POST /sandbox/media``: a file, as a data URI.

    Its link lives for `linkFor` ("5m"), or for good; with `redirectTo` it leads to another address in place of the file.
    """

    data: Text
    filename: StrictStr | None = None
    link_for: StrictStr | None = Field(None, alias="linkFor")
    redirect_to: Annotated[StrictStr, Field(pattern=r"^[!-~]+$")] | None = Field(None, alias="redirectTo")


class ResendRequest(Strict):
    """The body of ``POST /sandbox/deliveries/resend``: of which event, and how many of the last."""

    event: Text | None = None
    last: Annotated[StrictInt, Field(ge=1)] | None = None


class ClockRequest(Strict):
    """The body of ``POST /sandbox/clock``: how far, or until when."""

    advance: StrictStr | None = None
    now: StrictStr | None = None


class NumberChoice(Strict):
    """The number a control call means; the first configured number without it."""

    number: StrictStr | None = None


class SecretRequest(Strict):
    """The body of ``POST /sandbox/webhooks/{id}/secret``."""

    secret: Text


class EventRequest(Strict):
    """The body of ``POST /sandbox/events``: an envelope to deliver as it is."""

    body: Json
    number: StrictStr | None = None
    signature: Literal["good", "bad", "none"] = "good"
