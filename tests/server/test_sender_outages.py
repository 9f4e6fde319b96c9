"""The way out while the platform is in trouble or refuses the number: who waits, who tries, what is told; in one process and in two."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import orjson
import pytest
from aiohttp import web
from redis import Redis

from pilotbot.engine import HOUR, WINDOW, Arrival, ChatKey, Engine, Item, Notice, Place, Terms
from pilotbot.engine.keys import base
from pilotbot.platform import PilotStatus, PlatformError
from pilotbot.platform.errors import classify, network_error, unreadable
from pilotbot.server.breaker import FAILURES
from pilotbot.server.sender import BLOCKED_WAIT, Sender, troubled

CHATS = [f"+55119876500{n:02}" for n in range(10)]
Answer = Callable[[str], web.Response | None]


def no(status: int, code: str | None = None, **headers: str) -> Answer:
    """Every post is refused like this."""
    return lambda _: web.json_response({"error": "no", "code": code} if code else {"error": "no"}, status=status, headers=headers)


def lost(_: str) -> None:
    """Every post is taken, and its answer is lost."""
    return


def dropped(_: str) -> web.Response:
    """No post arrives, and none is answered."""
    return web.Response(status=499)


@dataclass
class Platform:
    """A small platform. `answer` is given the chat: what it says, None to take the post. `held`: posts are answered once it is set."""

    answer: Answer | None = None
    posts: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    history_is_away: bool = False
    held: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        who = body["destinationNumber"]
        self.posts.append(who)
        self.arrived.set()
        if self.held is not None:
            await self.held.wait()
        answer = self.answer(who) if self.answer is not None else None
        if answer is None or answer.status == 202:
            self.taken.setdefault(request.headers["Idempotency-Key"], who)
        if self.answer is lost or (answer is not None and answer.status == 499):
            assert request.transport is not None
            request.transport.abort()
        return answer or web.json_response({"id": f"p{len(self.taken)}", "status": "QUEUED"}, status=202)

    async def history(self, _: web.Request) -> web.StreamResponse:
        if self.history_is_away:
            return web.json_response({"error": "no"}, status=500)
        rows = [
            {"id": f"p{n}", "direction": "OUTBOUND", "text": "Your order is packed.", "participantPhone": who}
            for n, who in enumerate(self.taken.values(), 1)
        ]
        return web.json_response({"messages": rows, "total": len(rows), "page": 1, "totalPages": 1})


Senders = Callable[[Engine], Sender]


@pytest.fixture
async def platform() -> Platform:
    return Platform()


@pytest.fixture
async def sends(platform: Platform) -> AsyncIterator[Senders]:
    """Makes senders, each as in a process of its own."""
    app = web.Application()
    app.add_routes([web.post("/v1/messages/send", platform.post), web.get("/v1/messages/history", platform.history)])
    runner = web.AppRunner(app, access_log=None)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        client = await stack.enter_async_context(PilotStatus(url, api_key="key", random=lambda: 0.0))
        yield lambda engine: Sender(engine, {"main": client}, counts=Counter())


@pytest.fixture
async def other(redis_url: str) -> AsyncIterator[Engine]:
    """The engine of another process."""
    opened = Engine(redis_url, shards=2, terms=Terms(patience=200))
    await opened.open()
    yield opened
    await opened.close()


def place(engine: Engine, who: str) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def queue(engine: Engine, *who: str, enforced: bool = False) -> None:
    """One item for each of these."""
    for one in who:
        body = orjson.dumps({"destinationNumber": one, "text": "Your order is packed."})
        notice = Notice(place=place(engine, one), items=(Item(id=f"item-{one}", free=body, enforced=enforced),))
        assert (await engine.enqueue(notice))[0] == "ok"


async def later(engine: Engine, seconds: float) -> None:
    await engine.advance(await engine.advance(0) + round(seconds * 1000))


async def begin(engine: Engine, sender: Sender) -> None:
    """Begin to send what is due, all at once."""
    for lanes, notes in [await engine.claim_lanes(shard, 50) for shard in range(engine.shards)]:
        sender.note(notes)
        for lane in lanes:
            sender.offer(lane)


async def finish(sender: Sender) -> None:
    async with asyncio.timeout(20):
        while sender._tasks:
            await asyncio.wait(list(sender._tasks))


async def drain(engine: Engine, sender: Sender) -> None:
    await begin(engine, sender)
    await finish(sender)


async def tries(engine: Engine) -> list[int]:
    """How often each item was tried, of those that wait."""
    views = [await engine.chat(place(engine, who).key) for who in CHATS]
    return [int(view.fields.get("o:tries", b"0")) for view in views if view.waiting_items]


def told(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level and record.name.endswith("sender")]


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


async def writes(engine: Engine, who: str) -> None:
    await engine.accept(Arrival(place=place(engine, who), id="hi", body=b"{}", at=None, opens_window=True))


async def outage(engine: Engine, sender: Sender, platform: Platform, first: Answer, hours: int) -> int:
    """A message whose first post is lost, then hours without a platform. Returns how many posts of it there were."""
    await writes(engine, CHATS[0])
    await queue(engine, CHATS[0], enforced=True)
    platform.answer = first
    await drain(engine, sender)
    platform.answer, platform.history_is_away = no(500), True
    for _ in range(hours):
        await later(engine, 3600)
        await drain(engine, sender)
    return len(platform.posts)


def waiting(engine: Engine, who: str) -> ChatKey:
    return place(engine, who).key


@pytest.fixture
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own short waits between its looks at the history take no time: it draws 0."""
    monkeypatch.setattr("pilotbot.platform.client.PATIENCE", 0.0)


@pytest.mark.usefixtures("no_sleep")
class TestTwentyFiveHours:
    async def test_a_message_that_arrived_is_found_and_not_posted_again(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        posts = await outage(engine, sender, platform, lost, 25)
        platform.answer, platform.history_is_away = None, False
        await later(engine, 3600)
        await drain(engine, sender)
        await drain(engine, sender)
        assert len(platform.posts) == posts <= 1 + WINDOW // HOUR  # none after the platform may have forgotten the key
        assert list(platform.taken.values()) == [CHATS[0]]
        assert ((await engine.chat(waiting(engine, CHATS[0]))).waiting_items, await engine.dead_letters()) == (0, [])
        record = await engine.find_record("p1")
        assert record is not None
        assert record.item == f"item-{CHATS[0]}"

    async def test_a_message_that_nobody_saw_is_decided_once_by_a_person(self, engine: Engine, sends: Senders, platform: Platform) -> None:
        sender = sends(engine)
        posts = await outage(engine, sender, platform, dropped, 25)
        platform.answer, platform.history_is_away = None, False
        for _ in range(3):
            await later(engine, 3600)
            await drain(engine, sender)
        assert len(platform.posts) == posts
        assert platform.taken == {}
        (letter,) = await engine.dead_letters()
        assert letter.reason == "unknown-outcome"
        assert letter.tries == 1 + 25  # the looks at a history that was away count as well
