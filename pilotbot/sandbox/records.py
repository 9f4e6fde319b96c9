"""The things the sandbox keeps: plain frozen values, saved and replaced, never changed in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

NumberKind = Literal["meta", "evolution_v2", "evolution_go"]
ChatKind = Literal["contact", "group", "newsletter"]
Direction = Literal["in", "out"]
Mode = Literal["text", "buttons", "list", "carousel", "flow", "template", "media"]
Status = Literal["QUEUED", "SENT", "DELIVERED", "READ", "FAILED", "CANCELED"]
MetaStatus = Literal["APPROVED", "PENDING", "REJECTED", "DISABLED"]
DeliveryStatus = Literal["PENDING", "SUCCESS", "FAILED"]

Json = dict[str, object]
"""A JSON object of the wire, kept as it came."""

COLOURS = 12
"""How many colours the phone page has for its contacts."""


@dataclass(frozen=True, slots=True)
class Number:
    """A WhatsApp number of the workspace; `phone` in E.164 with ``+``."""

    id: str
    phone: str
    name: str
    kind: NumberKind
    official: bool = False
    """Meta's Official Business Account, which may write to groups (contract section 2)."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the workspace; `number_id` is None for the tenant key (contract 1.3)."""

    id: str
    key: str
    number_id: str | None


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a template; `components` is the object of contract section 6."""

    components: Json
    status: MetaStatus
    created_ms: int


@dataclass(frozen=True, slots=True)
class Template:
    """A template of one number, with all its versions, oldest first."""

    id: str
    number_id: str
    name: str
    category: str
    language: str
    versions: tuple[TemplateVersion, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group."""

    contact: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation of a number.

    Attributes:
        last_inbound_ms: when the contact last wrote, which is what opens the window.
        colour: the one chosen for the phone page, if any.
        members: who is in the group.
        blocked: the contact blocked the number: what is sent to it is never delivered.
        reads: whether the contact reads what it is sent at once, or only when the chat is opened.
    """

    number_id: str
    contact: str
    kind: ChatKind
    name: str | None = None
    last_inbound_ms: int | None = None
    colour: int | None = None
    members: tuple[Member, ...] = ()
    blocked: bool = False
    reads: bool = True


@dataclass(frozen=True, slots=True)
class Media:
    """A file that was uploaded for simulated contacts to send; its bytes are kept beside.

    Attributes:
        link_until_ms: when its link ceases to give it, if ever; to ask for it by its id goes on.
        redirect_to: where its link leads to in place of the file.
    """

    id: str
    mime_type: str
    filename: str
    size: int
    created_ms: int
    link_until_ms: int | None = None
    redirect_to: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message in either direction. Times are milliseconds since the epoch on the sandbox's clock."""

    id: str
    seq: int
    number_id: str
    direction: Direction
    contact: str
    chat_kind: ChatKind
    mode: Mode
    type: str | None
    status: Status
    created_ms: int
    correlation_id: str | None = None
    message_id: str | None = None
    event: str | None = None
    from_me: bool = False
    origin: str | None = None
    text: str | None = None
    header: Json | None = None
    footer: str | None = None
    options: tuple[Json, ...] = ()
    template: str | None = None
    template_id: str | None = None
    variables: Json | None = None
    media: str | None = None
    media_type: str | None = None
    caption: str | None = None
    filename: str | None = None
    author: str | None = None
    author_name: str | None = None
    quoted: str | None = None
    quoted_text: str | None = None
    button_id: str | None = None
    labels: tuple[str, ...] = ()
    deliver_at_ms: int | None = None
    deliver_until_ms: int | None = None
    due_ms: int | None = None
    sent_ms: int | None = None
    delivered_ms: int | None = None
    read_ms: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    idempotency_key: str | None = None
    flow_token: str | None = None
    flow: Json | None = None
    flow_response: Json | None = None
    list_block: Json | None = None
    cards: tuple[Json, ...] = ()
    media_id: str | None = None
    location: Json | None = None
    contacts: tuple[Json, ...] = ()
    reaction: Json | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered webhook of one number (contract 8.1)."""

    id: str
    number_id: str
    name: str
    url: str
    events: tuple[str, ...]
    active: bool
    secret: str = field(repr=False)
    created_ms: int
    updated_ms: int
    last_triggered_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one webhook; `body` is the exact text that is signed and posted."""

    id: str
    seq: int
    webhook_id: str
    url: str
    event: str
    lane: str
    body: str
    signature: str | None
    created_ms: int
    status: DeliveryStatus = "PENDING"
    attempts: int = 0
    status_code: int | None = None
    response: str | None = None
    duration_ms: int | None = None
    due_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an `Idempotency-Key` was answered (contract 3.7)."""

    number_id: str
    key: str
    digest: str
    body: Json
    created_ms: int
