import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from pilotbot.platform import Family, PilotStatus, PlatformError, SendRequest
from pilotbot.platform.client import BODY_MAX, host_of

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
HELLO = SendRequest(destination_number="+5511987650001", text="Olá")
ACCEPTED = {"id": "cmn8outdemo0001", "correlationId": "corr_demo_4312", "status": "QUEUED", "sourceNumber": None}


@dataclass
class Platform:
    """A platform that answers as told: one entry of `answers` for each request, the last one for ever."""

    answers: list[Answer]
    seen: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.raw_path, request.headers, await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def client(self, base: str = "", timeout: float = 10, **credentials: str) -> PilotStatus:
        return PilotStatus(
            base or self.url,
            timeout=timeout,
            sleep=self.wait,
            random=lambda: 0.5,
            clock=lambda: 1_795_000_000.0,
            **(credentials or {"api_key": "ps_sandbox_number"}),  # type: ignore[arg-type]  # names checked by the callee
        )


def reply(status: int = 200, document: object = None, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(document, status=status, headers=headers)

    return answer


def raw(status: int, body: bytes, content_type: str = "text/html") -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type=content_type)

    return answer


async def drop(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def never(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


ok = reply(202, ACCEPTED)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    fake = Platform([ok])
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{rest:.*}", fake.handle)
    async with TestServer(app) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


async def test_post_sends_the_stored_bytes_with_the_contracts_headers(platform: Platform) -> None:
    async with platform.client(api_key="ps_k", number_id="num_1") as client:
        accepted = await client.post(b'{"text" : "as stored"}', "key-1")
    [(method, path, headers, body)] = platform.seen
    assert (method, path, body) == ("POST", "/v1/messages/send", b'{"text" : "as stored"}')
    assert (headers["x-api-key"], headers["x-whatsapp-number-id"]) == ("ps_k", "num_1")
    assert (headers["Idempotency-Key"], headers["content-type"]) == ("key-1", "application/json")
    assert headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in headers
    assert (accepted.id, accepted.correlation_id, accepted.replayed) == ("cmn8outdemo0001", "corr_demo_4312", False)


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_v1_is_never_doubled(platform: Platform, suffix: str) -> None:
    platform.answers = [ok, reply(200, [])]
    async with platform.client(platform.url + suffix, api_key_id="id_1") as client:
        await client.post(b"{}", "k")
        await client.webhooks()
        await client.http.get("/v1/numbers")
    assert [path for _, path, _, _ in platform.seen] == ["/v1/messages/send", "/v1/webhooks", "/v1/numbers"]
    assert all(headers["x-api-key-id"] == "id_1" and "x-api-key" not in headers for _, _, headers, _ in platform.seen)


async def test_a_replay_is_noticed(platform: Platform) -> None:
    platform.answers = [reply(202, ACCEPTED, {"Idempotent-Replayed": "true"})]
    async with platform.client() as client:
        assert (await client.post(b"{}", "k")).replayed


async def test_send_repeats_the_same_bytes_under_the_same_key(platform: Platform) -> None:
    platform.answers = [drop, reply(500, {"error": "x"}), raw(200, b"<html>"), ok]
    async with platform.client() as client:
        assert (await client.send(HELLO, idempotency_key="k1")).id == "cmn8outdemo0001"
    assert len(platform.seen) == 4
    assert {body for *_, body in platform.seen} == {HELLO.to_bytes()}
    assert {headers["Idempotency-Key"] for _, _, headers, _ in platform.seen} == {"k1"}
    assert platform.waits == [0.5, 1.0, 2.0]


async def test_send_gives_up_after_its_attempts(platform: Platform) -> None:
    platform.answers = [reply(503, {"error": "x", "code": "UPSTREAM_ERROR"})]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as refused:
            await client.send(HELLO, idempotency_key="k1", attempts=2)
    assert (refused.value.family, refused.value.code, len(platform.seen)) == (Family.RETRY, "UPSTREAM_ERROR", 2)


async def test_send_waits_as_long_as_it_is_told_but_not_for_ever(platform: Platform) -> None:
    platform.answers = [
        reply(429, {"error": "x"}, {"Retry-After": "7"}),
        reply(429, {"error": "x", "retryAfterSeconds": 61}),
        ok,
    ]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as refused:
            await client.send(HELLO, idempotency_key="k1")
    assert platform.waits == [7.5]
    assert (refused.value.family, refused.value.retry_after) == (Family.THROTTLED, 61)


@pytest.mark.parametrize(
    ("status", "document", "family"),
    [
        (400, {"error": "x", "code": "INVALID_DESTINATION"}, Family.REFUSED),
        (401, {"error": "x"}, Family.BLOCKED),
        (404, {"error": "x"}, Family.REFUSED),
        (409, {"error": "x", "code": "IDEMPOTENCY_KEY_REUSED"}, Family.ALREADY_SENT),
        (409, {"error": "x", "code": "NUMBER_BLOCKED", "reason": "extra_charge_unpaid"}, Family.BLOCKED),
    ],
)
async def test_what_cannot_succeed_is_not_repeated(platform: Platform, status: int, document: object, family: Family) -> None:
    platform.answers = [reply(status, document)]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as refused:
            await client.send(HELLO, idempotency_key="k1")
    assert (refused.value.family, refused.value.status, len(platform.seen)) == (family, status, 1)


async def test_a_dropped_connection_leaves_the_outcome_unknown(platform: Platform) -> None:
    platform.answers = [drop]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as lost:
            await client.post(b"{}", "k")
    assert (lost.value.family, lost.value.outcome_unknown, len(platform.seen)) == (Family.RETRY, True, 1)


@pytest.mark.parametrize("call", [lambda c: c.post(b"{}", "k"), lambda c: c.delete_webhook("wh_1")])
@pytest.mark.parametrize("answer", [never, drip])
async def test_silence_times_out_with_the_outcome_unknown(
    platform: Platform, call: Callable[[PilotStatus], Awaitable[object]], answer: Answer
) -> None:
    platform.answers = [answer]
    async with platform.client(timeout=0.05) as client:
        with pytest.raises(PlatformError) as lost:
            await call(client)
    assert (lost.value.family, lost.value.outcome_unknown) == (Family.RETRY, True)


@pytest.mark.parametrize("call", [lambda c: c.post(b"{}", "k"), lambda c: c.templates()])
async def test_nobody_listening_is_known_not_to_have_left(platform: Platform, call: Callable[[PilotStatus], Awaitable[object]]) -> None:
    async with platform.client(f"http://127.0.0.1:{unused_port()}") as client:
        with pytest.raises(PlatformError) as lost:
            await call(client)
    assert (lost.value.family, lost.value.outcome_unknown) == (Family.RETRY, False)


@pytest.mark.parametrize("body", [b"", b"<html>hi</html>", b"\xff\xfe", b'{"id":"' + b"x" * (BODY_MAX + 10) + b'"}'])
async def test_odd_bodies_of_success_are_survived(platform: Platform, body: bytes) -> None:
    platform.answers = [raw(200, body)]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as sent:
            await client.post(b"{}", "k")
        with pytest.raises(PlatformError) as read:
            await client.get("m1")
    assert (sent.value.family, sent.value.outcome_unknown) == (Family.UNREADABLE, True)
    assert (read.value.family, read.value.outcome_unknown) == (Family.UNREADABLE, False)


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"x" * (BODY_MAX + 10)])
async def test_odd_bodies_of_errors_are_survived(platform: Platform, body: bytes) -> None:
    platform.answers = [raw(502, body)]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as sent:
            await client.post(b"{}", "k")
    assert (sent.value.family, sent.value.status, sent.value.code) == (Family.RETRY, 502, None)


