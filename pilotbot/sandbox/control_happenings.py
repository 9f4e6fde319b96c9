"""``/sandbox``: what happens beside messages: calls, leads, filled-in flows, changes of our numbers (contract 8.4 to 8.8)."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StrictBool, StrictInt, StrictStr

from pilotbot.sandbox.clock import iso
from pilotbot.sandbox.control_schemas import ContactAddress, Strict
from pilotbot.sandbox.http import LIFECYCLE, PARTS, parse, reply
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.records import Json, Number
from pilotbot.sandbox.schemas import Text
from pilotbot.sandbox.state import new_id

STATUSES = {"ringing": "RINGING", "connected": "ACCEPTED", "ended": "COMPLETED", "missed": "MISSED", "permission_updated": "TEMPORARY"}


class CallRequest(Strict):
    """The body of ``POST /sandbox/calls``: what happens to a call; one that we make with `outbound`."""

    sender: ContactAddress = Field(alias="from")
    change: Literal["ringing", "connected", "ended", "missed", "permission_updated"] = "missed"
    outbound: StrictBool = False
    call_id: Text | None = Field(None, alias="callId")
    duration: Annotated[StrictInt, Field(ge=0)] | None = None
    number: StrictStr | None = None


class LeadRequest(Strict):
    """The body of ``POST /sandbox/leads``: somebody fills in the form of an advertisement."""

    name: Text
    phone: Text | None = None
    email: Text | None = None
    fields: dict[str, list[str]] = Field(default_factory=dict)
    consent: StrictBool | None = None
    number: StrictStr | None = None


class FlowRequest(Strict):
    """The body of ``POST /sandbox/flows``: a contact sends a WhatsApp Flow back."""

    sender: ContactAddress = Field(alias="from")
    token: Text = Field(alias="flowToken")
    response: Json
    number: StrictStr | None = None


class NumberRequest(Strict):
    """The body of ``POST /sandbox/numbers``: what is told of a number. It only is told: see the faults for what the number can do."""

    change: Literal[
        "created", "connected", "disconnected", "removed", "restored", "recovered", "health_blocked", "health_degraded", "health_shadowban"
    ]
    error: Text | None = None
    error_code: Text | None = Field(None, alias="errorCode")
    number: StrictStr | None = None


async def call(request: web.Request) -> web.Response:
    """``POST /sandbox/calls``."""
    parts = request.app[PARTS]
    wanted = parse(CallRequest, await request.read())
    number = parts.state.number(wanted.number)
    # A change of a permission is told without a call.
    about = wanted.change == "permission_updated"
    call_id = None if about else wanted.call_id or new_id("call_")
    direction = "OUTBOUND" if wanted.outbound else "INBOUND"
    ends = (number.phone, wanted.sender) if wanted.outbound else (wanted.sender, number.phone)
    envelope: Json = {
        "event": f"call.{wanted.change}", "callId": call_id, "direction": None if about else direction, "status": STATUSES[wanted.change],
        "from": ends[0], "to": ends[1], "timestamp": iso(parts.clock.now_ms()),
    }  # fmt: skip
    if wanted.duration is not None:
        envelope["duration"] = wanted.duration
    return _told(parts, number, envelope, callId=call_id)


async def lead(request: web.Request) -> web.Response:
    """``POST /sandbox/leads``."""
    parts = request.app[PARTS]
    wanted = parse(LeadRequest, await request.read())
    number, lead_id = parts.state.number(wanted.number), new_id("lead_")
    data: Json = {
        "leadId": lead_id, "leadgenId": new_id("9"), "whatsappNumberId": number.id, "pageId": "1001", "formId": "2001", "platform": "ig",
        "createdAt": iso(parts.clock.now_ms()), "fullName": wanted.name, "email": wanted.email, "phone": wanted.phone,
        "fields": [{"key": key, "values": values} for key, values in wanted.fields.items()], "consentGiven": wanted.consent,
    }  # fmt: skip
    return _told(parts, number, {"event": "lead.received", "data": data}, leadId=lead_id)


async def flow(request: web.Request) -> web.Response:
    """``POST /sandbox/flows``; the message that carried it, where there is one, keeps what was sent back."""
    parts = request.app[PARTS]
    wanted = parse(FlowRequest, await request.read())
    number, message_id = parts.state.number(wanted.number), new_id()
    request.app[LIFECYCLE].answer_flow(number, wanted.sender, wanted.token, wanted.response)
    data: Json = {
        "numberId": number.id, "id": message_id, "messageId": None, "flowToken": wanted.token, "from": wanted.sender, "to": number.phone,
        "createdAt": iso(parts.clock.now_ms()), "response": wanted.response,
    }  # fmt: skip
    return _told(parts, number, {"event": "flow.response_received", "data": data}, id=message_id)


async def change(request: web.Request) -> web.Response:
    """``POST /sandbox/numbers``."""
    parts = request.app[PARTS]
    wanted = parse(NumberRequest, await request.read())
    number = parts.state.number(wanted.number)
    data: Json = {"numberId": number.id, "phone": number.phone, "displayName": number.name, "createdAt": iso(parts.clock.now_ms())}
    data |= {name: value for name, value in (("error", wanted.error), ("errorCode", wanted.error_code)) if value is not None}
    return _told(parts, number, {"event": f"number.{wanted.change}", "data": data}, numberId=number.id)


def _told(parts: Parts, number: Number, envelope: Json, **answer: str | None) -> web.Response:
    parts.webhooks.emit(number.id, envelope, lane=number.id)
    return reply(answer)


ROUTES = (
    web.post("/sandbox/calls", call),
    web.post("/sandbox/leads", lead),
    web.post("/sandbox/flows", flow),
    web.post("/sandbox/numbers", change),
)
