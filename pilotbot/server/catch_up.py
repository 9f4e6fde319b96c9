"""Missed webhooks: what the platform's history shows and no webhook told is taken in as if one had (contract 4.3, design section 3.5).

When to look is decided by what comes, and by what does not: a start, Redis that was away, a number that is connected again, webhooks that
were answered 503, a silence that ends. What was told is not taken in twice, in whatever order the two come: both have the same ids.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

import orjson
from redis.exceptions import RedisError

from pilotbot import events
from pilotbot.contacts import canonical
from pilotbot.engine import Away, Engine
from pilotbot.engine.seen import EVERY, OVERLAP, Look
from pilotbot.events.addresses import normal_address
from pilotbot.platform import HistoryPage, HistoryRow, PilotStatus, PlatformError
from pilotbot.server.intake import AGAIN, Outcome, number_of
from pilotbot.settings import NumberSettings

log = logging.getLogger(__name__)

ROWS = 100  # of a page, as many as there may be
PAGES = 50  # of a span of time; one that has more is read in parts
SHORTEST = 60_000  # ms of a span that is not divided any more
CALM = 15_000  # ms without a refused webhook, before what was refused is looked for
REFUSED = 60 * 60_000  # ms until a history that is refused for good is asked for again
BACK = frozenset({"connected", "restored", "recovered"})
TYPES = frozenset({
    "text", "image", "audio", "video", "document", "location", "contacts", "sticker", "reaction", "interactive", "button",
})  # fmt: skip


class Take(Protocol):
    """As `Intake.take`."""

    def __call__(self, event: events.Event, raw: bytes, *, note_only: bool = False) -> Awaitable[Outcome]:
        """Take one event in."""


class TakenOver(Exception):
    """Another process reads this history: the lease on it had run out."""


class CatchUp:
    """Looks at the histories of our numbers. `clients` has a client for each, by its configured name; `take` takes events in."""

    def __init__(
        self, engine: Engine, numbers: Sequence[NumberSettings], clients: Mapping[str, PilotStatus], take: Take, *, counts: Counter[str]
    ) -> None:  # fmt: skip
        self._engine = engine
        self._numbers = numbers
        self._clients = clients
        self._take = take
        self._counts = counts
        self._losses = engine.losses
        self._came: dict[str, tuple[int, int]] = {}  # since the last note: when the first and the newest of them were written
        self._wanted: dict[str, int] = {number.name: 0 for number in numbers}  # a process that starts may have missed something
        self._trouble: dict[str, str] = {}

    # --- what comes by webhook, told by the server: nothing here waits for Redis ---

    def came(self, event: events.Event, outcome: Outcome) -> None:
        """A webhook came, and what became of it."""
        number = number_of(self._numbers, event.number_id)
        if number is None:
            return
        if isinstance(event, events.Number):
            if event.change in BACK:
                self._wanted[number.name] = 0
        elif isinstance(event, events.Inbound) and not event.from_me:
            if outcome in AGAIN and outcome != "under-way":
                self._wanted.setdefault(number.name, CALM)
            elif event.at is not None and outcome != "stale":
                first, newest = self._came.get(number.name, (event.at, event.at))
                self._came[number.name] = first, max(event.at, newest)
                if event.at - newest > OVERLAP:  # a silence that ends, between two notes
                    self._wanted[number.name] = 0

    def away(self) -> None:
        """A webhook was answered 503, for Redis is away."""
        self._wanted = {number.name: 0 for number in self._numbers}

    # --- the upkeep ---

    async def tick(self) -> None:
        """Note what came, and read the histories that are due. Raises Away; nothing is forgotten then."""
        if self._engine.losses != self._losses:
            self._losses = self._engine.losses
            self.away()
        for number in self._numbers:
            await self._note(number.name)
            look = await self._engine.seen.begin(number.name, self._engine.worker)
            if look is not None:
                await self._look(number, look)

    async def _note(self, name: str) -> None:
        """Say in Redis what came: first that the history is wanted, from before that on."""
        seen, delay, came = self._engine.seen, self._wanted.pop(name, None), self._came.pop(name, None)
        try:
            if delay is not None and not await seen.want(name, delay=delay) and came is not None:  # the first that ever came
                await seen.saw(name, came[0])
                await seen.want(name, delay=delay)
            delay = None
            if came is not None:
                await seen.saw(name, came[1])
        except (Away, RedisError):
            if delay is not None:
                self._wanted[name] = min(delay, self._wanted.get(name, delay))
            if came is not None:
                self._came[name] = came[0], max(came[1], self._came.get(name, came)[1])
            raise

    async def _look(self, number: NumberSettings, look: Look) -> None:
        name, owner = number.name, self._engine.worker

        async def go_on(since: int | None) -> None:
            if not await self._engine.seen.hold(name, owner, since=since):
                raise TakenOver

        reading, delay, trouble = Reading(self._clients[name], self._take, number, go_on), EVERY, ""
        try:
            await reading.read(look.start, look.now)
        except TakenOver:
            log.info("number %s: another process reads the history", name)
            return
        except PlatformError as error:
            delay, trouble = EVERY if error.retryable else REFUSED, f"the history could not be read, it is tried again: {error}"
        else:
            if reading.notice is not None and not reading.rows:
                delay, trouble = REFUSED, f"the history hides all messages: {reading.notice}"
        self._tell(name, trouble)
        if reading.taken:
            self._counts["caught-up"] += reading.taken
            log.warning("number %s: %d messages that no webhook told of were taken in from the history", name, reading.taken)
        rest = max(reading.start, look.since) if trouble and reading.rest is None else reading.rest
        await self._engine.seen.done(name, owner, look, since=rest, newest=reading.newest, delay=delay)

    def _tell(self, number: str, trouble: str) -> None:
        """Say what is wrong with a history once, and once that it is over."""
        if trouble and trouble != self._trouble.get(number):
            log.warning("number %s: %s", number, trouble)
        elif not trouble and number in self._trouble:
            log.info("number %s: the history can be read again", number)
        if trouble:
            self._counts["catch-up:failed"] += 1
            self._trouble[number] = trouble
        else:
            self._trouble.pop(number, None)


class Reading:
    """One reading of a number's history, the oldest first.

    `go_on` is awaited between pages, and after each span of time with when the rest begins. Afterwards `taken` is how many messages were
    new, `rest` since when some were refused, `newest` the time of the newest row of either direction, `rows` how many there were, `start`
    where the last span began.
    """

    def __init__(
        self, client: PilotStatus, take: Take, number: NumberSettings, go_on: Callable[[int | None], Awaitable[None]]
    ) -> None:  # fmt: skip
        self._client = client
        self._take = take
        self._number = number
        self._go_on = go_on
        self._full: set[str] = set()
        self.taken = self.rows = self.start = 0
        self.rest: int | None = None
        self.newest: int | None = None
        self.notice: str | None = None

    async def read(self, start: int, until: int) -> None:
        """Read from `start` on, `until` being now (ms). Raises PlatformError, Away."""
        self.start, end = start, None
        while True:
            page = await self._page(end, 1)
            while (page.total_pages or 1) > PAGES and (end or until) - self.start > SHORTEST:
                end = self.start + ((end or until) - self.start) // 2
                page = await self._page(end, 1)
            if not await self._feed(await self._span(end, page)) or end is None:
                return
            self.start = end
            await self._go_on(end if self.rest is None else None)
            end = None

    async def _span(self, end: int | None, page: HistoryPage) -> list[HistoryRow]:
        """All rows of a span, of which this is the first page; the oldest first."""
        rows = {row.id: row for row in page.messages}
        for number in count(2):
            if number > (page.total_pages or (number if page.messages else 1)):
                break
            if number > PAGES:
                log.warning("number %s: more than %d pages of history within a minute; the rest is not read", self._number.name, PAGES)
                break
            await self._go_on(None)
            page = await self._page(end, number)
            rows |= {row.id: row for row in page.messages if row.id not in rows}  # what comes meanwhile shifts the pages
        self.rows += len(rows)
        found = list(rows.values())
        found.reverse()  # those of the same moment, too
        found.sort(key=lambda row: written(row) or 0)
        return found

    async def _page(self, end: int | None, number: int) -> HistoryPage:
        to = None if end is None else _moment(end)
        page = await self._client.history(_moment(self.start), to, page=number, page_size=ROWS)
        self.notice = page.notice or self.notice
        return page

    async def _feed(self, rows: Sequence[HistoryRow]) -> bool:
        """Take rows in. False where nothing more is taken in for now."""
        texts = texts_of(rows)
        for row in rows:
            raw, at, who = as_webhook(row, self._number.id, texts), written(row), canonical(author(row))
            if raw is not None and at is not None and who not in self._full:
                outcome = await self._take(events.decode(raw), raw, note_only=hidden(row))
                if outcome in AGAIN and outcome != "under-way":
                    self._full.add(who)  # what follows may not overtake it
                    self.rest = at if self.rest is None else min(self.rest, at)
                    if outcome == "busy":
                        return False
                self.taken += outcome in ("ok", "replaced", "old", "noted", "under-way")
            if at is not None:
                self.newest = at if self.newest is None else max(self.newest, at)
        return True


def as_webhook(row: HistoryRow, number_id: str | None, texts: Mapping[str, str]) -> bytes | None:
    """The webhook that would have told of a row (contract 8.6): None for what is not a contact's message to us alone.

    `texts` are those of the messages around it, by the provider's ids: one of them may be quoted.
    """
    at = written(row)
    if (row.direction or "").upper() != "INBOUND" or row.group_id or row.newsletter_id or not author(row) or at is None:
        return None
    kind = (row.message_type or "").lower()
    kind = "audio" if kind == "voice" else kind
    quoted = row.replied_to_external_id
    reply = quoted is not None and kind != "reaction"
    data: dict[str, object] = {
        "numberId": number_id, "id": row.id, "messageId": row.external_message_id, "fromMe": False,
        "createdAt": _moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "type": kind if kind in TYPES else None,
        "from": author(row), "participantName": row.participant_name, "participantUserId": row.participant_user_id, "content": row.text,
        "quotedMessageId": quoted, "contentReplied": texts.get(quoted or "") if reply else None,
    }  # fmt: skip
    if row.media is not None:
        caption = {"content": None, "mediaCaption": row.text}
        file = {"mediaLink": row.media.url, "mediaType": row.media.mime_type, "mediaFilename": row.media.file_name, "mediaId": row.media.id}
        data |= caption | file
    given = {name: value for name, value in data.items() if value is not None}
    return orjson.dumps({"event": "message.reply" if reply else "message.received", "data": given})


def hidden(row: HistoryRow) -> bool:
    """Whether a row does not say what was written: that somebody did is all there is to know."""
    return row.redacted is True or (not row.text and row.media is None)


def written(row: HistoryRow) -> int | None:
    """When a row's message was written, in ms."""
    at = row.provider_timestamp or row.created_at
    return None if at is None else round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def author(row: HistoryRow) -> str:
    """Who wrote a row's message: the phone, or else the BSUID; "" where neither is shown, or it is no contact."""
    given = (normal_address(each) for each in (row.participant_phone, row.participant_user_id) if each)
    return next((each for each in given if each and not each.endswith(("@g.us", "@newsletter"))), "")


def texts_of(rows: Iterable[HistoryRow]) -> dict[str, str]:
    """The texts of rows by the provider's ids."""
    return {row.external_message_id: row.text for row in rows if row.external_message_id and row.text}


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(max(ms, 0) / 1000, UTC)
