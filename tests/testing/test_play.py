"""A conversation of a `.chat` file, played with right and with wrong bots: what is otherwise is named, with its line."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pilotbot import Action, Bot, Context, Message, Template, exactly, has_media, mentions_me, words
from pilotbot.testing.chatfile import parse
from pilotbot.testing.play import Outcome, play
from pilotbot.testing.report import told
from pilotbot.testing.script import Turn


class Track(Action, name="play.Track"):
    order: str


ORDER = Message(
    "Pedido {{ order }} saiu.",
    options=[Track(order="{{ order }}").option("Track"), "Pessoa"],
    template=Template("order_status", order_id="{{ order }}", status="out"),
)


def shop() -> Bot:
    bot = Bot("shop")

    @bot.message(words("pedido"))
    async def order(ctx: Context) -> None:
        await ctx.reply(ORDER, order="4242")

    @bot.tapped(Track)
    async def track(ctx: Context, action: Track) -> None:
        await ctx.reply(f"Parcel of {action.order}.")

    @bot.message(exactly("two", "both"))
    async def two(ctx: Context) -> None:
        await ctx.reply("first")
        await ctx.reply("second")

    @bot.message(exactly("boss"))
    async def boss(ctx: Context) -> None:
        await ctx.notify("+5511987650009", "Somebody asks.", template=Template("follow_up"))

    @bot.message(exactly("boom"))
    async def boom(ctx: Context) -> None:
        raise ValueError("the shop is on fire")

    @bot.message(has_media("image"))
    async def photo(ctx: Context) -> None:
        await ctx.reply("Nice.")

    @bot.reply()
    async def quoted(ctx: Context) -> None:
        await ctx.reply(f"About that, {ctx.contact.first_name}.")

    @bot.group(mentions_me())
    async def in_group(ctx: Context) -> None:
        await ctx.reply("Hello, all.")

    return bot


Play = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def played() -> Play:
    """Plays a text with the shop."""
    return lambda text: play(parse(text, Path("shop.chat")), shop())


RIGHT = """\
# everything that a file can do
number: {kind}
let order = 4242
> pedido {{order}}
< Pedido {{order}} *   [Track] [Pessoa]
> tap Track
< Outra coisa.
| Parcel of {{order}}.
> "two"
< first
< second
> nobody answers this
< nothing
> /photo * look
< Nice.
> /quote "Pedido*" e então?
< About that, {{contact.name}}.
> /react 👍
> /location -23.5 -46.6 Shop
> /card Bia +5511987650002
> /read
! restart
! redeliver
< nothing
! shuffle on
! faults http500=1
> pedido
< Pedido *   [*]
! crash post
> pedido
< Pedido *   [*]
! notify "Chegou?"   [Sim] [Não]
< Chegou?   [Sim] [Não]
! event {{"event": "number.connected", "data": {{"numberId": "num_main"}}}}
> /block
> /unblock
"""


@pytest.mark.parametrize("kind", ["meta", "evolution_v2"])
async def test_all_that_a_file_can_do(played: Play, kind: str) -> None:
    outcome = await played(RIGHT.format(kind=kind))
    assert told(outcome) == ""
    assert outcome.passed
    assert len(outcome.played) == len(outcome.script.steps)


async def test_a_day_later_it_goes_as_a_template(played: Play) -> None:
    later = '> pedido\n< Pedido *   [*]\n... 25h\n! notify "x" template order_status order_id=7 status="on its way"\n'
    assert (await played(f'{later}< template order_status order_id=7 status="on *"')).passed
    assert (await played(f'{later}< template order_status "Your order 7 *"')).passed
    assert "[template] it should go as the template follow_up" in kinds(await played(f"{later}< template follow_up"))
    assert "its variable order_id should be “8”" in told(await played(f"{later}< template order_status order_id=8"))
    assert "it should not go as a template" in told(await played(f"{later}< Your order *"))


async def test_several_contacts_and_groups(played: Play) -> None:
    outcome = await played(
        "number: evolution_v2\n@ Ana\n> pedido\n@ Bia Souza +5511987650003\n> two\n< first\n< second\n@ Ana\n< Pedido *   [*]\n"
        '@ group Vendas 120363000000000001@g.us\n> shop, oi\n< Hello, all.\n> /quote "Hello" shop, again\n< Hello, all.\n'
        "> /image * the shop?\n< Hello, all.\n> /react 👍\n@ Bia Souza\n> oi, shop\n< nothing\n"
    )
    assert told(outcome) == ""


def kinds(outcome: Outcome) -> str:
    return " ".join(f"[{each.kind}] {each.text}" for one in outcome.played for each in one.differences)


@pytest.mark.parametrize(
    ("text", "line", "kind", "said"),
    [
        ("> hello\n< Hi.\n", 2, "missing", "this answer did not come"),
        ("> two\n\n# why\n< first\n", 4, "extra", "text “second”"),
        ("> two\n< second\n< first\n", 2, "order", "another order"),
        ("> pedido\n< template order_status\n", 2, "template", "should go as the template order_status, but went as buttons"),
        ("> pedido\n< Pedido 17 saiu.   [Track] [Pessoa]\n", 2, "wording", "it goes on with “4242 saiu.” where “17 saiu.” should stand"),
        ("> pedido\n< Pedido *   [Track]\n", 2, "options", "[Pessoa]"),
        ("> pedido\n< Pedido *\n", 2, "options", "[Track] [Pessoa]"),
        ("> pedido\n< image Pedido *   [*]\n", 2, "media", "an image should come with it"),
        ("> pedido\n< nothing\n", 2, "extra", "Pedido 4242"),
        ("> two\n< *\n", 2, "extra", "second"),
    ],
)
async def test_what_is_otherwise_is_named_with_its_line(played: Play, text: str, line: int, kind: str, said: str) -> None:
    outcome = await played(text)
    assert not outcome.passed
    assert f"[{kind}]" in kinds(outcome)
    report = told(outcome)
    assert report.startswith(f"shop.chat:{line}: ")
    assert said in report


async def test_what_nobody_expects_by_the_end_is_told_with_who_it_went_to(played: Play) -> None:
    assert "to Ana: an answer that nothing expects: text “first”" in told(await played("> two\n"))
    outcome = await played("> boss\n< nothing\n")
    assert "to +5511987650009: an answer that nothing expects: the template follow_up" in told(outcome)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("> tap Nope\n", "No message that reached this contact offers that label"),
        ('> /quote "never said" x\n', "has no message that says"),
        ("> /photo nowhere.png\n", "nowhere.png"),
        ("@ Bia\n> oi\n", "nobody is called Bia"),
        ("> boom\n", "ValueError: the shop is on fire"),
        ("! crash lunch\n", "there is no lunch to crash after"),
        ("! faults nonsense=1\n", "nonsense"),
        ("> /block\n> oi\n", "unblock"),
    ],
)
async def test_a_step_that_cannot_be_done_ends_the_conversation(played: Play, text: str, said: str) -> None:
    outcome = await played(f"{text}> pedido\n< never looked at\n")
    assert said in told(outcome)
    assert "never looked at" not in told(outcome)


async def test_a_crash_that_never_came_and_a_name_with_two_phones_are_told(played: Play) -> None:
    assert "the crash after: post was asked for" in told(await played("! crash post\n> nobody answers\n< nothing\n"))
    assert "Bia has another address already" in told(await played("@ Bia +5511987650003\n> oi\n< nothing\n@ Bia +5511987650004\n"))
    outcome = await played("@ Ana +5511999990000\n> pedido\n< Pedido *   [*]\n")
    assert told(outcome) == ""
    assert outcome.script.steps[0].doing == Turn("Ana", "+5511999990000")


async def test_the_report_shows_both_sides_and_the_sentence(played: Play) -> None:
    report = told(await played("# an order\n> pedido 4242\n< Seu pedido *   [Track]\n"))
    assert report.splitlines() == [
        "shop.chat:3: the bot answered otherwise",
        "     2   > pedido 4242",
        "     3 - < Seu pedido *   [Track]",
        "       + < Pedido 4242 saiu.   [Track] [Pessoa]",
        "         it goes on with “Pedido 4242 saiu.” where “Seu pedido” should stand",
        "         it has [Pessoa] beside what was expected",
    ]
