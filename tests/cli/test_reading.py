"""What can be seen in a bot's code: each mistake, and nothing in code that is right or cannot be read."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot import OptOut
from pilotbot.cli.reading import needed, read_bot, read_code
from pilotbot.replies import Message, Template, image
from pilotbot.target import load_bot

HEAD = """
import pilotbot
from pilotbot import Action, Bot, Context, Message, Template, custom, days, hours, image, words

bot = Bot("shop")
class Track(Action):
    order_id: str
ORDER = Message("Order {{ order }} of {{ contact.name }}.", options=[Track(order_id="{{ order }}").option("Track")])
STATUS = Template("order_status", order_id="{{ order.id }}")
"""
LONG = "a label of 25 characters "
TOO_LONG = f"the label '{LONG}' has 25 characters: beyond 24 all options go as numbered text"


def read(body: str, head: str = HEAD) -> tuple[list[str], list[str]]:
    """What is surely wrong in a handler's body, and what perhaps."""
    source = f"{head}\nasync def handler(ctx: Context, **more: object) -> None:\n" + "\n".join(f"    {line}" for line in body.splitlines())
    names: dict[str, object] = {"__name__": "shop"}
    exec(compile(source, "shop.py", "exec"), names)
    found = read_code(ast.parse(source), names, "shop.py")
    return [one.text for one in found if one.sure], [one.text for one in found if not one.sure]


@pytest.fixture(autouse=True)
def _no_classes_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotbot.replies.actions._registry", {})
    monkeypatch.setattr("pilotbot.contacts.state._registry", {})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('ctx.reply("hi")', "nothing is sent without await: write `await ctx.reply(...)`"),
        ('if more:\n    ctx.notify("+1", "hi")', "nothing is sent without await: write `await ctx.notify(...)`"),
        ('bot.notify("+1", "hi")', "nothing is sent without await: write `await bot.notify(...)`"),
        ('async def inner() -> None:\n    ctx.reply("hi")', "nothing is sent without await: write `await ctx.reply(...)`"),
        ("async def inner(c: 'pilotbot.Context') -> None:\n    c.reply('hi')", "nothing is sent without await: write `await c.reply(...)`"),
        ("await ctx.reply(ORDER)", "ORDER needs order: write ctx.reply(..., order=...)"),
        ("await ctx.reply(content=ORDER)", "ORDER needs order: write ctx.reply(..., order=...)"),
        ("await ctx.reply(ORDER, options=[])", "ORDER needs order: write ctx.reply(..., order=...)"),
        ('await bot.notify("+1", ORDER)', "ORDER needs order: write bot.notify(..., order=...)"),
        ('ctx.follow_up(hours(1), "hi")', "nothing is sent without await: write `await ctx.follow_up(...)`"),
        ('bot.follow_up("+1", hours(1), "hi")', "nothing is sent without await: write `await bot.follow_up(...)`"),
        ("await ctx.follow_up(hours(2), ORDER)", "ORDER needs order: write ctx.follow_up(..., order=...)"),
        ("await ctx.follow_up(ORDER, before_window_closes=hours(1))", "ORDER needs order: write ctx.follow_up(..., order=...)"),
        ('await ctx.follow_up(days(400), "a")', "days(400) is more than a year ahead: a follow-up comes within a year"),
        (
            'await ctx.reply("Hi", template=Template("order_status", order_id="{{ order }}"), order=4)',
            "the template's order_id goes with its braces: beside a content its variables are data: pass the value itself",
        ),
        ('await bot.follow_up("+1", hours(-1), "a")', "hours(-1) is not to come: a follow-up comes later, not sooner"),
    ],
)  # fmt: skip
def test_a_mistake_is_sure(body: str, text: str) -> None:
    assert read(body) == ([text], [])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("await ctx.reply(ORDER, order=1, ordre=2)", "ORDER does not name ordre"),
        ('await ctx.reply("Hi {{ name }}", name="Ana")', "a plain str goes out as it is, with its braces: make it a Message(...)"),
        (
            'await ctx.notify("+1", ORDER, template=STATUS, order=4)',
            "the template's order_id goes with its braces: beside a content its variables are data: pass the value itself",
        ),
        (f'await ctx.reply("a", options=["b", "{LONG}"])', TOO_LONG),
        (f'await ctx.reply("a", options=[Track(order_id="1").option("{LONG}")])', TOO_LONG),
        (f'await ctx.reply(Message("a", options=("{LONG}", "b", "c", "d")))', TOO_LONG),
    ],
)
def test_what_may_be_meant_so_is_a_doubt(body: str, text: str) -> None:
    assert read(body) == ([], [text])


