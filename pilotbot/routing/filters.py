"""Filters: what a message must be for a handler to get it, and why it was not.

A filter answers `Match` (with what it captured) or `Miss` (with the reason). Filters are joined with `&`, `|` and `~`.
A reason names the filter and what was seen in general terms: it is logged, so it never holds a contact's text or
phone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from pilotbot.routing.turn import Turn


@dataclass(frozen=True, slots=True)
class Match:
    """The filter held. `captures` are the named parts it took from the text."""

    captures: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Miss:
    """The filter did not hold, and why, in words that may be logged."""

    reason: str


HELD: Final = Match()


class Filter(ABC):
    """A condition on a turn. Subclasses write `check` and a `__repr__` that reads like the code that made them."""

    __slots__ = ()

    @property
    def names(self) -> frozenset[str]:
        """The captures that a match may bring."""
        return frozenset()

    @property
    def parts(self) -> tuple["Filter", ...]:
        """The filters that it is made of, where it joins or turns round others."""
        return ()

    @abstractmethod
    async def check(self, turn: Turn) -> Match | Miss:
        """Tell whether the filter holds for `turn`; a `Miss` says why not."""

    def __and__(self, other: "Filter") -> "Filter":
        return _All((*_parts(self, _All), *_parts(other, _All))) if isinstance(other, Filter) else NotImplemented

    def __or__(self, other: "Filter") -> "Filter":
        return _Any((*_parts(self, _Any), *_parts(other, _Any))) if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> "Filter":
        return _Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no truth value by itself: join filters with & | ~, not with and, or, not")


# --- algebra ---------------------------------------------------------------------------------------------------------


class _Joined(Filter):
    """Several filters under one sign."""

    __slots__ = ("_joined",)
    sign: str

    def __init__(self, parts: tuple[Filter, ...]) -> None:
        self._joined = parts

    @property
    def parts(self) -> tuple[Filter, ...]:
        return self._joined

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names for part in self.parts))

    def __repr__(self) -> str:
        return f" {self.sign} ".join(f"({part!r})" if isinstance(part, _Joined) else repr(part) for part in self.parts)


class _All(_Joined):
    __slots__ = ()
    sign = "&"

    async def check(self, turn: Turn) -> Match | Miss:
        captures: dict[str, str] = {}
        for part in self.parts:
            verdict = await part.check(turn)
            if isinstance(verdict, Miss):
                return verdict
            captures.update(verdict.captures)
        return Match(captures) if captures else HELD


class _Any(_Joined):
    __slots__ = ()
    sign = "|"

    async def check(self, turn: Turn) -> Match | Miss:
        reasons: list[str] = []
        for part in self.parts:
            verdict = await part.check(turn)
            if isinstance(verdict, Match):
                return verdict
            reasons.append(verdict.reason)
        return Miss("; ".join(reasons))


class _Not(Filter):
    __slots__ = ("_miss", "part")

    def __init__(self, part: Filter) -> None:
        self.part = part
        self._miss = Miss(f"{part!r} held, which is not wanted")

    async def check(self, turn: Turn) -> Match | Miss:
        return HELD if isinstance(await self.part.check(turn), Miss) else self._miss

    @property
    def parts(self) -> tuple[Filter, ...]:
        return (self.part,)

    def __invert__(self) -> Filter:
        return self.part

    def __repr__(self) -> str:
        return f"~({self.part!r})" if isinstance(self.part, _Joined) else f"~{self.part!r}"


def _parts(one: Filter, joined: type[_Joined]) -> tuple[Filter, ...]:
    return one.parts if isinstance(one, joined) else (one,)
