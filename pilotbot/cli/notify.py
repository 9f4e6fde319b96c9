"""`pilotbot notify`: a message from another terminal, through the same lanes as a bot's answers."""

import asyncio
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

import typer

from pilotbot.cli import logs
from pilotbot.cli.failures import Failed, told
from pilotbot.cli.installation import at_hand, engine_at_hand
from pilotbot.context import Outcome
from pilotbot.replies import DEFAULT, Queued, Saying, Skipped, Template
from pilotbot.server.outbox import LaneOutbox
from pilotbot.server.saying import Numbers, expects
from pilotbot.settings import Settings

TAKEN = "a message with this key was taken before"
"""The reason of `LaneOutbox.notify` for a key that has done its work."""


@told()
def send_notice(
    phone: str, text: str, *, template: str | None, given: Sequence[str], key: str | None, number: str | None, data: Path | None
) -> None:
    """Put a message in its lane, and tell what is expected of it; exit code 1 where it is not sent, now or by an earlier call."""
    if template is None and given:
        raise Failed("--var is for a template; name it with --template")
    if key is not None and not key.strip():
        raise Failed("--key is empty; name the occasion, such as --key shipped-4242, or leave it out")
    check_phone(phone)
    chosen = None if template is None else Template(template, **variables(given))
    settings = at_hand(data)
    names = [one.name for one in settings.numbers]
    if number is not None and number not in names:
        raise Failed(f"no number is called {number!r}; configured: {', '.join(names)}")
    logs.set_up("WARNING")
    outcome, works = asyncio.run(_notify(settings, phone, text, template=chosen, key=key, number=number))
    if isinstance(outcome, Skipped) and outcome.reason == TAKEN:
        typer.echo(f"{TAKEN}; nothing is sent twice")
        return
    typer.echo(expects(outcome))
    if isinstance(outcome, Skipped):
        raise typer.Exit(1)
    if not works:
        typer.echo("No bot is running on this data directory; the message goes when one is.")
    elif isinstance(outcome, Queued) and (template is not None or settings.redis_url is not None):
        typer.echo("If it does not arrive: pilotbot dead list")


def check_phone(phone: str) -> None:
    """Refuse a number as it is dialled at home, which would be somebody's in another country.

    Raises:
        Failed: it is digits without a +, too few to hold a country code.
    """
    digits = re.sub(r"[\s().-]", "", phone)
    if digits.isdecimal() and len(digits) < 10:
        raise Failed("the phone has no country code; write + and all of it, such as +5511987650001")


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
        outbox = LaneOutbox(engine, Numbers(settings.numbers), policy=DEFAULT)
        try:
            saying = Saying(content=text, template=template)
            outcome = await outbox.notify(phone, saying, key=key or secrets.token_hex(16), number=number)
        except ValueError as error:  # no address, no such number, or content that cannot be sent
            raise Failed(str(error)) from None
        return outcome, found
