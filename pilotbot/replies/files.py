"""Files to send: by address, as data, or read from where the bot runs (contract 3.3)."""

import base64
import math
import mimetypes
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pilotbot.platform.fields import MediaType, check_media
from pilotbot.replies.actions import holds_jinja
from pilotbot.replies.errors import ContentError, ContentWarning

INLINE_LIMIT: Final = 16 * 2**20
"""Bytes of a file that goes as data: it is kept with its message until that is sent."""

_IMAGE_LIMIT: Final = 5 * 2**20
"""Bytes of an image that WhatsApp is believed to take; for other kinds that is as much as `INLINE_LIMIT`, or more (contract 11)."""

_FITTING: Final[Mapping[MediaType, tuple[str, ...]]] = {
    "image": ("image/jpeg", "image/png"), "video": ("video/mp4", "video/3gpp"), "sticker": ("image/webp",),
    "audio": ("audio/", "video/mp4"), "voice": ("audio/", "video/mp4"),
}  # fmt: skip
"""How the types of a kind begin, as WhatsApp is believed to take them; documents are of any (contract 11)."""

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"), (b"\xff\xd8\xff", 0, "image/jpeg"), (b"WEBP", 8, "image/webp"), (b"GIF8", 0, "image/gif"),
    (b"ftyp3g", 4, "video/3gpp"), (b"ftypM4A", 4, "audio/mp4"), (b"ftypqt", 4, "video/quicktime"), (b"ftyp", 4, "video/mp4"),
    (b"OggS", 0, "audio/ogg"), (b"ID3", 0, "audio/mpeg"), (b"\xff\xfb", 0, "audio/mpeg"), (b"\xff\xf3", 0, "audio/mpeg"),
    (b"#!AMR", 0, "audio/amr"), (b"\xff\xf1", 0, "audio/aac"), (b"\xff\xf9", 0, "audio/aac"), (b"WAVE", 8, "audio/wav"),
    (b"%PDF-", 0, "application/pdf"),
)  # fmt: skip
"""How files of a type begin: what, at which byte."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: a public http(s) URL, or `data:<mime>;base64,<data>` if the number takes it.

    Attributes:
        url_or_data: the one or the other.
        kind: what it is sent as.
        url: where the same file is, for what takes no data: Evolution GO numbers, and the place above buttons.
    """

    url_or_data: str = field(repr=False)
    kind: MediaType
    url: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.inline:  # "data:audio/ogg; codecs=opus;base64,": the space is usual, and no part of a data URI
            head, comma, data = self.url_or_data.partition(",")
            if " " in head:
                object.__setattr__(self, "url_or_data", head.replace(" ", "") + comma + data)
        if not any(map(holds_jinja, self.sources)):
            self.check()

    def check(self) -> None:
        """Raise ContentError where the platform would refuse it: at creation, or after rendering where it is Jinja."""
        try:
            object.__setattr__(self, "url_or_data", check_media(self.url_or_data))
        except ValueError as error:
            raise ContentError(f"the {self.kind} {error}.", code="VALIDATION_ERROR") from None
        if self.url is None:
            return
        try:
            if self.url.startswith("data:"):
                raise ValueError("must be a public http(s) URL")
            check_media(self.url)
        except ValueError as error:
            raise ContentError(f"the url of the {self.kind} {error}.", code="VALIDATION_ERROR") from None

    @property
    def sources(self) -> tuple[str, ...]:
        """The strings that are Jinja in a `Message`."""
        return (self.url_or_data,) if self.url is None else (self.url_or_data, self.url)

    @property
    def inline(self) -> bool:
        """Whether the bytes themselves are in it, which Evolution GO does not take."""
        return self.url_or_data.startswith("data:")

    @property
    def address(self) -> str | None:
        """Its public URL, if it has one."""
        return self.url if self.inline else self.url_or_data


def image(source: str | Path, *, url: str | None = None) -> File:
    """An image, by public URL, data URI, or path on this machine; see `file_of`."""
    return file_of(source, "image", url)


def video(source: str | Path, *, url: str | None = None) -> File:
    """A video, by public URL, data URI, or path on this machine; see `file_of`."""
    return file_of(source, "video", url)


def document(source: str | Path, *, url: str | None = None) -> File:
    """A document, by public URL, data URI, or path on this machine; see `file_of`."""
    return file_of(source, "document", url)


def audio(source: str | Path, *, url: str | None = None) -> File:
    """An audio file, by public URL, data URI, or path on this machine; it arrives as a voice note and has no caption. See `file_of`."""
    return file_of(source, "audio", url)


def voice(source: str | Path, *, url: str | None = None) -> File:
    """A voice note, by public URL, data URI, or path on this machine; it has no caption. See `file_of`."""
    return file_of(source, "voice", url)


def sticker(source: str | Path, *, url: str | None = None) -> File:
    """A sticker, by public URL, data URI, or path on this machine; it has no caption. See `file_of`."""
    return file_of(source, "sticker", url)


def file_of(source: str | Path, kind: MediaType, url: str | None = None) -> File:
    """A file of a kind.

    Args:
        source: a public http(s) URL, a data URI, or a path: what is there is read now, and goes as data.
        kind: what it is sent as.
        url: where the same file is, for numbers that take no data.

    Raises:
        ContentError: it can not be read, has more than `INLINE_LIMIT` bytes, or the platform would refuse its address.
    """
    return File(_read(source, kind) if isinstance(source, Path) else source, kind, url)


def mime_of(content: bytes, name: str) -> str:
    """The MIME type of a file: by how it begins, else by its name, else any bytes."""
    found = next((mime for begins, at, mime in _BEGINNINGS if content[at : at + len(begins)] == begins), None)
    return found or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _read(path: Path, kind: MediaType) -> str:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= INLINE_LIMIT else b""
    except OSError as error:
        raise ContentError(f"the {kind} {path.name} can not be read: {error.strerror or 'it is no file'}.") from None
    if size > INLINE_LIMIT:
        raise ContentError(f"the {kind} {path.name} has {_mib(size)} MiB, {_mib(INLINE_LIMIT)} at most go as data. Put it at a public URL.")
    if not content:
        raise ContentError(f"the {kind} {path.name} is empty.")
    if kind == "image" and size > _IMAGE_LIMIT:
        text = f"the {kind} {path.name} has {_mib(size)} MiB, and WhatsApp is believed to take {_mib(_IMAGE_LIMIT)} at most"
        warnings.warn(text, ContentWarning, stacklevel=4)
    mime = mime_of(content, path.name)
    if not mime.startswith(_FITTING.get(kind, "")):
        text = f"the {kind} {path.name} is {mime}, which WhatsApp is believed not to take as {kind}"
        warnings.warn(text, ContentWarning, stacklevel=4)
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def _mib(size: int) -> str:
    return f"{math.ceil(size / 2**20 * 10) / 10:g}"
