"""What one noisy contact does to the others: their p99 from the webhook's post to the sandbox's acceptance of the answer, with and without.

    python bench/noisy.py [--rounds 5] [--seconds 5] [--rate 500]

20 contacts write three times a second each. In every second phase one more contact writes `rate` times a second, in a process of its own,
another one each time, so that its burst is whole. Settings are the defaults: what is beyond 10 a second after a burst of 300 is answered
503. The phases are interleaved, on the same bot; the ratio is the median of each round's, since the speed of a shared machine drifts.
All of it takes about one core, most of which is not the bot's: where there is less, the lack of it is measured.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from pilotbot import Bot, Context, load_settings, running
from pilotbot.engine.embedded import RedisServer
from pilotbot.events import sign
from pilotbot.sandbox import Sandbox, SandboxSettings

SECRET = "bench"
CONTACTS = [f"+55119870000{n:02}" for n in range(20)]
EVERY = 1 / 3  # seconds between two messages of a quiet contact
IN_FLIGHT = 16  # posts of the noisy contact
HEAD = (
    b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Type: application/json\r\nx-pilot-status-signature: %b\r\nContent-Length: %d\r\n\r\n"
)

bot = Bot("bench")


@bot.message()
async def echo(ctx: Context) -> None:
    await ctx.reply(f"{ctx.text} done")


async def serve(port: int, redis_path: str, api: str) -> None:
    """The bot, with the limits that it has by default."""
    settings = load_settings(
        api_url=api, api_key="ps_sandbox_evolution", number_kind="evolution_v2", webhook_secret=SECRET, port=port,
        redis_url=f"unix://{redis_path}", _env_file=None,
    )  # fmt: skip
    async with running(bot, settings):
        await asyncio.Event().wait()


def message(contact: str, text: str) -> bytes:
    """What a contact writes, as the platform says it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {
        "numberId": "n1", "id": f"in-{text}", "messageId": f"wamid.{text}", "type": "text", "fromMe": False, "createdAt": now,
        "from": contact, "to": "+551140028922", "participantName": "Ana Souza", "content": text,
    }  # fmt: skip
    return orjson.dumps({"event": "message.received", "data": data})


async def post(http: aiohttp.ClientSession, url: str, contact: str, text: str) -> int:
    """A contact writes; the webhook's answer."""
    raw = message(contact, text)
    headers = {"content-type": "application/json", "x-pilot-status-signature": sign(SECRET, raw)}
    async with http.post(f"{url}/webhook", data=raw, headers=headers) as answer:
        await answer.read()
        return answer.status


async def noise(url: str, contact: str, rate: float, seconds: float) -> None:
    """Write so often, whatever the answers are, once told to begin; prints how many there were of each.

    It speaks HTTP by hand, since what it costs itself is taken from the same machine.
    """
    answers: Counter[str] = Counter()
    where = urlsplit(url)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began, number = time.monotonic(), 0

    async def lane() -> None:
        nonlocal number
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        while (due := number / rate) < seconds:
            number += 1
            raw = message(contact, f"noise{contact}x{number}")
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
            writer.write(HEAD % (sign(SECRET, raw).encode(), len(raw)) + raw)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            answers[head[9:12].decode()] += 1
        writer.close()

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
    print(json.dumps({"answers": answers, "seconds": round(time.monotonic() - began, 1)}))


async def quiet(http: aiohttp.ClientSession, url: str, sandbox: str, phase: int, seconds: float) -> list[float]:
    """The quiet contacts write for a while; how long each answer took, in ms."""
    posted: dict[str, float] = {}
    until = time.monotonic() + seconds

    async def one(number: int, contact: str) -> None:
        await asyncio.sleep(EVERY * number / len(CONTACTS))
        for turn in range(int(seconds / EVERY)):
            text = f"p{phase}c{number}t{turn}"
            due = until - seconds + EVERY * (turn + number / len(CONTACTS))
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            posted[f"{text} done"] = time.time() * 1000
            status = await post(http, url, contact, text)
            assert status == 200, status

    await asyncio.gather(*(one(number, contact) for number, contact in enumerate(CONTACTS)))
    took: dict[str, float] = {}
    async with asyncio.timeout(60):
        while len(took) < len(posted):
            await asyncio.sleep(0.2)
            async with http.get(f"{sandbox}/sandbox/messages") as answer:
                rows = await answer.json()
            took = {row["text"]: at(row) - posted[row["text"]] for row in rows if row["direction"] == "out" and row["text"] in posted}
    return list(took.values())


def at(row: dict[str, Any]) -> float:
    """When the sandbox accepted a message, in ms."""
    return datetime.fromisoformat(row["createdAt"]).timestamp() * 1000


def p99(figures: Sequence[float]) -> float:
    return statistics.quantiles(figures, n=100)[98]


async def compare(rounds: int, seconds: float, rate: float) -> None:
    """Measure, and print."""
    port, ratios, calm, loud = 9760, [], [], []
    async with Sandbox(SandboxSettings(port=0)) as sandbox, aiohttp.ClientSession() as http:
        with tempfile.TemporaryDirectory() as data:
            server = await RedisServer.open(url=None, data_dir=Path(data))
            url = f"http://127.0.0.1:{port}"
            serving = subprocess.Popen(  # noqa: ASYNC220 - it is what is measured
                [sys.executable, __file__, "--serve", str(port), str(server.address.path), sandbox.url]
            )
            try:
                await until_up(http, url)
                await quiet(http, url, sandbox.url, 0, 2)  # warm
                for number in range(rounds):
                    noisy = await asyncio.create_subprocess_exec(
                        sys.executable, __file__, "--noise", url, f"+55119880000{number:02}", str(rate), str(seconds),
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    )  # fmt: skip
                    assert noisy.stdin is not None
                    assert noisy.stdout is not None
                    await noisy.stdout.readline()  # it has come up
                    alone = p99(await quiet(http, url, sandbox.url, 2 * number + 1, seconds))
                    noisy.stdin.write(b"go\n")
                    beside = p99(await quiet(http, url, sandbox.url, 2 * number + 2, seconds))
                    told = (await noisy.stdout.read()).decode().strip()
                    await noisy.wait()
                    calm.append(alone)
                    loud.append(beside)
                    ratios.append(beside / alone)
                    print(f"round {number + 1}: p99 {alone:.0f} ms alone, {beside:.0f} ms beside the noise {told}", flush=True)
            finally:
                serving.kill()
                serving.wait()
                await server.close()
    middle = statistics.median
    print(f"median p99: {middle(calm):.0f} ms alone, {middle(loud):.0f} ms beside, {middle(ratios):.2f} times")


async def until_up(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


def run(work: Awaitable[None]) -> None:
    import uvloop  # noqa: PLC0415 - not on every platform

    async def main() -> None:
        await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        port_, redis_path, api = sys.argv[2:]
        run(serve(int(port_), redis_path, api))
    elif sys.argv[1:2] == ["--noise"]:
        url_, contact_, rate_, seconds_ = sys.argv[2:]
        run(noise(url_, contact_, float(rate_), float(seconds_)))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--seconds", type=float, default=5.0)
        parser.add_argument("--rate", type=float, default=500.0)
        given = parser.parse_args()
        run(compare(given.rounds, given.seconds, given.rate))
