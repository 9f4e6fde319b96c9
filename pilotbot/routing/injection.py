"""Dependency injection: a function says by annotation what it needs; what it will be given is settled when the bot is built.

A `Site` is a function and what there is to give where it stands, a `Plan` is where each of its parameters comes from.
`Wiring` makes plans and collects every problem, so that one `WiringError` lists them all.
"""

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from inspect import Parameter, isclass
from typing import Any, Union, get_args, get_origin

from pilotbot.contacts.state import State
from pilotbot.events.models import Event
from pilotbot.replies import Action
from pilotbot.routing.conversion import Converter, clash, converter
from pilotbot.routing.filters import Miss
from pilotbot.routing.providers import Provided, Provider
from pilotbot.routing.source import parameters


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the wiring: where it is, what is wrong, what to do."""

    where: str
    who: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where} {self.who}\n    {self.what}\n    -> {self.remedy}"


class WiringError(Exception):
    """What handlers ask for cannot be given. `problems` has every one of them, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} {'problem' if count == 1 else 'problems'} in the wiring of the bot:\n{listed}")


# --- plans -----------------------------------------------------------------------------------------------------------


class Direct(Enum):
    """What a turn has at hand."""

    CONTEXT = auto()
    EVENT = auto()
    ACTION = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class FromState:
    """A state of the chat, loaded once a turn."""

    cls: type[State]


@dataclass(frozen=True, slots=True)
class FromProvided:
    """What a factory makes, once a turn. `opens`: it is a context, closed after the turn."""

    kind: type[object]
    factory: Callable[..., Any]
    opens: bool
    plan: "Plan"


@dataclass(frozen=True, slots=True)
class FromCapture:
    """A named part of the text. `fallback` is for a part that is missing; `Parameter.empty` means that it may not be."""

    convert: Converter
    wanted: str
    fallback: object


