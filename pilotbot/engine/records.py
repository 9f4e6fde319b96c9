"""Records of sent messages: what each was and what became of it, by the id that the platform gave it (design sections 3.5 and 3.8)."""

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from pilotbot.engine.batch import Argument
from pilotbot.engine.calls import Calls
from pilotbot.engine.items import Item, Pin
from pilotbot.engine.keys import ChatKey, Keyring, base, compact, spread
from pilotbot.engine.values import HOUR, RANKS, Lane, PutAside, pairs, put_aside

POLL_AFTER = (600_000, HOUR, 6 * HOUR)  # a message without a final status is asked for then
KEEP_POINTER, PARKED = 45 * 24 * HOUR, 48 * HOUR  # as KEEP and PARKED of the scripts
KEPT_MOST = 32_000  # bytes of a message that handlers of its statuses are given back: a file given as data is not kept


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a message that the platform took, under `key`. `chat` is None while only a status of it has been seen.

    `parked` are the bodies of such statuses, in the order of their ranks, for the handlers. `leads`: others wait for its report. `code`
    is that of a failure, also of one that a late receipt overruled. `mode` and `template` say how it went, `cause` is the event that it
    was said in, `cost` the category that WhatsApp billed it as. `known` is since when it is known, `times` when each status was reached
    (business ms). `kept` is the item without its menu, where it is kept still; `again` what to queue where it is to be decided again.
    """

    key: ChatKey
    chat: ChatKey | None
    item: str | None
    pin: Pin | None
    inbound: str
    rank: int
    status: str | None
    code: str | None
    again: Item | None
    menu: bytes | None
    parked: tuple[bytes, ...] = ()
    leads: bool = False
    mode: str = ""
    template: str | None = None
    cause: str = ""
    cost: str | None = None
    known: int = 0
    times: Mapping[str, int] = field(default_factory=dict)
    kept: Item | None = None
    ours: ChatKey | None = None

    @classmethod
    def read(cls, keys: Keyring, key: ChatKey, flat: list[bytes]) -> "Record":
        """Read a record's fields; see records.lua."""
        fields = pairs(flat)
        chat, known = fields.get("chat"), int(fields.get("0", b"0"))
        times = {status: known + int(fields[str(rank)]) for status, rank in RANKS.items() if str(rank) in fields}
        template = fields["template"].decode() if "template" in fields else None
        kept, menu = _unfold(fields.get("kept") or fields.get("again")), fields.get("menu")
        status = max(times, key=RANKS.__getitem__, default=None)
        return cls(
            key,
            None if chat is None else keys.place(spread(chat)),
            _long(fields["i"]) if "i" in fields else None,
            None if chat is None else "free" if template is None else "template",
            fields.get("in", b"").decode(),
            0 if status is None else RANKS[status],
            status,
            fields.get("code", b"").decode() or None,
            None if kept is None or "in" not in fields else replace(kept, menu=menu or b"").decided_again(),
            menu,
            tuple(fields[name] for name in sorted(fields) if name.startswith("parked:")),
            leads="leads" in fields,
            mode="" if chat is None else "template" if template is not None else fields.get("mode", b"text").decode(),
            template=template or None,
            cause=fields.get("e", b"").decode(),
            cost=fields["cost"].decode() if "cost" in fields else None,
            known=known,
            times=times,
            kept=kept,
            ours=keys.place(spread(fields["ours"])) if "ours" in fields else None,
        )


