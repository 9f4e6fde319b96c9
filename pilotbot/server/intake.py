"""The way in: an event from the wire to its chat's mailbox, or to where else it belongs (design: accept, and section 3.8).

After `take` returns, whatever must survive is in Redis. It raises `Away` when that cannot be had, and nothing was promised.
"""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pilotbot import events
from pilotbot.contacts import Decided, OptOut, Scope, canonical
from pilotbot.engine import HOUR, Accepted, Arrival, ChatKey, ChatKind, Consent, Engine, Place, PutAside, Record
from pilotbot.platform import FailureFamily, failure_family
from pilotbot.server.recipients import decision, joined, known_as
from pilotbot.server.saying import Numbers
from pilotbot.settings import NumberSettings

log = logging.getLogger(__name__)

LEARNED = 10_000  # aliases that this process knows it has told Redis
FLOODING = 1_000  # contacts that this process knows to write too fast
FLOODING_MOST = 1.0  # seconds that it goes by that without asking Redis
AGAIN_WITHIN = 8 * 24 * HOUR  # ms after it was taken: the platform gives up what it never tried after seven days
SLOW_FOR = 10 * 60_000  # ms that a chat is sent to by its pace alone, after WhatsApp limited the rate to it
PATIENCE = 1.5  # seconds that a contact's message waits for what is being posted just then

Outcome = Literal[
    "ok", "dup", "replaced", "old", "noted", "stale", "forgotten", "full", "busy", "flood", "under-way", "echo", "status", "clock",
    "other-number", "provider", "unknown", "no-handler",
]  # fmt: skip
AGAIN: Mapping[str, tuple[str, int]] = {
    "full": ("too many events of this chat wait", 5),
    "busy": ("too many events wait in all", 5),
    "flood": ("this contact writes too fast", 10),
    "under-way": ("it is kept, and what it forbids is just being posted", 1),
}
"""Outcomes that the webhook is to be delivered again for: why, and after how many seconds."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Whom to tell: that there is work, by shard (only a hint: polling is the truth), and what was put aside."""

    mailbox: Callable[[int], None]
    lane: Callable[[int], None]
    put_aside: Callable[[tuple[PutAside, ...]], None]


