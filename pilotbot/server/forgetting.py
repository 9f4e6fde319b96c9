"""What is kept of a contact: exported for whoever asks what is known of them, and erased (design section 3.13; LGPD, GDPR)."""

import base64
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from pilotbot.contacts import canonical, spellings
from pilotbot.context import Contact
from pilotbot.engine import ChatKey, Engine, Item, Letter, Record
from pilotbot.engine.traces import Kept, Rewritten
from pilotbot.server.recipients import contact_address, known_as
from pilotbot.server.saying import Numbers
from pilotbot.server.sent import sent_message

log = logging.getLogger(__name__)

UNTOLD = ("state:", "o:", "crashes:", "tries:", "errors:", "parted:", "consent")
"""Fields of a chat that an export shows elsewhere, or that are of the work on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contact by all their addresses, and the chats with them. `mentions` finds them in a body."""

    addresses: tuple[str, ...]
    names: frozenset[str]
    chats: tuple[ChatKey, ...]

    def mentions(self, body: bytes) -> bool:
        """Whether bytes hold one of their addresses, however it is spelled."""
        forms = {form for name in self.names for form in spellings(name)}
        found = b"|".join(re.escape(form.removeprefix("+").encode()) for form in sorted(forms))
        return re.search(rb"(?<![0-9A-Za-z.])(?:" + found + rb")(?![0-9A-Za-z])", body) is not None


async def person(engine: Engine, numbers: Numbers, who: str | Contact) -> Person:
    """Who is meant, by phone or BSUID. Raises ValueError for what is no contact's address."""
    to = contact_address(who)
    known = await known_as(engine, to)
    other = await engine.alias(canonical(known))
    addresses = tuple(dict.fromkeys(one for one in (known, other, to) if one))
    names = frozenset(map(canonical, addresses))
    ours = [engine.keys.chat(number, name) for number in numbers.names for name in sorted(names)]
    others = await engine.traces.chats(lambda address: canonical(address) in names)
    return Person(addresses=addresses, names=names, chats=tuple(dict.fromkeys((*ours, *others))))


async def forget(engine: Engine, numbers: Numbers, who: str | Contact) -> Rewritten:
    """Erase all that is kept of a contact but that they opted out, if they did, and when they were forgotten. Safe to repeat.

    Returns whether what Redis keeps on disk was written anew without it. Raises ValueError, Away.
    """
    them = await person(engine, numbers, who)
    persons = [engine.keys.person(name) for name in sorted(them.names)]
    for one in persons:  # a no holds under each address, since nobody will know that they are one person's
        for entry in (await engine.consents.of(one))[1]:
            for other in persons:
                await engine.consents.record(other, entry)
    for one in persons:
        await engine.consents.forget(one)
    await engine.traces.erase(them.chats, them.mentions)
    await engine.forget_alias(*them.addresses, *them.names)  # last: by it, the rest is found again after a crash
    rewritten = await engine.traces.rewrite()
    if rewritten == "failed":
        log.warning("what Redis keeps on disk could not be written anew: what was erased is in it until its next rewrite")
    return rewritten


async def export(engine: Engine, numbers: Numbers, who: str | Contact) -> dict[str, object]:
    """All that is kept of a contact, as JSON takes it. Raises ValueError, Away."""
    them = await person(engine, numbers, who)
    ledgers = [await engine.consents.of(engine.keys.person(name)) for name in sorted(them.names)]
    entries = {entry.pack(): entry for _, ledger in ledgers for entry in ledger}
    chats = [await engine.traces.kept(chat) for chat in them.chats]
    records = await engine.traces.records(them.chats, them.mentions)
    letters = await engine.traces.letters(them.chats, them.mentions)
    return {
        "addresses": list(them.addresses),
        "consent": [
            {
                "decided": entry.what, "purpose": entry.purpose, "at": _time(entry.at), "source": entry.source, "evidence": entry.evidence,
                "event": entry.event,
            }
            for entry in sorted(entries.values(), key=lambda entry: entry.at)
        ],
        "chats": [await _chat(engine, chat) for chat in chats if chat.fields.keys() - {"gone", "joining"}],
        "messages": [_message(record) for record in sorted(records, key=lambda record: record.known)],
        "dead_letters": [_letter(letter) for letter in sorted(letters, key=lambda letter: letter.at)],
        "notices": [_item(item) for _, notice in await engine.traces.notices(them.chats) for item in notice.items],
    }  # fmt: skip


async def _chat(engine: Engine, chat: Kept) -> dict[str, object]:
    told = {name: _value(value) for name, value in chat.fields.items() if not name.startswith(UNTOLD)}
    waits = await engine.follow_ups(chat.key)
    return {
        **told,
        "states": {name.removeprefix("state:"): _value(value) for name, value in chat.fields.items() if name.startswith("state:")},
        "events": [_value(body) for body in chat.events],
        "kept_for_person": [_value(body) for body in chat.for_person],
        "to_send": [_item(item) for item in chat.to_send],
        "held": [_item(item) for item in chat.held],
        "follow_ups": [
            {"at": _time(each.due), "key": each.label, "unless_replied": each.silence, "items": [_item(item) for item in each.items]}
            for each in waits
        ],
    }


def _message(record: Record) -> dict[str, object]:
    sent = sent_message(record, "")
    return {
        "mode": sent.mode, "template": sent.template, "text": sent.text, "variables": dict(sent.variables),
        "options": [option.label for option in sent.options], "status": sent.status, "error_code": sent.error_code,
        "times": {status: at.isoformat() for status, at in sent.statuses.items()}, "cause": sent.cause, "cost": sent.cost,
        "statuses": [_value(body) for body in record.parked],
    }  # fmt: skip


def _letter(letter: Letter) -> dict[str, object]:
    payload = letter.payload.encode("utf-8", "surrogatepass")
    content: object = _item(Item.unpack(payload)) if letter.kind == "send" else _value(payload)
    return {"at": _time(letter.at), "kind": letter.kind, "reason": letter.reason, "detail": letter.detail, "content": content}


def _item(item: Item) -> dict[str, object]:
    """What is to be sent, as requests of the platform."""
    return {"free": _value(item.free), "template": _value(item.template)}


def _value(stored: bytes) -> object:
    """JSON as it is, and else text."""
    try:
        return orjson.loads(stored) if stored else None
    except ValueError:
        pass
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return base64.b64encode(stored).decode()


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
