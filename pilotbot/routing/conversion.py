"""Captures become values: the converter of an annotation, which refuses text that does not fit."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from inspect import Parameter, isclass
from typing import Final, Literal, get_args, get_origin

from pilotbot.replies import fold

Converter = Callable[[str], object]

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,4000}\s*")
_FRACTION = re.compile(r"\s*[+-]?[0-9]{1,4000}(?:\.[0-9]{1,4000})?\s*")

_MISSING: Final = object()
_YES_NO: Final = {
    **dict.fromkeys(("true", "yes", "y", "sim", "s", "on", "1"), True),
    **dict.fromkeys(("false", "no", "n", "nao", "off", "0"), False),
}


def converter(annotation: object) -> Converter | None:
    """Return what turns a capture into `annotation`, or None when captures cannot become that.

    A converter raises ValueError for text that does not fit. Known are str (also for no annotation), int, float,
    Decimal (digits and a point), date (ISO 8601), bool (yes/no, sim/não, ...), an Enum (a value or a name) and a
    Literal. Choices are matched as they are written, then without case, accents and punctuation; see `clash`.
    """
    if annotation is Parameter.empty:
        return str
    choices = _choices(annotation)
    if choices is not None:
        return _one_of(choices)
    return _SIMPLE.get(annotation) if isclass(annotation) else None


def clash(annotation: object) -> tuple[str, str] | None:
    """Return two choices of an Enum or a Literal that a text could not tell apart, if there are such."""
    seen: dict[str, tuple[str, object]] = {}
    for text, value in _choices(annotation) or ():
        other, same = seen.setdefault(fold(text) or text.strip(), (text, value))
        if type(same) is not type(value) or same != value:
            return other, text
    return None


def _choices(annotation: object) -> tuple[tuple[str, object], ...] | None:
    """The choices of an Enum or a Literal, each as it is written; None for other annotations."""
    if get_origin(annotation) is Literal:
        return tuple((str(value), value) for value in get_args(annotation))
    if isclass(annotation) and issubclass(annotation, Enum):
        return (*((str(member.value), member) for member in annotation), *annotation.__members__.items())
    return None


def _one_of(choices: Iterable[tuple[str, object]]) -> Converter:
    written = {text.strip(): value for text, value in choices}
    folded = {key: value for text, value in written.items() if (key := fold(text))}

    def convert(text: str) -> object:
        found = written.get(text.strip(), _MISSING)
        if found is _MISSING:
            found = folded.get(fold(text), _MISSING)
        if found is _MISSING:
            raise ValueError("not one of the choices")
        return found

    return convert


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("not a whole number")
    return int(text)


def _fraction(text: str) -> str:
    if not _FRACTION.fullmatch(text):
        raise ValueError("not a number")
    return text.strip()


def _float(text: str) -> float:
    value = float(_fraction(text))
    if not math.isfinite(value):
        raise ValueError("too large")
    return value


_SIMPLE: Final[Mapping[type, Converter]] = {
    str: str,
    int: _whole,
    float: _float,
    Decimal: lambda text: Decimal(_fraction(text)),
    date: lambda text: date.fromisoformat(text.strip()),
    bool: _one_of(_YES_NO.items()),
}
