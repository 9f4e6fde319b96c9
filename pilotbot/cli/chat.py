"""`pilotbot chat`: talk to a bot in the terminal, on a sandbox of its own; buttons by their number, time by `/travel 25h`."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import typer
from anyio.from_thread import BlockingPortal, start_blocking_portal
from rich.console import Console
from rich.text import Text

from pilotbot.cli import logs
from pilotbot.cli.bubbles import event, letter, message, to_another
from pilotbot.cli.check import examined
from pilotbot.cli.failures import told
from pilotbot.replies import ContentError, Unsendable
from pilotbot.settings import NumberKind
from pilotbot.testing import Answer, Platform, Refused
from pilotbot.testing.chatfile import ChatSyntaxError, parse
from pilotbot.testing.play import Cast
from pilotbot.testing.script import Doing, Says, Taps, Waits

HELP = """\
Write what the contact writes. A number taps the option that it stands before.

  /tap LABEL                 tap an option by its label
  /quote "part of it" TEXT   quote one of the bot's messages
  /photo FILE [CAPTION]      send a file: also /image /video /audio /voice /document /sticker
  /location LAT LON [NAME]   send a place;  /card NAME PHONE a contact;  /react 👍
  /block  /unblock           what the bot sends does not arrive
  /travel 25h                time passes
  /notify "TEXT" [template NAME variable=value]      the bot writes by itself
  /restart  /redeliver  /crash post  /faults http500=1
  /why                       which handlers were tried for the last message, and why
  /say TEXT                  write a text that begins with / or is a number
  /save FILE                 keep the conversation as a .chat file
  /quit                      or Ctrl-D"""

HAPPENS = ("notify", "restart", "redeliver", "shuffle", "crash", "faults", "event")


@told()
def chat_with(target: str, *, phone: str, name: str, kind: NumberKind) -> None:
    """Talk to a bot until the end of the input."""
    logs.set_up("ERROR")
    bot, doubts = examined(target)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    for doubt in doubts:
        console.print(event(f"warning: {doubt}"))
    pilot = Platform(bot, numbers={"main": kind})
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(pilot.unchecked()):
        console.print(event(f"{bot.name} answers {name} ({phone}). The same chat in a browser: {pilot.url}   /help tells the commands"))
        talk = Talk(pilot, Cast(pilot, {}, Path.cwd(), pilot.phone(phone, name=name)), portal, console)
        for line in lines(name):
            if not talk.take(line):
                break


def lines(name: str) -> Iterator[str]:
    """What is typed, line by line, until the end of the input or Ctrl-C; what comes from a pipe is shown as if it were typed."""
    typed = sys.stdin.isatty()
    if typed and find_spec("readline"):
        import readline  # noqa: F401, PLC0415 - gives input() its history and keys
    while True:
        try:
            line = input(f"{name} > " if typed else "")
        except (EOFError, KeyboardInterrupt):
            typer.echo()
            return
        if not typed:
            typer.echo(f"{name} > {line}")
        yield line


class Talk:
    """One conversation in the terminal."""

    def __init__(self, pilot: Platform, cast: Cast, portal: BlockingPortal, console: Console) -> None:
        self._pilot = pilot
        self._cast = cast
        self._portal = portal
        self._console = console
        self._offered: tuple[str, ...] = ()
        self._others = 0
        self._letters = 0

    def take(self, line: str) -> bool:
        """Do what a line says, and show what comes of it. False to end."""
        word, _, rest = line.strip().partition(" ")
        match word:
            case "":
                return True
            case "/quit" | "/exit":
                return False
            case "/help" | "/?":
                self._console.print(Text(HELP))
            case "/why":
                self._console.print(event(self._pilot.transcript(self._cast.screen).rpartition("\n\n")[2]))
            case "/save":
                self._save(rest.strip())
            case _:
                self._do(line.strip())
        return True

    def _do(self, line: str) -> None:
        asked = False
        try:
            doing = self._doing(line)
            self._portal.call(self._cast.do, doing)
            asked = isinstance(doing, Says | Taps)
            if isinstance(doing, Waits):
                self._console.print(event(f"  ... {line.partition(' ')[2]} later"))
        except ChatSyntaxError as error:
            self._console.print(event(f"{error.problem}; {error.remedy}"))
        except (AssertionError, ContentError, Unsendable, ValueError, OSError) as error:
            self._console.print(event(str(error).partition("\n\n")[0]))
        self._show(asked=asked)

    def _doing(self, line: str) -> Doing:
        """What a line means: a number for an option, a command as `.chat` files have it, or a text."""
        if line.isdecimal() and 0 < int(line) <= len(self._offered):
            return Taps((self._offered[int(line) - 1],))
        command, _, rest = line.partition(" ")
        if command == "/say":
            return Says((rest,))
        if not line.startswith("/"):
            return Says((line,))
        name = command[1:]
        written = f"... {rest}" if name == "travel" else f"! {name} {rest}" if name in HAPPENS else f"> {line}"
        (step,) = parse(written).steps
        return step.doing

    def _show(self, *, asked: bool) -> None:
        answers = [Answer.read(row) for row in self._cast.take()]
        for answer in answers:
            self._offered = answer.options or self._offered
            self._console.print(message(answer))
        others = self._cast.left()
        for who, row in others[self._others :]:
            self._console.print(to_another(who, Answer.read(row)))
        letters = self._portal.call(self._pilot.dead_letters)
        for one in letters[self._letters :]:
            self._console.print(letter(one.detail or one.reason))
        if asked and not answers and not letters[self._letters :] and not others[self._others :]:
            self._console.print(event("  (the bot says nothing; /why tells which handlers were tried)"))
        self._others, self._letters = len(others), len(letters)

    def _save(self, name: str) -> None:
        if not name:
            self._console.print(event("give the file a name: /save tests/chats/order.chat"))
            return
        path = Path(name if name.endswith(".chat") else f"{name}.chat")
        if path.exists():
            self._console.print(event(f"{path} exists; give another name"))
            return
        try:
            path.write_text(self._portal.call(self._pilot.chat_file, self._cast.screen), "utf-8")
        except (OSError, Refused) as error:
            self._console.print(event(f"{path} is not written: {error}"))
            return
        self._console.print(event(f"kept in {path}; try it with: pilotbot test {path}"))
