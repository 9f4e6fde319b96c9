"""How commands log: to stderr, a line an entry. Nothing here, and nothing that is logged, holds a token or a secret."""

import logging

QUIET = ("aiohttp.access", "asyncio", "httpcore", "httpx", "watchfiles")
"""Loggers of others that tell of every request or poll; their warnings are shown."""


def set_up(level: str) -> None:
    """Log what is of `level` (DEBUG, INFO, WARNING, ERROR) and above; called again, it changes the level."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s %(message)s", force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
