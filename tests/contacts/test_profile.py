"""Languages, time zones and tags, as authors give them and as a chat keeps them."""

import pytest

from pilotbot.contacts import profile


@pytest.mark.parametrize(("given", "kept"), [("pt", "pt"), ("PT-br", "pt_BR"), ("en_us", "en_US"), ("fil", "fil")])
def test_a_language_is_kept_in_one_form(given: str, kept: str) -> None:
    assert profile.language(given) == kept


@pytest.mark.parametrize("wrong", ["", "portuguese", "p", "pt_BRA", "pt BR", None, 5])
def test_what_is_no_language_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match='such as "pt"'):
        profile.language(wrong)


def test_a_time_zone_is_one_that_there_is() -> None:
    assert profile.timezone("America/Bahia") == "America/Bahia"
    for wrong in ("Bahia", "", "../etc/passwd", None):
        with pytest.raises(ValueError, match="no time zone"):
            profile.timezone(wrong)  # type: ignore[arg-type]


def test_a_tag_is_a_short_text() -> None:
    assert profile.tag(" vip ") == "vip"
    for wrong in ("", "  ", "x" * 41, "a\nb", None):
        with pytest.raises(ValueError, match='such as "vip"'):
            profile.tag(wrong)  # type: ignore[arg-type]


def test_tags_are_kept_sorted_and_bounded() -> None:
    assert profile.packed(frozenset({"b", "a"})) == b'["a","b"]'
    assert profile.tags(b'["a","b"]') == {"a", "b"}
    assert profile.tags(None) == frozenset()
    with pytest.raises(ValueError, match="up to 50 tags"):
        profile.packed(frozenset(map(str, range(51))))


@pytest.mark.parametrize(
    ("fields", "address", "known"),
    [
        ({"language": b"en", "heard": b"es"}, "+5511987650001", "en"),
        ({"heard": b"es"}, "+5511987650001", "es"),
        ({}, "+5511987650001", "pt"),
        ({}, "BR.1", None),
    ],
)
def test_what_was_set_holds_over_what_was_heard_and_that_over_the_phone(fields: dict[str, bytes], address: str, known: str | None) -> None:
    assert profile.language_of(fields, address) == known
