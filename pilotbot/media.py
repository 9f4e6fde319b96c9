"""What a handler is given of a file that a contact sent, what may go wrong with it, and what a file is by its content."""

import codecs
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that a contact sent, on disk until the block of `ctx.download()` is left.

    Attributes:
        path: where it is; its ending fits what it is, not what the contact called it.
        mime: what it is by its content, such as "image/jpeg"; "application/octet-stream" where that is not known, whatever was claimed.
        name: what the contact called it, without folders and what is not to be seen; else made up. Never a path to write to unseen.
        size: in bytes.
    """

    path: Path
    mime: str
    name: str
    size: int


class MediaError(Exception):
    """A file that a contact sent could not be had. The words name no address and nothing of the contact.

    `retryable` says whether trying again may help; a handler that lets such an error through is run again, with growing waits.
    """

    retryable: ClassVar[bool] = False


class MediaExpired(MediaError):
    """The platform or the link has it no more: ask the contact to send it again."""


class MediaTooLarge(MediaError):
    """It is larger than `PILOTBOT_MEDIA_MAX_BYTES`."""


class MediaRefused(MediaError):
    """It is not given: its link is not https, not to a public address, or on and on to others; or the platform refuses for good."""


class MediaUnavailable(MediaError, ConnectionError):
    """It could not be had just now: the other side is away, slow, or broke off."""

    retryable = True


UNKNOWN: Final = "application/octet-stream"
HEAD: Final = 512
"""How many of the first bytes `mime_of` looks at."""

_MAGIC: Final = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftyphevc", "image/heic"),
    (4, b"ftyphevx", "image/heic"),
    (4, b"ftypavi", "image/avif"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypmsf1", "image/heif"),
    (4, b"ftyp", "video/mp4"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
"""Where, which bytes, what they mean; the first that fits. What WhatsApp lets through."""

_WITHIN: Final = {
    "video/mp4": ("audio/mp4", "audio/m4a", "audio/x-m4a"),
    "video/webm": ("audio/webm", "video/x-matroska"),
    "image/heif": ("image/heic", "image/avif"),
    "application/zip": (
        "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.", "application/epub+zip",
        "application/vnd.android.package-archive",
    ),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-"),
}  # fmt: skip
"""What else such a content may be, if that is what was claimed (beginnings of types)."""

_TEXTS: Final = ("application/json", "application/xml")
"""What a text may be beside the types that say so."""

_TYPE: Final = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}", re.ASCII)

_SUFFIXES: Final = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic": ".heic",
    "image/heif": ".heif", "image/avif": ".avif",
    "video/mp4": ".mp4", "video/3gpp": ".3gp", "video/quicktime": ".mov", "video/webm": ".webm",
    "audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr", "audio/wav": ".wav",
    "application/pdf": ".pdf", "application/zip": ".zip", "application/msword": ".doc", "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "text/plain": ".txt", "text/csv": ".csv", "application/json": ".json", "application/xml": ".xml",
}  # fmt: skip


def mime_of(head: bytes, claimed: str | None) -> str:
    """What a file is, from its first `HEAD` bytes; what was claimed counts only where the content allows for it.

    Args:
        head: the first bytes of the file, all of them if it is short.
        claimed: the MIME type that came with it, with or without parameters.
    """
    said = (claimed or "").partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(said):
        said = ""
    found = _found(head)
    if found is not None:
        return said if said.startswith(_WITHIN.get(found, ())) else found
    return said if (said.startswith("text/") or said in _TEXTS) and _is_text(head) else UNKNOWN


def suffix_of(mime: str) -> str:
    """The ending of a file's name for a type, ".bin" for one that is not known."""
    return _SUFFIXES.get(mime, ".bin")


def clean_name(name: str) -> str:
    """The last part of a file's name, without what is not to be seen, 200 bytes at most; of a long one the end."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in last if char.isprintable())
    return seen.encode()[-200:].decode(errors="ignore").strip(" .-")  # cut first: what is cut off may have hidden a dot or a dash


def _found(head: bytes) -> str | None:
    for at, magic, mime in _MAGIC:
        if head.startswith(magic, at) and (at != 8 or head.startswith(b"RIFF")):
            return mime
    return _frame(head[:3]) if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 else None


def _frame(head: bytes) -> str | None:
    """A frame of audio, by its eleven set bits and what must not stand behind them; no layer I, which would be a byte order mark, too."""
    _, kind, rates = head
    version, layer = kind >> 3 & 3, kind >> 1 & 3
    if layer == 0:
        return "audio/aac" if version >= 2 and rates >> 2 & 15 < 13 else None
    return "audio/mpeg" if layer < 3 and version != 1 and rates >> 4 < 15 and rates >> 2 & 3 < 3 else None


def _is_text(head: bytes) -> bool:
    """Whether the beginning reads as text: UTF-16 if marked so, else UTF-8 or Windows-1252; a character may be cut off at the end."""
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8", "cp1252"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return all(char.isprintable() or char.isspace() or unicodedata.category(char) == "Cf" for char in text)
    return False