Source = Direct | FromState | FromProvided | FromCapture


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each parameter comes from; those that keep their default are not in it."""

    sources: Mapping[str, Source] = field(default_factory=dict)

    def convert(self, captures: Mapping[str, str]) -> Mapping[str, object] | Miss:
        """Return the values of the parameters that are captures, or why one does not fit (without its text)."""
        values: dict[str, object] = {}
        for name, source in self.sources.items():
            if not isinstance(source, FromCapture):
                continue
            text = captures.get(name)
            if text is None and source.fallback is Parameter.empty:
                return Miss(f"{name}: that part of the text is missing")
            try:
                values[name] = source.fallback if text is None else source.convert(text)
            except ValueError:
                return Miss(f"{name}: that part of the text is no {source.wanted}")
        return values


# --- making plans ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Site:
    """A function that the framework will call, and what there is to give where it stands.

    `brings` are the events that may have begun the turn, `action` the payload class that it has for certain, `errors`
    the exceptions it may be about, `captures` the named parts of the text.
    """

    fn: Callable[..., Any]
    who: str
    where: str
    brings: tuple[type[Event], ...] = (Event,)
    action: type[Action] | None = None
    errors: tuple[type[Exception], ...] = ()
    captures: frozenset[str] = frozenset()
    namespace: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Unfit:
    what: str
    remedy: str


class Wiring:
    """Makes plans and collects what is wrong.

    Args:
        context_type: the class that handlers are given as their context.
        provided: the factories.
    """

    def __init__(self, context_type: type[object], provided: Provided) -> None:
        self.problems: list[Problem] = []
        self._contexts = context_type.__mro__[:-1]  # without object, which says nothing
        self._provided = provided
        self._made: dict[type[object], FromProvided] = {}
        self._trail: list[Provider] = []

    def plan(self, site: Site) -> Plan:
        """Return where the parameters of `site` come from; what cannot be given is added to `problems`."""
        try:
            listed = parameters(site.fn, site.namespace)
        except NameError as error:
            remedy = "import it outside `if TYPE_CHECKING:`, and define it before the bot is built"
            self.report(site, f"an annotation names `{error.name}`, which does not exist at run time", remedy)
            return Plan()
        except (AttributeError, SyntaxError, TypeError, ValueError) as error:
            self.report(site, f"its annotations cannot be read: {error}", "annotate each parameter with a class")
            return Plan()
        sources: dict[str, Source] = {}
        for parameter, annotation in listed:
            source = self._source(site, parameter, annotation)
            if isinstance(source, _Unfit):
                self.report(site, f"parameter `{_shown(parameter, annotation)}`: {source.what}", source.remedy)
            elif source is not None:
                sources[parameter.name] = source
        return Plan(sources)

    def report(self, site: Site, what: str, remedy: str) -> None:
        """Add a problem of `site`."""
        self.problems.append(Problem(site.where, site.who, what, remedy))

    def finish(self) -> None:
        """Check the factories that nobody asked for too, then raise what was found.

        Raises:
            WiringError: there are problems; it lists all of them.
        """
        for kind in self._provided.kinds:
            self._from_provided(kind)
        if self.problems:
            raise WiringError(self.problems)

    def _source(self, site: Site, parameter: Parameter, annotation: object) -> Source | _Unfit | None:
        """Find where one parameter comes from; None where it keeps its default."""
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            return _Unfit("nothing is ever given to it", "name the parameters that you need")
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            return _Unfit("it is positional only, and arguments are given by name", "take the / out")
        known = self._known(site, _members(annotation))
        if known is not None:
            return known
        if parameter.name in site.captures:
            return _capture(parameter, annotation)
        return None if parameter.default is not Parameter.empty else _nobody(parameter, annotation)

    def _known(self, site: Site, wanted: tuple[Any, ...]) -> Source | _Unfit | None:
        """Find where a type comes from that the framework or a factory knows; None for others."""
        if _all_below(wanted, Event):
            return _event(site, wanted)
        if _all_below(wanted, BaseException):
            return _error(site, wanted)
        if _all_below(wanted, Action):
            return _action(site, wanted)
        if len(wanted) != 1 or not isclass(wanted[0]):
            return None
        if wanted[0] in self._contexts:
            return Direct.CONTEXT
        return _state(wanted[0]) if issubclass(wanted[0], State) else self._from_provided(wanted[0])

    def _from_provided(self, kind: type[object]) -> FromProvided | _Unfit | None:
        """Make the source of a provided type, once; None where nobody provides it."""
        if kind in self._made:
            return self._made[kind]
        provider = self._provided.get(kind)
        if provider is None:
            return None
        if provider in self._trail:
            circle = [step.kind.__name__ for step in self._trail[self._trail.index(provider) :]]
            return _Unfit(f"it needs itself: {' -> '.join([*circle, kind.__name__])}", "take one of these needs away")
        self._trail.append(provider)
        who = f"factory of {kind.__name__}"
        plan = self.plan(Site(provider.factory, who, provider.where, namespace=provider.namespace))
        self._trail.pop()
        made = self._made[kind] = FromProvided(kind, provider.factory, provider.opens, plan)
        return made


def _event(site: Site, wanted: tuple[Any, ...]) -> Direct | _Unfit:
    missing = [brought.__name__ for brought in site.brings if not issubclass(brought, wanted)]
    if not missing:
        return Direct.EVENT
    brought = " | ".join(cls.__name__ for cls in site.brings)
    return _Unfit(f"the event here may be of {' or '.join(missing)}", f"ask for {brought}, or use another decorator")


def _error(site: Site, wanted: tuple[Any, ...]) -> Direct | _Unfit:
    if not site.errors:
        return _Unfit("only an error handler is given an exception", f"use @bot.error({wanted[0].__name__})")
    if all(issubclass(error, wanted) for error in site.errors):
        return Direct.ERROR
    handled = " | ".join(error.__name__ for error in site.errors)
    return _Unfit(f"this handles {handled}", f"ask for {handled}, or for Exception")


def _action(site: Site, wanted: tuple[Any, ...]) -> Direct | _Unfit:
    if site.action is None:
        return _Unfit(f"only a tap brings a {wanted[0].__name__}", f"use @bot.tapped({wanted[0].__name__})")
    if issubclass(site.action, wanted):
        return Direct.ACTION
    return _Unfit(f"the tap here brings a {site.action.__name__}", f"ask for {site.action.__name__}")


def _state(wanted: type[State]) -> FromState | _Unfit:
    if wanted is State:
        return _Unfit("State has no fields", "ask for your own subclass of it")
    return FromState(wanted)


def _capture(parameter: Parameter, annotation: object) -> FromCapture | _Unfit:
    members = _members(annotation)
    convert = converter(members[0]) if len(members) == 1 else None
    if convert is None:
        remedy = "ask for str, int, float, Decimal, date, bool, an Enum or a Literal"
        return _Unfit("a part of the text cannot become that", remedy)
    if (same := clash(members[0])) is not None:
        return _Unfit(f"a text could not tell {same[0]!r} from {same[1]!r}", "make them differ in more than case, accents or punctuation")
    optional = type(None) in get_args(annotation) and parameter.default is Parameter.empty
    fallback = None if optional else parameter.default
    return FromCapture(convert, "text" if annotation is Parameter.empty else _named(members[0]), fallback)


def _nobody(parameter: Parameter, annotation: object) -> _Unfit:
    if annotation is Parameter.empty:
        return _Unfit("it has no annotation", "say what it is, such as `ctx: Context`")
    if converter(_members(annotation)[0]) is not None:
        remedy = f"capture it, as with pattern(r'(?P<{parameter.name}>...)'), or give it a default"
        return _Unfit("no filter captures it", remedy)
    name = _named(annotation)
    return _Unfit(f"nobody provides {name}", f"bot.provide({name}, factory), or give it a default")


def _members(annotation: object) -> tuple[Any, ...]:
    """Return the classes of a union without None, or the annotation alone."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(member for member in get_args(annotation) if member is not type(None))
    return (annotation,)


def _all_below(wanted: tuple[object, ...], base: type[object]) -> bool:
    return all(isclass(one) and one is not Parameter.empty and issubclass(one, base) for one in wanted)


def _named(annotation: object) -> str:
    return annotation.__name__ if isclass(annotation) else str(annotation).replace("typing.", "")


def _shown(parameter: Parameter, annotation: object) -> str:
    return parameter.name if annotation is Parameter.empty else f"{parameter.name}: {_named(annotation)}"
