"""The webhook server: what Pilot Status posts to, and what tells whether the process lives and is ready (contract section 8)."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from redis.exceptions import RedisError

from pilotbot import events
from pilotbot.engine import Away
from pilotbot.server.catch_up import CatchUp
from pilotbot.server.http import App, Limits, Refused, Route, as_json, build_runner, read_body
from pilotbot.server.intake import AGAIN, Intake
from pilotbot.settings import Settings

__all__ = ["App", "Webhook", "build_app", "build_runner"]

log = logging.getLogger(__name__)

ACCEPT_TIMEOUT = 2.5  # seconds after which Redis counts as away, so that 503 is out within three
SIGNATURE = "x-pilot-status-signature"

Readiness = Callable[[], Awaitable[Mapping[str, object]]]
Inspect = Callable[[events.Inspect], Awaitable[Mapping[str, object]]]


def build_app(
    settings: Settings, intake: Intake | None, *, ready: Readiness, counts: Counter[str], inspect: Inspect | None = None,
    catch_up: CatchUp | None = None,
) -> App:  # fmt: skip
    """What the server answers.

    `ready` answers with a mapping whose "ready" says whether; the rest is detail, shown as it is. `inspect` answers the sandbox's questions
    about a chat, where that is allowed. Without an `intake` no webhook is served; `catch_up` is told what came of each.
    """

    async def healthz(_: web.BaseRequest) -> web.Response:
        return as_json(200, {"status": "ok"})

    async def readyz(_: web.BaseRequest) -> web.Response:
        state = await ready()
        return as_json(200 if state["ready"] else 503, state)

    routes = {"/healthz": Route(("GET", "HEAD"), healthz), "/readyz": Route(("GET", "HEAD"), readyz)}
    if intake is not None:
        routes["/webhook"] = Route(("POST",), Webhook(settings, intake, inspect, catch_up).handle)
    return App(routes, counts, Limits())


class Webhook:
    """`POST /webhook`: authenticated, decoded, kept; 200 only once the event is in Redis."""

    def __init__(self, settings: Settings, intake: Intake, inspect: Inspect | None, catch_up: CatchUp | None) -> None:
        self._secrets = [secret.get_secret_value() for secret in settings.webhook_secret]
        self._token = settings.webhook_token.get_secret_value() if settings.webhook_token else None
        self._intake = intake
        self._inspect = inspect
        self._catch_up = catch_up

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one delivery: 200 kept (or known, or of no concern), `Refused` 4xx not acceptable, 503 come again."""
        if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
            raise Refused(415, "unsupported", "send application/json, not compressed")
        raw = await read_body(request)
        if not self._authentic(request, raw):
            raise Refused(401, "unauthenticated", "the signature or the token is missing or wrong")
        try:
            event = events.decode(raw)
        except events.Malformed as error:
            raise Refused(400, "malformed", str(error)) from None
        try:
            async with asyncio.timeout(ACCEPT_TIMEOUT):
                if self._inspect is not None and isinstance(event, events.Inspect):
                    return as_json(200, await self._inspect(event))
                outcome = await self._intake.take(event, raw)
        except (Away, RedisError, TimeoutError):
            log.warning("a delivery is answered 503: Redis is away")
            if self._catch_up is not None:
                self._catch_up.away()
            raise Refused(503, "away", "the event could not be stored, deliver it again", {"Retry-After": "1"}) from None
        if self._catch_up is not None:
            self._catch_up.came(event, outcome)
        if outcome in AGAIN:
            why, seconds = AGAIN[outcome]
            raise Refused(503, outcome, f"{why}: deliver it again later", {"Retry-After": str(seconds)})
        return as_json(200, {"status": outcome})

    def _authentic(self, request: web.BaseRequest, raw: bytes) -> bool:
        """Secret set: signature required, and one only. Token set: token required. Both: both (design section 3.17)."""
        given = request.headers.getall(SIGNATURE, ())
        if self._secrets and not (len(given) == 1 and events.verify(raw, given[0], self._secrets)):
            return False
        return self._token is None or events.token_matches(request.query.get("token"), self._token)
