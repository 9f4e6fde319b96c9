"""What commands share: the options that several take, and how a group of commands is made."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DATA = Path(".pilotbot")

Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="The bot: bots/orders.py, bots/orders.py:bot or shop.main:bot.", show_default=False)
]
SandboxPort = Annotated[
    int, typer.Option("--sandbox-port", metavar="PORT", min=1, max=65_535, help="The local Pilot Status listens on this port.")
]
BotPort = Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65_535, help="The bot's webhook server listens on this port.")]
Data = Annotated[Path, typer.Option("--data", envvar="PILOTBOT_DATA_DIR", metavar="DIR", help="Everything is kept here between runs.")]
BotData = Annotated[
    Path | None,
    typer.Option("--data", envvar="PILOTBOT_DATA_DIR", metavar="DIR", help="The data directory of the bot; .pilotbot without it."),
]
LetterId = Annotated[str, typer.Argument(metavar="ID", help="As `pilotbot dead list` shows it.", show_default=False)]

ScheduleName = Annotated[str, typer.Argument(metavar="NAME", help="As `pilotbot schedule list` shows it.", show_default=False)]

NumberKind = Literal["meta", "evolution_v2", "evolution_go"]
WindowState = Literal["open", "closed", "never"]
ProcessRole = Literal["all", "server", "worker"]


def group(text: str) -> typer.Typer:
    """A group of commands; `text` is its help."""
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with the values of variables would show secrets and phone numbers
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
