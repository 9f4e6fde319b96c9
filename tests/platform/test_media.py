"""Reading the document of a file while it arrives, in pieces of any size, as a JSON reader would read it whole."""

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.platform.errors import PlatformError
from pilotbot.platform.media import MediaInfo, MediaReader


def read(document: bytes, size: int) -> tuple[bytes, MediaInfo]:
    reader = MediaReader()
    data = b"".join([reader.feed(document[at : at + size]) for at in range(0, len(document), size)])
    return data, reader.finish()


def document(data: bytes, **beside: object) -> dict[str, object]:
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"base64": uri, "mimeType": "image/png", "fileName": None, "mediaId": "m1", **beside}


@given(data=st.binary(max_size=300), name=st.none() | st.text(max_size=30), size=st.integers(1, 400), last=st.booleans())
def test_pieces_of_any_size_are_the_whole(data: bytes, name: str | None, size: int, last: bool) -> None:
    whole = document(data, fileName=name)
    ordered = dict(reversed(whole.items())) if last else whole
    assert read(orjson.dumps(ordered), size) == (data, MediaInfo("image/png", name))


@given(data=st.binary(max_size=60), size=st.integers(1, 80))
def test_letters_written_as_escapes_are_letters(data: bytes, size: int) -> None:
    raw = orjson.dumps(document(data)).decode()
    escaped = raw.replace("/", "\\/").replace("+", "\\u002b").replace("=", "\\u003D")
    assert read(escaped.encode(), size)[0] == data


def test_a_name_that_looks_like_the_file_is_a_name() -> None:
    name = '"base64":"data:text/plain;base64,QUJD"'
    assert read(orjson.dumps({"fileName": name, **document(b"abc", fileName=name)}), 7) == (b"abc", MediaInfo("image/png", name))


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"{}", b"null", b"<html>no</html>", b'{"base64":null}', b'{"base64":"QUJD"}', b'{"base64":"data:a/b;base64,QUJD"',
        b'{"base64":"data:a/b;base64,QUJD', b'{"base64":"data:a/b;base64,QU"}', b'{"base64":"data:a/b;base64,Q$JD"}',
        b'["base64","base64":"data:a/b;base64,QUJD"]', b'{"base64":"data:a/b;base64,QU\\x"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_no_such_document_is_said_to_be_none(wrong: bytes, size: int) -> None:
    with pytest.raises(PlatformError):
        read(wrong, size)


def test_what_stands_beside_the_file_is_bounded() -> None:
    for flood in (b'{"a":"' + b"x" * 70_000, orjson.dumps(document(b"abc")) + b" " * 70_000):
        with pytest.raises(PlatformError):
            read(flood, 5_000)
