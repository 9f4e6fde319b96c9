"""`pilotbot chat`: a conversation in the terminal, typed or from a pipe."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import BOT

HOME = Path(__file__).parents[2]
SHOP = """
from pilotbot import Action, Bot, Context, Message, Template, words

bot = Bot("shop")

class Track(Action):
    order: str

ORDER = Message("Order *4242* is here.", options=[Track(order="4242").option("Track"), "Talk"], template=Template("follow_up"))

@bot.message(words("order"))
async def order(ctx: Context) -> None:
    await ctx.reply(ORDER)

@bot.tapped(Track)
async def track(ctx: Context, action: Track) -> None:
    await ctx.reply(f"Parcel of {action.order}.")

@bot.message(words("boss"))
async def boss(ctx: Context) -> None:
    await ctx.notify("+5511987650009", "[red]Somebody[/red] asks.", template=Template("follow_up"))

@bot.message(words("boom"))
async def boom(ctx: Context) -> None:
    raise ValueError("the shop is on fire")

@bot.message(words("1"))
async def one(ctx: Context) -> None:
    await ctx.reply("A one.")
"""
Chat = Callable[..., str]


@pytest.fixture
def chat(desk: Path) -> Chat:
    """Pipes lines into a chat, and gives what it shows."""

    def run(*lines: str, bot: str = SHOP, options: tuple[str, ...] = (), code: int = 0) -> str:
        (desk / "shop.py").write_text(bot, "utf-8")
        command = [sys.executable, "-P", "-m", "pilotbot", "chat", "shop.py", *options]
        done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


def test_options_are_tapped_by_their_number_or_label(chat: Chat) -> None:
    shown = chat("my order", "1", "/tap Track")
    assert "Order 4242 is here." in shown
    assert re.search(r"1  Track\b.*\n.*2  Talk", shown)
    assert shown.count("Parcel of 4242.") == 2
    assert "buttons ✓✓" in shown


def test_a_number_without_options_and_say_are_texts(chat: Chat) -> None:
    assert chat("1").count("A one.") == 1
    shown = chat("order", "/say 1")
    assert "A one." not in shown  # the bot takes it for the option, as it would anybody's
    assert "Parcel of 4242." in shown


def test_time_passes_and_the_bot_writes_by_itself(chat: Chat) -> None:
    shown = chat("order", "/travel 25h", '/notify "Did it arrive?" template follow_up')
    assert "... 25h later" in shown
    assert "template follow_up ✓✓" in shown


def test_silence_failures_and_messages_to_others_are_told(chat: Chat) -> None:
    shown = chat("nonsense", "boom", "boss", "/why")
    assert "the bot says nothing; /why tells" in shown
    assert "the bot failed: " in shown
    assert "ValueError: the shop is on fire" in shown
    assert "to +5511987650009:" in shown
    assert "-> boss  (" in shown
    assert re.search(r"not order  \(.*shop.py:\d+\): words", shown)


def test_what_anybody_wrote_is_never_markup_of_the_terminal(chat: Chat) -> None:
    echo = BOT.replace('"one"', 'f"{ctx.text} [bold]x[/bold] [/]"')
    assert "[red]hi[/red] [bold]x[/bold] [/]" in chat("[red]hi[/red]", bot=echo)


def test_the_terminal_obeys_nothing_that_anybody_wrote(chat: Chat) -> None:
    echo = BOT.replace('"one"', 'f"{ctx.text}\\x1b[2J\\x07", options=["\\x1b[31mred"]')
    shown = chat("hi", "/why", bot=echo)
    assert "hi␛[2J␇" in shown
    assert "␛[31mred" in shown
    assert "\x1b" not in shown


def test_mistakes_are_told_and_the_chat_goes_on(chat: Chat) -> None:
    shown = chat("/tap Nope", "/travel yesterday", "/dance", "/photo nowhere.png", "order")
    assert "offered were: nothing yet" in shown
    assert "write one such as ... 90s" in shown
    assert "/dance is nothing that a contact does" in shown
    assert "nowhere.png" in shown
    assert "Order 4242 is here." in shown


def test_a_chat_can_be_kept_as_a_test(chat: Chat, desk: Path) -> None:
    assert "kept in kept.chat" in chat("my order", "1", "/save kept")
    kept = (desk / "kept.chat").read_text("utf-8")
    assert "> my order" in kept
    assert "> tap Track" in kept
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pilotbot", "test", "kept.chat", "--bot", "shop.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_commands_and_quit(chat: Chat) -> None:
    shown = chat("/help", "/quit", "order")
    assert "/travel 25h" in shown
    assert "Order" not in shown


def test_another_contact_and_kind_of_number(chat: Chat) -> None:
    shown = chat(
        "order",
        "/travel 25h",
        '/notify "Still free text"',
        options=("--as", "+5511987650007", "--name", "Bia", "--number-kind", "evolution_v2"),
    )
    assert "Bia > order" in shown
    assert "Still free text" in shown


def test_a_bot_with_mistakes_is_refused(chat: Chat) -> None:
    assert "shop.py" in chat(bot="import nonsense_of_no_package", code=1)


def test_at_a_terminal_it_prompts_and_control_d_ends_it(desk: Path) -> None:
    (desk / "shop.py").write_text(SHOP, "utf-8")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-P", "-m", "pilotbot", "chat", "shop.py"], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = ""

    def until(text: str) -> None:
        nonlocal seen
        deadline = time.monotonic() + 30
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([ours], [], [], 0.1)[0]:
                seen += os.read(ours, 4096).decode("utf-8", "replace")

    try:
        until("Ana > ")
        os.write(ours, b"order\n")
        until("Track")
        seen = ""
        os.write(ours, b"1\n")
        until("Parcel of 4242.")
        seen = seen.partition("Parcel of 4242.")[2]
        until("Ana > ")
        os.write(ours, b"\x04")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
