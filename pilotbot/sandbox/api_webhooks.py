"""``/v1/webhooks``: register, list, change, delete, logs (contract 8.1)."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from pilotbot.sandbox import rows
from pilotbot.sandbox.delivery import is_loopback
from pilotbot.sandbox.envelopes import KNOWN_EVENTS
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.http import PARTS, Caller, caller, parse, reply, whole
from pilotbot.sandbox.records import Webhook
from pilotbot.sandbox.schemas import WebhookCreate, WebhookPatch, is_url
from pilotbot.sandbox.state import new_id


async def listing(request: web.Request) -> web.Response:
    """``GET /v1/webhooks``: with a number key only that number's."""
    who = caller(request)
    every = request.app[PARTS].state.webhooks.values()
    return reply([rows.webhook(webhook) for webhook in every if _owns(who, webhook)])


async def create(request: web.Request) -> web.Response:
    """``POST /v1/webhooks``."""
    parts, who = request.app[PARTS], caller(request)
    wanted = parse(WebhookCreate, await request.read())
    now = parts.clock.now_ms()
    webhook = Webhook(
        id=new_id("wh_"),
        number_id=_number_id(request, who, wanted),
        name=wanted.name,
        url=_checked(wanted.url),
        events=_known(wanted.events),
        active=True,
        secret=parts.settings.webhook_secret,
        created_ms=now,
        updated_ms=now,
    )
    parts.state.save_webhook(webhook)
    return reply(rows.webhook(webhook), 201)


async def get(request: web.Request) -> web.Response:
    """``GET /v1/webhooks/{id}``."""
    return reply(rows.webhook(_find(request)))


async def change(request: web.Request) -> web.Response:
    """``PATCH /v1/webhooks/{id}``: only what the body names."""
    webhook = _find(request)
    wanted = parse(WebhookPatch, await request.read())
    if not wanted.model_fields_set:
        raise ApiError(400, "Give at least one of name, url, active, events", "EMPTY_PATCH")
    parts = request.app[PARTS]
    changed = replace(
        webhook,
        name=webhook.name if wanted.name is None else wanted.name,
        url=webhook.url if wanted.url is None else _checked(wanted.url),
        active=webhook.active if wanted.active is None else wanted.active,
        events=webhook.events if wanted.events is None else _known(wanted.events),
        updated_ms=parts.clock.now_ms(),
    )
    parts.state.save_webhook(changed)
    return reply(rows.webhook(changed))


async def delete(request: web.Request) -> web.Response:
    """``DELETE /v1/webhooks/{id}``."""
    request.app[PARTS].state.delete_webhook(_find(request))
    return reply({"ok": True})


async def logs(request: web.Request) -> web.Response:
    """``GET /v1/webhooks/{id}/logs``: the last deliveries that were tried, newest first."""
    webhook = _find(request)
    limit, event = whole(request, "limit", 50, high=50), request.query.get("event")
    tried = [
        delivery
        for delivery in reversed(request.app[PARTS].state.deliveries.values())
        if delivery.webhook_id == webhook.id and delivery.attempts and event in {None, delivery.event}
    ]
    return reply([rows.webhook_log(delivery) for delivery in tried[:limit]])


def _owns(who: Caller, webhook: Webhook) -> bool:
    return who.number is None or webhook.number_id == who.number.id


def _find(request: web.Request) -> Webhook:
    who = caller(request)
    webhook = request.app[PARTS].state.webhooks.get(request.match_info["id"])
    if webhook is None or not _owns(who, webhook):
        raise ApiError(404, "Webhook not found", "WEBHOOK_NOT_FOUND")
    return webhook


def _number_id(request: web.Request, who: Caller, wanted: WebhookCreate) -> str:
    named = wanted.number_id
    if who.key.number_id is not None:
        if named not in {None, who.key.number_id}:
            raise ApiError(400, "This key belongs to another number", "NUMBER_MISMATCH")
        return who.key.number_id
    number_id = named or (who.number.id if who.number else None)
    if number_id is None:
        raise ApiError(400, "Name the number in whatsappNumberId or x-whatsapp-number-id", "NUMBER_REQUIRED")
    if number_id not in request.app[PARTS].state.numbers:
        raise ApiError(404, "WhatsApp number not found", "NUMBER_NOT_FOUND")
    return number_id


def _checked(url: str) -> str:
    if not is_url(url) or not (url.lower().startswith("https://") or is_loopback(url)):
        raise invalid("url must be https, or http on this machine (127.0.0.1, localhost)")
    return url


def _known(events: list[str]) -> tuple[str, ...]:
    return tuple(event for event in dict.fromkeys(events) if event in KNOWN_EVENTS)


ROUTES = (
    web.get("/v1/webhooks", listing),
    web.post("/v1/webhooks", create),
    web.get("/v1/webhooks/{id}", get),
    web.patch("/v1/webhooks/{id}", change),
    web.delete("/v1/webhooks/{id}", delete),
    web.get("/v1/webhooks/{id}/logs", logs),
)
