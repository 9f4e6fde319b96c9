"""Personal data of a conversation, taken out before it is kept: samples for what contacts wrote, `*` for what the bot says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMES = ("Ana", "Bia", "Caio", "Duda", "Enzo", "Flora", "Gil", "Helena")
FIRST_PHONE = 5_511_987_650_001
EMAIL = "ana@example.com"
CPF, CNPJ = "529.982.247-25", "11.222.333/0001-81"  # samples that pass their check digits
LONG = 8  # digits, from which on they may be a phone or a document

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_DIGITS = re.compile(r"\+?\d(?:[ ./()-]{0,2}\d){6,30}")


def sample_phone(at: int) -> str:
    """The sample phone of the contact with this place, from 0."""
    return f"+{FIRST_PHONE + at}"


def sample_name(at: int) -> str:
    """The sample name of the contact with this place, from 0."""
    return NAMES[at] if at < len(NAMES) else f"Contact {at + 1}"


class Mask:
    """Takes personal data out of the texts of one conversation.

    Args:
        names: what the contacts are called, each in its place.
    """

    def __init__(self, names: Iterable[str | None]) -> None:
        self._names: list[tuple[re.Pattern[str], int]] = []
        for at, name in enumerate(names):
            words = (name or "").split()
            parts = [name.strip(), words[0]] if name and words else []
            self._names += [(re.compile(rf"(?<!\w){re.escape(part)}(?!\w)"), at) for part in dict.fromkeys(parts) if len(part) > 1]
        self._told: set[str] = set()

    def heard(self, text: str) -> str:
        """What a contact wrote, with samples of the same shape; what they stand for is kept in mind."""
        text = _EMAIL.sub(lambda found: self._keep(found[0], EMAIL), text)
        text = _DIGITS.sub(lambda found: self._keep(found[0], _sample(found[0])) if _is_long(found[0]) else found[0], text)
        for pattern, at in self._names:
            text = pattern.sub(sample_name(at), text)
        return text

    def said(self, text: str) -> list[str | None]:
        """What the bot said, in pieces; None for what is not told, an empty string for the contact's name."""
        spans: list[tuple[int, int, str | None]] = [(*found.span(), None) for found in _EMAIL.finditer(text)]
        spans += [(*found.span(), None) for found in _DIGITS.finditer(text) if _is_long(found[0])]
        for told in self._told:
            spans += [(found.start(), found.end(), None) for found in re.finditer(rf"(?<!\w){re.escape(told)}(?!\w)", text)]
        for pattern, at in self._names:
            spans += [(*found.span(), "" if at == 0 else None) for found in pattern.finditer(text)]
        pieces: list[str | None] = []
        end = 0
        for start, stop, what in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= end:
                pieces += [text[end:start], what] if start > end else [what]
                end = stop
        return pieces + ([text[end:]] if text[end:] else [])

    def _keep(self, value: str, sample: str) -> str:
        self._told.add(value)
        return sample


def _is_long(digits: str) -> bool:
    return sum(char.isdigit() for char in digits) >= LONG


def _sample(digits: str) -> str:
    """Other digits of the same shape."""
    shapes = {sample: sample for sample in (CPF, CNPJ)}
    shape = re.sub(r"\d", "0", digits)
    known = next((sample for sample in shapes if re.sub(r"\d", "0", sample) == shape), None)
    bare = re.sub(r"\D", "", CPF)
    if known is None and shape == "0" * len(bare):
        known = bare
    if known is not None:
        return known
    counted = iter("55119876500012345678901234567890123456")
    return re.sub(r"\d", lambda _: next(counted), digits)