class Intake:
    """Takes events in for the configured numbers.

    `wants` says whether the bot has a handler for an event that is not a message, so that what nobody handles costs no mailbox;
    `wants_stale` whether it has one for messages that came too late to be answered. `opt_out` has the words that opt out. `follow_clock`
    says whether a sandbox may move business time; `clock_moved` is awaited once it did, before that is acknowledged. `echo` is told of
    messages that our number wrote, `health` of what happens to it.
    """

    def __init__(
        self,
        engine: Engine,
        numbers: Sequence[NumberSettings],
        tell: Tell,
        *,
        wants: Callable[[events.Event], bool],
        wants_stale: bool = False,
        opt_out: OptOut | None = None,
        follow_clock: bool,
        counts: Counter[str],
        clock_moved: Callable[[], Awaitable[None]] | None = None,
        echo: Callable[[events.Inbound, bytes, NumberSettings], Awaitable[None]] | None = None,
        health: Callable[[events.Number, NumberSettings], Awaitable[None]] | None = None,
    ) -> None:
        self._engine = engine
        self._numbers = numbers
        self._to = tell
        self._wants = wants
        self._wants_stale = wants_stale
        self._opt_out = opt_out
        self._names = Numbers(numbers)
        self._follow_clock = follow_clock
        self._counts = counts
        self._clock_moved = clock_moved
        self._echo = echo
        self._health = health
        self._learned: dict[str, str] = {}
        self._flooding: dict[ChatKey, float] = {}
        self._flooding_for = min(engine.terms.contact_gap / 1000, FLOODING_MOST)

    async def take(self, event: events.Event, raw: bytes, *, note_only: bool = False) -> Outcome:
        """Take one event in. `raw` is the body as it came. `note_only`: a message whose content is hidden, which only moves the window."""
        outcome = await self._take(event, raw, note_only=note_only)
        self._counts[f"{event.name if not isinstance(event, events.Unknown) else 'unknown'}:{outcome}"] += 1
        return outcome

    async def _take(self, event: events.Event, raw: bytes, *, note_only: bool) -> Outcome:
        match event:
            case events.Clock():
                return await self._clock(event)
            case events.Unknown() | events.PhoneLine() | events.Inspect():
                return "unknown"
            case events.ScheduledRun() | events.HandedOver() | events.HandedBack() | events.Alert():  # these are never of others
                return "unknown"
            case events.Provider():
                return "provider"
        number = called(self._numbers, event) if isinstance(event, events.Call) else number_of(self._numbers, event.number_id)
        if number is None:
            return "other-number"
        if isinstance(event, events.Status):
            return await self._status(event, raw, number)
        if isinstance(event, events.Inbound) and event.from_me:
            return await self._hear(event, raw, number)
        await self._note(event, number)
        if not isinstance(event, events.Inbound) and not self._wants(event):
            return "no-handler"
        return await self._keep(event, raw, number, note_only=note_only)

    async def _note(self, event: events.Event, number: NumberSettings) -> None:
        """What counts whether or not there is a handler for it."""
        if isinstance(event, events.Number) and self._health is not None:
            await self._health(event, number)
        if isinstance(event, events.Lead):
            await self._consented(event)

    async def _hear(self, event: events.Inbound, raw: bytes, number: NumberSettings) -> Outcome:
        """What our own number wrote says nothing of a contact, but maybe that a person has the chat."""
        if self._echo is not None:
            await self._echo(event, raw, number)
        return "echo"

    async def _clock(self, event: events.Clock) -> Outcome:
        if self._follow_clock:
            await self._engine.advance(event.offset)
            self._flooding.clear()
            if self._clock_moved is not None:
                await self._clock_moved()
            for shard in range(self._engine.shards):
                self._to.mailbox(shard)
                self._to.lane(shard)
        return "clock"

    async def _keep(self, event: events.Event, raw: bytes, number: NumberSettings, *, note_only: bool = False) -> Outcome:
        kind, address = chat_of(event)
        known = address
        if kind == "contact" and address:
            known = await self._person(event, address)
        place = Place(key=self._engine.keys.chat(number.name, canonical(known)), number=number.name, kind=kind, address=address)
        inbound = event if isinstance(event, events.Inbound) else None
        messages = isinstance(event, events.Received | events.Reply) and inbound is not None and inbound.type != "reaction"
        opts_out = self._opts_out(event) if messages else None
        if messages and self._flooding and self._flooding.get(place.key, 0.0) > time.monotonic():
            return "flood"
        result = await self._engine.accept(
            Arrival(
                place=place,
                id=event.id if inbound else f"{event.name}:{event.id}",
                message_id=(inbound.message_id or "") if inbound else "",
                at=event.at,
                mark=_mark(event),
                body=raw,
                name=(inbound.sender_name or "") if inbound and kind == "contact" else "",
                opens_window=messages,
                ages=inbound is not None,
                keep_old=self._wants_stale or opts_out is not None,
                note_only=note_only,
            )
        )
        chat = result.key or place.key
        if result.outcome == "flood":
            self._floods(place.key)
        self._tell(chat.shard, result)
        if result.first and kind == "contact":
            await self._new(event, address)
        self._to.put_aside(result.put_aside)
        # Told again, it was maybe not entered before this process or Redis was lost; the same entry changes nothing.
        if opts_out is not None and (result.outcome in {"ok", "replaced"} or (result.outcome == "dup" and event.at is not None)):
            await self._decide_now(event, place, opts_out.purpose)
        if result.under_way and not await self._engine.lane_settles(chat, result.under_way, PATIENCE):
            return "under-way"
        return result.outcome

    def _opts_out(self, event: events.Event) -> Decided | None:
        """What a message decides that is nothing but a word that opts out."""
        if self._opt_out is None or not isinstance(event, events.Received | events.Reply) or event.tap is not None:
            return None
        return self._opt_out.decided(event.text, opted_out=())

    async def _decide_now(self, event: events.Event, place: Place, purpose: Scope) -> None:
        """An opt-out holds from when it is accepted, whatever it waits behind.

        Its turn confirms it, once what is just being posted is settled: the webhook does not wait for that.
        """
        now = (await self._engine.chat(place.key)).now
        text = event.text if isinstance(event, events.Inbound) else ""
        entry = Consent(what="out", at=min(event.at or now, now), source="word", evidence=text, event=event.id, purpose=purpose)
        await self._engine.decide(await decision(self._engine, self._names, place.address, entry), wait=False)

    async def _consented(self, lead: events.Lead) -> None:
        """Who said yes in a form of an advertisement has opted in to marketing."""
        if lead.consent_given is not True or not lead.phone or lead.at is None:
            return
        now = (await self._engine.chat(self._engine.keys.chat("", lead.phone))).now
        evidence = f"said yes in a form of an advertisement: lead {lead.lead_id}"
        entry = Consent(what="in", at=min(lead.at, now), source="lead", evidence=evidence, event=lead.id, purpose="marketing")
        await self._engine.decide(await decision(self._engine, self._names, lead.phone, entry))

    def _floods(self, chat: ChatKey) -> None:
        """Until the contact's next message could be taken in, its others cost Redis nothing: it has time for those who write less."""
        if len(self._flooding) >= FLOODING:
            self._flooding.clear()
        self._flooding[chat] = time.monotonic() + self._flooding_for

    async def _person(self, event: events.Event, address: str) -> str:
        """The address that a contact is known by: a BSUID is resolved to the phone it belongs to, once both were seen (3.2)."""
        other = _other_address(event)
        if address.startswith("+"):
            if other is not None and self._learned.get(other) != address:
                if await self._engine.alias(other) != address:
                    self._to.put_aside(await joined(self._engine, self._names, other, address))
                if len(self._learned) >= LEARNED:
                    self._learned.clear()
                self._learned[other] = address
            return address
        return await self._engine.alias(address) or address

    async def _new(self, event: events.Event, address: str) -> None:
        """A chat begins: whoever was forgotten since this process learned of them is learned of again."""
        other = _other_address(event)
        if other is not None and self._learned.pop(other, None) is not None:
            await self._person(event, address)

    async def _status(self, event: events.Status, raw: bytes, number: NumberSettings) -> Outcome:
        advanced, record = await self._merge(event, b"")
        if record.chat is None and self._wants(event) and not await self._was_forgotten(event, number):
            first, (advanced, record) = advanced, await self._merge(event, raw)
            advanced = advanced or first
        if record.chat is None:
            return "status"  # parked until the 202 is recorded
        if record.leads and await self._engine.reported(record):
            self._to.lane(record.chat.shard)
        if event.status == "failed":
            self._to.put_aside(await settle_failure(self._engine, record, self._to.lane, self._counts))
        if (advanced or record.status == event.status) and self._wants(event):  # merged before, and kept only now, after a crash
            result = await hand_on(self._engine, record.chat, event, raw)
            self._tell((result.key or record.chat).shard, result)
            if result.outcome == "full":
                return "full"
        return "status"

    async def _merge(self, event: events.Status, body: bytes) -> tuple[bool, Record]:
        return await self._engine.merge_status(
            event.id, event.status, code=event.error_code, message_id=event.message_id, body=body,
            times={str(status): at for status, at in event.reached.items()}, cost=event.cost,
        )  # fmt: skip

    async def _was_forgotten(self, event: events.Status, number: NumberSettings) -> bool:
        """Whether a status of a message that nobody knows is of somebody who was forgotten, not of what is just being posted to them."""
        known = await known_as(self._engine, event.to)
        chat = await self._engine.chat(self._engine.keys.chat(number.name, canonical(known)))
        return "gone" in chat.fields and not chat.waiting_items

    def _tell(self, shard: int, result: Accepted) -> None:
        if result.wake_mailbox:
            self._to.mailbox(shard)
        if result.wake_lane:
            self._to.lane(shard)