async def test_a_body_that_lies_about_its_compression_is_survived(platform: Platform) -> None:
    platform.answers = [reply(200, {}, {"Content-Encoding": "gzip"})]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as sent:
            await client.post(b"{}", "k")
        with pytest.raises(PlatformError) as read:
            await client.webhooks()
    assert sent.value.outcome_unknown
    assert read.value.family is Family.UNREADABLE


async def test_a_page_in_place_of_an_answer_is_no_success(platform: Platform) -> None:
    platform.answers = [raw(200, b"<html>hi</html>")]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as read:
            await client.delete_webhook("wh_1")
    assert (read.value.family, read.value.outcome_unknown) == (Family.UNREADABLE, True)


async def test_redirects_are_not_followed_with_the_key(platform: Platform) -> None:
    platform.answers = [reply(307, {}, {"Location": "/elsewhere"})]
    async with platform.client() as client:
        with pytest.raises(PlatformError) as moved:
            await client.post(b"{}", "k")
    assert (moved.value.family, len(platform.seen)) == (Family.BLOCKED, 1)


async def test_reads_are_repeated_and_changes_are_not(platform: Platform) -> None:
    platform.answers = [reply(500), drop, reply(200, {"id": "m1", "status": "SENT"})]
    async with platform.client() as client:
        assert (await client.get("wamid.HBg/==+")).status == "SENT"
        assert {path for _, path, _, _ in platform.seen} == {"/v1/messages/wamid.HBg%2F%3D%3D%2B"}
        platform.answers, platform.seen = [reply(500)], []
        with pytest.raises(PlatformError):
            await client.create_webhook("https://bot.example.com/hook", name="bot", events=["*"])
        with pytest.raises(PlatformError):
            await client.cancel(["m1"])
    assert len(platform.seen) == 2


