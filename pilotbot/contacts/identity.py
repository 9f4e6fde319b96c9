"""Who a contact is: the address that we send to, and the one key of the person behind it (design 3.2)."""

import re

from pilotbot.events.addresses import normal_address
from pilotbot.platform.fields import CONTACT, GROUP, NEWSLETTER

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDABLE = re.compile(f"{CONTACT}|{GROUP}|{NEWSLETTER}")

# Where a country's mobiles are written with and without a digit, the key goes without it.
_BRAZIL = re.compile(r"\+55([1-9][1-9])9([6-9][0-9]{7})")
_ARGENTINA = re.compile(r"\+549([0-9]{10})")
_MEXICO = re.compile(r"\+521([0-9]{10})")


def address(raw: str) -> str:
    """Return the normal form of an address as messages are sent to it (contract 3.2).

    Args:
        raw: A phone number (`+` and separators optional, or as a WhatsApp JID), a BSUID such as `BR.1234`, a group or
            newsletter id.

    Returns:
        `+digits` for phones, the rest as it is.

    Raises:
        ValueError: It is none of these; the text says what is wrong.
    """
    normal = normal_address(raw)
    if sendable(normal):
        return normal
    if not normal:
        raise ValueError("an address is empty; give a phone number with its country code, such as +5511987650001")
    if normal.endswith("@lid"):
        raise ValueError("not an address: a LID only tells who wrote; give the contact's phone number or BSUID (BR.1234)")
    digits = sum(character.isdigit() for character in normal)
    if digits and not any(character.isalpha() for character in normal):
        raise ValueError(f"not a phone number ({digits} digits); write + and 7 to 15 digits, country code first")
    raise ValueError("not an address; give a phone number (+ and digits), a BSUID (BR.1234), a group or a newsletter id")


def sendable(address: str) -> bool:
    """Say whether messages can be sent to an address in normal form (contract 3.2): not to a LID, nor to forms not known yet."""
    return _SENDABLE.fullmatch(address) is not None


def is_phone(address: str) -> bool:
    """Say whether an address in normal form is a phone number."""
    return _PHONE.fullmatch(address) is not None


def canonical(address: str) -> str:
    """Return the key form of an address: the same for every spelling of one person's number (design 3.2).

    Brazilian mobiles lose the ninth digit, Argentine mobiles the 9 after the country code, Mexican ones the 1. Total
    and idempotent: whatever is not such a number comes back as it is. A key, never a place to send to.

    Args:
        address: An address in normal form, as `address` or a decoded event gives it.
    """
    if found := _BRAZIL.fullmatch(address):
        return f"+55{found[1]}{found[2]}"
    if found := _ARGENTINA.fullmatch(address):
        return f"+54{found[1]}"
    if found := _MEXICO.fullmatch(address):
        return f"+52{found[1]}"
    return address


def spellings(address: str) -> frozenset[str]:
    """Return all the ways to write an address that `canonical` takes for one: for those who look for somebody, not to send to."""
    name = canonical(address)
    others = (re.sub(r"\+55(..)", r"+55\g<1>9", name), name.replace("+54", "+549", 1), name.replace("+52", "+521", 1))
    return frozenset({name, *(other for other in others if canonical(other) == name)})


def masked(address: str) -> str:
    """Return an address for logs: its first three and last two characters, `+55***01`; short ones are hidden whole."""
    name, at, host = address.partition("@")
    return f"{name[:3]}***{name[-2:]}{at}{host}" if len(name) >= 8 else f"***{at}{host}"
