"""The webhook server: what Pilot Status posts to, and what tells whether the process lives and is ready (contract section 8)."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from redis.exceptions import RedisError

from pilotbot import events
from pilotbot.engine import Away
from pilotbot.server.intake import Intake
from pilotbot.settings import Settings

log = logging.getLogger(__name__)

BODY_MAX = 256 * 1024
READ_TIMEOUT = 10.0  # seconds that a sender may take for its body
ACCEPT_TIMEOUT = 2.5  # seconds after which Redis counts as away, so that 503 is out within three
SIGNATURE = "x-pilot-status-signature"

Readiness = Callable[[], Awaitable[Mapping[str, object]]]
Inspect = Callable[[events.Inspect], Awaitable[Mapping[str, object]]]


def build_app(
    settings: Settings, intake: Intake, *, ready: Readiness, counts: Counter[str], inspect: Inspect | None = None
) -> web.Application:
    """The aiohttp application.

    `ready` answers with a mapping whose "ready" says whether; the rest is detail, shown as it is. `inspect` answers the sandbox's questions
    about a chat, where that is allowed.
    """
    webhook = Webhook(settings, intake, counts, inspect)

    async def healthz(_: web.Request) -> web.Response:
        return _json(200, {"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        state = await ready()
        return _json(200 if state["ready"] else 503, state)

    app = web.Application(client_max_size=BODY_MAX, middlewares=[_errors_as_json(counts)])
    app.router.add_post("/webhook", webhook.handle)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app


def build_runner(app: web.Application) -> web.AppRunner:
    """What serves the application. Nothing is decompressed, not even to be refused; requests are counted, not logged: their URL may hold
    the token.
    """
    return web.AppRunner(app, access_log=None, handle_signals=False, auto_decompress=False)


class Webhook:
    """`POST /webhook`: authenticated, decoded, kept; 200 only once the event is in Redis."""

    def __init__(self, settings: Settings, intake: Intake, counts: Counter[str], inspect: Inspect | None) -> None:
        self._secrets = [secret.get_secret_value() for secret in settings.webhook_secret]
        self._token = settings.webhook_token.get_secret_value() if settings.webhook_token else None
        self._intake = intake
        self._counts = counts
        self._inspect = inspect

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one delivery: 200 kept (or known, or of no concern), 4xx not acceptable, 503 come again."""
        if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
            return self._refuse(415, "unsupported", "send application/json, not compressed")
        try:
            if (request.content_length or 0) > BODY_MAX:
                raise web.HTTPRequestEntityTooLarge(BODY_MAX, request.content_length or 0)
            async with asyncio.timeout(READ_TIMEOUT):
                raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._refuse(413, "too-large", f"a body may have {BODY_MAX} bytes")
        except TimeoutError:
            return self._refuse(408, "slow", f"the body did not come within {READ_TIMEOUT:.0f} s")
        if not self._authentic(request, raw):
            return self._refuse(401, "unauthenticated", "the signature or the token is missing or wrong")
        try:
            event = events.decode(raw)
        except events.Malformed as error:
            return self._refuse(400, "malformed", str(error))
        try:
            async with asyncio.timeout(ACCEPT_TIMEOUT):
                if self._inspect is not None and isinstance(event, events.Inspect):
                    return _json(200, await self._inspect(event))
                outcome = await self._intake.take(event, raw)
        except (Away, RedisError, TimeoutError):
            log.warning("a delivery is answered 503: Redis is away")
            return self._refuse(503, "away", "the event could not be stored, deliver it again", {"Retry-After": "1"})
        if outcome == "full":
            return self._refuse(503, "full", "too many events of this chat wait, deliver it again later", {"Retry-After": "5"})
        return _json(200, {"status": outcome})

    def _authentic(self, request: web.Request, raw: bytes) -> bool:
        """Secret set: signature required. Token set: token required. Both: both (design section 3.17)."""
        if self._secrets and not events.verify(raw, request.headers.get(SIGNATURE), self._secrets):
            return False
        return self._token is None or events.token_matches(request.query.get("token"), self._token)

    def _refuse(self, status: int, code: str, remedy: str, headers: Mapping[str, str] | None = None) -> web.Response:
        return _refusal(self._counts, status, code, remedy, headers)


def _errors_as_json(counts: Counter[str]) -> Middleware:
    """What never comes to a handler of ours (a wrong path, a wrong method), answered and counted as our own refusals are."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
            return _refusal(counts, error.status, error.reason.lower().replace(" ", "-"), error.reason, headers)
        except Exception:
            log.exception("a request met a defect")
            return _refusal(counts, 500, "defect", "the server met a defect of its own; deliver it again")

    return middleware


def _refusal(counts: Counter[str], status: int, code: str, remedy: str, headers: Mapping[str, str] | None = None) -> web.Response:
    counts[f"refused:{code}"] += 1
    return _json(status, {"error": remedy, "code": code.upper().replace("-", "_")}, headers)


def _json(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)
