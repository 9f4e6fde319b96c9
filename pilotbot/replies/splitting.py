"""Long texts in pieces that WhatsApp takes, cut where a reader would."""

_BOUNDS = ("\n\n", "\n", ". ", " ")


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
        at = text.find(bound, cut)
        if 0 <= at < len(text) - limit // 2:
            cut = at + len(bound)
            break
    return text[:cut].rstrip(), text[cut:].lstrip()


def _last_bound(text: str, limit: int) -> int:
    """Where to cut: the last bound of the best kind in the second half, else in the middle of a word."""
    for bound in _BOUNDS:
        at = text.rfind(bound, limit // 2, limit)
        if at > 0:
            return at + len(bound.rstrip())
    return limit
