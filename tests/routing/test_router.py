"""Routers: what the decorators record, in which order, and what they refuse."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilotbot.replies import Action
from pilotbot.routing import Router, custom, words


class Choose(Action, name="test_router.Choose"):
    order_id: str


async def nothing() -> None: ...


till = Router("the till")


@till.received()
async def at_the_till() -> None: ...


def test_handlers_stand_in_order_of_writing_and_inclusion_depth_first() -> None:
    bot, shop, deep, late = Router("bot"), Router("shop"), Router("deep"), Router("late")

    @bot.received()
    async def first() -> None: ...

    bot.include(shop)
    bot.include(late)

    @bot.received()
    async def last() -> None: ...

    @shop.received()
    async def in_shop() -> None: ...

    shop.include(deep)

    @deep.reply()
    async def in_deep() -> None: ...

    @late.group()
    async def in_late() -> None: ...

    assert [handler.name for handler in bot.handlers] == ["first", "in_shop", "in_deep", "in_late", "last"]
    assert [handler.path for handler in bot.handlers][2] == ("bot", "shop", "deep")


def test_inclusions_bring_their_guards_and_middleware_from_the_outside_in() -> None:
    bot, shop, deep = Router("bot"), Router("shop"), Router("deep")
    outer, inner = custom(bool, "outer"), custom(bool, "inner")
    bot.include(shop, outer)
    shop.include(deep, inner)
    deep.received(words("x"))(nothing)

    @deep.middleware
    async def in_deep(ctx: object, call_next: Callable[[], Awaitable[None]]) -> None: ...

    @bot.middleware
    async def in_bot(ctx: object, call_next: Callable[[], Awaitable[None]]) -> None: ...

    (handler,) = bot.handlers
    assert handler.guards == (outer, inner)
    assert handler.middleware == (in_bot, in_deep)
    assert len(handler.filters) == 1


def test_a_decorator_gives_the_function_back_and_may_be_stacked() -> None:
    bot = Router("bot")

    @bot.received(words("a"))
    @bot.reply()
    async def both() -> None: ...

    assert [(handler.kind, handler.fn) for handler in bot.handlers] == [("reply", both), ("received", both)]


def test_every_decorator_records_its_kind() -> None:
    bot = Router("bot")
    decorators = [bot.received, bot.reply, bot.message, bot.group, bot.newsletter, bot.lead, bot.unhandled]
    for decorator in decorators:
        decorator()(nothing)
    for named in (bot.status, bot.number, bot.call, bot.error):
        named()(nothing)
    bot.tapped(Choose)(nothing)
    expected = "received reply message group newsletter lead unhandled status number call error tapped"
    assert [handler.kind for handler in bot.handlers] == expected.split()


def test_a_handler_shows_its_place_and_its_decorator() -> None:
    shop = Router("shop")
    shop.received(words("order"))(nothing)
    shop.status("failed", words("x"))(nothing)
    shop.tapped(Choose, words("y"))(nothing)
    shop.error(KeyError, OSError)(nothing)
    shop.number("connected")(nothing)
    assert [handler.decorator for handler in shop.handlers] == [
        '@shop.received(words("order"))',
        '@shop.status(status_is("failed"), words("x"))',
        '@shop.tapped(Choose, words("y"))',
        "@shop.error(KeyError, OSError)",
        '@shop.number(change_is("connected"))',
    ]
    file, _, line = shop.handlers[0].where.rpartition(":")
    assert file.endswith("test_router.py")
    assert int(line) == nothing.__code__.co_firstlineno


def test_a_decorator_is_shown_with_the_variable_that_the_file_calls_the_router_by() -> None:
    app, shop = Router("my bot"), Router("shop")

    @app.received()
    async def here() -> None: ...

    @shop.reply()
    async def below() -> None: ...

    app.include(shop)
    app.include(till)
    Router("elsewhere").include(app)
    told = [handler.decorator for handler in app.handlers]
    assert told == ["@app.received()", "@shop.reply()", "@till.received()"]
    app.received()(nothing)  # defined where the router is not known
    assert app.handlers[-1].decorator == "@my bot.received()"


@pytest.mark.parametrize("kind", ["received", "reply", "message", "group", "lead", "unhandled", "status", "call", "error"])
def test_a_decorator_without_parentheses_is_refused(kind: str) -> None:
    with pytest.raises(TypeError, match=rf"shop.{kind} was given the function nothing: write `@shop.{kind}\(\)`, with parenth"):
        getattr(Router("shop"), kind)(nothing)


def test_what_is_no_filter_no_action_no_exception_no_function_is_refused() -> None:
    shop = Router("shop")
    with pytest.raises(TypeError, match=r"shop.received takes filters, such as words\('order'\); it was given 'order'"):
        shop.received("order")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match=r"@shop.tapped\(...\) takes an Action class first"):
        shop.tapped(nothing)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match=r"@shop.error\(...\) takes Exception classes; it was given <class 'KeyboardInterrupt'>"):
        shop.error(KeyboardInterrupt)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match=r"@shop.received\(\) decorates an async function; it was given 5"):
        shop.received()(5)  # type: ignore[type-var]  # the mistake under test
    with pytest.raises(ValueError, match="the statuses are"):
        shop.status("lost")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ValueError, match="a router needs a name"):
        Router(" ")


def test_middleware_must_be_async() -> None:
    def plain(ctx: object, call_next: object) -> None: ...

    with pytest.raises(TypeError, match=r"plain @shop.middleware: write `async def plain\(ctx, call_next\)`"):
        Router("shop").middleware(plain)  # type: ignore[type-var]  # the mistake under test


async def _one(ctx: object) -> None: ...
async def _three(ctx: object, call_next: object, more: object) -> None: ...
async def _keyword(ctx: object, *, call_next: object) -> None: ...


@pytest.mark.parametrize("fn", [_one, _three, _keyword])
def test_middleware_takes_two_parameters_or_is_refused_with_its_place(fn: Any) -> None:
    shop = Router("shop")
    name, line = fn.__name__, fn.__code__.co_firstlineno
    place = rf"test_router.py:{line} {name} @shop.middleware: write `async def {name}\(ctx, call_next\)`"
    with pytest.raises(TypeError, match=place):
        shop.middleware(fn)
    shop.received()(nothing)
    assert shop.handlers[0].middleware == ()


def test_middleware_may_have_parameters_of_its_own_with_defaults() -> None:
    async def logged(ctx: object, call_next: Callable[[], Awaitable[None]], *, level: int = 20) -> None: ...

    assert Router("shop").middleware(logged) is logged


def test_a_router_stands_in_one_place() -> None:
    bot, shop = Router("bot"), Router("shop")
    bot.include(shop)
    with pytest.raises(ValueError, match=r"Router\('shop'\) is already included in Router\('bot'\)"):
        Router("other").include(shop)
    with pytest.raises(ValueError, match="would make a circle"):
        shop.include(bot)
    with pytest.raises(ValueError, match="would make a circle"):
        bot.include(bot)
    with pytest.raises(ValueError, match=r"includes a Router\('shop'\) already: give them different names"):
        bot.include(Router("shop"))
    with pytest.raises(TypeError, match=r"bot.include\(more\) takes filters"):
        bot.include(Router("more"), "x")  # type: ignore[arg-type]  # the mistake under test
