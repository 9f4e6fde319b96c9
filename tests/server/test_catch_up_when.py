"""What no webhook told: when the history is asked for it, that it is kept once, and what is done where the history is refused."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from redis import Redis

from pilotbot import events
from pilotbot.engine import Away, Engine, Terms
from pilotbot.engine.seen import EVERY, OVERLAP
from pilotbot.events.signature import sign
from pilotbot.platform import Family, PlatformError
from pilotbot.server import catch_up as module
from pilotbot.server.catch_up import REFUSED, CatchUp, as_webhook
from pilotbot.server.intake import Intake, Outcome, Tell
from pilotbot.settings import NumberSettings
from tests.server.conftest import SECRET, Serve
from tests.server.histories import History, read, row_of

MAIN = NumberSettings(name="main", id="num_meta")


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

        with monkeypatch.context() as patch:
            patch.setattr(desk.engine.seen, step, away)
            with pytest.raises(Away):
                await desk.catch_up.tick()
        await desk.catch_up.tick()
        assert desk.counts["caught-up"] == 1
        assert redis.hget("{pb:0}:seen:main", "seen") == str(at)

    async def test_who_was_slow_and_replaced_takes_nothing_in_and_ends_nothing(
        self, desk: Desk, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ROWS", 2)
        await desk.started()
        for n in range(5):
            await desk.missed(f"m{n}")
        monkeypatch.setattr(desk.source, "before", lambda _: redis.set("{pb:0}:looking:main", "another"))
        await desk.fresh().tick()
        assert desk.counts["caught-up"] == 0
        assert redis.hexists("{pb:0}:seen:main", "since")
        assert redis.get("{pb:0}:looking:main") == "another"

    async def test_the_server_tells_it_of_a_redis_that_takes_nothing(self, serve: Serve, redis: Redis) -> None:
        """As where it is full: no reply is lost, and the webhook is refused."""
        client, runtime = await serve()
        runtime._catch_up._wanted.clear()
        raw = as_webhook(read(row_of("m1", "hi")), "num_meta", {})
        assert raw is not None
        headers = {"content-type": "application/json", "x-pilot-status-signature": sign(SECRET, raw)}
        redis.config_set("maxmemory", 1)
        try:
            async with client.post("/webhook", data=raw, headers=headers) as answer:
                assert answer.status == 503
        finally:
            redis.config_set("maxmemory", 0)
        assert runtime.engine.losses == 0
        assert runtime._catch_up._wanted == {"main": 0}


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
