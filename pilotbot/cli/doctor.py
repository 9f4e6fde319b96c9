"""`pilotbot doctor`: whether settings, Redis, clocks, platform and disk can keep what is promised, and what to change."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import httpx
import orjson
import typer
from redis.exceptions import NoPermissionError, RedisError

from pilotbot.cli import logs
from pilotbot.cli.diagnosis import date_of, of_clocks, of_round_trips, of_sample, of_setup, of_space, of_webhooks
from pilotbot.cli.failures import told
from pilotbot.cli.installation import at_hand
from pilotbot.engine import Away
from pilotbot.engine.calls import Calls
from pilotbot.engine.checkup import Checkup, Reading
from pilotbot.engine.durability import Finding, Level, judge, promised
from pilotbot.engine.embedded import RedisServer, RedisUnavailable
from pilotbot.platform import Family, PilotStatus, PlatformError, classify, network_error
from pilotbot.server import clients
from pilotbot.server.runtime import open_redis
from pilotbot.settings import NumberSettings, Settings, SettingsError, without_effect

TRIPS = 100
PATIENCE = 15.0  # seconds that the platform has for each number


@told()
def examine(data: Path | None, *, as_json: bool) -> None:
    """Print a line for each thing that was looked at; exit code 1 where something is bad."""
    logs.set_up("CRITICAL")  # what is wrong is a finding
    try:
        settings = at_hand(data)
    except SettingsError as error:
        found = [Finding("settings", "bad", line) for line in str(error).splitlines()]
    else:
        found = asyncio.run(checked(settings))
    bad = sum(finding.level == "bad" for finding in found)
    if as_json:
        typer.echo(orjson.dumps({"ok": not bad, "findings": [asdict(finding) for finding in found]}, option=orjson.OPT_INDENT_2))
    else:
        for line in table(found):
            typer.echo(line)
    if bad:
        raise typer.Exit(1)


def table(found: Sequence[Finding]) -> list[str]:
    """A line for each finding: mark, what was looked at, what was seen, the remedy."""
    width = max(len(finding.check) for finding in found)
    remedies = (f"; {finding.remedy}" if finding.remedy else "" for finding in found)
    return [f"{each.level:<4}  {each.check:<{width}}  {each.seen}{remedy}" for each, remedy in zip(found, remedies, strict=True)]


async def checked(settings: Settings) -> list[Finding]:
    """Look at everything. The clocks come last, since the others tell theirs."""
    clocks = {"here": Reading("this machine", 0.0, 0.0)}
    numbers = f"{len(settings.numbers)} number{'' if len(settings.numbers) == 1 else 's'}"
    found = [Finding("settings", "ok", f"{numbers}, durability {settings.durability or 'not promised'}")]
    found += [Finding("settings", "warn", line, "correct it or take it away") for line in without_effect()]
    found += await _of_redis(settings, clocks)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session, clients(settings, session) as platform:
        for number in settings.numbers:
            found += await _of_platform(settings, number, platform[number.name], clocks)
    return found + of_clocks(list(clocks.values()))


async def _of_redis(settings: Settings, clocks: dict[str, Reading]) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with AsyncExitStack() as stack:
            server, checkup = await stack.enter_async_context(_redis(settings))
            embedded = settings.redis_url is None
            facts = await checkup.facts()
            seen = server.description.removeprefix("Redis: ")
            if server.owned:
                seen += ": only for this look, no bot runs on it"
            found += [Finding("redis", "ok", seen), *judge(facts, promised(settings.durability, embedded=embedded), embedded=embedded)]
            clocks["redis"] = await checkup.clock()
            found.append(of_round_trips(await checkup.round_trips(TRIPS)))
            if embedded:
                found.append(of_space(shutil.disk_usage(settings.data_dir).free, facts.aof_bytes if facts else 0))
            shards = await checkup.shards()
            ahead = await checkup.ahead(shards or 0)
            found += of_setup(settings.shards, shards, ahead, sandbox=settings.obeys_sandbox_clock)
            if facts is not None and facts.version >= (7, 0):
                try:
                    found.append(of_sample(await checkup.sample(shards or 0)))
                except NoPermissionError:
                    found.append(Finding("chats", "warn", "they could not be looked at", "allow the user +scan and +eval_ro"))
            return found
    except RedisUnavailable as error:
        return [Finding("redis", "bad", str(error))]
    except (Away, RedisError) as error:
        remedy = "look after it, or correct PILOTBOT_REDIS_URL and the rights of its user"
        return [*found, Finding("redis", "bad", f"it does not answer, or refuses: {error}", remedy)]


@asynccontextmanager
async def _redis(settings: Settings) -> AsyncIterator[tuple[RedisServer, Checkup]]:
    """The server, started where there is none on the data directory, and looks at it that change nothing."""
    server = await open_redis(settings)
    calls = Calls(server.address.url or f"unix://{quote(str(server.address.path))}", patience=1.0, restore=None)
    try:
        yield server, Checkup(calls)
    finally:
        await calls.close()
        await server.close()


async def _of_platform(settings: Settings, number: NumberSettings, client: PilotStatus, clocks: dict[str, Reading]) -> list[Finding]:
    """One number: whether the platform answers and takes its key, and delivers to us."""
    check = f"platform for {number.name}"
    host = urlsplit(settings.api_url).netloc
    try:
        async with asyncio.timeout(PATIENCE):
            await _ask(client, clocks)
            found = [Finding(check, "ok", f"{host} answers and takes the key")]
            return [*found, await _of_webhook(settings, number, client)]
    except TimeoutError:
        return [Finding(check, "bad", f"{host} takes longer than {PATIENCE:.0f} s", "check the network and PILOTBOT_API_URL")]
    except PlatformError as error:
        level: Level = "warn" if error.family is Family.THROTTLED else "bad"
        code = " ".join(str(part) for part in (error.status or "no answer", error.code) if part)
        return [Finding(check, level, f"{host}: {code}", error.remedy)]


async def _ask(client: PilotStatus, clocks: dict[str, Reading]) -> None:
    """A cheap call with the number's key, whose `Date` is the platform's clock. Raises PlatformError."""
    before = time.time()
    try:
        answer = await client.http.get("/v1/templates")
    except httpx.TransportError as error:
        raise network_error(error) from error
    clock = date_of(answer.headers, before, time.time())
    if clock is not None:
        clocks["platform"] = clock
    if not answer.is_success:
        raise classify(answer.status_code, answer.content, answer.headers, now=time.time())


async def _of_webhook(settings: Settings, number: NumberSettings, client: PilotStatus) -> Finding:
    try:
        hooks = await client.webhooks()
    except PlatformError as error:
        return Finding(f"webhook of {number.name}", "warn", f"cannot be seen: {error.status or 'no answer'}", "look in the dashboard")
    token = settings.webhook_token.get_secret_value() if settings.webhook_token else None
    return of_webhooks(number.name, number.id, hooks, port=settings.port, token=token)
