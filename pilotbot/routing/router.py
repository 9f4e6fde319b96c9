"""Router: decorators that tie handlers to events, with filters, middleware and nesting.

    shop = Router("shop")

    @shop.received(words("order", "pedido"))
    async def order_status(ctx: Context) -> None: ...

    bot.include(shop)

Handlers are tried in the order in which they were written; an included router stands where it was included. What a
handler asks for is checked when the bot is built (`Routes.build`), not here.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from apscheduler.triggers.base import BaseTrigger

from pilotbot.events.models import StatusName
from pilotbot.replies import Action, Policy
from pilotbot.routing.conditions import alert_is, change_is, queue_is, status_is
from pilotbot.routing.filters import Filter
from pilotbot.routing.handler import Handler, HandlerFn, Kind, Middleware
from pilotbot.routing.source import defining_names, variable, where
from pilotbot.schedule import Missed, Schedule, crontab, interval, spelled

F = TypeVar("F", bound=HandlerFn)
M = TypeVar("M", bound=Middleware)


@dataclass(frozen=True, slots=True)
class _Inclusion:
    router: "Router"
    guards: tuple[Filter, ...]


class Router:
    """A named list of handlers, middleware and other routers.

    Args:
        name: what logs and messages call it.
        policy: what holds for what its handlers say, unless a call says otherwise; what it leaves out is as further out.

    Attributes:
        parent: the router that includes it.
    """

    def __init__(self, name: str, *, policy: Policy | None = None) -> None:
        if not name or not name.strip():
            raise ValueError("a router needs a name, such as Router('shop')")
        self.name = name
        self.policy = policy or Policy()
        self._entries: list[Handler | _Inclusion] = []
        self._middleware: list[Middleware] = []
        self.parent: Router | None = None

    def __repr__(self) -> str:
        return f"Router({self.name!r})"

    # --- what a contact sends ---

    def received(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `message.received`: a contact wrote to us. All `filters` must hold."""
        return self._decorator("received", filters)

    def reply(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `message.reply`: a contact quoted one of our messages."""
        return self._decorator("reply", filters)

    def message(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `message.received` and `message.reply` alike."""
        return self._decorator("message", filters)

    def group(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `message.group`: a member wrote in a group that our number is in."""
        return self._decorator("group", filters)

    def newsletter(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `message.newsletter`: a post in a channel that our number follows."""
        return self._decorator("newsletter", filters)

    def tapped(self, action: type[Action], *filters: Filter) -> Callable[[F], F]:
        """Handle the choice of an option with this payload, however it was chosen: a tap, its label, its number.

        Tried before the handlers of the event that brought the choice.

        Raises:
            TypeError: `action` is not an `Action` class.
        """
        if not (inspect.isclass(action) and issubclass(action, Action)):
            raise TypeError(f"@{self.name}.tapped(...) takes an Action class first; it was given {action!r}")
        return self._decorator("tapped", filters, action=action)

    def unhandled(self, *filters: Filter) -> Callable[[F], F]:
        """Handle a contact's message (received or reply, never a group's) that no other handler took."""
        return self._decorator("unhandled", filters)

    def stale(self, *filters: Filter) -> Callable[[F], F]:
        """Handle a message that came so long after it was written that nobody expects an answer: PILOTBOT_STALE_AFTER_SECONDS, a day.

        No other handler sees it; without such a handler it only says when the contact last wrote.
        """
        return self._decorator("stale", filters)

    # --- what else happens ---

    def status(self, *names: StatusName | Filter) -> Callable[[F], F]:
        """Handle a status of a message of ours: sent, delivered, read, failed; any without names. Filters may follow."""
        return self._decorator("status", self._named(names, status_is))

    def number(self, *changes: str | Filter) -> Callable[[F], F]:
        """Handle `number.*` of our numbers: connected, disconnected, ...; any without names. Filters may follow."""
        return self._decorator("number", self._named(changes, change_is))

    def call(self, *changes: str | Filter) -> Callable[[F], F]:
        """Handle `call.*`: ringing, connected, ended, missed, ...; any without names. Filters may follow."""
        return self._decorator("call", self._named(changes, change_is))

    def lead(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `lead.received`: the form of an advertisement was filled in."""
        return self._decorator("lead", filters)

    def flow_response(self, *filters: Filter) -> Callable[[F], F]:
        """Handle `flow.response_received`: a contact filled in a WhatsApp Flow; `event.flow_token` says which one was sent to them."""
        return self._decorator("flow_response", filters)

    def alert(self, *whats: str | Filter) -> Callable[[F], F]:
        """Handle what people should know of: a number that does not send, such as "disconnected", "health_blocked" or "refused".

        Any without names; filters may follow. There is nobody to answer: use `ctx.notify`, or another way than that number.
        """
        return self._decorator("alert", self._named(whats, alert_is))

    # --- when a person has the chat ---

    def handed_over(self, *queues: str | Filter) -> Callable[[F], F]:
        """Handle that a person has the chat from now on; in these queues, or in any. Filters may follow. Answers go to the contact."""
        return self._decorator("handed_over", self._named(queues, queue_is))

    def handed_back(self, *filters: Filter) -> Callable[[F], F]:
        """Handle that the bot has the chat again; `ctx.kept_messages()` has what was written meanwhile."""
        return self._decorator("handed_back", filters)

    # --- what time brings ---

    def cron(self, expression: str, *, timezone: str = "UTC", missed: Missed = "coalesce", name: str | None = None) -> Callable[[F], F]:
        """Run at the times of a crontab: minute, hour, day of month, month, day of week (mon-fri; 0 and 7 are Sunday).

        However many processes there are, each time is one run. The event is a `ScheduledRun`; there is nobody to answer: use
        `ctx.notify`. When the clocks change, a time that does not exist is as much later, one that comes twice is meant the first time.

        Args:
            expression: such as "0 9 * * mon-fri".
            timezone: such as "America/Sao_Paulo".
            missed: what becomes of times that are a minute late or more, after a stop: the latest stands for all ("coalesce"), each
                is run ("run", the newest 1,000), or none is ("skip").
            name: what it is known by, also in later versions of the bot; the function's name by default.

        Raises:
            TypeError, ValueError: the expression, the zone, `missed` or the name is wrong.
        """
        trigger = crontab(expression, timezone)
        return self._scheduled(trigger, f"cron({json.dumps(expression)}, timezone={json.dumps(timezone)})", missed, name)

    def every(self, span: timedelta, *, missed: Missed = "coalesce", name: str | None = None) -> Callable[[F], F]:
        """Run every so often: `every(minutes(5))`, counted from 1970-01-01 00:00 UTC. Else as `cron`.

        Raises:
            TypeError, ValueError: `span` is not of whole seconds, one or more; `missed` or the name is wrong.
        """
        return self._scheduled(interval(span), f"every({spelled(span)})", missed, name)

    def schedule(self, trigger: BaseTrigger, *, missed: Missed = "coalesce", name: str | None = None) -> Callable[[F], F]:
        """Run at the times of any trigger of APScheduler 3. Else as `cron`.

        Raises:
            TypeError, ValueError: it is no trigger, has no times or other ones in every process; `missed` or the name is wrong.
        """
        return self._scheduled(trigger, "", missed, name)

    def error(self, *types: type[Exception] | Filter) -> Callable[[F], F]:
        """Handle what this router's handlers, and those of routers below it, raise: these types, or any `Exception`.

        Raises:
            TypeError: a type that is not an Exception class.
        """
        errors = tuple(item for item in types if inspect.isclass(item))
        for error in errors:
            if not issubclass(error, Exception):
                raise TypeError(f"@{self.name}.error(...) takes Exception classes; it was given {error!r}")
        filters = tuple(item for item in types if not inspect.isclass(item))
        return self._decorator("error", filters, errors=errors or (Exception,))

    # --- composition ---

    def include(self, router: "Router", *filters: Filter) -> None:
        """Nest `router` here, after what was written so far; `filters` guard all that is in it.

        Raises:
            ValueError: it is included already, contains this router, or shares its name with a sibling.
        """
        if router.parent is not None:
            raise ValueError(f"{router!r} is already included in {router.parent!r}: a router stands in one place")
        if router in self._lineage():
            raise ValueError(f"{router!r} contains {self!r}: including it would make a circle")
        if any(isinstance(entry, _Inclusion) and entry.router.name == router.name for entry in self._entries):
            raise ValueError(f"{self!r} includes a {router!r} already: give them different names")
        self._entries.append(_Inclusion(router, self._checked(f"include({router.name})", filters)))
        router.parent = self

    def middleware(self, fn: M) -> M:
        """Run `async def fn(ctx, call_next)` around every handler of this router and of those below it.

        The first middleware is the outermost. It calls `await call_next()` once, or not at all to keep the event from
        its handler.

        Raises:
            TypeError: `fn` is not an async function of two parameters.
        """
        if not _is_middleware(fn):
            name = getattr(fn, "__name__", type(fn).__name__)
            raise TypeError(f"{where(fn)} {name} @{self.name}.middleware: write `async def {name}(ctx, call_next)`")
        self._middleware.append(fn)
        return fn

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """All handlers, those of included routers too, in the order in which they are tried."""
        return tuple(self._all())

    def _all(self) -> Iterator[Handler]:
        for entry in self._entries:
            if isinstance(entry, Handler):
                yield replace(entry, middleware=tuple(self._middleware), policy=self.policy)
                continue
            for inner in entry.router.handlers:
                yield replace(
                    inner,
                    path=(self.name, *inner.path),
                    guards=(*entry.guards, *inner.guards),
                    middleware=(*self._middleware, *inner.middleware),
                    policy=inner.policy.over(self.policy),
                )

    def _lineage(self) -> Iterator["Router"]:
        router: Router | None = self
        while router is not None:
            yield router
            router = router.parent

    # --- making handlers ---

    def _scheduled(self, trigger: BaseTrigger, definition: str, missed: Missed, name: str | None) -> Callable[[F], F]:
        def decorate(fn: F) -> F:
            schedule = Schedule(getattr(fn, "__name__", "") if name is None else name, trigger, missed, definition)
            return self._decorator("scheduled", (), schedule=schedule)(fn)

        return decorate

    def _decorator(
        self,
        kind: Kind,
        filters: tuple[object, ...],
        *,
        action: type[Action] | None = None,
        schedule: Schedule | None = None,
        errors: tuple[type[Exception], ...] = (),
    ) -> Callable[[F], F]:
        checked = self._checked(kind, filters)

        def decorate(fn: F) -> F:
            if not (inspect.isfunction(fn) or inspect.ismethod(fn)):
                raise TypeError(f"@{self.name}.{kind}() decorates an async function; it was given {fn!r}")
            names = defining_names(fn)
            self._entries.append(
                Handler(
                    kind=kind,
                    fn=fn,
                    where=where(fn),
                    router=variable(self, fn, names) or self.name,
                    filters=checked,
                    action=action,
                    schedule=schedule,
                    errors=errors,
                    path=(self.name,),
                    namespace=names,
                )
            )
            return fn

        return decorate

    def _checked(self, what: str, filters: tuple[object, ...]) -> tuple[Filter, ...]:
        for item in filters:
            if inspect.isfunction(item) or inspect.ismethod(item):
                raise TypeError(
                    f"{self.name}.{what} was given the function {item.__name__}: write `@{self.name}.{what}()`, with "
                    f"parentheses, to make it a handler, or `custom({item.__name__})` to use it as a filter"
                )
            if not isinstance(item, Filter):
                raise TypeError(f"{self.name}.{what} takes filters, such as words('order'); it was given {item!r}")
        return tuple(item for item in filters if isinstance(item, Filter))

    @staticmethod
    def _named(items: tuple[str | Filter, ...], make: Callable[..., Filter]) -> tuple[object, ...]:
        names = [item for item in items if isinstance(item, str)]
        return (*((make(*names),) if names else ()), *(item for item in items if not isinstance(item, str)))


def _is_middleware(fn: object) -> bool:
    """Whether it is an async function that can be called with the context and what calls the next one."""
    if not inspect.iscoroutinefunction(fn):
        return False
    try:
        inspect.signature(fn).bind("ctx", "call_next")
    except TypeError:
        return False
    return True
