"""Wire bytes to typed events: the only place that makes them (contract 8.4 to 8.9).

Never trusts a field: one of the wrong type is as if it were missing. What has no name here becomes `Unknown`, for the
contract has such events acknowledged; only a body that is no event at all is refused.
"""

import json
from hashlib import sha256

import orjson

from pilotbot.events.families import FAMILIES, Envelope
from pilotbot.events.fields import Data, identifier, mapping, time
from pilotbot.events.messages import MESSAGES
from pilotbot.events.models import Event, Unknown
from pilotbot.events.provider import evolution, meta

MAX_DEPTH = 32
MAX_KEYS = 2_000


class Malformed(ValueError):
    """The body is no event: not JSON in UTF-8, not an object, without an envelope, too deep or with too many keys."""


def decode(raw: bytes) -> Event:
    """Return the event in the body of a webhook (contract 8.4).

    Args:
        raw: The body, already verified; its content is untrusted all the same.

    Returns:
        The typed event; `Unknown` for a name that is not known, or a message without an author or a destination. Its `id`
        is the body's own where it has one, else a hash of the body.

    Raises:
        Malformed: It is not JSON in UTF-8, not an object, nested deeper than 32, has more than 2,000 keys, or has neither
            an `event` name nor an `object`.
    """
    body = _parse(raw)
    name = identifier(body, "event")
    if name is None:
        kind = identifier(body, "object")
        if kind is None:
            raise Malformed("the body has neither an event nor an object")
        return meta(kind, _hash(raw), body)
    data = mapping(body, "data")
    event = _typed(name, body, data, raw)
    if event is not None:
        return event
    if "instance" in body:
        return evolution(name, _hash(raw), body)
    id_ = identifier(data, "id", "internalMessageId", "messageId") or identifier(body, "id") or _hash(raw)
    return Unknown(name=name, id=id_, at=time(data, "createdAt"), number_id=identifier(data, "numberId"), data=data or body)


def _parse(raw: bytes) -> Data:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = _parse_with_broken_emoji(raw)
    if not isinstance(body, dict):
        raise Malformed("the body is not an object")
    _check_bounds(body)
    return body


def _parse_with_broken_emoji(raw: bytes) -> object:
    """Read JSON in which an emoji was cut in half (`\\ud83d` alone): grammatical, but orjson refuses it."""
    if b"\\ud" not in raw and b"\\uD" not in raw:
        raise Malformed("the body is not JSON")
    try:
        whole = json.dumps(json.loads(raw.decode()), ensure_ascii=False)
        return orjson.loads(whole.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None


def _check_bounds(body: Data) -> None:
    keys = 0
    level: list[object] = [body]
    for _ in range(MAX_DEPTH):
        deeper: list[object] = []
        for node in level:
            if isinstance(node, dict):
                keys += len(node)
                deeper += [child for child in node.values() if type(child) is dict or type(child) is list]
            elif isinstance(node, list):
                deeper += [child for child in node if type(child) is dict or type(child) is list]
        if keys > MAX_KEYS:
            raise Malformed(f"the body has more than {MAX_KEYS} keys")
        if not deeper:
            return
        level = deeper
    raise Malformed(f"the body is nested deeper than {MAX_DEPTH}")


def _typed(name: str, body: Data, data: Data, raw: bytes) -> Event | None:
    """Return the typed event of a name that is known, None for any other and where an address is missing."""
    if reader := MESSAGES.get(name):
        return reader(name, identifier(data, "id", "internalMessageId", "messageId") or _hash(raw), data)
    family, _, change = name.partition(".")
    family_reader = FAMILIES.get(family) if change else None
    return family_reader(Envelope(name, change, body, data, raw)) if family_reader else None


def _hash(raw: bytes) -> str:
    return sha256(raw).hexdigest()
