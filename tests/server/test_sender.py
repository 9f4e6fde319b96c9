"""The way out: what is done after each kind of post (pure), and the same against a platform that loses answers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from pilotbot.engine import HOUR, WINDOW, Arrival, ChatKey, Engine, Item, Lane, Notice, Place
from pilotbot.engine.keys import base
from pilotbot.platform import Family, PilotStatus, PlatformError
from pilotbot.server.sender import KEY_MEMORY, Sender, Verdict, forgotten, judge, must_look_up, to_post

ANA = "+5511987650001"
T0 = 1_800_000_000_000  # some moment, in business milliseconds
FREE = orjson.dumps({"destinationNumber": ANA, "text": "Your order is packed."})
TEMPLATE = orjson.dumps({"destinationNumber": ANA, "templateId": "order_status", "variables": {}})
ITEM = Item(id="one", free=FREE, template=TEMPLATE, enforced=True)
LANE = Lane(ChatKey(0, "c"), "w|1", ITEM, "free", tries=0, unknown=False, first_post=T0, inbound=str(T0), number="main", now=T0)


def error(family: Family, **more: Any) -> PlatformError:
    return PlatformError(family, remedy="", **more)


LANES = st.builds(
    Lane, st.just(LANE.key), st.just("w|1"), st.builds(replace, st.just(ITEM), again=st.booleans(), enforced=st.booleans()),
    st.sampled_from(["free", "template"]), tries=st.integers(0, 40), unknown=st.booleans(), first_post=st.integers(T0, T0 + 48 * HOUR),
    inbound=st.one_of(st.just(""), st.integers(T0 - 48 * HOUR, T0).map(str)), number=st.just("main"), now=st.integers(T0, T0 + 99 * HOUR),
)  # fmt: skip
ERRORS = st.builds(
    error, st.sampled_from(Family), retry_after=st.one_of(st.none(), st.floats(0, 3600)), outcome_unknown=st.booleans(),
    status=st.one_of(st.none(), st.sampled_from([400, 409, 429, 500])),
)  # fmt: skip


class TestToPost:
    def test_a_time_that_was_over_before_the_first_post_is_left_out_of_every_post(self) -> None:
        at = T0 + 60_000
        body = orjson.dumps({"text": "Later", "deliverAt": "2027-01-15T08:01:00Z", "labels": ["vip"]})
        lane = replace(LANE, item=replace(ITEM, free=body, deliver_at=at))
        for now in (T0, at + HOUR):
            assert to_post(replace(lane, now=now)) == body
        late = replace(lane, first_post=at - 4_000)
        assert orjson.loads(to_post(late)) == {"text": "Later", "labels": ["vip"]}
        assert to_post(replace(late, now=T0 + HOUR)) == to_post(late)


class TestJudge:
    @pytest.mark.parametrize(
        ("family", "more", "lane", "expected"),
        [
            (Family.ALREADY_SENT, {}, {}, Verdict("sent")),
            (Family.WINDOW, {}, {}, Verdict("again")),
            (Family.WINDOW, {}, {"pin": "template"}, Verdict("dead")),
            (Family.WINDOW, {}, {"item": ITEM.decided_again()}, Verdict("dead")),
            (Family.REFUSED, {}, {}, Verdict("dead")),
            (Family.BLOCKED, {}, {"tries": 99}, Verdict("retry", 60.0, pause_number=True)),
            (Family.BLOCKED, {"retry_after": 5.0}, {"unknown": True}, Verdict("retry", 5.0, unknown=True, pause_number=True)),
            (Family.THROTTLED, {"retry_after": 2.0}, {}, Verdict("retry", 2.5, pause_number=True)),
            (Family.RETRY, {}, {"tries": 0}, Verdict("retry", 0.5)),
            (Family.RETRY, {"outcome_unknown": True}, {"tries": 2}, Verdict("retry", 2.0, unknown=True)),
            (Family.RETRY, {}, {"unknown": True}, Verdict("retry", 0.5, unknown=True)),
            (Family.UNREADABLE, {"outcome_unknown": True}, {"tries": 4}, Verdict("retry", 8.0, unknown=True)),
            (Family.UNREADABLE, {"outcome_unknown": True}, {"tries": 5}, Verdict("dead", unknown=True)),
            (Family.UNREADABLE, {}, {"tries": 5}, Verdict("dead")),
        ],
    )
    def test_by_family(self, family: Family, more: dict[str, Any], lane: dict[str, Any], expected: Verdict) -> None:
        assert judge(error(family, **more), replace(LANE, **lane), lambda: 0.5) == expected

    @given(ERRORS, LANES)
    def test_only_a_definite_refusal_lifts_the_pin_and_only_once(self, problem: PlatformError, lane: Lane) -> None:
        if judge(problem, lane).what == "again":
            assert problem.family is Family.WINDOW
            assert lane.pin == "free"
            assert not lane.item.again

    @given(ERRORS, LANES)
    def test_what_may_have_arrived_stays_so_through_every_retry(self, problem: PlatformError, lane: Lane) -> None:
        verdict = judge(problem, lane)
        if verdict.what == "retry":
            blocked = problem.family is Family.BLOCKED  # a definite no of this attempt
            assert verdict.unknown == (lane.unknown or (problem.outcome_unknown and not blocked))

    @given(ERRORS, LANES)
    def test_a_retry_waits_as_long_as_it_was_told_and_never_without_end(self, problem: PlatformError, lane: Lane) -> None:
        verdict = judge(problem, lane)
        assert (problem.retry_after or 0) <= verdict.delay <= 3_700 if verdict.what == "retry" else verdict.delay == 0

    @given(ERRORS, LANES)
    def test_no_trouble_of_the_number_or_of_the_network_loses_a_message(self, problem: PlatformError, lane: Lane) -> None:
        if problem.family in {Family.BLOCKED, Family.THROTTLED, Family.RETRY}:
            assert judge(problem, lane).what == "retry"


class TestLookUp:
    @pytest.mark.parametrize(
        ("lane", "expected"),
        [
            ({}, False),
            ({"now": T0 + 90 * HOUR}, False),  # nothing was posted that might have arrived
            ({"unknown": True}, False),
            ({"unknown": True, "inbound": str(T0 - WINDOW + 1)}, False),
            ({"unknown": True, "inbound": str(T0 - WINDOW)}, True),
            ({"unknown": True, "inbound": str(T0 - WINDOW), "pin": "template"}, False),
            ({"unknown": True, "inbound": str(T0 - WINDOW), "item": replace(ITEM, enforced=False)}, False),
            ({"unknown": True, "inbound": ""}, False),
            ({"unknown": True, "inbound": "", "now": T0 + KEY_MEMORY - 1}, False),
            ({"unknown": True, "inbound": "", "now": T0 + KEY_MEMORY}, True),
            ({"unknown": True, "pin": "template", "now": T0 + KEY_MEMORY}, True),
        ],
    )
    def test_by_table(self, lane: dict[str, Any], expected: bool) -> None:
        assert must_look_up(replace(LANE, **lane)) is expected

    @given(LANES, st.integers(0, 48 * HOUR))
    def test_what_must_be_looked_up_must_be_later_too(self, lane: Lane, later: int) -> None:
        after = replace(lane, now=lane.now + later)
        assert not must_look_up(lane) or must_look_up(after)
        assert not forgotten(lane) or forgotten(after)

    @given(LANES)
    def test_nothing_is_repeated_blindly_past_the_edge_or_the_memory_of_the_key(self, lane: Lane) -> None:
        if lane.unknown and not must_look_up(lane):
            assert not forgotten(lane)
            assert lane.pin == "template" or not lane.item.enforced or not lane.inbound or lane.now < int(lane.inbound) + WINDOW


Answer = tuple[int, dict[str, Any]] | str


@dataclass
class Platform:
    """A small platform: answers posts as it is told, then takes them; tells its history. "lose": took it, drops the connection."""

    script: list[Answer] = field(default_factory=list)
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    unread: int = 0
    before: list[dict[str, Any]] = field(default_factory=list)
    pages: list[dict[str, str]] = field(default_factory=list)
    on_post: Callable[[], None] | None = None

    async def post(self, request: web.Request) -> web.StreamResponse:
        raw, key = await request.read(), request.headers["Idempotency-Key"]
        self.posts.append((key, raw))
        if self.on_post is not None:
            self.on_post()
        answer = self.script.pop(0) if self.script else "take"
        if isinstance(answer, tuple):
            return web.json_response(answer[1], status=answer[0])
        if answer != "drop":
            self.taken.setdefault(key, {"id": f"p{len(self.taken) + 1}", "raw": orjson.loads(raw)})
        if answer in {"lose", "drop"}:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.json_response({"id": self.taken[key]["id"], "status": "QUEUED"}, status=202)

    async def history(self, request: web.Request) -> web.StreamResponse:
        self.pages.append(dict(request.query))
        if self.unread > 0:
            self.unread -= 1
            return web.json_response({"error": "not now"}, status=403)
        ours = [
            {"id": one["id"], "direction": "OUTBOUND", "text": one["raw"].get("text"), "participantPhone": one["raw"]["destinationNumber"]}
            for one in self.taken.values()
        ]
        rows = [*self.before, *ours]
        size, page = int(request.query["pageSize"]), int(request.query["page"])
        shown = rows[(page - 1) * size : page * size]
        return web.json_response({"messages": shown, "total": len(rows), "page": page, "totalPages": -(-len(rows) // size)})


@pytest.fixture
async def platform() -> Platform:
    return Platform()


@pytest.fixture
async def sender(platform: Platform, engine: Engine) -> AsyncIterator[Sender]:
    app = web.Application()
    app.add_routes([web.post("/v1/messages/send", platform.post), web.get("/v1/messages/history", platform.history)])
    runner = web.AppRunner(app, access_log=None)
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        client = await stack.enter_async_context(PilotStatus(f"http://127.0.0.1:{runner.addresses[0][1]}", api_key="key"))
        yield Sender(engine, {"main": client}, counts=Counter())


def place(engine: Engine, who: str = ANA) -> Place:
    return Place(key=engine.keys.chat("main", who), number="main", kind="contact", address=who)


async def writes(engine: Engine, id_: str = "hi") -> None:
    """Ana writes: her window is open."""
    await engine.accept(Arrival(place=place(engine), id=id_, body=b"{}", at=None, opens_window=True))


async def queue(engine: Engine, *items: Item) -> None:
    for item in items:
        assert (await engine.enqueue(Notice(place=place(engine), items=(item,))))[0] == "ok"


async def later(engine: Engine, how_long: int) -> None:
    await engine.advance(await engine.advance(0) + how_long)


async def drain(engine: Engine, sender: Sender) -> None:
    """Send what is due now, each lane to its end."""
    for shard in range(engine.shards):
        lanes, notes = await engine.claim_lanes(shard, 10)
        sender.note(notes)
        for lane in lanes:
            sender.offer(lane)
    while sender._tasks:
        await asyncio.wait(list(sender._tasks))


async def waiting(engine: Engine) -> int:
    return (await engine.chat(place(engine).key)).waiting_items


KEYS = (ITEM.key("free"), ITEM.key("template"))


class TestSending:
    async def test_items_of_a_chat_go_in_order_each_under_its_own_key(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        items = [replace(ITEM, id=f"i{n}", enforced=False) for n in range(5)]
        await queue(engine, *items)
        await drain(engine, sender)
        assert [key for key, _ in platform.posts] == [item.key("free") for item in items]
        assert len({key for key, _ in platform.posts}) == 5
        assert await waiting(engine) == 0

    @pytest.mark.parametrize(
        "script",
        [
            ["lose"],
            ["drop", "lose", "drop"],
            [(500, {}), (503, {"code": "UPSTREAM_ERROR"}), "lose"],
            [(429, {"retryAfterSeconds": 1}), (409, {"code": "IDEMPOTENCY_KEY_IN_USE"}), (409, {"code": "NUMBER_BLOCKED"})],
            [(401, {}), (402, {"code": "INSUFFICIENT_FUNDS"}), (404, {}), (502, {"code": "PAYMENT_PROVIDER_ERROR"})],
        ],
    )
    async def test_a_retry_never_changes_key_or_bytes_and_the_platform_takes_one(
        self, engine: Engine, sender: Sender, platform: Platform, script: list[Answer]
    ) -> None:
        await writes(engine)
        await queue(engine, ITEM)
        platform.script = list(script)
        for _ in range(len(script) + 1):
            await drain(engine, sender)
            await later(engine, HOUR)
        assert platform.posts == [(KEYS[0], FREE)] * (len(script) + 1)
        assert len(platform.taken) == 1
        assert await waiting(engine) == 0

    async def test_the_pin_holds_though_the_margin_begins_between_the_tries(
        self, engine: Engine, sender: Sender, platform: Platform
    ) -> None:
        await writes(engine)
        await later(engine, WINDOW - 10 * 60_000)
        await queue(engine, ITEM)
        platform.script = ["lose", "lose"]
        await drain(engine, sender)
        await later(engine, 9 * 60_000)  # within the margin: no first free-form post any more, a repeat all the same
        await drain(engine, sender)
        assert platform.posts == [(KEYS[0], FREE)] * 2
        assert platform.pages == []

    async def test_a_definite_refusal_for_the_window_is_decided_again_once_under_another_key(
        self, engine: Engine, sender: Sender, platform: Platform
    ) -> None:
        await writes(engine)
        await queue(engine, ITEM)
        platform.script = [(400, {"code": "META_OUTSIDE_24H_WINDOW"})]
        await drain(engine, sender)
        await drain(engine, sender)
        assert platform.posts == [(KEYS[0], FREE), (KEYS[1], TEMPLATE)]

    async def test_what_can_never_go_is_a_dead_letter_and_the_next_one_goes(
        self, engine: Engine, sender: Sender, platform: Platform
    ) -> None:
        await queue(engine, replace(ITEM, enforced=False), replace(ITEM, id="two", enforced=False))
        platform.script = [(400, {"code": "INVALID_DESTINATION", "error": f"{ANA} is odd"})]
        await drain(engine, sender)
        await drain(engine, sender)
        (letter,) = await engine.dead_letters()
        assert (letter.kind, letter.reason, ANA in letter.detail) == ("send", "INVALID_DESTINATION", False)
        assert len(platform.taken) == 1

    async def test_a_key_that_was_used_in_an_earlier_life_counts_as_sent(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        await queue(engine, replace(ITEM, enforced=False))
        platform.script = [(409, {"code": "IDEMPOTENCY_KEY_REUSED"})]
        await drain(engine, sender)
        assert (await waiting(engine), await engine.dead_letters(), len(platform.posts)) == (0, [], 1)

    async def test_an_item_of_a_number_that_is_not_configured_is_a_dead_letter(self, engine: Engine, sender: Sender) -> None:
        there = Place(key=engine.keys.chat("gone", ANA), number="gone", kind="contact", address=ANA)
        await engine.enqueue(Notice(place=there, items=(replace(ITEM, enforced=False),)))
        await drain(engine, sender)
        assert [letter.reason for letter in await engine.dead_letters()] == ["no-number"]

    async def test_a_process_that_slept_past_its_lease_does_not_post(
        self, engine: Engine, sender: Sender, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As SIGSTOP does between the lease and the post: the clock moves on, the lease is somebody else's by now."""
        await queue(engine, replace(ITEM, enforced=False))
        clock = iter([0.0, engine.terms.lease / 1000])
        monkeypatch.setattr("pilotbot.server.sender.time", SimpleNamespace(monotonic=lambda: next(clock)))
        await drain(engine, sender)
        assert platform.posts == []

    async def test_an_answer_that_comes_after_the_lease_was_lost_changes_nothing(
        self, engine: Engine, sender: Sender, platform: Platform, redis: Redis
    ) -> None:
        item = replace(ITEM, enforced=False)
        await queue(engine, item)
        key = place(engine).key
        platform.on_post = lambda: redis.hset(f"{base(key.shard)}:lane:owner", key.id, "other|9")  # type: ignore[assignment]
        await drain(engine, sender)
        assert await waiting(engine) == 1  # the other one has it, posts it under the same key, and removes it
        assert len(platform.taken) == 1


