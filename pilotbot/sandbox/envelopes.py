"""Webhook envelopes of schema v3 (contract 8.4 to 8.7), built from records by pure functions."""

from __future__ import annotations

import hashlib
import hmac

import orjson

from pilotbot.sandbox.clock import iso
from pilotbot.sandbox.records import Json, Message, Number
from pilotbot.sandbox.schemas import is_url

KNOWN_EVENTS = frozenset({
    "message.sent", "message.delivered", "message.read", "message.failed",
    "message.received", "message.reply", "message.group", "message.newsletter",
    "number.created", "number.connected", "number.disconnected", "number.removed", "number.restored",
    "number.recovered", "number.health_blocked", "number.health_degraded", "number.health_shadowban",
    "lead.received", "call.ringing", "call.connected", "call.ended", "call.missed", "call.permission_updated",
    "calls", "flow.response_received", "*",
})  # fmt: skip


def encode(envelope: Json) -> str:
    """The exact text that is signed and posted: compact JSON, UTF-8."""
    return orjson.dumps(envelope).decode()


def sign(secret: str, body: str) -> str:
    """The value of ``x-pilot-status-signature`` (contract 8.3)."""
    return hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def phone_number_id(number: Number) -> str:
    """Meta's id of a number: digits, and not the phone's."""
    return str(int.from_bytes(hashlib.sha256(number.id.encode()).digest()[:6]))


def status_event(message: Message, number: Number, at_ms: int) -> Json:
    """``message.sent``, ``.delivered``, ``.read`` or ``.failed``, after the message's status."""
    data = _base(message, number, at_ms)
    data |= {"from": number.phone, "to": message.contact}
    data |= _content(message)
    if message.correlation_id is not None:
        data["correlationId"] = message.correlation_id
    if message.status == "FAILED":
        data["error"] = message.error_message or "The message failed"
        if message.error_code is not None:
            data["errorCode"] = message.error_code
    return {"event": f"message.{message.status.lower()}", "data": data}


def inbound_event(message: Message, number: Number, *, chat_name: str | None = None, correlation_id: str | None = None) -> Json:
    """``message.received``, ``.reply``, ``.group`` or ``.newsletter``, after the message's event."""
    data = _base(message, number, message.created_ms)
    contact = message.author or message.contact
    to_contact = message.from_me and message.chat_kind == "contact"
    data |= {
        "from": number.phone if message.from_me else contact,
        "to": contact if to_contact else number.phone,
        "participantName": message.author_name,
    }
    data |= _content(message)
    if message.media_id is not None:
        data |= {"mediaId": message.media_id, "phoneNumberId": phone_number_id(number)}
    if message.reaction is not None:
        data["quotedMessageId"] = message.quoted
    if message.event == "message.reply":
        if message.quoted_text is not None:
            data["contentReplied"] = message.quoted_text
        data["quotedMessageId"] = message.quoted
        if message.button_id is not None:
            data["buttonId"] = message.button_id
    if correlation_id is not None:
        data["correlationId"] = correlation_id
    if message.chat_kind == "group":
        data |= {"groupId": message.contact, "groupName": chat_name}
    if message.chat_kind == "newsletter":
        data |= {"from": message.contact, "newsletterId": message.contact, "newsletterName": chat_name}
    return {"event": message.event or "message.received", "data": data}


def content_of(message: Message) -> str | None:
    """The words of a message; a place and contact cards as compact JSON, a reaction as its emoji (contract 8.8 leaves it open)."""
    if message.text is not None:
        return message.text
    if message.reaction is not None:
        return str(message.reaction["emoji"])
    shared = message.location or list(message.contacts)
    return orjson.dumps(shared).decode() if shared else None


def clock_event(event_id: str, now_ms: int, offset_ms: int) -> Json:
    """The sandbox's own ``sandbox.clock``: the clock was moved."""
    now = iso(now_ms)
    return {"event": "sandbox.clock", "data": {"id": event_id, "now": now, "offsetMs": offset_ms, "createdAt": now}}


def inspect_event(event_id: str, number: Number, contact: str, now_ms: int) -> Json:
    """The sandbox's own ``sandbox.inspect``: what does the bot know of this chat?"""
    data: Json = {"id": event_id, "numberId": number.id, "contact": contact, "createdAt": iso(now_ms)}
    return {"event": "sandbox.inspect", "data": data}


def _base(message: Message, number: Number, at_ms: int) -> Json:
    data: Json = {"numberId": number.id, "messageId": message.message_id, "id": message.id}
    if message.type is not None:
        data["type"] = "audio" if message.type == "voice" else message.type
    return data | {"fromMe": message.direction == "out", "createdAt": iso(at_ms)}


def _content(message: Message) -> Json:
    data: Json = {}
    content = content_of(message)
    if content is not None:
        data["content"] = content
    if message.media is not None and is_url(message.media):
        data["mediaLink"] = message.media
    optional = {"mediaType": message.media_type, "mediaCaption": message.caption, "mediaFilename": message.filename}
    return data | {key: value for key, value in optional.items() if value is not None}
