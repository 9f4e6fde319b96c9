"""What a file is by its content, and what its name may be."""

import io
import wave
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.media import HEAD, UNKNOWN, MediaError, MediaExpired, MediaUnavailable, clean_name, mime_of, suffix_of

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("word/document.xml", "<w/>")
    return held.getvalue()


def sound() -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(b"\0\0" * 80)
    return held.getvalue()


@pytest.mark.parametrize(
    ("head", "claimed", "mime"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", None, "image/jpeg"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "application/pdf", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0", "image/jpeg", "image/png"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp", "image/webp"),
        (b"junkjunkWEBP", "image/webp", UNKNOWN),
        (sound(), "audio/x-wav", "audio/wav"),
        (b"OggS\0\2", "audio/ogg; codecs=opus", "audio/ogg"),
        (b"ID3\4\0", None, "audio/mpeg"),
        (b"\xff\xfb\x90\x00", None, "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/mpeg", "audio/aac"),
        (b"#!AMR\n", None, "audio/amr"),
        (b"\0\0\0\x18ftypisom", "video/mp4", "video/mp4"),
        (b"\0\0\0\x18ftypisom", "audio/mp4", "audio/mp4"),
        (b"\0\0\0\x18ftypisom", "text/html", "video/mp4"),
        (b"\0\0\0\x18ftypM4A ", None, "audio/mp4"),
        (b"\0\0\0\x18ftyp3gp4", None, "video/3gpp"),
        (b"\x1aE\xdf\xa3", "audio/webm", "audio/webm"),
        (b"%PDF-1.7", "application/octet-stream", "application/pdf"),
        (archive(), DOCX, DOCX),
        (archive(), "image/png", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", "application/msword"),
        (b"a;b\n1;2\n", "text/csv; charset=utf-8", "text/csv"),
        ("ação\n".encode()[:-4] + b"\xc3", "text/plain", "text/plain"),
        (b"\0\1\2", "text/plain", UNKNOWN),
        (b"a\xffb", "text/plain", UNKNOWN),
        (b"<html>", "image/jpeg", UNKNOWN),
        (b"MZ\x90\0", "application/pdf", UNKNOWN),
        (b"", None, UNKNOWN),
        (b"", "image/png", UNKNOWN),
    ],
)
def test_the_content_says_what_a_file_is(head: bytes, claimed: str | None, mime: str) -> None:
    assert mime_of(head, claimed) == mime


@given(head=st.binary(max_size=HEAD), claimed=st.none() | st.text(max_size=60))
def test_every_content_is_something(head: bytes, claimed: str | None) -> None:
    assert "/" in mime_of(head, claimed)
    assert suffix_of(mime_of(head, claimed)).startswith(".")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("receipt.pdf", "receipt.pdf"), ("../../etc/passwd", "passwd"), ("C:\\Temp\\a.pdf", "a.pdf"), ("..", ""),
        ("a\x00b\u202egpj.exe", "abgpj.exe"),
        (" . ", ""), ("dir/", ""), ("x" * 200 + ".pdf", "x" * 96 + ".pdf"),
    ],
)  # fmt: skip
def test_a_name_is_never_a_path(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@given(st.text(max_size=300))
def test_no_name_leads_anywhere(name: str) -> None:
    clean = clean_name(name)
    assert not set(clean) & set("/\\\0\n")
    assert clean not in {".", ".."}
    assert len(clean) <= 100


def test_what_may_help_to_try_again_says_so() -> None:
    assert MediaUnavailable.retryable
    assert issubclass(MediaUnavailable, MediaError)
    assert not MediaExpired.retryable
