"""Who people are and what they decided: aliases, consent, what waits for them (design 3.2, 3.13)."""

import asyncio
import logging
import time
from collections.abc import Sequence

from pilotbot.engine.calls import Calls
from pilotbot.engine.consent import Consents, Decision
from pilotbot.engine.keys import ChatKey, Keyring, base
from pilotbot.engine.timers import Timers
from pilotbot.engine.values import HOUR, PutAside, Terms, Waits, put_aside

log = logging.getLogger(__name__)

ALIAS_KEEP = 400 * 24 * HOUR


class People:
    """What is kept of people, over all their chats; a part of `Engine`."""

    terms: Terms
    timers: Timers
    consents: Consents
    _calls: Calls

    @property
    def keys(self) -> Keyring:
        """The installation's keyring."""
        raise NotImplementedError

    async def lane_settles(self, key: ChatKey, owner: str, patience: float) -> bool:
        """Wait until what a lane had under way for this owner is settled. False where it still is, after `patience` seconds."""
        until = time.monotonic() + patience
        while (found := await self._calls.command("HGET", f"{base(key.shard)}:lane:owner", key.id)) and found.decode() == owner:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.005)
        return True

    async def decide(self, decision: Decision) -> None:
        """Enter what a contact decided, tell all their chats, and wait for what is being posted there right now, a lease at most."""
        mark = await self.consents.record(decision.person, decision.entry)
        owners = await asyncio.gather(*(self.consents.mark(chat, mark) for chat in decision.chats))
        patience = self.terms.lease / 1000
        settled = await asyncio.gather(
            *(self.lane_settles(chat, owner, patience) for chat, owner in zip(decision.chats, owners, strict=True) if owner and mark > 0)
        )
        if not all(settled):
            log.warning("a contact opted out while a post to them was under way, and it is not known yet what became of it")

    async def follow_ups(self, key: ChatKey) -> list[Waits]:
        """The follow-ups that wait in a chat, the soonest first."""
        return await self.timers.of(key)

    async def tell_consent(self, chat: ChatKey, mark: int) -> None:
        """Tell a chat what its contact decided; an older decision changes nothing."""
        await self.consents.mark(chat, mark)

    async def consent(self, person: ChatKey) -> int:
        """What a person decided: when they opted out, in ms; negative where they opted in, 0 where nothing is known."""
        return (await self.consents.of(person))[0]

    async def alias(self, address: str) -> str | None:
        """The phone that a BSUID belongs to, or the BSUID of a phone, if it was learned."""
        place = self.keys.alias(address)
        found = await self._calls.command("GET", f"{base(place.shard)}:alias:{place.id}")
        return found.decode() if found else None

    async def learn_alias(self, address: str, phone: str) -> None:
        """Remember which phone a BSUID belongs to, and which BSUID a phone."""
        for name, other in ((address, phone), (phone, address)):
            place = self.keys.alias(name)
            await self._calls.command("SET", f"{base(place.shard)}:alias:{place.id}", other, "PX", ALIAS_KEEP)

    async def join(self, one: ChatKey, other: ChatKey, chats: Sequence[ChatKey], gone: Sequence[ChatKey]) -> tuple[PutAside, ...]:
        """Two addresses turn out to be one person's: what they decided under `one` holds under the `other` and in all `chats`.

        `gone` are the chats of the address that is not used any more; what waited there for silence is over, since they wrote elsewhere.
        """
        _, entries = await self.consents.of(one)
        for entry in entries:
            await self.consents.record(other, entry)
        mark, _ = await self.consents.of(other)
        if mark:
            await asyncio.gather(*(self.consents.mark(chat, mark) for chat in chats))
        notes = await asyncio.gather(*(self._calls.script("overtake", chat.shard, chat.id) for chat in gone))
        return tuple(note for chat, found in zip(gone, notes, strict=True) for note in put_aside(chat.shard, found))