@pytest.mark.parametrize(
    "body",
    [
        'await ctx.reply("hi")',
        'return await ctx.reply("hi")',
        'import asyncio\nawait asyncio.gather(ctx.reply("a"), ctx.reply("b"))',
        'coming = ctx.reply("hi")\nawait coming',
        'ctx = more["ctx"]\nctx.reply("hi")',
        'def inner(ctx: object) -> None:\n    ctx.reply("hi")',
        "@bot.reply()\nasync def quoted(ctx: Context) -> None: ...",
        "await ctx.reply(ORDER, order=1, contact=2, chat=3, now=True)",
        "await ctx.reply(ORDER, **more)",
        "await ctx.reply(*more, ORDER)",
        "await ctx.notify(*more, ORDER)",
        'ORDER = "a"\nawait ctx.reply(ORDER)',
        'for ORDER in "ab":\n    await ctx.reply(ORDER)',
        "try: ...\nexcept Exception as ORDER: await ctx.reply(ORDER)",
        'match more:\n    case {"a": ORDER}: await ctx.reply(ORDER)',
        "from json import dumps as ORDER\nawait ctx.reply(ORDER())",
        'await ctx.reply(ORDER, order=1, template=Template("t", a="b", c=more))',
        'await ctx.reply(more["content"])',
        f'await ctx.reply("a", options=["{LONG[1:]}", "b", "c", "d"])',
        f'await ctx.reply("a", options=[*more, "{LONG}"])',
        f'await ctx.reply(ORDER, order=1, options=[Track(order_id="1").option("{{{{ order }}}} and {LONG}")])',
        f'more["x"].reply("a", options=["{LONG}"])',
    ],
)  # fmt: skip
def test_what_is_right_or_cannot_be_read_is_passed_over(body: str) -> None:
    assert read(body) == ([], [])


def test_a_message_that_is_made_in_two_ways_cannot_be_read() -> None:
    assert read("await ctx.reply(ORDER)", head=HEAD + 'if words:\n    ORDER = Message("{{ other }}")\n') == ([], [])


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (Message("{{ a }}{{ b.c | upper }}{{ d['e'] }}"), {"a", "b", "d"}),
        (Message("{{ a | default('x') }}{{ b or 'x' }}{% if c is defined and c %}{{ c }}{% endif %}"), {"b"}),
        (Message("{% if a %}{{ b }}{% else %}{{ c }}{% endif %}{{ d if e else f }}"), {"a", "e"}),
        (Message("{% for a in b %}{{ a }}{{ c }}{% endfor %}"), {"b"}),
        (Message("a", options=["{{ b }}"], header="{{ c }}", footer="{{ d }}", template=Template("t", x="{{ e }}")), {"b", "c", "d", "e"}),
        (Message("a", media=image("https://h/{{ b }}")), {"b"}),
    ],
)
def test_only_what_every_rendering_needs_is_needed(message: Message, names: set[str]) -> None:
    assert needed(message) == names


def test_a_plain_label_by_which_contacts_opt_out_is_a_doubt() -> None:
    source = HEAD + 'MENU = Message("Well?", options=["Stay", "Stop", Track(order_id="1").option("Sair")])'
    names: dict[str, object] = {"__name__": "shop"}
    exec(compile(source, "shop.py", "exec"), names)
    (found,) = read_code(ast.parse(source), names, "shop.py", opt_out=OptOut())
    assert (found.sure, found.text.split(":")[0]) == (False, "who chooses 'Stop' opts out of all messages")


