"""Reading one field of an untrusted JSON object: the value in the type wanted, or nothing. Nothing here raises."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite

from pilotbot.events.addresses import normal_address

Data = Mapping[str, object]

_EMPTY: Data = {}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECONDS_BELOW = 100_000_000_000  # as seconds the year 5138, as milliseconds 1973: smaller numbers are seconds
_LAST = 253_402_300_800_000  # the year 10000, in milliseconds
_LONGEST_ID = 255


def text(data: Data, *names: str) -> str | None:
    """Return the first of these fields that holds text (or a whole number, written out); None if none does."""
    for name in names:
        value = data.get(name)
        if type(value) is str:
            if value:
                return value
        elif type(value) is int:
            return str(value)
    return None


def identifier(data: Data, *names: str) -> str | None:
    """Return the first of these fields that holds an id: as `text`, but nothing too long to be a key."""
    for name in names:
        found = text(data, name)
        if found and len(found) <= _LONGEST_ID:
            return found
    return None


def address(data: Data, *names: str) -> str | None:
    """Return the first of these fields that holds an address, in its normal form; None if none does."""
    for name in names:
        found = text(data, name)
        if found and (normal := normal_address(found)):
            return normal
    return None


def mapping(data: Data, name: str) -> Data:
    """Return the object in a field, an empty one if there is none."""
    value = data.get(name)
    return value if isinstance(value, dict) else _EMPTY


def mappings(data: Data, name: str) -> list[Data]:
    """Return the objects in a list in a field; whatever else the list holds is left out."""
    value = data.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(data: Data, name: str) -> int | None:
    """Return the whole number in a field, also one written as digits."""
    value = data.get(name)
    if type(value) is int:
        return value
    if type(value) is float and isfinite(value):
        return int(value)
    if type(value) is str and len(value) <= 18 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def flag(data: Data, name: str) -> bool | None:
    """Return the truth value in a field, also one written as a word."""
    value = data.get(name)
    if type(value) is bool:
        return value
    return {"true": True, "false": False}.get(value.lower()) if type(value) is str else None


def time(data: Data, *names: str) -> int | None:
    """Return the first of these fields that holds a time, as epoch milliseconds.

    ISO 8601 with or without fractions and offset (UTC if none), or epoch seconds or milliseconds, a number or digits.
    """
    for name in names:
        value = data.get(name)
        found = _iso(value) if type(value) is str and "-" in value else _epoch(number(data, name))
        if found is not None:
            return found
    return None


def _iso(value: str) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    return milliseconds if milliseconds >= 0 else None


def _epoch(value: int | None) -> int | None:
    if value is None or value < 0:
        return None
    milliseconds = value * 1000 if value < _SECONDS_BELOW else value
    return milliseconds if milliseconds < _LAST else None
