"""httpx's face on an aiohttp session: one pool of connections for both, and several times cheaper than httpx's own.

Exceptions and time-outs arrive as httpx's, so that callers of the typed client meet nothing of aiohttp.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx
from yarl import URL

_CHUNK = 1 << 16
_OURS = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection"})


def httpx_error(error: aiohttp.ClientError | TimeoutError | OSError) -> httpx.TransportError:
    """Return httpx's counterpart of an aiohttp exception: before the connection, while waiting, or after."""
    words = type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout(words)
    if isinstance(error, asyncio.TimeoutError):
        return httpx.ReadTimeout(words)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ServerFingerprintMismatch):
        return httpx.ConnectError(words)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return httpx.UnsupportedProtocol(words)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return httpx.RemoteProtocolError(words)
    return httpx.ReadError(words)


@contextmanager
def as_httpx() -> Iterator[None]:
    """Turn what aiohttp raises inside into `httpx.TransportError`."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise httpx_error(error) from error


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx's requests through `session`, which stays its owner's to close.

    httpx's four time-outs are obeyed (seconds; `pool` and `connect` count from the request, `read` between bytes).
    Redirects, cookies and decompression are left to httpx.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return its response with the body still to be read."""
        body = await request.aread()
        with as_httpx():
            response = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                data=body or None,
                headers=[(_text(k), _text(v)) for k, v in request.headers.raw if k.lower() not in _OURS],
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                allow_redirects=False,
                auto_decompress=False,
                timeout=_timeout(request.extensions.get("timeout", {})),
            )
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Body(response),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": (response.reason or "").encode("ascii", "ignore")},
        )


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with as_httpx():
            async for chunk in self._response.content.iter_chunked(_CHUNK):
                yield chunk

    async def aclose(self) -> None:
        self._response.release()  # aiohttp closes the connection when the body is not read to its end


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _timeout(asked: dict[str, float | None]) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=asked.get("pool"), sock_connect=asked.get("connect"), sock_read=asked.get("read"))