def number_of(numbers: Sequence[NumberSettings], wire_id: str | None) -> NumberSettings | None:
    """The configured number that a wire id means; events of others are not ours (design section 3.1)."""
    if wire_id is None or all(number.id is None for number in numbers):
        return numbers[0] if len(numbers) == 1 else None
    return next((number for number in numbers if number.id == wire_id), None)


def called(numbers: Sequence[NumberSettings], event: events.Call) -> NumberSettings | None:
    """The configured number that a call came to or from: calls name its phone only (contract 8.4)."""
    if event.number_id is not None or len(numbers) == 1:
        return number_of(numbers, event.number_id)
    ours = event.sender if event.direction == "OUTBOUND" else event.to
    return next((number for number in numbers if number.phone is not None and number.phone == ours), None)


async def hand_on(engine: Engine, chat: ChatKey, event: events.Event, raw: bytes) -> Accepted:
    """Put a status in the mailbox of its message's chat, for the handlers; it says nothing new of that chat."""
    place = Place(key=chat, number="", kind="contact", address="")
    return await engine.accept(Arrival(place=place, id=f"{event.name}:{event.id}", at=event.at, mark="s", body=raw))


async def hand_on_parked(engine: Engine, record: Record) -> None:
    """The same for the statuses that came before the message was recorded; safe to repeat."""
    if record.chat is not None and record.parked:
        results = [await hand_on(engine, record.chat, events.decode(raw), raw) for raw in record.parked]
        if all(result.outcome != "full" for result in results):
            await engine.unpark(record)


