"""Handler: a decorated function, what it is tied to, and the events that each kind of them is brought."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pilotbot.events.models import (
    Alert,
    Call,
    Event,
    FlowResponse,
    Group,
    HandedBack,
    HandedOver,
    Inbound,
    Lead,
    Newsletter,
    Number,
    Received,
    Reply,
    ScheduledRun,
    Status,
)
from pilotbot.replies import Action, Policy
from pilotbot.routing.filters import Filter, Miss
from pilotbot.routing.turn import Turn
from pilotbot.schedule import Schedule

Kind = Literal[
    "received",
    "reply",
    "message",
    "group",
    "newsletter",
    "tapped",
    "status",
    "number",
    "call",
    "lead",
    "flow_response",
    "handed_over",
    "handed_back",
    "alert",
    "scheduled",
    "stale",
    "unhandled",
    "error",
]

BRINGS: Final[Mapping[Kind, tuple[type[Event], ...]]] = {
    "received": (Received,),
    "reply": (Reply,),
    "message": (Received, Reply),
    "group": (Group,),
    "newsletter": (Newsletter,),
    "tapped": (Inbound,),
    "status": (Status,),
    "number": (Number,),
    "call": (Call,),
    "lead": (Lead,),
    "flow_response": (FlowResponse,),
    "handed_over": (HandedOver,),
    "handed_back": (HandedBack,),
    "alert": (Alert,),
    "scheduled": (ScheduledRun,),
    "stale": (Received, Reply, Group, Newsletter),
    "unhandled": (Received, Reply),
    "error": (Event,),
}
"""The events that each decorator brings."""

HandlerFn = Callable[..., Coroutine[Any, Any, None]]
Next = Callable[[], Awaitable[None]]
# The first parameter is Any: authors write their own Context there.
Middleware = Callable[[Any, Next], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Handler:
    """A decorated function and the conditions on which it is called.

    `action` is set for `tapped`, `schedule` for `scheduled`, `errors` for `error`. `path` names the routers from the outermost in,
    `guards` are the filters of their inclusions, `middleware` runs from first to last. `where` is `file:line`, `router` the variable that
    the file calls its router by, else the router's name. `policy` holds for what it says: its routers' own, the inner ones first.
    """

    kind: Kind
    fn: HandlerFn
    where: str
    router: str = ""
    filters: tuple[Filter, ...] = ()
    action: type[Action] | None = None
    schedule: Schedule | None = None
    errors: tuple[type[Exception], ...] = ()
    path: tuple[str, ...] = ()
    guards: tuple[Filter, ...] = ()
    middleware: tuple[Middleware, ...] = ()
    policy: Policy = field(default_factory=Policy)
    namespace: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.fn, "__name__", repr(self.fn))

    @property
    def decorator(self) -> str:
        """The decorator as it was written: `@shop.received(words("order"))`."""
        if self.schedule is not None:
            return f"@{self.router or self.path[-1]}.{self.schedule.definition}"
        targets = [cls.__name__ for cls in (*((self.action,) if self.action else ()), *self.errors)]
        return f"@{self.router or self.path[-1]}.{self.kind}({', '.join([*targets, *map(repr, self.filters)])})"

    def refusal(self, turn: Turn) -> Miss | None:
        """Why a `tapped` handler does not take the turn's payload, a `scheduled` one its run; None where it does, and for all others."""
        if self.schedule is not None:
            other = isinstance(turn.event, ScheduledRun) and turn.event.schedule != self.schedule.name
            return Miss(f"it is the run of another schedule than {self.schedule.name}") if other else None
        if self.action is None or isinstance(turn.action, self.action):
            return None
        if turn.action is not None and turn.action.action_name == self.action.action_name:
            return None  # the same class of a module that was loaded twice: it is stored by its name, which only one may have
        name = self.action.__name__
        if turn.action is None:
            return Miss(f"the option carries no action; offer it as {name}(...).option(...)")
        return Miss(f"the choice is a {type(turn.action).__name__}")

    def __str__(self) -> str:
        return f"{self.where} {self.name} {self.decorator}"
