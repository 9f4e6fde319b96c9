"""``/sandbox``: what the laptop's owner can do that no API caller can (time, faults, contacts, a look inside)."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from pilotbot.sandbox import envelopes, inbound, rows
from pilotbot.sandbox.clock import iso, parse_duration, parse_iso
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.faults import FaultsRequest
from pilotbot.sandbox.http import LIFECYCLE, PARTS, parse, reply, whole
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.records import Json, Message, MetaStatus
from pilotbot.sandbox.rules import contact_key
from pilotbot.sandbox.schemas import ClockRequest, EventRequest, InboundRequest, NumberChoice, SecretRequest

VERDICTS: dict[str, MetaStatus] = {"approve": "APPROVED", "reject": "REJECTED", "disable": "DISABLED"}


async def receive(request: web.Request) -> web.Response:
    """``POST /sandbox/inbound``: a contact writes, taps or quotes."""
    parts = request.app[PARTS]
    wanted = parse(InboundRequest, await request.read())
    made = inbound.build(wanted, parts.state.number(wanted.number), parts)
    request.app[LIFECYCLE].receive(made.message, chat_name=made.chat_name, correlation_id=made.correlation_id)
    return reply({"id": made.message.id, "messageId": made.message.message_id})


async def messages(request: web.Request) -> web.Response:
    """``GET /sandbox/messages``: both directions in order of acceptance, of one contact or all."""
    state = request.app[PARTS].state
    contact, number = request.query.get("contact"), request.query.get("number")
    number_id = state.number(number).id if number else None
    # In a query string a bare + reads as a blank: take " 55..." and "55..." as "+55...".
    key = _address(contact) if contact else None
    shown = (
        message
        for message in state.messages.values()
        if (key is None or contact_key(message.contact) == key) and number_id in {None, message.number_id}
    )
    return reply([_row(request.app[PARTS], message) for message in shown])


async def get_clock(request: web.Request) -> web.Response:
    """``GET /sandbox/clock``."""
    return reply(_clock(request.app[PARTS]))


async def move_clock(request: web.Request) -> web.Response:
    """``POST /sandbox/clock``: move forward, tell every webhook, answer once they know."""
    parts = request.app[PARTS]
    wanted = parse(ClockRequest, await request.read())
    try:
        if wanted.advance is not None and wanted.now is None:
            step_ms = parse_duration(wanted.advance)
        elif wanted.now is not None and wanted.advance is None:
            step_ms = parse_iso(wanted.now) - parts.clock.now_ms()
        else:
            raise invalid('give either "advance", such as "25h", or "now", an ISO 8601 time')
        parts.clock.advance(step_ms)
    except ValueError as error:
        raise invalid(str(error)) from None
    parts.state.save_meta()
    answer = _clock(parts)
    parts.stream.publish(lambda: {"kind": "clock"} | answer)
    await parts.webhooks.tell_clock()
    parts.timers.rearm()
    return reply(answer)


async def get_faults(request: web.Request) -> web.Response:
    """``GET /sandbox/faults``."""
    return reply(request.app[PARTS].faults.to_json())


async def set_faults(request: web.Request) -> web.Response:
    """``POST /sandbox/faults``: change the ones named, answer all."""
    parts = request.app[PARTS]
    parts.faults.change(parse(FaultsRequest, await request.read()))
    parts.stream.publish(lambda: {"kind": "faults", "faults": parts.faults.to_json()})
    return reply(parts.faults.to_json())


async def deliveries(request: web.Request) -> web.Response:
    """``GET /sandbox/deliveries``: the last webhook deliveries, oldest first; ``?event=`` and ``?limit=`` narrow."""
    event, limit = request.query.get("event"), whole(request, "limit", 100_000, high=100_000)
    found = [item for item in request.app[PARTS].state.deliveries.values() if event in {None, item.event}]
    return reply([rows.delivery_row(item) for item in found[-limit:]])


async def reset(request: web.Request) -> web.Response:
    """``POST /sandbox/reset``: forget messages, contacts, keys, deliveries and faults.

    Numbers, templates, webhooks and the clock stay.
    """
    parts = request.app[PARTS]
    parts.webhooks.drop_pending()
    parts.timers.clear()
    parts.state.forget()
    parts.faults.clear()
    parts.stream.publish(lambda: {"kind": "reset"})
    return reply({"ok": True})


async def state(request: web.Request) -> web.Response:
    """``GET /sandbox/state``: all that the phone page shows at first, but the messages."""
    parts = request.app[PARTS]
    numbers = parts.state.numbers
    return reply(_clock(parts) | {
        "numbers": [rows.number_row(number) for number in numbers.values()],
        "chats": [rows.chat_row(chat, numbers[chat.number_id]) for chat in parts.state.chats.values()],
        "templates": [
            rows.template(template, numbers[template.number_id]) | {"number": template.number_id}
            for template in parts.state.templates.values()
        ],
        "faults": parts.faults.to_json(),
    })  # fmt: skip


async def stream(request: web.Request) -> web.StreamResponse:
    """``GET /sandbox/stream``: server-sent events."""
    return await request.app[PARTS].stream.serve(request)


async def judge_template(request: web.Request) -> web.Response:
    """``POST /sandbox/templates/{name}/approve``, ``/reject`` or ``/disable``: Meta's verdict on the newest version."""
    parts = request.app[PARTS]
    wanted = parse(NumberChoice, await request.read() or b"{}")
    name, status = request.match_info["name"], VERDICTS[request.match_info["verdict"]]
    by_id = parts.state.templates.get(name)
    number = parts.state.number(wanted.number or (by_id.number_id if by_id else None))
    template = parts.state.template(number.id, name)
    if template is None:
        raise ApiError(404, f"{number.id} has no such template", "TEMPLATE_NOT_FOUND")
    latest = replace(template.versions[-1], status=status)
    judged = replace(template, versions=(*template.versions[:-1], latest))
    parts.state.save_template(judged)
    return reply(rows.template(judged, number))


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
    number = parts.state.number(wanted.number)
    body = envelopes.encode(wanted.body)
    event = str(wanted.body.get("event", wanted.body.get("object", "unknown")))
    targets = [hook for hook in parts.state.webhooks.values() if hook.active and hook.number_id == number.id]
    for webhook in targets:
        signatures = {"good": envelopes.sign(webhook.secret, body), "bad": "0" * 64, "none": None}
        parts.webhooks.send(webhook, event, body, "events", signatures[wanted.signature])
    return reply({"webhooks": len(targets)})


def _clock(parts: Parts) -> Json:
    return {"now": iso(parts.clock.now_ms()), "offsetMs": parts.clock.offset_ms}


def _row(parts: Parts, message: Message) -> Json:
    chat = parts.state.chat(message.number_id, message.contact)
    return rows.message_row(message, chat.name if chat else None)


def _address(text: str) -> str:
    compact = text.strip()
    return contact_key("+" + compact if compact.isdigit() else compact)


ROUTES = (
    web.post("/sandbox/inbound", receive),
    web.get("/sandbox/messages", messages),
    web.get("/sandbox/clock", get_clock),
    web.post("/sandbox/clock", move_clock),
    web.get("/sandbox/faults", get_faults),
    web.post("/sandbox/faults", set_faults),
    web.get("/sandbox/deliveries", deliveries),
    web.post("/sandbox/reset", reset),
    web.get("/sandbox/state", state),
    web.get("/sandbox/stream", stream),
    web.post("/sandbox/templates/{name}/{verdict:approve|reject|disable}", judge_template),
    web.post("/sandbox/webhooks/{id}/secret", set_secret),
    web.post("/sandbox/events", send_event),
)