async def settle_failure(engine: Engine, record: Record, wake_lane: Callable[[int], None], counts: Counter[str]) -> tuple[PutAside, ...]:
    """What to do about a message that failed after it was taken (design 3.5). Returns what found no place.

    The window's refusals, what was never tried and what WhatsApp limited the rate of are queued again, once; where it limits that, the
    chat slows down for a while. Everything else stays as it is: what may have been delivered is never sent again by machine.
    """
    family = failure_family(record.code)
    counts[f"failed:{family}"] += 1
    log.info("a message failed after it was accepted: %s (item %s)", record.code or "no code", record.item)
    if record.chat is None or record.status != "failed":
        return ()
    if family is FailureFamily.THROTTLED:
        await engine.slow_down(record.chat, SLOW_FOR)
    if not goes_again(record, answer_within=engine.terms.old_after):
        await engine.not_again(record)
        return ()
    outcome, put_aside = await engine.decide_again(record, shut=family is FailureFamily.WINDOW)
    counts[f"again:{family}"] += outcome != "skip"
    wake_lane(record.chat.shard)
    return put_aside


def goes_again(record: Record, *, answer_within: int) -> bool:
    """Whether what failed late is queued once more: a pure function of its record (contract section 5).

    `answer_within` is in ms, 0 for no limit: what answers a contact, and was not tried for longer, is no answer any more.
    """
    family, again = failure_family(record.code), record.again
    if again is None:
        return False
    if family is FailureFamily.WINDOW:
        return record.pin == "free" and again.enforced
    if family not in {FailureFamily.NEVER_ATTEMPTED, FailureFamily.THROTTLED}:
        return False
    age = record.times.get("failed", record.known) - record.known
    return age <= (AGAIN_WITHIN if again.business or not answer_within else answer_within)


def _other_address(event: events.Event) -> str | None:
    """The BSUID that an event tells beside the phone, if any."""
    other = event.data.get("userId") or event.data.get("participantUserId")
    return other if isinstance(other, str) and other and not other.startswith("+") else None


def chat_of(event: events.Event) -> tuple[ChatKind, str]:
    """The chat that an event belongs to: its kind and the address that answers go to ("" where there is nobody to answer)."""
    match event:
        case events.Group():
            return "group", event.group_id
        case events.Newsletter():
            return "newsletter", event.newsletter_id
        case events.Inbound():
            return "contact", event.sender
        case events.Call() if event.contact:
            return "contact", event.contact
        case events.FlowResponse() if event.sender:
            return "contact", event.sender
        case events.Lead() if event.phone:
            return "contact", event.phone
    return "number", ""


def _mark(event: events.Event) -> str:
    match event:
        case events.Reply():
            return "q"
        case events.Received():
            return "r"
    return "e"
