"""Explanations: why nobody took a turn, and a handler to paste that would; nothing of the contact's unless revealed."""

from dataclasses import dataclass
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot import routing
from pilotbot.events.models import Call, Clock, Event, Group, Inbound, Lead, Media, Newsletter, Number, Received, Reply, Status, Tap
from pilotbot.replies import Action
from pilotbot.routing import Provided, Router, Routes, Selected, Unmatched, explain, has_media, words


class Grab(Action, name="test_explain.Grab"):
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


def received(text: str = "", kind: str | None = None) -> Ctx:
    file = Media(kind) if kind else None
    return Ctx(Received(name="message.received", id="1", sender=SENDER, text=text, media=file), text)


EVENTS: list[tuple[Ctx, str]] = [
    (received("hello big world"), 'received(words("hello big world"))'),
    (received("Olá, “mundo”\n\\ {x}"), 'received(words("ola mundo x"))'),
    (received("?!"), "received(exactly('?!'))"),
    (received("x" * 5000), "received(has_text())"),
    (received("", "image"), 'received(has_media("image"))'),
    (received("", "hologram"), "received(has_media())"),
    (received(), "received()"),
    (Ctx(received().event, "Grab", Grab()), "tapped(Grab)"),
    (Ctx(Reply(name="message.reply", id="1", sender=SENDER), "ok"), 'reply(words("ok"))'),
    (Ctx(Group(name="message.group", id="1", sender=SENDER, group_id="1@g.us"), "ok"), 'group(words("ok"))'),
    (Ctx(Newsletter(name="message.newsletter", id="1", sender=SENDER, newsletter_id="1@newsletter")), "newsletter()"),
    (Ctx(Status(name="message.failed", id="1", status="failed", to=SENDER)), 'status("failed")'),
    (Ctx(Number(name="number.connected", id="1", change="connected")), 'number("connected")'),
    (Ctx(Call(name="call.ended", id="1", change="ended")), 'call("ended")'),
    (Ctx(Call(name="call.x", id="1", change='")\nimport os')), "call()"),
    (Ctx(Lead(name="lead.received", id="1", lead_id="1")), "lead()"),
]


@pytest.mark.parametrize(("ctx", "decorator"), EVENTS)
async def test_the_pasted_handler_takes_the_turn(ctx: Ctx, decorator: str) -> None:
    text = explain(ctx, (), reveal=True)
    assert f"    @bot.{decorator}\n" in text
    bot = Router("bot")
    names = {"bot": bot, "Context": Ctx, "Grab": Grab} | {name: getattr(routing, name) for name in routing.__all__}
    exec(dedent(text.partition("To handle it:\n\n")[2]), names)
    found = await Routes.build(bot, context_type=Ctx, provided=Provided()).select(ctx)
    assert isinstance(found, Selected)


async def test_it_names_the_tried_handlers_and_their_reasons() -> None:
    bot = Router("shop")

    @bot.received(words("order"))
    async def order_status() -> None: ...

    @bot.received(has_media("image"))
    async def receipt() -> None: ...

    ctx = received("my secret words")
    found = await Routes.build(bot, context_type=Ctx, provided=Provided()).select(ctx)
    assert isinstance(found, Unmatched)
    first, second = bot.handlers
    assert explain(ctx, found.tried, bot="shop") == "\n".join(
        [
            "Nobody handled a Received event with a text of 3 words.",
            "Tried, in order:",
            f'  {first.where} order_status @bot.received(words("order"))',
            '    words("order"): not in the text',
            f'  {second.where} receipt @bot.received(has_media("image"))',
            '    has_media("image"): there is no media',
            "To handle it:",
            "",
            '    @bot.received(words("<one of the 3 words>"))',
            "    async def on_received(ctx: Context) -> None:",
            '        await ctx.reply("...")',
        ]
    )


def test_it_says_what_came() -> None:
    assert explain(received("a", "image"), ()).startswith(
        "Nobody handled a Received event with a text of 1 word, media (image).\nNo handler is tied to such events.\n"
    )
    assert "a Received event with no text, the choice of a Grab." in explain(Ctx(received().event, "", Grab()), ())
    assert explain(Ctx(Clock(name="sandbox.clock", id="1", offset=0)), ()).splitlines() == [
        "Nobody handled a Clock event.",
        "No handler is tied to such events.",
        "There is no decorator for such events; they can be left alone.",
    ]


@given(st.text(max_size=40), st.sampled_from([None, "image", "zqzq"]))
def test_nothing_of_the_contact_is_in_it_unless_revealed(text: str, kind: str | None) -> None:
    secret = f"zq{text}zq"
    for cls in (Received, Reply):
        event: Inbound = cls(name="x", id="1", sender=SENDER, text=secret, media=Media(kind) if kind else None)
        told = explain(Ctx(event, secret), ())
        assert "zq" not in told
        assert "5511987650001" not in told


async def test_the_pasted_handler_stands_on_the_outermost_router_that_was_tried_by_its_variable() -> None:
    app, inner = Router("my bot"), Router("inner")

    @inner.received(words("a"))
    async def in_inner() -> None: ...

    app.include(inner)
    ctx = received("hello")

    async def pasted() -> str:
        found = await Routes.build(app, context_type=Ctx, provided=Provided()).select(ctx)
        assert isinstance(found, Unmatched)
        return explain(ctx, found.tried, bot="shop")

    assert "    @inner.received(" in await pasted()

    @app.received(words("b"))
    async def in_app() -> None: ...

    assert "    @app.received(" in await pasted()
    assert "    @shop.received(" in explain(ctx, (), bot="shop")


async def test_a_tap_without_an_action_says_how_to_offer_one() -> None:
    bot = Router("bot")

    @bot.tapped(Grab)
    async def grab() -> None: ...

    ctx = Ctx(Received(name="message.received", id="1", sender=SENDER, text="Grab it", tap=Tap("Grab it")), "Grab it")
    found = await Routes.build(bot, context_type=Ctx, provided=Provided()).select(ctx)
    assert isinstance(found, Unmatched)
    told = explain(ctx, found.tried)
    assert "grab @bot.tapped(Grab)\n    the option carries no action; offer it as Grab(...).option(...)" in told
