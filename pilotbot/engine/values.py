"""What goes into the engine and what comes out: plain values, in bytes and keys. Times are business milliseconds unless said otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import orjson

from pilotbot.engine.consent import Decision
from pilotbot.engine.items import Item, Pin
from pilotbot.engine.keys import ChatKey

HOUR = 3_600_000
WINDOW = 24 * HOUR
HOLD = 72 * HOUR
RANKS = {"sent": 1, "failed": 2, "delivered": 3, "read": 4}

ChatKind = Literal["contact", "group", "newsletter", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The engine's figures, in milliseconds where nothing else is said.

    Attributes:
        lease: after how long a silent worker loses what it leased.
        margin: taken off the 24 hours before the first free-form post.
        patience: how long calls of Redis are repeated.
        old_after: events that come later than this after they happened are old: they move the window and no handler but `stale`; 0: never.
        late_after: a follow-up that is overdue by more is late, and its policy decides.
        depth: events that may wait in one chat.
        high_water: events that may wait in all chats.
        contact_gap: between two messages of one contact, once a burst of `contact_burst` is used up.
        number_gap: between two business-initiated messages of one number, once a burst of `number_burst` is used up.
        chat_gap: the same for one chat, with `chat_burst`.
        sequence_wait: how long what follows in a sequence waits for the report of what went before.
    """

    lease: int = 30_000
    margin: int = 120_000
    patience: int = 2_000
    old_after: int = 24 * HOUR
    late_after: int = 60_000
    depth: int = 1_000
    high_water: int = 100_000
    contact_gap: int = 100
    contact_burst: int = 300
    number_gap: int = 50
    number_burst: int = 20
    chat_gap: int = 6_000
    chat_burst: int = 10
    sequence_wait: int = 10_000

    def lane(self, worker: str, shards: int) -> str:
        """What the lane scripts are told. The pace of a number is divided among the shards."""
        gap = self.number_gap * shards
        paces = (gap, gap * max(self.number_burst // shards, 1), self.chat_gap, self.chat_gap * (self.chat_burst - 1))
        return " ".join(map(str, (worker, self.lease, self.open_for, HOLD, *paces)))

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
    any other for the rest); `body` is kept as it came; `opens_window` only for a real message of a contact. `ages` says that it is old
    after a while, and `keep_old` that there is a handler for it then. `note_only` moves window and record, and is not handled.
    """

    place: Place
    id: str
    body: bytes
    at: int | None
    mark: str = "e"
    message_id: str = ""
    name: str = ""
    opens_window: bool = False
    ages: bool = False
    keep_old: bool = False
    note_only: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an arrival.

    Not kept, but to be delivered again: `full` (its chat), `busy` (all of them), `flood` (its contact writes too fast). Noted, and not to
    be handled: `old`, `noted`. Not kept for good: `stale`, and `forgotten`, from before the contact was forgotten. `under_way` is the token
    of a lane that may just be posting what waits for silence: until it is settled, the contact's message does not count as accepted.
    """

    outcome: Literal["ok", "dup", "replaced", "old", "noted", "stale", "forgotten", "full", "busy", "flood"]
    wake_mailbox: bool = False
    wake_lane: bool = False
    put_aside: "tuple[PutAside, ...]" = ()  # what waited for this one and had no place or was too old, or waited for silence
    under_way: str = ""
    first: bool = False  # of its chat
    key: ChatKey | None = None  # the chat that took it in: where its own moved, another one


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
    generation: int = 0
    """How many messages of the contact were accepted by then, this one included."""

    @classmethod
    def read(cls, shard: int, reply: tuple[bytes, bytes, bytes, bytes, list[bytes], bytes]) -> "Claimed":
        """Read what `lease_head` answered."""
        name, token, member, score, flat, now = reply
        seq, mark, message, body = member.split(b":", 3)
        fields = pairs(flat)
        return cls(
            ChatKey(shard, name.decode()), token.decode(), seq.decode(), score.decode(), mark[:1].decode(), message.decode(), body, fields,
            int(now), int(mark[1:] or fields.get("generation", b"0")),
        )  # fmt: skip

    @property
    def old(self) -> bool:
        """Whether it came so long after it happened that nobody expects an answer."""
        return self.mark == "o"

    @property
    def late(self) -> bool:
        """Whether a newer event of its chat was handled before it."""
        return float(self.score) < float(self.fields.get("handled", b"0"))

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
    """A lane leased to this sender: its first item, pinned. `inbound` is the contact's last message when it was pinned, "" for none.

    `barred` says why what may have been posted may not be posted first any more: the contact wrote or opted out since; "" where it may.
    `down`: its number is known not to send, and this item tries whether it does again.
    """

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
    barred: str = ""
    down: bool = False

    @classmethod
    def read(cls, shard: int, reply: list[bytes]) -> "Lane":
        """Read what `lease_lane` answered."""
        name, token, item, pin, tries, unknown, first_post, inbound, number, now, barred, down = reply
        return cls(
            ChatKey(shard, name.decode()), token.decode(), Item.unpack(item), "free" if pin == b"free" else "template", int(tries),
            unknown == b"1", int(first_post), inbound.decode(), number.decode(), int(now), barred.decode(),
            bool(down),
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
class Timer:
    """A follow-up of a chat: `name` (8 characters, no blank), when it is `due`, and its items, packed without id and destination.

    `silence` disarms it when the contact writes: after `generation` messages of theirs, or else from when it is set; `late` is what to do
    when it comes late; `before_close` has it due so many ms before the window closes, also if that moves. `label` is the author's key. A
    timer without items forgets the one of that name.
    """

    name: str
    due: int = 0
    items: tuple[Item, ...] = ()
    silence: bool = False
    late: Literal["run", "skip", "coalesce"] = "run"
    before_close: int | None = None
    label: str = ""
    generation: int | None = None

    @property
    def waits_since(self) -> int | str:
        """The generation, as the scripts take it."""
        return "now" if self.generation is None else self.generation

    def pack(self) -> bytes:
        """As it waits; see timers.lua."""
        before = "" if self.before_close is None else str(self.before_close)
        return f"{self.late[0]}|{before}|{self.label}\n".encode() + b"".join(item.pack() for item in self.items)


@dataclass(frozen=True, slots=True)
class Waits:
    """A follow-up that waits: its name, when it is due, the author's key ("" for none), whether it waits for silence, and its items."""

    name: str
    due: int
    label: str
    silence: bool
    items: tuple[Item, ...]

    @classmethod
    def read(cls, reply: list[bytes]) -> "Waits":
        """Read what `armed` answered."""
        name, due, payload = reply
        line, _, packed = payload.partition(b"\n")
        generation, _, _, label = line.decode().split("|", 3)
        return cls(name.decode(), int(float(due)), label, generation != "", Item.unpack_all(packed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who has a chat from now on: a person (`take`), or the bot again (`back`); `keep` has the turn's event kept for the person.

    `human` is the field as it is stored, `event` the body of the bot's own event that tells its handlers.
    """

    what: Literal["take", "back", "keep"]
    human: bytes = b""
    event: bytes = b""

    def pack(self) -> tuple[bytes | str, ...]:
        """As the scripts take it."""
        return {"take": ("take", self.human, self.event), "back": ("back", self.event), "keep": ("keep",)}[self.what]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a turn wants to make so: fields of the chat, answers, notices to others, follow-ups, what the contact decided, who has the chat.

    `unless_human`: should a person have the chat by then, nothing is said, and the event is kept for them; the fields are set all the same.
    """

    sets: Mapping[str, bytes] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    notices: tuple[Notice, ...] = ()
    timers: tuple[Timer, ...] = ()
    decision: Decision | None = None
    change: Change | None = None
    unless_human: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of a turn. `stale` means that the lease was lost and nothing took effect; then whoever has it now does the work.

    `hushed`: a person has the chat since, and nothing of it was said.
    """

    outcome: Literal["ok", "hushed", "replay", "stale"]
    next: Claimed | None = None
    lane: Lane | None = None
    put_aside: tuple[PutAside, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: an event whose handler failed for good, or a message that could not be sent.

    `tries` is how often it was run or posted, `crashes` how often a process was lost over it, `trace` where its author's code failed.
    """

    id: str
    at: int
    kind: Literal["event", "send"]
    chat: ChatKey
    reason: str
    detail: str
    payload: str
    tries: int = 0
    crashes: int = 0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class ChatView:
    """A chat's fields as they are now, and how much waits."""

    now: int
    fields: Mapping[str, bytes]
    waiting_events: int
    waiting_items: int
    held_items: int


def put_aside(shard: int, notes: list[list[bytes]]) -> tuple[PutAside, ...]:
    """What `note` wrote, of a shard."""
    return tuple(PutAside.read(shard, note) for note in notes)


def pairs(flat: list[bytes]) -> dict[str, bytes]:
    """A flat reply (field, value, field, value) as a mapping."""
    return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
