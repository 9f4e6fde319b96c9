"""The command line as a whole: every command with its options and its help. What a command does is in the module of its name.

Those modules are imported when their command is used, so that `pilotbot --help` is quick.
"""

# ruff: noqa: PLC0415 - see above

from pathlib import Path
from typing import Annotated

import typer

from pilotbot.cli import catalogue, operations, people
from pilotbot.cli.options import DATA, BotData, BotPort, Data, NumberKind, ProcessRole, SandboxPort, Target, WindowState, group

app = group("WhatsApp bots on the Pilot Status API, on a laptop and in production.\n\nBegin with: pilotbot demo")


def _version(wanted: bool) -> None:
    if wanted:
        from pilotbot import __version__

        typer.echo(f"pilotbot {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the conversation; exit code 1 if an answer did not come.")] = False,
    sandbox_port: SandboxPort = 8700,
    port: BotPort = 8701,
    data: Data = DATA,
    made: Annotated[bool, typer.Option("--made", hidden=True, help="Be run by make, and speak of its ARGS.")] = False,
) -> None:
    """See a bot at work, with no account and no network.

    Runs a local Pilot Status, the example bots and a Redis, plays a conversation over HTTP and shows it as it happens, then stays up for
    you to go on in the browser.

    Example: pilotbot demo
    """
    from pilotbot.cli.demo import play_demo

    play_demo(data, sandbox_port, port, once=once, made=made)


@app.command()
def dev(target: Target, *, sandbox_port: SandboxPort = 8700, port: BotPort = 8701, data: Data = DATA) -> None:
    """Work on a bot with the sandbox; changes take effect at once.

    Runs both on this machine, with no account, settings or network. Watches the directory of the bot and flows/ for *.py and *.yaml; a
    mistake is shown, and the bot comes back with the next change. What contacts write is logged, since they are simulated.

    Example: pilotbot dev bots/orders.py
    """
    from pilotbot.cli.dev import develop

    develop(target, data, sandbox_port, port)


@app.command()
def chat(
    target: Target,
    *,
    phone: Annotated[str, typer.Option("--as", metavar="PHONE", help="Write as this contact.")] = "+5511987650001",
    name: Annotated[str, typer.Option(metavar="NAME", help="The contact's name, which bots see.")] = "Ana",
    number_kind: Annotated[NumberKind, typer.Option(metavar="KIND", help="meta, evolution_v2 or evolution_go.")] = "meta",
) -> None:
    """Talk to a bot in the terminal, as a contact does.

    The bot runs on a sandbox of its own, with an empty Redis: nothing is kept. Options are tapped by their number, /travel 25h lets time
    pass, /why tells which handlers were tried, /save writes a .chat file; /help tells the rest. Lines can be piped in.

    Example: pilotbot chat bots/orders.py
    """
    from pilotbot.cli.chat import chat_with

    chat_with(target, phone=phone, name=name, kind=number_kind)


@app.command()
def sandbox(
    *,
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65_535, help="Listen on this port; 0 takes a free one.")] = 8700,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Keep everything here between runs; without it nothing is kept.")
    ] = None,
) -> None:
    """Run a local Pilot Status, with a phone in the browser.

    One address separates it from the platform: set PILOTBOT_API_URL to it, and a bot or the official SDK works with it.

    Example: pilotbot sandbox --data .sandbox
    """
    from pilotbot.cli.sandbox import serve_sandbox

    serve_sandbox(port, data)


@app.command()
def check(
    target: Target,
    *,
    remote: Annotated[bool, typer.Option("--remote", help="Ask the platform, too, whether every template can be sent.")] = False,
    number: Annotated[
        str | None, typer.Option("--number", metavar="NAME", help="With --remote: which of our numbers; all without it.")
    ] = None,
    data: BotData = None,
) -> None:
    """Find a bot's local mistakes without running it.

    Loads its code, which checks messages and templates; checks that every handler can be given what it asks for; reads the handlers' code
    for a reply without await, a missing value, a label that is too long, a template that is not filled in as it is defined; and checks the
    settings where there are any. Lists the handlers in the order in which they are tried.

    Example: pilotbot check bots/orders.py --remote
    """
    from pilotbot.cli.check import check_bot

    check_bot(target, remote=remote, number=number, data=data)


@app.command()
def explain(
    target: Target,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What the contact writes.", show_default=False)] = None,
    *,
    tap: Annotated[str | None, typer.Option("--tap", metavar="LABEL", help="The contact taps this option, in place of a text.")] = None,
    who: Annotated[
        str | None, typer.Option("--as", metavar="PHONE", help="Who writes; their stored chat, if this bot has one here.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What the contact is called.")] = None,
    number_kind: Annotated[NumberKind | None, typer.Option(metavar="KIND", help="meta, evolution_v2 or evolution_go.")] = None,
    window: Annotated[
        WindowState, typer.Option(metavar="STATE", help="The window when the bot answers: open, closed or never opened.")
    ] = "open",
    state: Annotated[
        list[str] | None, typer.Option(metavar="CLASS=JSON", help="""A state of the chat: 'Cart={"items": ["a"]}'; may be repeated.""")
    ] = None,
    quoted: Annotated[bool, typer.Option("--quoted", help="The contact quotes the bot's last message with options.")] = False,
    no_run: Annotated[bool, typer.Option("--no-run", help="End before the handler's code is run.")] = False,
    data: BotData = None,
) -> None:
    """See what a bot makes of a message, and why, without sending anything.

    Tries every handler and filter and tells what each says, which handler takes the message, and how each answer would go: as text, with
    buttons, as its template or not now, and from which inputs that follows. The handler's own code does run, with what it calls; its
    answers and state changes are shown and dropped. The exit code is 0 where a handler takes it, 3 where nobody does, 1 for a problem.

    Example: pilotbot explain bots/orders.py "where is my order?" --window closed
    """
    from pilotbot.cli.explain import Question, explain_message

    asked = Question(
        text=text, tap=tap, who=who, name=name, number_kind=number_kind, window=window, states=state or (), quoted=quoted, run=not no_run
    )
    explain_message(target, asked, data)


