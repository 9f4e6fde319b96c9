"""--update: what a bot says now is written into the file, and nothing else of it is touched."""

from pathlib import Path

import pytest

from pilotbot.testing.chatfile import parse, read
from pilotbot.testing.play import play
from pilotbot.testing.update import accept, updated
from tests.testing.test_play import shop


async def accepted(text: str) -> str:
    """The file after an update, which then passes."""
    new = updated(await play(parse(text, Path("shop.chat")), shop()))
    again = await play(parse(new, Path("shop.chat")), shop())
    assert again.passed, new
    assert updated(again) == new
    return new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> pedido\n< Old.\n", "> pedido\n< Pedido 4242 saiu.   [Track] [Pessoa]\n"),
        ("> two\n< first\n< other\n> two\n< f*\n< s*\n", "> two\n< first\n< second\n> two\n< f*\n< s*\n"),
        ("> two\n# kept\n< first\n", "> two\n# kept\n< first\n< second\n"),
        ("> two\n< gone\n# of the second\n< sec*\n| or so\n", "> two\n< first\n# of the second\n< sec*\n| or so\n"),
        ("> hello\n< Hi.\n\n# end\n", "> hello\n< nothing\n\n# end\n"),
        ("> two\n< nothing\n", "> two\n< first\n< second\n"),
        ("> two\n", "> two\n< first\n< second\n"),
        (
            "let n = 4242\n> pedido\n< Pedido {n} *   [*]\n> both\n< x\n  y\n",
            "let n = 4242\n> pedido\n< Pedido {n} *   [*]\n> both\n< first\n< second\n",
        ),
        ("> boss\n", "> boss\n@ +5511987650009 +5511987650009\n< template follow_up\n"),
    ],
)
async def test_only_the_answers_that_differ_are_written_anew(old: str, new: str) -> None:
    assert await accepted(old) == new


async def test_a_file_keeps_its_mark_and_line_ends_and_is_not_touched_where_a_step_failed(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("chats") / "windows.chat"
    path.write_bytes(b"\xef\xbb\xbf# mine\r\n> two\r\n< first\r\n")
    assert accept(await play(read(path), shop()))
    assert path.read_bytes() == b"\xef\xbb\xbf# mine\r\n> two\r\n< first\r\n< second\r\n"
    precious = b"> boom\n< something precious *\n"
    path.write_bytes(precious)
    assert not accept(await play(read(path), shop()))
    assert path.read_bytes() == precious
    assert [each.name for each in path.parent.iterdir()] == ["windows.chat"]


async def test_a_file_that_passes_stays_as_it_is() -> None:
    text = "# a comment\n\n> pedido\n< Pedido *   [*]\n\n"
    assert updated(await play(parse(text), shop())) == text
