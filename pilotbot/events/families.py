"""Reading every event that is no message, by the part of its name before the dot (contract 8.4, 8.8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pilotbot.events.fields import Data, address, flag, identifier, mapping, mappings, number, text, time
from pilotbot.events.models import Call, Clock, Event, FlowResponse, Inspect, Lead, Number, PhoneLine
from pilotbot.events.own import read_alert, read_handover
from pilotbot.events.scheduled import read_run


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body opened as far as its name: `change` is the part after the dot, `data` the object in it, maybe empty."""

    name: str
    change: str
    whole: Data
    data: Data
    raw: bytes

    def hash(self) -> str:
        """Return an identity for a body that has none of its own: equal bodies are redeliveries of one event."""
        return sha256(self.raw).hexdigest()


def _number(body: Envelope) -> Event:
    return Number(
        name=body.name,
        id=identifier(body.data, "id") or body.hash(),
        at=time(body.data, "createdAt", "timestamp"),
        number_id=identifier(body.data, "numberId"),
        data=body.data,
        change=body.change,
        phone=address(body.data, "phone"),
        display_name=text(body.data, "displayName"),
        error=text(body.data, "error"),
        error_code=text(body.data, "errorCode"),
    )


def _call(body: Envelope) -> Event:
    flat = body.data or body.whole
    call_id, moment = identifier(flat, "callId"), identifier(flat, "timestamp")
    id_ = identifier(flat, "id") or (f"{body.name}:{call_id}:{moment}" if call_id and moment else body.hash())
    return Call(
        name=body.name,
        id=id_,
        at=time(flat, "timestamp", "createdAt"),
        number_id=identifier(flat, "numberId", "whatsappNumberId"),
        data=flat,
        change=body.change,
        status=text(flat, "status"),
        call_id=call_id,
        direction=text(flat, "direction"),
        sender=address(flat, "from"),
        to=address(flat, "to"),
        duration=number(flat, "duration"),
    )


def _lead(body: Envelope) -> Event | None:
    lead_id = identifier(body.data, "leadId", "leadgenId")
    if body.change != "received" or not lead_id:
        return None
    return Lead(
        name=body.name,
        id=identifier(body.data, "id", "leadgenId") or lead_id,
        at=time(body.data, "createdAt"),
        number_id=identifier(body.data, "whatsappNumberId", "numberId"),
        data=body.data,
        lead_id=lead_id,
        phone=address(body.data, "phone"),
        full_name=text(body.data, "fullName"),
        email=text(body.data, "email"),
        fields={key: _texts(field) for field in mappings(body.data, "fields") if (key := text(field, "key"))},
        consent_given=flag(body.data, "consentGiven"),
        form_id=identifier(body.data, "formId"),
        form_name=text(body.data, "formName"),
        campaign_name=text(body.data, "campaignName"),
        ad_name=text(body.data, "adName"),
        platform=text(body.data, "platform"),
    )


def _flow(body: Envelope) -> Event | None:
    if body.change != "response_received":
        return None
    return FlowResponse(
        name=body.name,
        id=identifier(body.data, "id", "internalMessageId", "messageId") or body.hash(),
        at=time(body.data, "createdAt", "timestamp"),
        number_id=identifier(body.data, "numberId"),
        data=body.data,
        sender=address(body.data, "from"),
        flow_id=identifier(body.data, "flowId"),
        flow_token=identifier(body.data, "flowToken"),
        response=mapping(body.data, "response"),
    )


def _phone_line(body: Envelope) -> Event:
    # The event's id is the envelope's here (contract 8.4).
    id_, at = identifier(body.whole, "id") or body.hash(), time(body.whole, "createdAt")
    return PhoneLine(name=body.name, id=id_, at=at, data=body.data, change=body.change, line_id=identifier(body.data, "lineId"))


def _sandbox(body: Envelope) -> Event | None:
    id_, at = identifier(body.data, "id") or body.hash(), time(body.data, "createdAt", "now")
    offset, contact = number(body.data, "offsetMs"), address(body.data, "contact")
    if body.change == "clock" and offset is not None:
        return Clock(name=body.name, id=id_, at=at, data=body.data, offset=offset)
    if body.change == "inspect" and contact:
        number_id = identifier(body.data, "numberId")
        return Inspect(name=body.name, id=id_, at=at, number_id=number_id, data=body.data, contact=contact)
    return None


def _schedule(body: Envelope) -> Event | None:
    return read_run(body.name, body.data) if body.change == "run" else None


def _handover(body: Envelope) -> Event | None:
    return read_handover(body.name, body.data)


def _alert(body: Envelope) -> Event | None:
    return read_alert(body.name, body.data)


FAMILIES: Mapping[str, Callable[[Envelope], Event | None]] = {
    "number": _number,
    "call": _call,
    "lead": _lead,
    "flow": _flow,
    "phone_line": _phone_line,
    "sandbox": _sandbox,
    "schedule": _schedule,
    "handover": _handover,
    "alert": _alert,
}


def _texts(field: Data) -> tuple[str, ...]:
    values = field.get("values")
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()
