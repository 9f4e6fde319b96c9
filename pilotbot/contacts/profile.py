"""What a bot knows of a contact beside their name: language, time zone, tags; as authors give it, and as a chat keeps it."""

import re
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from pilotbot.contacts.language import of_country

TAGS_MOST: Final = 50
TAG_MOST: Final = 40  # characters

_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z]{2}))?")


def language(code: str) -> str:
    """Return a language as it is kept, `pt` or `pt_BR`. Raises ValueError for what is no code of one."""
    found = _LANGUAGE.fullmatch(code) if isinstance(code, str) else None
    if found is None:
        raise ValueError(f'a language is a code such as "pt" or "pt_BR": not {code!r}')
    return found[1].lower() + (f"_{found[2].upper()}" if found[2] else "")


def timezone(name: str) -> str:
    """Return a time zone's name. Raises ValueError where there is no such zone."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise ValueError(f'{name!r} is no time zone: write one such as "America/Sao_Paulo"') from None


def tag(name: str) -> str:
    """Return a tag without white space around it. Raises ValueError for what is none."""
    found = name.strip() if isinstance(name, str) else ""
    if not found or len(found) > TAG_MOST or not found.isprintable():
        raise ValueError(f'a tag is a short text, such as "vip": up to {TAG_MOST} printable characters, not {name!r}')
    return found


def tags(stored: bytes | None) -> frozenset[str]:
    """Read the tags that a chat keeps."""
    return frozenset(orjson.loads(stored)) if stored else frozenset()


def packed(several: frozenset[str]) -> bytes:
    """Tags as a chat keeps them. Raises ValueError where they are too many."""
    if len(several) > TAGS_MOST:
        raise ValueError(f"a contact has up to {TAGS_MOST} tags: take some away with ctx.untag")
    return orjson.dumps(sorted(several))


def language_of(fields: Mapping[str, bytes], address: str) -> str | None:
    """Return a contact's language: as it was set, or else as their first messages were, or else their country's.

    Args:
        fields: what the chat keeps: `language` was set, `heard` was found in what they wrote.
        address: where they are written to.
    """
    known = fields.get("language") or fields.get("heard")
    return known.decode() if known else of_country(address)


def timezone_of(fields: Mapping[str, bytes]) -> str | None:
    """Return a contact's time zone, where it was set."""
    return fields["timezone"].decode() if fields.get("timezone") else None
