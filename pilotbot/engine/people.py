"""Who people are and what they decided: aliases, consent, what waits for them (design 3.2, 3.13)."""

import asyncio
import logging
from collections.abc import Sequence

from pilotbot.engine.calls import Calls
from pilotbot.engine.consent import Consents, Decision, Marks
from pilotbot.engine.handover import Handovers
from pilotbot.engine.keys import ChatKey, Keyring, base
from pilotbot.engine.merge import Merges, Move, Rename
from pilotbot.engine.timers import Timers
from pilotbot.engine.traces import Traces
from pilotbot.engine.values import HOUR, PutAside, Terms, Waits
from pilotbot.engine.waiting import lane_settles

log = logging.getLogger(__name__)

ALIAS_KEEP = 400 * 24 * HOUR


class People:
    """What is kept of people, over all their chats; a part of `Engine`."""

    terms: Terms
    timers: Timers
    handovers: Handovers
    consents: Consents
    merges: Merges
    _calls: Calls

    @property
    def keys(self) -> Keyring:
        """The installation's keyring."""
        raise NotImplementedError

    async def lane_settles(self, key: ChatKey, owner: str, patience: float) -> bool:
        """Wait until what a lane had under way is settled: see `waiting.lane_settles`."""
        return await lane_settles(self._calls, key, owner, patience)

    async def decide(self, decision: Decision, *, wait: bool = True) -> None:
        """Enter what a contact decided, tell all their chats, and `wait` for what is being posted there right now, a lease at most."""
        marks = await self.consents.record(decision.person, decision.entry)
        owners = await asyncio.gather(*(self.consents.mark(chat, marks) for chat in decision.chats))
        forbids = wait and decision.entry.mark > 0
        patience = self.terms.lease / 1000
        settled = await asyncio.gather(
            *(self.lane_settles(chat, owner, patience) for chat, owner in zip(decision.chats, owners, strict=True) if owner and forbids)
        )
        if not all(settled):
            log.warning("a contact opted out while a post to them was under way, and it is not known yet what became of it")

    async def follow_ups(self, key: ChatKey) -> list[Waits]:
        """The follow-ups that wait in a chat, the soonest first."""
        return await self.timers.of(key)

    async def kept(self, key: ChatKey, since: int = 0) -> list[bytes]:
        """What was written while a person had, or has, a chat, from `since` (business ms): bodies, the oldest first."""
        return await self.handovers.kept(key, since)

    async def tell_consent(self, chat: ChatKey, marks: Marks) -> None:
        """Tell a chat what its contact decided; an older decision changes nothing."""
        await self.consents.mark(chat, marks)

    async def consent(self, person: ChatKey) -> Marks:
        """What a person decided that holds, by what it is about."""
        return (await self.consents.of(person))[0]

    async def alias(self, address: str) -> str | None:
        """The phone that a BSUID belongs to, or the BSUID of a phone, if it was learned."""
        place = self.keys.alias(address)
        found = await self._calls.command("GET", f"{base(place.shard)}:alias:{place.id}")
        return found.decode() if found else None

    async def learn_alias(self, address: str, phone: str, key: str) -> None:
        """Remember which phone a BSUID belongs to, and which BSUID a phone, by the one `key` of all its spellings."""
        for name, other in ((address, phone), (key, address)):
            place = self.keys.alias(name)
            await self._calls.command("SET", f"{base(place.shard)}:alias:{place.id}", other, "PX", ALIAS_KEEP)

    async def forget_alias(self, *names: str) -> None:
        """Forget what was learned of addresses."""
        for place in map(self.keys.alias, names):
            await self._calls.command("DEL", f"{base(place.shard)}:alias:{place.id}")

    @property
    def traces(self) -> Traces:
        """All that is kept of some chats, to be shown or erased."""
        return Traces(self._calls, self.keys, patience=self.terms.lease / 1000)

    async def moved_to(self, chat: ChatKey) -> ChatKey:
        """Where a chat moved, or the chat itself."""
        found = await self._calls.command("HGET", f"{base(chat.shard)}:chat:{chat.id}", "moved")
        return ChatKey.parse(found.decode()) if found else chat

    async def join(self, one: ChatKey, other: ChatKey, moves: Sequence[Move], rename: Rename) -> tuple[PutAside, ...]:
        """Two addresses turn out to be one person's: what they decided under `one` holds under the `other`, and their chats move.

        What a move has to wait for, upkeep finishes (`Merges.due`). Returns what waited for their silence, and what else was put aside.
        """
        opened = await asyncio.gather(*(self.merges.open(move) for move in moves))
        _, entries = await self.consents.of(one)
        for entry in entries:
            await self.consents.record(other, entry)
        marks, _ = await self.consents.of(other)
        if marks:
            await asyncio.gather(*(self.consents.mark(chat, marks) for move in moves for chat in (move.source, move.target)))
        begun = [move for move, something in zip(moves, opened, strict=True) if something]
        done = await asyncio.gather(*(self.merges.go_on(move, rename) for move in begun))
        return tuple(note for _, notes in done for note in notes)
