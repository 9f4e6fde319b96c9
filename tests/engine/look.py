"""What Redis holds of a chat and of a shard, as `test_model.py` compares it with the model; and keys that nothing ever removes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from redis import Redis

from pilotbot.engine import Item, Place
from pilotbot.engine.keys import base
from tests.engine.model import Chat, label

A_MOMENT = 600_000  # ms: more than passes on the real clock while a test runs, less than any figure of the model
BOUNDED = {  # by the work that waits, or by a figure
    "ready", "lease", "owner", "lane:ready", "lane:lease", "lane:owner", "relay", "relay:items", "timers", "timers:payload", "hold:due",
    "unfinished", "unfinished:asked", "dead", "dead:letters", "token", "offset", "waiting",
}  # fmt: skip
OF_EACH = {"mailbox", "lane", "consent"}  # mailbox and lane are gone when nothing waits; a ledger is kept for good, 100 entries at most
FOR_EVER = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) == -1 then table.insert(found, key) end
end
return found
"""


@dataclass(frozen=True)
class Look:
    """A chat as Redis has it."""

    ready: float | None
    lease: float | None
    owner: str | None
    lane_ready: float | None
    lane_lease: float | None
    lane_owner: str | None
    fields: dict[str, str]
    mailbox: list[tuple[str, float]]
    lane: list[str]
    held: list[str]
    emitted: list[str]

    @classmethod
    def at(cls, redis: "Redis", places: Iterable[Place]) -> "list[Look]":
        """All of these chats, in one round trip."""
        looks = redis.pipeline(transaction=False)
        for place in places:
            shard, c = base(place.key.shard), place.key.id
            for prefix in (f"{shard}:", f"{shard}:lane:"):
                looks.zscore(f"{prefix}ready", c)
                looks.zscore(f"{prefix}lease", c)
                looks.hget(f"{prefix}owner", c)
            looks.hgetall(f"{shard}:chat:{c}")
            looks.zrange(f"{shard}:mailbox:{c}", 0, -1, withscores=True)
            looks.lrange(f"{shard}:lane:{c}", 0, -1)
            looks.lrange(f"{shard}:hold:{c}", 0, -1)
            looks.hkeys(f"{shard}:emitted:{c}")
        found: list[Any] = looks.execute()
        return [cls(*found[start : start + 11]) for start in range(0, len(found), 11)]

    def says_who_is_busy(self, chat: Chat) -> None:
        """I1, I2: a chat with work waits or is leased, never both, and what is leased has an owner."""
        for ready, lease, owner, work in (
            (self.ready, self.lease, self.owner, self.mailbox),
            (self.lane_ready, self.lane_lease, self.lane_owner, self.lane),
        ):
            assert (lease is None) == (owner is None)
            assert lease is None or ready is None, "both ready and leased"
            assert not work or ready is not None or lease is not None, "something waits and nobody will ever look"
        assert (self.owner, self.lane_owner) == (chat.holder, chat.sender)
        assert _near(self.ready, chat.due)
        assert _near(self.lane_ready, chat.lane_due)

    def keeps_what_came(self, chat: Chat) -> None:
        """What waits, in its order, and what was made of the rest: the state is that of all commits, each once (I4, I7)."""
        members = [(member.split(":", 3), int(score)) for member, score in self.mailbox]
        events = sorted(chat.waiting, key=lambda event: (event.time, event.seq))
        assert [(int(seq), mark, body, at) for (seq, mark, _, body), at in members] == [
            (event.seq, event.mark, event.body, event.time) for event in events
        ]
        names = ("count", "generation", "consent", "in", "shut")
        known = (len(chat.done), chat.generation, chat.consent, chat.inbound, chat.shut)
        assert [int(self.fields.get(name, 0)) for name in names] == [value or 0 for value in known]
        assert set(self.emitted) == chat.emitted
        assert sorted(self.fields.get("timers", "").split()) == sorted(chat.timers)

    def keeps_what_was_said(self, chat: Chat) -> None:
        """Each message is in one place (I5), and a pin is that of the first, chosen before and never forgotten."""
        for items, expected in ((self.lane, chat.lane), (self.held, chat.held)):
            assert [label(Item.unpack(item.encode())) for item in items] == [label(item) for item in expected]
        places = [*map(label, chat.lane), *map(label, chat.held), *chat.sent, *chat.aside]
        places += [name for name, letter in chat.dead.items() if isinstance(letter, Item)]
        assert sorted(places) == sorted(chat.said), "each message is in exactly one place"
        pin = chat.pin
        assert self.fields.get("o:pin") == (pin and pin.variant)
        assert self.fields.get("o:unknown") == (pin and str(int(not pin.known)))


def timers(redis: "Redis", shard: int) -> tuple[dict[str, float], set[str]]:
    """The index of follow-ups, and those that have a payload."""
    at = base(shard)
    index: Any = redis.zrange(f"{at}:timers", 0, -1, withscores=True)
    payloads: Any = redis.hkeys(f"{at}:timers:payload")
    return dict(index), set(payloads)


def letters(redis: "Redis", shard: int) -> list[str]:
    """What is among the dead letters: the event or the message of each."""
    found: Any = redis.hgetall(f"{base(shard)}:dead:letters")
    assert set(found) == set(redis.zrange(f"{base(shard)}:dead", 0, -1))  # type: ignore[arg-type]
    read = [orjson.loads(text) for text in found.values()]
    return sorted(one["payload"] if one["kind"] == "event" else label(Item.unpack(one["payload"].encode())) for one in read)


def keys_for_ever(redis: "Redis") -> set[str]:
    """Keys that have neither a lifetime nor a bound (I8)."""
    found: Any = redis.eval(FOR_EVER, 0)
    kinds = {key: key.partition("}:")[2] for key in found}
    return {key for key, kind in kinds.items() if kind not in BOUNDED and kind.split(":")[0] not in OF_EACH and key != "{pb}:conf"}


def _near(score: float | None, due: int | None) -> bool:
    if score is None or due is None:
        return (score is None) == (due is None)
    return abs(score - due) < A_MOMENT
