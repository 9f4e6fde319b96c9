"""Dispatch: which handler takes a turn, and running it through the middleware.

routes = Routes.build(bot_router, context_type=Context, provided=provided)
match await routes.select(ctx):
    case Selected() as selected:
        async with TurnScope(load) as scope:
            await routes.run(selected, ctx, scope)
    case Unmatched() as unmatched:
        log.info("%s", explain(ctx, unmatched.tried))
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import Self

from pilotbot.events.models import Event, Inbound
from pilotbot.routing.filters import Filter, Match, Miss
from pilotbot.routing.handler import BRINGS, Handler, Middleware
from pilotbot.routing.injection import Plan, Site, Wiring
from pilotbot.routing.providers import Provided
from pilotbot.routing.router import Router
from pilotbot.routing.scope import Given, TurnScope
from pilotbot.routing.trace import Trace, traced
from pilotbot.routing.turn import Turn
from pilotbot.schedule import Schedule


class Retry(Exception):
    """Raised by a handler to have the event tried again later; nothing of this try is committed.

    Args:
        after: how long to wait at least; None leaves it to the back-off.
    """

    def __init__(self, after: timedelta | None = None) -> None:
        if not isinstance(after, timedelta | None):
            raise TypeError(f"Retry takes how long to wait, such as minutes(5); it was given a {type(after).__name__}")
        super().__init__("the handler asks for another try" + (f" in {after}" if after else ""))
        self.after = after


@dataclass(frozen=True, slots=True)
class Tried:
    """A handler that did not take the turn, and why, in words that may be logged."""

    handler: Handler
    reason: str


@dataclass(frozen=True, slots=True)
class Selected:
    """The handler that takes the turn, with its captures (converted where a parameter asks for one) and those tried before it."""

    handler: Handler
    plan: Plan
    captures: Mapping[str, object] = field(repr=False)
    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """No handler takes the turn."""

    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class _Route:
    handler: Handler
    plan: Plan


class Routes:
    """The handlers of a router and all below it, planned and in order. `build` is the usual way to make one.

    Args:
        router: the outermost router.
        wiring: makes the plans and collects the problems; the caller finishes it, perhaps after planning more.
    """

    def __init__(self, router: Router, wiring: Wiring) -> None:
        self.handlers = router.handlers
        routes = [_Route(handler, _plan(handler, wiring)) for handler in self.handlers]
        errors = (route for route in routes if route.handler.kind == "error")
        self._errors = sorted(errors, key=lambda route: -len(route.handler.path))
        self._tapped = tuple(route for route in routes if route.handler.kind == "tapped")
        self._unhandled = tuple(route for route in routes if route.handler.kind == "unhandled")
        self._stale = tuple(route for route in routes if route.handler.kind == "stale")
        self._by_event: dict[type[Event], tuple[_Route, ...]] = {}
        for route in routes:
            if route.handler.kind not in ("error", "tapped", "unhandled", "stale"):
                for event in BRINGS[route.handler.kind]:
                    self._by_event[event] = (*self._by_event.get(event, ()), route)
        _check_errors(self.handlers, wiring)
        _check_schedules(self.handlers, wiring)

    @classmethod
    def build(cls, router: Router, *, context_type: type[object], provided: Provided) -> Self:
        """Plan every handler of `router`.

        Args:
            router: the outermost router.
            context_type: the class that handlers are given as their context.
            provided: the factories of what else they ask for.

        Raises:
            WiringError: something that handlers or factories ask for cannot be given; lists all of it.
        """
        wiring = Wiring(context_type, provided)
        routes = cls(router, wiring)
        wiring.finish()
        return routes

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The schedules of all handlers that have one; no two have one name."""
        return tuple(handler.schedule for handler in self.handlers if handler.schedule is not None)

    def wants(self, event: type[Event]) -> bool:
        """Tell whether any handler may take events of this class (design 3.8: statuses enter the mailbox only then)."""
        kinds = {handler.kind for handler in self.handlers} - {"error"}
        return any(issubclass(event, BRINGS[kind]) for kind in kinds)

    @property
    def wants_stale(self) -> bool:
        """Whether any handler takes messages that came too late to be answered."""
        return bool(self._stale)

    async def select(self, turn: Turn) -> Selected | Unmatched:
        """Find the first handler that takes `turn`: those of its payload, then of its event, then the unhandled ones.

        Raises:
            Exception: what a custom filter raised.
        """
        tried: list[Tried] = []
        guards: dict[Filter, Match | Miss] = {}
        for route in self._candidates(turn):
            captures = await _match(route, turn, guards)
            if not isinstance(captures, Miss):
                return Selected(route.handler, route.plan, captures, tuple(tried))
            tried.append(Tried(route.handler, captures.reason))
        return Unmatched(tuple(tried))

    async def trace(self, turn: Turn) -> Trace:
        """Look at every handler that `select` may try, those after the winner too, for a developer: see `Trace`. Nothing is raised."""
        candidates = [await traced(route.handler, route.plan, turn) for route in self._candidates(turn)]
        return Trace(tuple(candidates), others=len(self.handlers) - len(candidates))

    async def run(self, selected: Selected, ctx: Turn, scope: TurnScope) -> None:
        """Call the selected handler through its middleware. What it needs is loaded and made inside of them.

        Args:
            selected: what `select` answered.
            ctx: the context, of the class that the routes were built for.
            scope: holds the states and what factories made; the caller opens and leaves it.

        Raises:
            Exception: what the handler, a middleware, a factory or the loader raised, `Retry` among them.
        """

        async def call() -> None:
            arguments = await scope.arguments(selected.plan, Given(ctx, selected.captures))
            await selected.handler.fn(**arguments)

        await _through(selected.handler.middleware, ctx, call)

    async def run_error(self, error: Exception, ctx: Turn, scope: TurnScope, selected: Selected | None = None) -> bool:
        """Call the first error handler for `error`: of the failed handler's router, then of those around it. No middleware.

        Args:
            error: what `run` or `select` raised. `Retry` is no error: it finds no handler.
            ctx: the context.
            scope: a scope of its own, not that of the failed handler.
            selected: the handler that failed; without it only the outermost router is asked.

        Returns:
            Whether a handler settled it.

        Raises:
            Exception: what the error handler raised.
        """
        if isinstance(error, Retry):
            return False
        path = selected.handler.path if selected else ()
        guards: dict[Filter, Match | Miss] = {}
        for route in self._errors:
            covers = path[: len(route.handler.path)] == route.handler.path or len(route.handler.path) == 1
            if not covers or not isinstance(error, route.handler.errors):
                continue
            captures = await _match(route, ctx, guards)
            if not isinstance(captures, Miss):
                await route.handler.fn(**await scope.arguments(route.plan, Given(ctx, captures, error)))
                return True
        return False

    def _candidates(self, turn: Turn) -> Iterable[_Route]:
        event = type(turn.event)
        if turn.old:
            return self._stale if event in BRINGS["stale"] else ()
        tapped = self._tapped if turn.action is not None or _is_tap(turn.event) else ()  # the latter to say why not
        return chain(tapped, self._by_event.get(event, ()), self._unhandled if event in BRINGS["unhandled"] else ())


