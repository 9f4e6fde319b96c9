"""The outbox: what is said from outside a turn, through the same lanes as answers (design section 2: there is no side door)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from pilotbot.context import Contact, FollowUp, Late, Outcome
from pilotbot.engine import Consent, Engine, Scope, Timer, derived_id
from pilotbot.replies import Planned, Policy, Saying, Skipped
from pilotbot.server import followups
from pilotbot.server.direct import Direct
from pilotbot.server.forgetting import forget
from pilotbot.server.handover import give_back, take
from pilotbot.server.recipients import HUMAN, check_consent, compose, contact_address, decision, whom
from pilotbot.server.saying import Numbers


class LaneOutbox:
    """Puts messages in lanes from outside a turn: the same lanes as answers (design section 2: there is no side door).

    `wake` tells the sender, where there is one in this process, of a shard that has work. `direct` cancels what waits at the platform.
    """

    def __init__(
        self, engine: Engine, numbers: Numbers, *, policy: Policy, wake: Callable[[int], None] | None = None, direct: Direct | None = None
    ) -> None:  # fmt: skip
        self._engine = engine
        self._wake = wake
        self._numbers = numbers
        self._policy = policy
        self._direct = direct or Direct(engine, {})

    async def notify(self, who: str | Contact, saying: Saying, *, key: str, number: str | None) -> Outcome:
        """Put a message in a chat's lane, once per key."""
        notice, outcome = await compose(
            self._engine, self._numbers.pick(number), who, saying, occasion=derived_id("notify", key), policy=self._policy,
            templates=self._numbers.templates,
        )  # fmt: skip
        if notice is None:
            return outcome
        taken, _ = await self._engine.enqueue(notice)
        if taken == "full":
            return Skipped("too many messages wait for this contact", failed=True)
        if self._wake is not None:
            self._wake(notice.place.key.shard)
        return outcome if taken == "ok" else Skipped("a message with this key was taken before")

    async def follow_up(
        self, who: str | Contact, when: timedelta | datetime | None, saying: Saying, *, before_window_closes: timedelta | None,
        unless_replied: bool, key: str, if_late: Late, number: str | None,
    ) -> Planned | Skipped:  # fmt: skip
        """Set a follow-up in any chat, in place of one with the same key."""
        target = await whom(self._engine, self._numbers.pick(number), who)
        if target.human is not None:
            return Skipped(HUMAN)
        followups.check_delivery(saying.delivery)
        followups.check_target(target.place.kind, unless_replied=unless_replied, before_window_closes=before_window_closes)
        due = followups.due_at(when, before_window_closes, now=target.now, last_inbound=target.last_inbound, terms=self._engine.terms)
        if due is None:
            return Skipped(followups.NO_WINDOW)
        chat = target.place.key
        said = target.say(saying, occasion=derived_id("follow-up", key), policy=self._policy, templates=self._numbers.templates, due=due)
        if said.withheld and isinstance(said.outcome, Skipped):
            return said.outcome
        made = followups.timer(
            said.items, chat=chat.id, key=key, occasion="", due=due, unless_replied=unless_replied, if_late=if_late,
            generation=target.generation, before_window_closes=before_window_closes,
        )  # fmt: skip
        (done,) = await self._engine.timers.set(chat.shard, [(target.place, made)])
        return followups.planned(made) if done else followups.skipped_full()

    async def consent(self, who: str | Contact, what: Literal["out", "in"], evidence: str, purpose: Scope) -> None:
        """Enter what somebody decided, for all our numbers."""
        check_consent(evidence, purpose)
        to = contact_address(who)
        now = (await self._engine.chat(self._engine.keys.chat("", to))).now
        entry = Consent(what=what, at=now, source="app", evidence=evidence, purpose=purpose)
        await self._engine.decide(await decision(self._engine, self._numbers, to, entry))

    async def forget(self, who: str | Contact) -> None:
        """Erase what is kept of somebody."""
        await forget(self._engine, self._numbers, who)

    async def cancel(self, name: str) -> bool:
        """Take a message back; see `Direct.cancel`."""
        return await self._direct.cancel(name)

    async def follow_ups(self, who: str | Contact, number: str | None) -> list[FollowUp]:
        """What waits in a chat, the soonest first."""
        target = await whom(self._engine, self._numbers.pick(number), who)
        return [followups.seen(waits) for waits in await self._engine.follow_ups(target.place.key)]

    async def cancel_follow_ups(self, who: str | Contact, key: str | None, number: str | None) -> int:
        """End the follow-up with a key, or named so by `follow_ups`; all of the chat without one. Returns how many there were."""
        target = await whom(self._engine, self._numbers.pick(number), who)
        waiting = await self._engine.follow_ups(target.place.key)
        ended = [(target.place, Timer(name=waits.name)) for waits in waiting if key in {None, waits.label or waits.name}]
        return sum(await self._engine.timers.set(target.place.key.shard, ended)) if ended else 0

    async def handover(self, who: str | Contact, how_long: timedelta, *, queue: str, note: str, number: str | None) -> bool:
        """Give a chat to a person. False where one has it already: until when, and the note, are then as given here."""
        target = await whom(self._engine, self._numbers.pick(number), who)
        taken, _ = await take(self._engine, target.place, how_long, queue=queue, note=note, by="operator")
        return taken

    async def hand_back(self, who: str | Contact, number: str | None) -> bool:
        """Give a chat back to the bot. False where it has it."""
        target = await whom(self._engine, self._numbers.pick(number), who)
        return await give_back(self._engine, target.place.key, "operator")
