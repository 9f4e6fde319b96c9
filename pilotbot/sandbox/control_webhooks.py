"""``/sandbox``: what becomes of webhooks: their deliveries, sent again; any envelope; secrets; what the bot says of itself."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from pilotbot.sandbox import envelopes, rows
from pilotbot.sandbox.control_schemas import EventRequest, ResendRequest, SecretRequest
from pilotbot.sandbox.delivery import MAX_ANSWER, Answered
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.http import PARTS, address, json_object, parse, reply, whole
from pilotbot.sandbox.records import Delivery, Json
from pilotbot.sandbox.state import new_id

INBOUND_EVENTS = frozenset({"message.received", "message.reply", "message.group", "message.newsletter"})


async def deliveries(request: web.Request) -> web.Response:
    """``GET /sandbox/deliveries``: the last webhook deliveries, oldest first; ``?event=`` and ``?limit=`` narrow."""
    event, limit = request.query.get("event"), whole(request, "limit", 100_000, high=100_000)
    found = [item for item in request.app[PARTS].state.deliveries.values() if event in {None, item.event}]
    return reply([rows.delivery_row(item) for item in found[-limit:]])


async def resend(request: web.Request) -> web.Response:
    """``POST /sandbox/deliveries/{id}/resend``: the same bytes with the same signature once more, as a new delivery."""
    parts = request.app[PARTS]
    delivery = parts.state.deliveries.get(request.match_info["id"])
    if delivery is None:
        raise ApiError(404, "No such delivery: it was forgotten, or never made", "DELIVERY_NOT_FOUND")
    again = parts.webhooks.resend(delivery)
    if again is None:
        raise ApiError(409, "The webhook of this delivery is gone or inactive: register it again", "WEBHOOK_INACTIVE")
    return reply(rows.delivery_row(again))


async def resend_many(request: web.Request) -> web.Response:
    """``POST /sandbox/deliveries/resend``: what contacts wrote, or one event, once more in the order it was sent."""
    parts = request.app[PARTS]
    wanted = parse(ResendRequest, await request.read())
    events = INBOUND_EVENTS if wanted.event is None else {wanted.event}
    # What was sent more than once is sent once more, not as often again.
    first: dict[tuple[str, str], Delivery] = {}
    for item in parts.state.deliveries.values():
        if item.event in events:
            first.setdefault((item.webhook_id, item.body), item)
    kept = list(first.values())
    again = [parts.webhooks.resend(item) for item in kept[-(wanted.last or len(kept)) :]]
    return reply({"resent": sum(item is not None for item in again)})


async def set_secret(request: web.Request) -> web.Response:
    """``POST /sandbox/webhooks/{id}/secret``: give one webhook a secret of its own."""
    parts = request.app[PARTS]
    webhook = parts.state.webhooks.get(request.match_info["id"])
    if webhook is None:
        raise ApiError(404, "Webhook not found", "WEBHOOK_NOT_FOUND")
    wanted = parse(SecretRequest, await request.read())
    parts.state.save_webhook(replace(webhook, secret=wanted.secret))
    return reply({"ok": True})


async def send_event(request: web.Request) -> web.Response:
    """``POST /sandbox/events``: deliver any envelope as it is to each active webhook of a number."""
    parts = request.app[PARTS]
    wanted = parse(EventRequest, await request.read())
    targets = parts.state.active_webhooks(parts.state.number(wanted.number).id)
    body = envelopes.encode(wanted.body)
    event = str(wanted.body.get("event", wanted.body.get("object", "unknown")))
    for webhook in targets:
        signatures = {"good": envelopes.sign(webhook.secret, body), "bad": "0" * 64, "none": None}
        parts.webhooks.send(webhook, event, body, "events", signatures[wanted.signature])
    return reply({"webhooks": len(targets)})


async def ask_bot(request: web.Request) -> web.Response:
    """``GET /sandbox/bot``: what each webhook of a number says it knows of a chat."""
    parts, contact = request.app[PARTS], address(request)
    if contact is None:
        raise invalid('name the chat: "?contact=" and its address')
    number = parts.state.number(request.query.get("number"))
    chat = parts.state.chat(number.id, contact)
    event = envelopes.inspect_event(new_id("ins_"), number, chat.contact if chat else contact, parts.clock.now_ms())
    return reply([_said(each) for each in await parts.webhooks.ask(parts.state.active_webhooks(number.id), event)])


def _said(answered: Answered) -> Json:
    """What a webhook said of itself, if that is a JSON object that is not too large."""
    answer: Json | None = None
    error: str | None = None
    if answered.status is None:
        error = answered.body.decode(errors="replace")
    elif answered.status != 200:
        error = f"The webhook answered {answered.status}"
    elif len(answered.body) > MAX_ANSWER:
        error = f"The answer must have at most {MAX_ANSWER // 2**20} MiB"
    else:
        try:
            answer = json_object(answered.body)
        except ValueError as reason:
            error = f"The answer {reason}"
    webhook = answered.webhook
    return {"name": webhook.name, "url": webhook.url, "status": answered.status, "answer": answer, "error": error}


ROUTES = (
    web.get("/sandbox/deliveries", deliveries),
    web.post("/sandbox/deliveries/resend", resend_many),
    web.post("/sandbox/deliveries/{id}/resend", resend),
    web.post("/sandbox/webhooks/{id}/secret", set_secret),
    web.post("/sandbox/events", send_event),
    web.get("/sandbox/bot", ask_bot),
)
