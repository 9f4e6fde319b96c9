"""Captures become values, or are refused."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import Parameter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.routing.conversion import clash, converter


class Size(Enum):
    SMALL = "P"
    LARGE = "Grandão"


class Sign(Enum):
    PLUS = "+"
    MINUS = "-"


class Twins(Enum):
    NO = "Não"
    NAO = "no"


CASES: Mapping[object, tuple[tuple[str, object], ...]] = {
    str: (("x", "x"),),
    Parameter.empty: (("x", "x"),),
    int: (("42", 42), (" -7 ", -7)),
    float: (("1.5", 1.5), ("2", 2.0)),
    Decimal: (("10.50", Decimal("10.50")),),
    date: (("2026-11-20", date(2026, 11, 20)),),
    bool: (("Sim", True), ("NÃO", False), ("yes", True), ("0", False)),
    Size: (("p", Size.SMALL), ("grandao", Size.LARGE), ("large", Size.LARGE)),
    Literal["Avon", 3]: (("avon", "Avon"), ("3", 3)),
    Literal["+", "-"]: (("+", "+"), ("-", "-"), (" - ", "-")),
    Sign: (("+", Sign.PLUS), ("-", Sign.MINUS), ("minus", Sign.MINUS)),
}


@pytest.mark.parametrize(("annotation", "text", "value"), [(a, t, v) for a, pairs in CASES.items() for t, v in pairs])
def test_text_becomes_the_annotation(annotation: object, text: str, value: object) -> None:
    convert = converter(annotation)
    assert convert is not None
    assert convert(text) == value
    assert type(convert(text)) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "4_2"),
        (int, "1.0"),
        (int, ""),
        (int, "9" * 4001),
        (float, "nan"),
        (float, "inf"),
        (float, "9" * 400),
        (Decimal, "NaN"),
        (Decimal, "1e999999"),
        (date, "20/11/2026"),
        (bool, "maybe"),
        (Size, "medium"),
        (Literal["a"], "b"),
        (Literal["+", "-"], "*"),
        (Literal["+", "-"], ""),
        (Sign, "???"),
        (Sign, " "),
        (bool, "?"),
    ],
)
def test_text_that_does_not_fit_is_a_value_error(annotation: object, text: str) -> None:
    convert = converter(annotation)
    assert convert is not None
    with pytest.raises(ValueError, match=r"\w"):
        convert(text)


@pytest.mark.parametrize("annotation", [datetime, list, object, dict[str, str], None, "int"])
def test_other_annotations_have_no_converter(annotation: object) -> None:
    assert converter(annotation) is None


@given(st.sampled_from(list(CASES)), st.text(max_size=20))
def test_no_text_raises_anything_but_value_error(annotation: object, text: str) -> None:
    convert = converter(annotation)
    assert convert is not None
    with suppress(ValueError):
        convert(text)


@pytest.mark.parametrize(
    ("annotation", "same"),
    [
        (Literal["Não", "nao"], ("Não", "nao")),
        (Literal["C", "C++"], ("C", "C++")),
        (Literal["1", 1], ("1", "1")),
        (Twins, ("no", "NO")),
        (Literal["+", "-", "*"], None),
        (Sign, None),
        (Size, None),
        (bool, None),
        (str, None),
        (Parameter.empty, None),
    ],
)
def test_choices_that_a_text_could_not_tell_apart_are_found(annotation: object, same: tuple[str, str] | None) -> None:
    assert clash(annotation) == same