async def past_the_edge(engine: Engine, sender: Sender, platform: Platform, first: Answer) -> None:
    """A free-form item whose first post got no answer, looked at again when the window is over."""
    await writes(engine)
    await later(engine, WINDOW - 10 * 60_000)
    await queue(engine, ITEM)
    platform.script = [first]
    await drain(engine, sender)
    await later(engine, 11 * 60_000)
    await drain(engine, sender)


class TestUnknownOutcome:
    async def test_past_the_edge_what_the_history_shows_is_not_posted_again(
        self, engine: Engine, sender: Sender, platform: Platform, redis: Redis
    ) -> None:
        await past_the_edge(engine, sender, platform, "lose")
        assert platform.posts == [(KEYS[0], FREE)]
        assert await waiting(engine) == 0
        record = await engine.find_record("p1")
        assert record is not None
        assert (record.item, record.pin) == (ITEM.id, "free")

    async def test_past_the_edge_what_it_does_not_show_goes_again_with_the_same_bytes_under_the_same_key(
        self, engine: Engine, sender: Sender, platform: Platform
    ) -> None:
        await past_the_edge(engine, sender, platform, "drop")
        assert len(platform.pages) == 1
        assert platform.posts == [(KEYS[0], FREE)] * 2
        assert await waiting(engine) == 0

    @pytest.mark.parametrize(
        "row",
        [
            {"direction": "INBOUND"},
            {"text": "Your order is packed!"},
            {"text": None},
            {"participantPhone": "+5521998760002"},
        ],
    )
    async def test_another_message_of_the_history_is_not_taken_for_it(
        self, engine: Engine, sender: Sender, platform: Platform, row: dict[str, Any]
    ) -> None:
        platform.before = [{"id": "x", "direction": "OUTBOUND", "text": "Your order is packed.", "participantPhone": ANA, **row}]
        await past_the_edge(engine, sender, platform, "drop")
        assert len(platform.posts) == 2

    async def test_a_contact_is_known_in_the_history_by_either_spelling(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        platform.before = [{"id": "x", "direction": "OUTBOUND", "text": "Your order is packed.", "participantPhone": "+551187650001"}]
        await past_the_edge(engine, sender, platform, "drop")
        assert len(platform.posts) == 1

    async def test_the_same_words_of_an_earlier_item_are_that_items(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        """ "One moment..." said twice: the first is in the history and recorded, the second was lost on its way."""
        await writes(engine)
        await later(engine, WINDOW - 10 * 60_000)
        await queue(engine, replace(ITEM, id="earlier"), ITEM)
        platform.script = ["take", "drop"]
        await drain(engine, sender)
        await later(engine, 11 * 60_000)
        await drain(engine, sender)
        assert [key for key, _ in platform.posts][1:] == [KEYS[0]] * 2
        assert len(platform.taken) == 2

    async def test_it_is_found_on_a_later_page_too(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        platform.before = [{"id": f"x{n}", "direction": "OUTBOUND", "text": "else", "participantPhone": ANA} for n in range(250)]
        await past_the_edge(engine, sender, platform, "lose")
        assert [page["page"] for page in platform.pages] == ["1", "2", "3"]
        assert len(platform.posts) == 1

    async def test_after_23_hours_what_the_history_does_not_show_is_for_a_person_to_decide(
        self, engine: Engine, sender: Sender, platform: Platform
    ) -> None:
        await queue(engine, replace(ITEM, enforced=False))
        platform.script = ["drop"]
        await drain(engine, sender)
        await later(engine, 23 * HOUR)
        await drain(engine, sender)
        (letter,) = await engine.dead_letters()
        assert (letter.reason, len(platform.posts), await waiting(engine)) == ("unknown-outcome", 1, 0)

    async def test_before_that_it_goes_again(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        await queue(engine, replace(ITEM, enforced=False))
        platform.script = ["drop"]
        await drain(engine, sender)
        await later(engine, 23 * HOUR - 60_000)
        await drain(engine, sender)
        assert (len(platform.posts), platform.pages) == (2, [])

    async def test_a_history_that_cannot_be_read_says_nothing(self, engine: Engine, sender: Sender, platform: Platform) -> None:
        """Neither that it may go again, nor that it never will: it is asked for later."""
        await queue(engine, replace(ITEM, enforced=False))
        platform.script, platform.unread = ["lose"], 1
        await drain(engine, sender)
        await later(engine, 23 * HOUR)
        await drain(engine, sender)
        assert (await engine.dead_letters(), len(platform.posts), await waiting(engine)) == ([], 1, 1)
        await later(engine, HOUR)
        await drain(engine, sender)
        assert (await engine.dead_letters(), len(platform.posts), await waiting(engine)) == ([], 1, 0)

    async def test_a_sender_that_died_is_a_post_of_unknown_outcome(
        self, engine: Engine, sender: Sender, platform: Platform, redis: Redis
    ) -> None:
        await queue(engine, replace(ITEM, enforced=False))
        key = place(engine).key
        await engine.claim_lanes(key.shard, 10)
        redis.zadd(f"{base(key.shard)}:lane:lease", {key.id: 0})
        await later(engine, 23 * HOUR)
        await drain(engine, sender)
        assert [letter.reason for letter in await engine.dead_letters()] == ["unknown-outcome"]
