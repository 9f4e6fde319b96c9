"""The running bot: Redis, the platform's clients, the worker, the sender, the upkeep and the webhook server, started and stopped."""

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
from aiohttp import web
from redis.exceptions import RedisError

from pilotbot.bot import Bot
from pilotbot.engine import Away, ChatKey, Engine, Notice, Terms
from pilotbot.engine.durability import fsync_of
from pilotbot.engine.embedded import RedisServer
from pilotbot.engine.timers import AT_ONCE
from pilotbot.events import Alert, Event, Inspect, Status
from pilotbot.platform import PilotStatus, PlatformError
from pilotbot.server.app import build_app, build_runner
from pilotbot.server.catch_up import CatchUp
from pilotbot.server.direct import Direct
from pilotbot.server.followups import name_of
from pilotbot.server.handover import Handovers
from pilotbot.server.health import Alerts, Health
from pilotbot.server.inspection import Inspection
from pilotbot.server.intake import Intake, Tell
from pilotbot.server.journal import Journal
from pilotbot.server.kept import Kept
from pilotbot.server.media import Downloads
from pilotbot.server.outbox import LaneOutbox
from pilotbot.server.pool import LETTING_GO
from pilotbot.server.remote import Remote
from pilotbot.server.saying import Numbers
from pilotbot.server.schedules import Ticker
from pilotbot.server.scratch import sweep
from pilotbot.server.sender import Sender
from pilotbot.server.templates import Templates, Watch, catalogue_of
from pilotbot.server.turn import Hands, TurnRunner
from pilotbot.server.watchdog import Watchdog
from pilotbot.server.worker import Worker
from pilotbot.settings import NumberSettings, Settings

log = logging.getLogger(__name__)

GRACE = 25.0  # seconds that a stop takes at most: running turns and posts are given that
BACKLOG = 1024  # connections that wait to be taken
POSTING = 3.0  # seconds of those that are kept for posting what the last turns said

Role = Literal["all", "server", "worker"]


@dataclass(frozen=True, slots=True)
class Duties:
    """What a process of a role does: take webhooks in; run turns, send, and see to what is due."""

    webhooks: bool
    work: bool


ROLES: Mapping[Role, Duties] = {
    "all": Duties(webhooks=True, work=True),
    "server": Duties(webhooks=True, work=False),
    "worker": Duties(webhooks=False, work=True),
}


async def open_redis(settings: Settings) -> RedisServer:
    """Redis as the settings say it; the embedded server is started or adopted where no URL is set. Raises RedisUnavailable."""
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    return await RedisServer.open(url=url, data_dir=settings.data_dir, fsync=fsync_of(settings.durability))


@asynccontextmanager
async def open_engine(settings: Settings, make: Callable[..., Engine] = Engine) -> AsyncIterator[Engine]:
    """An engine on the Redis of `open_redis`. `make`: for tests.

    Raises RedisUnavailable, UnfitRedis, Away or Mismatch.
    """
    server = await open_redis(settings)
    engine = make(
        lambda: server.address.url or f"unix://{quote(str(server.address.path))}",
        shards=settings.shards,
        terms=terms_of(settings),
        restore=server.ensure if settings.redis_url is None else None,
    )
    try:
        try:
            await engine.checkup.not_too_old()
            await engine.open()
            yield engine
        finally:
            await engine.close()
    finally:
        await server.close()


def terms_of(settings: Settings) -> Terms:
    """The engine's figures, as the settings say them."""
    return Terms(
        lease=_ms(settings.lease_seconds), margin=_ms(settings.window_margin_seconds), old_after=_ms(settings.stale_after_seconds),
        depth=settings.chat_waiting_most, high_water=settings.waiting_most, contact_gap=_ms(1 / settings.contact_per_second),
        contact_burst=settings.contact_burst, number_gap=_ms(1 / settings.business_per_second),
        number_burst=max(round(settings.business_per_second), 1), chat_gap=_ms(settings.business_chat_seconds),
        sequence_wait=_ms(settings.sequence_wait_seconds),
    )  # fmt: skip


@asynccontextmanager
async def clients(settings: Settings, session: aiohttp.ClientSession) -> AsyncIterator[Mapping[str, PilotStatus]]:
    """A client for each configured number, by its name, all on one session."""
    async with AsyncExitStack() as stack:
        yield {number.name: await stack.enter_async_context(_client(settings, number, session)) for number in settings.numbers}


