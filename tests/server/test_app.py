"""The webhook server over real HTTP: what is kept, what is refused and how, and what tells whether the process is ready."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession as Client
from redis import Redis

from pilotbot.engine import Engine, Terms
from pilotbot.engine.embedded import RedisServer
from pilotbot.events import sign
from pilotbot.server.http import Limits
from tests.server.conftest import SECRET, Serve

EXAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "events" / "webhook-examples.json").read_text("utf-8"))
JSON = {"Content-Type": "application/json"}
ENVELOPE = {
    "event": "message.received",
    "data": {"id": "in-1", "messageId": "wamid.1", "numberId": "n", "from": "+5511987650001", "to": "+551140028922", "type": "text",
             "content": "hello", "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")},
}  # fmt: skip
RAW = json.dumps(ENVELOPE).encode()
GOOD = sign(SECRET, RAW)
BODY_MAX = Limits().body


def signed(raw: bytes = RAW, **headers: str) -> dict[str, str]:
    return {**JSON, "x-pilot-status-signature": sign(SECRET, raw), **headers}


def written(redis: Redis) -> tuple[list[str], int]:
    """What is in Redis, and how many scripts ever ran there."""
    calls = redis.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    return sorted(redis.scan_iter(count=1000)), calls


@pytest.fixture
def no_trace(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged as an error, nothing with a traceback."""
    yield
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


async def refused(client: Client, redis: Redis, **request: Any) -> tuple[int, str]:
    """Send what must be refused: its status and code. It must leave nothing behind."""
    before = written(redis)
    async with client.request(request.pop("method", "POST"), request.pop("path", "/webhook"), **request) as answer:
        assert answer.content_type == "application/json"
        body = await answer.json()
        assert set(body) == {"error", "code"}
        assert body["error"]
    assert written(redis) == before
    return answer.status, body["code"]


async def accepted(client: Client, raw: bytes, headers: dict[str, str], path: str = "/webhook") -> str:
    async with client.post(path, data=raw, headers=headers) as answer:
        body = await answer.json()
        assert answer.status == 200, body
        return str(body["status"])


def with_body(raw: bytes, **headers: str) -> dict[str, Any]:
    return {"data": raw, "headers": signed(raw, **headers)}


async def chunks(raw: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), 65_536):
        yield raw[start : start + 65_536]


TOO_MUCH = b'{"event": "%s"}' % (b"x" * BODY_MAX)
DEEP = [b"[" * 10_000, b'{"event": "x", "data": ' + b'{"a":' * 40 + b"1" + b"}" * 41, b'{"a":' * 50_000, b'"\\ud83d' + b"[" * 50_000]

