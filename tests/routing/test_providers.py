"""Factories: made once a turn, injected themselves, closed in reverse order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import pytest

from pilotbot.contacts.state import State
from pilotbot.events.models import Event, Received
from pilotbot.replies import Action
from pilotbot.routing import Provided, Router, Routes, Selected, TurnScope


class Cart(State, name="test_providers_cart"):
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


class Orders:
    pass


class Db:
    pass


async def load(cls: type[State]) -> State:
    return cls()


async def run(bot: Router, provided: Provided) -> TurnScope:
    ctx = Ctx(Received(name="message.received", id="1", sender="+5511987650001"))
    routes = Routes.build(bot, context_type=Ctx, provided=provided)
    selected = await routes.select(ctx)
    assert isinstance(selected, Selected)
    async with TurnScope(load) as scope:
        await routes.run(selected, ctx, scope)
    return scope


async def test_factories_are_injected_and_make_one_instance_a_turn() -> None:
    made: list[str] = []

    async def open_db(ctx: Ctx) -> Db:
        made.append("db")
        return Db()

    class Shop:
        def __init__(self, db: Db, cart: Cart) -> None:
            made.append("shop")
            self.db = db

    bot, provided = Router("bot"), Provided()
    provided.provide(Db, open_db)
    provided.provide(Shop, Shop)
    same: list[bool] = []

    @bot.received()
    async def handler(db: Db, shop: Shop) -> None:
        same.append(shop.db is db)

    scope = await run(bot, provided)
    assert made == ["db", "shop"]
    assert same == [True]
    assert [type(state) for state in scope.states] == [Cart]
    await run(bot, provided)
    assert made == ["db", "shop"] * 2


async def _db(log: list[str]) -> AsyncIterator[Db]:
    log.append("open db")
    try:
        yield Db()
    except RuntimeError:
        log.append("db saw the error")
        raise
    finally:
        log.append("close db")


@pytest.mark.parametrize("decorated", [False, True])
@pytest.mark.parametrize("fails", [False, True])
async def test_generators_are_closed_in_reverse_order_even_on_error(decorated: bool, fails: bool) -> None:
    log: list[str] = []

    async def open_db() -> AsyncIterator[Db]:
        async with asynccontextmanager(_db)(log) as db:
            yield db

    async def open_orders(db: Db) -> AsyncIterator[Orders]:
        log.append("open orders")
        try:
            yield Orders()
        finally:
            log.append("close orders")

    wrap: Callable[[Any], Any] = asynccontextmanager if decorated else lambda fn: fn
    bot, provided = Router("bot"), Provided()
    provided.provide(Db, wrap(open_db))
    provided.provide(Orders, wrap(open_orders))

    @bot.received()
    async def handler(orders: Orders, db: Db) -> None:
        assert isinstance(orders, Orders)
        assert isinstance(db, Db)
        log.append("handle")
        if fails:
            raise RuntimeError("boom")

    try:
        await run(bot, provided)
    except RuntimeError:
        log.append("raised")
    expected = ["open db", "open orders", "handle", "close orders"]
    assert log == [*expected, *(["db saw the error"] if fails else []), "close db", *(["raised"] if fails else [])]


async def test_a_factory_that_fails_closes_those_before_it() -> None:
    log: list[str] = []

    async def open_db() -> AsyncIterator[Db]:
        try:
            yield Db()
        finally:
            log.append("close db")

    def broken(db: Db) -> Orders:
        raise RuntimeError("no orders today")

    bot, provided = Router("bot"), Provided()
    provided.provide(Db, open_db)
    provided.provide(Orders, broken)

    @bot.received()
    async def handler(orders: Orders) -> None: ...

    with pytest.raises(RuntimeError, match="no orders today"):
        await run(bot, provided)
    assert log == ["close db"]


async def test_an_async_context_manager_of_the_type_itself_is_a_value() -> None:
    class Client:
        closed = False

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            self.closed = True

    shared, bot, provided = Client(), Router("bot"), Provided()
    provided.provide(Client, lambda: shared)

    @bot.received()
    async def handler(client: Client) -> None: ...

    await run(bot, provided)
    assert not shared.closed


def test_provide_refuses_what_it_cannot_use() -> None:
    provided = Provided()

    def plain() -> Any:
        yield Db()

    with pytest.raises(TypeError, match=r"provide\(<class 'int'>, ...\): give a class of your own"):
        provided.provide(int, lambda: 5)
    with pytest.raises(TypeError, match="give a class of your own"):
        provided.provide("Db", Db)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match=r"provide\(Db, ...\) needs a factory: a function, or `lambda: value`"):
        provided.provide(Db, Db())  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match="plain generator: make it `async def`"):
        provided.provide(Db, plain)
    provided.provide(Db, Db)
    other = Provided()
    other.provide(Orders, Orders)
    other.provide(Db, Db)
    with pytest.raises(ValueError, match="Db is provided twice"):
        provided.update(other)
    assert provided.kinds == (Db,)
    with pytest.raises(ValueError, match=r"Db is provided already at .*: pass replace=True"):
        provided.provide(Db, Db)
    provided.provide(Db, Db, replace=True)


def test_a_factory_of_another_type_is_refused_by_mypy() -> None:
    async def later() -> Orders:
        return Orders()

    async def open_orders() -> AsyncIterator[Orders]:
        yield Orders()

    Provided().provide(Orders, Orders)
    Provided().provide(Orders, later)
    Provided().provide(Orders, open_orders)
    Provided().provide(Orders, asynccontextmanager(open_orders))
    # Each of these comments is an error of mypy's where it is not needed.
    Provided().provide(Db, Orders)  # type: ignore[arg-type]
    Provided().provide(Db, later)  # type: ignore[arg-type]
    Provided().provide(Db, open_orders)  # type: ignore[arg-type]
    Provided().provide(Db, asynccontextmanager(open_orders))  # type: ignore[arg-type]
