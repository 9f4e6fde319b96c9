"""Who we talk to: identity, the 24-hour window, consent, the typed state of a chat."""

from pilotbot.contacts.consent import Decided, OptOut, Scope, out_of
from pilotbot.contacts.handover import UNASKED, Asked, Handover, Human, human_of, judged, span
from pilotbot.contacts.identity import address, canonical, is_phone, masked, sendable, spellings
from pilotbot.contacts.quiet import in_utc, quiet_until, zone_of
from pilotbot.contacts.state import State, StateError, changed, dump, load, state_classes
from pilotbot.contacts.window import MARGIN, WINDOW, Window, opened_by, window

__all__ = [
    "MARGIN",
    "UNASKED",
    "WINDOW",
    "Asked",
    "Decided",
    "Handover",
    "Human",
    "OptOut",
    "Scope",
    "State",
    "StateError",
    "Window",
    "address",
    "canonical",
    "changed",
    "dump",
    "human_of",
    "in_utc",
    "is_phone",
    "judged",
    "load",
    "masked",
    "opened_by",
    "out_of",
    "quiet_until",
    "sendable",
    "span",
    "spellings",
    "state_classes",
    "window",
    "zone_of",
]
