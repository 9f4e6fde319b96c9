"""Words that opt out and in: whole messages, however they are spelled, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts import OptOut, out_of
from pilotbot.contacts.consent import IN, OUT

USUAL = OptOut()


@pytest.mark.parametrize("word", [word for several in OUT.values() for word in several])
def test_each_word_opts_out_in_any_spelling(word: str) -> None:
    for said in (word, word.upper(), f"  {word}!!! ", word.title() + ".", f"*{word}*"):
        decided = USUAL.decided(said, opted_out=())
        assert decided is not None
        assert decided.what == "out"


@pytest.mark.parametrize("word", [word for several in IN.values() for word in several])
def test_each_word_opts_in_again_whoever_opted_out_and_nobody_else(word: str) -> None:
    decided = USUAL.decided(word.upper(), opted_out={"all"})
    assert decided is not None
    assert decided.what == "in"
    assert USUAL.decided(word, opted_out=()) is None


@pytest.mark.parametrize(
    "text", ["cancelar", "cancel", "stop it please", "não pare", "I want to unsubscribe my brother", "", "🛑", "stopp", "1"]
)
def test_other_messages_decide_nothing(text: str) -> None:
    assert USUAL.decided(text, opted_out=()) is None


def test_the_confirmation_is_in_the_language_of_the_word() -> None:
    said = {word: USUAL.decided(word, opted_out=()) for word in ("parar", "stop", "baja")}
    assert [decided.confirmation[:5] for decided in said.values() if decided] == ["Certo", "Done:", "Listo"]


def test_no_word_means_two_things() -> None:
    for words in (OUT, IN):
        several = [word for language in words.values() for word in language]
        assert len(several) == len(set(several))


def test_words_without_a_confirmation_are_refused() -> None:
    with pytest.raises(ValueError, match="no confirmation in en, es"):
        OptOut(out_said={"pt": "Certo."})


@pytest.mark.parametrize(
    ("out", "told"),
    [(("!",), "list of words"), ("stop", "list of words"), (("x" * 201,), "list of words"), (("start",), "opt out and in: start")],
)
def test_words_that_cannot_be_meant_are_refused(out: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        OptOut(out={"en": out}, out_said={"en": "Bye."})


def test_a_blank_confirmation_is_none() -> None:
    with pytest.raises(ValueError, match="no confirmation in en"):
        OptOut(out={"en": ("stop",)}, out_said={"en": " "})


def test_a_word_before_a_long_text_is_not_the_whole_message() -> None:
    assert USUAL.decided("stop" + " " * 60 + "sending it to my old address", opted_out=()) is None
    assert USUAL.decided("stop" + " " * 60, opted_out=()) is not None


@given(st.text(max_size=2000))
def test_any_text_is_looked_at(text: str) -> None:
    decided = USUAL.decided(text, opted_out={"all"})
    assert decided is None or decided.what in {"out", "in"}


@pytest.mark.parametrize(("text", "purpose"), [("Sem promoções!", "marketing"), ("NO ADS", "marketing"), ("stop", "all")])
def test_a_word_may_be_about_one_purpose(text: str, purpose: str) -> None:
    decided = USUAL.decided(text, opted_out=())
    assert decided is not None
    assert (decided.what, decided.purpose) == ("out", purpose)


def test_the_word_back_of_a_purpose_is_for_those_who_left_that() -> None:
    assert USUAL.decided("quero promoções", opted_out=()) is None
    assert USUAL.decided("quero promoções", opted_out={"utility"}) is None
    decided = USUAL.decided("quero promoções", opted_out={"marketing"})
    assert decided is not None
    assert (decided.what, decided.purpose) == ("in", "marketing")


@pytest.mark.parametrize(
    ("purposes", "told"),
    [
        ({"sales": OptOut(purposes={})}, "no message has the purpose sales"),
        ({"marketing": OptOut()}, "no purposes in turn"),
        ({"marketing": OptOut(purposes={})}, "two things"),
    ],
)
def test_words_of_purposes_that_cannot_be_meant_are_refused(purposes: dict[str, OptOut], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        OptOut(purposes=purposes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("marks", "out"),
    [
        ({}, set()),
        ({"all": 5}, {"all", "utility", "marketing", "authentication"}),
        ({"all": 5, "marketing": -6}, {"all", "utility", "authentication"}),
        ({"all": -5, "marketing": 4}, set()),
        ({"all": -5, "marketing": 6}, {"marketing"}),
    ],
)
def test_what_somebody_is_out_of_is_as_the_latest_says(marks: dict[str, int], out: set[str]) -> None:
    assert out_of(marks) == out  # type: ignore[arg-type]
