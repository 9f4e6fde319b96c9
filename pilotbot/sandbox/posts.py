"""What became of the posts to ``/v1/messages/send``: how many were answered how, and what was refused for what it was."""

from __future__ import annotations

from collections import Counter, deque

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from pilotbot.sandbox.clock import iso
from pilotbot.sandbox.faults import SEND_PATH
from pilotbot.sandbox.http import PARTS, reply
from pilotbot.sandbox.records import Json

KEPT = 1000  # of the refused ones, the last


class Posts:
    """Counts of all posts by their answer, and the last that were refused; in memory only, and without what they said."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.answers: Counter[str] = Counter()
        self.replayed = 0
        self.refused: deque[Json] = deque(maxlen=KEPT)

    def to_json(self) -> Json:
        """As ``GET /sandbox/posts`` answers."""
        return {"answers": dict(self.answers), "replayed": self.replayed, "refused": list(self.refused)}


POSTS = web.AppKey("posts", Posts)


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note what a post was answered with, or that its connection broke first."""
    response = await handler(request)
    if request.path == SEND_PATH and request.method == "POST":
        posts, status = request.app[POSTS], response.status
        broken = request.transport is None or request.transport.is_closing()
        posts.answers["dropped" if broken else str(status)] += 1
        posts.replayed += "Idempotent-Replayed" in response.headers
        if 400 <= status < 500 and status != 429:  # the others say nothing against the request
            posts.refused.append({
                "status": status,
                "code": _code(response),
                "idempotencyKey": request.headers.get("Idempotency-Key"),
                "bytes": request.content_length or 0,
                "at": iso(request.app[PARTS].clock.now_ms()),
            })  # fmt: skip
    return response


def _code(response: web.StreamResponse) -> object:
    """The stable code of a refusal, which is always JSON (see `http.errors`)."""
    return orjson.loads(response.body).get("code") if isinstance(response, web.Response) and isinstance(response.body, bytes) else None


async def posts(request: web.Request) -> web.Response:
    """``GET /sandbox/posts``."""
    return reply(request.app[POSTS].to_json())


ROUTES = (web.get("/sandbox/posts", posts),)
