"""The algebra of filters: joined filters say what their parts say."""

import asyncio
from dataclasses import dataclass
from operator import and_, invert, or_

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events.models import Event, Received
from pilotbot.replies import Action
from pilotbot.routing import Filter, Match, Miss, custom, has_media, has_text, pattern, words


@dataclass
class Ctx:
    text: str
    event: Event
    action: Action | None = None
    our_phone: str | None = None
    tags: frozenset[str] = frozenset()
    bot_name: str = ""
    old: bool = False


def saying(text: str) -> Ctx:
    return Ctx(text, Received(name="message.received", id="1", sender="+5511987650001", text=text))


def verdict(condition: Filter, text: str = "") -> Match | Miss:
    return asyncio.run(condition.check(saying(text)))


def holds(condition: Filter, text: str = "") -> bool:
    return isinstance(verdict(condition, text), Match)


YES = custom(lambda _: True, "yes")
NO = custom(lambda _: False, "no")


def _joins(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.builds(and_, inner, inner) | st.builds(or_, inner, inner) | inner.map(invert)


FILTERS = st.recursive(st.sampled_from([YES, NO, words("order"), pattern(r"(?P<n>\d+)"), has_text(), has_media()]), _joins, max_leaves=8)
TEXTS = st.sampled_from(["", "order", "7", "order 7", "hello"])


@given(FILTERS, FILTERS, TEXTS)
def test_de_morgan(a: Filter, b: Filter, text: str) -> None:
    assert holds(~(a & b), text) == holds(~a | ~b, text)
    assert holds(~(a | b), text) == holds(~a & ~b, text)


@given(FILTERS, TEXTS)
def test_double_negation_keeps_the_captures_too(one: Filter, text: str) -> None:
    assert verdict(~~one, text) == verdict(one, text)


@given(FILTERS, FILTERS, TEXTS)
def test_joins_are_and_and_or(a: Filter, b: Filter, text: str) -> None:
    assert holds(a & b, text) == (holds(a, text) and holds(b, text))
    assert holds(a | b, text) == (holds(a, text) or holds(b, text))


@given(FILTERS, TEXTS)
def test_captures_are_among_the_declared_names(one: Filter, text: str) -> None:
    found = verdict(one, text)
    assert isinstance(found, Miss) or set(found.captures) <= one.names


@given(FILTERS)
def test_a_repr_reads_back_as_the_same_filter(one: Filter) -> None:
    names = {"words": words, "pattern": pattern, "has_text": has_text, "has_media": has_media}
    again = eval(repr(one), names | {"custom": lambda fn: fn, "yes": YES, "no": NO})
    assert repr(again) == repr(one)
    assert all(holds(again, text) == holds(one, text) for text in ("", "order", "7"))


def test_and_merges_captures_and_or_takes_the_first_that_holds() -> None:
    left, right = pattern(r"(?P<a>\d)"), pattern(r"(?P<b>[a-z])")
    assert verdict(left & right, "1x") == Match({"a": "1", "b": "x"})
    assert verdict(left | right, "1x") == Match({"a": "1"})
    assert verdict(left | right, "x") == Match({"b": "x"})
    assert verdict(~left, "x") == Match()


def test_a_miss_says_which_part_did_not_hold() -> None:
    condition = words("order") & ~pattern(r"\d")
    assert verdict(condition, "hi") == Miss('words("order"): not in the text')
    assert verdict(condition, "order 5") == Miss(r"pattern('\\d') held, which is not wanted")
    assert verdict(YES & (NO | words("x")), "") == Miss('custom(no) said no; words("x"): not in the text')


def test_and_stops_at_the_first_part_that_does_not_hold() -> None:
    called: list[str] = []

    def seen(_: Ctx) -> bool:
        called.append("seen")
        return True

    assert not holds(NO & custom(seen))
    assert holds(YES | custom(seen))
    assert called == []


def test_a_repr_reads_like_the_code() -> None:
    assert repr(words("order", "pedido") & ~has_media()) == 'words("order", "pedido") & ~has_media()'
    assert repr((YES | NO) & has_text()) == "(custom(yes) | custom(no)) & has_text()"
    assert repr(~(YES | NO)) == "~(custom(yes) | custom(no))"


def test_and_or_not_of_the_language_are_refused() -> None:
    with pytest.raises(TypeError, match=r"join filters with & \| ~, not with and, or, not"):
        bool(words("a"))
    with pytest.raises(TypeError, match="unsupported operand"):
        words("a") & "b"  # type: ignore[operator]  # the mistake under test
