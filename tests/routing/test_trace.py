"""Traces: what each handler and filter says to a turn, which wins, and that dispatch agrees."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events.models import Event, Group, Received, Reply
from pilotbot.replies import Action
from pilotbot.routing import Check, Filter, Provided, Router, Routes, Selected, Trace, custom, has_media, has_text, pattern, words


class Grab(Action, name="test_trace.Grab"):
    pass


class Drop(Action, name="test_trace.Drop"):
    pass


@dataclass
class Ctx:
    event: Event
    text: str = ""
    action: Action | None = None
    our_phone: str | None = None
    tags: frozenset[str] = frozenset()
    bot_name: str = "bot"
    old: bool = False


SENDER = "+5511987650001"


def received(text: str, action: Action | None = None) -> Ctx:
    return Ctx(Received(name="message.received", id="1", sender=SENDER, text=text), text, action)


async def nothing(ctx: Ctx) -> None:
    """Take a turn."""


def named(name: str) -> Any:
    async def handler(ctx: Ctx) -> None:
        """Take a turn."""

    handler.__name__ = name
    return handler


async def trace(bot: Router, ctx: Ctx) -> Trace:
    return await Routes.build(bot, context_type=Ctx, provided=Provided()).trace(ctx)


def boom(ctx: Ctx) -> bool:
    raise LookupError("no such table")


async def test_every_candidate_is_told_with_all_its_filters_and_the_first_that_holds_wins() -> None:
    bot = Router("bot")
    bot.message(words("invoice"))(named("invoice"))
    bot.message(words("order"), has_text())(named("order"))
    bot.message(has_text())(named("any"))
    bot.message(has_media())(named("file"))
    bot.unhandled()(named("rest"))
    found = await trace(bot, received("my order"))
    assert [(one.handler.name, one.verdict, one.reason) for one in found.candidates] == [
        ("invoice", "missed", 'words("invoice"): not in the text'),
        ("order", "held", ""),
        ("any", "held", ""),
        ("file", "missed", "has_media(): there is no media"),
        ("rest", "held", ""),
    ]
    assert found.candidates[1].filters == (Check('words("order")', "held"), Check("has_text()", "held"))
    assert found.winner is found.ends is found.candidates[1]
    assert [one.handler.name for one in found.also] == ["any"]


async def test_handlers_of_other_kinds_are_counted_only() -> None:
    bot = Router("bot")
    bot.message()(named("message"))
    bot.group()(named("group"))
    bot.status()(named("status"))
    bot.error()(named("error"))
    found = await trace(bot, received("hi"))
    assert ([one.handler.name for one in found.candidates], found.others) == (["message"], 3)
    group = Ctx(Group(name="message.group", id="1", sender=SENDER, group_id="1@g.us"), "hi")
    assert [one.handler.name for one in (await trace(bot, group)).candidates] == ["group"]


async def test_joined_filters_show_their_parts() -> None:
    bot = Router("bot")
    bot.message((words("order") | words("pedido")) & ~has_media())(nothing)
    (one,) = (await trace(bot, received("meu pedido"))).candidates
    (whole,) = one.filters
    assert (whole.filter, whole.verdict) == ('(words("order") | words("pedido")) & ~has_media()', "held")
    either, neither = whole.parts
    assert [(part.filter, part.verdict) for part in either.parts] == [('words("order")', "missed"), ('words("pedido")', "held")]
    assert (either.verdict, neither.verdict, neither.filter) == ("held", "held", "~has_media()")
    assert neither.parts == (Check("has_media()", "missed", "has_media(): there is no media"),)


async def test_guards_of_an_inclusion_come_first() -> None:
    bot, inner = Router("bot"), Router("inner")
    inner.message(words("order"))(nothing)
    bot.include(inner, words("please"))
    (one,) = (await trace(bot, received("order"))).candidates
    assert one.guards == (Check('words("please")', "missed", 'words("please"): not in the text'),)
    assert one.filters == (Check('words("order")', "held"),)
    assert (one.verdict, one.reason) == ("missed", 'words("please"): not in the text')


async def test_captures_are_told_converted_and_why_one_does_not_fit() -> None:
    bot = Router("bot")

    @bot.message(pattern(r"(?P<count>\w+) of (?P<thing>\w+)"))
    async def buy(ctx: Ctx, count: int) -> None:
        """Take a turn."""

    (one,) = (await trace(bot, received("3 of pens"))).candidates
    assert (one.verdict, one.captures) == ("held", {"count": 3, "thing": "pens"})
    assert one.filters[0].captures == {"count": "3", "thing": "pens"}
    (one,) = (await trace(bot, received("many of pens"))).candidates
    assert (one.verdict, one.reason, one.captures) == ("missed", "count: that part of the text is no int", None)
    assert one.filters[0].verdict == "held"


async def test_a_payload_that_is_another_is_told() -> None:
    bot = Router("bot")
    bot.tapped(Grab)(named("grab"))
    bot.tapped(Drop)(named("drop"))
    found = await trace(bot, received("Drop it", Drop()))
    assert [(one.handler.name, one.verdict, one.reason) for one in found.candidates] == [
        ("grab", "missed", "the choice is a Drop"),
        ("drop", "held", ""),
    ]


async def test_a_filter_that_raises_is_shown_and_ends_it_where_dispatch_would_have_asked_it() -> None:
    bot = Router("bot")
    bot.message(words("photo") & custom(boom))(named("guarded"))
    bot.message(words("photo"), custom(boom))(named("after a miss"))
    bot.message(custom(boom))(named("asked"))
    bot.message()(named("any"))
    found = await trace(bot, received("hi"))
    assert [(one.handler.name, one.verdict, one.reason) for one in found.candidates] == [
        ("guarded", "missed", 'words("photo"): not in the text'),
        ("after a miss", "missed", 'words("photo"): not in the text'),
        ("asked", "raised", "LookupError: no such table"),
        ("any", "held", ""),
    ]
    assert found.candidates[0].filters[0].parts[1] == Check("custom(boom)", "raised", "LookupError: no such table")
    assert found.ends is found.candidates[2]
    assert found.winner is None
    assert [one.handler.name for one in found.also] == ["any"]


LEAVES = [words("a"), words("b"), has_text(), custom(boom, "boom"), pattern("(?P<x>a)")]
filters: st.SearchStrategy[Filter] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=4,
)


@given(
    handlers=st.lists(st.tuples(st.lists(filters, max_size=2), st.sampled_from(["message", "reply", "tapped", "unhandled"])), max_size=5),
    guard=st.one_of(st.none(), filters),
    text=st.sampled_from(["a", "b", "a b", "c", ""]),
    action=st.sampled_from([None, Grab(), Drop()]),
    quotes=st.booleans(),
)
async def test_it_ends_where_dispatch_ends(
    handlers: list[tuple[list[Filter], str]], guard: Filter | None, text: str, action: Action | None, quotes: bool
) -> None:
    bot, inner = Router("bot"), Router("inner")
    for number, (conditions, kind) in enumerate(handlers):
        decorate = inner.tapped(Grab, *conditions) if kind == "tapped" else getattr(inner, kind)(*conditions)
        decorate(named(f"h{number}"))
    bot.include(inner, *([guard] if guard is not None else []))
    event = Reply(name="message.reply", id="1", sender=SENDER, text=text) if quotes else received(text).event
    ctx = Ctx(event, text, action)
    routes = Routes.build(bot, context_type=Ctx, provided=Provided())
    found = await routes.trace(ctx)
    try:
        selected = await routes.select(ctx)
    except LookupError:
        assert found.ends is not None
        assert found.ends.verdict == "raised"
        return
    if isinstance(selected, Selected):
        assert found.winner is not None
        assert (found.winner.handler.name, found.winner.captures) == (selected.handler.name, selected.captures)
    else:
        assert found.ends is None
    before = [(one.handler.name, one.reason) for one in found.candidates[: len(selected.tried)]]
    assert before == [(one.handler.name, one.reason) for one in selected.tried]


@pytest.mark.parametrize("condition", [words("a") & words("b"), words("a") | words("b"), ~words("a")])
def test_parts_are_those_that_were_joined(condition: Filter) -> None:
    assert repr(words("a")) in [repr(part) for part in condition.parts]
    assert words("a").parts == ()
