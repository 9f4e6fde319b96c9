"""`pilotbot explain`: what a bot would make of a message, told without sending or storing anything."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import Result

from tests.cli.conftest import PHONE, Desk
from tests.stage import Stage

Invoke = Callable[..., Result]

BOT = """
from pilotbot import Action, Bot, Context, Policy, Retry, Router, State, Template, custom, has_media, image, pattern, words

bot = Bot("shop"{more})
vip = Router("vip")


class Basket(State, name="explained_basket"):
    items: list[str] = []
    seen: int = 0


class Pick(Action, name="explained_pick"):
    n: int


def is_vip(ctx: Context) -> bool:
    return ctx.chat.name == "Ana"


def broken(ctx: Context) -> bool:
    raise LookupError("no such table")


@vip.message(words("add") & ~has_media())
async def add(ctx: Context, basket: Basket) -> None:
    print("the code of add did run")
    basket.items.append("pen")
    await ctx.reply("one moment", now=True)
    await ctx.reply(f"{{len(basket.items)}} things", options=[Pick(n=len(basket.items)).option("First"), "Stop"])
    await ctx.notify("+5521998760002", "somebody adds", template=Template("follow_up", who="Ana"))


bot.include(vip, custom(is_vip))


@bot.message(pattern(r"order (?P<number>\\d+)"))
async def order(ctx: Context, number: int) -> None:
    await ctx.reply(f"Order {{number}}", template=Template("order_status", order_id=str(number)))


@bot.message(words("order", "long"))
async def any_order(ctx: Context) -> None:
    await ctx.reply("x" * 5000)


@bot.message(words("photo"))
async def photo(ctx: Context) -> None:
    await ctx.reply("A photo", media=image("https://example.com/a.png"), options=["More"])


@bot.message(words("broken"), custom(broken))
async def never(ctx: Context) -> None: ...


@bot.message(words("fail"))
async def fail(ctx: Context) -> None:
    await ctx.reply("never")
    raise ValueError("no such order")


@bot.message(words("settle"))
async def settle(ctx: Context) -> None:
    raise KeyError("k")


@bot.message(words("later"))
async def later(ctx: Context) -> None:
    raise Retry


@bot.message(words("silence"))
async def silence(ctx: Context) -> None: ...


@bot.message(words("myself"))
async def myself(ctx: Context) -> None:
    await ctx.notify(ctx.contact, "to you", template=Template("follow_up"))


@bot.tapped(Pick)
async def picked(ctx: Context, action: Pick) -> None:
    await ctx.reply(f"picked {{action.n}}")


@bot.reply()
async def quoted(ctx: Context) -> None:
    await ctx.reply("you quote me")


@bot.error(KeyError)
async def sorry(ctx: Context) -> None:
    await ctx.reply("sorry")