def _is_tap(event: Event) -> bool:
    return isinstance(event, Inbound) and event.tap is not None


async def _match(route: _Route, turn: Turn, guards: dict[Filter, Match | Miss]) -> Mapping[str, object] | Miss:
    """Return the captures if all filters of a route hold; `guards` remembers those that many handlers share."""
    handler = route.handler
    refusal = handler.refusal(turn)
    if refusal is not None:
        return refusal
    captures: dict[str, str] = {}
    for guard in handler.guards:
        if guard not in guards:
            guards[guard] = await guard.check(turn)
        verdict = guards[guard]
        if isinstance(verdict, Miss):
            return verdict
        captures.update(verdict.captures)
    for condition in handler.filters:
        verdict = await condition.check(turn)
        if isinstance(verdict, Miss):
            return verdict
        captures.update(verdict.captures)
    values = route.plan.convert(captures)
    return values if isinstance(values, Miss) else {**captures, **values}


async def _through(middleware: tuple[Middleware, ...], ctx: Turn, call: Callable[[], Awaitable[None]]) -> None:
    if not middleware:
        await call()
        return
    called = False

    async def call_next() -> None:
        nonlocal called
        if called:
            raise RuntimeError(f"middleware {middleware[0]!r} called call_next twice: a turn is handled once")
        called = True
        await _through(middleware[1:], ctx, call)

    await middleware[0](ctx, call_next)


def _plan(handler: Handler, wiring: Wiring) -> Plan:
    site = _site(handler)
    if not inspect.iscoroutinefunction(handler.fn):
        wiring.report(site, "it is not an async function", f"write `async def {handler.name}(...)`")
    return wiring.plan(site)


def _site(handler: Handler) -> Site:
    return Site(
        fn=handler.fn,
        who=f"{handler.name} {handler.decorator}",
        where=handler.where,
        brings=BRINGS[handler.kind],
        action=handler.action,
        errors=handler.errors,
        captures=frozenset().union(*(condition.names for condition in (*handler.guards, *handler.filters))),
        namespace=handler.namespace,
    )


def _check_errors(handlers: tuple[Handler, ...], wiring: Wiring) -> None:
    """Report error handlers of an inner router that has nothing else: they would never be called."""
    paths = [handler.path for handler in handlers if handler.kind != "error"]
    for handler in handlers:
        depth = len(handler.path)
        if handler.kind == "error" and depth > 1 and not any(path[:depth] == handler.path for path in paths):
            remedy = "put it on the router that includes this one"
            wiring.report(_site(handler), "it covers no handler: its router has none", remedy)


def _check_schedules(handlers: tuple[Handler, ...], wiring: Wiring) -> None:
    """Report schedules of one name: what is known of them is kept by it."""
    known: dict[str, Handler] = {}
    for handler in handlers:
        if handler.schedule is not None and (first := known.setdefault(handler.schedule.name, handler)) is not handler:
            problem = f"another schedule is called {handler.schedule.name!r}, at {first.where}"
            wiring.report(_site(handler), problem, "give one of them another name=")
