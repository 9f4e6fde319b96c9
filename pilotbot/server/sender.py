"""The way out: lanes are leased, their first item is posted, and what became of it is recorded; in order per chat (design: send)."""

import asyncio
import logging
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import orjson

from pilotbot.contacts import canonical
from pilotbot.engine import HOUR, WINDOW, Engine, Lane, Pause, PutAside, Settled
from pilotbot.platform import Family, PilotStatus, PlatformError, backoff
from pilotbot.replies.sent import read_posted
from pilotbot.server.breaker import SHORTEST, Breaker, Leave
from pilotbot.server.intake import hand_on_parked, settle_failure
from pilotbot.server.journal import Journal, Result
from pilotbot.server.pool import Pool

log = logging.getLogger(__name__)

KEY_MEMORY = 23 * HOUR  # the platform remembers an Idempotency-Key for 24 h (contract 3.7); an hour is left for its clock
BLOCKED_WAIT = 60.0  # seconds between looks at a number that cannot send
FOR_PROBE = 1.0  # seconds that a leased lane waits for a probe: whoever must know that nothing is under way in it waits as long
ASIDE = 1.0  # seconds that a failed probe's item stays behind the others, so that no item that always fails keeps the number closed
UNREADABLE_TRIES = 5
NEARLY = 5_000  # ms before a message is to be delivered, in which the platform is not asked to wait any more
HISTORY_PAGES = 20  # of a hundred messages each


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an item after a post. `delay` is in seconds."""

    what: Literal["sent", "unposted", "retry", "again", "drop", "dead"]
    delay: float = 0.0
    unknown: bool = False
    pause_number: bool = False


def judge(error: PlatformError, lane: Lane, draw: Callable[[], float] = random.random) -> Verdict:
    """What to do after a post that did not succeed: a pure function of the error and of what is known of the item (design 3.4)."""
    match error.family:
        case Family.ALREADY_SENT:
            return Verdict("sent")
        case Family.WINDOW:
            # Only where the window binds: elsewhere it would be chosen free-form again, and refused again, for ever.
            return Verdict("again" if lane.pin == "free" and lane.item.enforced and not lane.item.again else "dead")
        case Family.REFUSED:
            return Verdict("dead")
        case Family.BLOCKED:
            return Verdict("retry", error.retry_after or BLOCKED_WAIT, unknown=lane.unknown, pause_number=True)
        case Family.UNREADABLE if lane.tries >= UNREADABLE_TRIES:
            return Verdict("dead", unknown=lane.unknown or error.outcome_unknown)
    delay = backoff(lane.tries, retry_after=error.retry_after, random=draw)
    throttled = error.family is Family.THROTTLED
    return Verdict("retry", delay, unknown=lane.unknown or error.outcome_unknown, pause_number=throttled)


def troubled(error: PlatformError) -> bool:
    """Whether a failure is the platform's or the network's own: a 5xx, no answer, one that is not the platform's."""
    return error.family in {Family.RETRY, Family.UNREADABLE} and (error.status is None or error.outcome_unknown)


def must_look_up(lane: Lane) -> bool:
    """Whether the platform must be asked first: an earlier post may have arrived, and repeating it is no longer plainly right.

    Up to the true edge of the window (a free-form item), and within the platform's memory of the key, a repeat is harmless: it is the
    same message, or none. Past the edge a repeat of what the history does not show is refused late by the platform, and decided again:
    another variant under another key could be a second message. What the contact forbade since is not posted, if it was not before.
    """
    if not lane.unknown:
        return False
    past_edge = lane.pin == "free" and lane.item.enforced and lane.inbound != "" and lane.now >= int(lane.inbound) + WINDOW
    return past_edge or forgotten(lane) or lane.barred != ""


def to_post(lane: Lane) -> bytes:
    """The bytes to post: of a variant, without a time to deliver it at that was over, or nearly, before it was posted first.

    It follows from what never changes between posts, so that they are the same each time.
    """
    body, at = lane.item.body(lane.pin), lane.item.deliver_at
    if at is None or lane.first_post < at - NEARLY:
        return body
    return orjson.dumps({name: value for name, value in orjson.loads(body).items() if name != "deliverAt"})


def forgotten(lane: Lane) -> bool:
    """Whether the platform may have forgotten the item's key, so that a repeat could be a second message."""
    return lane.now - lane.first_post >= KEY_MEMORY


