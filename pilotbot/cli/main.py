"""The command line as a whole: `pilotbot --help`."""

from typing import Annotated

import typer

from pilotbot.cli.demo import demo

app = typer.Typer(
    name="pilotbot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with the values of variables would show secrets and phone numbers
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from pilotbot import __version__  # noqa: PLC0415

        typer.echo(f"pilotbot {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """WhatsApp bots on the Pilot Status API, on your laptop and in production.

    Begin with: pilotbot demo
    """


for command in (demo,):
    app.command()(command)
