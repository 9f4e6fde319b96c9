"""The command line as a whole: `pilotbot --help`. A command's module is imported when the command is used, so that help is quick."""

from importlib import import_module
from typing import Annotated

import click
import typer
from typer.core import TyperGroup

COMMANDS = {
    "demo": "See a bot at work, with no account and no network.",
    "dev": "Work on a bot: sandbox and bot on this machine, started again at every change.",
    "sandbox": "Run a local Pilot Status: its API, its webhooks, and a phone in the browser.",
    "check": "Find a bot's local mistakes without running it.",
    "run": "Run a bot: answer webhooks, send, see to what is due.",
    "notify": "Write to somebody from another terminal or a script.",
    "dead": "Look after dead letters: events and messages that failed for good.",
}
"""Each command, named as its module and the function or Typer in it, with the first line of its help."""

LOOKS = {
    "add_completion": False,
    "pretty_exceptions_enable": False,  # a traceback with the values of variables would show secrets and phone numbers
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class Commands(TyperGroup):
    """The commands of the table, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f"pilotbot.cli.{cmd_name}"), cmd_name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(**LOOKS)
            alone.command(cmd_name)(found)
            found = alone
        return typer.main.get_command(found)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The commands with the first lines of their help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(name="pilotbot", cls=Commands, no_args_is_help=True, invoke_without_command=False, **LOOKS)


def _version(wanted: bool) -> None:
    if wanted:
        from pilotbot import __version__  # noqa: PLC0415 - the package may still be loading when this module is

        typer.echo(f"pilotbot {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """WhatsApp bots on the Pilot Status API, on a laptop and in production.

    Begin with: pilotbot demo
    """
