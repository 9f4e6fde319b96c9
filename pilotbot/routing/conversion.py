"""Captures become values: the converter of an annotation, which refuses text that does not fit."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from inspect import Parameter, isclass
from typing import Final, Literal, get_args, get_origin

from pilotbot.replies import fold

Converter = Callable[[str], object]

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,4000}\s*")
_FRACTION = re.compile(r"\s*[+-]?[0-9]{1,4000}(?:\.[0-9]{1,4000})?\s*")

_YES_NO: Final = {
    **dict.fromkeys(("true", "yes", "y", "sim", "s", "on", "1"), True),
    **dict.fromkeys(("false", "no", "n", "nao", "off", "0"), False),
}


def converter(annotation: object) -> Converter | None:
    """Return what turns a capture into `annotation`, or None when captures cannot become that.

    A converter raises ValueError for text that does not fit. Known are str (also for no annotation), int, float,
    Decimal (digits and a point), date (ISO 8601), bool (yes/no, sim/não, ...), an Enum (a value or a name) and a
    Literal; case and accents of words make no difference.
    """
    if annotation is Parameter.empty:
        return str
    if get_origin(annotation) is Literal:
        return _one_of({fold(str(value)): value for value in get_args(annotation)})
    if isclass(annotation) and issubclass(annotation, Enum):
        by_name = {fold(name): member for name, member in annotation.__members__.items()}
        return _one_of(by_name | {fold(str(member.value)): member for member in annotation})
    return _SIMPLE.get(annotation) if isclass(annotation) else None


def _one_of(choices: Mapping[str, object]) -> Converter:
    def convert(text: str) -> object:
        key = fold(text)
        if key not in choices:
            raise ValueError("not one of the choices")
        return choices[key]

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
    bool: _one_of(_YES_NO),
}
