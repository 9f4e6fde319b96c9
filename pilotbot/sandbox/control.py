"""``/sandbox``: what the laptop's owner can do that no API caller can: time, faults, verdicts on templates, a look inside."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from pilotbot.sandbox import envelopes, rows
from pilotbot.sandbox.clock import iso, parse_duration, parse_iso
from pilotbot.sandbox.control_schemas import ClockRequest, NumberChoice
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.faults import FaultsRequest
from pilotbot.sandbox.http import PARTS, parse, reply
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.posts import POSTS
from pilotbot.sandbox.records import Json, MetaStatus
from pilotbot.sandbox.state import new_id

VERDICTS: dict[str, MetaStatus] = {"approve": "APPROVED", "reject": "REJECTED", "disable": "DISABLED"}


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
    event = envelopes.clock_event(new_id("clk_"), parts.clock.now_ms(), parts.clock.offset_ms)
    await parts.webhooks.ask(parts.state.active_webhooks(), event)
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


async def reset(request: web.Request) -> web.Response:
    """``POST /sandbox/reset``: forget messages, contacts, media, keys, deliveries, posts and faults.

    Numbers, templates, webhooks and the clock stay.
    """
    parts = request.app[PARTS]
    parts.webhooks.drop_pending()
    parts.timers.clear()
    parts.state.forget()
    parts.media.keep_only(parts.state.media)
    parts.faults.clear()
    request.app[POSTS].clear()
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


def _clock(parts: Parts) -> Json:
    return {"now": iso(parts.clock.now_ms()), "offsetMs": parts.clock.offset_ms}


ROUTES = (
    web.get("/sandbox/clock", get_clock),
    web.post("/sandbox/clock", move_clock),
    web.get("/sandbox/faults", get_faults),
    web.post("/sandbox/faults", set_faults),
    web.post("/sandbox/reset", reset),
    web.get("/sandbox/state", state),
    web.get("/sandbox/stream", stream),
    web.post("/sandbox/templates/{name}/{verdict:approve|reject|disable}", judge_template),
)
