"""`pilotbot notify`: a message from another terminal, through the same lanes as a bot's answers."""

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.context import Outcome
from pilotbot.replies import Skipped, Template
from pilotbot.server.outgoing import LaneOutbox, Numbers, expects
from pilotbot.settings import Settings


@told()
def send_notice(
    phone: str, text: str, *, template: str | None, given: Sequence[str], key: str | None, number: str | None, data: Path | None
) -> None:
    """Put a message in its lane, and tell what is expected of it; exit code 1 where it is not sent."""
    if template is None and given:
        raise Failed("--var is for a template; name it with --template")
    chosen = None if template is None else Template(template, **variables(given))
    settings = at_hand(data)
    logs.set_up("WARNING")
    outcome, works = asyncio.run(_notify(settings, phone, text, template=chosen, key=key, number=number))
    typer.echo(expects(outcome))
    if isinstance(outcome, Skipped):
        raise typer.Exit(1)
    if not works:
        typer.echo("No bot is running on this data directory; the message goes when one is.")


def variables(given: Sequence[str]) -> dict[str, str]:
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
