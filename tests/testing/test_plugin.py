"""The pytest plugin, in a pytest of its own: its fixture, `*.chat` files, and what a failure shows."""

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest
import shop

@pytest.fixture
def bot():
    return shop.bot
"""
SHOP = """
from pilotbot import Bot, Context, words

bot = Bot("shop")

@bot.message(words("order"))
async def order(ctx: Context) -> None:
    await ctx.reply("Order 4242 is on its way.", options=["Track"])
"""
INI = "[pytest]\nasyncio_mode = auto\npythonpath = .\n"


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a bot, as somebody has it who installed pilotbot."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(shop=SHOP, conftest=CONFTEST)
    pytester.makefile(".ini", pytest=INI)
    return pytester


def test_a_journey_in_five_lines(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_shop="""
async def test_an_order(pilot):
    ana = pilot.phone("+5511987650001", name="Ana")
    await ana.says("order?")
    assert ana.sees("Order 4242", mode="buttons", options=["Track"])
"""
    )
    shop.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_a_failure_shows_the_chat_and_the_routing(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        test_shop="""
async def test_an_order(pilot):
    ana = pilot.phone("+5511987650001", name="Ana")
    await ana.says("parcel?")
    assert ana.sees("Order 4242")

async def test_by_hand():
    import shop
    from pilotbot.testing import Platform
    async with Platform(shop.bot) as pilot:
        ana = pilot.phone("+5511987650001", name="Bia")
        await ana.says("order")
        assert ana.last.mode == "template"
"""
    )
    result = shop.runpytest_subprocess("-q")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*not seen: the bot answered nothing*", "*chats*", "*Ana  *parcel?", "*nobody took it", "*not order*shop.py:*"]
    )
    result.stdout.fnmatch_lines(["*'buttons' == 'template'*", "*Bia  *order", "*-> order*shop.py:*", "*[[]buttons] Order 4242*"])


def test_a_test_that_failed_fails_once(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        shop=SHOP
        + """
@bot.message(words("boom"))
async def boom(ctx: Context) -> None:
    raise ValueError
"""
    )
    shop.makepyfile(
        test_shop="""
async def test_boom(pilot):
    ana = pilot.phone()
    await ana.says("boom")
    assert ana.sees("never")

async def test_boom_unseen(pilot):
    await pilot.phone().says("boom")
"""
    )
    shop.runpytest_subprocess("-q").assert_outcomes(failed=1, passed=1, errors=1)  # the second passed, and its end did not


def test_without_a_bot_it_says_what_to_define(pytester: pytest.Pytester) -> None:
    pytester.makefile(".ini", pytest=INI)
    pytester.makepyfile("async def test_an_order(pilot): pass")
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*define one in conftest.py*"])


def test_chat_files_are_tests(shop: pytest.Pytester) -> None:
    shop.makefile(".chat", good="bot: shop.py\n> order\n< Order * is on its way.   [Track]\n")
    shop.makefile(".chat", wrong="bot: shop.py\n> order\n< Order * is lost.   [Track]\n")
    result = shop.runpytest_subprocess("-q")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*wrong.chat:3*"])


def test_update_chats_accepts_what_the_bot_says_now(shop: pytest.Pytester) -> None:
    path = shop.makefile(".chat", old="# kept\nbot: shop.py\n> order\n< Order * is lost.\n")
    shop.runpytest_subprocess("-q", "--update-chats")
    assert path.read_text("utf-8") == "# kept\nbot: shop.py\n> order\n< Order 4242 is on its way.   [Track]\n"
    shop.runpytest_subprocess("-q").assert_outcomes(passed=1)