def _client(settings: Settings, number: NumberSettings, session: aiohttp.ClientSession) -> PilotStatus:
    return PilotStatus(
        settings.api_url,
        api_key=number.key.get_secret_value() if number.key else None,
        api_key_id=number.key_id.get_secret_value() if number.key_id else None,
        session=session,
    )


class Runtime:
    """A bot with everything it runs on.

    `reveal` is for a developer's desk only: the explanation of unhandled messages shows contacts' words, and `journal` tells what turns
    and posts did; otherwise that is None.
    """

    def __init__(
        self, bot: Bot, settings: Settings, engine: Engine, platform: Mapping[str, PilotStatus], *, role: Role = "all", reveal: bool = False
    ) -> None:
        self.engine = engine
        self.duties = ROLES[role]
        self.counts: Counter[str] = Counter()
        self.journal = Journal(margin=engine.terms.margin) if reveal else None
        self._bot = bot
        self._settings = settings
        self._platform = platform
        self._routes = bot.build()
        templates = Templates(catalogue_of(bot, settings), settings.language, list_words=bot.list_words)
        numbers = Numbers(settings.numbers, templates)
        self._alerts = Alerts(
            engine, wanted=self._routes.wants(Alert), counts=self.counts, wake=lambda shard: self._worker.wake(shard)  # noqa: PLW0108 - it is made below
        )  # fmt: skip
        self._sender = Sender(
            engine, platform, counts=self.counts, lanes=settings.senders, journal=self.journal,
            keep_content=self._routes.wants(Status), alert=self._alerts.tell,
        )  # fmt: skip
        downloads = Downloads(
            most=settings.media_max_bytes, patience=settings.media_timeout_seconds,
            sandbox=settings.api_url if settings.obeys_sandbox_clock else None,
        )  # fmt: skip
        direct = Direct(engine, platform, downloads=downloads, typing=settings.typing)
        self._outbox = LaneOutbox(engine, numbers, policy=bot.policy, wake=self._sender.wake, direct=direct)
        hands = Hands(
            lane=self._sender.offer, reserve=self._sender.reserve, release=self._sender.release, wake_lane=self._sender.wake,
            relay=self._relay_soon, put_aside=self._sender.note,
        )  # fmt: skip
        turns = TurnRunner(
            bot, self._routes, engine, numbers, hands, timeout=settings.handler_timeout_seconds, reveal=reveal, counts=self.counts,
            journal=self.journal, direct=direct,
        )  # fmt: skip
        self._worker = Worker(engine, turns.run, turns=settings.workers)
        schedules = self._routes.schedules
        self._ticker = Ticker(engine, schedules, number=settings.numbers[0].name, wake=self._worker.wake, counts=self.counts)
        self._handovers = Handovers(
            engine, settings.numbers, platform, bot.handing_over, counts=self.counts, put_aside=self._sender.note, wake=self._worker.wake
        )  # fmt: skip
        self._intake = Intake(
            engine, settings.numbers, Tell(self._worker.wake, self._sender.wake, self._sender.note), wants=self._wants,
            wants_stale=self._routes.wants_stale, opt_out=bot.opting_out,
            follow_clock=settings.obeys_sandbox_clock, counts=self.counts, clock_moved=self._time_passed,
            echo=self._handovers.heard, health=Health(engine, self._alerts).heard,
        )  # fmt: skip
        taken_in = self._intake if self.duties.webhooks else None
        self._catch_up = CatchUp(engine, settings.numbers, platform, self._intake.take, counts=self.counts)
        self.app = build_app(
            settings, taken_in, ready=self._readiness, counts=self.counts, inspect=self._inspect(), catch_up=self._catch_up
        )  # fmt: skip
        self._remote = Remote(settings, engine, platform, self._intake.take)
        self._watch = Watch(
            bot, settings.numbers, engine, platform, templates, counts=self.counts, alert=self._alerts.tell
        )  # fmt: skip
        self._kept = Kept(engine, settings, at_desk=reveal)
        self._watchdog = Watchdog(self.counts)
        self._tasks: list[asyncio.Task[None]] = []
        self._relays: set[asyncio.Task[None]] = set()
        self.url = ""
        """Where the server listens, once it does; a worker may not."""

    async def start(self) -> None:
        """Start working: turns, sends, upkeep; none of them where the role is to take webhooks in. Raises UnfitRedis."""
        await self._kept.begin()
        if self._settings.obeys_sandbox_clock:
            await self._remote.meet_clock()
        jobs = {"durability": forever(self._kept.look, 60.0, "what Redis keeps is not looked at")}
        if self.duties.webhooks:
            jobs["missed webhooks"] = forever(self._catch_up.tick, 2.0, "missed webhooks are not looked for")
        if self.duties.work:
            await asyncio.to_thread(sweep)
            await self._ticker.begin()
            await self._watch.recall()
            jobs |= self._work()
        self._tasks = [asyncio.create_task(job, name=f"pilotbot-{name}") for name, job in jobs.items()]
        for task in self._tasks:
            task.add_done_callback(_tell)
        self._bot.bind(self._outbox)
        self._watchdog.start()

    def _work(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """What runs in the background where the work is done."""
        lease = self._settings.lease_seconds
        return {
            "worker": self._worker.run(),
            "sender": self._sender.run(),
            "renewal of turns": forever(self._worker.renew, lease / 3, "turns are not renewed"),
            "renewal of lanes": forever(self._sender.renew, lease / 3, "lanes are not renewed"),
            "relay": forever(self._relay_leftovers, 5.0, "the relay waits"),
            "merges": forever(self._move_on, 1.0, "chats of one person wait to become one"),
            "follow-ups": forever(self._fire, 0.25, "follow-ups wait"),
            "handovers": forever(self._handovers.look, 0.25, "handovers that are over wait"),
            "echoes": forever(self._handovers.judge, 0.25, "echoes wait"),
            "schedules": forever(self._ticker.tick, 1.0, "schedules wait"),
            "holds": forever(self._sweep, 60.0, "holds that ran out wait"),
            "statuses": forever(self._remote.ask_for_statuses, 30.0, "overdue statuses are not asked for"),
            "templates": forever(self._watch.look, 3600.0, "the catalogue of templates could not be read"),
        }

    async def stop(self, grace: float = GRACE) -> None:
        """Claim no more, finish what runs, end the upkeep: `grace` seconds at most. Leases left are given back with the engine."""
        self._bot.bind(None)
        until = time.monotonic() + grace - LETTING_GO
        self._sender.claim_no_more()  # what the last turns say is leased with their commits
        await self._worker.stop(max(0.0, grace - POSTING - LETTING_GO))
        await self._sender.stop(max(0.0, until - time.monotonic()))
        for task in self._tasks:
            task.cancel()
        if left := {*self._tasks, *self._relays}:
            await asyncio.wait(left, timeout=LETTING_GO)
        self._watchdog.stop()

    async def kill(self) -> None:
        """End at once, as `kill -9` does: nothing is finished, told to Redis or given back. For tests of what survives that."""
        self.engine.abandon()
        await self.stop(grace=0.0)

    def _wants(self, event: Event) -> bool:
        return self._routes.wants(type(event))

    def _inspect(self) -> Callable[[Inspect], Awaitable[Mapping[str, object]]] | None:
        """What answers the sandbox's questions about a chat: only the sandbox's, and only at a developer's desk."""
        if self.journal is None or not self._settings.obeys_sandbox_clock:
            return None
        return Inspection(self._bot.name, self.engine, self._settings.numbers, self.journal).answer

    async def _readiness(self) -> Mapping[str, object]:
        """Ready: Redis answers, knows the scripts (or is told them again) and keeps what is promised; no part of the work has ended."""
        loop = {"longest_lag": round(self._watchdog.lag, 3)}
        state: dict[str, object] = {"remote": self._watch.told, "loop": loop, "counts": dict(self.counts)}
        ended = [task.get_name() for task in self._tasks if task.done()]
        try:
            async with asyncio.timeout(2):
                if not await self.engine.ready():
                    await self.engine.load_scripts()
                state["numbers"] = await self._pauses()
        except (Away, TimeoutError):
            return {"ready": False, "redis": "away", **state}
        except RedisError as error:
            return {"ready": False, "redis": type(error).__name__, **state}
        ready = not ended and not self._kept.broken
        state["durability"] = self._kept.told or "ok"
        return {"ready": ready, "redis": "ok", **({"ended": ended} if ended else {}), **state}

    async def _pauses(self) -> Mapping[str, object]:
        """The numbers that do not send, in any process, and those that did not when this one last tried; until when they are left alone."""
        found = self._sender.pauses() | await self.engine.pauses([number.name for number in self._settings.numbers])
        return {name: pause.told() for name, pause in found.items()}

    # --- upkeep -----------------------------------------------------------------------------------------------------------------

    def _relay_soon(self, key: ChatKey, notices: tuple[Notice, ...]) -> None:
        """Relay what a commit staged, outside its turn; what this process does not get to, the next pass over leftovers does."""
        task = asyncio.create_task(self._relay(key, notices), name="pilotbot-relay-soon")
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)

    async def _relay(self, key: ChatKey, notices: tuple[Notice, ...]) -> None:
        try:
            self._sender.note(await self.engine.relay(notices, key.shard))
        except Away:
            log.warning("notices to other chats wait for Redis")
        for notice in notices:
            self._sender.wake(notice.place.key.shard)

    async def _fire(self) -> None:
        """Move follow-ups that are due to their lanes; all processes do, and each finds what no other has moved."""
        for shard in range(self.engine.shards):
            due = AT_ONCE
            while due == AT_ONCE:
                due, put_aside = await self.engine.timers.fire(shard)
                self._sender.note(put_aside)
                if due:
                    self.counts["follow-ups"] += due
                    self._sender.wake(shard)

    async def _time_passed(self) -> None:
        """The sandbox moved its clock: what that makes due is under way before it is told so."""
        if self.duties.work:
            await self._handovers.look()
            await self._handovers.judge()
            await self._fire()
            await self._ticker.tick()

    async def _relay_leftovers(self) -> None:
        for shard in range(self.engine.shards):
            notices, put_aside = await self.engine.relay_leftovers(shard)
            self._sender.note(put_aside)
            for notice in notices:
                self._sender.wake(notice.place.key.shard)

    async def _move_on(self) -> None:
        """Go on with chats that move into others; all processes do, and each step may be done twice."""
        for shard in range(self.engine.shards):
            for move in await self.engine.merges.due(shard):
                moved, put_aside = await self.engine.merges.go_on(move, name_of)
                self._sender.note(put_aside)
                if moved:
                    self._worker.wake(move.target.shard)
                    self._sender.wake(move.target.shard)

    async def _sweep(self) -> None:
        for shard in range(self.engine.shards):
            self._sender.note(await self.engine.sweep(shard))


