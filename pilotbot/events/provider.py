"""Reading a provider's own bodies, which some numbers send beside schema v3 (contract 8.4, variant e of 8.8)."""

from itertools import chain

from pilotbot.events.fields import Data, address, identifier, mapping, mappings, number, text, time
from pilotbot.events.messages import MESSAGES
from pilotbot.events.models import Call, Event, Provider

_META_CALLS = {"connect": "ringing", "terminate": "ended"}
_EVOLUTION_CALLS = {"CallOffer": "ringing", "CallAccept": "connected", "CallTerminate": "ended"}
_DIRECTIONS = {"USER_INITIATED": "INBOUND", "BUSINESS_INITIATED": "OUTBOUND"}


def meta(kind: str, id_: str, body: Data) -> Provider:
    """Return Meta's envelope with the messages, statuses and calls in it.

    Args:
        kind: The body's `object`, which becomes the event's name.
        id_: The identity of the body as a whole.
        body: The body.
    """
    values = [mapping(change, "value") for entry in mappings(body, "entry") for change in mappings(entry, "changes")]
    inner = tuple(chain.from_iterable(_value(value) for value in values))
    return Provider(name=kind, id=id_, at=inner[0].at if inner else None, data=body, inner=inner)


def evolution(name: str, id_: str, body: Data) -> Provider:
    """Return Evolution's envelope with the call in it, if it is one.

    Args:
        name: The body's `event`.
        id_: The identity of the body as a whole.
        body: The body.
    """
    data = mapping(body, "data")
    change, call_id, at = _EVOLUTION_CALLS.get(name), identifier(data, "CallID", "CallId"), time(data, "Timestamp")
    if change is None or call_id is None:
        return Provider(name=name, id=id_, at=at, data=body)
    call = Call(
        name=f"call.{change}",
        id=f"call.{change}:{call_id}:{at}",
        at=at,
        data=data,
        change=change,
        call_id=call_id,
        sender=address(data, "From"),
    )
    return Provider(name=name, id=id_, at=at, data=body, inner=(call,))


def _value(value: Data) -> list[Event]:
    ours = address(mapping(value, "metadata"), "display_phone_number")
    contacts = mappings(value, "contacts")
    names = {text(contact, "wa_id", "user_id"): text(mapping(contact, "profile"), "name") for contact in contacts}
    messages = [_message(item, ours, names.get(text(item, "from", "from_user_id"))) for item in mappings(value, "messages")]
    echoes = [_echo(item, ours) for item in mappings(value, "message_echoes")]
    statuses = [_status(item) for item in mappings(value, "statuses")]
    calls = [_call(item) for item in mappings(value, "calls")]
    return [event for event in (*messages, *echoes, *statuses, *calls) if event is not None]


def _message(item: Data, ours: str | None, sender_name: str | None) -> Event | None:
    quoted_id = text(mapping(item, "context"), "id")
    group_id = identifier(item, "group_id")
    kind = "group" if group_id else "reply" if quoted_id else "received"
    named = {"to": ours, "participantName": sender_name, "quotedMessageId": quoted_id, "groupId": group_id}
    return _read(f"message.{kind}", {**_v3(item), **named})


def _echo(item: Data, ours: str | None) -> Event | None:
    return _read("message.received", {**_v3(item), "from": ours, "to": text(item, "to"), "fromMe": True})


def _status(item: Data) -> Event | None:
    error = next(iter(mappings(item, "errors")), {})
    data = {
        "messageId": identifier(item, "id"),
        "to": text(item, "recipient_id", "recipient_user_id"),
        "createdAt": item.get("timestamp"),
        "error": text(error, "title", "message"),
        "errorCode": text(error, "code"),
    }
    return _read(f"message.{text(item, 'status')}", data)


def _call(item: Data) -> Event | None:
    change, call_id, at = _META_CALLS.get(text(item, "event") or ""), identifier(item, "id"), time(item, "timestamp")
    if change is None or call_id is None:
        return None
    return Call(
        name=f"call.{change}",
        id=f"call.{change}:{call_id}:{at}",
        at=at,
        data=item,
        change=change,
        status=text(item, "status"),
        call_id=call_id,
        direction=_DIRECTIONS.get(text(item, "direction") or ""),
        sender=address(item, "from"),
        to=address(item, "to"),
        duration=number(item, "duration"),
    )


def _read(name: str, data: Data) -> Event | None:
    """Read a message in the words of schema v3; its id is the provider's, as the platform's is not in such a body."""
    reader, id_ = MESSAGES.get(name), identifier(data, "messageId")
    return reader(name, id_, data) if reader and id_ else None


def _v3(item: Data) -> Data:
    """Return one of Meta's messages in the words of schema v3, with `interactive` and `button` as they came."""
    kind = text(item, "type") or ""
    body = mapping(item, kind)
    latitude, longitude = body.get("latitude"), body.get("longitude")
    place = f"{latitude},{longitude}" if isinstance(latitude, float) and isinstance(longitude, float) else None
    return {
        "messageId": identifier(item, "id"),
        "from": text(item, "from", "from_user_id"),
        "createdAt": item.get("timestamp"),
        "type": kind,
        "content": place or text(body, "body", "emoji"),
        "mediaCaption": text(body, "caption"),
        "mediaType": text(body, "mime_type"),
        "mediaFilename": text(body, "filename"),
        "mediaLink": text(body, "url", "link"),
        "mediaId": identifier(body, "id"),
        "interactive": item.get("interactive"),
        "button": item.get("button"),
    }
