import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies.splitting import clean, split_tail, split_text

texts = st.text(alphabet="ab .\n\té", max_size=200)
limits = st.integers(min_value=1, max_value=50)


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(texts, limits)
def test_pieces_fit_are_not_blank_and_lose_only_white_space(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert all(0 < len(piece) <= limit and piece.strip() for piece in pieces)
    assert squeezed("".join(pieces)) == squeezed(text)


@given(texts, limits)
def test_the_tail_fits_and_nothing_is_lost(text: str, limit: int) -> None:
    head, tail = split_tail(text, limit)
    assert len(tail) <= limit
    assert bool(tail.strip()) == bool(text.strip())
    assert squeezed(head + tail) == squeezed(text)


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert split_text("  a\n b ", 10) == ["  a\n b "]
    assert split_tail(" a ", 10) == ("", " a ")


def test_paragraphs_go_before_lines_before_sentences_before_words() -> None:
    assert split_text("aaaa b\n\nc d e", 11) == ["aaaa b", "c d e"]
    assert split_text("aaaaaa b\nc d e", 11) == ["aaaaaa b", "c d e"]
    assert split_text("aaaaaaa b. c d", 12) == ["aaaaaaa b.", "c d"]
    assert split_text("aaaa bbbb cccc", 11) == ["aaaa bbbb", "cccc"]
    assert split_text("aaaaaaaaaa", 4) == ["aaaa", "aaaa", "aa"]
    assert split_tail("one two\n\nthree four", 12) == ("one two", "three four")


def test_sentences_end_as_they_do() -> None:
    assert split_text("aaaaaa? b c d", 12) == ["aaaaaa?", "b c d"]
    assert split_text("aaaaaa!\u00a0b c d", 12) == ["aaaaaa!", "b c d"]
    assert split_text("aaaaaa… b c d", 12) == ["aaaaaa…", "b c d"]
    assert split_tail("one two three! four five", 12) == ("one two three!", "four five")


@pytest.mark.parametrize("one", ["👨‍👩‍👧‍👦", "👍🏽", "❤️", "*️⃣", "🇧🇷", "e\u0301", "🏴\U000e0067\U000e0062\U000e007f"])
def test_what_is_one_to_the_eye_is_not_cut(one: str) -> None:
    for lead in range(len(one)):
        text = "a" * lead + one * 20
        assert all(len(piece.replace(one, "").strip("a")) == 0 for piece in split_text(text, 17))
        assert "".join(split_text(text, 17)) == text
        head, tail = split_tail(text, 17)
        assert tail == one * (len(tail) // len(one))
        assert head + tail == text
    assert len(split_text("e" + "\u0301" * 50, 10)) == 6  # there is no better place


def test_what_no_wire_takes_is_cleaned() -> None:
    assert clean("a\ufeffb\ud800c é 👍") == "ab\ufffdc é 👍"