class Records:
    """The records of all messages; a part of `Engine`, behind `Waiting`."""

    _calls: Calls

    async def scheduled(self, chat: ChatKey, item: str, platform_id: str, delay: int) -> None:
        """See `Waiting.scheduled`."""
        raise NotImplementedError

    async def moved_to(self, chat: ChatKey) -> ChatKey:
        """See `People.moved_to`."""
        raise NotImplementedError

    @property
    def keys(self) -> Keyring:
        """Names of records."""
        raise NotImplementedError

    async def record(self, lane: Lane, platform_id: str, *, mode: str = "text", template: str = "", keep: bool = False) -> Record:
        """Remember what the platform took, under the id that it gave. Returns the record, with a status that came before if any.

        `mode` says how a free-form item went, `template` is the name of the other kind; `keep` its content for the handlers of statuses.
        """
        item = lane.item
        packed = replace(item, menu=b"").pack()
        keep = keep and len(packed) <= KEPT_MOST
        place = self.keys.record(platform_id)
        if item.deliver_at is not None and item.deliver_at > lane.now:  # until then it can be cancelled
            await self.scheduled(lane.key, item.id, platform_id, item.deliver_at - lane.now)
        flat = await self._calls.script(
            "record", place.shard, place.id, platform_id, compact(lane.key.id), _short(item.id),
            "template" if lane.pin == "template" else mode, template, item.cause, lane.inbound, _fold(packed) if keep else packed,
            item.shown(lane.pin), int(not item.again), int(keep), POLL_AFTER[0], int(item.leads),
        )  # fmt: skip
        record = Record.read(self.keys, place, flat)
        if record.ours is not None:  # its statuses came before it was known to be ours
            await self._point(record.ours, place, KEEP_POINTER)
        return record

    async def merge_status(
        self, platform_id: str, status: str, *, code: str | None, message_id: str | None, body: bytes = b"",
        times: Mapping[str, int] | None = None, cost: str | None = None,
    ) -> tuple[bool, Record]:  # fmt: skip
        """Merge a status into its message's record. Returns whether it advanced the rank, and the record.

        `body` is kept with a record whose chat is not known yet: whoever records the message hands it on. `times` are when the status and
        those before it were reached (business ms), as far as that is told; what is told of without a time is so now.
        """
        place = self.keys.record(platform_id)
        pointer = self.keys.record(message_id) if message_id and message_id != platform_id else None
        known = times or {}
        told: list[Argument] = [RANKS[status], known.get(status, "")]
        told += [part for name, at in known.items() if RANKS[name] < RANKS[status] for part in (RANKS[name], at)]
        merge = self._calls.script(
            "status", place.shard, place.id, platform_id, RANKS[status], (code or "")[:100], (cost or "")[:32], body,
            compact(pointer.id) if pointer else "", *told,
        )  # fmt: skip
        if pointer is None:
            advanced, flat = await merge
            return bool(advanced), Record.read(self.keys, place, flat)
        # In the same round trip: a status that took longer would be overtaken by the next one.
        (advanced, flat), _ = await asyncio.gather(merge, self._point(pointer, place, KEEP_POINTER))
        record = Record.read(self.keys, place, flat)
        if record.chat is None:  # maybe of a message that others sent: it costs little, and not for long
            await self._point(pointer, place, PARKED)
        return bool(advanced), record

    async def _point(self, pointer: ChatKey, record: ChatKey, how_long: int) -> None:
        await self._calls.command("SET", f"{base(pointer.shard)}:wamid:{pointer.id}", compact(record.id), "PX", how_long)

    async def unpark(self, record: Record) -> None:
        """Forget the bodies of statuses that were parked with a record: they were handed on."""
        names = [f"parked:{rank}" for rank in RANKS.values()]
        await self._calls.command("HDEL", _content(record.key), *names)

    async def find_record(self, message_id: str) -> Record | None:
        """The record of a message by its platform id or its provider's id, or None."""
        pointer = self.keys.record(message_id)
        found = await self._calls.command("GET", f"{base(pointer.shard)}:wamid:{pointer.id}")
        place = self.keys.place(spread(found)) if found else pointer
        flat, content, menu = await asyncio.gather(
            self._calls.command("HGETALL", f"{base(place.shard)}:record:{place.id}"), self._calls.command("HGETALL", _content(place)),
            self._calls.command("GET", f"{base(place.shard)}:menu:{place.id}"),
        )  # fmt: skip
        options = [] if menu is None else [b"menu", menu]
        return Record.read(self.keys, place, [*flat, *content, *options]) if flat else None

    async def decide_again(self, record: Record, *, shut: bool = True) -> tuple[Literal["ok", "dup", "full", "skip"], tuple[PutAside, ...]]:
        """Queue a message that failed late once more; `shut` the window, unless the contact wrote since. `skip`: a person has the chat."""
        chat, again = record.chat, record.again
        if chat is None or again is None:
            raise ValueError("there is nothing to decide again in this record")
        chat = await self.moved_to(chat)
        outcome, notes = await self._calls.script("decide_again", chat.shard, chat.id, record.inbound if shut else "", again.pack())
        await self.not_again(record)  # once: told of again, it finds nothing to decide
        return outcome.decode(), put_aside(chat.shard, notes)

    async def not_again(self, record: Record) -> None:
        """Forget what a message would have been decided again from."""
        if record.again is not None:
            await self._calls.command("HDEL", _content(record.key), "again", "in")

    async def unfinished(self, shard: int, most: int = 20) -> list[str]:
        """Platform ids of messages whose final status is overdue; each is named a few times, then no more."""
        waits = (later - sooner for sooner, later in pairwise(POLL_AFTER))
        reply = await self._calls.script("unfinished", shard, most, *waits)
        return [one.decode() for one in reply]


def _content(record: ChatKey) -> str:
    """Where what is long of a message's record lies."""
    return f"{base(record.shard)}:content:{record.id}"


def _short(item: str) -> str | bytes:
    """An item's id in half its bytes, where it is one of ours."""
    return b"\0" + bytes.fromhex(item) if re.fullmatch(r"[0-9a-f]{32}", item) else item


def _long(stored: bytes) -> str:
    return stored[1:].hex() if stored[:1] == b"\0" else stored.decode()


def _fold(packed: bytes) -> bytes:
    """Compressed, where that pays."""
    return min(packed, zlib.compress(packed), key=len)


def _unfold(stored: bytes | None) -> Item | None:
    if stored is None:
        return None
    return Item.unpack(stored if stored[:1] == b"{" else zlib.decompress(stored))
