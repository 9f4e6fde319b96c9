"""From what a simulated contact does to the message it makes: text, media, taps, quotes, groups, echoes."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbot.sandbox.clock import parse_iso
from pilotbot.sandbox.control_schemas import InboundRequest
from pilotbot.sandbox.errors import invalid
from pilotbot.sandbox.lifecycle import Parts, provider_id
from pilotbot.sandbox.media import kind_of, uploaded
from pilotbot.sandbox.records import Chat, ChatKind, Media, Message, Number
from pilotbot.sandbox.rules import contact_key
from pilotbot.sandbox.state import new_id

DEFAULT_MIME = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}


ANSWERS = frozenset({"reply", "list"})
"""The options that write to us when tapped; the others open a page, call or copy, and we learn nothing of it."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a contact did: the message, and what its envelope says beside it."""

    message: Message
    chat_name: str | None
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap on an option of one of our messages."""

    menu: Message
    label: str


def build(request: InboundRequest, number: Number, parts: Parts) -> Inbound:
    """The message that the contact's doing makes.

    Raises:
        ApiError: 400 when the contact blocked the number, the message reacted to is not of the chat, or a tapped label
            was never offered, naming those that were.
    """
    kind, contact = _chat(request)
    chat = parts.state.chat(number.id, contact)
    if chat is not None and chat.blocked and not request.from_me:
        raise invalid(f"This contact has blocked {number.id}: unblock first")
    tap = _tap(request, number, parts, contact)
    reacted = _reacted(request, number, parts, contact)
    quoted = tap.menu if tap else parts.state.message(request.quoted or "")
    event = _event(request, kind)
    now = parts.clock.now_ms()
    own = uploaded(request.media or "", parts.state.media)
    mime, media_kind = _media(request, own)
    has_media = media_kind is not None and request.type not in {"location", "contacts", "reaction"}
    text = tap.label if tap else request.text
    interactive = tap is not None and request.tap_as == "interactive"
    quoting = event == "message.reply" and not interactive
    message = Message(
        id=new_id(),
        seq=parts.state.next_seq(),
        number_id=number.id,
        direction="out" if request.from_me else "in",
        contact=contact,
        chat_kind=kind,
        mode="media" if has_media else "text",
        type=None if interactive else request.type or media_kind or "text",
        status="DELIVERED" if not request.from_me else "SENT",
        created_ms=parse_iso(request.at) if request.at else now,
        message_id=provider_id(number),
        event=event,
        from_me=request.from_me,
        origin="APP" if request.from_me else None,
        text=None if has_media else text,
        media=request.media if has_media else None,
        media_type="interactive" if interactive else mime if has_media else None,
        caption=(request.caption or text) if has_media else None,
        filename=request.filename or (own.filename if own and media_kind == "document" else None),
        author=request.sender,
        author_name=request.name or _known_name(request, number, parts, chat),
        quoted=reacted.message_id if reacted else (quoted.message_id if quoted else request.quoted) if quoting else None,
        quoted_text=(quoted.text or quoted.caption) if quoted and quoting else None,
        button_id=_button_id(tap) if tap and request.tap_as == "buttonId" else None,
        delivered_ms=now,
        media_id=own.id if own and number.kind == "meta" else None,
        location=request.location.model_dump(exclude_none=True) if request.location else None,
        contacts=tuple(card.model_dump() for card in request.contacts or ()),
        reaction={"emoji": request.reaction.emoji, "message": reacted.id} if request.reaction and reacted else None,
    )
    chat_names: dict[ChatKind, str | None] = {
        "contact": request.name, "group": request.group_name, "newsletter": request.newsletter_name
    }  # fmt: skip
    known_name = chat.name if chat else None
    return Inbound(message, chat_names[kind] or known_name, quoted.correlation_id if quoted and quoting else None)


def _chat(request: InboundRequest) -> tuple[ChatKind, str]:
    if request.group_id is not None:
        return "group", request.group_id
    if request.newsletter_id is not None:
        return "newsletter", request.newsletter_id
    return "contact", request.sender


def _event(request: InboundRequest, kind: ChatKind) -> str:
    if kind != "contact":
        return f"message.{kind}"
    if request.event is not None:
        return f"message.{request.event}"
    tapped = request.tap is not None and request.tap_as in {"reply", "buttonId"}
    quoting = request.quoted is not None and request.tap is None
    return "message.reply" if tapped or quoting else "message.received"


def _tap(request: InboundRequest, number: Number, parts: Parts, contact: str) -> Tap | None:
    """The latest message of the chat that offers the label, or the quoted one."""
    if request.tap is None:
        return None
    offered: list[str] = []
    for message in reversed(list(parts.state.messages_of(number.id, contact))):
        if request.quoted is not None and request.quoted not in {message.id, message.message_id}:
            continue
        if message.status in {"QUEUED", "FAILED", "CANCELED"}:
            continue
        labels = [str(option["label"]) for option in message.options if option["type"] in ANSWERS]
        if request.tap in labels:
            return Tap(message, request.tap)
        offered += [label for label in labels if label not in offered]
    known = ", ".join(f'"{label}"' for label in offered) or "nothing yet"
    raise invalid(f"No message that reached this contact offers that label; offered were: {known}")


def _reacted(request: InboundRequest, number: Number, parts: Parts, contact: str) -> Message | None:
    """The message of the chat that is reacted to."""
    if request.reaction is None:
        return None
    message = parts.state.message(request.reaction.message)
    if message is None or message.number_id != number.id or contact_key(message.contact) != contact_key(contact):
        raise invalid("reaction.message: this chat has no such message; give the id or the messageId of one")
    return message


def _known_name(request: InboundRequest, number: Number, parts: Parts, chat: Chat | None) -> str | None:
    """What the author is called in the group, or in the chat of its own."""
    key = contact_key(request.sender)
    here = next((member.name for member in (chat.members if chat else ()) if contact_key(member.contact) == key), None)
    own = parts.state.chat(number.id, request.sender)
    return here or (own.name if own and request.newsletter_id is None else None)


def _button_id(tap: Tap) -> str:
    labels = [option["label"] for option in tap.menu.options]
    return f"btn_{labels.index(tap.label) + 1}"


def _media(request: InboundRequest, own: Media | None) -> tuple[str | None, str | None]:
    """The MIME type and the kind of the media, from either of them; of an upload the type is known."""
    given = request.media_type
    if own is not None:
        kind = kind_of(own.mime_type) if given is None or "/" in given else "audio" if given == "voice" else given
        return own.mime_type, kind if kind in DEFAULT_MIME else "document"
    if given is None:
        if request.media is None and request.type not in DEFAULT_MIME:
            return None, None
        default = str(request.type) if request.type in DEFAULT_MIME else "image"
        return DEFAULT_MIME[default], default
    if "/" not in given:
        kind = "audio" if given == "voice" else given
        return DEFAULT_MIME.get(kind, given), kind if kind in DEFAULT_MIME else "document"
    family = given.split("/", 1)[0].lower()
    return given, family if family in {"image", "video", "audio"} else "document"
