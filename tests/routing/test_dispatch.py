"""Dispatch: who takes a turn, through which middleware, and who settles its errors."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from pydantic import Field

from pilotbot.contacts.state import State
from pilotbot.events.models import Event, FlowResponse, Group, Received, Reply, Status, Tap
from pilotbot.replies import Action
from pilotbot.routing import (
    Given,
    Provided,
    Retry,
    Router,
    Routes,
    Selected,
    TurnScope,
    Unmatched,
    custom,
    pattern,
    words,
)


class Take(Action, name="test_dispatch.Take"):
    pass


class Leave(Action, name="test_dispatch.Leave"):
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
    log: list[str] = field(default_factory=list)


class Basket(State, name="test_dispatch_basket"):
    items: list[str] = Field(default_factory=list)


SENDER = "+5511987650001"
RECEIVED = Received(name="message.received", id="1", sender=SENDER)
REPLY = Reply(name="message.reply", id="2", sender=SENDER)
GROUP = Group(name="message.group", id="3", sender=SENDER, group_id="120363000000000001@g.us")
STATUS = Status(name="message.failed", id="4", status="failed", to=SENDER)

Next = Callable[[], Awaitable[None]]


async def load(cls: type[State]) -> State:
    return cls()


def routes_of(bot: Router) -> Routes:
    return Routes.build(bot, context_type=Ctx, provided=Provided())


def says(name: str) -> Callable[[Ctx], Coroutine[None, None, None]]:
    async def handler(ctx: Ctx) -> None:
        ctx.log.append(name)

    handler.__name__ = name
    return handler


async def chosen(bot: Router, ctx: Ctx) -> str | None:
    found = await routes_of(bot).select(ctx)
    return found.handler.name if isinstance(found, Selected) else None


async def handle(bot: Router, ctx: Ctx) -> list[str]:
    routes = routes_of(bot)
    selected = await routes.select(ctx)
    assert isinstance(selected, Selected)
    async with TurnScope(load) as scope:
        await routes.run(selected, ctx, scope)
    return ctx.log


# --- select ----------------------------------------------------------------------------------------------------------


async def test_the_first_handler_whose_filters_hold_takes_the_turn() -> None:
    bot = Router("bot")
    bot.received(words("order"), words("now"))(says("both"))
    bot.received(words("order"))(says("order"))
    bot.received()(says("rest"))
    assert await chosen(bot, Ctx(RECEIVED, "order now")) == "both"
    assert await chosen(bot, Ctx(RECEIVED, "order")) == "order"
    assert await chosen(bot, Ctx(RECEIVED, "hi")) == "rest"
    assert await chosen(bot, Ctx(REPLY, "order")) is None


async def test_message_takes_received_and_reply_in_its_place() -> None:
    bot = Router("bot")
    bot.received(words("a"))(says("received"))
    bot.message(words("a", "b"))(says("message"))
    bot.reply()(says("reply"))
    assert await chosen(bot, Ctx(RECEIVED, "a")) == "received"
    assert await chosen(bot, Ctx(RECEIVED, "b")) == "message"
    assert await chosen(bot, Ctx(REPLY, "a")) == "message"
    assert await chosen(bot, Ctx(REPLY, "c")) == "reply"


async def test_a_tap_without_an_action_is_told_to_the_tapped_handlers_and_goes_on() -> None:
    bot = Router("bot")
    bot.tapped(Take)(says("take"))
    bot.received(words("order"))(says("order"))
    tap = Received(name="message.received", id="1", sender=SENDER, text="Track", tap=Tap("Track"))
    found = await routes_of(bot).select(Ctx(tap, "Track"))
    assert isinstance(found, Unmatched)
    assert [one.reason for one in found.tried] == [
        "the option carries no action; offer it as Take(...).option(...)",
        'words("order"): not in the text',
    ]
    other = await routes_of(bot).select(Ctx(tap, "Track", action=Leave()))
    assert isinstance(other, Unmatched)
    assert other.tried[0].reason == "the choice is a Leave"
    typed = await routes_of(bot).select(Ctx(RECEIVED, "Track"))
    assert isinstance(typed, Unmatched)
    assert [one.handler.name for one in typed.tried] == ["order"]


async def test_what_was_captured_is_in_no_repr() -> None:
    bot = Router("bot")
    bot.received(pattern(r"(?P<word>\w+)"))(says("word"))
    found = await routes_of(bot).select(Ctx(RECEIVED, "secret"))
    assert isinstance(found, Selected)
    assert found.captures == {"word": "secret"}
    assert "secret" not in repr(found)
    assert "secret" not in repr(Given(Ctx(RECEIVED), found.captures, ValueError("secret")))


async def test_a_choice_goes_to_tapped_first_whatever_event_brought_it() -> None:
    bot = Router("bot")
    bot.received()(says("received"))
    bot.tapped(Take)(says("take"))
    for event in (RECEIVED, REPLY, GROUP):
        assert await chosen(bot, Ctx(event, action=Take())) == "take"
    assert await chosen(bot, Ctx(RECEIVED, action=Leave())) == "received"
    assert await chosen(bot, Ctx(RECEIVED)) == "received"
    assert await routes_of(bot).select(Ctx(REPLY)) == Unmatched(())
    found = await routes_of(bot).select(Ctx(REPLY, action=Leave()))
    assert isinstance(found, Unmatched)
    assert [one.reason for one in found.tried] == ["the choice is a Leave"]


async def test_unhandled_comes_last_and_only_for_a_contacts_messages() -> None:
    bot = Router("bot")
    bot.unhandled()(says("unhandled"))
    bot.message(words("a"))(says("message"))
    assert await chosen(bot, Ctx(RECEIVED, "a")) == "message"
    assert await chosen(bot, Ctx(RECEIVED, "b")) == "unhandled"
    assert await chosen(bot, Ctx(REPLY, "b")) == "unhandled"
    assert await chosen(bot, Ctx(GROUP, "b")) is None
    assert await chosen(bot, Ctx(STATUS)) is None


async def test_what_was_tried_is_told_in_order_with_the_reasons() -> None:
    bot = Router("bot")
    bot.received(words("a"))(says("first"))
    bot.group()(says("of another kind"))
    bot.received(pattern(r"(?P<n>\d)"))(says("second"))
    bot.received(words("c"))(says("third"))
    found = await routes_of(bot).select(Ctx(RECEIVED, "c"))
    assert isinstance(found, Selected)
    assert [(one.handler.name, one.reason) for one in found.tried] == [
        ("first", 'words("a"): not in the text'),
        ("second", "pattern('(?P<n>\\\\d)'): not in the text"),
    ]


async def test_a_capture_that_does_not_convert_means_the_next_handler() -> None:
    bot = Router("bot")

    @bot.received(pattern(r"(?P<n>\w+)"))
    async def whole(n: int) -> None: ...

    @bot.received(pattern(r"x(?P<n>\d)?"))
    async def needed(n: int) -> None: ...

    @bot.received(pattern(r"(?P<n>\w+)"))
    async def text(n: str) -> None: ...

    found = await routes_of(bot).select(Ctx(RECEIVED, "xsecret"))
    assert isinstance(found, Selected)
    assert found.handler.fn is text
    assert found.captures == {"n": "xsecret"}
    assert [one.reason for one in found.tried] == [
        "n: that part of the text is no int",
        "n: that part of the text is missing",
    ]
    found = await routes_of(bot).select(Ctx(RECEIVED, "12"))
    assert isinstance(found, Selected)
    assert found.captures == {"n": 12}


async def test_guards_hold_for_all_that_is_included_and_are_asked_once() -> None:
    asked: list[str] = []

    def guard(ctx: Ctx) -> bool:
        asked.append(ctx.text)
        return ctx.text.startswith("shop")

    bot, shop = Router("bot"), Router("shop")
    shop.received(words("a"))(says("a"))
    shop.received(words("b"))(says("b"))
    bot.include(shop, custom(guard))
    bot.received()(says("rest"))
    assert await chosen(bot, Ctx(RECEIVED, "shop b")) == "b"
    assert asked == ["shop b"]
    assert await chosen(bot, Ctx(RECEIVED, "b")) == "rest"
    assert asked == ["shop b", "b"]


async def test_captures_of_a_guard_reach_the_handler() -> None:
    bot, shop = Router("bot"), Router("shop")
    seen: list[int] = []

    @shop.received()
    async def handler(n: int) -> None:
        seen.append(n)

    bot.include(shop, pattern(r"(?P<n>\d+)"))
    await handle(bot, Ctx(RECEIVED, "no. 5"))
    assert seen == [5]


async def test_events_without_decorators_are_left_alone() -> None:
    bot = Router("bot")
    bot.received()(says("received"))
    found = await routes_of(bot).select(Ctx(FlowResponse(name="flow.response_received", id="1")))
    assert found == Unmatched(())


def test_wants_tells_which_events_may_find_a_handler() -> None:
    bot = Router("bot")
    assert not routes_of(bot).wants(Status)
    bot.error()(says("error"))
    assert not routes_of(bot).wants(Received)
    bot.status("failed")(says("status"))
    bot.unhandled()(says("unhandled"))
    routes = routes_of(bot)
    assert [event for event in (Status, Received, Reply, Group) if routes.wants(event)] == [Status, Received, Reply]


# --- run -------------------------------------------------------------------------------------------------------------


async def test_middleware_runs_from_the_outside_in_around_the_handler() -> None:
    bot, shop = Router("bot"), Router("shop")

    def wraps(name: str) -> Callable[[Ctx, Next], Awaitable[None]]:
        async def middleware(ctx: Ctx, call_next: Next) -> None:
            ctx.log.append(f"{name} in")
            await call_next()
            ctx.log.append(f"{name} out")

        return middleware

    shop.received(words("a"))(says("handler"))
    bot.include(shop)
    bot.received()(says("outside"))
    shop.middleware(wraps("shop"))
    bot.middleware(wraps("bot1"))
    bot.middleware(wraps("bot2"))
    order = ["bot1", "bot2", "shop"]
    inward, outward = [f"{name} in" for name in order], [f"{name} out" for name in reversed(order)]
    assert await handle(bot, Ctx(RECEIVED, "a")) == [*inward, "handler", *outward]
    assert await handle(bot, Ctx(RECEIVED, "b")) == ["bot1 in", "bot2 in", "outside", "bot2 out", "bot1 out"]


async def test_middleware_may_keep_the_event_and_then_nothing_is_loaded() -> None:
    bot = Router("bot")

    @bot.middleware
    async def closed(ctx: Ctx, call_next: Next) -> None:
        ctx.log.append("closed")

    @bot.received()
    async def handler(ctx: Ctx, basket: Basket) -> None:
        ctx.log.append("handled")

    routes, ctx = routes_of(bot), Ctx(RECEIVED)
    selected = await routes.select(ctx)
    assert isinstance(selected, Selected)
    async with TurnScope(load) as scope:
        await routes.run(selected, ctx, scope)
    assert (ctx.log, scope.states) == (["closed"], ())


async def test_middleware_sees_the_error_and_may_not_call_twice() -> None:
    bot = Router("bot")

    @bot.middleware
    async def again(ctx: Ctx, call_next: Next) -> None:
        try:
            await call_next()
        except KeyError:
            ctx.log.append("seen")
            await call_next()

    @bot.received()
    async def handler(ctx: Ctx) -> None:
        ctx.log.append("called")
        raise KeyError

    ctx = Ctx(RECEIVED)
    with pytest.raises(RuntimeError, match="call_next twice: a turn is handled once"):
        await handle(bot, ctx)
    assert ctx.log == ["called", "seen"]


async def test_the_scope_holds_the_changed_state_for_the_commit() -> None:
    bot = Router("bot")

    @bot.received()
    async def handler(basket: Basket, again: Basket) -> None:
        basket.items.append("tea")
        again.items.append("milk")

    routes, ctx = routes_of(bot), Ctx(RECEIVED)
    selected = await routes.select(ctx)
    assert isinstance(selected, Selected)
    async with TurnScope(load) as scope:
        await routes.run(selected, ctx, scope)
        assert await scope.state(Basket) is scope.states[0]
    assert scope.states == (Basket(items=["tea", "milk"]),)


async def test_a_loader_that_gives_another_state_is_refused() -> None:
    class Another(State, name="test_dispatch_another"):
        pass

    async def wrong(cls: type[State]) -> State:
        return Another()

    with pytest.raises(TypeError, match="the loader gave a Another for Basket"):
        await TurnScope(wrong).state(Basket)


# --- errors ----------------------------------------------------------------------------------------------------------


async def settle(bot: Router, error: Exception, text: str | None = "a") -> list[str] | None:
    routes, ctx = routes_of(bot), Ctx(RECEIVED, text or "")
    selected = await routes.select(ctx) if text is not None else None
    assert not isinstance(selected, Unmatched)
    async with TurnScope(load) as scope:
        return ctx.log if await routes.run_error(error, ctx, scope, selected) else None


def shop_with_errors() -> Router:
    bot, shop, other = Router("bot"), Router("shop"), Router("other")
    bot.error(LookupError)(says("bot lookup"))
    bot.error()(says("bot any"))
    bot.include(shop)
    bot.include(other)
    shop.received(words("a"))(says("a"))
    shop.error(KeyError, OSError)(says("shop"))
    other.received(words("b"))(says("b"))
    other.error()(says("other"))
    return bot


async def test_the_error_handler_nearest_to_the_failed_handler_settles_it() -> None:
    bot = shop_with_errors()
    assert await settle(bot, KeyError()) == ["shop"]
    assert await settle(bot, FileNotFoundError()) == ["shop"]
    assert await settle(bot, IndexError()) == ["bot lookup"]
    assert await settle(bot, ValueError()) == ["bot any"]
    assert await settle(bot, KeyError(), "b") == ["other"]


async def test_without_a_handler_only_the_outermost_router_is_asked() -> None:
    assert await settle(shop_with_errors(), KeyError(), None) == ["bot lookup"]


async def test_nobody_settles_what_nobody_named_and_retry_is_no_error() -> None:
    bot = Router("bot")
    bot.received()(says("a"))
    bot.error(KeyError)(says("key"))
    assert await settle(bot, ValueError()) is None
    bot.error()(says("any"))
    assert await settle(bot, ValueError()) == ["any"]
    assert await settle(bot, Retry()) is None


async def test_error_handlers_have_filters_and_are_given_the_error() -> None:
    bot = Router("bot")
    bot.received()(says("a"))
    seen: list[object] = []

    @bot.error(KeyError, words("order"))
    async def of_orders(ctx: Ctx, error: LookupError, event: Event) -> None:
        seen.extend([error, event])

    error = KeyError("x")
    assert await settle(bot, error, "hi") is None
    assert await settle(bot, error, "order") == []
    assert seen == [error, RECEIVED]


async def test_what_an_error_handler_raises_goes_on() -> None:
    bot = Router("bot")
    bot.received()(says("a"))

    @bot.error()
    async def ask_again() -> None:
        raise Retry(timedelta(minutes=5))

    with pytest.raises(Retry, match="another try in 0:05:00") as caught:
        await settle(bot, ValueError())
    assert caught.value.after == timedelta(minutes=5)