"""


@pytest.fixture
def shop(desk: Path) -> Path:
    path = desk / "shop.py"
    path.write_text(BOT.format(more=""), "utf-8")
    return path


@pytest.fixture
def explain(invoke: Invoke, shop: Path) -> Invoke:
    return lambda *words: invoke("explain", "shop.py", *words)


def lines(result: Result) -> list[str]:
    """The lines, without what the layout adds."""
    return [" ".join(line.split()) for line in result.stdout.splitlines() if line.strip()]


class TestRouting:
    def test_every_handler_and_filter_is_told_and_who_wins_with_captures(self, explain: Invoke) -> None:
        result = explain("order 42")
        told = lines(result)
        assert result.exit_code == 0
        assert told[0] == 'event message.received (Received): "order 42"'
        assert '- add shop.py:25 @vip.message(words("add") & ~has_media())' in told
        assert "- guard of its router: custom(is_vip) said no" in told
        at = told.index("+ order shop.py:37 @bot.message(pattern('order (?P<number>\\\\d+)')) <- takes it")
        assert told[at + 1 : at + 3] == ["+ pattern('order (?P<number>\\\\d+)')", "number = 42"]
        assert told[at + 3] == '+ any_order shop.py:42 @bot.message(words("order", "long")) <- would take it too, but stands later'
        assert "and 3 for other kinds of events" in told  # tapped, reply, error

    def test_joined_filters_show_their_parts(self, explain: Invoke) -> None:
        result = explain("add", "--name", "Ana", "--no-run")
        assert lines(result)[4:11] == [
            "Handlers, in the order in which they are tried:",
            '+ add shop.py:25 @vip.message(words("add") & ~has_media()) <- takes it',
            "+ guard of its router: custom(is_vip)",
            '+ words("add") & ~has_media()',
            '+ words("add")',
            "+ ~has_media()",
            "- has_media(): there is no media",
        ]

    def test_what_nobody_takes_has_an_exit_code_of_its_own_and_a_handler_to_paste(self, explain: Invoke) -> None:
        result = explain("good morning")
        assert result.exit_code == 3
        assert "Nobody takes it." in result.stdout
        assert '    @bot.received(words("good morning"))\n    async def on_received(ctx: Context) -> None:' in result.stdout
        assert "did run" not in result.stdout

    def test_a_filter_that_raises_is_shown_and_is_a_problem(self, explain: Invoke) -> None:
        result = explain("broken")
        told = lines(result)
        assert result.exit_code == 1
        assert "! custom(broken): LookupError: no such table" in told
        assert any(line.startswith("! never") and line.endswith("<- a filter raises, and the turn fails") for line in told)
        assert "It raised LookupError: no such table" in told
        assert "at shop.py:22 broken" in told

    def test_a_filter_that_is_not_asked_says_so_where_it_would_raise(self, explain: Invoke) -> None:
        assert "! custom(broken): LookupError: no such table (not asked, after what decided)" in lines(explain("silence"))


class TestAnswers:
    def test_what_is_said_how_it_would_go_and_the_changes_of_state(self, explain: Invoke) -> None:
        result = explain("add", "--name", "Ana", "--state", 'Basket={"items": ["ink"]}')
        assert result.exit_code == 0
        assert 'state Basket {"items":["ink"],"seen":0}' in lines(result)
        told = lines(result)[lines(result).index("Nothing was sent or stored. The code of the handler did run:") + 1 :]
        opened = "The number is meta, and the window is open until "
        assert [line.partition(opened)[0] for line in told] == [
            '1. says before the commit: "one moment"',
            "rendered text; no template",
            "goes as text. ",
            '2. says: "2 things"',
            'options "First" (explained_pick: {"n":2}), "Stop"',
            "rendered buttons; no template",
            "goes as buttons. ",
            '3. says to +5521998760002: "somebody adds"',
            'rendered text; or as template follow_up(who="Ana")',
            "goes as the template. The number is meta, and this contact never wrote to it.",
            'state Basket items: ["ink"] -> ["ink","pen"]',
        ]
        assert "the code of add did run" in result.stdout

    @pytest.mark.parametrize(
        ("options", "goes"),
        [
            (("--window", "open"), "as text. The number is meta, and the window is open until "),
            (("--window", "closed"), "as the template. The number is meta, and the window is closed since "),
            (("--window", "never"), "as the template. The number is meta, and this contact never wrote to it."),
            (("--window", "never", "--number-kind", "evolution_go"), "as text. The number is evolution_go, which has no window."),
        ],
    )
    def test_the_decision_and_its_inputs(self, explain: Invoke, options: tuple[str, ...], goes: str) -> None:
        result = explain("order 42", *options)
        assert f"\n     goes      {goes}" in result.stdout
        assert 'rendered  text; or as template order_status(order_id="42")' in result.stdout

    @pytest.mark.parametrize(
        ("closed", "goes"),
        [
            ("defer", "not now: it waits until the contact writes (Policy(closed='defer'))"),
            ("skip", "not at all: it is skipped (Policy(closed='skip'))"),
            ("fail", "not at all: it becomes a dead letter (Policy(closed='fail'))"),
        ],
    )
    def test_without_a_template_the_policy_is_told(self, explain: Invoke, shop: Path, closed: str, goes: str) -> None:
        shop.write_text(BOT.format(more=f', policy=Policy(closed="{closed}")'), "utf-8")
        assert f"goes      {goes}. The number is meta" in explain("photo", "--window", "closed").stdout

    def test_a_long_content_in_parts_is_shown_in_short(self, explain: Invoke) -> None:
        result = explain("long")
        assert f'1. says: "{"x" * 300}..." (5,001 characters)' in result.stdout
        assert "rendered  text, then text; no template" in result.stdout

    def test_a_file_with_buttons(self, explain: Invoke) -> None:
        assert "goes      as buttons. " in explain("photo").stdout

    def test_a_handler_that_says_nothing(self, explain: Invoke) -> None:
        result = explain("silence")
        assert (result.exit_code, "it says nothing" in result.stdout) == (0, True)

    def test_no_run_ends_before_the_code_of_the_handler(self, explain: Invoke) -> None:
        result = explain("add", "--name", "Ana", "--no-run")
        assert result.exit_code == 0
        assert "the code of add did run" not in result.stdout
        assert lines(result)[-1] == "Nothing was run (--no-run)."


class TestErrors:
    def test_a_handler_that_fails_is_a_problem_told_with_its_place(self, explain: Invoke) -> None:
        result = explain("fail")
        assert result.exit_code == 1
        assert lines(result)[-5:] == [
            '1. says: "never"',
            "dropped, since the handler failed",
            "It raised ValueError: no such order",
            "at shop.py:59 fail",
            "nothing of it is committed, and the event is tried again later",
        ]

    def test_what_an_error_handler_settles_is_none(self, explain: Invoke) -> None:
        result = explain("settle")
        assert result.exit_code == 0
        assert '1. says: "sorry"' in lines(result)
        assert lines(result)[-1] == "an error handler settled it"

    def test_a_handler_that_asks_for_another_try(self, explain: Invoke) -> None:
        result = explain("later")
        assert (result.exit_code, "the event is tried again later" in result.stdout) == (1, True)

    @pytest.mark.parametrize(
        ("words", "problem"),
        [
            ((), "give what the contact writes"),
            (("hi", "--tap", "Track"), "one of the two"),
            (("hi", "--state", "Basket"), "--state takes CLASS=JSON"),
            (("hi", "--state", "={}"), "--state takes CLASS=JSON"),
            (("hi", "--state", "Wagon={}"), "the bot has no state called Wagon; it has "),
            (("hi", "--state", "Basket={"), "--state Basket: what follows the = is not JSON (column 2: "),
            (("hi", "--state", "Basket=[]"), '--state Basket: give an object of its fields, such as {"items": ...}'),
            (("hi", "--state", 'Basket={"itms": []}'), "--state Basket: it has no field 'itms'; it has items, seen"),
            (("hi", "--state", 'Basket={"items": "pen"}'), "--state Basket: items: "),
            (("hi", "--as", "987650001"), "the phone has no country code"),
            (("hi", "--as", "+1"), "--as: not a phone number"),
            (("hi", "--as", "+55 11 98765 0001 99 99 99"), "--as: not a phone number"),
            (("hi", "--as", "120363000000000001@g.us"), "--as: groups and newsletters are not explained"),
        ],
    )
    def test_what_is_given_wrong_is_told_with_the_remedy(self, explain: Invoke, words: tuple[str, ...], problem: str) -> None:
        result = explain(*words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert problem in result.stderr

    def test_a_bot_with_mistakes_is_refused_as_check_does(self, explain: Invoke, shop: Path) -> None:
        shop.write_text(BOT.format(more="").replace("await ctx.reply", "ctx.reply"), "utf-8")
        result = explain("hi")
        assert (result.exit_code, "nothing is sent without await" in result.stderr) == (1, True)


class TestStoredChats:
    def test_without_an_installation_the_chat_is_a_new_one(self, explain: Invoke) -> None:
        result = explain("order 42", "--as", "+55 11 98765-0001", "--name", "Ana")
        assert result.exit_code == 0
        assert "contact +5511987650001 (Ana)" in lines(result)

    def test_what_the_contact_has_not_been_offered_has_no_action(self, explain: Invoke) -> None:
        result = explain("--tap", "First")
        assert result.exit_code == 3
        assert "option none: the chat was not offered this label, so there is no action; --as PHONE takes a chat that was" in lines(result)
        assert "the option carries no action; offer it as Pick(...).option(...)" in lines(result)

    def test_a_quote_is_a_reply(self, explain: Invoke) -> None:
        assert any(line.startswith("+ quoted ") for line in lines(explain("hello", "--quoted")))

    async def test_a_stored_chat_is_explained_with_its_state_and_menus_and_not_touched(
        self, stage: Stage, redis: Redis, redis_url: str, shop: Path
    ) -> None:
        from pilotbot.target import load_bot  # noqa: PLC0415 - after the fixture made the file

        runtime = await stage.work(load_bot("shop.py"))
        await stage.says("add", contact=PHONE, name="Ana")
        await stage.sees(2, contact=PHONE)
        await stage.sees(1, contact="+5521998760002")
        await stage.quiet(runtime)

        def stored() -> dict[str, object]:
            return {key: redis.dump(key) for key in redis.scan_iter(count=1000)}

        before, rows = stored(), await stage.rows()
        tapped = explained(stage, redis_url, "--tap", "First", "--as", PHONE)
        assert (tapped.returncode, tapped.stderr) == (0, "")
        for expected in (
            "contact   +5511987650001 (Ana)", 'state     Basket {"items":["pen"],"seen":0}', 'offered   "First", "Stop"',
            'option    "First": Pick(n=1)', '1. says: "picked 1"',
        ):  # fmt: skip
            assert expected in tapped.stdout
        late = explained(stage, redis_url, "myself", "--as", PHONE, "--window", "never").stdout
        assert "goes      as the template. The number is meta, and this contact never wrote to it." in late
        added = explained(stage, redis_url, "add", "--as", "+551187650001")  # the same person, spelt otherwise
        assert 'state Basket  items: ["pen"] -> ["pen","pen"]' in added.stdout
        assert (stored(), await stage.rows()) == (before, rows)

    async def test_a_label_with_several_meanings_is_asked_about_unless_one_is_quoted(
        self, stage: Stage, redis_url: str, shop: Path
    ) -> None:
        from pilotbot.target import load_bot  # noqa: PLC0415 - as above

        runtime = await stage.work(load_bot("shop.py"))
        for count in (2, 4):
            await stage.says("add", contact=PHONE, name="Ana")
            await stage.sees(count, contact=PHONE)
        await stage.quiet(runtime)
        asks = explained(stage, redis_url, "First", "--as", PHONE)
        assert asks.returncode == 0
        assert 'option    "First", of 2 messages: "2 things", "1 things"' in asks.stdout
        assert "the bot asks which, and no handler is tried." in asks.stdout
        assert '1. says: "Which one do you mean?"' in asks.stdout
        assert 'option    "First": Pick(n=2)' in explained(stage, redis_url, "First", "--as", PHONE, "--quoted").stdout

    def test_beside_dev_it_reads_the_chats_of_its_sandbox(self, invoke: Invoke, dev: Desk) -> None:
        dev.phone.write("hello")
        dev.phone.until("one")
        result = invoke("explain", "shop.py", "hi", "--as", PHONE)
        assert (result.exit_code, result.stderr) == (0, "")
        assert f"contact   {PHONE} (Ana)" in result.stdout
        assert dev.phone.received() == ["one"]


def explained(stage: Stage, redis_url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Explain, as a process of its own, with the settings of the bot on the stage."""
    settings = {
        "REDIS_URL": redis_url, "SHARDS": "2", "API_KEY": "ps_sandbox_number", "API_URL": stage.sandbox.url, "WEBHOOK_SECRET": "s",
    }  # fmt: skip
    environment = {**os.environ, **{f"PILOTBOT_{name}": value for name, value in settings.items()}}
    return subprocess.run(
        [sys.executable, "-m", "pilotbot", "explain", "shop.py", *words], env=environment, capture_output=True, text=True, check=False
    )


def test_on_a_terminal_it_is_coloured_and_a_contacts_words_are_not_commands_to_it(shop: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pilotbot", "explain", "shop.py", "order 42 \x1b]0;mine\x07", "--no-run"]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=shop.parent)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    assert b"\x1b[32m" in shown
    assert b"\x1b]0;" not in shown
    assert b"order 42 \\x1b]0;mine\\x07" in shown


def test_it_stands_among_the_commands(invoke: Invoke) -> None:
    assert "explain " in invoke("--help").stdout
