"""What Redis holds, compared with what the model says."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import orjson
from redis import Redis

from pilotbot.engine import Item, Place
from pilotbot.engine.keys import base
from tests.engine.model.chat import Chat
from tests.engine.model.things import label

A_MOMENT = 600_000  # ms: more than passes on the real clock while a test runs, less than any figure of the model
BOUNDED = {  # by the work that waits, or by a figure
    "ready", "lease", "owner", "lane:ready", "lane:lease", "lane:owner", "relay", "relay:items", "timers", "timers:payload", "hold:due",
    "unfinished", "unfinished:asked", "dead", "dead:letters", "token", "offset", "waiting",
}  # fmt: skip
OF_EACH = {"mailbox", "lane", "consent"}  # the first two are gone when nothing waits; a ledger is kept for good, 100 entries at most
FOR_EVER = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) == -1 then table.insert(found, key) end
end
return found
"""


def compare(redis: "Redis", shards: int, chats: Sequence[tuple[Place, Chat]], staged: Sequence[int]) -> None:
    """Everything in one round trip; `staged` has the shard of each notice that waits for its relay. Raises AssertionError."""
    asked = redis.pipeline(transaction=False)
    for place, _ in chats:
        _ask_chat(asked, place)
    for shard in range(shards):
        _ask_shard(asked, base(shard))
    asked.eval(FOR_EVER, 0)
    replies: Iterator[Any] = iter(asked.execute())
    for _, chat in chats:
        _chat(chat, *islice(replies, 11))
    for shard in range(shards):
        here = [(place.key.id, chat) for place, chat in chats if place.key.shard == shard]
        _shard(here, staged.count(shard), *islice(replies, 6))
    _nothing_lives_for_ever(next(replies))


def _ask_chat(asked: Any, place: Place) -> None:
    at, c = base(place.key.shard), place.key.id
    for prefix in (f"{at}:", f"{at}:lane:"):
        asked.zscore(f"{prefix}ready", c)
        asked.zscore(f"{prefix}lease", c)
        asked.hget(f"{prefix}owner", c)
    asked.hgetall(f"{at}:chat:{c}")
    asked.zrange(f"{at}:mailbox:{c}", 0, -1, withscores=True)
    asked.lrange(f"{at}:lane:{c}", 0, -1)
    asked.lrange(f"{at}:hold:{c}", 0, -1)
    asked.hkeys(f"{at}:emitted:{c}")


def _chat(
    chat: Chat, ready: float | None, lease: float | None, owner: str | None, lane_ready: float | None, lane_lease: float | None,
    lane_owner: str | None, fields: dict[str, str], mailbox: list[tuple[str, float]], lane: list[str], held: list[str], emitted: list[str],
) -> None:  # fmt: skip
    # I1, I2: a chat with work waits or is leased, never both, and what is leased has an owner.
    for waits, leased, by, work in ((ready, lease, owner, mailbox), (lane_ready, lane_lease, lane_owner, lane)):
        assert (leased is None) == (by is None)
        assert leased is None or waits is None, "both ready and leased"
        assert not work or waits is not None or leased is not None, "something waits and nobody will ever look"
    assert (owner, lane_owner) == (chat.holder, chat.sender)
    assert _near(ready, chat.due)
    assert _near(lane_ready, chat.lane_due)

    # What waits, in its order; and the state is that of all commits, each once (I4, I7).
    members = [(member.split(":", 3), int(at)) for member, at in mailbox]
    events = sorted(chat.waiting, key=lambda event: (event.time, event.seq))
    assert [(int(seq), mark, body, at) for (seq, mark, _, body), at in members] == [
        (event.seq, event.mark + str("" if event.generation is None else event.generation), event.body, event.time) for event in events
    ]
    names = ("count", "generation", "consent", "consent:marketing", "in", "shut")
    known = (len(chat.done), chat.generation, chat.consent, chat.marketing, chat.inbound, chat.shut)
    assert [int(fields.get(name, 0)) for name in names] == [value or 0 for value in known]
    assert set(emitted) == chat.emitted
    blames = {f"{what}:{event.seq:012}": str(times) for event in events for what, times in event.blames.items()}
    assert {name: times for name, times in fields.items() if name.partition(":")[0] in {"crashes", "tries", "errors", ""}} == blames

    # I5: each message is in exactly one place; and a pin is that of the lane's first.
    for items, expected in ((lane, chat.lane), (held, chat.held)):
        assert [label(Item.unpack(item.encode())) for item in items] == [label(item) for item in expected]
    places = [*map(label, chat.lane), *map(label, chat.held), *chat.sent, *chat.aside]
    places += [name for name, letter in chat.dead.items() if isinstance(letter, Item)]
    assert sorted(places) == sorted(chat.said)
    assert fields.get("o:pin") == (chat.pin and chat.pin.variant)
    assert fields.get("o:unknown") == (chat.pin and str(int(not chat.pin.known)))
    assert fields.get("gate", "").partition(" ")[2] == (chat.gate[0] if chat.gate else "")
    assert fields.get("o:opened") == chat.opened
    assert sorted(fields.get("timers", "").split()) == sorted(chat.timers)


def _ask_shard(asked: Any, at: str) -> None:
    asked.zrange(f"{at}:timers", 0, -1, withscores=True)
    asked.hkeys(f"{at}:timers:payload")
    asked.zrange(f"{at}:dead", 0, -1)
    asked.hgetall(f"{at}:dead:letters")
    asked.zcard(f"{at}:relay")
    asked.get(f"{at}:waiting")


def _shard(
    here: list[tuple[str, Chat]], staged: int, timers: list[tuple[str, float]], payloads: list[str], dead: list[str],
    letters: dict[str, str], relay: int, waiting: str | None,
) -> None:  # fmt: skip
    armed = {f"{c}:{name}": one.due for c, chat in here for name, one in chat.timers.items()}
    assert (dict(timers), set(payloads)) == (armed, set(armed))
    assert set(dead) == set(letters)
    found = [orjson.loads(text) for text in letters.values()]
    named = [one["payload"] if one["kind"] == "event" else label(Item.unpack(one["payload"].encode())) for one in found]
    assert sorted(named) == sorted(name for _, chat in here for name in chat.dead)
    assert relay == staged
    assert int(waiting or 0) == sum(len(chat.waiting) for _, chat in here)


def _nothing_lives_for_ever(keys: list[str]) -> None:
    """I8: what has neither a lifetime nor a bound is not there."""
    for key in keys:
        kind = key.partition("}:")[2]
        assert kind in BOUNDED or kind.split(":")[0] in OF_EACH or key == "{pb}:conf", f"{key} lives for ever"


def _near(score: float | None, due: int | None) -> bool:
    if score is None or due is None:
        return (score is None) == (due is None)
    return abs(score - due) < A_MOMENT
