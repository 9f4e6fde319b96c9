"""Fetching the files that contacts send: by the platform's id or by their link, within a size and a time, into a temporary file."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import IO, Final
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from pilotbot.events import Media
from pilotbot.media import (
    HEAD,
    MediaError,
    MediaExpired,
    MediaFile,
    MediaRefused,
    MediaTooLarge,
    MediaUnavailable,
    clean_name,
    mime_of,
    suffix_of,
)
from pilotbot.platform import MediaReader, PilotStatus, PlatformError
from pilotbot.server.scratch import scratch
from pilotbot.server.ssrf import Refused, checked, public_only

REDIRECTS: Final = 3
_AGAIN: Final = frozenset({408, 425, 429})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"user-agent": "pilotbot", "accept": "*/*", "accept-encoding": "identity"}


class Downloads:
    """Fetches files. `most` is in bytes, `patience` in seconds for one file.

    `sandbox` is the address of the platform where that is the sandbox on this machine: its own host and port may be reached as well, and
    nothing else of this machine.
    """

    def __init__(self, *, most: int = 16 * 2**20, patience: float = 20.0, sandbox: str | None = None) -> None:
        self._most = most
        self._patience = patience
        self._own = URL(sandbox) if sandbox else None

    @asynccontextmanager
    async def fetch(self, media: Media, client: PilotStatus | None) -> AsyncIterator[MediaFile]:
        """A file that came with a message, on disk until the block is left.

        The platform is asked by `client` where it has the file by an id; else, or where it has it no more, the link is followed.

        Raises:
            MediaError: it cannot be had, see its subclasses.
        """
        with scratch() as folder:
            path = folder / "media"
            try:
                with path.open("wb") as file:
                    async with asyncio.timeout(self._patience):
                        mime, name = await self._receive(media, client, file)
            except TimeoutError:
                raise MediaUnavailable(f"the file was not here in {self._patience:g} s (PILOTBOT_MEDIA_TIMEOUT_SECONDS)") from None
            yield _identified(path, media, mime, name)

    async def _receive(self, media: Media, client: PilotStatus | None, file: IO[bytes]) -> tuple[str | None, str | None]:
        """Write the file. Returns the MIME type and the name that came with it."""
        first: MediaError | None = None
        if media.id and client is not None:
            try:
                return await self._by_id(media.id, media.phone_number_id, client, file)
            except (MediaExpired, MediaRefused, MediaUnavailable) as error:
                if not media.url:
                    raise
                first = error
                file.seek(0)
                file.truncate()
        if not media.url:
            raise MediaExpired("the event tells neither a link to the file nor an id that this number can ask for")
        try:
            return await self._by_link(media.url, file), None
        except (MediaExpired, MediaRefused):
            if first is not None and first.retryable:  # the platform has it maybe, and was only away
                raise first from None
            raise

    async def _by_id(self, id_: str, phone_number_id: str | None, client: PilotStatus, file: IO[bytes]) -> tuple[str | None, str | None]:
        reader = MediaReader()
        try:
            async with aclosing(client.media(id_, reader, phone_number_id=phone_number_id)) as pieces:
                await self._write(pieces, file)
            told = reader.finish()
        except PlatformError as error:
            if error.status in {404, 410}:
                raise MediaExpired("the platform has the file no more") from None
            kind = MediaUnavailable if error.retryable else MediaRefused
            raise kind(f"the platform does not give the file: {error}") from None
        return told.mime, told.filename

    async def _by_link(self, link: str, file: IO[bytes]) -> str | None:
        for _ in range(REDIRECTS + 1):
            url = checked(link, self._own)
            mime, moved = await self._get(url, file)
            if moved is None:
                return mime
            try:
                link = urljoin(str(url), moved)
            except ValueError:
                raise MediaRefused("the link of the file is not followed: it leads to what cannot be read") from None
        raise MediaRefused(f"the link of the file is not followed: it leads to another link more than {REDIRECTS} times")

    async def _get(self, url: URL, file: IO[bytes]) -> tuple[str | None, str | None]:
        """Write what a checked link gives. Returns its MIME type, and the link that it leads to in place of that."""
        connector = aiohttp.TCPConnector() if self._is_own(url) else public_only()
        try:
            async with (
                aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as session,
                session.get(url, headers=_HEADERS, allow_redirects=False, timeout=aiohttp.ClientTimeout()) as answer,
            ):
                if answer.status in _MOVED and (moved := answer.headers.get("location")):
                    return None, moved
                self._judge(answer)
                async with aclosing(_pieces(answer)) as pieces:
                    await self._write(pieces, file)
                return answer.headers.get("content-type"), None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Refused):
                raise MediaRefused("the link of the file is not followed: its address is not a public one") from None
            raise MediaUnavailable(f"the link of the file cannot be reached ({type(error.os_error).__name__})") from None
        except aiohttp.InvalidURL:
            raise MediaRefused("the link of the file is not followed: its host is no name and no usual address") from None
        except aiohttp.ClientError as error:
            raise MediaUnavailable(f"the link of the file broke off ({type(error).__name__})") from None

    def _is_own(self, url: URL) -> bool:
        return self._own is not None and url.origin() == self._own.origin()

    def _judge(self, answer: aiohttp.ClientResponse) -> None:
        status = answer.status
        if status >= 500 or status in _AGAIN:
            raise MediaUnavailable(f"the link of the file answers HTTP {status}")
        if status != 200:
            raise MediaExpired(f"the link of the file does not give it any more: HTTP {status}")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise MediaRefused("the link gives the file compressed, which was not asked for")
        if (answer.content_length or 0) > self._most:
            raise self._too_large()

    async def _write(self, pieces: AsyncGenerator[bytes, None], file: IO[bytes]) -> None:
        left = self._most
        async for piece in pieces:
            left -= len(piece)
            if left < 0:
                raise self._too_large()
            file.write(piece)

    def _too_large(self) -> MediaError:
        return MediaTooLarge(f"the file has more than {self._most} bytes (PILOTBOT_MEDIA_MAX_BYTES)")


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    async for piece in answer.content.iter_any():
        yield piece


def _identified(path: Path, media: Media, mime: str | None, name: str | None) -> MediaFile:
    """The file under a name that ends as what it is."""
    with path.open("rb") as file:
        found = mime_of(file.read(HEAD), mime if mime and not mime.startswith("application/octet-stream") else media.mime)
    suffix = suffix_of(found)
    kept = path.rename(path.with_suffix(suffix))
    return MediaFile(kept, found, clean_name(media.filename or name or "") or media.kind + suffix, kept.stat().st_size)
