import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import fold
from pilotbot.replies.words_of_numbers import LAST, place_in, tells_time

CARDINALS = ("one two three four five six seven eight nine ten", "um dois tres quatro cinco seis sete oito nove dez",
             "uno dos tres cuatro cinco seis siete ocho nueve diez")  # fmt: skip
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono décimo",
    "primera segunda tercera cuarta quinta sexta séptima octava novena décima",
)


@pytest.mark.parametrize("words", [*CARDINALS, *ORDINALS])
def test_numbers_up_to_ten_are_known_in_three_languages(words: str) -> None:
    assert [place_in(word) for word in words.split()] == list(range(1, 11))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("The second one", 2), ("second one, please", 2), ("i want the third", 3), ("number two", 2), ("option 2", 2),
        ("the first option!", 1),
        ("2nd", 2), ("#2", 2), ("A segunda", 2), ("a segunda opção, por favor", 2), ("quero o primeiro", 1), ("número dois", 2),
        ("nº 3", 3),
        ("n° 3", 3), ("opção 10", 10), ("2ª", 2), ("3º", 3), ("duas", 2), ("el tercero", 3), ("la primera opción", 1), ("tercer", 3),
        ("quiero la segunda", 2), ("opción dos", 2), ("last", LAST), ("the last one", LAST), ("Última", LAST), ("o último", LAST),
        ("la última, por favor", LAST),
    ],
)  # fmt: skip
def test_a_place_may_be_said_in_a_few_words(text: str, place: int) -> None:
    assert place_in(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "", "2", "two please", "dois, por favor", "quero 2", "quero dois", "i want two", "a second", "one second", "um segundo",
        "un segundo",
        "segunda-feira", "na segunda", "the second of may", "first of all", "at last", "last week", "a última vez", "one two",
        "two or three",
        "twenty", "eleventh", "option 11", "number", "the", "secondly", "quarto de casal", "second " * 100, "número dois mil",
    ],
)  # fmt: skip
def test_what_is_more_than_a_place_is_none(text: str) -> None:
    assert place_in(text) is None


def test_a_place_may_have_to_say_that_it_is_one() -> None:
    for text in ("second", "a segunda", "dois", "segunda por favor", "quero a quinta", "2nd"):
        assert place_in(text) is not None
        assert place_in(text, said=True) is None
    for text in ("the second one", "a segunda opção", "número dois", "opción segunda", "#2"):
        assert place_in(text, said=True) == 2
    assert place_in("a última", said=True) == LAST


@pytest.mark.parametrize(
    "label", ["Quarta", "Segunda-feira", "Sábado", "Sexta 12/3", "10h", "9:00", "10 am", "Hoje", "Tuesday", "12 de março"]
)
def test_days_and_times_are_known(label: str) -> None:
    assert tells_time(fold(label))


@pytest.mark.parametrize("label", ["Segunda via do boleto", "Falar com alguém", "May I help?", "Quinta compra", "R$ 10", ""])
def test_other_labels_are_neither(label: str) -> None:
    assert not tells_time(fold(label))


@given(st.text(max_size=80))
def test_anything_is_a_place_of_ten_or_none(text: str) -> None:
    assert place_in(text) in {None, LAST, *range(1, 11)}


@given(st.sampled_from(" ".join([*CARDINALS, *ORDINALS]).split()), st.sampled_from(["boxes", "pessoas", "caixas de leite", "mil", "weeks"]))
def test_so_many_of_something_is_no_place(number: str, things: str) -> None:
    assert place_in(f"{number} {things}") is None
