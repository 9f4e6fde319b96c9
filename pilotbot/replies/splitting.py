"""Long texts in pieces that WhatsApp takes, cut where a reader would."""

import re
import unicodedata

_BOUNDS = tuple(map(re.compile, (r"\n\n", r"\n", r"(?<=[.!?…])\s", " ")))
_JOINS = "\u200d"
_JOINED = re.compile("[\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")  # and marks, such as accents and keycaps
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]*$")


def clean(text: str) -> str:
    """The text without what no wire takes: byte order marks and lone surrogates."""
    if text.isascii():
        return text
    return text.replace("\ufeff", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_text(text: str, limit: int) -> list[str]:
    """Cut `text` into pieces of at most `limit` characters: between paragraphs, lines, sentences or words.

    Only white space at the cuts is lost. Returns no blank piece, so a blank text gives none.
    """
    if len(text) <= limit:
        return [text] if text.strip() else []
    pieces = []
    rest = text.strip()
    while len(rest) > limit:
        cut = _last_bound(rest, limit)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [piece for piece in (*pieces, rest) if piece]


def split_tail(text: str, limit: int) -> tuple[str, str]:
    """Cut off a tail of at most `limit` characters, at the first good place: (maybe empty head, tail)."""
    if len(text) <= limit:
        return "", text
    text = text.strip()
    cut = max(0, len(text) - limit)
    for bound in _BOUNDS:
        found = bound.search(text, cut)
        if found and found.start() < len(text) - limit // 2:
            cut = found.end()
            break
    else:
        cut = next((at for at in range(cut, len(text)) if not _within(text, at)), cut)
    return text[:cut].rstrip(), text[cut:].lstrip()


def _last_bound(text: str, limit: int) -> int:
    """Where to cut: the last bound of the best kind in the second half, else in the middle of a word, not of what is one to the eye."""
    for bound in _BOUNDS:
        found = [one.start() for one in bound.finditer(text, limit // 2, limit)]
        if found and found[-1] > 0:
            return found[-1]
    return next((at for at in range(limit, 0, -1) if not _within(text, at)), limit)


def _within(text: str, at: int) -> bool:
    """Whether a cut would part what is seen as one: an emoji of several, a flag, a letter and its accent."""
    if at <= 0 or at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if before == _JOINS or _JOINED.match(after) or unicodedata.category(after)[0] == "M":
        return True
    flags = _FLAG.search(text[max(0, at - 64) : at])
    return flags is not None and _FLAG.fullmatch(after) is not None and len(flags[0]) % 2 == 1
