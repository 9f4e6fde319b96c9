"""Whose data directory it is: a laptop's, that works with the sandbox, or one that works with the platform; and its settings.

`dev` and `demo` leave a `dev.env` in theirs. It lets `notify` and `dead` beside them do without any settings, and it marks
the directory: the sandbox's clock runs ahead, so that a bot of the platform must not work on the same Redis.
"""

import fcntl
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import typer

from pilotbot.cli.failures import Failed
from pilotbot.cli.options import DATA
from pilotbot.engine import Engine
from pilotbot.engine.embedded import RedisServer
from pilotbot.server.runtime import open_engine
from pilotbot.settings import Settings, SettingsError, load_settings

MARK = "dev.env"


def of_the_platform(**overrides: Any) -> Settings:
    """The settings of the environment and `.env`, for `run`; overrides that are None do not count.

    Raises:
        SettingsError: as `load_settings`.
        Failed: the data directory is one of `dev` or `demo`, and the settings are not the sandbox's.
    """
    settings = load_settings(**{name: value for name, value in overrides.items() if value is not None})
    if settings.redis_url is None and (settings.data_dir / MARK).exists() and not settings.obeys_sandbox_clock:
        raise Failed(
            f"{settings.data_dir} is used by `pilotbot dev` or `demo`, whose clock may run ahead; "
            "set PILOTBOT_DATA_DIR to another directory"
        )
    return settings


def at_hand(data: Path | None) -> Settings:
    """The settings for a command beside a running bot: of the dev installation in `data`, of the environment, of `.pilotbot`.

    Args:
        data: the directory that was asked for, if any.

    Raises:
        SettingsError: there are none.
        Failed: as `of_the_platform`.
    """
    if data is not None and (data / MARK).is_file():
        return of_the_sandbox(data)
    try:
        return of_the_platform(data_dir=data)
    except SettingsError as error:
        if "PILOTBOT_API_KEY: is not set" not in str(error):
            raise
        if data is not None:
            raise SettingsError(f"{error}\nno `pilotbot dev` has worked in {data}: give the --data of one that has") from None
        if not (DATA / MARK).is_file():
            raise SettingsError(f"{error}\nno `pilotbot dev` has worked here: run this in the bot's directory, or give --data") from None
    if sys.stderr.isatty():  # a script need not hear it each time
        typer.echo(f"pilotbot: working with the sandbox of {DATA / MARK}", err=True)
    return of_the_sandbox(DATA)


def of_the_sandbox(data: Path, **overrides: Any) -> Settings:
    """The settings of the dev installation in `data`; nothing of the environment or `.env` that names another side counts.

    Raises:
        SettingsError: its `dev.env` is incomplete.
    """
    lines = (data / MARK).read_text("utf-8").splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    own = {
        "api_url": said.get("PILOTBOT_API_URL", ""),
        "api_key": said.get("PILOTBOT_API_KEY"),
        "webhook_secret": said.get("PILOTBOT_WEBHOOK_SECRET", ""),
        "data_dir": data,
        "host": "127.0.0.1",
    }
    others = {"api_key_id": None, "numbers": (), "number_kind": "meta", "webhook_token": None, "redis_url": None}
    return load_settings(**{**own, **others, **overrides})


def mark(data: Path, *, api_url: str, api_key: str, webhook_secret: str) -> None:
    """Write the `dev.env` of a directory that is `claimed`."""
    text = f"PILOTBOT_API_URL={api_url}\nPILOTBOT_API_KEY={api_key}\nPILOTBOT_WEBHOOK_SECRET={webhook_secret}\n"
    new = data / f"{MARK}.new"
    new.touch(mode=0o600)
    new.write_text(text, "utf-8")
    new.replace(data / MARK)


@contextmanager
def claimed(data: Path) -> Iterator[None]:
    """Have a data directory to ourselves, as the only `dev` or `demo` on it.

    Raises:
        Failed: another one works on it, it belongs to a bot of the platform, or it cannot be made.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / "dev.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(f"{data} cannot be used ({error.strerror}); give another directory with --data") from None
    try:
        if (data / "server.lock").exists() and not (data / MARK).exists():
            raise Failed(f"{data} holds the data of a bot that works without the sandbox; give another directory with --data")
        if not _locked(lock):
            raise Failed(f"another `pilotbot dev` or `demo` works in {data}; stop it, or give another directory with --data")
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def engine_at_hand(settings: Settings) -> AsyncIterator[tuple[Engine, bool]]:
    """For a short-lived command: the engine, and whether its Redis was there already (design section 3.18).

    One that had to be started is stopped again; its data stay.

    Raises:
        RedisUnavailable, Away, Mismatch: as `open_engine`.
    """
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    server = await RedisServer.open(url=url, data_dir=settings.data_dir)
    try:
        async with open_engine(settings) as engine:
            yield engine, not server.owned
    finally:
        await server.close()