def test_what_a_call_replaces_is_not_needed() -> None:
    message = Message("a", options=["{{ b }}"], media=image("https://h/{{ c }}"), template=Template("t", x="{{ d }}"))
    assert needed(message, without=frozenset({"options", "media", "template"})) == set()


@given(st.text(alphabet="abc{}%| .()'=:\n\tifor", max_size=40))
def test_any_code_that_python_takes_can_be_read(body: str) -> None:
    try:
        tree = ast.parse(body)
    except (SyntaxError, ValueError):
        return
    read_code(tree, {}, "shop.py")


TAPPED = """
from pilotbot import Action, Bot, Context, Message, words
class Track(Action):
    order_id: str
bot = Bot("shop")
ORDER = Message("a", options=["Track"])
@bot.tapped(Track)
async def track(ctx: Context, action: Track) -> None:
    await ctx.reply(ORDER)
"""


@pytest.mark.parametrize(
    ("more", "offered"),
    [
        ("", False),
        ("def again(action: Track) -> Track: ...", False),
        ('MENU = Message("a", options=[Track(order_id="1").option("Track")])', True),
        ('def menu() -> list[object]:\n    return [Track(order_id="1").option("Track")]', True),
        ("import shop_texts", True),
        ("from shop_texts import MENU", True),
        ("from shop_texts import menu", True),
        ('class Other(Track): ...\ndef menu() -> object:\n    return Other(order_id="1")', True),
    ],
)
def test_a_tap_that_nothing_offers_is_a_doubt(desk: Path, more: str, offered: bool) -> None:
    (desk / "shop_actions.py").write_text("from pilotbot import Action\nclass Track(Action):\n    order_id: str\n")
    texts = """
        from pilotbot import Message
        from shop_actions import Track
        MENU = Message("a", options=[Track(order_id="1").option("Track")])
        def menu(): ...
    """
    (desk / "shop_texts.py").write_text(dedent(texts))
    head = TAPPED.replace("class Track(Action):\n    order_id: str\n", "from shop_actions import Track\n")
    (desk / "shop.py").write_text(head + more + "\n")
    found = [str(one) for one in read_bot(load_bot("shop.py"))]
    assert found == ([] if offered else ["shop.py:6: no option brings Track: offer it in a message, as Track(...).option('...')"])


@pytest.mark.parametrize("made", [True, False])
def test_an_action_that_is_named_through_its_module_counts_too(desk: Path, made: bool) -> None:
    (desk / "shop_actions.py").write_text("from pilotbot import Action\nclass Track(Action):\n    order_id: str\n")
    head = TAPPED.replace("class Track(Action):\n    order_id: str\n", "import shop_actions\n").replace("Track)", "shop_actions.Track)")
    menu = 'def menu() -> object:\n    return shop_actions.Track(order_id="1").option("Track")\n'
    (desk / "shop.py").write_text(head + (menu if made else ""))
    assert len(read_bot(load_bot("shop.py"))) == (not made)


def test_routers_in_files_of_their_own_are_read_too(desk: Path) -> None:
    head = "from pilotbot import Context, Router\nrouter = Router('r')\n"
    (desk / "cli_router.py").write_text(head + "@router.message()\nasync def a(ctx: Context) -> None:\n    ctx.reply('a')\n")
    (desk / "shop.py").write_text("from pilotbot import Bot\nfrom cli_router import router\nbot = Bot('shop')\nbot.include(router)\n")
    assert [one.where for one in read_bot(load_bot("shop.py"))] == ["cli_router.py:5"]


@pytest.mark.parametrize("name", ["orders", "faq"])
def test_the_examples_are_clean(name: str) -> None:
    assert read_bot(load_bot(str(Path(__file__).parents[2] / "bots" / f"{name}.py"))) == []
