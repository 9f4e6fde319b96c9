"""The engine: every step of a message's way through Redis, one method a step, one script a method.

It knows bytes and keys; what is in them is the business of those who call. A method that changes something is safe to repeat, and is
repeated through short absences of Redis for `patience` seconds; after that it raises `Away`.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from redis.exceptions import RedisError

from pilotbot.engine.batch import Argument
from pilotbot.engine.calls import Away, Calls
from pilotbot.engine.checkup import Checkup
from pilotbot.engine.consent import Consents
from pilotbot.engine.handover import Handovers
from pilotbot.engine.items import Item
from pilotbot.engine.keys import ChatKey, Keyring, base, compact
from pilotbot.engine.letters import DeadLetters
from pilotbot.engine.merge import Merges
from pilotbot.engine.pauses import Pauses
from pilotbot.engine.people import People
from pilotbot.engine.records import Records
from pilotbot.engine.schedules import Schedules
from pilotbot.engine.scripts import PARTS, script
from pilotbot.engine.seen import Seen
from pilotbot.engine.timers import Timers
from pilotbot.engine.values import (
    HOUR,
    Accepted,
    Arrival,
    ChatView,
    Claimed,
    Effects,
    Lane,
    Notice,
    Place,
    PutAside,
    Settled,
    Terms,
    pairs,
    put_aside,
)
from pilotbot.engine.waiting import Waiting

log = logging.getLogger(__name__)

LAYOUT = 3  # of what is kept: another one is not read
REMEMBER_KEYS = 30 * 24 * HOUR
MOVES_MOST = 4  # of a chat, one after the other
LAST_WORD = 2.0  # seconds that Redis has at the end to take leases back
T = TypeVar("T")


class Mismatch(Exception):
    """The Redis at hand was set up with other figures than these settings: starting would mix up its keys."""


class Engine(DeadLetters, Pauses, People, Waiting, Records):
    """Redis, as the rest of the framework sees it.

    `url` is a redis-py URL (`unix:///path` for the embedded server), or gives it anew for each connection. `restore` is awaited before
    each new try after the connection was lost, to bring an embedded server back. `worker` is this process's own name, in its tokens.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        *,
        shards: int,
        terms: Terms | None = None,
        restore: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.terms = terms or Terms()
        self.shards = shards
        self.worker = secrets.token_hex(6)
        self._lane_terms = self.terms.lane(self.worker, shards)
        self._calls = Calls(url, patience=self.terms.patience / 1000, restore=restore)
        self.checkup = Checkup(self._calls)
        self.timers = Timers(self._calls, self.terms)
        self.handovers = Handovers(self._calls)
        self.schedules = Schedules(self._calls)
        self.consents = Consents(self._calls)
        self.merges = Merges(self._calls, self.terms)
        self.seen = Seen(self._calls)
        self._keys: Keyring | None = None
        self._pepper = b""
        self._calls.came_back = self.recognise

    @property
    def losses(self) -> int:
        """How often replies of Redis were lost: leases may be ours that nobody here knows of."""
        return self._calls.losses

    @property
    def keys(self) -> Keyring:
        """The installation's keyring. Raises RuntimeError before `open`."""
        if self._keys is None:
            raise RuntimeError("the engine is not open: await engine.open() first")
        return self._keys

    async def open(self) -> None:
        """Connect, load the scripts, and read (or make) the installation's pepper and number of shards.

        Raises Away where Redis does not answer, Mismatch where it was set up with another number of shards, or by a version
        that kept things otherwise.
        """
        await self._calls.command("HSETNX", "{pb}:conf", "pepper", secrets.token_hex(16))
        if not await self._calls.command("HEXISTS", "{pb}:conf", "shards"):
            await self._calls.command("HSETNX", "{pb}:conf", "layout", LAYOUT)  # before the shards, by which others see that it is set up
        await self._calls.command("HSETNX", "{pb}:conf", "shards", self.shards)
        pepper, shards, layout = await self._calls.command("HMGET", "{pb}:conf", "pepper", "shards", "layout")
        if int(shards) != self.shards:
            raise Mismatch(
                f"PILOTBOT_SHARDS is {self.shards}, but this Redis was set up with {int(shards)}: set it to {int(shards)}, "
                "or use an empty database"
            )
        if int(layout or 0) != LAYOUT:
            raise Mismatch("another version of pilotbot set up this Redis, and kept things otherwise: use that, or an empty database")
        self._keys = Keyring(bytes.fromhex(pepper.decode()), self.shards)
        self._pepper = pepper
        await self.load_scripts()

    async def recognise(self) -> None:
        """See to it that this Redis is still the one that was opened: one that came back empty is set up as before.

        Raises Away, from now on at every call, where another process has set it up anew meanwhile: chats have other names there, and
        whoever goes on with the old ones would handle twice and overlook what was decided. Only a new start helps.
        """
        await self._calls.command("HSETNX", "{pb}:conf", "pepper", self._pepper)
        if await self._calls.command("HGET", "{pb}:conf", "pepper") != self._pepper:
            log.critical("Redis lost what it held, and another process has set it up anew: this one must be started again")
            self._calls.estrange("this Redis was set up anew by another process: start this one again")
        await self._calls.command("HSETNX", "{pb}:conf", "layout", LAYOUT)
        await self._calls.command("HSETNX", "{pb}:conf", "shards", self.shards)

    async def load_scripts(self) -> None:
        """Make every script known to Redis, so that the first message does not pay for it."""
        for name in PARTS:
            await self._calls.command("SCRIPT", "LOAD", script(name).source)

    async def ready(self) -> bool:
        """Whether Redis answers, is the one that was opened, and knows all scripts. Raises Away as `recognise`."""
        await self.recognise()
        known = await self._calls.once("SCRIPT", "EXISTS", *(script(name).sha for name in PARTS))
        return all(known)

    def abandon(self) -> None:
        """Say nothing more to Redis, as a process that is killed: leases stay as they are until they run out. For tests of that."""
        self._calls.abandon()

    async def close(self) -> None:
        """Give all leases of this process back, and disconnect."""
        try:
            if self._keys is not None:
                with contextlib.suppress(Away, RedisError, TimeoutError):  # then the leases run out by themselves
                    async with asyncio.timeout(LAST_WORD):
                        await asyncio.gather(
                            *(self._calls.script_once("let_go", shard, self.worker, "both") for shard in range(self.shards))
                        )
        finally:
            await self._calls.close()

    # --- in ---------------------------------------------------------------------------------------------------------------------

    async def accept(self, arrival: Arrival) -> Accepted:
        """Keep an event (design: accept). Only after this returns may the webhook be answered 200."""
        place = arrival.place
        reply: list[Any] = [b"moved", 0, 0, [], str(place.key).encode(), 0]
        for _ in range(MOVES_MOST):  # a chat that moved takes nothing in
            if reply[0] == b"moved":
                place = replace(place, key=ChatKey.parse(reply[4].decode()))
                reply = await self._accept(arrival, place)
        if reply[0] == b"moved":
            raise LookupError(f"a chat moved more than {MOVES_MOST} times: {place.key}")
        return Accepted(
            reply[0].decode(), bool(reply[1]), bool(reply[2]), put_aside(place.key.shard, reply[3]), reply[4].decode(), bool(reply[5]),
            place.key,
        )  # fmt: skip

    async def _accept(self, arrival: Arrival, place: Place) -> list[Any]:
        terms = self.terms
        found: list[Any] = await self._calls.script(
            "accept", place.key.shard, place.key.id, compact(self.keys.digest(arrival.id)),
            compact(self.keys.digest(f"m\0{arrival.message_id}")) if arrival.message_id else "",
            "" if arrival.at is None else arrival.at, arrival.mark, arrival.body, int(arrival.opens_window), terms.depth,
            terms.open_for, place.number, place.kind, place.address, arrival.name, terms.old_after if arrival.ages else 0,
            int(arrival.keep_old), int(arrival.note_only), max(terms.high_water // self.shards, 1), terms.contact_gap,
            terms.contact_gap * terms.contact_burst,
        )  # fmt: skip
        return found

    async def claim(self, shard: int, most: int, *, reap: bool = True) -> list[Claimed]:
        """Lease up to `most` chats of a shard that have work; `reap` takes back what others leased and lost.

        Not repeated: a lost reply costs a lease, which `let_go` heals.
        """
        reply = await self._calls.script_once("claim", shard, self.worker, most, self.terms.lease, int(reap))
        return [Claimed.read(shard, one) for one in reply]

    async def commit(self, turn: Claimed, effects: Effects, *, keep: bool, send: bool) -> Settled:
        """Make a turn's effects so and remove its event, in one step; `keep` leases the chat's next event, `send` its lane.

        What a contact decided holds before that, in all their chats, and nothing is under way in them that it forbids.
        """
        if effects.decision is not None:
            owner = await self._calls.command("HGET", f"{base(turn.key.shard)}:owner", turn.key.id)
            if owner != turn.token.encode():
                return Settled("stale")  # nothing that was decided here counts
            await self.decide(effects.decision)
        arguments: list[Argument] = [
            turn.key.id, turn.token, turn.seq, turn.score, int(keep), self.terms.lease, self._lane_terms, int(send),
            len(effects.sets), len(effects.items), len(effects.notices), len(effects.timers), int(effects.unless_human),
        ]  # fmt: skip
        for name, value in effects.sets.items():
            arguments += (name, value)
        arguments += (item.pack() for item in effects.items)
        for notice in effects.notices:
            arguments += (notice.id, notice.pack())
        for timer in effects.timers:
            arguments += (timer.name, timer.due if timer.items else "", timer.waits_since if timer.silence else "", timer.pack())
        if effects.change is not None:
            arguments += effects.change.pack()
        reply = await self._calls.script("commit", turn.key.shard, *arguments)
        return self._settled(turn.key.shard, reply)

    async def retry(self, turn: Claimed, delay: int, *, counts_as: Literal["tries", "errors", ""] = "tries") -> Settled:
        """Put a turn's event back, to be tried again after `delay` ms, before anything newer of its chat. "": it was not tried."""
        reply = await self._calls.script(
            "fail", turn.key.shard, turn.key.id, turn.token, turn.seq, turn.score, "retry", delay, counts_as, "", 0, 0, 0
        )
        return Settled(reply[0].decode())

    async def emit(
        self, turn: Claimed, ordinal: str, item: Item, *, unless_human: bool = False
    ) -> tuple[str, Lane | None, tuple[PutAside, ...]]:  # fmt: skip
        """Send before the commit, once per ordinal of the event, if the lease still holds (design section 3.7).

        `unless_human`: not where a person has the chat by now, which is "hushed" then.
        """
        reply = await self._calls.script(
            "emit", turn.key.shard, turn.key.id, turn.token, ordinal, item.pack(), self._lane_terms, int(unless_human)
        )
        return reply[0].decode(), self._lane(turn.key.shard, reply[1]), put_aside(turn.key.shard, reply[2])

    # --- out --------------------------------------------------------------------------------------------------------------------

    async def enqueue(self, notice: Notice, *, bury: bool = False) -> tuple[Literal["ok", "dup", "full"], tuple[PutAside, ...]]:
        """Put a content in a chat's lane from outside a turn, whole and once; `bury` it where the lane is full, lest it be lost."""
        place = notice.place
        outcome, notes = await self._calls.script(
            "enqueue", place.key.shard, place.key.id, REMEMBER_KEYS, place.number, place.kind, place.address, int(bury),
            *(item.pack() for item in notice.items),
        )  # fmt: skip
        return outcome.decode(), put_aside(place.key.shard, notes)

    async def relay(self, notices: Sequence[Notice], shard: int) -> tuple[PutAside, ...]:
        """Move notices that a commit of this shard staged to their own lanes, then forget them here."""
        taken = await asyncio.gather(*(self.enqueue(notice, bury=True) for notice in notices))
        if notices:
            await self._calls.script("relay", shard, "done", *(notice.id for notice in notices))
        return tuple(note for _, notes in taken for note in notes)

    async def relay_leftovers(self, shard: int, *, older_than: int = 5_000, most: int = 50) -> tuple[list[Notice], tuple[PutAside, ...]]:
        """Relay what a process that died left staged. `older_than` is in ms."""
        flat = await self._calls.script("relay", shard, "due", older_than, most)
        notices = [Notice.unpack(payload) for payload in flat[1::2]]
        return notices, await self.relay(notices, shard)

    async def sweep(self, shard: int, most: int = 50) -> tuple[PutAside, ...]:
        """Bury what waited too long for contacts to write."""
        return put_aside(shard, await self._calls.script("sweep", shard, most))

    async def claim_lanes(self, shard: int, most: int, *, reap: bool = True) -> tuple[list[Lane], tuple[PutAside, ...]]:
        """Lease up to `most` lanes of a shard that are due. Not repeated, as `claim`."""
        leases, notes = await self._calls.script_once("claim_lanes", shard, self._lane_terms, most, int(reap))
        return [Lane.read(shard, lease) for lease in leases], put_aside(shard, notes)

    async def sent(self, lane: Lane, platform_id: str = "", *, reported: bool = False) -> Settled:
        """Remove a lane's first item, which the platform took, and lease the next; where it leads and was not `reported`, not yet."""
        wait = self.terms.sequence_wait if lane.item.leads and not reported else 0
        reply = await self._calls.script("sent", lane.key.shard, lane.key.id, lane.token, lane.item.id, self._lane_terms, wait, platform_id)
        return Settled(reply[0].decode(), None, self._lane(lane.key.shard, reply[1]), put_aside(lane.key.shard, reply[2]))

    async def unsent(
        self, lane: Lane, verdict: Literal["unposted", "retry", "again", "drop", "dead"], *, delay: int = 0, unknown: bool = False,
        reason: str = "", detail: str = "", posts: int = 0,
    ) -> str:  # fmt: skip
        """Say that a lane's first item did not go: post it again in `delay` ms, decide it again, or put it with the dead letters.

        `unposted` counts as no try and says nothing new of the outcome. `posts` is for the letter: how often it was posted.
        """
        reply = await self._calls.script(
            "unsent", lane.key.shard, lane.key.id, lane.token, lane.item.id, verdict, delay, int(unknown), reason, detail, posts
        )
        return str(reply, "utf-8")

    # --- upkeep -----------------------------------------------------------------------------------------------------------------

    async def renew(self, shard: int, turns: Sequence[tuple[str, str]], lanes: Sequence[tuple[str, str]]) -> set[str]:
        """Prolong leases, given as (chat, token). Returns the tokens that were lost."""
        arguments = [part for pair in turns for part in pair] + ["-"] + [part for pair in lanes for part in pair]
        return {one.decode() for one in await self._calls.script("renew", shard, self.terms.lease, *arguments)}

    async def let_go(self, shard: int, what: Literal["mailbox", "lane", "both"], keep: Sequence[str] = ()) -> int:
        """Give back this process's leases but those in `keep` (tokens): claims whose reply was lost."""
        return int(await self._calls.script("let_go", shard, self.worker, what, *keep))

    async def advance(self, offset: int) -> int:
        """Move business time to `offset` ms ahead of Redis's clock, forward only. Returns the offset that holds now."""
        replies = await asyncio.gather(*(self._calls.script("advance", shard, offset) for shard in range(self.shards)))
        return max(int(reply[0]) for reply in replies)

    async def chat(self, key: ChatKey) -> ChatView:
        """A chat as it is now."""
        now, flat, events, items, held = await self._calls.script("chat", key.shard, key.id)
        return ChatView(int(now), pairs(flat), events, items, held)

    async def busy(self) -> int:
        """How many chats and lanes have work that waits or runs."""
        names = ("ready", "lease", "lane:ready", "lane:lease", "relay")
        counts = await asyncio.gather(
            *(self._calls.command("ZCARD", f"{base(shard)}:{name}") for shard in range(self.shards) for name in names)
        )
        return sum(counts)

    async def remember(self, name: str, value: bytes) -> None:
        """Keep a small thing of the whole installation, such as the last catalogue of templates."""
        await self._calls.command("HSET", "{pb}:conf", name, value)

    async def recall(self, name: str) -> bytes | None:
        """What `remember` kept."""
        found: bytes | None = await self._calls.command("HGET", "{pb}:conf", name)
        return found

    def _lane(self, shard: int, reply: list[bytes] | None) -> Lane | None:
        return Lane.read(shard, reply) if reply else None
