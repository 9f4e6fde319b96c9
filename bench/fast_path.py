"""What one message costs: server CPU per 1,000 messages, pilotbot beside two hand-written servers that do the same job, in one run.

    python bench/fast_path.py [--rounds 5] [--seconds 4] [--contacts 2000]

The job: a signed `message.received` comes in, the contact's counter goes up by one in Redis, an answer is posted to the platform.
`keeps nothing` answers the webhook first and works in a task; `durable` puts the event in a Redis stream before it answers. Each holds a
lock per contact in its process; neither has leases, an outbox, retries, routing or a window. 64 messages are in flight, a contact's next
one follows its answer. The server is alone on a core where there are two; rounds are interleaved, and ratios are medians of per-round
ratios, since the speed of a shared machine drifts.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import redis.asyncio as aioredis
from aiohttp import web

from pilotbot import Bot, Context, State, load_settings, running
from pilotbot.engine.embedded import RedisServer
from pilotbot.events import sign, verify

SECRET = "bench"
VARIANTS = ("keeps nothing", "durable", "pilotbot")
IN_FLIGHT = 64
ENQUEUE = "if redis.call('SET', KEYS[1], 1, 'NX', 'EX', 86400) then return redis.call('XADD', KEYS[2], '*', 'b', ARGV[1]) end return false"

# --- the servers ----------------------------------------------------------------------------------------------------------------


class Count(State):
    n: int = 0


bot = Bot("bench")


@bot.received()
async def count(ctx: Context, kept: Count) -> None:
    kept.n += 1
    await ctx.reply(f"{ctx.text} {kept.n}")


async def serve_pilotbot(port: int, redis_path: str, api: str) -> None:
    settings = load_settings(
        api_url=api, api_key="ps_bench", webhook_secret=SECRET, port=port, redis_url=f"unix://{redis_path}", _env_file=None
    )
    async with running(bot, settings):
        await asyncio.Event().wait()


async def serve_by_hand(port: int, redis_path: str, api: str, *, durable: bool) -> None:
    pool = aioredis.BlockingConnectionPool.from_url(f"unix://{redis_path}", max_connections=IN_FLIGHT, timeout=None)
    store, locks, tasks = aioredis.Redis(connection_pool=pool), dict[str, asyncio.Lock](), set[asyncio.Task[None]]()
    enqueue = store.register_script(ENQUEUE)

    async def work(http: aiohttp.ClientSession, data: dict[str, Any], entry: bytes | None) -> None:
        async with locks.setdefault(data["from"], asyncio.Lock()):
            n = int(await store.get(f"n:{data['from']}") or 0) + 1
            answer = {"destinationNumber": data["from"], "text": f"{data['content']} {n}"}
            if entry is None:
                await store.set(f"n:{data['from']}", n)
            headers = {"x-api-key": "ps_bench", "content-type": "application/json", "Idempotency-Key": data["id"]}
            async with http.post(f"{api}/v1/messages/send", data=orjson.dumps(answer), headers=headers) as response:
                await response.read()
            if entry is not None:
                done = store.pipeline()
                done.set(f"n:{data['from']}", n)
                done.xdel("inbox", entry)
                await done.execute()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2 * IN_FLIGHT)) as http:

        async def webhook(request: web.Request) -> web.Response:
            raw = await request.read()
            if not verify(raw, request.headers.get("x-pilot-status-signature"), [SECRET]):
                return web.Response(status=401)
            data = orjson.loads(raw)["data"]
            entry = await enqueue(keys=[f"seen:{data['id']}", "inbox"], args=[raw]) if durable else None
            if not durable or entry:
                task = asyncio.create_task(work(http, data, entry))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            return web.Response(body=b"{}", content_type="application/json")

        app = web.Application()
        app.router.add_post("/webhook", webhook)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


# --- the load -------------------------------------------------------------------------------------------------------------------


class Platform:
    """A platform that takes every message, and tells who waits for which."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.taken = 0

    async def send(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.taken += 1
        future = self.waiting.pop(body.get("text", "").split(" ")[0], None)
        if future is not None and not future.done():
            future.set_result(None)
        return web.json_response({"id": f"out{self.taken}", "correlationId": "c", "status": "QUEUED"}, status=202)


async def drive(platform: Platform, port: int, seconds: float, contacts: int, first: int) -> int:
    """Keep messages in flight for a while; returns how many were answered."""
    sent, until = first, time.monotonic() + seconds

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as http:

        async def lane() -> None:
            nonlocal sent
            while time.monotonic() < until:
                number, sent = sent, sent + 1
                now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                data = {
                    "numberId": "n1", "id": f"in{number}", "messageId": f"wamid.{number}", "type": "text", "fromMe": False,
                    "createdAt": now, "from": f"+55119{number % contacts:08}", "to": "+551140028922", "participantName": "Ana",
                    "content": f"go-{number}",
                }  # fmt: skip
                raw = orjson.dumps({"event": "message.received", "data": data})
                future = platform.waiting[f"go-{number}"] = asyncio.get_running_loop().create_future()
                headers = {"content-type": "application/json", "x-pilot-status-signature": sign(SECRET, raw)}
                async with http.post(f"http://127.0.0.1:{port}/webhook", data=raw, headers=headers) as answer:
                    assert answer.status == 200, await answer.text()
                await asyncio.wait_for(future, 30)

        await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
    return sent - first


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(
    variant: str, platform: Platform, api: str, redis_path: str, seconds: float, contacts: int, first: int
) -> tuple[float, int]:
    """Server CPU seconds per 1,000 messages of one variant, and the next free message number."""
    port = 9750
    command = [sys.executable, __file__, "--serve", variant, str(port), redis_path, api]
    pinned = ["taskset", "-c", "0", *command] if (os.cpu_count() or 1) > 1 else command
    process = subprocess.Popen(pinned)  # noqa: ASYNC220 - it is what is measured
    try:
        await until_up(port)
        first += await drive(platform, port, seconds / 4, contacts, first)  # warm
        before = cpu_seconds(process.pid)
        done = await drive(platform, port, seconds, contacts, first)
        return (cpu_seconds(process.pid) - before) / done * 1000, first + done
    finally:
        process.kill()
        process.wait()


async def until_up(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise SystemExit("the server did not come up")


async def compare(rounds: int, seconds: float, contacts: int) -> None:
    platform, app = Platform(), web.Application()
    app.router.add_post("/v1/messages/send", platform.send)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = f"http://127.0.0.1:{runner.addresses[0][1]}"
    results: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory() as data:
        server = await RedisServer.open(url=None, data_dir=Path(data))
        first = 0
        for number in range(rounds):
            for variant in VARIANTS:
                figure, first = await measure(variant, platform, api, str(server.address.path), seconds, contacts, first)
                results[variant].append(figure)
                print(f"round {number + 1}: {variant:14} {figure:.2f} s per 1,000 messages", flush=True)
        await server.close()
    await runner.cleanup()
    for variant, figures in results.items():
        ratios = [mine / base for mine, base in zip(figures, results["durable"], strict=True)]
        spread = f"{min(figures):.2f} to {max(figures):.2f}"
        print(f"{variant:14} median {statistics.median(figures):.2f} ({spread}), {statistics.median(ratios):.2f} of durable")
    print(f"posts: {platform.taken} for {first} messages (those under way at a kill are repeated under their key)")


SERVERS: dict[str, Callable[[int, str, str], Awaitable[None]]] = {
    "pilotbot": serve_pilotbot,
    "durable": lambda *where: serve_by_hand(*where, durable=True),
    "keeps nothing": lambda *where: serve_by_hand(*where, durable=False),
}


def run(work: Awaitable[None]) -> None:
    import uvloop  # noqa: PLC0415 - not on every platform

    async def main() -> None:
        await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        name, port, redis_path, api = sys.argv[2:]
        run(SERVERS[name](int(port), redis_path, api))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--seconds", type=float, default=4.0)
        parser.add_argument("--contacts", type=int, default=2000)
        given = parser.parse_args()
        run(compare(given.rounds, given.seconds, given.contacts))
