"""Chats that people have: given to them and back from outside a turn, echoes judged, and what is over given back (design 3.10, 3.14)."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal

import orjson

from pilotbot import events
from pilotbot.contacts import Asked, Handover, Human, canonical, judged, span
from pilotbot.contacts.handover import AGAIN, End, Start
from pilotbot.engine import Change, ChatKey, Engine, Place, PutAside
from pilotbot.engine.handover import Seen
from pilotbot.platform import PilotStatus, PlatformError
from pilotbot.server.recipients import known_as
from pilotbot.settings import NumberSettings

log = logging.getLogger(__name__)

NO_SUCH: Final = 404  # what the platform says of a message that did not leave through it: somebody wrote it on the phone
SILENT: Final = (events.Received, events.Reply, events.Group)
"""What people write: no handler of it runs while a person has the chat."""


def taking(now: int, how_long: timedelta, *, queue: str, note: str, by: Start) -> Change:
    """A chat comes to a person, at `now` (business ms). Raises TypeError or ValueError for a queue, a note or a span that is none."""
    human = Human(queue=queue, note=note, since=now, until=now + span(how_long), by=by)
    event = events.handed_over(secrets.token_hex(8), queue=queue, note=note, by=by, at=now)
    return Change(what="take", human=human.dump(), event=event)


def giving_back(now: int, by: End) -> Change:
    """A chat comes back to the bot, at `now` (business ms)."""
    return Change(what="back", event=events.handed_back(secrets.token_hex(8), by=by, at=now))


class Handovers:
    """What there is to do about people who have chats, beside turns. `clients` ask the platform about echoes.

    `put_aside` is told of follow-ups that were disarmed, `wake` which shard has an event of ours.
    """

    def __init__(
        self, engine: Engine, numbers: Sequence[NumberSettings], clients: Mapping[str, PilotStatus], terms: Handover, *,
        counts: Counter[str], put_aside: Callable[[tuple[PutAside, ...]], None], wake: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._numbers = {number.name: number for number in numbers}
        self._clients = clients
        self._terms = terms
        self._counts = counts
        self._put_aside = put_aside
        self._wake = wake

    # --- echoes -----------------------------------------------------------------------------------------------------------------

    async def heard(self, event: events.Inbound, raw: bytes, number: NumberSettings) -> None:
        """Take note of an echo; `look` judges it, soon. Raises Away."""
        if not self._terms.from_phone or event.type == "reaction" or _destination(event) is None or await self._is_ours(event):
            return
        place = await self._place(event, number)
        waits_from = (await self._engine.chat(place.key)).now
        told = orjson.dumps({"number": number.name, "from": waits_from})
        lost = await self._engine.handovers.wait(place.key, event.id, told + b"\n" + raw)
        if lost:
            self._counts["echo:unjudged"] += lost
            log.warning("more echoes came than can be judged: %d went unjudged", lost)

    async def look(self) -> None:
        """Judge echoes, and give back chats whose person's time is over. All processes do; what one did, others find done. Raises Away."""
        for shard in range(self._engine.shards):
            due = await self._engine.handovers.due(shard, AGAIN)
            for chat in due.over:
                if await self._engine.handovers.back(chat, giving_back(due.now, "time").event, if_over=True):
                    self._counts["handover:back:time"] += 1
                    self._wake(shard)
            for payload, posting in due.echoes:
                await self._judge(payload, due.now, posting=posting)

    async def _judge(self, payload: bytes, now: int, *, posting: bool) -> None:
        line, _, raw = payload.partition(b"\n")
        told, event = orjson.loads(line), events.decode(raw)
        number = self._numbers.get(told["number"])
        if number is None or not isinstance(event, events.Inbound):  # a number that is not configured any more
            return
        place, waited = await self._place(event, number), now - told["from"]
        known = await self._is_ours(event)
        verdict = judged(known=known, under_way=posting, asked=None, waited=waited)
        if verdict == "ask":
            verdict = judged(known=known, under_way=posting, asked=await self._ask(event, number), waited=waited)
        if verdict == "later":
            return
        if verdict == "person":
            await self._person(event, raw, place, now)
        self._counts[f"echo:{verdict}"] += 1
        await self._engine.handovers.done(place.key, event.id)

    async def _person(self, event: events.Inbound, raw: bytes, place: Place, now: int) -> None:
        at = min(event.at or now, now)
        left = at + span(self._terms.back_after) - now
        if left <= 0:  # a device's history, played again
            return
        change = taking(now, timedelta(milliseconds=left), queue="", note="", by="phone")
        outcome, notes = await self._engine.handovers.take(place, change.human, change.event, seen=Seen(event.id, at, raw))
        self._counts[f"handover:phone:{outcome}"] += 1
        self._put_aside(notes)
        if outcome == "taken":
            log.info("a person answered from the phone and has the chat now")
            self._wake(place.key.shard)

    async def _is_ours(self, event: events.Inbound) -> bool:
        """Whether one of its ids is that of a message that we have a record of."""
        for name in (event.id, event.message_id):
            record = await self._engine.find_record(name) if name else None
            if record is not None and record.chat is not None:
                return True
        return False

    async def _ask(self, event: events.Inbound, number: NumberSettings) -> Asked:
        """What the platform says of it, by its most telling id (contract 4.1)."""
        try:
            found = await self._clients[number.name].get(event.correlation_id or event.message_id or event.id)
        except PlatformError as error:
            if error.status == NO_SUCH:
                return Asked()
            log.info("an echo could not be asked about: %s", error)
            return Asked(failed=True)
        record = await self._engine.find_record(found.id)
        return Asked(known=record is not None and record.chat is not None, origin=(found.origin or "").upper() or None)

    async def _place(self, event: events.Inbound, number: NumberSettings) -> Place:
        kind, to = _destination(event) or ("contact", "")
        known = await known_as(self._engine, to) if kind == "contact" else to
        return Place(key=self._engine.keys.chat(number.name, canonical(known)), number=number.name, kind=kind, address=to)


def _destination(event: events.Inbound) -> tuple[Literal["contact", "group"], str] | None:
    """Whom an echo was written to; None where it does not say, and for what is posted to all who follow."""
    match event:
        case events.Group():
            return "group", event.group_id
        case events.Received() | events.Reply() if event.to:
            return "contact", event.to
    return None


async def take(
    engine: Engine, place: Place, how_long: timedelta, *, queue: str, note: str, by: Start
) -> tuple[bool, tuple[PutAside, ...]]:  # fmt: skip
    """Give a chat to a person from outside a turn. Returns whether that is new, and the follow-ups that it disarmed.

    Raises:
        TypeError, ValueError: the queue, the note or the span is none, or nobody answers in such a chat.
        Away: Redis does not answer.
    """
    if place.kind not in {"contact", "group"}:
        raise ValueError("a person can have a chat with a contact or a group; nobody writes in this one")
    now = (await engine.chat(place.key)).now
    change = taking(now, how_long, queue=queue, note=note, by=by)
    outcome, notes = await engine.handovers.take(place, change.human, change.event)
    return outcome == "taken", notes


async def give_back(engine: Engine, key: ChatKey, by: End) -> bool:
    """Give a chat back to the bot from outside a turn. False where it has it already. Raises Away."""
    now = (await engine.chat(key)).now
    return await engine.handovers.back(key, giving_back(now, by).event)