class Sender(Pool[Lane]):
    """Drains lanes, many chats at once, each in order.

    `clients` maps the configured number's name to its client; `lanes` is how many are drained at the same time; `poll` in seconds.
    `journal` is told of each post, where there is one; `keep_content` says that handlers of statuses want what was sent.
    `alert` is told that a number pauses: which, why in a word and in the platform's, and when (business ms).
    """

    what = "lane"

    def __init__(
        self, engine: Engine, clients: Mapping[str, PilotStatus], *, counts: Counter[str], lanes: int = 64, poll: float = 0.25,
        journal: Journal | None = None, keep_content: bool = False,
        alert: Callable[[str, str, str, int], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(engine, most=lanes, poll=poll)
        self._keep_content = keep_content
        self._alert = alert
        self._clients = clients
        self._counts = counts
        self._journal = journal
        self._deadlines: dict[str, float] = {}
        self._breakers: defaultdict[str, Breaker] = defaultdict(Breaker)
        self._probes: dict[str, asyncio.Event] = {}

    def pauses(self) -> dict[str, Pause]:
        """The numbers that did not send when this process last tried, and why."""
        return {number: Pause(breaker.until, breaker.why) for number, breaker in self._breakers.items() if breaker.until is not None}

    def offer(self, lane: Lane) -> None:
        """Drain a lane that a commit leased to us."""
        self._start(lane)

    def note(self, notes: tuple[PutAside, ...]) -> None:
        """Count and log what was put aside instead of being sent."""
        for one in notes:
            self._counts[f"{one.what}:{one.why}"] += 1
            if self._journal is not None:
                self._journal.put_aside(one)
            log.info("a message was put aside: %s, %s (item %s)", one.what, one.why, one.item)

    async def _claim(self, shard: int, most: int, *, reap: bool) -> list[Lane]:
        leased, notes = await self._engine.claim_lanes(shard, most, reap=reap)
        self.note(notes)
        return leased

    async def _work(self, lease: Lane) -> None:
        task = asyncio.current_task()
        following: Lane | None = lease
        while following is not None:
            lane = following
            if task is not None:
                self._tasks[task] = lane
            self._deadlines[lane.token] = time.monotonic() + self._engine.terms.lease / 1000
            try:
                following = await self._send(lane)
            finally:
                del self._deadlines[lane.token]

    def _renewed(self, leases: list[Lane], asked: float) -> None:
        for lane in leases:
            if lane.token in self._deadlines:
                self._deadlines[lane.token] = asked + self._engine.terms.lease / 1000

    async def _send(self, lane: Lane) -> Lane | None:
        """Post a lane's first item and record the outcome. Returns the lane's next lease, if it goes on."""
        client = self._clients.get(lane.number)
        if client is None:
            await self._unsent(lane, Verdict("dead"), "no-number", f"no number is called {lane.number!r}: see PILOTBOT_NUMBERS")
            return None
        breaker = self._breakers[lane.number]
        leave = breaker.ask(lane.now)
        if leave.what == "wait":
            leave = await self._after_probe(lane)
        if leave.what == "paused":
            await self._unsent(lane, Verdict("unposted", leave.wait / 1000))
            return None
        if not leave.probe:
            return await self._try(lane, client)
        self._probes[lane.number] = ended = asyncio.Event()
        try:
            return await self._try(lane, client, leave.probe)
        finally:
            breaker.given_up(leave.probe)
            ended.set()

    async def _after_probe(self, lane: Lane) -> Leave:
        """What may be done with a lane once the number's probe came to its end; it pauses where that takes too long."""
        breaker = self._breakers[lane.number]
        try:
            async with asyncio.timeout(FOR_PROBE):
                while (leave := breaker.ask(lane.now)).what == "wait":
                    await self._probes[lane.number].wait()
        except TimeoutError:
            return Leave("paused", wait=round(1000 * SHORTEST))
        return leave

    async def _try(self, lane: Lane, client: PilotStatus, probe: int = 0) -> Lane | None:
        if must_look_up(lane):
            try:
                found = await self._look_up(lane, client)
            except PlatformError as error:  # nothing is known of it still
                log.warning("the history could not be read: %s (item %s)", error, lane.item.id)
                verdict = Verdict("retry", backoff(lane.tries, retry_after=error.retry_after, random=random.random), unknown=True)
                # That the history may not be read says nothing of posts.
                await self._unsent(lane, await self._heed(lane.number, error, verdict, probe, lane.now) if troubled(error) else verdict)
                return None
            if found is not None:
                return await self._sent(lane, found)
            if lane.barred:  # should it not have arrived, it may not any more
                self.note((PutAside("skip", lane.item.id, lane.barred, lane.key, lane.now),))
                await self._unsent(lane, Verdict("drop"))
                return None
            if forgotten(lane):
                await self._unsent(lane, Verdict("dead"), "unknown-outcome", "the platform's history does not show it; see to it by hand")
                return None
        if time.monotonic() >= self._deadlines[lane.token]:  # the process slept past its lease: whoever has it now does this
            await self._unsent(lane, Verdict("unposted"))
            return None
        try:
            accepted = await client.post(to_post(lane), lane.item.key(lane.pin))
        except PlatformError as error:
            verdict = judge(error, lane)
            self._counts[f"post:{error.family}"] += 1
            level = logging.INFO if verdict.what == "retry" else logging.WARNING
            log.log(level, "post: %s -> %s (item %s)", error, verdict.what, lane.item.id)
            verdict = await self._heed(lane.number, error, verdict, probe, lane.now)
            if verdict.what == "sent":
                self._posted(lane, "sent", str(error))
                return await self._settle(lane, await self._engine.sent(lane))
            await self._unsent(lane, verdict, error.code or str(error.family), str(error), posted=True)
            return None
        self._counts[f"sent:{lane.pin}"] += 1
        self._works(lane.number)
        # As of when the try began: what was told of since is not known to be over.
        if lane.down and (await self._engine.up(lane.number, lane.now)).news:
            log.warning("number %s sends again: a post that was tried worked", lane.number)
        return await self._sent(lane, accepted.id)

    async def _heed(self, number: str, error: PlatformError, verdict: Verdict, probe: int, now: int) -> Verdict:
        """What a failure says of its number, beside the item: it pauses in all processes, or it works. Returns what to do with the item."""
        breaker = self._breakers[number]
        told = breaker.why
        if troubled(error):
            pause = breaker.failed(str(error), probe)
            if breaker.why and verdict.what == "dead":  # answers that make no sense, of the whole number: not this item's fault
                verdict = Verdict("retry", SHORTEST, unknown=True)
        elif error.family is Family.BLOCKED:
            pause = breaker.refused(str(error), verdict.delay, probe)
        else:
            self._works(number)
            if verdict.pause_number:
                await self._engine.pause(number, round(verdict.delay * 1000), str(error))
            return verdict
        if pause is None:
            return verdict
        pause = max(pause, error.retry_after or 0.0)
        self._counts[f"paused:{error.family}"] += 1
        if breaker.why != told:  # once, not for each item and each look
            log.error("number %s pauses, in all processes; what waits is kept: %s", number, error)
        until = None
        try:
            until = await self._engine.pause(number, round(pause * 1000), str(error))
        finally:
            breaker.paused(until)
        if breaker.why != told and self._alert is not None:
            await self._alert(number, "refused" if error.family is Family.BLOCKED else "trouble", str(error), now)
        return replace(verdict, delay=max(verdict.delay, pause + ASIDE))

    def _works(self, number: str) -> None:
        if self._breakers[number].worked():
            self._counts["resumed"] += 1
            log.warning("number %s sends again", number)

    async def _sent(self, lane: Lane, platform_id: str) -> Lane | None:
        self._posted(lane, "sent")
        # The item goes last: a crash before that only repeats the post under its key, and then all of this.
        posted = read_posted(lane.item.body(lane.pin))
        record = await self._engine.record(lane, platform_id, mode=posted.mode, template=posted.template or "", keep=self._keep_content)
        await hand_on_parked(self._engine, record)
        if record.status == "failed":
            self.note(await settle_failure(self._engine, record, self.wake, self._counts))
        settled = await self._engine.sent(lane, platform_id, reported=record.rank > 0)
        return await self._settle(lane, settled)

    async def _settle(self, lane: Lane, settled: Settled) -> Lane | None:
        self.note(settled.put_aside)
        if settled.outcome == "stale":
            log.info("a lane's lease was lost after a post; the item is repeated under the same key (item %s)", lane.item.id)
        return settled.lane

    async def _unsent(self, lane: Lane, verdict: Verdict, reason: str = "", detail: str = "", *, posted: bool = False) -> None:
        what = verdict.what
        if what == "sent":
            raise ValueError("an item that was sent is not unsent")
        if detail and what != "unposted" and what != "drop":  # noqa: PLR1714 - narrows the type
            self._posted(lane, what, detail)
        await self._engine.unsent(
            lane, what, delay=round(verdict.delay * 1000), unknown=verdict.unknown, reason=reason, detail=detail, posts=lane.tries + posted
        )
        if what in {"again", "drop", "dead"}:
            self.wake(lane.key.shard)

    def _posted(self, lane: Lane, result: Result, error: str | None = None) -> None:
        if self._journal is not None:
            self._journal.posted(lane, result, error)

    async def _look_up(self, lane: Lane, client: PilotStatus) -> str | None:
        """The platform's id of an item that may have arrived, by its history (contract 4.3). Raises PlatformError.

        What has no text cannot be told apart there, and a message that is the record of another item is that item's.
        """
        body = orjson.loads(lane.item.body(lane.pin))
        text, to = body.get("text") or body.get("caption"), canonical(body.get("destinationNumber", ""))
        start = datetime.fromtimestamp(lane.first_post / 1000 - 60, UTC)
        for number in range(1, HISTORY_PAGES + 1) if text else ():
            page = await client.history(start, None, page=number, page_size=100)
            for row in page.messages:
                if row.direction != "OUTBOUND" or row.text != text or canonical(row.participant_phone or to) != to:
                    continue
                record = await self._engine.find_record(row.id)
                if record is None or record.item in {None, lane.item.id}:
                    return row.id
            if number >= (page.total_pages or 1):
                break
        return None
