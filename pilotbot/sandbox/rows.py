"""How records are shown: to API callers (contract section 4) and to the sandbox's own callers."""

from __future__ import annotations

import zlib

import orjson

from pilotbot.sandbox.clock import iso, iso_or_none
from pilotbot.sandbox.envelopes import content_of
from pilotbot.sandbox.records import COLOURS, Chat, Delivery, Json, Message, Number, Template, Webhook
from pilotbot.sandbox.rules import contact_key, sendable, template_text, template_variables, window_closes
from pilotbot.sandbox.schemas import is_url

PROVIDERS = {"meta": "META", "evolution_v2": "PILOT_STATUS", "evolution_go": "PILOT_STATUS"}


def accepted(message: Message, number: Number) -> Json:
    """The 202 of a send (contract 3.6)."""
    body: Json = {
        "id": message.id,
        "correlationId": message.correlation_id,
        "status": "QUEUED",
        "createdAt": iso(message.created_ms),
        "origin": "API",
        "sourceNumber": number.phone.lstrip("+"),
    }
    return body if message.flow_token is None else body | {"flowToken": message.flow_token}


def details(message: Message, number: Number) -> Json:
    """``GET /v1/messages/{id}`` (contract 4.1)."""
    body: Json = {
        "id": message.id,
        "externalMessageId": message.message_id,
        "status": message.status,
        "correlationId": message.correlation_id,
        "destinationNumber": message.contact,
    }
    if message.template is not None:
        body["template"] = message.template
    category = "utility" if message.template else "service"
    kind = "regular" if message.template else "free_customer_service"
    pricing = {"conversationId": None, "originType": category, "category": category, "type": kind}
    return body | {
        "createdAt": iso(message.created_ms),
        "sentAt": iso_or_none(message.sent_ms),
        "deliveredAt": iso_or_none(message.delivered_ms),
        "readAt": iso_or_none(message.read_ms),
        "errorCode": message.error_code,
        "errorMessage": message.error_message,
        "origin": message.origin,
        "metaPricing": pricing if number.kind == "meta" and message.sent_ms is not None else None,
    }


def history(message: Message, number: Number, *, hidden: bool = False) -> Json:
    """One row of ``GET /v1/messages/history`` (contract 4.3); `hidden` as where the number's privacy hides the content.

    The contract has no mark of a group's rows there: the id that ``GET /v1/messages/group`` has tells them apart.
    """
    media: Json | None = None
    if message.mode == "media" or message.media is not None:
        media = {
            "provider": PROVIDERS[number.kind],
            "id": message.media_id,
            "url": message.media if message.media and is_url(message.media) else None,
            "mimeType": message.media_type,
            "fileName": message.filename,
        }
    author = message.author or (message.contact if message.chat_kind == "contact" else None)
    words = content_of(message)
    row: Json = {
        "id": message.id,
        "conversationId": f"conv_{number.id}_{message.contact}",
        "direction": "INBOUND" if message.direction == "in" else "OUTBOUND",
        "providerKind": PROVIDERS[number.kind],
        "externalMessageId": message.message_id,
        "status": message.status,
        "messageType": message.type or message.media_type,
        "origin": message.origin,
        "text": words if words is not None else message.caption,
        "participantName": message.author_name,
        "participantPhone": author,
        "participantUserId": None,
        "repliedToExternalId": message.quoted,
        "media": media,
        "sentAt": iso_or_none(message.sent_ms),
        "deliveredAt": iso_or_none(message.delivered_ms),
        "readAt": iso_or_none(message.read_ms),
        "providerTimestamp": iso(message.created_ms),
        "createdAt": iso(message.created_ms),
        "referral": None,
    }
    if message.chat_kind != "contact":
        row[f"{message.chat_kind}Id"] = message.contact
    return row | {"text": None, "media": None, "participantName": None, "redacted": True} if hidden else row


def template(item: Template, number: Number) -> Json:
    """A template (contract section 6)."""
    latest = item.versions[-1]
    meta = number.kind == "meta"
    body = template_text(latest.components, "body")
    status = latest.status if meta else None
    return {
        "id": item.id,
        "name": item.name,
        "category": item.category,
        "body": body,
        "components": latest.components,
        "variables": list(template_variables(latest.components)),
        "source": PROVIDERS[number.kind],
        "metaStatus": status,
        "metaLanguage": item.language if meta else None,
        "sendable": sendable(item, number),
        "latestVersion": {
            "version": len(item.versions),
            "body": body,
            "metaStatus": status,
            "createdAt": iso(latest.created_ms),
        },
    }


