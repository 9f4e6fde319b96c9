"""The sandbox as a whole: its parts put together, served on a loopback port, started and stopped."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from aiohttp import web

from pilotbot.sandbox import (
    api_messages,
    api_templates,
    api_webhooks,
    control,
    control_chats,
    control_happenings,
    control_webhooks,
    http,
    media,
    phone_page,
    posts,
)
from pilotbot.sandbox.clock import Clock, Timers
from pilotbot.sandbox.delivery import Webhooks
from pilotbot.sandbox.faults import Faults
from pilotbot.sandbox.idempotency import Idempotency
from pilotbot.sandbox.lifecycle import Lifecycle, Parts
from pilotbot.sandbox.media_files import MediaFiles
from pilotbot.sandbox.settings import SandboxSettings
from pilotbot.sandbox.state import State
from pilotbot.sandbox.store import Store
from pilotbot.sandbox.stream import Stream

MAX_BODY = 32 * 2**20
STOP_PATIENCE_S = 0.2


@dataclass(frozen=True, slots=True)
class Pending:
    """What a sandbox still has to do.

    Attributes:
        now: how many deliveries and steps of messages are under way or due.
        later: when each of the others is due, in milliseconds since the epoch on the sandbox's clock, soonest first.
        now_ms: that clock when it was asked.
        sequence: grows with every message and delivery, so that one that came and went meanwhile is noticed.
    """

    now: int
    later: list[int]
    now_ms: int = field(default=0, compare=False)
    sequence: int = field(default=0, compare=False)


class Sandbox:
    """A local Pilot Status: ``async with Sandbox(port=0) as sandbox: ... sandbox.url``.

    Args:
        settings: how it is set up; the defaults suit a laptop.
        port: overrides the settings' port; 0 takes a free one.
    """

    def __init__(self, settings: SandboxSettings | None = None, *, port: int | None = None) -> None:
        settings = settings or SandboxSettings()
        self.settings = settings if port is None else replace(settings, port=port)
        self._parts: Parts | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it started."""
        return self._port

    @property
    def url(self) -> str:
        """The base URL, without ``/v1`` and without a slash at the end."""
        return f"http://{self.settings.host}:{self._port}"

    def pending(self) -> Pending:
        """What it still has to do: webhook deliveries to make, and messages to move on. Nothing, when it does not run."""
        if self._parts is None:
            return Pending(0, [])
        state, now_ms = self._parts.state, self._parts.clock.now_ms()
        # A delivery without a time is queued or under way; one that is tried again keeps its time until it is settled.
        due = [item.due_ms or 0 for item in state.deliveries.values() if item.status == "PENDING"]
        due += [message.due_ms for message in state.messages.values() if message.due_ms is not None]
        later = sorted(ms for ms in due if ms > now_ms)
        return Pending(len(due) - len(later), later, now_ms, state.sequence)

    async def start(self) -> None:
        """Open the data, listen, and take up what was under way when it last ran.

        Raises:
            OSError: the port is taken.
        """
        self._parts = parts = _build(self.settings)
        lifecycle = Lifecycle(parts)
        self._runner = web.AppRunner(_app(parts, lifecycle), access_log=None, shutdown_timeout=STOP_PATIENCE_S)
        try:
            await self._runner.setup()
            site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
            await site.start()
            self._port = self._runner.addresses[0][1]
            await parts.webhooks.start()
            lifecycle.resume()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop at once; what is pending is taken up at the next start, if there is a data directory."""
        parts, runner = self._parts, self._runner
        self._parts = self._runner = None
        if parts is not None:
            parts.stream.close()
            parts.timers.clear()
        if runner is not None:
            await runner.cleanup()
        if parts is not None:
            parts.timers.clear()
            await parts.webhooks.stop()
            parts.store.close()
            parts.media.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()


def _build(settings: SandboxSettings) -> Parts:
    rng = random.Random(settings.seed)  # noqa: S311 (delays and faults, nothing secret)
    clock, stream, store = Clock(), Stream(), Store(settings.data_dir)
    timers, wrong = Timers(clock), Faults(rng, settings.latency_ms)
    state = State(settings, store, clock)
    webhooks = Webhooks(settings, state, clock=clock, timers=timers, faults=wrong, stream=stream, rng=rng)
    files = MediaFiles(settings.data_dir)
    files.keep_only(state.media)
    return Parts(settings, store, clock, timers, rng, wrong, stream, state, webhooks, files)


def _app(parts: Parts, lifecycle: Lifecycle) -> web.Application:
    app = web.Application(middlewares=[posts.counted, http.errors, http.local_only, http.faults], client_max_size=MAX_BODY)
    app[http.PARTS] = parts
    app[http.LIFECYCLE] = lifecycle
    app[api_messages.IDEMPOTENCY] = Idempotency(parts.state, parts.clock)
    app[posts.POSTS] = posts.Posts()
    app[phone_page.FILES] = phone_page.files_in(phone_page.FOLDER)
    app.on_response_prepare.append(http.secure)
    for module in (
        api_messages, api_templates, api_webhooks, control, control_chats, control_happenings, control_webhooks, media, phone_page, posts,
    ):  # fmt: skip
        app.add_routes(module.ROUTES)
    return app
