"""Injection: what each parameter is given, and every mistake with its remedy, all at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest
from pydantic import Field

from pilotbot.contacts.state import State
from pilotbot.events.models import Event, Inbound, Received, Reply, Status
from pilotbot.replies import Action
from pilotbot.routing import Plan, Provided, Router, Routes, Selected, TurnScope, WiringError, pattern

if TYPE_CHECKING:
    from fractions import Fraction


class Pick(Action, name="test_injection.Pick"):
    order_id: str = ""


class Other(Action, name="test_injection.Other"):
    pass


class Cart(State, name="test_injection_cart"):
    items: list[str] = Field(default_factory=list)


class Base(Protocol):
    """What the context class is made of."""


@dataclass
class Ctx(Base):
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


RECEIVED = Received(name="message.received", id="1", sender="+5511987650001")


def build(bot: Router, provided: Provided | None = None) -> Routes:
    return Routes.build(bot, context_type=Ctx, provided=provided or Provided())


async def load(cls: type[State]) -> State:
    return cls()


async def run(bot: Router, provided: Provided | None = None, ctx: Ctx | None = None) -> TurnScope:
    ctx = ctx or Ctx(RECEIVED)
    routes = build(bot, provided)
    selected = await routes.select(ctx)
    assert isinstance(selected, Selected)
    async with TurnScope(load) as scope:
        await routes.run(selected, ctx, scope)
    return scope


def problems(bot: Router, provided: Provided | None = None) -> list[str]:
    with pytest.raises(WiringError) as caught:
        build(bot, provided)
    told = (f"{problem.what} -> {problem.remedy}" for problem in caught.value.problems)
    return [re.sub(r"^parameter `.*?`: ", "", one) for one in told]


# --- what is given ---------------------------------------------------------------------------------------------------


async def test_each_kind_of_parameter_is_given() -> None:
    bot, provided, orders = Router("bot"), Provided(), Orders()
    provided.provide(Orders, lambda: orders)
    seen: list[object] = []

    @bot.tapped(Pick)
    async def pick(ctx: Ctx, base: Base, event: Inbound, action: Pick, any_action: Action, cart: Cart, orders: Orders) -> None:
        seen.extend([ctx, base, event, action, any_action, cart, orders])

    ctx = Ctx(RECEIVED, action=Pick(order_id="7"))
    scope = await run(bot, provided, ctx)
    assert seen == [ctx, ctx, RECEIVED, Pick(order_id="7"), Pick(order_id="7"), Cart(), orders]
    assert seen[5] is scope.states[0]


async def test_annotations_may_name_classes_of_the_defining_function_and_later_ones_of_the_module() -> None:
    class Local:
        pass

    provided = Provided()

    def make() -> Local:
        return Local()

    provided.provide(Local, make)
    bot = Router("bot")
    seen: list[object] = []

    @bot.received()
    async def handler(local: Local, later: Later) -> None:
        seen.extend([local, later])

    provided.provide(Later, Later)
    await run(bot, provided)
    assert [type(one) for one in seen] == [Local, Later]


async def test_methods_are_handlers_too() -> None:
    class Shop:
        seen: Ctx | None = None

        async def on_message(self, ctx: Ctx) -> None:
            self.seen = ctx

    bot, shop = Router("bot"), Shop()
    bot.received()(shop.on_message)
    await run(bot)
    assert shop.seen is not None


async def test_unions_cover_what_the_decorator_brings() -> None:
    bot = Router("bot")
    seen: list[Event] = []

    @bot.message()
    async def any_message(event: Received | Reply) -> None:
        seen.append(event)

    await run(bot)
    assert seen == [RECEIVED]


async def test_a_default_stays_where_nobody_provides_and_gives_way_where_somebody_does() -> None:
    seen: list[object] = []

    async def handler(orders: Orders | None = None, db: Db | None = None, note: str = "none", bare=5) -> None:  # type: ignore[no-untyped-def]
        seen.extend([orders, db, note, bare])

    bot, provided = Router("bot"), Provided()
    provided.provide(Db, Db)
    bot.received()(handler)
    await run(bot, provided)
    assert (seen[0], type(seen[1]), *seen[2:]) == (None, Db, "none", 5)


async def test_captures_are_converted_by_annotation() -> None:
    bot = Router("bot")
    seen: list[object] = []

    @bot.received(pattern(r"#(?P<number>\d+) on (?P<day>\S+) for (?P<who>\w+)(?: x(?P<count>\d+))?(?: (?P<note>!))?"))
    async def handler(number: int, day: date, who, count: int | None, note: str = "-") -> None:  # type: ignore[no-untyped-def]
        seen.extend([number, day, who, count, note])

    await run(bot, ctx=Ctx(RECEIVED, text="#42 on 2026-11-20 for ana"))
    assert seen == [42, date(2026, 11, 20), "ana", None, "-"]
    seen.clear()
    await run(bot, ctx=Ctx(RECEIVED, text="#42 on 2026-11-20 for ana x3 !"))
    assert seen[3:] == [3, "!"]


# --- mistakes --------------------------------------------------------------------------------------------------------


def test_all_mistakes_are_told_at_once_with_place_and_remedy() -> None:
    bot = Router("bot")

    @bot.received()
    async def first(orders: Orders) -> None: ...

    @bot.reply()
    async def second(ctx, db: Db) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(WiringError) as caught:
        build(bot)
    assert len(caught.value.problems) == 3
    text = str(caught.value)
    assert text.startswith("3 problems in the wiring of the bot:\n")
    assert f"test_injection.py:{first.__code__.co_firstlineno} first @bot.received()" in text
    assert "parameter `orders: Orders`: nobody provides Orders\n    -> bot.provide(Orders, factory)" in text
    assert "second @bot.reply()" in text
    assert "parameter `ctx`: it has no annotation\n    -> say what it is, such as `ctx: Context`" in text


async def _events(event: Status) -> None: ...
async def _half(event: Received) -> None: ...
async def _exception(error: ValueError) -> None: ...
async def _action(action: Pick) -> None: ...
async def _other(action: Other) -> None: ...
async def _state(state: State) -> None: ...
async def _anything(thing: object) -> None: ...
async def _scalar(order_id: int) -> None: ...
async def _convert(number: list[int]) -> None: ...
async def _twins(number: Literal["Não", "nao"]) -> None: ...
async def _star(*args: Ctx) -> None: ...
async def _stars(**kwargs: Ctx) -> None: ...
async def _positional(ctx: Ctx, /) -> None: ...
async def _unresolved(amount: Fraction) -> None: ...
async def _garbage(amount: Ctx.nothing) -> None: ...  # type: ignore[name-defined]
def _sync() -> None: ...


NUMBER = pattern(r"(?P<number>\d+)")


@pytest.mark.parametrize(
    ("decorate", "fn", "what", "remedy"),
    [
        (lambda b: b.received(), _events, "the event here may be of Received", "ask for Received, or use another decorator"),
        (lambda b: b.message(), _half, "the event here may be of Reply", "ask for Received | Reply, or use another decorator"),
        (lambda b: b.tapped(Pick), _half, "the event here may be of Inbound", "ask for Inbound, or use another decorator"),
        (lambda b: b.received(), _exception, "only an error handler is given an exception", "use @bot.error(ValueError)"),
        (lambda b: b.error(KeyError), _exception, "this handles KeyError", "ask for KeyError, or for Exception"),
        (lambda b: b.received(), _action, "only a tap brings a Pick", "use @bot.tapped(Pick)"),
        (lambda b: b.tapped(Pick), _other, "the tap here brings a Pick", "ask for Pick"),
        (lambda b: b.received(), _anything, "nobody provides object", "bot.provide(object, factory), or give it a default"),
        (lambda b: b.received(), _state, "State has no fields", "ask for your own subclass of it"),
        (
            lambda b: b.received(NUMBER),
            _scalar,
            "no filter captures it",
            "capture it, as with pattern(r'(?P<order_id>...)'), or give it a default",
        ),
        (
            lambda b: b.received(NUMBER),
            _convert,
            "a part of the text cannot become that",
            "ask for str, int, float, Decimal, date, bool, an Enum or a Literal",
        ),
        (
            lambda b: b.received(NUMBER),
            _twins,
            "a text could not tell 'Não' from 'nao'",
            "make them differ in more than case, accents or punctuation",
        ),
        (lambda b: b.received(), _star, "nothing is ever given to it", "name the parameters that you need"),
        (lambda b: b.received(), _stars, "nothing is ever given to it", "name the parameters that you need"),
        (
            lambda b: b.received(),
            _positional,
            "it is positional only, and arguments are given by name",
            "take the / out",
        ),
        (
            lambda b: b.received(),
            _unresolved,
            "an annotation names `Fraction`, which does not exist at run time",
            "import it outside `if TYPE_CHECKING:`, and define it before the bot is built",
        ),
        (
            lambda b: b.received(),
            _garbage,
            "its annotations cannot be read: type object 'Ctx' has no attribute 'nothing'",
            "annotate each parameter with a class",
        ),
        (lambda b: b.received(), _sync, "it is not an async function", "write `async def _sync(...)`"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(decorate: Callable[[Router], Any], fn: Any, what: str, remedy: str) -> None:
    bot = Router("bot")
    decorate(bot)(fn)
    (problem,) = problems(bot)
    assert problem == f"{what} -> {remedy}"


def test_factories_in_a_circle_are_told_once_even_if_nobody_asks_for_them() -> None:
    def db(orders: Orders) -> Db: ...  # type: ignore[empty-body]
    def orders(db: Db) -> Orders: ...  # type: ignore[empty-body]

    provided = Provided()
    provided.provide(Db, db)
    provided.provide(Orders, orders)
    assert problems(Router("bot"), provided) == ["it needs itself: Db -> Orders -> Db -> take one of these needs away"]


def test_factories_are_given_no_captures_no_tap_and_no_exception() -> None:
    def make(number: int, action: Pick, error: KeyError, missing: Orders) -> Db: ...  # type: ignore[empty-body]

    provided = Provided()
    provided.provide(Db, make)
    bot = Router("bot")

    @bot.tapped(Pick, NUMBER)
    async def handler(db: Db) -> None: ...

    assert len(problems(bot, provided)) == 4


def test_error_handlers_that_cover_nothing_are_told() -> None:
    bot, errors = Router("bot"), Router("errors")
    bot.include(errors)
    errors.error()(_nothing)
    assert problems(bot) == ["it covers no handler: its router has none -> put it on the router that includes this one"]
    errors.received()(_nothing)
    build(bot)


async def _nothing() -> None: ...


def test_a_plan_without_parameters_is_empty() -> None:
    assert Plan() == Plan({})


class Later:
    """Defined after the handlers that ask for it."""
