"""What a file is by its content, and what its name may be."""

import io
import re
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
        (b"\xff\xf3\x44\xc4", None, "audio/mpeg"),
        (b"\xff\xfb\xf0\x00", None, UNKNOWN),  # no such bit rate
        (b"\xff\xfb\x9c\x00", None, UNKNOWN),  # no such sample rate
        (b"\xff\xeb\x90\x00", None, UNKNOWN),  # no such version
        (b"\xff\xe1\x50\x80", None, UNKNOWN),  # no such layer
        (b"\xff\xfb", None, UNKNOWN),
        (b"\xff\xf1\x50\x80", "audio/mpeg", "audio/aac"),
        (b"#!AMR\n", None, "audio/amr"),
        (b"\0\0\0\x18ftypisom", "video/mp4", "video/mp4"),
        (b"\0\0\0\x18ftypisom", "audio/mp4", "audio/mp4"),
        (b"\0\0\0\x18ftypisom", "text/html", "video/mp4"),
        (b"\0\0\0\x18ftypM4A ", None, "audio/mp4"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "video/mp4", "image/avif"),
        (b"\0\0\0\x18ftypavis\0\0\0\0", None, "image/avif"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", None, "image/heic"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0", None, "image/heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", None, "image/heif"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0", "video/mp4", "image/heif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "image/heic", "image/heic"),
        (b"\0\0\0\x18ftyp3gp4", None, "video/3gpp"),
        (b"\x1aE\xdf\xa3", "audio/webm", "audio/webm"),
        (b"%PDF-1.7", "application/octet-stream", "application/pdf"),
        (archive(), DOCX, DOCX),
        (archive(), "image/png", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", "application/msword"),
        (b"a;b\n1;2\n", "text/csv; charset=utf-8", "text/csv"),
        ("ação\n".encode()[:-4] + b"\xc3", "text/plain", "text/plain"),
        (b"\0\1\2", "text/plain", UNKNOWN),
        (b"\xff\xfe\0\1", "text/plain", "text/plain"),
        ("\ufeffnome;ação\r\n".encode("utf-16-le"), "text/csv", "text/csv"),
        ("\ufeffnome;ação\r\n".encode("utf-16-be"), "text/csv", "text/csv"),
        ("\ufeff😀".encode("utf-16-le")[:-2], "text/plain", "text/plain"),
        ("\ufeff\0".encode("utf-16-le"), "text/plain", UNKNOWN),
        ("\ufeffa".encode("utf-16-le"), None, UNKNOWN),
        ("\ufeffnome;ação".encode(), "text/csv", "text/csv"),
        ("👨\u200d👩".encode(), "text/plain", "text/plain"),
        ("preço;ação “x”\r\n".encode("cp1252"), "text/csv", "text/csv"),
        (b"a\x81b", "text/plain", UNKNOWN),
        (b"\xe9\0\1", "text/plain", UNKNOWN),
        (b'{"a": 1}', "application/json; charset=utf-8", "application/json"),
        (b"<nfe/>", "application/xml", "application/xml"),
        (b"{\0}", "application/json", UNKNOWN),
        (b"{}", "application/jsonp", UNKNOWN),
        (b"a", "text/html\r\nX-Evil: 1", UNKNOWN),
        (b"a", "text/", UNKNOWN),
        (b"a", "text/a/b", UNKNOWN),
        (archive(), "application/vnd.oasis.opendocument.text\r\nX-Evil: 1", "application/zip"),
        (b"\0\0\0\x18ftypisom", "audio/mp4\nX-Evil: 1", "video/mp4"),
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
    assert re.fullmatch(r"[a-z0-9_.+-]+/[a-z0-9_.+-]+", mime_of(head, claimed))
    assert suffix_of(mime_of(head, claimed)).startswith(".")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("receipt.pdf", "receipt.pdf"), ("../../etc/passwd", "passwd"), ("C:\\Temp\\a.pdf", "a.pdf"), ("..", ""),
        ("a\x00b\u202egpj.exe", "abgpj.exe"),
        (" . ", ""), ("dir/", ""), ("x" * 200 + ".pdf", "x" * 196 + ".pdf"),
        ("-rf", "rf"), ("a." + "x" * 195 + ".pdf", "x" * 195 + ".pdf"), ("a-." + "x" * 195 + ".pdf", "x" * 195 + ".pdf"),
        ("é" * 150 + ".pdf", "é" * 98 + ".pdf"), ("😀" * 60 + "a.pdf", "😀" * 48 + "a.pdf"),
    ],
)  # fmt: skip
def test_a_name_is_never_a_path(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@given(st.text(max_size=300))
def test_no_name_leads_anywhere(name: str) -> None:
    clean = clean_name(name)
    assert not set(clean) & set("/\\\0\n")
    assert clean not in {".", ".."}
    assert len(clean.encode()) <= 200
    assert clean == clean.strip(" .-")


def test_what_may_help_to_try_again_says_so() -> None:
    assert MediaUnavailable.retryable
    assert issubclass(MediaUnavailable, MediaError)
    assert not MediaExpired.retryable
