"""The way out while the platform is in trouble or refuses the number: who waits, who tries, what is told; in one process and in two."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from aiohttp import web
from redis import Redis

from pilotbot.engine import Engine
from pilotbot.engine.keys import base
from pilotbot.platform import PlatformError
from pilotbot.platform.errors import classify, network_error, unreadable
from pilotbot.server.breaker import FAILURES
from pilotbot.server.sender import BLOCKED_WAIT, troubled
from tests.server.posting import CHATS, Answer, Platform, Senders, begin, drain, finish, later, lost, no, place, queue, told, tries


class TestTroubled:
    @pytest.mark.parametrize(
        ("problem", "expected"),
        [
            (classify(500, b"", {}, now=0), True),
            (classify(408, b"", {}, now=0), True),
            (classify(502, b'{"code":"UPSTREAM_ERROR"}', {}, now=0), True),
            (network_error(httpx.ConnectError("no")), True),
            (network_error(httpx.ReadTimeout("no")), True),
            (unreadable("answer", status=200, outcome_unknown=True), True),
            (classify(409, b'{"code":"IDEMPOTENCY_KEY_IN_USE"}', {}, now=0), False),
            (classify(425, b"{}", {}, now=0), False),
            (classify(429, b"{}", {}, now=0), False),
            (classify(401, b"{}", {}, now=0), False),
            (classify(400, b"{}", {}, now=0), False),
        ],
    )
    def test_by_table(self, problem: PlatformError, expected: bool) -> None:
        assert troubled(problem) is expected


class TestInTrouble:
    async def test_failures_of_any_chats_pause_the_number_and_one_probe_goes_first(
        self, engine: Engine, sends: Senders, platform: Platform, caplog: pytest.LogCaptureFixture
    ) -> None:
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = no(500)
        await drain(engine, sender)
        assert len(platform.posts) == 10  # they were under way together
        await later(engine, 4)
        assert await engine.claim_lanes(0, 50) == await engine.claim_lanes(1, 50) == ([], ())
        await later(engine, 4)
        await drain(engine, sender)
        assert len(platform.posts) == 11
        assert sorted(await tries(engine)) == [1] * 9 + [2]  # the pause costs no tries
        await later(engine, 20)
        await drain(engine, sender)
        assert len(platform.posts) == 12
        assert sender._counts["paused:retry"] == 3
        assert told(caplog) == ["number main pauses, in all processes; what waits is kept: 500: Wait: the platform has trouble."]

    async def test_the_others_go_on_once_the_probe_succeeded_and_not_before(
        self, engine: Engine, sends: Senders, platform: Platform, caplog: pytest.LogCaptureFixture
    ) -> None:
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = no(503)
        await drain(engine, sender)
        assert [(pause.why, number) for number, pause in sender.pauses().items()] == [("503: Wait: the platform has trouble.", "main")]
        await later(engine, 8)
        platform.answer, platform.held = None, asyncio.Event()
        platform.posts.clear()
        platform.arrived.clear()
        await begin(engine, sender)
        await platform.arrived.wait()
        for _ in range(200):  # the others have every chance
            await asyncio.sleep(0)
        assert len(platform.posts) == 1
        platform.held.set()
        await finish(sender)
        assert sorted(platform.posts) == CHATS
        assert len(platform.taken) == 10
        assert sender.pauses() == {}
        assert told(caplog)[1:] == ["number main sends again"]

    async def test_a_pause_holds_in_the_other_process_too(
        self, engine: Engine, other: Engine, sends: Senders, platform: Platform, redis: Redis
    ) -> None:
        here, there = sends(engine), sends(other)
        await queue(engine, *CHATS)
        platform.answer = no(500)
        await drain(engine, here)
        platform.posts.clear()
        await drain(other, there)
        assert platform.posts == []
        assert set(await other.pauses(["main", "second"])) == {"main"}
        assert {str(key) for key in redis.keys("*:paused:*")} == {f"{base(0)}:paused:main", f"{base(1)}:paused:main"}

    async def test_a_page_in_place_of_the_platform_gives_no_message_up(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        """Maintenance that answers 200 with HTML: each post is one of unknown outcome, and no item's own fault."""
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = lambda _: web.Response(text="<html>back soon</html>", content_type="text/html")
        for _ in range(100):
            await drain(engine, sender)
            await later(engine, 62)
        assert max(await tries(engine)) > 5
        assert await engine.dead_letters() == []
        platform.answer = None
        for _ in range(2):
            await drain(engine, sender)
            await later(engine, 62)
        assert sorted(platform.taken.values()) == CHATS

    async def test_failures_between_successes_pause_nothing(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        for group in (CHATS[: FAILURES - 1], CHATS[FAILURES : 2 * FAILURES - 1]):
            await queue(engine, *group)
            platform.answer = no(500)
            await drain(engine, sender)
            platform.answer = None
            await later(engine, 2)
            await drain(engine, sender)
        assert len(platform.taken) == 2 * (FAILURES - 1)
        assert (sender._counts["post:retry"], sender._counts["paused:retry"]) == (2 * (FAILURES - 1), 0)

    async def test_an_item_that_always_fails_does_not_keep_the_others_waiting(
        self, engine: Engine, sends: Senders, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pilotbot.server.sender.ASIDE", 30.0)  # longer than this may take
        sender = sends(engine)
        many = [f"+5511987651{n:03}" for n in range(50)]
        (bad, *_), others = [[who for who in many if engine.keys.chat("main", who).shard == shard] for shard in range(2)]
        await queue(engine, bad)
        platform.answer = lambda who: web.json_response({}, status=502) if who == bad else None
        while not sender.pauses():
            await drain(engine, sender)
            await later(engine, 91)
        await queue(engine, *others)
        await drain(engine, sender)  # it comes first, and is the probe
        assert platform.taken == {}
        for _ in range(13):
            await later(engine, 1)
            await drain(engine, sender)
        assert sorted(platform.taken.values()) == others

    async def test_what_may_have_arrived_stays_so_through_the_pause(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = lost
        await drain(engine, sender)
        await later(engine, 8)
        platform.answer = no(500)
        await drain(engine, sender)
        views = [await engine.chat(place(engine, who).key) for who in CHATS]
        assert {view.fields["o:unknown"] for view in views} == {b"1"}

    async def test_the_probe_of_a_chat_whose_lease_was_lost_lets_another_go(
        self, engine: Engine, sends: Senders, platform: Platform
    ) -> None:
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = no(500)
        await drain(engine, sender)
        await later(engine, 8)
        platform.answer, platform.held = None, asyncio.Event()
        platform.posts.clear()
        platform.arrived.clear()
        await begin(engine, sender)
        await platform.arrived.wait()
        (prober,) = [lane for lane in sender.leases() if lane.key == engine.keys.chat("main", platform.posts[0])]
        sender.lost({prober.token})
        platform.held.set()
        await finish(sender)
        assert len(platform.posts) == 10

    async def test_those_who_wait_do_not_keep_their_lease_for_long(
        self, engine: Engine, sends: Senders, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A contact's message and an opt-out wait for what may be under way in a lane."""
        monkeypatch.setattr("pilotbot.server.sender.FOR_PROBE", 0.05)
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = no(500)
        await drain(engine, sender)
        await later(engine, 8)
        platform.held = asyncio.Event()
        await begin(engine, sender)
        async with asyncio.timeout(20):
            while len(sender._tasks) > 1:
                await asyncio.wait(list(sender._tasks), return_when=asyncio.FIRST_COMPLETED)
        leased = [await engine._calls.command("ZCARD", f"{base(shard)}:lane:lease") for shard in range(2)]
        assert sum(leased) == 1
        platform.held.set()
        await finish(sender)
        assert sorted(await tries(engine)) == [1] * 9 + [2]

    async def test_a_stop_does_not_wait_for_those_who_wait(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = no(500)
        await drain(engine, sender)
        await later(engine, 8)
        platform.held = asyncio.Event()
        await begin(engine, sender)
        await sender.stop(0.1)
        assert sender.leases() == []
        platform.held.set()


class TestRefused:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (no(401), "401: Check the API key: the platform does not accept it."),
            (no(402, "INSUFFICIENT_FUNDS"), "402 INSUFFICIENT_FUNDS: Add funds in the dashboard; the queue is kept."),
            (no(403), "403: Check what the API key is allowed to do."),
            (no(403, "NUMBER_BLOCKED"), "403 NUMBER_BLOCKED: Settle what is due for this number in the dashboard; the queue is kept."),
            (
                no(409, "WHATSAPP_INSTANCE_NOT_CONNECTED"),
                "409 WHATSAPP_INSTANCE_NOT_CONNECTED: Connect the number to WhatsApp again; the queue is kept.",
            ),
        ],
    )
    async def test_the_queue_is_kept_one_look_a_minute_and_each_change_is_told_once(
        self, engine: Engine, sends: Senders, platform: Platform, caplog: pytest.LogCaptureFixture, answer: Answer, why: str
    ) -> None:
        sender = sends(engine)
        await queue(engine, CHATS[0])
        platform.answer = answer
        await drain(engine, sender)
        await queue(engine, *CHATS[1:])
        for look in range(2, 5):
            await later(engine, BLOCKED_WAIT - 2)
            await drain(engine, sender)
            assert len(platform.posts) == look - 1
            await later(engine, 3)
            await drain(engine, sender)
            assert len(platform.posts) == look
        assert {number: pause.why for number, pause in sender.pauses().items()} == {"main": why}
        assert {number: pause.why for number, pause in (await engine.pauses(["main"])).items()} == {"main": why}
        assert await engine.dead_letters() == []
        platform.answer = None
        await later(engine, BLOCKED_WAIT + 2)
        await drain(engine, sender)
        assert len(platform.taken) == 10
        assert told(caplog) == [f"number main pauses, in all processes; what waits is kept: {why}", "number main sends again"]
        assert (sender._counts["paused:blocked"], sender._counts["resumed"]) == (4, 1)

    async def test_another_reason_is_told_as_a_change(
        self, engine: Engine, sends: Senders, platform: Platform, caplog: pytest.LogCaptureFixture
    ) -> None:
        sender = sends(engine)
        await queue(engine, CHATS[0])
        for answer in (no(401), no(401), no(402), no(402)):
            platform.answer = answer
            await drain(engine, sender)
            await later(engine, BLOCKED_WAIT + 2)
        assert [line.partition("kept: ")[2][:3] for line in told(caplog, logging.ERROR)] == ["401", "402"]

    @pytest.mark.parametrize("answer", [no(402, "SUBSCRIPTION_REQUIRED_FOR_MEDIA"), no(400), no(404, "TEMPLATE_NOT_FOUND")])
    async def test_a_refusal_of_one_item_is_no_refusal_of_the_number(
        self, engine: Engine, sends: Senders, platform: Platform, answer: Answer
    ) -> None:
        sender = sends(engine)
        await queue(engine, *CHATS)
        platform.answer = answer
        await drain(engine, sender)
        assert (len(await engine.dead_letters()), sender.pauses(), await engine.pauses(["main"])) == (10, {}, {})

    async def test_the_letter_keeps_how_often_it_was_posted_and_what_was_said_last(
        self, engine: Engine, sends: Senders, platform: Platform
    ) -> None:
        sender = sends(engine)
        await queue(engine, CHATS[0])
        for answer in (no(500), no(500), no(400, "INVALID_DESTINATION")):
            platform.answer = answer
            await drain(engine, sender)
            await later(engine, 60)
        (letter,) = await engine.dead_letters()
        assert (letter.reason, letter.tries, letter.crashes) == ("INVALID_DESTINATION", 3, 0)
        assert letter.detail.startswith("400 INVALID_DESTINATION: Correct the destination")


class TestThrottled:
    @pytest.mark.parametrize(
        ("header", "least", "most"),
        [("7", 7, 8), ("0.5", 0.5, 1.5), ("in a while", 0, 1), ("999999999", 3600, 3601), ("-5", 0, 1), (timedelta(seconds=90), 88, 91)],
    )
    async def test_the_number_pauses_for_as_long_as_it_was_told_in_either_form_and_never_without_end(
        self, engine: Engine, sends: Senders, platform: Platform, header: str | timedelta, least: float, most: float
    ) -> None:
        sender = sends(engine)
        await queue(engine, CHATS[0])
        said = header if isinstance(header, str) else format_datetime(datetime.now(UTC) + header, usegmt=True)
        platform.answer = no(429, **{"Retry-After": said})
        before = (await engine.chat(place(engine, CHATS[0]).key)).now
        await drain(engine, sender)
        after = (await engine.chat(place(engine, CHATS[0]).key)).now
        until = int(await engine._calls.command("GET", f"{base(0)}:paused:main"))
        assert before + 1000 * least <= until <= after + 1000 * most
        assert sender.pauses() == {}  # the platform works: no probe is needed
