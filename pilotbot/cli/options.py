"""Options that several commands share."""

from typing import Annotated

import typer

SandboxPortOption = Annotated[int, typer.Option("--sandbox-port", metavar="PORT", min=1, max=65_535, help="The local Pilot Status listens here.")]
BotPortOption = Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65_535, help="The bot's webhook server listens here.")]
TargetArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="The bot: bots/orders.py, bots/orders.py:bot or shop.main:bot.", show_default=False)
]
