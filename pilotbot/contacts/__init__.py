"""Who we talk to: identity, the 24-hour window, consent, the typed state of a chat."""

from pilotbot.contacts.consent import Decided, OptOut
from pilotbot.contacts.identity import address, canonical, is_phone, masked, sendable
from pilotbot.contacts.state import State, StateError, changed, dump, load, state_classes
from pilotbot.contacts.window import MARGIN, WINDOW, Window, opened_by, window

__all__ = [
    "MARGIN",
    "WINDOW",
    "Decided",
    "OptOut",
    "State",
    "StateError",
    "Window",
    "address",
    "canonical",
    "changed",
    "dump",
    "is_phone",
    "load",
    "masked",
    "opened_by",
    "sendable",
    "state_classes",
    "window",
]
