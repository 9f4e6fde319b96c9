"""Redis: accept, claim, commit, the outbox lane, message records, dead letters; and the embedded server."""

from pilotbot.engine.calls import Away
from pilotbot.engine.items import ClosedPolicy, Item, Pin, derived_id
from pilotbot.engine.keys import ChatKey, Keyring
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
    "Effects",
    "Engine",
    "Item",
    "Keyring",
    "Lane",
    "Letter",
    "Mismatch",
    "Notice",
    "Pin",
    "Place",
    "PutAside",
    "Record",
    "Settled",
    "Terms",
    "derived_id",
]
