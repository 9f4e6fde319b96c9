"""What goes into the engine and what comes out: plain values, in bytes and keys. Times are business milliseconds unless said otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import orjson

from pilotbot.engine.items import Item, Pin
from pilotbot.engine.keys import ChatKey

HOUR = 3_600_000
WINDOW = 24 * HOUR
HOLD = 72 * HOUR

ChatKind = Literal["contact", "group", "newsletter", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The engine's figures, in milliseconds. `margin` is taken off the 24 hours before the first free-form post."""

    lease: int = 30_000
    margin: int = 120_000
    patience: int = 2_000

    @property
    def open_for(self) -> int:
        """How long after the contact's last message a free-form message may be posted first."""
        return WINDOW - self.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A chat as it is known outside: our number by its configured name, what kind of chat it is, and the address that we send to."""

    key: ChatKey
    number: str
    kind: ChatKind
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event to keep.

    `id` and `message_id` are what it may be a duplicate by; `mark` is one letter for what it is ("r" received, "q" a reply that quotes,
    any other for the rest); `body` is kept as it came; `opens_window` only for a real message of a contact.
    """

    place: Place
    id: str
    body: bytes
    at: int | None
    mark: str = "e"
    message_id: str = ""
    name: str = ""
    opens_window: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an arrival. Not kept, but to be delivered again: `full`; not kept for good: `stale`."""

    outcome: Literal["ok", "dup", "replaced", "stale", "full"]
    wake_mailbox: bool = False
    wake_lane: bool = False
    put_aside: "tuple[PutAside, ...]" = ()  # messages that waited for this one, and had no place or were too old


@dataclass(frozen=True, slots=True)
class Claimed:
    """A chat leased to this worker: its token, the event at the head of its mailbox, and all of its state."""

    key: ChatKey
    token: str
    seq: str
    score: str
    mark: str
    message: str
    body: bytes
    fields: Mapping[str, bytes]
    now: int

    @classmethod
    def read(cls, shard: int, reply: tuple[bytes, bytes, bytes, bytes, list[bytes], bytes]) -> "Claimed":
        """Read what `lease_head` answered."""
        name, token, member, score, flat, now = reply
        seq, mark, message, body = member.split(b":", 3)
        return cls(
            ChatKey(shard, name.decode()), token.decode(), seq.decode(), score.decode(), mark.decode(), message.decode(), body,
            pairs(flat), int(now),
        )  # fmt: skip

    @property
    def crashes(self) -> int:
        """How often a worker was lost while it ran this event."""
        return int(self.fields.get(f"crashes:{self.seq}", b"0"))

    @property
    def tries(self) -> int:
        """How often this event was put back for a reason that may pass: a time-out, a lost connection, a Retry."""
        return int(self.fields.get(f"tries:{self.seq}", b"0"))

    @property
    def errors(self) -> int:
        """How often this event was put back for any other error."""
        return int(self.fields.get(f"errors:{self.seq}", b"0"))


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane leased to this sender: its first item, pinned. `inbound` is the contact's last message when it was pinned, "" for none."""

    key: ChatKey
    token: str
    item: Item
    pin: Pin
    tries: int
    unknown: bool
    first_post: int
    inbound: str
    number: str
    now: int

    @classmethod
    def read(cls, shard: int, reply: list[bytes]) -> "Lane":
        """Read what `lease_lane` answered."""
        name, token, item, pin, tries, unknown, first_post, inbound, number, now = reply
        return cls(
            ChatKey(shard, name.decode()), token.decode(), Item.unpack(item), "free" if pin == b"free" else "template", int(tries),
            unknown == b"1", int(first_post), inbound.decode(), number.decode(), int(now),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PutAside:
    """An item that left the lane without being sent: deferred, skipped, expired or buried, and why; of which chat, and when."""

    what: str
    item: str
    why: str
    chat: ChatKey
    at: int

    @classmethod
    def read(cls, shard: int, note: list[bytes]) -> "PutAside":
        """Read what `note` wrote."""
        what, item, why, chat, at = (part.decode() for part in note)
        return cls(what, item, why, ChatKey(shard, chat), int(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A content for another chat, in one item or several: staged in a commit and relayed after it, or queued from outside a turn."""

    place: Place
    items: tuple[Item, ...]

    @property
    def id(self) -> str:
        """Its identity: that of its first item."""
        return self.items[0].id

    def pack(self) -> bytes:
        """As it waits in the relay."""
        packed = [item.pack() for item in self.items]
        where = {
            "key": str(self.place.key), "number": self.place.number, "kind": self.place.kind, "address": self.place.address,
            "sizes": [len(item) for item in packed],
        }  # fmt: skip
        return orjson.dumps(where) + b"\n" + b"".join(packed)

    @classmethod
    def unpack(cls, stored: bytes) -> "Notice":
        """Read what `pack` wrote."""
        line, _, payload = stored.partition(b"\n")
        where = orjson.loads(line)
        ends = list(accumulate(where["sizes"]))
        return cls(
            place=Place(key=ChatKey.parse(where["key"]), number=where["number"], kind=where["kind"], address=where["address"]),
            items=tuple(Item.unpack(payload[start:end]) for start, end in zip([0, *ends], ends, strict=False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a turn wants to make so: fields of the chat, answers, notices to other chats."""

    sets: Mapping[str, bytes] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of a turn. `stale` means that the lease was lost and nothing took effect; then whoever has it now does the work."""

    outcome: Literal["ok", "replay", "stale"]
    next: Claimed | None = None
    lane: Lane | None = None
    put_aside: tuple[PutAside, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a message that the platform took. `chat` is None while only a status of it has been seen.

    `parked` are the bodies of such statuses, in the order of their ranks, for the handlers.
    """

    platform_id: str
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

    @classmethod
    def read(cls, platform_id: str, flat: list[bytes]) -> "Record":
        """Read a record's fields."""
        fields = pairs(flat)
        pin = fields.get("pin")
        return cls(
            platform_id,
            ChatKey.parse(fields["chat"].decode()) if "chat" in fields else None,
            fields["item"].decode() if "item" in fields else None,
            None if pin is None else "free" if pin == b"free" else "template",
            fields.get("in", b"").decode(),
            int(fields.get("rank", b"0")),
            fields["status"].decode() if "status" in fields else None,
            fields.get("code", b"").decode() or None,
            Item.unpack(fields["again"]) if "again" in fields else None,
            fields.get("menu"),
            tuple(fields[name] for name in sorted(fields) if name.startswith("parked:")),
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: an event whose handler failed for good, or a message that could not be sent."""

    id: str
    at: int
    kind: Literal["event", "send"]
    chat: ChatKey
    reason: str
    detail: str
    payload: str


@dataclass(frozen=True, slots=True)
class ChatView:
    """A chat's fields as they are now, and how much waits."""

    now: int
    fields: Mapping[str, bytes]
    waiting_events: int
    waiting_items: int
    held_items: int


def pairs(flat: list[bytes]) -> dict[str, bytes]:
    """A flat reply (field, value, field, value) as a mapping."""
    return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
