r"""Texts with wildcards: `*` stands for any text (none, or several lines too), `\*` for a star, `\\` for a backslash.

What nobody sees does not count: blanks at the ends of lines and of the whole text, and how an accent is encoded.
"""

import re
import unicodedata
from collections.abc import Sequence

STAR = "*"

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"} | dict.fromkeys(range(0x7F, 0xA0), 0xFFFD)
_TOKENS = re.compile(r"\\[*\\]|[*\\]|[^*\\]+")


def pieces(pattern: str) -> list[str]:
    """The literal texts before, between and after the stars of a pattern; a pattern without one has one piece."""
    found: list[list[str]] = [[]]
    for token in _TOKENS.findall(pattern):
        if token == STAR:
            found.append([])
        else:
            found[-1].append(token[1:] if token in {"\\*", "\\\\"} else token)
    return ["".join(parts) for parts in found]


def printable(text: str) -> str:
    """A text for a terminal: control characters, which it would obey, as pictures of them; line ends and tabs stay."""
    return text.translate(_PICTURES)


def inside(pattern: str) -> str:
    """The pattern of a text that holds this one anywhere."""
    loose = (len(pattern) - len(pattern.rstrip("\\"))) % 2  # a backslash at the end stands for itself, and is none before our star
    return f"*{pattern}{chr(92) * loose}*"


def literal(text: str) -> str:
    """The pattern that only `text` matches."""
    return text.replace("\\", "\\\\").replace(STAR, "\\*")


def matches(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says. Its time grows with the lengths, whatever the pattern."""
    wanted = pieces(pattern)
    return _at(wanted, text) is None or _at(_seen(wanted), _seen([text])[0]) is None


def differs_at(pattern: str, text: str) -> tuple[str, str]:
    """Where a text leaves a pattern that it does not match.

    Returns:
        What the pattern has from there on (up to its next star), and what the text has.
    """
    wanted, said = _seen(pieces(pattern)), _seen([text])[0]
    at = _at(wanted, said)
    if at is None:
        return "", ""
    index, place = at
    missing = wanted[index]
    if index and missing:  # a piece after a star could stand anywhere: show it whole
        return missing, said[place:]
    same = _same(missing, said[place:])
    return missing[same:], said[place + same :]


def _at(wanted: Sequence[str], text: str) -> tuple[int, int] | None:
    """The first piece that is not found, and from which place of the text on; None where all are.

    Each piece is taken as far left as can be, and the last one at the end: where that fails, nothing else can succeed.
    """
    if not text.startswith(wanted[0]):
        return 0, 0
    if len(wanted) == 1:
        return None if len(text) == len(wanted[0]) else (0, 0)
    place = len(wanted[0])
    for index, piece in enumerate(wanted[1:-1], 1):
        found = text.find(piece, place)
        if found < 0:
            return index, place
        place = found + len(piece)
    return None if len(text) - place >= len(wanted[-1]) and text.endswith(wanted[-1]) else (len(wanted) - 1, place)


def _seen(parts: Sequence[str]) -> list[str]:
    """The parts of a text as they are seen: without the blanks at the ends of its lines and of all of it."""
    cleaned = ["\n".join([*(line.rstrip() for line in lines[:-1]), lines[-1]]) for lines in (part.split("\n") for part in parts)]
    cleaned[0] = cleaned[0].lstrip()
    cleaned[-1] = cleaned[-1].rstrip()
    return [unicodedata.normalize("NFC", part) for part in cleaned]


def _same(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
