"""What no webhook told: rows as the webhooks that they would have been, read oldest first, once, and whatever happens meanwhile."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from pilotbot import events
from pilotbot.engine import Away, Engine, Terms
from pilotbot.engine.seen import EVERY, OVERLAP
from pilotbot.platform import Family, HistoryPage, HistoryRow, PlatformError
from pilotbot.sandbox import Number
from pilotbot.sandbox.envelopes import encode, inbound_event
from pilotbot.sandbox.records import Message
from pilotbot.sandbox.rows import history
from pilotbot.server import catch_up as module
from pilotbot.server.catch_up import REFUSED, CatchUp, Reading, TakenOver, as_webhook, hidden
from pilotbot.server.intake import Intake, Outcome, Tell
from pilotbot.settings import NumberSettings

ANA, BRUNO = "+5511987650001", "+5521998760002"
MAIN = NumberSettings(name="main", id="num_meta")
NUMBERS = [Number("num_meta", "+551140028922", "Shop", "meta"), Number("num_go", "+551140028923", "Shop", "evolution_go")]
NOON = 1_795_000_000_000

WORDS = st.text(min_size=1, max_size=20)
MAYBE = st.none() | WORDS
MIMES = st.sampled_from(["image/jpeg", "video/mp4", "audio/ogg", "application/pdf", "image/webp"])
LINKS = st.none() | st.sampled_from(["https://media.example.com/4.jpg", "data:image/png;base64,AAAA", "up_1"])


@st.composite
def inbounds(draw: st.DrawFn) -> Message:
    """A message that a contact of the sandbox may write."""
    what = draw(st.sampled_from(["text", "quote", "reply tap", "interactive tap", "media", "location", "contacts", "reaction"]))
    message = Message(
        id=draw(st.uuids()).hex, seq=1, number_id="num_meta", direction="in", contact=ANA, chat_kind="contact", mode="text", type="text",
        status="DELIVERED", created_ms=draw(st.integers(0, 4_000_000_000_000)), message_id=draw(st.none() | st.just("wamid.1")),
        event="message.received", author=ANA, author_name=draw(MAYBE),
    )  # fmt: skip
    match what:
        case "text":
            return replace(message, text=draw(WORDS))
        case "quote" | "reply tap":
            return replace(message, event="message.reply", text=draw(WORDS), quoted="wamid.0", quoted_text=draw(MAYBE))
        case "interactive tap":
            return replace(message, type=None, media_type="interactive", text=draw(WORDS))
        case "media":
            kind = draw(st.sampled_from(["image", "video", "audio", "document", "sticker"]))
            media: dict[str, Any] = {"media": draw(LINKS), "media_id": draw(MAYBE), "media_type": draw(MIMES), "filename": draw(MAYBE)}
            quoted = draw(st.none() | st.just("wamid.0"))
            event = "message.reply" if quoted else "message.received"
            return replace(message, mode="media", type=kind, caption=draw(MAYBE), event=event, quoted=quoted, **media)
        case "location":
            return replace(message, type="location", location={"latitude": 1.5, "longitude": 2.5})
        case "contacts":
            return replace(message, type="contacts", contacts=({"name": "Bia", "phone": BRUNO},))
    return replace(message, type="reaction", reaction={"emoji": draw(WORDS), "message": "m0"}, quoted="wamid.0")


def without(event: events.Event, *names: str) -> Mapping[str, object]:
    return {"class": type(event)} | {field.name: getattr(event, field.name) for field in fields(event) if field.name not in names}


def read(row: Mapping[str, Any]) -> HistoryRow:
    return HistoryRow.model_validate(row)


class TestAsWebhook:
    @given(inbounds(), st.sampled_from(NUMBERS))
    def test_a_row_of_the_sandbox_is_the_event_that_its_webhook_is(self, message: Message, number: Number) -> None:
        told = events.decode(encode(inbound_event(message, number)).encode())
        row = read(history(message, number))
        raw = as_webhook(row, number.id, {"wamid.0": message.quoted_text} if message.quoted_text else {})
        assert raw is not None
        # Rows do not say to which of our phones a message went, nor what it is correlated with.
        apart = ("data", "to", "correlation_id")
        assert without(events.decode(raw), *apart) == without(told, *apart)
        assert not hidden(row)

    def test_a_button_is_known_by_its_label_for_rows_do_not_have_its_id(self) -> None:
        message = Message(
            id="m1", seq=1, number_id="num_meta", direction="in", contact=ANA, chat_kind="contact", mode="text", type="text", text="Track",
            status="DELIVERED", created_ms=NOON, message_id="wamid.1", event="message.reply", quoted="wamid.0", button_id="btn_1",
        )  # fmt: skip
        event = decoded(history(message, NUMBERS[0]))
        assert isinstance(event, events.Reply)
        assert (event.text, event.quoted_id, event.tap) == ("Track", "wamid.0", None)

    def test_ids_names_and_the_bsuid_are_kept(self) -> None:
        event = decoded(row_of("m1", "hi", participantUserId="BR.77"))
        assert isinstance(event, events.Received)
        assert (event.id, event.message_id, event.number_id, event.at) == ("m1", "wamid.m1", "num_meta", NOON)
        assert (event.sender, event.sender_name, event.data["participantUserId"]) == (ANA, "Ana Souza", "BR.77")

    def test_without_a_phone_the_bsuid_is_who_wrote(self) -> None:
        event = decoded(row_of("m1", "hi", participantPhone=None, participantUserId="BR.77"))
        assert isinstance(event, events.Received)
        assert event.sender == "BR.77"

    @pytest.mark.parametrize(
        "changes",
        [
            {"direction": "OUTBOUND"},
            {"direction": None},
            {"groupId": "120363000000000001@g.us"},
            {"newsletterId": "120363000000000099@newsletter"},
            {"participantPhone": None},
            {"participantPhone": "120363000000000099@newsletter"},
            {"providerTimestamp": None, "createdAt": None},
        ],
    )
    def test_what_is_no_message_of_a_contact_to_us_alone_is_none(self, changes: dict[str, Any]) -> None:
        assert as_webhook(read(row_of("m1", "hi", **changes)), "num_meta", {}) is None

    def test_a_type_that_the_contract_does_not_know_is_left_out(self) -> None:
        event = decoded(row_of("m1", "hi", messageType="conversation"))
        assert isinstance(event, events.Received)
        assert event.type == "text"

    @pytest.mark.parametrize("number", NUMBERS)
    def test_what_the_platform_hides_says_only_that_somebody_wrote(self, number: Number) -> None:
        message = Message(
            id="m1", seq=1, number_id=number.id, direction="in", contact=ANA, chat_kind="contact", mode="text", type="text", text="secret",
            status="DELIVERED", created_ms=NOON, message_id="wamid.1", event="message.received", author=ANA, author_name="Ana",
        )  # fmt: skip
        row = read(history(message, number, hidden=True))
        assert hidden(row)
        raw = as_webhook(row, number.id, {})
        assert raw is not None
        assert b"secret" not in raw

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, False),
            ({"text": None}, True),
            ({"text": ""}, True),
            ({"redacted": True}, True),
            ({"text": None, "media": {"id": "1"}}, False),
        ],
    )
    def test_hidden_is_what_shows_neither_text_nor_media(self, changes: dict[str, Any], expected: bool) -> None:
        assert hidden(read(row_of("m1", "hi", **changes))) is expected


def iso(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


def row_of(name: str, said: str, *, at: int = NOON, **changes: Any) -> dict[str, Any]:
    return {
        "id": name, "externalMessageId": f"wamid.{name}", "direction": "INBOUND", "messageType": "text", "text": said,
        "participantName": "Ana Souza", "participantPhone": ANA, "providerTimestamp": iso(at), "createdAt": iso(at + 50), **changes,
    }  # fmt: skip


def decoded(row: Mapping[str, Any]) -> events.Event:
    raw = as_webhook(read(row), "num_meta", {})
    assert raw is not None
    return events.decode(raw)


class History:
    """A platform's history. `before` is called before each page with its number; it may raise, or change `rows`."""

    def __init__(self, rows: Sequence[Mapping[str, Any]] = (), *, totals: bool = True, notice: str | None = None) -> None:
        self.rows = list(rows)
        self.asked: list[tuple[int, int | None, int]] = []
        self.error: PlatformError | None = None
        self._totals = totals
        self._notice = notice

    def before(self, page: int) -> None:
        if self.error is not None:
            raise self.error

    async def history(self, start: datetime, end: datetime | None, *, page: int, page_size: int) -> HistoryPage:
        self.before(page)
        since, to = start.timestamp() * 1000, None if end is None else end.timestamp() * 1000
        self.asked.append((round(since), None if to is None else round(to), page))
        found = [read(row) for row in self.rows]
        found = [row for row in found if since <= (at := (module.written(row) or 0)) and (to is None or at <= to)]
        found.sort(key=lambda row: module.written(row) or 0)
        found.reverse()
        shown = tuple(found[(page - 1) * page_size : page * page_size])
        return HistoryPage(messages=shown, total_pages=-(-len(found) // page_size) if self._totals else None, notice=self._notice)


class Taken:
    """An intake that notes what it was given; `answers` by the event's id, else "ok"."""

    def __init__(self, **answers: Outcome) -> None:
        self.ids: list[str] = []
        self.notes: list[str] = []
        self._answers = answers

    async def __call__(self, event: events.Event, raw: bytes, *, note_only: bool = False) -> Outcome:
        assert events.decode(raw) == event
        (self.notes if note_only else self.ids).append(event.id)
        return self._answers.get(event.id, "ok")


async def go_on(_: int | None) -> None:
    """Nobody else reads."""


def reading(source: History, taken: Taken) -> Reading:
    return Reading(source, taken, MAIN, go_on)  # type: ignore[arg-type]  # all of a client that is used


def many(count: int, *, step: int = 1_000, **changes: Any) -> list[dict[str, Any]]:
    return [row_of(f"m{n:04d}", str(n), at=NOON + n * step, **changes) for n in range(count)]


class TestReading:
    @pytest.mark.parametrize("totals", [True, False])
    async def test_all_pages_are_read_and_taken_in_the_oldest_first(self, totals: bool) -> None:
        source, taken = History(many(250), totals=totals), Taken()
        one = reading(source, taken)
        await one.read(NOON, NOON + 10**6)
        assert taken.ids == [f"m{n:04d}" for n in range(250)]
        assert (one.taken, one.rows, one.rest, one.newest) == (250, 250, None, NOON + 249_000)

    async def test_those_of_one_moment_keep_their_order(self) -> None:
        taken = Taken()
        await reading(History(many(150, step=0)), taken).read(NOON, NOON + 10**6)
        assert taken.ids == [f"m{n:04d}" for n in range(150)]

    async def test_whatever_order_the_platform_has_the_oldest_is_first(self) -> None:
        class ByArrival(History):
            async def history(self, *given: Any, **more: Any) -> HistoryPage:
                page = await super().history(*given, **more)
                return page.model_copy(update={"messages": page.messages[1::2] + page.messages[::2]})

        taken = Taken()
        await reading(ByArrival(many(150)), taken).read(NOON, NOON + 10**6)
        assert taken.ids == [f"m{n:04d}" for n in range(150)]

    async def test_what_comes_meanwhile_shifts_the_pages_and_loses_nothing(self) -> None:
        class Busy(History):
            def before(self, page: int) -> None:
                if page > 1:
                    self.rows += [row_of(f"new{page}-{n}", "new", at=NOON + 10**6 + page) for n in range(3)]

        taken = Taken()
        await reading(Busy(many(350)), taken).read(NOON, NOON + 10**7)
        assert [name for name in taken.ids if name.startswith("m")] == [f"m{n:04d}" for n in range(350)]
        assert len(set(taken.ids)) == len(taken.ids)

    async def test_a_long_time_is_read_in_parts_and_each_is_behind_it_once_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ROWS", 10)
        monkeypatch.setattr(module, "PAGES", 3)
        source, taken, reached = History(many(200, step=60_000)), Taken(), []

        async def note(since: int | None) -> None:
            reached.append((since, len(taken.ids)))

        one = Reading(source, taken, MAIN, note)  # type: ignore[arg-type]
        await one.read(NOON, NOON + 200 * 60_000)
        assert list(dict.fromkeys(taken.ids)) == [f"m{n:04d}" for n in range(200)]
        assert max(page for _, _, page in source.asked) <= 3
        for since, count in reached:
            if since is not None:
                assert len([row for row in source.rows if row["providerTimestamp"] < iso(since)]) <= count
        assert [since for since, _ in reached if since is not None]

    async def test_more_pages_than_are_read_within_a_minute_are_told(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(module, "ROWS", 10)
        monkeypatch.setattr(module, "PAGES", 3)
        taken = Taken()
        await reading(History(many(50, step=10)), taken).read(NOON - 1_000, NOON + 50_000)
        assert taken.ids == [f"m{n:04d}" for n in range(20, 50)]
        assert "more than 3 pages of history" in caplog.text

    async def test_what_a_full_chat_refuses_is_not_overtaken_and_others_go_on(self) -> None:
        rows = many(6)
        rows[3] |= {"participantPhone": BRUNO}
        rows[4] |= {"participantPhone": "+551187650001"}  # the other spelling of Ana's
        taken = Taken(m0001="full")
        one = reading(History(rows), taken)
        await one.read(NOON, NOON + 10**6)
        assert taken.ids == ["m0000", "m0001", "m0003"]
        assert (one.taken, one.rest) == (2, NOON + 1_000)

    async def test_where_all_is_full_it_stops(self) -> None:
        rows, taken = many(6), Taken(m0001="busy")
        rows[2] |= {"participantPhone": BRUNO}
        one = reading(History(rows), taken)
        await one.read(NOON, NOON + 10**6)
        assert (taken.ids, one.rest) == (["m0000", "m0001"], NOON + 1_000)

    async def test_what_is_known_is_not_counted_and_what_is_hidden_only_noted(self) -> None:
        rows = many(3)
        rows[1] |= {"redacted": True, "text": None}
        taken = Taken(m0000="dup", m0001="noted")
        one = reading(History(rows), taken)
        await one.read(NOON, NOON + 10**6)
        assert (taken.ids, taken.notes, one.taken) == (["m0000", "m0002"], ["m0001"], 2)

    async def test_who_lost_its_lease_stops(self) -> None:
        async def lost(_: int | None) -> None:
            raise TakenOver

        taken = Taken()
        with pytest.raises(TakenOver):
            await Reading(History(many(150)), taken, MAIN, lost).read(NOON, NOON + 10**6)  # type: ignore[arg-type]
        assert taken.ids == []


class Desk:
    """A catch-up on a real engine and a history of its own, with the intake that it feeds."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.source = History()
        self.counts: Counter[str] = Counter()
        tell = Tell(lambda _: None, lambda _: None, lambda _: None)
        self.intake = Intake(engine, (MAIN,), tell, wants=lambda _: False, follow_clock=False, counts=self.counts)
        self.catch_up = self.fresh()

    def fresh(self) -> CatchUp:
        """As in a process that starts."""
        return CatchUp(self.engine, (MAIN,), {"main": self.source}, self.intake.take, counts=self.counts)  # type: ignore[dict-item]

    async def webhook(self, row: Mapping[str, Any]) -> Outcome:
        """A row comes by webhook, as the server takes it in."""
        raw = as_webhook(read(row), "num_meta", {})
        assert raw is not None
        return await self.event(raw)

    async def event(self, raw: bytes) -> Outcome:
        event = events.decode(raw)
        outcome = await self.intake.take(event, raw)
        self.catch_up.came(event, outcome)
        return outcome

    async def now(self) -> int:
        return (await self.engine.chat(self.engine.keys.chat("main", "x"))).now

    async def later(self, ms: int) -> None:
        await self.engine.advance(await self.engine.advance(0) + ms)

    async def waiting(self) -> int:
        return (await self.engine.chat(self.engine.keys.chat("main", "+551187650001"))).waiting_events

    async def started(self, *, ago: int = 60_000) -> int:
        """A message came by webhook so long ago. Returns when."""
        await self.catch_up.tick()
        at = await self.now() - ago
        assert await self.webhook(row_of("first", "first", at=at)) == "ok"
        self.source.rows.append(row_of("first", "first", at=at))
        await self.catch_up.tick()
        return at

    async def missed(self, name: str, **changes: Any) -> None:
        """A message is in the history, and no webhook tells of it."""
        self.source.rows.append(row_of(name, name, at=await self.now() - 1_000, **changes))


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def number_event(change: str) -> bytes:
    return orjson.dumps({"event": f"number.{change}", "data": {"numberId": "num_meta", "createdAt": "2026-11-20T10:00:00Z"}})


class TestWhen:
    async def test_a_new_installation_asks_for_nothing(self, desk: Desk) -> None:
        await desk.missed("m1")
        await desk.catch_up.tick()
        assert desk.source.asked == []
        assert await desk.webhook(row_of("m2", "hi", at=await desk.now())) == "ok"
        await desk.catch_up.tick()
        assert desk.source.asked == []

    async def test_a_process_that_starts_asks_from_what_was_seen_on(self, desk: Desk) -> None:
        at = await desk.started()
        await desk.missed("m1")
        await desk.fresh().tick()
        assert desk.source.asked == [(at, None, 1)]
        assert (desk.counts["caught-up"], await desk.waiting()) == (1, 2)

    @pytest.mark.parametrize("change", ["connected", "restored", "recovered"])
    async def test_a_number_that_is_back_is_asked_for_though_no_handler_wants_the_event(self, desk: Desk, change: str) -> None:
        await desk.started()
        await desk.missed("m1")
        assert await desk.event(number_event(change)) == "no-handler"
        await desk.catch_up.tick()
        assert desk.counts["caught-up"] == 1

    async def test_other_news_of_a_number_is_none(self, desk: Desk) -> None:
        await desk.started()
        await desk.event(number_event("disconnected"))
        await desk.catch_up.tick()
        assert desk.source.asked == []

    async def test_a_silence_that_ends_is_asked_for(self, desk: Desk) -> None:
        await desk.started()
        await desk.missed("m1")
        await desk.later(2 * OVERLAP)
        assert await desk.webhook(row_of("m2", "hi", at=await desk.now())) == "ok"
        await desk.catch_up.tick()
        assert desk.counts["caught-up"] == 1

    async def test_lost_replies_of_redis_are_reason_to_ask(self, desk: Desk, redis: Redis) -> None:
        await desk.started()
        await desk.missed("m1")
        redis.client_kill_filter(_type="normal", skipme=True)
        await desk.later(0)
        assert desk.engine.losses
        await desk.catch_up.tick()
        assert desk.counts["caught-up"] == 1

    async def test_a_webhook_that_redis_could_not_take_is_asked_for(self, desk: Desk) -> None:
        await desk.started()
        await desk.missed("m1")
        desk.catch_up.away()
        await desk.catch_up.tick()
        assert desk.counts["caught-up"] == 1

    async def test_what_was_refused_is_asked_for_once_it_is_calm(self, redis_url: str) -> None:
        engine = Engine(redis_url, shards=2, terms=Terms(depth=1))
        await engine.open()
        desk = Desk(engine)
        await desk.started()
        row = row_of("m1", "m1", at=await desk.now())
        assert await desk.webhook(row) == "full"
        desk.source.rows.append(row)
        await desk.catch_up.tick()
        assert desk.source.asked == []
        await desk.later(module.CALM)
        await desk.catch_up.tick()
        assert (len(desk.source.asked), desk.counts["caught-up"], await desk.waiting()) == (1, 0, 1)
        for shard in range(2):
            for turn in await engine.claim(shard, 1):
                await engine.bury(turn, reason="test", detail="", keep=False)
        await desk.later(EVERY)
        await desk.catch_up.tick()
        assert (desk.counts["caught-up"], await desk.waiting()) == (1, 1)
        await engine.close()

    @pytest.mark.parametrize("step", ["want", "saw"])
    async def test_redis_away_forgets_nothing(self, desk: Desk, redis: Redis, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        await desk.started()
        await desk.missed("m1")
        at = await desk.now()
        assert await desk.webhook(row_of("m2", "m2", at=at)) == "ok"
        await desk.event(number_event("connected"))

        async def away(*_: Any, **__: Any) -> None:
            raise Away("test")

        with monkeypatch.context() as patch, pytest.raises(Away):
            patch.setattr(desk.engine.seen, step, away)
            await desk.catch_up.tick()
        await desk.catch_up.tick()
        assert desk.counts["caught-up"] == 1
        assert redis.hget("{pb:0}:seen:main", "seen") == str(at)


class TestOnce:
    @pytest.mark.parametrize("first", ["webhook", "history"])
    async def test_a_message_that_comes_both_ways_is_kept_once(self, desk: Desk, first: str) -> None:
        await desk.started()
        await desk.missed("m1")
        if first == "webhook":
            assert await desk.webhook(desk.source.rows[-1]) == "ok"
        await desk.fresh().tick()
        if first == "history":
            assert await desk.webhook(desk.source.rows[-1]) == "dup"
        assert await desk.waiting() == 2

    async def test_by_the_providers_id_where_the_platforms_differ(self, desk: Desk) -> None:
        await desk.started()
        await desk.missed("m1")
        await desk.fresh().tick()
        assert await desk.webhook({**desk.source.rows[-1], "id": "another"}) == "dup"

    async def test_what_is_hidden_moves_the_window_alone_and_may_still_be_told(self, desk: Desk) -> None:
        """The history hides what it says; the webhook does not, and comes later. In the other order there is nothing to note."""
        at = await desk.started()
        await desk.missed("m1", redacted=True, text=None)
        await desk.fresh().tick()
        chat = desk.engine.keys.chat("main", "+551187650001")
        view = await desk.engine.chat(chat)
        assert view.waiting_events == 1
        assert int(view.fields["in"]) > at
        generation = view.fields["generation"]
        await desk.later(EVERY)
        await desk.fresh().tick()
        assert (await desk.engine.chat(chat)).fields["generation"] == generation  # noted once
        whole = {**desk.source.rows[-1], "redacted": False, "text": "hello"}
        assert await desk.webhook(whole) == "ok"
        generation = (await desk.engine.chat(chat)).fields["generation"]
        await desk.later(EVERY)
        await desk.fresh().tick()
        assert (await desk.engine.chat(chat)).fields["generation"] == generation
        assert await desk.waiting() == 2


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "wait"),
        [
            (PlatformError(Family.BLOCKED, status=401, remedy="Check the API key."), REFUSED),
            (PlatformError(Family.REFUSED, status=404, remedy="Check the name."), REFUSED),
            (PlatformError(Family.RETRY, status=503, remedy="Wait."), EVERY),
        ],
    )
    async def test_it_is_told_once_counted_and_tried_later(
        self, desk: Desk, error: PlatformError, wait: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        await desk.started()
        await desk.missed("m1")
        desk.source.error = error
        catch_up = desk.fresh()
        await catch_up.tick()
        await catch_up.tick()
        assert desk.counts["catch-up:failed"] == 1
        await desk.later(wait)
        await catch_up.tick()
        assert desk.counts["catch-up:failed"] == 2
        desk.source.error = None
        await desk.later(wait)
        with caplog.at_level(logging.INFO):
            await catch_up.tick()
        assert desk.counts["caught-up"] == 1
        told = [record.getMessage() for record in caplog.records]
        assert told[0] == f"number main: the history could not be read, it is tried again: {error}"
        assert told[1:] == [
            "number main: the history can be read again",
            "number main: 1 messages that no webhook told of were taken in from the history",
        ]

    async def test_an_empty_history_for_privacy_is_told_and_asked_for_later(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        await desk.started()
        desk.source = History(notice="PII_RELAY_ONLY")
        catch_up = desk.fresh()
        await catch_up.tick()
        assert "the history hides all messages: PII_RELAY_ONLY" in caplog.text
        await desk.later(EVERY)
        await catch_up.tick()
        assert len(desk.source.asked) == 1
        await desk.later(REFUSED)
        await catch_up.tick()
        assert (len(desk.source.asked), desk.counts["catch-up:failed"]) == (2, 2)

    async def test_what_was_read_before_the_trouble_is_behind_it(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ROWS", 2)
        monkeypatch.setattr(module, "PAGES", 2)
        at = await desk.started(ago=6 * OVERLAP)
        for n in range(8):
            desk.source.rows.append(row_of(f"m{n}", str(n), at=at + OVERLAP + n * 120_000))
        error, read = PlatformError(Family.RETRY, status=500, remedy="Wait."), desk.source.before

        def fail_in_the_middle(page: int) -> None:
            read(page)
            if desk.counts["message.received:ok"] > 3:
                raise error

        monkeypatch.setattr(desk.source, "before", fail_in_the_middle)
        catch_up = desk.fresh()
        await catch_up.tick()
        taken, asked = desk.counts["caught-up"], len(desk.source.asked)
        assert desk.counts["catch-up:failed"] == 1
        assert 0 < taken < 8
        monkeypatch.setattr(desk.source, "before", read)
        await desk.later(EVERY)
        await catch_up.tick()
        assert desk.counts["caught-up"] == 8
        assert desk.source.asked[asked][0] > desk.source.asked[0][0]
