"""What a handler is given of a file that a contact sent, what may go wrong with it, and what a file is by its content."""

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
    """Its link is not to be followed: not https, not to a public address, or on and on to others."""


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
    (4, b"ftyp", "video/mp4"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
"""Where, which bytes, what they mean; the first that fits. What WhatsApp lets through."""

_WITHIN: Final = {
    "video/mp4": ("audio/mp4", "audio/m4a", "audio/x-m4a"),
    "video/webm": ("audio/webm", "video/x-matroska"),
    "application/zip": (
        "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.", "application/epub+zip",
        "application/vnd.android.package-archive",
    ),
    "application/x-ole-storage": ("application/msword", "application/vnd.ms-"),
}  # fmt: skip
"""What else such a content may be, if that is what was claimed (beginnings of types)."""

_SUFFIXES: Final = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic": ".heic",
    "video/mp4": ".mp4", "video/3gpp": ".3gp", "video/quicktime": ".mov", "video/webm": ".webm",
    "audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr", "audio/wav": ".wav",
    "application/pdf": ".pdf", "application/zip": ".zip", "application/msword": ".doc", "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "text/plain": ".txt", "text/csv": ".csv",
}  # fmt: skip


def mime_of(head: bytes, claimed: str | None) -> str:
    """What a file is, from its first `HEAD` bytes; what was claimed counts only where the content allows for it.

    Args:
        head: the first bytes of the file, all of them if it is short.
        claimed: the MIME type that came with it, with or without parameters.
    """
    said = (claimed or "").partition(";")[0].strip().lower()
    found = _found(head)
    if found is not None:
        return said if said.startswith(_WITHIN.get(found, ())) else found
    return said if said.startswith("text/") and _is_text(head) else UNKNOWN


def suffix_of(mime: str) -> str:
    """The ending of a file's name for a type, ".bin" for one that is not known."""
    return _SUFFIXES.get(mime, ".bin")


def clean_name(name: str) -> str:
    """The last part of a file's name, without what is not to be seen, 100 characters at most; of a long one the end."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable()).strip(" .")[-100:]


def _found(head: bytes) -> str | None:
    for at, magic, mime in _MAGIC:
        if head.startswith(magic, at) and (at != 8 or head.startswith(b"RIFF")):
            return mime
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # a frame of audio, by its eleven set bits
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    return None


def _is_text(head: bytes) -> bool:
    """Whether the beginning reads as UTF-8 text; a character may be cut off at the end."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        text = head[: error.start].decode()
    return all(char.isprintable() or char.isspace() for char in text.removeprefix("\ufeff"))
