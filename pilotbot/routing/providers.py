"""What handlers may ask for beside what the framework knows: types, and the factories that make them."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from inspect import isclass
from typing import Any, TypeAlias, TypeVar

from pilotbot.routing.conversion import converter
from pilotbot.routing.source import defining_names, where

T = TypeVar("T")

Factory: TypeAlias = Callable[..., T | Awaitable[T] | AsyncIterator[T] | AbstractAsyncContextManager[T]]
"""Makes a T: at once, asynchronously, or for as long as the turn lasts. Its own parameters are injected."""


@dataclass(frozen=True, slots=True)
class Provider:
    """How a type is made: `factory` with its place in the code."""

    kind: type[object]
    factory: Callable[..., Any]
    opens: bool
    where: str
    namespace: Mapping[str, object] = field(repr=False)


class Provided:
    """The types that handlers may ask for, beside those the framework knows, each with its factory."""

    def __init__(self) -> None:
        self._providers: dict[type[object], Provider] = {}

    def provide(self, kind: type[T], factory: Factory[T], *, replace: bool = False) -> None:
        """Have `factory` make every `kind` that a handler or another factory asks for, at most once a turn.

        Args:
            kind: the annotation that asks for it. For a Protocol or an abstract class mypy wants its `type-abstract` disabled.
            factory: a function or class that returns the value, an async function, or an async generator (also under
                `asynccontextmanager`) that yields it once and is closed after the turn. Its own parameters are
                injected likewise.
            replace: whether `kind` may have a factory already, as when a test puts a stand-in there.

        Raises:
            TypeError: `kind` is no class or one that says too little, or `factory` cannot be used.
            ValueError: `kind` has a factory and `replace` is not set.
        """
        if not isclass(kind) or converter(kind) is not None or kind is object:
            raise TypeError(f"provide({kind!r}, ...): give a class of your own, which says what is wanted")
        if not callable(factory):
            raise TypeError(f"provide({kind.__name__}, ...) needs a factory: a function, or `lambda: value` for a shared one")
        if inspect.isgeneratorfunction(factory):
            raise TypeError(f"provide({kind.__name__}, ...): the factory is a plain generator: make it `async def`")
        if kind in self._providers and not replace:
            raise ValueError(f"{kind.__name__} is provided already at {self._providers[kind].where}: pass replace=True")
        self._providers[kind] = Provider(
            kind=kind,
            factory=asynccontextmanager(factory) if inspect.isasyncgenfunction(factory) else factory,
            opens=inspect.isasyncgenfunction(inspect.unwrap(factory)),
            where=where(factory),
            namespace=defining_names(factory),
        )

    def update(self, other: "Provided") -> None:
        """Take over what `other` provides: all of it, or nothing.

        Raises:
            ValueError: both provide the same type.
        """
        self.check(other)
        self._providers.update(other._providers)  # noqa: SLF001 - its own class

    def check(self, other: "Provided") -> None:
        """Raise ValueError where both provide the same type."""
        for kind, provider in other._providers.items():  # noqa: SLF001 - its own class
            if kind in self._providers:
                raise ValueError(f"{kind.__name__} is provided twice: {self._providers[kind].where} and {provider.where}")

    def get(self, kind: object) -> Provider | None:
        """Return the provider of `kind`, an annotation, if there is one."""
        return self._providers.get(kind) if isclass(kind) else None

    @property
    def kinds(self) -> tuple[type[object], ...]:
        """All types that are provided."""
        return tuple(self._providers)