@asynccontextmanager
async def running(
    bot: Bot, settings: Settings, *, role: Role = "all", sockets: Sequence[socket.socket] = (), reveal: bool = False,
    engine: Callable[..., Engine] = Engine,
) -> AsyncIterator[Runtime]:  # fmt: skip
    """A bot at work until the block is left, which takes 25 seconds at most.

    Its server listens where the settings say, or on `sockets` that are bound already. In the role of a worker it tells of its health
    only, and that only where a port is named.

    Raises RedisUnavailable, UnfitRedis, Away, Mismatch, WiringError, or OSError where the port is taken.
    """
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_engine(settings, engine))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2 * settings.senders), cookie_jar=aiohttp.DummyCookieJar())
        )
        platform = await stack.enter_async_context(clients(settings, session))
        runtime = Runtime(bot, settings, opened, platform, role=role, reveal=reveal)
        runner = build_runner(runtime.app)
        stack.push_async_callback(_end, runtime, runner)
        await runner.setup()
        await runtime.start()
        if sockets or runtime.duties.webhooks or "port" in settings.model_fields_set:
            sites: list[web.BaseSite] = [web.SockSite(runner, each, backlog=BACKLOG) for each in sockets]
            for site in sites or [web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG)]:
                await site.start()
            runtime.url = f"http://{settings.host}:{runner.addresses[0][1]}"
        yield runtime


async def _end(runtime: Runtime, runner: web.BaseRunner) -> None:
    """No new connection and no new claim from now on; what is under way on both sides comes to its end."""
    async with asyncio.TaskGroup() as both:
        both.create_task(runner.cleanup())
        both.create_task(runtime.stop())


async def forever(work: Callable[[], Awaitable[object]], every: float, trouble: str) -> None:
    """Do `work` every so many seconds until cancelled. No trouble ends it: it is logged, and done again."""
    while True:
        try:
            await work()
        except (Away, RedisError, PlatformError) as error:
            log.warning("%s: %s", trouble, type(error).__name__)
        except Exception:
            log.exception("%s: a defect", trouble)
        await asyncio.sleep(every)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("%s stopped", task.get_name(), exc_info=error)
