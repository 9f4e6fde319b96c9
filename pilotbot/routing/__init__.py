"""Routing: decorators, filters with reasons, dependency injection, middleware, and explanations (design section 5)."""

from pilotbot.routing.conditions import (
    alert_is,
    change_is,
    custom,
    exactly,
    has_media,
    has_text,
    mentions_me,
    pattern,
    queue_is,
    status_is,
    tagged,
    words,
)
from pilotbot.routing.dispatch import Retry, Routes, Selected, Tried, Unmatched
from pilotbot.routing.explain import explain
from pilotbot.routing.filters import Filter, Match, Miss
from pilotbot.routing.handler import Handler, Kind, Middleware, Next
from pilotbot.routing.injection import Plan, Problem, Site, Wiring, WiringError
from pilotbot.routing.providers import Factory, Provided
from pilotbot.routing.router import Router
from pilotbot.routing.scope import Given, StateLoader, TurnScope
from pilotbot.routing.trace import Candidate, Check, Trace
from pilotbot.routing.turn import Turn

__all__ = [
    "Candidate",
    "Check",
    "Factory",
    "Filter",
    "Given",
    "Handler",
    "Kind",
    "Match",
    "Middleware",
    "Miss",
    "Next",
    "Plan",
    "Problem",
    "Provided",
    "Retry",
    "Router",
    "Routes",
    "Selected",
    "Site",
    "StateLoader",
    "Trace",
    "Tried",
    "Turn",
    "TurnScope",
    "Unmatched",
    "Wiring",
    "WiringError",
    "alert_is",
    "change_is",
    "custom",
    "exactly",
    "explain",
    "has_media",
    "has_text",
    "mentions_me",
    "pattern",
    "queue_is",
    "status_is",
    "tagged",
    "words",
]
