"""What follow-ups cost that wait, and how punctual those are that are due: the figures of docs/guarantees.md, in one run.

    python -m bench.timers [--due 10000] [--spread 60] [--waiting 1000000] [--rounds 5] [--processes 2]

1. Punctual: so many follow-ups come due within a minute; how late each one's post arrives at a platform that takes all.
2. Many: a million are set, ten in each of 100,000 chats, a short text and a template each; how many a second, how many bytes each.
3. Cheap: bursts of 2,000 that are due at once, sent by one process each from a Redis with 1,000 waiting and from the one with a million,
   in turns; CPU seconds of Redis and of the process a follow-up, and the median of the rounds' ratios.

Redis is the bundled server as it is embedded: on disk before it answers.
"""

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import redis
from aiohttp import web

from bench.fast_path import cpu_seconds, run, until_up
from pilotbot import Bot, load_settings, running
from pilotbot.engine import Engine, Item, Place, Terms, Timer
from pilotbot.engine.embedded import RedisServer
from pilotbot.engine.keys import base

SHARDS = 8
BATCH = 500  # timers a call
AT_ONCE = 8  # calls under way
BURST = 2_000
EACH = 10  # timers a chat
MONTH = 30 * 24 * 3_600_000  # ms
bot = Bot("bench")


async def serve(port: int, redis_path: str, api: str) -> None:
    """The process that is measured."""
    settings = load_settings(
        api_url=api, api_key="ps_bench", webhook_secret="bench", port=port, redis_url=f"unix://{redis_path}", shards=SHARDS,
        business_per_second=1000, business_chat_seconds=0, _env_file=None,
    )  # fmt: skip
    async with running(bot, settings):
        await asyncio.Event().wait()


class Platform:
    """Takes every message; how late each was, in seconds, by what it says."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def send(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        self.late.append(time.time() - int(body["variables"]["due"]) / 1000)
        return web.json_response({"id": f"out{len(self.late)}", "correlationId": "c", "status": "QUEUED"}, status=202)

    async def templates(self, _: web.Request) -> web.Response:
        return web.json_response([])


@dataclass(frozen=True)
class Store:
    """A Redis of the bench's own, with an engine on it."""

    path: str
    engine: Engine
    redis: Any

    @property
    def pid(self) -> int:
        return int(self.redis.info("server")["process_id"])

    @property
    def memory(self) -> int:
        return int(self.redis.info("memory")["used_memory"])

    def due(self) -> int:
        now = time.time() * 1000
        return sum(self.redis.zcount(f"{base(shard)}:timers", "-inf", now) for shard in range(SHARDS))

    def busy(self) -> int:
        return sum(self.redis.zcard(f"{base(shard)}:lane:{name}") for shard in range(SHARDS) for name in ("ready", "lease"))


@asynccontextmanager
async def store() -> AsyncIterator[Store]:
    with tempfile.TemporaryDirectory() as place:
        server = await RedisServer.open(url=None, data_dir=Path(place))
        engine = Engine(f"unix://{server.address.path}", shards=SHARDS, terms=Terms(patience=30_000))
        try:
            await engine.open()
            yield Store(str(server.address.path), engine, redis.Redis(unix_socket_path=str(server.address.path)))
        finally:
            await engine.close()
            await server.close()


@asynccontextmanager
async def serving(api: str, where: Store, port: int) -> AsyncIterator[int]:
    command = [sys.executable, "-m", "bench.timers", "--serve", str(port), where.path, api]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[1])  # noqa: ASYNC220 - it is what is measured
    try:
        await until_up(port)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def timers(
    engine: Engine, chats: int, first: int, dues: Callable[[int], int], *, timed: bool = True
) -> dict[int, list[tuple[Place, Timer]]]:  # fmt: skip
    """Ten for each of so many chats, by shard. `timed`: the message says when it is due."""
    made: dict[int, list[tuple[Place, Timer]]] = {shard: [] for shard in range(SHARDS)}
    for chat in range(first, first + chats):
        address = f"+55119{chat:08}"
        here = Place(key=engine.keys.chat("main", address), number="main", kind="contact", address=address)
        for n in range(EACH):
            due = dues((chat - first) * EACH + n)
            template = orjson.dumps({"templateId": "follow_up", "variables": {"due": str(due)} if timed else {}})
            item = Item(id="", free=b'{"text":"Did it arrive?"}', template=template, enforced=True)
            made[here.key.shard].append((here, Timer(name=f"{chat * EACH + n:08x}", due=due, items=(item,), silence=True)))
    return made


