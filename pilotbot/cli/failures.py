"""What can keep a command from its work, told in a line on stderr that names the thing and the remedy; exit code 1."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from redis.exceptions import RedisError

from pilotbot.engine import Away, Mismatch
from pilotbot.engine.durability import UnfitRedis
from pilotbot.engine.embedded import RedisUnavailable
from pilotbot.replies import ContentError
from pilotbot.routing import WiringError
from pilotbot.settings import SettingsError
from pilotbot.target import TargetError


class Failed(Exception):
    """A command cannot do its work; the text says why and what to do, and is shown as it is."""


class PortTaken(Failed):
    """A port cannot be listened on; `choice` is the option with another one."""

    def __init__(self, reason: str, option: str, choice: str) -> None:
        super().__init__(f"{reason}; choose another with {option}, such as {choice}")
        self.reason = reason
        self.choice = choice


@contextmanager
def told() -> Iterator[None]:
    """Turn what is to be expected into its text on stderr and exit code 1; anything else stays the defect that it is."""
    try:
        yield
    except Exception as error:
        text = explain(error)
        if text is None:
            raise
        typer.echo(f"pilotbot: {text}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def port_taken(host: str, port: int, option: str) -> Iterator[None]:
    """Name the option that chooses another port, where the block cannot listen on this one."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
            reason = {errno.EADDRINUSE: "is taken", errno.EACCES: "is not allowed"}.get(error.errno, "is not of this machine")
            other = port + 100 if port < 65_000 else port - 100
            raise PortTaken(f"{host}:{port} {reason}", option, f"{option} {other}") from None
        raise


def explain(error: Exception) -> str | None:
    """The text of an error that a user can mend, or None for a defect of ours."""

    match error:
        case SettingsError():
            return str(error).replace("\n", "\n  ")
        case Failed() | TargetError() | RedisUnavailable() | UnfitRedis() | Mismatch() | WiringError() | ContentError():
            return str(error)
        case Away():
            return f"Redis does not answer, or refuses to write ({error}): look after it, or correct PILOTBOT_REDIS_URL"
        case RedisError():
            return f"Redis refuses: {error}; give its user the rights, ~{{pb* and +@all -@admin with +info +config|get, or another user"
    return None
