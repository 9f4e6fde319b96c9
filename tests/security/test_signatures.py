"""S1, S2, S3: what is not signed costs nothing, secrets can be rotated, a capture played again does nothing."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession as Client
from aiohttp import TCPConnector
from multidict import CIMultiDict
from redis import Redis

from pilotbot.events import sign
from tests.security.bots import counting
from tests.security.conftest import JSON, asked, received, signed
from tests.server.conftest import SECRET, Serve
from tests.stage import Stage

SIGNATURE = "x-pilot-status-signature"
RAW = received()
GOOD = sign(SECRET, RAW)


def mutations() -> dict[str, tuple[bytes, list[str]]]:
    """Bodies with the signatures they came with; none of them is right, most of them are nearly."""
    digest = bytes.fromhex(GOOD)
    flipped = {
        f"bit {8 * at + at % 8}": (RAW, [bytes(byte ^ (1 << at % 8) * (n == at) for n, byte in enumerate(digest)).hex()])
        for at in range(0, 32, 4)
    }
    event = json.loads(RAW)
    bodies = {
        "serialised again, compact": json.dumps(event, separators=(",", ":")).encode(),
        "serialised again, sorted": json.dumps(event, sort_keys=True).encode(),
        "serialised again, indented": json.dumps(event, indent=1).encode(),
        "a line more": RAW + b"\n",
        "a blank before": b" " + RAW,
        "a byte less": RAW[:-1],
        "a letter changed": RAW.replace(b"hello", b"hell0"),
        "a letter escaped": RAW.replace(b"hello", b"h\\u0065llo"),
        "a byte order mark": b"\xef\xbb\xbf" + RAW,
        "in UTF-16": RAW.decode().encode("utf-16"),
        "a NUL at the end": RAW + b"\0",
        "empty": b"",
    }
    signatures = {
        "cut at the end": [GOOD[:-1]],
        "cut at the start": [GOOD[1:]],
        "half": [GOOD[:32]],
        "twice": [GOOD + GOOD],
        "reversed": [GOOD[::-1]],
        "empty": [""],
        "blank": [" "],
        "none": [],
        "the prefix alone": ["sha256="],
        "the prefix twice": [f"sha256=sha256={GOOD}"],
        "another prefix": [f"sha1={GOOD}"],
        "a cut one, in capitals": [GOOD[:-1].upper()],
        "another digit, with the prefix": [f"sha256={GOOD[:-1]}{'0' if GOOD[-1] != '0' else '1'}"],
        "a list": [f"{GOOD},{GOOD}"],
        "letters beyond ASCII": ["é" * 64],
        "a digit of another script": [GOOD.replace(GOOD[0], "\u0660", 1)],
        "base64": [base64.b64encode(digest).decode()],
        "SHA-1": [hmac.new(SECRET.encode(), RAW, "sha1").hexdigest()],
        "SHA-512": [hmac.new(SECRET.encode(), RAW, "sha512").hexdigest()],
        "a hash without a key": [hashlib.sha256(RAW).hexdigest()],
        "a hash of key and body": [hashlib.sha256(SECRET.encode() + RAW).hexdigest()],
        "another secret": [sign("another-secret", RAW)],
        "the secret in capitals": [sign(SECRET.upper(), RAW)],
        "the secret with a blank": [sign(f"{SECRET} ", RAW)],
        "an empty secret": [hmac.new(b"", RAW, "sha256").hexdigest()],
        "two headers, the right one first": [GOOD, "0" * 64],
        "two headers, the right one last": ["0" * 64, GOOD],
        "two headers, both right": [GOOD, GOOD],
        "all zeros": ["0" * 64],
        "null": ["null"],
    }
    return {
        **flipped,
        **{f"body: {name}": (raw, [GOOD]) for name, raw in bodies.items()},
        **{f"signature: {name}": (RAW, given) for name, given in signatures.items()},
    }


async def post(client: Client, raw: bytes, given: list[str]) -> int:
    headers = CIMultiDict(JSON)
    for signature in given:
        headers.add(SIGNATURE, signature)
    async with client.post("/webhook", data=raw, headers=headers) as answer:
        await answer.read()
        return answer.status


async def test_sig_matrix(serve: Serve, redis: Redis) -> None:
    client, runtime = await serve()
    wrong = mutations()
    assert len(wrong) >= 40
    before = asked(redis)
    assert {name: await post(client, *mutation) for name, mutation in wrong.items()} == dict.fromkeys(wrong, 401)
    assert asked(redis) == before
    assert runtime.counts == {"refused:unauthenticated": len(wrong)}
    assert await post(client, RAW, [GOOD]) == 200
    assert asked(redis) > before


async def test_sig_matrix_what_the_contract_tolerates(serve: Serve) -> None:
    """Contract 8.3: blanks around it, capitals and the prefix change nothing."""
    client, _ = await serve()
    for form in (GOOD, GOOD.upper(), f"sha256={GOOD}", f" {GOOD} "):
        assert await post(client, RAW, [form]) == 200, form


async def test_sig_rotation(serve: Serve, redis: Redis) -> None:
    old, new = [sign("old-secret", RAW)], [sign("new-secret", RAW)]
    during, _ = await serve(webhook_secret="old-secret,new-secret")
    assert (await post(during, RAW, old), await post(during, RAW, new)) == (200, 200)
    after, runtime = await serve(webhook_secret="new-secret")
    before = asked(redis)
    assert await post(after, RAW, old) == 401
    assert asked(redis) == before
    assert await post(after, RAW, new) == 200
    assert runtime.counts["refused:unauthenticated"] == 1


def now_less(age: timedelta) -> str:
    return (datetime.now(UTC) - age).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_replay_capture(stage: Stage) -> None:
    bot, runs = counting()
    runtime = await stage.work(bot, webhook=False, webhook_secret=SECRET)
    raw = received(createdAt=now_less(timedelta(0)))
    outcomes: Counter[str] = Counter()

    async def play(client: Client) -> None:
        for _ in range(100):
            async with client.post("/webhook", data=raw, headers=signed(raw)) as answer:
                assert answer.status == 200
                outcomes[(await answer.json())["status"]] += 1

    connections = [Client(runtime.url, connector=TCPConnector(limit=1)) for _ in range(10)]
    try:
        await asyncio.gather(*(play(client) for client in connections))
    finally:
        for client in connections:
            await client.close()
    await stage.quiet(runtime)
    assert outcomes == {"ok": 1, "dup": 999}
    assert runs == ["hello"]


async def test_replay_capture_aged(stage: Stage, redis: Redis) -> None:
    """A capture that dedupe does not remember any more is too old to be handled; it is counted."""
    bot, runs = counting()
    runtime = await stage.work(bot, webhook=False, webhook_secret=SECRET)
    raw = received(createdAt=now_less(timedelta(days=8, minutes=1)))
    before = sorted(redis.scan_iter())
    async with Client(runtime.url) as client, client.post("/webhook", data=raw, headers=signed(raw)) as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "stale"})
    await stage.quiet(runtime)
    assert runs == []
    assert runtime.counts["message.received:stale"] == 1
    assert sorted(redis.scan_iter()) == before
