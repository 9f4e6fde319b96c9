"""The Pilot Status client: one aiohttp session, a hot path that posts stored bytes, and typed calls (contract 1-8.1)."""

import asyncio
import random as _random
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
import httpx
import orjson
from yarl import URL

from pilotbot.platform import responses
from pilotbot.platform.errors import PlatformError, classify, loads, network_error, unreadable
from pilotbot.platform.media import MediaReader
from pilotbot.platform.requests import SendRequest
from pilotbot.platform.responses import (
    Accepted,
    CancelResult,
    HistoryPage,
    MessageStatus,
    TemplateInfo,
    Webhook,
    WebhookLog,
)
from pilotbot.platform.retry import backoff
from pilotbot.platform.transport import AiohttpTransport, httpx_error

BODY_MAX: Final = 4 << 20
PATIENCE: Final = 60.0
CANCEL_MAX: Final = 100
_CONNECTIONS: Final = 256
_CONNECT_TIMEOUT: Final = 10.0
_KEY_MAX: Final = 255
_READ_ATTEMPTS: Final = 4
_JSON: Final = "application/json"

_Answer = TypeVar("_Answer")


class PilotStatus:
    """The platform's API with one credential.

    Parameters: `base_url`, the host with or without `/v1`; exactly one of `api_key` and `api_key_id`; `number_id`,
    the number that a tenant key acts on (ignored by the platform for a number key); `session`, an aiohttp session to
    ride on, left open at the end (without one, the client has its own); `timeout`, seconds for one attempt; `random`,
    `sleep`, `clock` (Unix seconds) for the waits between attempts. Raises `ValueError` for a set-up that cannot work.

    An async context manager. Every call raises `PlatformError`, and nothing else, when it does not succeed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        api_key_id: str | None = None,
        number_id: str | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 30,
        random: Callable[[], float] = _random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host_of(base_url)
        self._headers = _credentials(api_key, api_key_id, number_id)
        self._send_headers = {**self._headers, "content-type": _JSON, "accept-encoding": "identity"}
        self._send_url = URL(f"{self.host}/v1/messages/send")
        self._timeout = timeout
        self._attempt = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, _CONNECT_TIMEOUT))
        self._session = session
        self._owned = session is None
        self._http: httpx.AsyncClient | None = None
        self._random, self._sleep, self._clock = random, sleep, clock

    async def __aenter__(self) -> Self:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar())
        self._http = httpx.AsyncClient(
            base_url=self.host,
            headers=self._headers,
            transport=AiohttpTransport(self._session),
            timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, _CONNECT_TIMEOUT)),
            trust_env=False,
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None
        if self._owned and self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The httpx client for whatever has no method here: credentials set, base URL the host (`/v1/...` in paths)."""
        if self._http is None:
            raise _not_open()
        return self._http

    async def post(self, body: bytes, idempotency_key: str) -> Accepted:
        """Post a message once, exactly these bytes under exactly this key (contract 3).

        The hot path: no retry here, the caller stores the bytes and owns that. Raises `PlatformError`; `ValueError`
        for a key that is not 1 to 255 printable ASCII characters.
        """
        if self._session is None:
            raise _not_open()
        _check_key(idempotency_key)
        try:
            async with self._session.post(
                self._send_url,
                data=body,
                headers={**self._send_headers, "Idempotency-Key": idempotency_key},
                timeout=self._attempt,
                allow_redirects=False,
            ) as answer:
                content = await _bounded(answer.content.iter_any())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise network_error(httpx_error(error)) from error
        if not 200 <= answer.status < 300:
            raise classify(answer.status, content, answer.headers, now=self._clock())
        return responses.accepted(content, replayed=answer.headers.get("Idempotent-Replayed", "").lower() == "true")

    async def send(self, request: SendRequest, *, idempotency_key: str, attempts: int = 4) -> Accepted:
        """Send a message, trying again up to `attempts` times with the same bytes and the same key (contract 3.7).

        Waits between attempts as `backoff` says; a platform that asks for more than 60 s is not waited for. Raises the
        last `PlatformError`.
        """
        body = request.to_bytes()
        return await self._persist(lambda: self.post(body, idempotency_key), attempts)

    async def get(self, message_id: str) -> MessageStatus:
        """Return how a message stands; by id, correlation id or provider id (contract 4.1)."""
        document = await self._read(f"/v1/messages/{_segment(message_id)}")
        return responses.one(MessageStatus, document, "message")

    async def cancel(self, message_ids: Sequence[str]) -> CancelResult:
        """Cancel 1 to 100 scheduled messages that have not left (contract 4.2)."""
        if not 1 <= len(message_ids) <= CANCEL_MAX:
            msg = f"cancel takes 1 to {CANCEL_MAX} ids a call, not {len(message_ids)}"
            raise ValueError(msg)
        body = {"messageIds": list(message_ids)}
        return responses.cancel_result(await self._call("DELETE", "/v1/messages/cancel", body=body))

    async def typing(self, address: str) -> None:
        """Show a contact that somebody is typing (contract 3.9, which does not document the body: it may not work)."""
        await self._call("POST", "/v1/messages/typing", body={"destinationNumber": address})

    async def media(self, media_id: str, reader: MediaReader, *, phone_number_id: str | None = None) -> AsyncGenerator[bytes, None]:
        """Give the bytes of a file that a contact sent to a Meta number, while they arrive; once, not again (contract 9).

        Parameters: `reader`, a new one: when all was taken, its `finish` says what the platform tells beside the bytes;
        `phone_number_id`, as the event has it. As much as comes is given: the caller stops where it has enough.
        """
        if self._session is None:
            raise _not_open()
        url = URL(f"{self.host}/v1/media/{_segment(media_id)}", encoded=True)
        headers = {**self._headers, "accept": _JSON, "accept-encoding": "identity"}
        query = {"phoneNumberId": phone_number_id} if phone_number_id else None
        try:
            async with self._session.get(url, params=query, headers=headers, timeout=self._attempt, allow_redirects=False) as answer:
                if answer.status != 200:
                    content = await _bounded(answer.content.iter_any())
                    raise classify(answer.status, content, answer.headers, now=self._clock())
                async for piece in answer.content.iter_any():
                    yield reader.feed(piece)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise network_error(httpx_error(error)) from error

    async def history(self, start: datetime | None = None, end: datetime | None = None, page: int = 1, page_size: int = 30) -> HistoryPage:
        """Return one page of the number's conversation, newest first (contract 4.3).

        Parameters: `start` and `end` with a zone, by provider time; `page` from 1; `page_size` 1 to 100.
        """
        query = {"page": str(page), "pageSize": str(page_size)}
        query |= {name: _iso(at) for name, at in (("startDate", start), ("endDate", end)) if at is not None}
        return responses.history_page(await self._read("/v1/messages/history", query))

    async def templates(self) -> tuple[TemplateInfo, ...]:
        """Return the number's templates (contract 6)."""
        return responses.templates(await self._read("/v1/templates"))

    async def template(self, name: str) -> TemplateInfo:
        """Return one template by name or id (contract 6)."""
        return responses.template(await self._read(f"/v1/templates/{_segment(name)}"))

    async def create_template(
        self,
        name: str,
        *,
        category: Literal["MARKETING", "UTILITY", "OTP"],
        language: str,
        body: str | Mapping[str, object],
        examples: Mapping[str, str] | None = None,
    ) -> TemplateInfo:
        """Create a template: `body` as text or as the object of contract 6, `examples` one for each variable."""
        document = {"name": name, "category": category, "language": language, "body": body, "examples": examples}
        return responses.template(await self._call("POST", "/v1/templates", body=_given(document)))

    async def update_template(
        self, template_id: str, *, body: str | Mapping[str, object], language: str | None = None, examples: Mapping[str, str] | None = None
    ) -> TemplateInfo:
        """Make a new version of a template; on a Meta number it waits for approval again (contract 6). Its category is fixed."""
        document = {"language": language, "body": body, "examples": examples}
        return responses.template(await self._call("PUT", f"/v1/templates/{_segment(template_id)}", body=_given(document)))

    async def delete_template(self, template_id: str) -> None:
        """Remove a template, with all its versions (contract 6)."""
        await self._call("DELETE", f"/v1/templates/{_segment(template_id)}")

    async def webhooks(self) -> tuple[Webhook, ...]:
        """Return the registered webhooks (contract 8.1)."""
        return responses.some(Webhook, await self._read("/v1/webhooks"), "webhooks", "list of webhooks")

    async def create_webhook(self, url: str, *, name: str, events: Sequence[str], number_id: str | None = None) -> Webhook:
        """Register a webhook: no event is delivered but those in `events`; `"*"` is all (contract 8.1)."""
        document = {"url": url, "name": name, "events": list(events), "whatsappNumberId": number_id}
        return responses.one(Webhook, await self._call("POST", "/v1/webhooks", body=_given(document)), "webhook")

    async def update_webhook(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        name: str | None = None,
        active: bool | None = None,
        events: Sequence[str] | None = None,
    ) -> Webhook:
        """Change what is given of a webhook; `events` replaces the list (contract 8.1)."""
        document = {"name": name, "url": url, "active": active, "events": None if events is None else list(events)}
        answer = await self._call("PATCH", f"/v1/webhooks/{_segment(webhook_id)}", body=_given(document))
        return responses.one(Webhook, answer, "webhook")

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook (contract 8.1)."""
        await self._call("DELETE", f"/v1/webhooks/{_segment(webhook_id)}")

    async def webhook_logs(self, webhook_id: str, *, limit: int = 50, event: str | None = None) -> tuple[WebhookLog, ...]:
        """Return the last 1 to 50 deliveries of a webhook, newest first (contract 8.1)."""
        query = {"limit": str(limit)} | ({"event": event} if event else {})
        document = await self._read(f"/v1/webhooks/{_segment(webhook_id)}/logs", query)
        return responses.some(WebhookLog, document, "logs", "list of webhook deliveries")

    async def _read(self, path: str, query: Mapping[str, str] | None = None) -> object:
        return await self._persist(lambda: self._call("GET", path, query=query), _READ_ATTEMPTS)

    async def _persist(self, call: Callable[[], Awaitable[_Answer]], attempts: int) -> _Answer:
        """Make `call` until it succeeds, for as long as another attempt is worth it and allowed."""
        attempt = 0
        while True:
            try:
                return await call()
            except PlatformError as error:
                if attempt + 1 >= attempts or not error.retryable or (error.retry_after or 0) > PATIENCE:
                    raise
                wait = backoff(attempt, retry_after=error.retry_after, random=self._random)
            await self._sleep(wait)
            attempt += 1

    async def _call(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None) -> object:
        """Make one call and return the decoded answer, or None for an empty one."""
        content = None if body is None else orjson.dumps(body)
        headers = {"accept": _JSON} if content is None else {"accept": _JSON, "content-type": _JSON}
        request = self.http.build_request(method, path, params=query, content=content, headers=headers)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self.http.send(request, stream=True)
                try:
                    received = await _bounded(answer.aiter_bytes())
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise network_error(httpx.ReadTimeout("the whole answer")) from error
        except httpx.TransportError as error:
            raise network_error(error) from error
        except httpx.DecodingError as error:
            raise unreadable("body", status=answer.status_code, outcome_unknown=method != "GET") from error
        if not answer.is_success:
            raise classify(answer.status_code, received, answer.headers, now=self._clock())
        document = loads(received)
        if document is None and received.strip():
            raise unreadable("JSON document", status=answer.status_code, outcome_unknown=method != "GET")
        return document


def host_of(base_url: str) -> str:
    """Return the host part of a base URL given with or without `/v1`. Raises `ValueError` when it is none."""
    host = base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    parts = urlsplit(host)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        msg = "the base URL must look like https://pilotstatus.com.br or https://pilotstatus.com.br/v1"
        raise ValueError(msg)
    return host


async def _bounded(chunks: AsyncIterable[bytes]) -> bytes:
    """Read a body up to `BODY_MAX`. What is longer is cut, so that it fails to decode instead of filling the memory."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > BODY_MAX:
            return b"".join(parts)[:BODY_MAX]
    return b"".join(parts)


