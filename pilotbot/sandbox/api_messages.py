"""``/v1/messages``: send, look up, cancel, history (contract sections 3 and 4), and ``/v1/numbers``."""

from __future__ import annotations

import orjson
from aiohttp import web

from pilotbot.sandbox import outbound, rows
from pilotbot.sandbox.clock import iso, parse_iso
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.http import LIFECYCLE, PARTS, caller, drop, number_of, parse, reply, whole
from pilotbot.sandbox.idempotency import Idempotency
from pilotbot.sandbox.records import Json, Number
from pilotbot.sandbox.schemas import CancelRequest, SendRequest, address_kind, with_plus

IDEMPOTENCY = web.AppKey("idempotency", Idempotency)
FOUNDED_MS = 1_767_225_600_000  # the numbers' createdAt: 2026-01-01


async def send(request: web.Request) -> web.StreamResponse:
    """``POST /v1/messages/send``: 202, or what the contract's section 3.8 says."""
    parts = request.app[PARTS]
    number = number_of(request, sending=True)
    raw = await request.read()
    key = request.headers.get("Idempotency-Key")
    with request.app[IDEMPOTENCY].hold(number.id, key, raw) as known:
        await parts.faults.wait()
        body = known.body if known is not None else _accept(request, number, raw, key)
    if parts.faults.hits("acceptThenDrop", request.path):
        return drop(request)
    return reply(body, 202, {"Idempotent-Replayed": "true"} if known is not None else None)


def _accept(request: web.Request, number: Number, raw: bytes, key: str | None) -> Json:
    parts, lifecycle = request.app[PARTS], request.app[LIFECYCLE]
    wanted = parse(SendRequest, raw)
    message = outbound.build(wanted, number, parts, key)
    body = rows.accepted(message, number)
    with parts.store.together():
        lifecycle.accept(message)
        if wanted.mark_read is not False:
            lifecycle.mark_read(number, message.contact)
        if key is not None:
            request.app[IDEMPOTENCY].remember(number.id, key, raw, body)
    return body


async def get(request: web.Request) -> web.Response:
    """``GET /v1/messages/{id}`` by internal id, correlation id or provider id."""
    number = number_of(request)
    message = request.app[PARTS].state.message(request.match_info["id"])
    if message is None or message.number_id != number.id or message.correlation_id is None:
        raise ApiError(404, "Message not found")
    return reply(rows.details(message, number))


async def cancel(request: web.Request) -> web.Response:
    """``DELETE /v1/messages/cancel`` with a JSON body."""
    number = number_of(request)
    wanted = parse(CancelRequest, await request.read())
    cancelled: list[str] = []
    failed: list[Json] = []
    for message_id in wanted.message_ids:
        message = request.app[PARTS].state.message(message_id)
        if message is None or message.number_id != number.id or message.direction == "in":
            failed.append({"id": message_id, "reason": "Message not found"})
        elif request.app[LIFECYCLE].cancel(message):
            cancelled.append(message_id)
        else:
            failed.append({"id": message_id, "reason": "Only QUEUED messages with a future deliverAt can be cancelled"})
    return reply({"cancelled": cancelled, "failed": failed})


async def history(request: web.Request) -> web.Response:
    """``GET /v1/messages/history``: both directions, newest first."""
    number = number_of(request)
    start, end = _date(request, "startDate"), _date(request, "endDate")
    if start is not None and end is not None and start > end:
        raise ApiError(400, "startDate is after endDate", "INVALID_DATE_RANGE")
    page = whole(request, "page", 1, high=1_000_000)
    size = whole(request, "pageSize", 30, high=100)
    found = [
        message
        for message in request.app[PARTS].state.messages.values()
        if message.number_id == number.id and (start is None or message.created_ms >= start) and (end is None or message.created_ms <= end)
    ]
    found.sort(key=lambda message: (message.created_ms, message.seq), reverse=True)
    shown = found[(page - 1) * size : page * size]
    hidden = request.app[PARTS].faults.hits("hiddenHistory", request.path)
    return reply(
        {
            "messages": [rows.history(message, number, hidden=hidden) for message in shown],
            "total": len(found),
            "page": page,
            "pageSize": size,
            "totalPages": -(-len(found) // size),
        }
    )


async def typing(request: web.Request) -> web.Response:
    """``POST /v1/messages/typing``: exists, its body is unknown; shown where it names a contact, else taken and ignored."""
    number = number_of(request)
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        body = None
    contact = body.get("destinationNumber") if isinstance(body, dict) else None
    if isinstance(contact, str) and address_kind(contact) == "contact":
        request.app[LIFECYCLE].show_typing(number, with_plus(contact))
    return reply({"ok": True})


async def numbers(request: web.Request) -> web.Response:
    """``GET /v1/numbers`` with the tenant key."""
    if caller(request).key.number_id is not None:
        raise ApiError(403, "This needs the tenant key", "NUMBER_SCOPE_NOT_ALLOWED")
    parts = request.app[PARTS]
    state = parts.faults.to_json()
    return reply(
        [
            rows.number_item(
                number,
                connected=state["disconnected"] is False,
                blocked=state["numberBlocked"] is not False,
                created_at=iso(FOUNDED_MS),
            )
            for number in parts.state.numbers.values()
        ]
    )


def _date(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return parse_iso(text)
    except ValueError:
        raise ApiError(400, f"{name} must be an ISO 8601 time", "INVALID_DATE_RANGE") from None


ROUTES = (
    web.post("/v1/messages/send", send),
    web.delete("/v1/messages/cancel", cancel),
    web.get("/v1/messages/history", history),
    web.post("/v1/messages/typing", typing),
    web.get("/v1/messages/{id}", get),
    web.get("/v1/numbers", numbers),
)