def webhook(item: Webhook) -> Json:
    """A webhook (contract 8.1); the secret is never shown."""
    return {
        "id": item.id,
        "tenantId": "tenant_sandbox",
        "name": item.name,
        "url": item.url,
        "environment": "LIVE",
        "active": item.active,
        "events": list(item.events),
        "apiKeys": [],
        "lastTriggered": iso_or_none(item.last_triggered_ms),
        "whatsappNumberIds": [item.number_id],
        "whatsappInstanceIds": [],
        "createdAt": iso(item.created_ms),
        "updatedAt": iso(item.updated_ms),
    }


def webhook_log(item: Delivery) -> Json:
    """One row of ``GET /v1/webhooks/{id}/logs`` (contract 8.1)."""
    return {
        "event": item.event,
        "status": "SUCCESS" if item.status == "SUCCESS" else "FAILED",
        "statusCode": item.status_code,
        "payload": orjson.loads(item.body),
        "response": item.response,
        "durationMs": item.duration_ms,
        "createdAt": iso(item.created_ms),
    }


def number_item(item: Number, *, connected: bool, blocked: bool, created_at: str) -> Json:
    """One row of ``GET /v1/numbers`` (contract section 9)."""
    state = "OPEN" if connected else "CLOSE"
    return {
        "id": item.id,
        "instanceName": item.name,
        "number": item.phone.lstrip("+"),
        "name": item.name,
        "provider": PROVIDERS[item.kind],
        "state": state,
        "apiKeys": [],
        "primaryLink": {"state": state},
        "secondaryLink": None,
        "isFullyConnected": connected,
        "extraChargeUnpaidSince": created_at if blocked else None,
        "extraChargeDisconnectAt": None,
        "createdAt": created_at,
        "updatedAt": created_at,
    }


def message_row(message: Message, contact_name: str | None) -> Json:
    """A message as the sandbox's own calls and its stream show it."""
    return {
        "id": message.id,
        "messageId": message.message_id,
        "correlationId": message.correlation_id,
        "number": message.number_id,
        "contact": message.contact,
        "contactName": contact_name,
        "author": message.author,
        "authorName": message.author_name,
        "direction": message.direction,
        "event": message.event,
        "fromMe": message.from_me,
        "mode": message.mode,
        "type": message.type,
        "text": message.text,
        "header": message.header,
        "footer": message.footer,
        "buttons": list(message.options),
        "template": message.template,
        "variables": message.variables,
        "media": message.media,
        "mediaType": message.media_type,
        "caption": message.caption,
        "filename": message.filename,
        "quoted": message.quoted,
        "list": message.list_block,
        "cards": list(message.cards) or None,
        "flow": message.flow and message.flow | {"flowToken": message.flow_token, "response": message.flow_response},
        "location": message.location,
        "contacts": list(message.contacts) or None,
        "reaction": message.reaction,
        "labels": list(message.labels),
        "idempotencyKey": message.idempotency_key,
        "status": message.status,
        "errorCode": message.error_code,
        "errorMessage": message.error_message,
        "deliverAt": iso_or_none(message.deliver_at_ms),
        "createdAt": iso(message.created_ms),
        "sentAt": iso_or_none(message.sent_ms),
        "deliveredAt": iso_or_none(message.delivered_ms),
        "readAt": iso_or_none(message.read_ms),
    }


def chat_row(chat: Chat, number: Number) -> Json:
    """A chat as the sandbox's own calls and its stream show it."""
    return {
        "number": chat.number_id,
        "contact": chat.contact,
        "name": chat.name,
        "kind": chat.kind,
        "lastInboundAt": iso_or_none(chat.last_inbound_ms),
        "windowClosesAt": iso_or_none(window_closes(number, chat.last_inbound_ms)),
        "colour": colour_of(chat),
        "members": [{"contact": member.contact, "name": member.name} for member in chat.members],
        "blocked": chat.blocked,
        "reads": chat.reads,
    }


def colour_of(chat: Chat) -> int:
    """The chat's colour; where none was chosen, the same one for the same address each time."""
    return zlib.crc32(contact_key(chat.contact).encode()) % COLOURS if chat.colour is None else chat.colour


def number_row(item: Number) -> Json:
    """A number as the sandbox's own calls show it."""
    groups = item.kind != "meta" or item.official
    return {"id": item.id, "phone": item.phone, "name": item.name, "kind": item.kind, "groups": groups}


def delivery_row(item: Delivery) -> Json:
    """A webhook delivery as the sandbox's own calls and its stream show it."""
    return {
        "id": item.id,
        "webhookId": item.webhook_id,
        "url": item.url,
        "event": item.event,
        "status": item.status,
        "statusCode": item.status_code,
        "attempts": item.attempts,
        "response": item.response,
        "durationMs": item.duration_ms,
        "signature": item.signature,
        "body": orjson.loads(item.body),
        "createdAt": iso(item.created_ms),
        "nextAttemptAt": iso_or_none(item.due_ms),
    }