def _credentials(api_key: str | None, api_key_id: str | None, number_id: str | None) -> dict[str, str]:
    """Return the headers of contract 1.2, refusing what no header can carry without ever showing it."""
    if (api_key is None) == (api_key_id is None):
        msg = "give exactly one of api_key and api_key_id"
        raise ValueError(msg)
    named = {"x-api-key": api_key, "x-api-key-id": api_key_id, "x-whatsapp-number-id": number_id}
    headers = {name: value for name, value in named.items() if value is not None}
    for name, value in headers.items():
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            msg = f"{name} must be printable ASCII without spaces: check for a stray space or line break"
            raise ValueError(msg)
    return {**headers, "user-agent": "pilotbot"}


def _check_key(key: str) -> None:
    if not (1 <= len(key) <= _KEY_MAX and key.isascii() and key.isprintable()):
        msg = f"an idempotency key has 1 to {_KEY_MAX} printable ASCII characters"
        raise ValueError(msg)


def _segment(identifier: str) -> str:
    """Return an id as one segment of a path."""
    if identifier in {"", ".", ".."}:
        msg = "an id must not be empty or dots"
        raise ValueError(msg)
    return quote(identifier, safe="")


def _given(document: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in document.items() if value is not None}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _not_open() -> RuntimeError:
    return RuntimeError("the client is not open: use it inside `async with PilotStatus(...) as client:`")
