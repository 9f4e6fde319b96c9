"""How the webhook server speaks HTTP: bounded in time, size and connections, whoever is on the other side.

aiohttp parses and answers. It gives a sender all the time it wants for its headers, and reads as much at once as there is; so a `Guard`
stands between it and the socket, at the cost of no task and no timer a request. What is used of aiohttp is public: `Server` as the maker of
connections, `RequestHandler` with what it answers and logs when something is no HTTP, `on_eof` of a body.
"""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from aiohttp import web

log = logging.getLogger(__name__)

PIECE = 16 * 1024  # bytes that are read at once; twice as many may wait for a handler
BEYOND = 48 * 1024  # bytes of a request beside the greatest body: with a last piece, at most 64 KiB more than that body are read
LOOKS = 20  # at all connections, within the time that a request may take
LINGER = 1.0  # seconds that a refused sender has to see the answer before its connection is closed
LAST_ANSWERS = 3.0  # seconds that a request under way has at the end; then it is cut off, and comes again


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sender may do.

    Attributes:
        body: bytes of a body.
        read: seconds from the first byte of a request to its last, and for a new connection to bring one.
        idle: seconds between two requests.
        connections: open at once; with those to Redis and the platform they fit in the usual 1,024 files of a process.
    """

    body: int = 256 * 1024
    read: float = 10.0
    idle: float = 15.0
    connections: int = 768


class Refused(Exception):
    """A request that is not accepted.

    Args:
        status: the HTTP status.
        code: what it is counted under; the answer shows it in capitals.
        remedy: what its sender could do.
        headers: for the answer.
    """

    def __init__(self, status: int, code: str, remedy: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.remedy = remedy
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Route:
    """What answers at a path, and to which methods; it may raise `Refused`."""

    methods: tuple[str, ...]
    answer: Callable[[web.BaseRequest], Awaitable[web.Response]]


class App:
    """What is served: routes by path, within limits; what is refused is counted by its code."""

    def __init__(self, routes: Mapping[str, Route], counts: Counter[str], limits: Limits) -> None:
        self.limits = limits
        self.counts = counts
        self._routes = routes

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer a request, whatever happens."""
        request.content.on_eof(_guard(request).whole)
        try:
            return await self._route(request).answer(request)
        except Refused as refused:
            return self.refuse(request, refused)
        except Exception as error:  # noqa: BLE001 - the sender is told to come again, and the log where it was
            log.error("a request met a defect: %s", _place(error))  # noqa: TRY400 - an exception's words may hold a contact's
            return self.refuse(request, DEFECT)

    def refuse(self, request: web.BaseRequest, refused: Refused) -> web.Response:
        """A refusal, counted. Where there is more of the request to come, its connection ends with it."""
        self.counts[f"refused:{refused.code}"] += 1
        body = {"error": refused.remedy, "code": refused.code.upper().replace("-", "_")}
        answer = as_json(refused.status, body, refused.headers)
        if not request.content.is_eof():
            answer.force_close()
        return answer

    def _route(self, request: web.BaseRequest) -> Route:
        route = self._routes.get(request.path)
        if route is None:
            raise Refused(404, "not-found", "Not Found")
        if request.method not in route.methods:
            raise Refused(405, "method-not-allowed", "Method Not Allowed", {"Allow": ",".join(route.methods)})
        return route


DEFECT = Refused(500, "defect", "the server met a defect of its own; deliver it again")


