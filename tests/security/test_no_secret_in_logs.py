"""S11, S12: whatever goes well or wrong, nothing that is logged, printed, counted or shown holds a secret, or what is a contact's."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from redis.asyncio import Redis

from pilotbot.engine.embedded import RedisServer
from pilotbot.events import sign
from pilotbot.sandbox import Sandbox, SandboxSettings
from pilotbot.sandbox.records import ApiKey
from pilotbot.sandbox.settings import META
from tests.processes import free_port
from tests.security.conftest import received

KEY = "ps_sandbox_canarykey4711"
SECRET = "canary-webhook-secret-4712"
OLD_SECRET = "canary-older-secret-4713"
TOKEN = "canary-token-4714"
PASSWORD = "canary-redis-password-4715"
SECRETS = {"key": KEY, "secret": SECRET, "older secret": OLD_SECRET, "token": TOKEN, "password": PASSWORD}

PHONE = "+5511983654721"
TEXT = "canarywords"
NAME = "Canaria Nominata"
PERSONAL = {"phone": PHONE[1:-2], "phone without country": PHONE[5:-2], "text": TEXT, "name": "Nominata"}

PATIENCE = 30.0
BOT = """
import asyncio
import logging
import sys

from pilotbot import Bot, Context, Message, Option, Retry, State, Template, seconds

bot = Bot("shop")
for handler in logging.getLogger().handlers:  # what is logged is judged here, not what the mask leaves of it
    handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))


class Note(State, name="note"):
    text: str = ""


@bot.message()
async def answer(ctx: Context, note: Note) -> None:
    logging.getLogger("shop").debug("a message is read")
    note.text = ctx.text
    match ctx.text.split()[-1]:
        case "raise":
            raise ValueError(f"{ctx.text} of {ctx.contact.address} {ctx.contact.name}")
        case "chain":
            try:
                raise KeyError(ctx.text)
            except KeyError as error:
                raise RuntimeError(f"for {ctx.contact.address}: {ctx.text}") from error
        case "lost":
            raise ConnectionError(f"{ctx.text} {ctx.contact.address}")
        case "exit":
            sys.exit(f"{ctx.text} {ctx.contact.address}")
        case "slow":
            await asyncio.sleep(60)
        case "wrong":
            await ctx.reply(Message("{{ " + "nothing }}"))
        case "state":
            note.text = 7
        case "long":
            await ctx.reply("a", options=[Option(ctx.text * 3), Option(ctx.text * 4), Option(ctx.text)])
        case "notify":
            await ctx.notify(ctx.contact.address, Message("{{ x }}", template=Template("no_such", x="{{ x }}")), x=ctx.text)
        case "nobody":
            await ctx.notify("+5511900000000", ctx.text)
        case "defer":
            await ctx.notify("+5511983654722", ctx.text)
        case _:
            await ctx.reply(f"you wrote {ctx.text}", options=[Option("Yes")])


@bot.group()
async def grouped(ctx: Context) -> None:
    await ctx.reply(ctx.text)
"""


@dataclass
class House:
    """A platform, a Redis that wants a password, and where the commands run."""

    sandbox: Sandbox
    http: aiohttp.ClientSession
    redis_url: str
    directory: Path
    level: str = "DEBUG"
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        ours = {
            "API_URL": self.sandbox.url, "API_KEY": KEY, "WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}", "WEBHOOK_TOKEN": TOKEN,
            "REDIS_URL": self.redis_url, "LOG_LEVEL": self.level, "HANDLER_TIMEOUT_SECONDS": "0.3", "SHARDS": "2", **more,
        }  # fmt: skip
        others = {name: value for name, value in os.environ.items() if not name.startswith("PILOTBOT_")}
        return {**others, "PYTHONUNBUFFERED": "1", **{f"PILOTBOT_{name}": value for name, value in ours.items()}}

    async def start(self, name: str, *words: str, **settings: str) -> asyncio.subprocess.Process:
        """Start a command; what it says is in the file `name`."""
        with (self.directory / name).open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pilotbot", *words, cwd=self.directory, env=self.environment(**settings),
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        self.running.append(process)
        return process

    async def run(self, name: str, *words: str, **settings: str) -> None:
        """Run a command to its end."""
        process = await self.start(name, *words, **settings)
        async with asyncio.timeout(PATIENCE):
            await process.wait()

    def said(self, name: str) -> str:
        return (self.directory / name).read_text("utf-8")

    def all_said(self) -> dict[str, str]:
        """What all commands said, by their names."""
        return {path.name: path.read_text("utf-8") for path in self.directory.iterdir() if path.is_file() and path.suffix != ".py"}

    async def until(self, look: Any, what: str) -> None:
        """Wait for something; a time-out names `what`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = look()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.05)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    directory = tmp_path / "work"
    directory.mkdir()
    (directory / "shop.py").write_text(BOT, "utf-8")
    server = await RedisServer.open(url=None, data_dir=tmp_path / "redis")
    path = str(server.address.path)
    settings = SandboxSettings(
        port=0, receipt_delay=(0, 0), retry_schedule=(0.05, 0.1, 0.2), webhook_secret=SECRET, keys=(ApiKey("key_canary", KEY, META.id),)
    )
    async with Sandbox(settings) as sandbox, aiohttp.ClientSession() as http:
        house = House(sandbox, http, f"unix://:{PASSWORD}@{path}", directory)
        await lock(f"unix://{path}", PASSWORD)
        try:
            yield house
        finally:
            for process in house.running:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            await lock(house.redis_url, "")
            await server.close()


