import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from pilotbot.replies import (
    Card,
    Carousel,
    ContentError,
    ContentWarning,
    Destination,
    File,
    Message,
    Rendered,
    Unsendable,
    audio,
    document,
    image,
    render,
    sticker,
    video,
    voice,
)
from pilotbot.replies.files import INLINE_LIMIT, mime_of

ANA = Destination("contact", "+5511987650001")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
URL = "https://example.com/1.png"


def requests(rendered: Rendered) -> list[dict[str, object]]:
    return [part.free.model_dump(exclude_none=True, exclude={"destination_number"}) for part in rendered.parts if part.free is not None]


def test_a_path_is_read_when_the_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "photo.bin"
    path.write_bytes(PNG)
    file = image(path)
    path.unlink()
    assert file.url_or_data == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert file.inline
    assert requests(render("Hi", to=ANA, kind="evolution_v2", media=file))[0]["caption"] == "Hi"


@pytest.mark.parametrize(
    ("begins", "name", "mime"),
    [
        (b"\xff\xd8\xff\xe0", "x", "image/jpeg"), (b"RIFF\0\0\0\0WEBPVP8 ", "x", "image/webp"), (b"RIFF\0\0\0\0WAVEfmt ", "x", "audio/wav"),
        (b"\0\0\0\x20ftypisom", "x", "video/mp4"), (b"\0\0\0\x20ftypM4A ", "x", "audio/mp4"), (b"\0\0\0\x18ftyp3gp4", "x", "video/3gpp"),
        (b"OggS\0", "x", "audio/ogg"), (b"ID3\4", "x", "audio/mpeg"), (b"%PDF-1.7", "x.txt", "application/pdf"),
        (b"a,b\n", "list.csv", "text/csv"), (b"\0\1\2", "x", "application/octet-stream"),
    ],
)  # fmt: skip
def test_the_type_is_seen_in_the_file_and_then_in_its_name(begins: bytes, name: str, mime: str) -> None:
    assert mime_of(begins, name) == mime


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    for name, says in (
        ("none.png", "the image none.png can not be read: No such file"),
        ("empty.png", "empty.png is empty"),
        ("", "can not be read"),
    ):
        with pytest.raises(ContentError, match=says) as refused:
            image(tmp_path / name)
        assert str(tmp_path.parent) not in str(refused.value)


def test_what_is_too_large_is_refused_and_what_may_be_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(PNG + bytes(5 * 2**20))
    with pytest.warns(ContentWarning, match=r"large.png has 5.1 MiB, and WhatsApp is believed to take 5 at most") as told:
        image(path)
    assert told[0].filename == __file__
    assert document(path).inline
    with path.open("ab") as file:
        file.truncate(INLINE_LIMIT + 1)
    with pytest.raises(ContentError, match=r"large.png has 16.1 MiB, 16 at most go as data. Put it at a public URL"):
        document(path)


@pytest.mark.parametrize(
    ("make", "begins", "mime"),
    [
        (image, b"%PDF-1.7", "application/pdf"), (sticker, PNG, "image/png"), (video, PNG, "image/png"), (voice, PNG, "image/png"),
        (image, b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"), (audio, b"\0\1\2", "application/octet-stream"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_of_its_kind_is_warned_of(tmp_path: Path, make: Callable[[Path], File], begins: bytes, mime: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(begins)
    with pytest.warns(ContentWarning, match=f"the {make.__name__} file is {mime}, which WhatsApp is believed not to take as") as told:
        make(path)
    assert told[0].filename == __file__
    assert document(path).inline  # of which there are all types


def test_files_that_are_of_their_kind_are_not_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for make, begins in ((sticker, b"RIFF\0\0\0\0WEBPVP8 "), (video, b"\0\0\0\x20ftypisom"), (voice, b"OggS\0"), (audio, b"ID3\4")):
        path.write_bytes(begins)
        assert make(path).inline


def test_a_large_file_stands_in_a_message_and_beside_the_url_of_a_card(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(PNG + bytes(2**20))
    file = image(path, url=URL)
    assert file.inline
    (made,) = requests(render(Message("Look, {{ name }}.", media=file), to=ANA, kind="evolution_v2", values={"name": "Ana"}))
    assert (made["media"], made["caption"]) == (file.url_or_data, "Look, Ana.")
    (made,) = requests(render(Message("Look.", carousel=Carousel([Card("One", file)])), to=ANA, kind="meta"))
    assert made["carousel"]["cards"][0]["media"]["url"] == URL  # type: ignore[index]  # a dict


def test_a_file_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    decode = base64.b64decode

    def count(data: str, *, validate: bool) -> bytes:
        looked.append(data)
        return decode(data, validate=validate)

    monkeypatch.setattr("pilotbot.platform.fields.base64.b64decode", count)
    message = Message("Hi {{ name }}", media=image("data:image/png;base64,AAAA"))
    for name in ("Ana", "Rui"):
        render(message, to=ANA, kind="meta", values={"name": name})
    assert looked == ["AAAA"]


def test_a_space_in_the_type_of_data_is_left_out() -> None:
    file = voice("data:audio/ogg; codecs=opus;base64,AAAA")
    assert file.url_or_data == "data:audio/ogg;codecs=opus;base64,AAAA"
    (made,) = requests(render("", to=ANA, kind="meta", media=file))
    assert made["media"] == file.url_or_data


def test_the_url_beside_the_data_goes_where_data_does_not() -> None:
    file = image("data:image/png;base64,AAAA", url=URL)
    assert requests(render("Hi", to=ANA, kind="evolution_go", media=file))[0]["media"] == URL
    assert requests(render("Hi", to=ANA, kind="evolution_v2", media=file))[0]["media"] == file.url_or_data
    (above,) = requests(render("Hi", to=ANA, kind="evolution_v2", media=file, options=["A"]))
    assert above["header"] == {"type": "image", "content": URL}
    with pytest.raises(Unsendable, match="url='https") as refused:
        render("Hi", to=ANA, kind="evolution_go", media=voice("data:audio/ogg;base64,AAAA"))
    assert refused.value.code == "VALIDATION_ERROR"


def test_the_url_beside_the_data_may_hold_values() -> None:
    message = Message(media=sticker("data:image/webp;base64,AAAA", url="https://example.com/{{ id }}"))
    assert message.variables == {"id"}
    assert requests(render(message, to=ANA, kind="evolution_go", values={"id": 7}))[0]["media"] == "https://example.com/7"
    with pytest.raises(ContentError, match="the url of the sticker must be a public"):
        render(message, to=ANA, kind="meta", values={"id": "a b"})


@pytest.mark.parametrize("url", ["ftp://example.com/1", "data:image/png;base64,AAAA", ""])
def test_a_url_beside_the_data_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ContentError, match="the url of the image must be a public"):
        image("data:image/png;base64,AAAA", url=url)