def as_json(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer. It tells the name of the framework, and no version."""
    named = {"Server": "pilotbot", **(headers or {})}
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=named)


async def read_body(request: web.BaseRequest) -> bytes:
    """The body of a request, if it is not too large and comes in time; else it raises `Refused`."""
    guard = _guard(request)
    most = guard.limits.body
    if (request.content_length or 0) > most:
        raise _too_large(most)
    if not request.content.is_eof() and request.headers.get("Expect", "").lower() == "100-continue":
        guard.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()
    try:
        async with asyncio.timeout_at(guard.deadline):
            while piece := await request.content.readany():
                body += piece
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Refused(408, "slow", f"a request may take {guard.limits.read:.0f} s") from None
    except (web.RequestPayloadError, OSError):  # it breaks the rules of its encoding, or its sender is gone
        raise Refused(400, "broken", "the body could not be read to its end") from None
    return bytes(body)


def _too_large(most: int) -> Refused:
    return Refused(413, "too-large", f"a body may have {most} bytes")


def build_runner(app: App) -> web.ServerRunner:
    """What serves the application, within its limits; to be called where the event loop runs.

    Nothing is decompressed, not even to be refused; requests are counted, not logged: their URL may hold the token. At the end a request
    under way has a moment to be answered; idle connections are closed.
    """
    return web.ServerRunner(Server(app), shutdown_timeout=LAST_ANSWERS)


class Server(web.Server):
    """Makes connections, and looks at them from time to time."""

    def __init__(self, app: App) -> None:
        super().__init__(app.answer)
        self.app = app
        self.open: set[Guard] = set()
        self.clock = asyncio.get_running_loop()
        self.buffer = memoryview(bytearray(PIECE))  # one for all: what it holds is copied before anything else is read
        self._every = app.limits.read / LOOKS
        self._looking = False

    def __call__(self) -> "Guard":  # type: ignore[override] # a loop asks for a protocol, and any will do
        """A new connection."""
        return Guard(self)

    def watch(self, guard: "Guard") -> None:
        """Look at this connection, too, until it is lost."""
        self.open.add(guard)
        if not self._looking:
            self._looking = True
            self.clock.call_later(self._every, self._look)

    def _look(self) -> None:
        latest = self.clock.time() - self.app.limits.read - self._every  # a handler that waits for a body gives up first, with an answer
        for guard in tuple(self.open):
            guard.look(latest)
        self._looking = bool(self.open)
        if self._looking:
            self.clock.call_later(self._every, self._look)


class Guard(asyncio.BufferedProtocol):
    """One connection. Hands what comes to aiohttp in pieces, and cuts off who sends too slowly, sends too much or takes no answers."""

    __slots__ = ("_http", "_read", "_server", "_since", "_stalled", "transport")

    transport: asyncio.Transport
    _http: "Http"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._since: float | None = None  # when the request began that is not whole yet
        self._stalled: float | None = None  # when the other side ceased to take answers
        self._read = 0  # bytes of that request

    @property
    def limits(self) -> Limits:
        """What its sender may do."""
        return self._server.app.limits

    @property
    def deadline(self) -> float | None:
        """When the request must be whole, in the loop's time; None if it is."""
        return None if self._since is None else self._since + self.limits.read

    def whole(self) -> None:
        """The request is whole. What comes from now on belongs to the next."""
        self._since = None
        self._read = 0

    def look(self, latest: float) -> None:
        """Cut off a sender that began, or ceased to take answers, before `latest`."""
        if (self._since is not None and self._since < latest) or (self._stalled is not None and self._stalled < latest):
            self._server.app.counts["cut:slow"] += 1
            self.transport.abort()

    # --- what the loop calls ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take part, unless there are too many."""
        self.transport = cast("asyncio.Transport", transport)
        if len(self._server.open) >= self.limits.connections:
            self._server.app.counts["cut:connections"] += 1
            self.transport.abort()
            return
        self._since = self._server.clock.time()
        self._server.watch(self)
        self._http = Http(self._server, self)
        self._http.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self in self._server.open:
            self._server.open.discard(self)
            self._http.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - a piece, whatever there is
        """Where the next piece goes."""
        return self._server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """A piece came."""
        if self._since is None:
            self._since = self._server.clock.time()
        self._read += nbytes
        if self._read > self.limits.body + BEYOND:
            self._server.app.counts["cut:too-large"] += 1
            self.transport.close()
        else:
            self._http.data_received(bytes(self._server.buffer[:nbytes]))

    def eof_received(self) -> None:
        """The other side sends no more."""
        self._http.eof_received()

    def pause_writing(self) -> None:
        """The other side does not take what it is sent."""
        self._stalled = self._server.clock.time()
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self._stalled = None
        self._http.resume_writing()


class Http(web.RequestHandler):
    """aiohttp's side of a connection: what is no HTTP is answered as any refusal, and nothing of it is logged or sent back."""

    __slots__ = ("app", "guard")

    def __init__(self, server: Server, guard: Guard) -> None:
        quiet: dict[str, Any] = {"access_log": None}
        super().__init__(
            server, loop=server.clock, keepalive_timeout=server.app.limits.idle, lingering_time=LINGER, read_bufsize=PIECE // 2,
            auto_decompress=False, **quiet,
        )  # fmt: skip
        self.app = server.app
        self.guard = guard

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what came
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, or to a defect that is not `App.answer`'s."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer is sent already")
        if status == DEFECT.status:
            self.log_exception(exc_info=exc)
        refused = DEFECT if status == DEFECT.status else Refused(status, "not-http", "this is no request of HTTP 1.1")
        answer = self.app.refuse(request, refused)
        answer.force_close()
        return answer

    def log_exception(self, *_: Any, **about: Any) -> None:
        """A defect, told without the words of its exception."""
        error = about.get("exc_info")
        log.error("a connection met a defect: %s", _place(error) if isinstance(error, BaseException) else "unknown")


def _guard(request: web.BaseRequest) -> Guard:
    return cast("Http", request.protocol).guard


def _place(error: BaseException) -> str:
    """An exception's kind and where it was raised; what it says may hold what a contact wrote."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()
