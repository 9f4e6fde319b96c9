"""WhatsApp's markup in values is made plain: what a contact wrote can not make a bot's text bold, struck out, code or a quote."""

import re
from typing import Final

_LOOKS_LIKE: Final = {"*": "\u2217", "~": "\u223c", "`": "\u02cb", "_": "\u02cd", ">": "\u203a"}
"""Each mark, and what looks like it and is none."""

_HOST: Final = r"(?:[^\W_][\w-]{0,62}+\.){1,8}[^\W\d_]{2,24}"
_STAR: Final = r"\*(?!\ufe0f?\u20e3)"  # that of the emoji of a key is none
_FOUND: Final = re.compile(
    # a page, with or without its scheme: what could be a mark stands after the host
    rf"(?P<address>(?<![^\W_])(?:https?://[^\W_][\w.:@%-]*+|{_HOST}(?::\d+)?)[/?#](?:[^\s()<>\"`]|\([^\s()<>\"`]*\))*)"
    rf"|(?P<name>(?<!\w)@\w[\w.]*|(?<![^\W_])[^\W_](?:[\w.+-]{{0,62}}[^\W_])?@{_HOST})"  # a handle, an e-mail
    r"|`"
    # one or more of the same, but not within a word, as in snake_case or 62070503***6304
    + "".join(rf"|(?<!{mark})(?:(?<![^\W_])(?:{run})++|(?:{run})++(?![^\W_]))" for mark, run in ((r"\*", _STAR), ("~", "~"), ("_", "_")))
    + r"|^>(?=\s|$)",
    re.MULTILINE | re.IGNORECASE,
)


class Markup(str):
    """A text whose marks are meant: what the filter `markup` gives."""

    __slots__ = ()


def neutral(text: str) -> str:
    """The text with look-alikes for its marks, of the same length; addresses of pages, e-mails and handles stay as they are."""
    return text if isinstance(text, Markup) else _FOUND.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    if found["name"]:
        return found[0]
    kept = found[0].rstrip("*~_.,;:!?'") if found["address"] else ""
    # a mark at the end of an address is of the address where one of its kind stands in it before; "_" ends many names
    return kept + "".join(char if kept and (char == "_" or char in kept) else _LOOKS_LIKE.get(char, char) for char in found[0][len(kept) :])
