"""Reading what `GET /v1/media/{id}` answers while it arrives: a file in base64 in the middle of a JSON object (contract 9)."""

import binascii
import re
from dataclasses import dataclass
from typing import Final

import orjson

from pilotbot.platform.errors import loads, unreadable

_BESIDE_MOST: Final = 1 << 16  # bytes of the document beside the file
_VALUE: Final = re.compile(rb'"base64"\s*:\s*"data:[^,"]*,')
_ESCAPE: Final = 6  # bytes of the longest escape of a character that base64 has
_WHAT: Final = "media document"


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the platform says of a file beside its bytes."""

    mime: str | None
    filename: str | None


class MediaReader:
    """Takes the document's bytes as they come, in pieces of any size, and gives the file's: it never holds more than a piece of it.

    Every method raises `PlatformError` for what is no such document.
    """

    def __init__(self) -> None:
        self._before = bytearray()
        self._after: bytearray | None = None
        self._found = False
        self._raw = b""  # the beginning of an escape that the last piece cut off
        self._letters = b""  # fewer than the four letters that three bytes are written with

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes of the document. Returns the next bytes of the file, maybe none."""
        if self._after is not None:
            self._after += piece
        elif self._found:
            return self._decode(piece)
        else:
            self._before += piece
            if found := _VALUE.search(self._before):
                self._found, rest = True, bytes(self._before[found.end() :])
                del self._before[found.end() :]
                return self._decode(rest)
        if len(self._before) + len(self._after or b"") > _BESIDE_MOST:
            raise unreadable(_WHAT, status=200)
        return b""

    def finish(self) -> MediaInfo:
        """What the document says beside the file, once all of it was taken."""
        value = self._before.rpartition(b'"')[0]  # the beginning of the file's own text belongs to the file
        document = loads(bytes(value) + b'""' + bytes(self._after or b""))
        if self._after is None or not isinstance(document, dict):
            raise unreadable(_WHAT, status=200)
        mime, name = document.get("mimeType"), document.get("fileName")
        return MediaInfo(mime if isinstance(mime, str) else None, name if isinstance(name, str) else None)

    def _decode(self, piece: bytes) -> bytes:
        text, end, after = (self._raw + piece).partition(b'"')
        cut = len(text) if end else text.find(b"\\", max(0, len(text) - _ESCAPE + 1))
        text, self._raw = (text, b"") if cut < 0 else (text[:cut], text[cut:])
        try:
            if b"\\" in text:
                text = orjson.loads(b'"' + text + b'"').encode("ascii")
            text = self._letters + text
            whole = len(text) if end else len(text) - len(text) % 4
            data, self._letters = binascii.a2b_base64(text[:whole], strict_mode=True), text[whole:]
        except ValueError:
            raise unreadable("base64 of a file", status=200) from None
        if end:
            self._after = bytearray(after)
        return data