@app.command("test")
def play_chats(
    paths: Annotated[list[Path], typer.Argument(metavar="PATHS...", help="Files, or directories with *.chat files.", show_default=False)],
    *,
    bot: Annotated[str | None, typer.Option("--bot", metavar="TARGET", help="Play with this bot, whatever the files name.")] = None,
    update: Annotated[bool, typer.Option("--update", help="Accept what the bot says now: write it into the files that differ.")] = False,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a report as JUnit XML.")] = None,
    only: Annotated[str | None, typer.Option("-k", metavar="TEXT", help="Only files whose path holds this text.")] = None,
    first: Annotated[bool, typer.Option("-x", help="End after the first file that fails.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Show the chats of files that fail, with the handlers that took each message.")
    ] = False,
) -> None:
    """Play conversations that are written down in *.chat files, and show where the bot answers otherwise.

    Each is played on a sandbox and a Redis of its own, with time that moves at once. The exit code is 0 where all is as written, 1 where
    something is not, 2 where a file cannot be read or played.

    Example: pilotbot test tests/chats
    """
    from pilotbot.cli.test import play_files

    play_files(paths, bot=bot, update=update, report_to=junit, only=only, first=first, whole=whole)


@app.command()
def record(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="The contact's, with country code.", show_default=False)],
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write this file, in place of printing it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
    since: Annotated[str, typer.Option(metavar="SPAN", help="How far back the platform's history is read: 90m, 25h, 3d.")] = "1d",
    number: Annotated[str | None, typer.Option(metavar="NAME", help="Which of our numbers it is with, where there are several.")] = None,
    data: BotData = None,
) -> None:
    """Write down a conversation that was had as a .chat file, personal data masked.

    It is taken from the sandbox of `pilotbot dev`, or, with the settings of production, from the platform's history. Read it before you
    keep it: what people tell in their own words no rule can find.

    Example: pilotbot record +5511987650001 --out tests/chats/order.chat
    """
    from pilotbot.cli.record import record_chat

    record_chat(phone, out=out, force=force, since=since, number=number, data=data)


@app.command()
def run(
    target: Target,
    *,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Listen on this address, in place of PILOTBOT_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=1, max=65_535, help="Listen on this port, in place of PILOTBOT_PORT.")
    ] = None,
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="So many processes on one port. SIGHUP replaces them one by one.")
    ] = 1,
    role: Annotated[
        ProcessRole, typer.Option(metavar="ROLE", help="server only takes webhooks in, worker does all the rest; all does both.")
    ] = "all",
    dev: Annotated[Path | None, typer.Option(hidden=True, help="Be the child of `pilotbot dev` on this directory.")] = None,
    child: Annotated[bool, typer.Option("--child", hidden=True, help="Be one of several processes: see cli/processes.py.")] = False,
    fd: Annotated[list[int] | None, typer.Option(hidden=True, help="A descriptor that a child listens on.")] = None,
) -> None:
    """Run a bot: answer webhooks, send, see to what is due.

    Settings come from the environment (PILOTBOT_...) and from .env. SIGTERM and Ctrl-C let it finish what is under way, within 25
    seconds. A worker listens only where a port is named, for /healthz and /readyz.

    Example: pilotbot run bots/orders.py --processes 4
    """
    from pilotbot.cli.run import Place, run_bot

    run_bot(target, host=host, port=port, count=processes, role=role, place=Place(dev, child, fd or ()))


@app.command()
def notify(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="With country code; or a group or newsletter id.", show_default=False)],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What goes while the window is open.", show_default=False)],
    *,
    template: Annotated[str | None, typer.Option(metavar="NAME", help="The template that goes while the window is closed.")] = None,
    var: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable of the template; may be repeated.")] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Names the occasion: a second message with it is not sent.")] = None,
    number: Annotated[str | None, typer.Option(metavar="NAME", help="Which of our numbers writes, where there are several.")] = None,
    data: BotData = None,
) -> None:
    """Write to somebody from another terminal or a script.

    The message goes through the lane of its chat, in order with the bot's own, and in the mode that the window allows; without a template
    it waits until the contact writes. Beside `pilotbot dev` or `demo` it needs no settings.

    Example: pilotbot notify +5511987650001 "Your parcel is here." --template order_status --var order_id=4242 --var status=here
    """
    from pilotbot.cli.notify import send_notice

    send_notice(phone, text, template=template, given=var or [], key=key, number=number, data=data)


app.command()(operations.doctor)
app.command()(operations.message)
app.add_typer(catalogue.templates, name="templates")
app.add_typer(operations.dead, name="dead")
app.add_typer(operations.schedule, name="schedule")
app.add_typer(people.followup, name="followup")
app.add_typer(people.contact, name="contact")
app.add_typer(people.handover, name="handover")
