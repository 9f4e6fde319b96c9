"""Follow-ups: from what is said and when to a timer, which the engine moves to the lane when it is due (design section 3.12)."""

from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

import orjson

from pilotbot.context import FollowUp, Late
from pilotbot.engine import Item, Terms, Timer, Waits, derived_id
from pilotbot.replies import Delivery, Planned, Skipped

MOST = 50
"""Follow-ups that may wait in one chat."""

FULL: Final = f"{MOST} follow-ups wait in this chat already: cancel some, or give a key, which replaces"
NO_WINDOW: Final = "the contact's window is not open, so that it cannot close"
AHEAD: Final = timedelta(days=366)
"""How far ahead a follow-up may be: its chat is kept for longer."""
_SLACK: Final = timedelta(minutes=1)  # of a moment that was reckoned a little ago
_DESTINATIONS: Final = ("destinationNumber", "groupId", "newsletterId")
_TO_CONTACTS: Final = "unless_replied and before_window_closes are for contacts: a group has no window, and does not reply"


def due_at(
    when: timedelta | datetime | None, before_window_closes: timedelta | None, *, now: int, last_inbound: int | None, terms: Terms
) -> int | None:
    """When a follow-up is due, in business ms; None where it should be so long before a window closes that is not open.

    Raises:
        TypeError: a moment without a time zone.
        ValueError: a moment or span that makes no sense.
    """
    if before_window_closes is not None:
        if not timedelta(0) <= before_window_closes < timedelta(hours=24):
            raise ValueError("before_window_closes is between nothing and 24 hours, such as minutes(30)")
        closes = None if last_inbound is None else last_inbound + terms.open_for
        return None if closes is None or closes <= now else closes - _ms(before_window_closes)
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise TypeError('a moment needs a time zone: datetime(..., tzinfo=ZoneInfo("America/Sao_Paulo"))')
        when -= datetime.fromtimestamp(now / 1000, UTC)
        if when < -_SLACK:
            raise ValueError("the moment is past: give one to come")
        when = max(when, timedelta(0))
    elif when is not None and when < timedelta(0):
        raise ValueError("a follow-up comes later, not sooner: give a span of time that is not negative")
    if when is None or when > AHEAD:
        raise ValueError("a follow-up comes within a year: give a shorter span or an earlier moment")
    return now + _ms(when)


def timer(
    items: Sequence[Item], *, chat: str, key: str | None, occasion: str, due: int, unless_replied: bool, if_late: Late, generation: int,
    before_window_closes: timedelta | None,
) -> Timer:  # fmt: skip
    """The timer of rendered items. Its name follows from the `key`, or else from the `occasion`; `generation` is the chat's.

    Raises:
        ValueError: the key is blank, too long or holds control characters, or `if_late` is no policy.
    """
    if if_late not in get_args(Late):
        raise ValueError(f"if_late={if_late!r} is no policy: it is {', '.join(get_args(Late))}")
    return Timer(
        name=name_of(chat, key) if key is not None else _short("follow-up", occasion),
        due=due, items=tuple(_bare(item) for item in items), silence=unless_replied, late=if_late,
        before_close=None if before_window_closes is None else _ms(before_window_closes), label=key or "",
        generation=generation,
    )  # fmt: skip


def name_of(chat: str, key: str) -> str:
    """What a follow-up with a key is called in its chat. Raises ValueError for a key that is none."""
    if not key.strip() or len(key) > 100 or not key.isprintable():
        raise ValueError('a key names a follow-up, such as "arrived-4242": up to 100 printable characters')
    return _short("follow-up", chat, "key", key)


def check_target(kind: str, *, unless_replied: bool, before_window_closes: timedelta | None) -> None:
    """Refuse what only contacts can have. Raises ValueError."""
    if kind != "contact" and (unless_replied or before_window_closes is not None):
        raise ValueError(_TO_CONTACTS)


def check_delivery(delivery: Delivery | None) -> None:
    """Refuse a second time to be sent at. Raises ValueError."""
    if delivery is not None and delivery.at is not None:
        raise ValueError("a follow-up says itself when it goes: leave Delivery(at=...) out")


def planned(made: Timer) -> Planned:
    """What an author is told of a timer."""
    return Planned(at=_moment(made.due), key=made.label or made.name)


def seen(waits: Waits) -> FollowUp:
    """A timer as its author sees it."""
    texts = [_text(item) for item in waits.items]
    return FollowUp(
        at=_moment(waits.due), key=waits.label or waits.name, text=" / ".join(filter(None, texts)), unless_replied=waits.silence
    )


def as_waits(made: Timer) -> Waits:
    """A timer that is staged, as one that waits."""
    return Waits(made.name, made.due, made.label, made.silence, made.items)


def too_many(waiting: str, staged: Mapping[str, Timer], name: str) -> bool:
    """Whether a chat has no place for one more. `waiting` is its stored names, `staged` what this turn changes."""
    ended = {each for each, made in staged.items() if not made.items}
    names = (set(waiting.split()) - ended) | (set(staged) - ended)
    return name not in names and len(names) >= MOST


def skipped_full() -> Skipped:
    """What an author is told where there is no place."""
    return Skipped(FULL, failed=True)


def _short(*parts: str) -> str:
    """A name of 8 characters, a to z and 2 to 7: it is stored three times for each timer that waits."""
    return b32encode(bytes.fromhex(derived_id(*parts)[:10])).decode().lower()


def _bare(item: Item) -> Item:
    """Without what follows from where and when it is sent: it waits in large numbers. See fire.lua."""
    return replace(
        item, id="", free=_without_destination(item.free), template=_without_destination(item.template), group=item.group and "g"
    )


def _without_destination(request: bytes) -> bytes:
    if not request:
        return b""
    body = {name: value for name, value in orjson.loads(request).items() if name not in _DESTINATIONS}
    return orjson.dumps(body)


def _text(item: Item) -> str:
    body = orjson.loads(item.free or item.template)
    found = (
        body.get("text") or body.get("caption") or (f"template {body['templateId']}" if "templateId" in body else body.get("mediaType", ""))
    )
    return str(found)


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
