"""What every handler shares: the running parts, reading bodies, who is calling, errors as JSON."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from pilotbot.sandbox.errors import ApiError, from_pydantic, invalid
from pilotbot.sandbox.faults import SEND_PATH
from pilotbot.sandbox.lifecycle import Lifecycle, Parts
from pilotbot.sandbox.records import ApiKey, Json, Number
from pilotbot.sandbox.schemas import with_plus

PARTS = web.AppKey("parts", Parts)
LIFECYCLE = web.AppKey("lifecycle", Lifecycle)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Model = TypeVar("Model", bound=BaseModel)

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' http: https: data: blob:; media-src 'self' http: https: data: blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

HOST_REFUSED = "The sandbox answers only under 127.0.0.1, localhost or [::1], and the names in its setting allowed_hosts"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: a key, and the number it acts on if any."""

    key: ApiKey
    number: Number | None


def reply(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def parse(model: type[Model], raw: bytes) -> Model:
    """Read a JSON body into a schema.

    Raises:
        ApiError: 400 `VALIDATION_ERROR`, saying what is wrong.
    """
    try:
        return model.model_validate(json_object(raw))
    except ValidationError as error:  # ahead of ValueError, which it is one of
        raise from_pydantic(error) from None
    except ValueError as error:
        raise invalid(f"The body {error}") from None


def json_object(raw: bytes) -> Json:
    """Read a JSON object that can be written again.

    Raises:
        ValueError: it is none; the message says what it must be.
    """
    try:
        value = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError:
        raise ValueError("must be JSON (UTF-8)") from None
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 (wrong input, not a wrong program)
    try:
        orjson.dumps(value)
    except TypeError:
        raise ValueError("must not be nested so deeply") from None
    return value


def caller(request: web.Request) -> Caller:
    """Who is calling (contract 1.2, 1.3).

    Raises:
        ApiError: 401 without a valid key, 404 when a tenant names an unknown number.
    """
    parts = request.app[PARTS]
    given, given_id = request.headers.get("x-api-key"), request.headers.get("x-api-key-id")
    found = next((key for key in parts.settings.keys if given == key.key or (not given and given_id == key.id)), None)
    if found is None or parts.faults.hits("keyRevoked", request.path):
        raise ApiError(401, "Missing or invalid API key: send x-api-key")
    if found.number_id is not None:
        return Caller(found, parts.state.numbers[found.number_id])
    named = request.headers.get("x-whatsapp-number-id")
    if named is not None and named not in parts.state.numbers:
        raise ApiError(404, "WhatsApp number not found", "NUMBER_NOT_FOUND")
    return Caller(found, parts.state.numbers[named] if named is not None else None)


def number_of(request: web.Request, *, sending: bool = False) -> Number:
    """The number that a per-number call acts on.

    Raises:
        ApiError: 401, or 403 `TENANT_SCOPE_NOT_ALLOWED` for a tenant key that may not.
    """
    who = caller(request)
    tenant_refused = who.key.number_id is None and sending and not request.app[PARTS].settings.tenant_sends
    if who.number is None or tenant_refused:
        raise ApiError(403, "A tenant key cannot do this: use the key of a number", "TENANT_SCOPE_NOT_ALLOWED")
    return who.number


def whole(request: web.Request, name: str, default: int, *, low: int = 1, high: int) -> int:
    """A whole number of the query string; above `high` it is capped.

    Raises:
        ApiError: 400 when it is no number or below `low`.
    """
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < low:
        raise invalid(f"{name} must be a whole number of at least {low}")
    return min(int(text), high)


def address(request: web.Request) -> str | None:
    """The ``contact`` of the query string, if there is one; in a query string a bare ``+`` reads as a blank."""
    text = request.query.get("contact", "").strip()
    return with_plus(text) if text else None


def drop(request: web.Request) -> web.Response:
    """Break the connection, without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal is the contract's JSON envelope (section 1.4)."""
    try:
        return await handler(request)
    except ApiError as error:
        return reply(error.body(), error.status, error.headers)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return reply({"error": f"Method not allowed: use {allowed}"}, 405, {"Allow": allowed})
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return reply({"error": "Not found" if error.status == 404 else error.reason}, error.status)


@web.middleware
async def faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make calls under ``/v1`` go wrong, as ``/sandbox/faults`` was told."""
    path = request.path
    if not path.startswith("/v1/"):
        return await handler(request)
    wrong = request.app[PARTS].faults
    if wrong.hits("dropBefore", path):
        return drop(request)
    if wrong.hits("http500", path):
        raise ApiError(500, "Internal server error")
    if wrong.hits("http429", path):
        raise ApiError(429, "Too many requests", extra={"retryAfterSeconds": 1}, headers={"Retry-After": "1"})
    if path != SEND_PATH:  # a send waits while it holds its idempotency key
        await wrong.wait()
    return await handler(request)


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep other web sites out: a loopback Host on every path (the keys are published), JSON bodies where no key is asked for."""
    if not _is_local(request.host, request.app[PARTS].settings.allowed_hosts):
        raise ApiError(403, HOST_REFUSED, "HOST_NOT_ALLOWED")
    if request.path.startswith("/v1/"):
        return await handler(request)
    if request.method not in {"GET", "HEAD"} and request.content_type != "application/json":
        raise ApiError(415, "Send the body as content-type: application/json", "UNSUPPORTED_MEDIA_TYPE")
    return await handler(request)


async def secure(_: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)


def _is_local(host: str, allowed: tuple[str, ...]) -> bool:
    name = host[1 : host.find("]")] if host.startswith("[") else host.rsplit(":", 1)[0]
    if name.lower() in {"localhost", *(each.lower() for each in allowed)}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
