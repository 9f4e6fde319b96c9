"""`pilotbot notify`: a message from another terminal, through the same lanes as a bot's answers."""

import asyncio
import secrets
from pathlib import Path
from typing import Annotated

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand
from pilotbot.cli.options import AnyDataOption
from pilotbot.cli.redis import engine_at_hand
from pilotbot.context import Outcome
from pilotbot.replies import Skipped, Template
from pilotbot.server.outgoing import LaneOutbox, Numbers, expects
from pilotbot.settings import Settings


def notify(
    phone: Annotated[str, typer.Argument(metavar="PHONE", help="With country code, or a BSUID, group or newsletter id.", show_default=False)],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What goes while the window is open.", show_default=False)],
    *,
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="The template that goes while the window is closed.", show_default=False)
    ] = None,
    var: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable of the template; may be repeated.", show_default=False)
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Names the occasion: a second message with it is not sent.", show_default=False)
    ] = None,
    number: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of our numbers writes, where there are several.", show_default=False)
    ] = None,
    data: AnyDataOption = None,
) -> None:
    """Write to somebody from another terminal or a script.

    The message goes through the lane of its chat, in order with the bot's own, and in the mode that the window allows; without a template
    it waits until the contact writes. Beside `pilotbot dev` or `demo` it needs no settings.

    Example: pilotbot notify +5511987650001 "Your parcel is here." --template order_status --var order_id=4242 --var status=here
    """
    with told():
        settings = at_hand(data)
        logs.set_up("WARNING")
        chosen = None if template is None else Template(template, **variables(var or []))
        if template is None and var:
            raise Failed("--var is for a template; name it with --template")
        outcome, works = asyncio.run(_notify(settings, phone, text, template=chosen, key=key, number=number))
        typer.echo(expects(outcome))
        if isinstance(outcome, Skipped):
            raise typer.Exit(1)
        if not works:
            typer.echo("No bot is running on this data directory; the message goes when one is.")


def variables(given: list[str]) -> dict[str, str]:
    """`name=value` pairs as a mapping.

    Raises:
        Failed: one has no `=`, or no name.
    """
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise Failed("--var takes NAME=VALUE, such as --var order_id=4242")
    return {name: value for name, _, value in pairs}


async def _notify(
    settings: Settings, phone: str, text: str, *, template: Template | None, key: str | None, number: str | None
) -> tuple[Outcome, bool]:
    """Put the message in its lane. Returns the outcome, and whether Redis was at work before us."""
    async with engine_at_hand(settings) as (engine, found):
        outbox = LaneOutbox(engine, Numbers(settings.numbers), closed="defer")
        try:
            outcome = await outbox.notify(
                phone, text, key=key or secrets.token_hex(16), options=None, media=None, template=template, number=number, values={}
            )
        except ValueError as error:  # no address, no such number, or content that cannot be sent
            raise Failed(str(error)) from None
        return outcome, found
