"""Quiet hours in a contact's own day: which time zone a phone is in, and until when such hours last. Pure, and of no clock."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilotbot.contacts.identity import is_phone

MINUTE: Final = 60_000
DAY: Final = 24 * 60 * MINUTE
WAITS: Final = timedelta(hours=72)
"""How long a message may wait, for its hours and for the window."""


def zone_of(address: str, *, known: str | None = None, default: str | None = None, at: datetime) -> tzinfo:
    """Return the time zone to count a contact's hours in: the one that is known, or else that of their phone number.

    A phone's country and area code say more than its owner's whereabouts, but nobody knows better. Where they leave several zones, or
    none, the default holds; without one the middle of those zones, or UTC.

    Args:
        address: where the contact is written to: a phone as `+digits`; anything else has no zone.
        known: what is known of the contact, such as "America/Manaus"; what is no zone counts as not known.
        default: the zone where the phone does not tell one.
        at: the moment (aware) whose hours are asked for: zones change with the seasons.
    """
    if (zone := _zone(known)) is not None:
        return zone
    found = _zones_of_phone(address) if is_phone(address) else []
    if len(found) == 1:
        return found[0]
    if (zone := _zone(default)) is not None:
        return zone
    by_hour = sorted(found, key=lambda zone: (at.astimezone(zone).utcoffset(), zone.key))
    return by_hour[len(by_hour) // 2] if by_hour else UTC


def in_utc(start: str, end: str, *, zone: tzinfo, at: datetime) -> tuple[int, int]:
    """Return quiet hours as minutes of the UTC day, as they are in a zone at a moment (aware) and as long after it as something may wait.

    Where its clocks change meanwhile, the hours are those of before and those of after: nothing wakes anybody.

    Args:
        start: when they begin there, "21:00".
        end: when they end, "08:00".
        zone: where.
        at: the moment from which on they are to hold.
    """
    offsets = [(moment.astimezone(zone).utcoffset() or timedelta(0)) // timedelta(minutes=1) for moment in (at, at + WAITS)]
    begins, ends = (int(time[:2]) * 60 + int(time[3:]) for time in (start, end))
    length = min((ends - begins) % 1440 + max(offsets) - min(offsets), 1439)
    first = (begins - max(offsets)) % 1440
    return first, (first + length) % 1440


def quiet_until(hours: tuple[int, int] | None, at: int) -> int | None:
    """Return when the quiet hours end that a moment (epoch ms) is in, in epoch ms; None where it is in none.

    `quiet_until` of engine/scripts/lane.lua is the same, compared with this by a property test. `hours` are those of `in_utc`.
    """
    if hours is None:
        return None
    start, end = hours
    since = (at - start * MINUTE) % DAY
    length = (end - start) % 1440 * MINUTE
    return at - since + length if since < length else None


def _zone(name: str | None) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zones_of_phone(phone: str) -> list[ZoneInfo]:
    """The zones that a phone's prefix leaves; imports the data only here, since few bots keep quiet hours (20 ms, 3 MB)."""
    from phonenumbers import NumberParseException, parse  # noqa: PLC0415 - as above
    from phonenumbers.timezone import time_zones_for_geographical_number  # noqa: PLC0415 - as above

    try:
        names = time_zones_for_geographical_number(parse(phone))
    except NumberParseException:
        return []
    return [zone for name in names if (zone := _zone(name)) is not None and name != "Etc/Unknown"]
