"""What arrives: wire bytes in, typed events out; and whether they may be believed."""

from pilotbot.events.addresses import normal_address
from pilotbot.events.decode import Malformed, decode
from pilotbot.events.models import (
    Call,
    Clock,
    Event,
    FlowResponse,
    Group,
    Inbound,
    Inspect,
    Lead,
    Media,
    Newsletter,
    Number,
    PhoneLine,
    Provider,
    Received,
    Reply,
    ScheduledRun,
    Status,
    StatusName,
    Tap,
    Unknown,
)
from pilotbot.events.scheduled import scheduled_run
from pilotbot.events.signature import sign, token_matches, verify

__all__ = [
    "Call",
    "Clock",
    "Event",
    "FlowResponse",
    "Group",
    "Inbound",
    "Inspect",
    "Lead",
    "Malformed",
    "Media",
    "Newsletter",
    "Number",
    "PhoneLine",
    "Provider",
    "Received",
    "Reply",
    "ScheduledRun",
    "Status",
    "StatusName",
    "Tap",
    "Unknown",
    "decode",
    "normal_address",
    "scheduled_run",
    "sign",
    "token_matches",
    "verify",
]
