"""What no webhook told: rows as the webhooks that they would have been, read oldest first."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot import events
from pilotbot.platform import HistoryPage
from pilotbot.sandbox import Number
from pilotbot.sandbox.envelopes import encode, inbound_event
from pilotbot.sandbox.records import Message
from pilotbot.sandbox.rows import history
from pilotbot.server import catch_up as module
from pilotbot.server.catch_up import Reading, TakenOver, as_webhook, hidden
from pilotbot.server.intake import Outcome
from pilotbot.settings import NumberSettings
from tests.server.histories import ANA, BRUNO, NOON, History, iso, read, row_of

MAIN = NumberSettings(name="main", id="num_meta")
NUMBERS = [Number("num_meta", "+551140028922", "Shop", "meta"), Number("num_go", "+551140028923", "Shop", "evolution_go")]

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


class TestAsWebhook:
    @given(inbounds(), st.sampled_from(NUMBERS))
    def test_a_row_of_the_sandbox_is_the_event_that_its_webhook_is(self, message: Message, number: Number) -> None:
        told = events.decode(encode(inbound_event(message, number)).encode())
        row = read(history(message, number))
        raw = as_webhook(row, number.id, {"wamid.0": message.quoted_text} if message.quoted_text else {})
        assert raw is not None
        # Rows do not say to which of our phones a message went, nor what it is correlated with.
        apart = ("data", "to", "correlation_id", "media")
        found = events.decode(raw)
        assert without(found, *apart) == without(told, *apart)
        assert isinstance(found, events.Inbound)
        assert isinstance(told, events.Inbound)
        assert found.media == (None if told.media is None else replace(told.media, phone_number_id=None))
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


def decoded(row: Mapping[str, Any]) -> events.Event:
    raw = as_webhook(read(row), "num_meta", {})
    assert raw is not None
    return events.decode(raw)


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

    async def test_what_was_refused_is_not_behind_it_when_the_parts_after_it_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "ROWS", 10)
        monkeypatch.setattr(module, "PAGES", 3)
        rows, taken, reached = many(200, step=60_000), Taken(m0001="full"), []
        rows[199] |= {"participantPhone": BRUNO}

        async def note(since: int | None) -> None:
            reached.append(since)

        one = Reading(History(rows), taken, MAIN, note)  # type: ignore[arg-type]
        await one.read(NOON, NOON + 200 * 60_000)
        assert taken.ids == ["m0000", "m0001", "m0199"]
        assert (set(reached), one.rest) == ({None}, NOON + 60_000)

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
