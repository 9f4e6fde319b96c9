"""WhatsApp's markup in values is made plain: what a contact wrote can not make a bot's text bold, struck out, code or a quote."""

import re
from typing import Final

_LOOKS_LIKE: Final = {"*": "\u2217", "~": "\u223c", "`": "\u02cb", "_": "\u02cd", ">": "\u203a"}
"""Each mark, and what looks like it and is none."""

_FOUND: Final = re.compile(
    r"(?P<address>\b(?:https?://|www\.)\S+|\b[\w.+-]{1,64}@[\w-]+\.\w+)"
    r"|[*~`]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word, as in snake_case, it is no mark
    r"|^>(?=\s)",
    re.MULTILINE | re.IGNORECASE,
)


class Markup(str):
    """A text whose marks are meant: what the filter `markup` gives."""

    __slots__ = ()


def neutral(text: str) -> str:
    """The text with look-alikes for its marks, of the same length; addresses of pages and e-mails stay as they are."""
    return text if isinstance(text, Markup) else _FOUND.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    return found[0] if found["address"] else _LOOKS_LIKE[found[0]]
