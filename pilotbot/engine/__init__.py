"""Redis: accept, claim, commit, the outbox lane, message records, dead letters; and the embedded server."""

from pilotbot.engine.calls import Away
from pilotbot.engine.consent import Consent, Decision
from pilotbot.engine.items import ClosedPolicy, Item, Pin, derived_id
from pilotbot.engine.keys import ChatKey, Keyring
from pilotbot.engine.pauses import Pause
from pilotbot.engine.store import Engine, Mismatch
from pilotbot.engine.values import (
    HOLD,
    HOUR,
    WINDOW,
    Accepted,
    Arrival,
    ChatKind,
    ChatView,
    Claimed,
    Effects,
    Lane,
    Letter,
    Notice,
    Place,
    PutAside,
    Record,
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
    "Mismatch",
    "Notice",
    "Pause",
    "Pin",
    "Place",
    "PutAside",
    "Record",
    "Settled",
    "Terms",
    "Timer",
    "Waits",
    "derived_id",
]