async def put(engine: Engine, made: dict[int, list[tuple[Place, Timer]]]) -> float:
    """Set them in batches, some at once. Returns the seconds it took."""
    calls = [(shard, here[start : start + BATCH]) for shard, here in made.items() for start in range(0, len(here), BATCH)]
    began = time.perf_counter()

    async def some(mine: Sequence[tuple[int, list[tuple[Place, Timer]]]]) -> None:
        for shard, batch in mine:
            assert all(await engine.timers.set(shard, batch))

    await asyncio.gather(*(some(calls[at::AT_ONCE]) for at in range(AT_ONCE)))
    return time.perf_counter() - began


async def until(look: Callable[[], bool]) -> None:
    while not look():  # noqa: ASYNC110 - other processes do it
        await asyncio.sleep(0.02)


async def punctual(api: str, platform: Platform, count: int, spread: float, processes: int) -> None:
    async with store() as where, contextlib.AsyncExitStack() as stack:
        for n in range(processes):
            await stack.enter_async_context(serving(api, where, 9760 + n))
        start = time.time() + 2 + count / 10_000
        platform.late.clear()
        await put(
            where.engine, timers(where.engine, count // EACH, 0, lambda n: round(1000 * (start + spread * (n * 7919 % count) / count)))
        )
        assert time.time() < start
        await until(lambda: len(platform.late) >= count)
    late = sorted(platform.late)
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    row(
        "punctual",
        f"{count:,} due within {spread:.0f} s, {processes} processes",
        f"p50 {p50:.2f} s, p99 {p99:.2f} s, last {late[-1]:.2f} s",
        "p99 < 1 s",
    )


async def many(where: Store, count: int) -> None:
    rates, before = [], where.memory
    chats = count // EACH
    for first in range(0, chats, 10_000):  # made outside of what is measured
        due = round(time.time() * 1000) + MONTH
        made = timers(where.engine, min(10_000, chats - first), first, lambda n, due=due: due + n * 977, timed=False)  # type: ignore[misc]
        rates.append(sum(map(len, made.values())) / await put(where.engine, made))
    each = (where.memory - before) / count
    row("many", f"{count:,} set", f"{statistics.median(rates):,.0f} a second ({min(rates):,.0f} to {max(rates):,.0f})", ">= 50,000")
    row("small", f"{count:,} waiting", f"{each:.0f} bytes each", "<= 300")


async def cheap(api: str, platform: Platform, stores: Sequence[Store], rounds: int) -> None:
    """The first of the stores has few waiting, the second many."""
    costs: list[list[tuple[float, float]]] = [[], []]
    async with contextlib.AsyncExitStack() as stack:
        pids = [await stack.enter_async_context(serving(api, where, 9770 + n)) for n, where in enumerate(stores)]
        for number in range(rounds + 1):  # the first warms
            for n, (where, pid) in enumerate(zip(stores, pids, strict=True)):
                platform.late.clear()
                made = timers(where.engine, BURST // EACH, 50_000_000 + number * BURST, lambda _: round(time.time() * 1000) + 1_500)
                await put(where.engine, made)
                before = cpu_seconds(where.pid), cpu_seconds(pid)
                await until(lambda: len(platform.late) >= BURST)
                await until(lambda where=where: not where.due() + where.busy())  # type: ignore[misc]
                if number:
                    costs[n].append(((cpu_seconds(where.pid) - before[0]) / BURST, (cpu_seconds(pid) - before[1]) / BURST))
    for name, found in zip(("1,000", "a million"), costs, strict=True):
        shares = [statistics.median(part) * 1e6 for part in zip(*found, strict=True)]
        row("cheap", f"with {name} waiting", f"{shares[0]:.0f} µs of Redis, {shares[1]:.0f} µs of Python", "")
    for what, pick in (("both", sum), ("Redis alone", lambda pair: pair[0])):
        ratios = [pick(full) / pick(few) for few, full in zip(*costs, strict=True)]
        row(
            "cheap",
            f"ratio, {what}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            "<= 1.25" if what == "both" else "",
        )


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


async def measure(given: argparse.Namespace) -> None:
    platform, app = Platform(), web.Application()
    app.router.add_post("/v1/messages/send", platform.send)
    app.router.add_get("/v1/templates", platform.templates)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = f"http://127.0.0.1:{runner.addresses[0][1]}"
    row("figure", "of", "measured", "wanted")
    row("---", "---", "---", "---")
    await punctual(api, platform, given.due, given.spread, given.processes)
    async with store() as few, store() as full:
        await put(few.engine, timers(few.engine, 100, 0, lambda n: round(time.time() * 1000) + MONTH + n))
        await many(full, given.waiting)
        await cheap(api, platform, (few, full), given.rounds)
    await runner.cleanup()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        work: Awaitable[None] = serve(int(sys.argv[2]), *sys.argv[3:])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--due", type=int, default=10_000)
        parser.add_argument("--spread", type=float, default=60.0)
        parser.add_argument("--waiting", type=int, default=1_000_000)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--processes", type=int, default=2)
        work = measure(parser.parse_args())
    run(work)