REFUSALS: dict[str, tuple[dict[str, Any], int, str]] = {
    "not JSON": (with_body(b"hello"), 400, "MALFORMED"),
    "cut off": (with_body(RAW[:-1]), 400, "MALFORMED"),
    "not UTF-8": (with_body(RAW.replace(b"hello", b"\xff\xfe")), 400, "MALFORMED"),
    "empty": (with_body(b""), 400, "MALFORMED"),
    "a list": (with_body(b"[" + RAW + b"]"), 400, "MALFORMED"),
    "a text": (with_body(b'"hello"'), 400, "MALFORMED"),
    "nothing": (with_body(b"null"), 400, "MALFORMED"),
    "no event in it": (with_body(b'{"data": {}}'), 400, "MALFORMED"),
    "an event that is no text": (with_body(b'{"event": {"a": 1}}'), 400, "MALFORMED"),
    "too many keys": (with_body(json.dumps({"event": "x", **{str(n): n for n in range(2001)}}).encode()), 400, "MALFORMED"),
    **{f"depth bomb {n}": (with_body(bomb), 400, "MALFORMED") for n, bomb in enumerate(DEEP)},
    "no signature": ({"data": RAW, "headers": JSON}, 401, "UNAUTHENTICATED"),
    "the token in place of a signature": ({"data": RAW, "headers": JSON, "path": f"/webhook?token={SECRET}"}, 401, "UNAUTHENTICATED"),
    "too large": (with_body(TOO_MUCH), 413, "TOO_LARGE"),
    "too large and unsigned": ({"data": TOO_MUCH, "headers": JSON}, 413, "TOO_LARGE"),
    "compressed": (with_body(gzip.compress(RAW), **{"Content-Encoding": "gzip"}), 415, "UNSUPPORTED"),
    "a compressed bomb": (with_body(gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"}), 415, "UNSUPPORTED"),
    "a compression that is none": (with_body(RAW, **{"Content-Encoding": "br"}), 415, "UNSUPPORTED"),
    "a form": (with_body(RAW, **{"Content-Type": "application/x-www-form-urlencoded"}), 415, "UNSUPPORTED"),
    "plain text": (with_body(RAW, **{"Content-Type": "text/plain"}), 415, "UNSUPPORTED"),
    "no content type": (with_body(RAW, **{"Content-Type": ""}), 415, "UNSUPPORTED"),
    "a page": ({"method": "GET", "path": "/index.html"}, 404, "NOT_FOUND"),
    "a path with tags": ({"method": "GET", "path": "/<script>alert(1)</script>"}, 404, "NOT_FOUND"),
    "below the webhook": ({**with_body(RAW), "path": "/webhook/x"}, 404, "NOT_FOUND"),
}  # fmt: skip


class TestRefusals:
    @pytest.mark.parametrize("name", REFUSALS)
    async def test_what_is_not_acceptable_is_refused_as_json_counted_and_leaves_no_trace(
        self, serve: Serve, redis: Redis, no_trace: None, name: str
    ) -> None:
        client, runtime = await serve()
        request, status, code = REFUSALS[name]
        assert await refused(client, redis, **request) == (status, code)
        assert runtime.counts == {f"refused:{code.lower().replace('_', '-')}": 1}

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    async def test_another_method_is_told_the_right_one(self, serve: Serve, redis: Redis, no_trace: None, method: str) -> None:
        client, runtime = await serve()
        async with client.request(method, "/webhook", data=RAW, headers=signed()) as answer:
            assert (answer.status, answer.headers["Allow"], await answer.json()) == (
                405, "POST", {"error": "Method Not Allowed", "code": "METHOD_NOT_ALLOWED"},
            )  # fmt: skip
        assert runtime.counts == {"refused:method-not-allowed": 1}

    async def test_a_body_of_no_stated_length_is_measured_while_it_comes(self, serve: Serve, redis: Redis, no_trace: None) -> None:
        client, runtime = await serve()
        found = await refused(client, redis, data=chunks(TOO_MUCH), headers=signed(TOO_MUCH))
        assert found == (413, "TOO_LARGE")
        assert runtime.counts == {"refused:too-large": 1}

    async def test_a_body_of_the_greatest_size_is_taken(self, serve: Serve) -> None:
        client, _ = await serve()
        raw = RAW + b" " * (BODY_MAX - len(RAW))
        assert await accepted(client, raw, signed(raw)) == "ok"

    async def test_a_body_that_does_not_come_is_not_waited_for(self, serve: Serve, redis: Redis, no_trace: None) -> None:
        client, _ = await serve(limits=Limits(read=0.1))
        never = asyncio.Event()

        async def stuck() -> AsyncIterator[bytes]:
            yield RAW[:10]
            await never.wait()

        assert await refused(client, redis, data=stuck(), headers=signed()) == (408, "SLOW")


def mutations() -> list[str]:
    """Signatures that are not the body's, most of them nearly."""
    raw = bytes.fromhex(GOOD)
    bits = [bytes(byte ^ (1 << n % 8) if at == n else byte for at, byte in enumerate(raw)).hex() for n in range(0, 32, 2)]
    compact = json.dumps(ENVELOPE, separators=(",", ":")).encode()
    other_bodies = [RAW + b"\n", b" " + RAW, RAW[:-1], compact, RAW.replace(b"hello", b"hell0"), RAW.decode().encode("utf-16"), b"", b"{}"]
    other_secrets = [SECRET.upper(), SECRET[:-1], f"{SECRET} ", f" {SECRET}", "sandbox-webhook-secret", "\0", GOOD]
    return [
        *bits,
        *(sign(SECRET, body) for body in other_bodies),
        *(sign(secret, RAW) for secret in other_secrets),
        *(GOOD[:-1], GOOD[1:], GOOD[:32], GOOD + "0", GOOD + GOOD, GOOD[::-1], f"sha256={GOOD[:-1]}", f"sha1={GOOD}", f"sha256={GOOD},x"),
        *("", " ", "0", "0" * 64, "f" * 64, "null", "None", "sha256=", SECRET, "é" * 64, GOOD.replace(GOOD[0], "\u0660", 1)),
        base64.b64encode(raw).decode(),
        hmac.new(SECRET.encode(), RAW, "sha1").hexdigest(),
        hmac.new(SECRET.encode(), RAW, "sha512").hexdigest(),
        hashlib.sha256(RAW).hexdigest(),
        hashlib.sha256(SECRET.encode() + RAW).hexdigest(),
    ]


class TestAuthentication:
    async def test_no_mutation_of_a_signature_passes(self, serve: Serve, redis: Redis, no_trace: None) -> None:
        client, runtime = await serve()
        wrong = mutations()
        assert len(set(wrong)) >= 40
        for signature in wrong:
            headers = {**JSON, "x-pilot-status-signature": signature}
            assert await refused(client, redis, data=RAW, headers=headers) == (401, "UNAUTHENTICATED"), signature
        assert runtime.counts == {"refused:unauthenticated": len(wrong)}
        assert await accepted(client, RAW, signed()) == "ok"

    @pytest.mark.parametrize("form", [GOOD, GOOD.upper(), f"sha256={GOOD}", f" {GOOD} "], ids=["plain", "capitals", "prefix", "blanks"])
    async def test_the_forms_that_a_signature_may_have(self, serve: Serve, form: str) -> None:
        client, _ = await serve()
        assert await accepted(client, RAW, {**JSON, "x-pilot-status-signature": form}) == "ok"

    async def test_where_only_a_token_is_set_it_is_required_and_enough(self, serve: Serve, redis: Redis, no_trace: None) -> None:
        client, _ = await serve(webhook_secret=(), webhook_token="tok-1")
        for query in ("", "?token=", "?token=tok-2", "?token=tok-1x", "?Token=tok-1", "?token=TOK-1", "?x=tok-1", "?token=%00"):
            found = await refused(client, redis, path=f"/webhook{query}", data=RAW, headers=signed())
            assert found == (401, "UNAUTHENTICATED"), query
        assert await accepted(client, RAW, JSON, "/webhook?token=tok-1") == "ok"

    async def test_where_both_are_set_both_are_required(self, serve: Serve, redis: Redis, no_trace: None) -> None:
        client, _ = await serve(webhook_token="tok-1")
        assert await refused(client, redis, path="/webhook?token=tok-1", data=RAW, headers=JSON) == (401, "UNAUTHENTICATED")
        assert await refused(client, redis, path="/webhook?token=tok-2", data=RAW, headers=signed()) == (401, "UNAUTHENTICATED")
        assert await refused(client, redis, data=RAW, headers=signed()) == (401, "UNAUTHENTICATED")
        assert await accepted(client, RAW, signed(), "/webhook?token=tok-1") == "ok"

    async def test_while_secrets_are_rotated_the_old_and_the_new_one_count_and_then_only_the_new(self, serve: Serve, redis: Redis) -> None:
        old, new = ({**JSON, "x-pilot-status-signature": sign(secret, RAW)} for secret in ("old-one", "new-one"))
        both, _ = await serve(webhook_secret="old-one,new-one")
        assert [await accepted(both, RAW, old), await accepted(both, RAW, new)] == ["ok", "dup"]
        after, _ = await serve(webhook_secret="new-one")
        assert await refused(after, redis, data=RAW, headers=old) == (401, "UNAUTHENTICATED")
        assert await accepted(after, RAW, new) == "dup"

    async def test_no_secret_token_or_signature_is_logged(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        client, _ = await serve(webhook_token="tok-1")
        await accepted(client, RAW, signed(), "/webhook?token=tok-1")
        await (await client.post("/webhook?token=tok-1", data=RAW, headers={**JSON, "x-pilot-status-signature": "0"})).read()
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("pilotbot")]
        assert not [line for line in ours if any(word in line for word in (SECRET, "tok-1", GOOD, "5511987650001", "hello"))]


class TestKeeping:
    @pytest.mark.parametrize("example", EXAMPLES, ids=[one["name"] for one in EXAMPLES])
    async def test_every_example_is_acknowledged_when_it_is_signed(self, serve: Serve, no_trace: None, example: dict[str, Any]) -> None:
        client, runtime = await serve()
        raw = json.dumps(example["body"]).encode()
        outcome = await accepted(client, raw, signed(raw))
        apart = {count for count in runtime.counts if count.startswith("alert:")}  # what a number's event is told people as, besides
        counts = [(count.rpartition(":")[2], times) for count, times in runtime.counts.items() if count not in apart]
        assert counts == [(outcome, 1)]
        told = ("number.disconnected", "number.removed", "number.restored", "number.health")
        assert len(apart) == example["name"].startswith(told)
        assert ("unknown:unknown" in runtime.counts) == example["name"].startswith("unknown-event")

    @pytest.mark.parametrize("example", EXAMPLES, ids=[one["name"] for one in EXAMPLES])
    async def test_the_examples_are_judged_by_the_headers_they_came_with(self, serve: Serve, redis: Redis, example: dict[str, Any]) -> None:
        """None of them is signed with our secret: each is refused, whatever it holds."""
        client, _ = await serve()
        raw = json.dumps(example["body"]).encode()
        assert await refused(client, redis, data=raw, headers=example["headers"]) == (401, "UNAUTHENTICATED")

    @pytest.mark.parametrize(
        ("body", "counted"),
        [
            ({"event": "message.exploded", "data": {"id": "1"}}, "unknown:unknown"),
            ({"event": "message.received", "data": {"content": "from nobody"}}, "unknown:unknown"),
            ({"event": "phone_line.purchased", "data": {"id": "1"}}, "phone_line.purchased:unknown"),
            ({"event": "number.created", "data": {"numberId": "n"}}, "number.created:no-handler"),
        ],
    )
    async def test_what_nobody_knows_or_wants_is_acknowledged_counted_and_not_kept(
        self, serve: Serve, redis: Redis, no_trace: None, body: dict[str, Any], counted: str
    ) -> None:
        client, runtime = await serve()
        before = written(redis)
        raw = json.dumps(body).encode()
        await accepted(client, raw, signed(raw))
        assert runtime.counts == {counted: 1}
        assert written(redis) == before

    async def test_a_capture_played_again_is_kept_once(self, serve: Serve, redis: Redis) -> None:
        client, runtime = await serve()
        outcomes = await asyncio.gather(*(accepted(client, RAW, signed()) for _ in range(100)))
        assert sorted(set(outcomes)) == ["dup", "ok"]
        assert runtime.counts == {"message.received:ok": 1, "message.received:dup": 99}
        assert sum(redis.zcard(key) for key in redis.scan_iter("*:mailbox:*")) == 1

    async def test_a_full_mailbox_is_told_to_come_again(self, serve: Serve, redis_url: str, no_trace: None) -> None:
        small = Engine(redis_url, shards=2, terms=Terms(patience=200, depth=100))
        await small.open()
        client, _ = await serve(on=small)
        bodies = [json.dumps({**ENVELOPE, "data": {**ENVELOPE["data"], "id": f"e{n}", "messageId": f"w{n}"}}).encode() for n in range(101)]  # type: ignore[dict-item]
        await asyncio.gather(*(accepted(client, raw, signed(raw)) for raw in bodies[:100]))
        async with client.post("/webhook", data=bodies[100], headers=signed(bodies[100])) as answer:
            assert (answer.status, answer.headers["Retry-After"], (await answer.json())["code"]) == (503, "5", "FULL")
        await small.close()

    async def test_a_number_that_is_not_ours_is_acknowledged_and_dropped(self, serve: Serve, redis: Redis) -> None:
        numbers = [{"name": "main", "id": "ours", "key": "k"}, {"name": "other", "id": "too", "key": "k"}]
        client, runtime = await serve(numbers=numbers)
        before = written(redis)
        assert await accepted(client, RAW, signed()) == "other-number"
        assert written(redis) == before
        assert runtime.counts == {"message.received:other-number": 1}


@pytest.fixture
async def fragile(tmp_path: Path) -> AsyncIterator[tuple[Engine, RedisServer]]:
    """An engine on a server of its own, which may be stopped."""
    own = await RedisServer.open(url=None, data_dir=tmp_path / "own")
    engine = Engine(f"unix://{own.address.path}", shards=2, terms=Terms(patience=50))
    await engine.open()
    yield engine, own
    await engine.close()
    await own.close()


class TestReadiness:
    async def test_a_process_that_lives_says_so_whatever_redis_does(self, serve: Serve, fragile: tuple[Engine, RedisServer]) -> None:
        client, _ = await serve(on=fragile[0])
        await fragile[1].close()
        async with client.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})

    async def test_with_redis_and_all_scripts_it_is_ready(self, serve: Serve) -> None:
        client, _ = await serve()
        await accepted(client, RAW, signed())
        async with client.get("/readyz") as answer:
            body = await answer.json()
            assert (answer.status, body["ready"], body["redis"]) == (200, True, "ok")
            assert body["counts"] == {"message.received:ok": 1}

    async def test_without_redis_it_is_not_ready_and_no_event_is_answered_200(
        self, serve: Serve, fragile: tuple[Engine, RedisServer], no_trace: None
    ) -> None:
        engine, own = fragile
        client, runtime = await serve(on=engine)
        await own.close()
        async with client.get("/readyz") as answer:
            body = await answer.json()
            assert (answer.status, body["ready"], body["redis"]) == (503, False, "away")
        async with client.post("/webhook", data=RAW, headers=signed()) as answer:
            assert (answer.status, answer.headers["Retry-After"], (await answer.json())["code"]) == (503, "1", "AWAY")
        assert runtime.counts == {"refused:away": 1}

    async def test_redis_is_told_the_scripts_again_if_it_forgot_them(self, serve: Serve, redis: Redis) -> None:
        """A restarted Redis knows no script, and those that are seldom called would be missing."""
        client, runtime = await serve()
        redis.script_flush()
        assert not await runtime.engine.ready()
        async with client.get("/readyz") as answer:
            assert answer.status == 200
        assert await runtime.engine.ready()

    async def test_an_event_is_kept_though_redis_lost_its_scripts(self, serve: Serve, redis: Redis) -> None:
        client, _ = await serve()
        redis.script_flush()
        assert await accepted(client, RAW, signed()) == "ok"

    async def test_trouble_of_the_platform_is_told_and_is_no_reason_to_take_nothing_in(self, serve: Serve) -> None:
        client, runtime = await serve()
        runtime._watch.told["main"] = "401: Check the API key: the platform does not accept it."
        async with client.get("/readyz") as answer:
            body = await answer.json()
            assert (answer.status, body["remote"]) == (200, {"main": "401: Check the API key: the platform does not accept it."})
