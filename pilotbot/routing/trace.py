"""A trace: what every handler and every filter says to a turn, for a developer who asks why. Dispatch itself stops at the first answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pilotbot.routing.filters import Filter, Miss
from pilotbot.routing.handler import Handler
from pilotbot.routing.injection import Plan
from pilotbot.routing.turn import Turn

Verdict = Literal["held", "missed", "raised"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one filter says: `reason` why it missed or what it raised. `parts` are those of a filter joined with & | ~."""

    filter: str
    verdict: Verdict
    reason: str = ""
    captures: Mapping[str, str] = field(default_factory=dict, repr=False)
    parts: tuple["Check", ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one handler says: all its `guards` (the filters of its router's inclusions) and `filters`, and what they come to together.

    `reason` is of the first that did not hold, as dispatch asks them in order; the checks after it had not been asked. `captures` are
    converted as the handler would get them, None where it does not take the turn.
    """

    handler: Handler
    guards: tuple[Check, ...]
    filters: tuple[Check, ...]
    verdict: Verdict
    reason: str = ""
    captures: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Trace:
    """All that may take the turn, in the order in which they are tried. `others` are the handlers of other kinds of events."""

    candidates: tuple[Candidate, ...]
    others: int

    @property
    def ends(self) -> Candidate | None:
        """The one at which dispatch ends: it takes the turn, or a filter of it raises. None where nobody takes it."""
        return next((one for one in self.candidates if one.verdict != "missed"), None)

    @property
    def winner(self) -> Candidate | None:
        """The one that takes the turn."""
        return self.ends if self.ends is not None and self.ends.verdict == "held" else None

    @property
    def also(self) -> tuple[Candidate, ...]:
        """Those that would take the turn if the winner did not; those for what is unhandled count only where there is no winner."""
        others = (one for one in self.candidates if one is not self.ends and one.verdict == "held")
        return tuple(one for one in others if one.handler.kind != "unhandled")


async def traced(handler: Handler, plan: Plan, turn: Turn) -> Candidate:
    """Ask one handler."""
    guards = tuple([await _checked(guard, turn) for guard in handler.guards])
    filters = tuple([await _checked(condition, turn) for condition in handler.filters])
    refusal = handler.refusal(turn)
    if refusal is not None:
        return Candidate(handler, guards, filters, "missed", refusal.reason)
    first = next((check for check in (*guards, *filters) if check.verdict != "held"), None)
    if first is not None:
        return Candidate(handler, guards, filters, first.verdict, first.reason)
    captures = {name: value for check in (*guards, *filters) for name, value in check.captures.items()}
    values = plan.convert(captures)
    if isinstance(values, Miss):
        return Candidate(handler, guards, filters, "missed", values.reason)
    return Candidate(handler, guards, filters, "held", captures={**captures, **values})


async def _checked(condition: Filter, turn: Turn) -> Check:
    """Ask one filter; one that is joined answers for itself too, so that it means here what it means to dispatch."""
    parts = tuple([await _checked(part, turn) for part in condition.parts])
    try:
        answer = await condition.check(turn)
    except Exception as error:  # noqa: BLE001 - an author's filter: what it raises is what is to be seen
        return Check(repr(condition), "raised", f"{type(error).__name__}: {error}".removesuffix(": "), parts=parts)
    if isinstance(answer, Miss):
        return Check(repr(condition), "missed", answer.reason, parts=parts)
    return Check(repr(condition), "held", captures=answer.captures, parts=parts)