async def test_typed_calls_speak_the_contract(platform: Platform) -> None:
    day = datetime(2026, 11, 20, 13, tzinfo=UTC)
    hook = {"id": "wh_1", "url": "https://bot.example.com/hook", "events": ["*"], "active": True}
    platform.answers = [
        reply(200, {"cancelled": ["m1"], "failed": []}),
        reply(200, {"messages": [], "total": 0}),
        reply(201, {"id": "tpl_1", "name": "ok", "category": "UTILITY", "metaStatus": "PENDING"}),
        reply(201, hook),
        reply(200, {**hook, "active": False}),
        raw(204, b""),
        reply(200, {"id": "tpl_1", "name": "ok", "metaStatus": "PENDING"}),
        raw(204, b""),
        reply(200, [{"event": "message.sent", "status": "SUCCESS", "statusCode": 200, "durationMs": 12}]),
    ]
    async with platform.client() as client:
        assert (await client.cancel(["m1"])).cancelled == ("m1",)
        assert (await client.history(day, day, page=2, page_size=100)).total == 0
        created = await client.create_template("ok", category="UTILITY", language="pt_BR", body="Oi", examples={"a": "b"})
        assert created.meta_status == "PENDING"
        await client.create_webhook("https://bot.example.com/hook", name="bot", events=["*"], number_id="num_1")
        assert (await client.update_webhook("wh_1", active=False, events=[])).active is False
        await client.delete_webhook("wh_1")
        assert (await client.update_template("tpl/1", body={"body": {"text": "Oi"}})).id == "tpl_1"
        await client.delete_template("tpl_1")
        [log] = await client.webhook_logs("wh_1", limit=5, event="message.sent")
    assert (log.status_code, log.duration_ms) == (200, 12)
    assert [(method, path, json.loads(body or b"null")) for method, path, _, body in platform.seen] == [
        ("DELETE", "/v1/messages/cancel", {"messageIds": ["m1"]}),
        (
            "GET",
            "/v1/messages/history?page=2&pageSize=100&startDate=2026-11-20T13%3A00%3A00.000Z&endDate=2026-11-20T13%3A00%3A00.000Z",
            None,
        ),
        (
            "POST",
            "/v1/templates",
            {"name": "ok", "category": "UTILITY", "language": "pt_BR", "body": "Oi", "examples": {"a": "b"}},
        ),
        (
            "POST",
            "/v1/webhooks",
            {"url": "https://bot.example.com/hook", "name": "bot", "events": ["*"], "whatsappNumberId": "num_1"},
        ),
        ("PATCH", "/v1/webhooks/wh_1", {"active": False, "events": []}),
        ("DELETE", "/v1/webhooks/wh_1", None),
        ("PUT", "/v1/templates/tpl%2F1", {"body": {"body": {"text": "Oi"}}}),
        ("DELETE", "/v1/templates/tpl_1", None),
        ("GET", "/v1/webhooks/wh_1/logs?limit=5&event=message.sent", None),
    ]


async def test_local_mistakes_fail_before_anything_leaves(platform: Platform) -> None:
    async with platform.client() as client:
        for key in ("", "x" * 256, "a\r\nb", "é"):
            with pytest.raises(ValueError, match="idempotency key"):
                await client.post(b"{}", key)
        for identifier in ("", ".", ".."):
            with pytest.raises(ValueError, match="id must"):
                await client.get(identifier)
        for ids in ([], ["x"] * 101):
            with pytest.raises(ValueError, match="1 to 100"):
                await client.cancel(ids)
    assert platform.seen == []


@pytest.mark.parametrize("key", ["", "ps_s3cret\n", "ps s3cret", "ps_s3crét"])
def test_a_key_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="x-api-key") as refused:
        PilotStatus("https://pilotstatus.com.br", api_key=key)
    assert "s3cr" not in str(refused.value)


def test_exactly_one_credential_is_needed() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        PilotStatus("https://pilotstatus.com.br")
    with pytest.raises(ValueError, match="exactly one"):
        PilotStatus("https://pilotstatus.com.br", api_key="a", api_key_id="b")


@pytest.mark.parametrize("base", ["", "pilotstatus.com.br", "ftp://x.y", "https://", "https://a.b/?x=1", "https://u:p@a.b"])
def test_a_base_url_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        host_of(base)


async def test_a_borrowed_session_is_left_open(platform: Platform) -> None:
    async with aiohttp.ClientSession() as session:
        async with PilotStatus(platform.url, api_key="k", session=session) as client:
            await client.post(b"{}", "k")
        assert not session.closed


async def test_a_closed_client_says_so(platform: Platform) -> None:
    client = platform.client()
    with pytest.raises(RuntimeError, match="async with"):
        await client.post(b"{}", "k")
    with pytest.raises(RuntimeError, match="async with"):
        await client.templates()
