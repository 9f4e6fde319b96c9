"""The command line: one module a command, put together in `main`."""

from pilotbot.cli.main import app

__all__ = ["app"]
