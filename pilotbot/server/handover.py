"""Chats that people have: given to them and back from outside a turn, echoes judged, and what is over given back (design 3.10, 3.14)."""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Literal

import orjson

from pilotbot import events
from pilotbot.contacts import Asked, Handover, Human, canonical, judged, span
from pilotbot.contacts.handover import AGAIN, End, Start, Verdict
from pilotbot.engine import HOUR, WINDOW, Change, ChatKey, Engine, Place, PutAside
from pilotbot.engine.handover import Echo, Seen
from pilotbot.platform import Family, PilotStatus, PlatformError
from pilotbot.server.recipients import known_as
from pilotbot.settings import NumberSettings

log = logging.getLogger(__name__)

NO_SUCH: Final = 404  # what the platform says of a message that did not leave through it: somebody wrote it on the phone
OLD: Final = 24 * HOUR  # ms after which nobody judges an echo any more
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
        """Take note of an echo; `judge` judges it, soon. Raises Away."""
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
        """Give back chats whose person's time is over. All processes do; what one did, others find done. Raises Away."""
        for shard in range(self._engine.shards):
            now, over = await self._engine.handovers.over(shard)
            for chat in over:
                if await self._engine.handovers.back(chat, giving_back(now, "time").event, if_over=True):
                    self._counts["handover:back:time"] += 1
                    self._wake(shard)

    async def judge(self) -> None:
        """Judge echoes; the platform may take its time to say what it knows of them. All processes do, as `look`. Raises Away."""
        for shard in range(self._engine.shards):
            now, echoes = await self._engine.handovers.echoes(shard, AGAIN)
            for echo in echoes:
                verdict = await self._judge(echo, now)
                if verdict == "later":
                    continue
                self._counts[f"echo:{verdict}"] += 1
                await self._engine.handovers.done(echo)

    async def _judge(self, echo: Echo, now: int) -> Verdict | Literal["unjudged"]:
        line, _, raw = echo.payload.partition(b"\n")
        told, event = orjson.loads(line), events.decode(raw)
        number, waited = self._numbers.get(told["number"]), now - told["from"]
        if number is None or not isinstance(event, events.Inbound) or waited >= OLD:  # such as of a number that is not configured any more
            return "unjudged"
        place, known = await self._place(event, number), await self._is_ours(event)
        fields = (await self._engine.chat(place.key)).fields
        judge = partial(
            judged, known=known, under_way=echo.posting, waited=waited, unreported=await self._unreported(fields),
            talking=now < int(fields.get("in", b"0")) + WINDOW,
        )  # fmt: skip
        verdict = judge(asked=None)
        if verdict == "ask":
            verdict = judge(asked=await self._ask(event, number))
        if verdict == "person":
            await self._person(event, raw, place, now)
        return verdict

    async def _unreported(self, fields: Mapping[str, bytes]) -> bool:
        """Whether nothing was heard yet of the message that a chat, given by its fields, was posted last."""
        posted = fields.get("posted")
        record = await self._engine.find_record(posted.decode()) if posted else None
        return record is not None and record.rank == 0

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
            if error.status == NO_SUCH and error.family is Family.REFUSED:  # not what something between here and there says
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
