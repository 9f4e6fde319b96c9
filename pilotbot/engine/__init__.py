"""Redis: accept, claim, commit, the outbox lane, message records, dead letters; and the embedded server."""

from pilotbot.engine.calls import Away
from pilotbot.engine.consent import Consent, Decision, Marks, Scope, as_fields, marks_of
from pilotbot.engine.items import ClosedPolicy, Item, Pin, Purpose, derived_id
from pilotbot.engine.keys import ChatKey, Keyring
from pilotbot.engine.pauses import Pause
from pilotbot.engine.records import Record
from pilotbot.engine.store import Engine, Mismatch
from pilotbot.engine.values import (
    HOLD,
    HOUR,
    WINDOW,
    Accepted,
    Arrival,
    Change,
    ChatKind,
    ChatView,
    Claimed,
    Effects,
    Lane,
    Letter,
    Notice,
    Place,
    PutAside,
    Settled,
    Terms,
    Timer,
    Waits,
)

__all__ = [
    "HOLD",
    "HOUR",
    "WINDOW",
    "Accepted",
    "Arrival",
    "Away",
    "Change",
    "ChatKey",
    "ChatKind",
    "ChatView",
    "Claimed",
    "ClosedPolicy",
    "Consent",
    "Decision",
    "Effects",
    "Engine",
    "Item",
    "Keyring",
    "Lane",
    "Letter",
    "Marks",
    "Mismatch",
    "Notice",
    "Pause",
    "Pin",
    "Place",
    "Purpose",
    "PutAside",
    "Record",
    "Scope",
    "Settled",
    "Terms",
    "Timer",
    "Waits",
    "as_fields",
    "derived_id",
    "marks_of",
]
