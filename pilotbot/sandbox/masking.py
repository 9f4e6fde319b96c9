"""Personal data of a conversation, taken out before it is kept: samples for what contacts wrote, `*` for what the bot says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

NAMES = ("Ana", "Bia", "Caio", "Duda", "Enzo", "Flora", "Gil", "Helena")
FIRST_PHONE = 5_511_987_650_001
FIRST_CPF, CPF_WRAP = 529_982_247, 10
FIRST_CNPJ, CNPJ_WRAP = 112_223_330_001, 8
NAME = "{contact.name}"
ANY = "*"

# Eight digits may be a phone or a document; a date is neither, and an appointment is nothing without it.
_DATE = r"(?P<date>(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])([/.-])(?:0?[1-9]|1[0-2])\2(?:19|20)\d\d|(?:19|20)\d\d-[01]\d-[0-3]\d)(?!\d))"
_EMAIL = r"(?P<email>[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
_BETWEEN = r"[\s\u2010-\u2015\u2212./()-]{0,3}"  # how people, and their phones, part digits
_DOCUMENT = r"(?<!\d)(?:\d{3}\.\d{3}\.\d{3}-\d\d|\d\d\.\d{3}\.\d{3}/\d{4}-\d\d)(?!\d)"
_DIGITS = rf"(?P<digits>{_DOCUMENT}|\+?\d{{8,40}}|\+?\d(?:{_BETWEEN}\d){{7,18}}(?!\d))"
_PART = r"(?P<part>(?<!\d)\d{4,7}(?!\d))"  # nobody's by itself, but the end of a phone is


def sample_phone(at: int) -> str:
    """The sample phone of the contact with this place, from 0."""
    return f"+{FIRST_PHONE + at}"


def sample_name(at: int) -> str:
    """The sample name of the contact with this place, from 0."""
    return NAMES[at] if at < len(NAMES) else f"Contact {at + 1}"


class Mask:
    """Takes personal data out of the texts of one conversation. The same value has the same sample each time.

    Args:
        people: the addresses of everybody who is known, in their places, each with a name; one that is called in several ways has several.
    """

    def __init__(self, people: Iterable[tuple[str, str | None]]) -> None:
        self._numbers: dict[str, int] = {}
        self._digits: set[str] = set()  # of all of these numbers
        self._emails: dict[str, int] = {}
        self._called: dict[str, int] = {}  # what the bot may call people, as it is written: their place
        self._named: dict[str, int] = {}  # every part of a name, in lower case: the place of whose it is
        parts: set[str] = set()
        places: dict[str, int] = {}
        for address, name in people:
            at = places.setdefault(address, len(places))
            self._number(address)
            self._numbers[_known_by(address)] = at
            words = (name or "").split()
            calls = [part for part in (" ".join(words), *words[:1]) if len(part) > 1]
            others = [word for word in words[1:] if len(word) > 2 and word[0].isupper()]  # a "de" or "da" is nobody's
            for part in calls:
                self._called.setdefault(part, at)
            for part in (*calls, *others):
                self._named.setdefault(part.casefold(), at)
                parts.add(re.escape(part))
        self._people = len(places)
        names = "|".join(sorted(parts, key=lambda part: (-len(part), part)))
        kinds = [_DATE, _EMAIL, _DIGITS, _PART, *([rf"(?P<name>(?<![^\W_])(?:{names})(?![^\W_]))"] if names else [])]
        self._found = re.compile("|".join(kinds), re.IGNORECASE)

    def heard(self, text: str) -> str:
        """What a contact wrote, with samples of the same shape."""
        return self._found.sub(self._sample, text)

    def said(self, text: str, escaped: Callable[[str], str], acts: int = 0) -> str:
        """What the bot said, as a pattern: what is personal is a star, the name of whom it speaks to its variable.

        Args:
            text: what it said.
            escaped: how the rest is written.
            acts: the place of the contact whose name the variable is.
        """
        written: list[str] = []
        end = 0
        for found in self._found.finditer(text):
            if found.lastgroup != "date" and not (found.lastgroup == "part" and not self._knows(found[0])):
                own = found.lastgroup == "name" and self._called.get(found[0]) == acts
                written += [escaped(text[end : found.start()]), NAME if own else ANY]
                end = found.end()
        return "".join([*written, escaped(text[end:])])

    def _knows(self, part: str) -> bool:
        """Whether a few digits are of a number that is somebody's."""
        return any(part in digits for digits in self._digits)

    def _number(self, value: str) -> int:
        """The place of a phone or a document, which is kept in mind."""
        self._digits.add(re.sub(r"\D", "", value))
        return self._numbers.setdefault(_known_by(value), len(self._numbers))

    def _sample(self, found: re.Match[str]) -> str:
        value = found[0]
        match found.lastgroup:
            case "email":
                at = self._emails.setdefault(value.casefold(), len(self._emails))
                return f"ana{at + 1 if at else ''}@example.com"
            case "digits":
                at = self._number(value)
                digits = iter(_digits(re.sub(r"\D", "", value), at, max(0, at - self._people)))
                return re.sub(r"\d", lambda _: next(digits), value)
            case "name":
                return sample_name(self._named.get(value.casefold(), 0))
        return value


def _known_by(number: str) -> str:
    """What all ways to write a phone or a document have in common: its last digits."""
    return re.sub(r"\D", "", number)[-8:]


def _digits(value: str, phone: int, document: int) -> str:
    """As many other digits: a valid document where these are one, else the end of a phone; each by its place."""
    for first, wrap in ((FIRST_CPF, CPF_WRAP), (FIRST_CNPJ, CNPJ_WRAP)):
        if _with_checks(value[:-2], wrap) == value and len(value) == len(str(first)) + 2:
            return _with_checks(str(first + document), wrap)
    return f"{'1234567890' * 4}{FIRST_PHONE + phone}"[-len(value) :]


def _with_checks(base: str, wrap: int) -> str:
    """A CPF or CNPJ with its two check digits; their weights go from 2 up, and begin again after `wrap` of them."""
    for _ in range(2):
        rest = sum(int(digit) * (2 + at % wrap) for at, digit in enumerate(reversed(base))) % 11
        base += "0" if rest < 2 else str(11 - rest)
    return base
