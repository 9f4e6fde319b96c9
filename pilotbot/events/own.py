"""The events that the bot makes itself, beside the runs of schedules: as they are stored, and read back. Never taken from outside."""

from typing import Final

import orjson

from pilotbot.events.fields import Data, identifier, number, text
from pilotbot.events.models import Alert, HandedBack, HandedOver, ScheduledRun

HANDED_OVER: Final = "handover.started"
HANDED_BACK: Final = "handover.ended"
ALERT: Final = "alert.raised"

OWN: Final = (ScheduledRun, HandedOver, HandedBack, Alert)
"""Their classes: the way in refuses them."""


def handed_over(id_: str, *, queue: str, note: str, by: str, at: int) -> bytes:
    """Return the body of a `HandedOver`. `id_` is its identity."""
    return _body(HANDED_OVER, {"id": id_, "queue": queue, "note": note, "by": by, "at": at})


def handed_back(id_: str, *, by: str, at: int) -> bytes:
    """Return the body of a `HandedBack`. `id_` is its identity."""
    return _body(HANDED_BACK, {"id": id_, "by": by, "at": at})


def alert(id_: str, *, what: str, number: str, detail: str, at: int) -> bytes:
    """Return the body of an `Alert`. `id_` is its identity, `number` the configured name."""
    return _body(ALERT, {"id": id_, "what": what, "number": number, "detail": detail, "at": at})


def read_handover(name: str, data: Data) -> HandedOver | HandedBack | None:
    """Return the event, or None where a field is missing."""
    id_, by, at = identifier(data, "id"), text(data, "by"), number(data, "at")
    if id_ is None or by is None:
        return None
    if name == HANDED_OVER:
        queue, note = text(data, "queue") or "", text(data, "note") or ""
        return HandedOver(name=name, id=id_, at=at, data=data, queue=queue, note=note, by=by)
    return HandedBack(name=name, id=id_, at=at, data=data, by=by) if name == HANDED_BACK else None


def read_alert(name: str, data: Data) -> Alert | None:
    """Return the event, or None where a field is missing."""
    id_, what, about, at = identifier(data, "id"), text(data, "what"), text(data, "number"), number(data, "at")
    if id_ is None or what is None or about is None or name != ALERT:
        return None
    return Alert(name=name, id=id_, at=at, data=data, what=what, number=about, detail=text(data, "detail") or "")


def _body(name: str, data: dict[str, object]) -> bytes:
    return orjson.dumps({"event": name, "data": data})
