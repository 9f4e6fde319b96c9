"""How commands log: to stderr, a line an entry, without secrets and phone numbers.

What the framework logs holds none of them. Whatever else logs in its process may: an author's handler, a library, an exception's words; so
they are also taken out of every line.
"""

import logging
import re

QUIET = ("aiohttp.access", "asyncio", "httpcore", "httpx", "watchfiles")
"""Loggers of others that tell of every request or poll; their warnings are shown."""

_HEADER = r"(?:x-api-key(?:-id)?|authorization|x-pilot-status-signature)['\"]?[:=,]\s*b?['\"]?(?:(?:bearer|basic) )?"
_MASKS = (
    (re.compile(r"\bps_[\w-]{4,}"), "ps_***"),
    (re.compile(r"([?&]token=)[^&\s'\"]+"), r"\1***"),
    (re.compile(rf"({_HEADER})[^\s'\",)}}]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"(://[^\s:/@]{0,64}:)[^\s@/]{1,256}@"), r"\1***@"),
    (re.compile(r"\+(\d\d)\d{4,11}(\d\d)(?!\d)"), r"+\1***\2"),
)


class Masked(logging.Formatter):
    """Formats as usual, tracebacks too, and then takes out what is nobody's business: `+5511987650001` becomes `+55***01`."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as it is shown."""
        text = super().format(record)
        for pattern, put in _MASKS:
            text = pattern.sub(put, text)
        return text


def set_up(level: str) -> None:
    """Log what is of `level` (DEBUG, INFO, WARNING, ERROR) and above; called again, it changes the level."""
    handler = logging.StreamHandler()
    handler.setFormatter(Masked("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
