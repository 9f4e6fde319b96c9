"""Which language short texts are in, and which a phone's country speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts.language import COUNTRIES, SHARED, WORDS, detect, of_country


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("oi", "pt"), ("Olá, tudo bem?", "pt"), ("bom dia", "pt"), ("Quanto custa a entrega?", "pt"), ("não", "pt"), ("OBRIGADA!!", "pt"),
        ("quero falar com um atendente", "pt"), ("vcs abrem hoje?", "pt"),
        ("hi", "en"), ("Hello there", "en"), ("I'd like to order", "en"), ("how much is it?", "en"), ("thanks", "en"),
        ("don\u2019t know", "en"),
        ("Buen dia", "es"), ("john@gmail.com my order", "en"), ("necesito esto: https://www.shop.com/p/12", "es"),
        ("hola", "es"), ("Buenos días", "es"), ("¿cuánto cuesta?", "es"), ("necesito ayuda", "es"), ("gracias", "es"), ("mañana", "es"),
    ],
)  # fmt: skip
def test_a_few_words_are_enough(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "text", ["", "ok", "1", "👍", "no", "para", "pedido", "11 98765-0001", "hola hi", "мир", "john@gmail.com", "www.example.com", "dia"]
)
def test_what_does_not_say_is_not_guessed(text: str) -> None:
    assert detect(text) is None


def test_only_the_beginning_is_looked_at() -> None:
    assert detect("x " * 300 + "obrigado") is None


@given(st.text(max_size=1000))
def test_any_text_can_be_asked_about(text: str) -> None:
    assert detect(text) in {"pt", "en", "es", None}


def test_no_word_that_two_have_counts() -> None:
    assert {"pedido", "no", "me"} <= SHARED
    for language, words in WORDS.items():
        assert all(detect(word) == language for word in words - SHARED)


@pytest.mark.parametrize(
    ("address", "language"),
    [("+5511987650001", "pt"), ("+351912345678", "pt"), ("+14155550100", "en"), ("+447700900123", "en"), ("+34600000000", "es"),
     ("+5491123456789", "es"), ("+18095550100", "es"), ("+59899123456", "es"), ("+4915112345678", None), ("BR.1234", None), ("", None)],
)  # fmt: skip
def test_else_the_country_says(address: str, language: str | None) -> None:
    assert of_country(address) == language


def test_no_calling_code_hides_another() -> None:
    assert all(1 <= len(code) <= 4 and code.isdecimal() for code in COUNTRIES)
