"""Fold what people type, so that "Não!", "nao" and "NÃO" compare equal. Used for option labels and for `words`."""

import re
import unicodedata

_BLANK_CATEGORIES = {"Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "Zl", "Zp", "Zs", "Cc"}
_DROPPED_CATEGORIES = {"Cf", "Me"}
_VARIATION_SELECTORS = "\ufe0e\ufe0f"
_LETTER_BUILDING = (0, 7, 8, 9)  # not accents: vowel signs, nuktas, kana voicing, viramas
_ASCII_PUNCTUATION = re.compile(r"[^0-9a-z]+")


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in _BLANK_CATEGORIES:
        return " "
    if category in _DROPPED_CATEGORIES or character in _VARIATION_SELECTORS:
        return ""
    return character if unicodedata.combining(character) in _LETTER_BUILDING else ""


def fold(text: str) -> str:
    """Fold case, accents, punctuation and spacing away; emoji stay.

    Args:
        text: anything, of any length, in any script; untrusted.

    Returns:
        Lower-case words separated by single spaces, maybe empty. Folding twice changes nothing.
    """
    if text.isascii():
        return _ASCII_PUNCTUATION.sub(" ", text.lower()).strip()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(map(_fold_character, decomposed)).split())
