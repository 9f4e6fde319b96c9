"""Texts with wildcards: what matches is what a plain reference says, whatever the pattern's length, and where they differ is told."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilotbot.testing.wording import differs_at, literal, matches, pieces

PARTS = st.sampled_from(["a", "b", "aa", "ab", " ", "\n", "*", "\\", "é", "e\u0301", "\u0301", "A", ".", "\t", "\u2028", "\\*", "\\\\"])
TEXTS = st.one_of(st.lists(PARTS, max_size=12).map("".join), st.text(max_size=20))


def seen(text: str) -> str:
    """A text as it is seen, told in another way than the code does."""
    return unicodedata.normalize("NFC", "\n".join(line.rstrip() for line in text.split("\n")).strip())


def plainly(pattern: str, text: str) -> bool:
    """Whether a text of ordinary letters matches, by way of a regular expression."""
    tokens = re.findall(r"\\[*\\]|.", pattern, re.DOTALL)
    return re.fullmatch("".join(".*" if token == "*" else re.escape(token[-1]) for token in tokens), text, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", ""),
        ("Hi.", "Hi."),
        ("*", ""),
        ("*", "any\nthing"),
        ("Hi *!", "Hi !"),
        ("Hi *!", "Hi Ana!"),
        ("*b*", "abc"),
        ("a*b*c", "a b b c c"),
        (r"5 \* 3", "5 * 3"),
        (r"C:\\*", "C:\\Ana"),
        ("a\\b", "a\\b"),
        ("a\\", "a\\"),
        ("  Hi.  \n you ", "Hi.\n you"),
        ("Hi.\nyou", "Hi. \t\nyou\n"),
        ("a\u0301gua", "água"),
        ("água", "a\u0301gua"),
        ("* água", "Mais água"),
    ],
)
def test_these_match(pattern: str, text: str) -> None:
    assert matches(pattern, text)
    assert differs_at(pattern, text) == ("", "")


@pytest.mark.parametrize(
    ("pattern", "text", "should", "does"),
    [
        ("", "Hi.", "", "Hi."),
        ("Hi.", "", "Hi.", ""),
        ("Hi Ana.", "Hi Bia.", "Ana.", "Bia."),
        ("Hi.", "hi.", "Hi.", "hi."),
        ("Hi.", "Hi. You.", "", " You."),
        ("Hi. You.", "Hi.", " You.", ""),
        (r"5 \* 3", "5 x 3", "* 3", "x 3"),
        ("Hi *, how", "Hi Ana. How", ", how", "Ana. How"),
        ("a*b*c", "a x b x d", "c", " x d"),
        ("aba*aba", "aba", "aba", ""),
        ("a  b", "a b", " b", "b"),
        ("a\n\nb", "a\nb", "\nb", "b"),
    ],
)
def test_these_do_not_and_where(pattern: str, text: str, should: str, does: str) -> None:
    assert not matches(pattern, text)
    assert differs_at(pattern, text) == (should, does)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [("", [""]), ("a", ["a"]), ("*", ["", ""]), ("a**b", ["a", "", "b"]), (r"\*\\*\n", ["*\\", "\\n"]), ("\\", ["\\"])],
)
def test_the_pieces_of_a_pattern(pattern: str, parts: list[str]) -> None:
    assert pieces(pattern) == parts


@given(st.text(alphabet="ab*\\", max_size=12), st.text(alphabet="ab*\\", max_size=12))
@example("a*ab", "aab")
@example("aba*aba", "ababa")
def test_a_star_is_what_it_is_in_a_regular_expression(pattern: str, text: str) -> None:
    assert matches(pattern, text) == plainly(pattern, text)


@given(st.lists(st.text(alphabet="ab", max_size=3), min_size=1, max_size=5), st.lists(st.text(alphabet="ab", max_size=3), max_size=5))
def test_what_is_made_to_match_does(parts: list[str], between: list[str]) -> None:
    filled = [part + (between[at] if at < min(len(between), len(parts) - 1) else "") for at, part in enumerate(parts)]
    assert matches("*".join(parts), "".join(filled))


@given(TEXTS)
def test_a_literal_text_matches_itself(text: str) -> None:
    assert matches(literal(text), text)
    assert pieces(literal(text)) == [text]


@given(TEXTS, TEXTS)
def test_a_literal_text_matches_only_what_looks_the_same(text: str, other: str) -> None:
    assert matches(literal(text), other) == (seen(text) == seen(other))


@given(TEXTS, TEXTS)
@example("a *", "a ")
def test_where_what_does_not_match_leaves_the_pattern_is_told(pattern: str, text: str) -> None:
    assert matches(pattern, text) or any(differs_at(pattern, text))


@pytest.mark.parametrize("pattern", ["a*" * 50_000, "*a" * 50_000 + "b", "*" * 100_000, "*aab" * 25_000, "\\" * 100_000, "é*" * 50_000])
@pytest.mark.parametrize("text", ["a" * 100_000, "aa" * 50_000 + "b", "\n" * 100_000, "e\u0301" * 50_000, " " * 100_000])
def test_long_patterns_are_looked_for_in_one_go(pattern: str, text: str) -> None:
    assert matches(pattern, text) or any(differs_at(pattern, text))
