"""What lives as long as one attempt at a turn: the loaded states, and what factories made, closed at the end."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TypeVar, assert_never

from pilotbot.contacts.state import State
from pilotbot.routing.injection import Direct, FromCapture, FromProvided, FromState, Plan, Source
from pilotbot.routing.turn import Turn

S = TypeVar("S", bound=State)

StateLoader = Callable[[type[State]], Awaitable[State]]
"""Loads the chat's state of a class: the stored one, or the defaults."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a turn has at hand for a plan: the context, the converted captures, the exception."""

    ctx: Turn
    captures: Mapping[str, object] = field(default_factory=dict, repr=False)
    error: Exception | None = field(default=None, repr=False)


_AT_HAND: Final[Mapping[Direct, Callable[[Given], object]]] = {
    Direct.CONTEXT: lambda given: given.ctx,
    Direct.EVENT: lambda given: given.ctx.event,
    Direct.ACTION: lambda given: given.ctx.action,
    Direct.ERROR: lambda given: given.error,
}


class TurnScope:
    """Holds one instance a turn of every state and provided type.

        async with TurnScope(load) as scope:
            await routes.run(selected, ctx, scope)
            changed = scope.states           # for the commit

    Leaving it closes what factories opened, last opened first, and shows them the exception if there is one. An error
    handler is run in a scope of its own, so that a failed handler's half-made changes are not saved with it.

    Args:
        load: gives the chat's state of a class.
    """

    __slots__ = ("_load", "_made", "_stack", "_states")

    def __init__(self, load: StateLoader) -> None:
        self._load = load
        self._states: dict[type[State], State] = {}
        self._made: dict[type[object], object] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def states(self) -> tuple[State, ...]:
        """Every state that was loaded, as it is now, in the order of loading."""
        return tuple(self._states.values())

    async def state(self, cls: type[S]) -> S:
        """Return the chat's state of class `cls`: the same object all turn long."""
        held = self._states.get(cls)
        if held is None:
            held = self._states[cls] = await self._load(cls)
        if not isinstance(held, cls):
            raise TypeError(f"the loader gave a {type(held).__name__} for {cls.__name__}")
        return held

    async def arguments(self, plan: Plan, given: Given) -> dict[str, object]:
        """Return the arguments of a planned function, loading and making what it needs."""
        return {name: await self._value(name, source, given) for name, source in plan.sources.items()}

    async def _value(self, name: str, source: Source, given: Given) -> object:
        match source:
            case Direct():
                return _AT_HAND[source](given)
            case FromState():
                return await self.state(source.cls)
            case FromProvided():
                return await self._provided(source, given)
            case FromCapture():
                return given.captures[name]
        assert_never(source)

    async def _provided(self, source: FromProvided, given: Given) -> object:
        if source.kind not in self._made:
            made = source.factory(**await self.arguments(source.plan, given))
            if source.opens:
                made = await self._stack.enter_async_context(made)
            elif inspect.iscoroutine(made):
                made = await made
            self._made[source.kind] = made
        return self._made[source.kind]