async def lock(url: str, password: str) -> None:
    """Have Redis want a password, or none."""
    async with Redis.from_url(url) as redis:
        await redis.config_set("requirepass", password)


@dataclass
class World:
    """The sides of a bot at work: the platform's control, the contacts, whoever posts to its webhook."""

    house: House
    url: str

    async def control(self, method: str, path: str, body: object = None) -> Any:
        async with self.house.http.request(method, self.house.sandbox.url + path, json=body, headers={"x-api-key": KEY}) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def inbound(self, text: str, contact: int = 21) -> None:
        """One of many contacts writes."""
        body = {"from": f"{PHONE[:-2]}{contact}", "name": NAME, "text": f"{TEXT} {text}"}
        await self.control("POST", "/sandbox/inbound", body)

    async def answered(self) -> bool:
        rows = await self.control("GET", f"/sandbox/messages?contact=%2B{PHONE[1:]}")
        return any(row["direction"] == "out" for row in rows)

    async def counted(self, *names: str) -> bool:
        """Whether all of these happened; each look takes a minute of the sandbox's time, so that tries are made."""
        await self.control("POST", "/sandbox/clock", {"advance": "1m"})
        async with self.house.http.get(f"{self.url}/readyz") as answer:
            counts = (await answer.json())["counts"]
        return all(counts.get(name) for name in names)

    async def post(self, raw: bytes, *, token: str = TOKEN, **headers: str) -> int:
        given = {"Content-Type": "application/json", "x-pilot-status-signature": sign(SECRET, raw), **headers}
        async with self.house.http.post(f"{self.url}/webhook?token={token}", data=raw, headers=given) as answer:
            await answer.read()
            return answer.status

    async def wire(self, sent: str) -> None:
        """Send what is hardly HTTP."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        writer.write(sent.encode())
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                await reader.read()
        writer.close()

    async def shown(self) -> str:
        """What is to be seen over HTTP."""
        found = ""
        for path in ("/healthz", "/readyz", "/metrics"):
            async with self.house.http.get(self.url + path) as answer:
                found += f"{answer.headers}{await answer.text()}\n"
        return found


async def at_work(world: World) -> None:
    """Contacts write what is answered and what fails in all the ways there are."""
    await world.control("POST", "/v1/webhooks", {"url": f"{world.url}/webhook?token={TOKEN}", "name": "shop", "events": ["*"]})
    await world.inbound("hello")
    await world.house.until(world.answered, "the first answer")
    failing = ("raise", "chain", "lost", "exit", "slow", "wrong", "state", "long", "notify", "nobody", "defer")
    for number, text in enumerate(failing, 22):  # each in a chat of its own, which waits for nobody else's tries
        await world.inbound(text, number)
    await world.control("POST", "/sandbox/inbound", {"from": PHONE, "name": NAME, "tap": "Yes"})


async def at_the_door(world: World) -> None:
    """Deliveries are refused."""
    raw = received(content=TEXT, **{"from": PHONE}, participantName=NAME)
    assert await world.post(raw, **{"x-pilot-status-signature": sign(SECRET, raw + b" ")}) == 401
    assert await world.post(raw, **{"x-pilot-status-signature": SECRET}) == 401
    assert await world.post(raw, token=f"{TOKEN}x") == 401
    assert await world.post(raw, **{"x-pilot-status-signature": sign(OLD_SECRET, raw)}) == 200
    assert await world.post(raw[:-5]) == 400
    assert await world.post(raw, **{"Content-Type": "text/plain"}) == 415
    assert await world.post(raw + b" " * 300_000) == 413
    line, head = f"POST /webhook?token={TOKEN} HTTP/1.1\r\n", f"x-pilot-status-signature: {SECRET}\r\n"
    chunked = f"Host: x\r\n{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    for sent in (
        f"{line[:-4]}x.1\r\n{head}\r\n",
        f"{line}{head}bad header {SECRET}\r\n\r\n",
        f"{line}{head}x: {SECRET}\0{TEXT}\r\n\r\n",
        f"{line}{head}Content-Length: {TOKEN}\r\n\r\n",
        f"{line}{chunked}b\r\n{TEXT}\r\nzz\r\n",
        f"GET /webhook?token={TOKEN}{'x' * 9000} HTTP/1.1\r\n\r\n",
        f"{TOKEN} {SECRET} {PHONE}\r\n\r\n",
    ):
        await world.wire(sent)


async def given_up(world: World) -> None:
    """The platform fails, drops and refuses, and what failed for good is given up."""
    await world.control("POST", "/sandbox/faults", {"http500": {"next": 2}, "acceptThenDrop": {"next": 1}})
    await world.inbound("hello again")
    kinds = ("ValueError", "RuntimeError", "SystemExit", "ContentError", "ConnectionError", "TimeoutError", "ValidationError")
    wanted = ("refused:unauthenticated", "refused:not-http", "turn:retry", *(f"dead:{kind}" for kind in kinds))
    await world.house.until(lambda: world.counted(*wanted), "the bot to meet everything, and to give up")
    await world.control("POST", "/sandbox/faults", {"numberBlocked": True})
    await world.inbound("while blocked")


async def at_work_and_around(house: House) -> dict[str, str]:
    """What is said and shown by a bot at work and by the commands around it, by where."""
    port = free_port()
    process = await house.start("run", "run", "shop.py", "--port", str(port))
    await house.until(lambda: "listens on" in house.said("run") or process.returncode is not None, "the bot to listen")
    assert process.returncode is None, house.said("run")
    world = World(house, f"http://127.0.0.1:{port}")
    await at_work(world)
    await at_the_door(world)
    await given_up(world)
    shown = await world.shown()
    await house.run("dead list", "dead", "list")
    await house.run("doctor", "doctor")
    await house.run("doctor json", "doctor", "--json")
    await house.run("check", "check", "shop.py")
    await house.run("schedule", "schedule", "list")
    await house.run("notify", "notify", PHONE, TEXT)
    await house.run("notify wrong", "notify", PHONE, TEXT, "--template", "no_such", "--var", "nothing")
    # Redis is away, and comes back
    await drop_connections(house)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        await process.wait()
    return house.all_said() | {"over HTTP": shown}


async def set_wrongly(house: House) -> dict[str, str]:
    """What is said by commands whose settings are wrong, by where."""
    wrong_password = house.redis_url.replace(PASSWORD, f"{PASSWORD}wrong")
    nowhere = f"redis://user:{PASSWORD}@127.0.0.1:1/0"
    for name, settings in {
        "wrong password": {"REDIS_URL": wrong_password},
        "no redis": {"REDIS_URL": nowhere},
        "odd redis": {"REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:port/0"},
        "no address of redis": {"REDIS_URL": f"http://:{PASSWORD}@x"},
        "odd key": {"API_KEY": f"{KEY} {KEY}"},
        "odd numbers": {"NUMBERS": f'[{{"name": "main", "key": "{KEY}", "kind": "{KEY}"'},
        "unfit numbers": {"NUMBERS": f'[{{"name": "MAIN", "key": "{KEY}", "id": 7, "secret": "{SECRET}"}}]'},
        "odd secret": {"WEBHOOK_SECRET": f"{SECRET} {SECRET}"},
    }.items():
        await house.run(f"{name}, run", "run", "shop.py", "--port", str(free_port()), **settings)
        if "redis" in name or "password" in name:
            await house.run(f"{name}, doctor", "doctor", **settings)
    port = free_port()
    wrong = await house.start("wrong key", "run", "shop.py", "--port", str(port), API_KEY=f"{KEY}wrong", SHARDS="2")
    await house.until(lambda: "does not give its templates" in house.said("wrong key"), "the platform to refuse the key")
    async with house.http.get(f"http://127.0.0.1:{port}/readyz") as answer:
        shown = await answer.text()
    wrong.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        await wrong.wait()
    return house.all_said() | {"over HTTP": shown}


async def drop_connections(house: House) -> None:
    """Have every connection to Redis dropped, in the middle of work."""
    admin = Redis.from_url(house.redis_url)
    with suppress(Exception):
        await admin.client_kill_filter(_type="normal", skipme=True)
    await admin.aclose()


def held(said: dict[str, str], words: dict[str, str]) -> list[str]:
    """Where which of these words is, with its line."""
    return [
        f"{where}: the {what}: {line}"
        for where, text in said.items()
        for what, word in words.items()
        for line in text.splitlines()
        if word in line
    ]


@pytest.mark.timeout(300)
async def test_no_secret_in_logs(house: House) -> None:
    said = await at_work_and_around(house)
    assert "DEBUG" in said["run"]
    assert held(said, SECRETS) == []


@pytest.mark.timeout(300)
async def test_no_secret_in_logs_where_it_is_set_wrongly(house: House) -> None:
    said = await set_wrongly(house)
    assert all(said.values())
    assert held(said, SECRETS) == []


@pytest.mark.timeout(300)
async def test_no_personal_data_in_logs(house: House) -> None:
    house.level = "INFO"
    said = await at_work_and_around(house)
    assert "INFO" in said["run"]
    assert "ERROR" in said["run"]
    assert held(said, SECRETS | PERSONAL) == []


def test_no_secret_in_logs_would_be_found() -> None:
    said = {"run": f"x\nAuthorization {TOKEN}\n", "other": orjson.dumps({"to": PHONE}).decode()}
    assert held(said, SECRETS) == [f"run: the token: Authorization {TOKEN}"]
    assert len(held(said, PERSONAL)) == 2
