"""Typed in other ways than as its label or number: what may answer a menu, and what may not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import Action, Ambiguous, Choice, Menu, Option, recognise
from pilotbot.replies.menu import PAGE


class Recognised(Action):
    number: int


def menu(*labels: str, name: str = "", **more: bool | str | int) -> Menu:
    made = Menu.of([Recognised(number=at).option(label) for at, label in enumerate(labels, 1)], "Which one?")
    return replace(made, id=name, **more)  # type: ignore[arg-type]


PERSON = menu("Acompanhar pedido", "Segunda via do boleto", "Falar com uma pessoa")
DAYS = menu("Segunda-feira", "Terça-feira", "Quarta-feira", "Quinta-feira")
CITIES = menu(*(f"Cidade {name}" for name in "ABCDEFGHIJKLMNOPQRSTUVW"), name="cities", more="More", page=0)


def meant(found: Choice | Ambiguous | None) -> list[str]:
    """The labels that may be meant."""
    if isinstance(found, Ambiguous):
        return [choice.label for choice in found.candidates]
    return [found.label] if found is not None else []


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("acompanha pedido", "Acompanhar pedido"), ("ACOMPANHAR", "Acompanhar pedido"), ("pedido", "Acompanhar pedido"),
        ("boleto", "Segunda via do boleto"), ("pessoa", "Falar com uma pessoa"), ("quero falar com uma pessoa", "Falar com uma pessoa"),
        ("a terceira", "Falar com uma pessoa"), ("número um", "Acompanhar pedido"), ("first", "Acompanhar pedido"),
        ("última", "Falar com uma pessoa"), ("the last one", "Falar com uma pessoa"), ("tres", "Falar com uma pessoa"),
    ],
)  # fmt: skip
def test_words_places_and_slips_mean_an_option(typed: str, label: str) -> None:
    assert meant(recognise([PERSON], typed)) == [label]


@pytest.mark.parametrize(
    "typed",
    [
        "onde está meu pedido?", "meu pedido não chegou", "preciso de 2 boletos", "comprei 3 pedidos", "quero cancelar o pedido",
        "2 pessoas",
        "não quero falar com uma pessoa", "a primeira vez que comprei", "um momento", "uma pergunta", "obrigado", "quarta", "oi", "a",
        "com",
        "falei com uma pessoa ontem", "segundo o site, chega hoje",
    ],
)  # fmt: skip
def test_a_sentence_that_has_such_words_is_no_choice(typed: str) -> None:
    assert recognise([PERSON], typed) is None


def test_a_word_of_several_labels_asks_which() -> None:
    assert meant(recognise([menu("Pagar com Pix", "Pagar com cartão", "Voltar")], "pagar")) == ["Pagar com Pix", "Pagar com cartão"]


def test_so_does_a_word_of_plain_labels() -> None:
    plain = Menu.of([Option("Pagar com Pix"), Option("Pagar com cartão")], "?")
    assert meant(recognise([plain], "pagar")) == ["Pagar com Pix", "Pagar com cartão"]


def test_a_slip_between_two_labels_asks_which() -> None:
    assert meant(recognise([menu("Pagar", "Pegar", "Voltar")], "pagr")) == ["Pagar", "Pegar"]
    assert meant(recognise([menu("Plan A", "Plan B")], "plan c")) == []


def test_a_place_that_is_also_a_word_of_another_label_asks_which() -> None:
    assert meant(recognise([menu("Segunda via", "Falar com alguém")], "a segunda")) == ["Segunda via", "Falar com alguém"]


def test_where_labels_are_such_words_no_place_is_meant() -> None:
    assert meant(recognise([DAYS], "segunda")) == ["Segunda-feira"]
    assert meant(recognise([DAYS], "quinta")) == ["Quinta-feira"]


@pytest.mark.parametrize("typed", ["2", "dois", "2️⃣"])
def test_a_number_that_begins_another_label_asks_unless_numbers_are_shown(typed: str) -> None:
    tables = menu("2 pessoas", "4 pessoas", "6 pessoas")
    assert meant(recognise([tables], typed)) == ["4 pessoas", "2 pessoas"]
    assert meant(recognise([replace(tables, numbered=True)], typed)) == ["4 pessoas"]


def test_a_sum_is_found_by_its_number() -> None:
    assert meant(recognise([menu("R$ 10", "R$ 20")], "20")) == ["R$ 20"]


@pytest.mark.parametrize("typed", ["pessoa", "a segunda", "dois", "acompanha pedido"])
def test_only_a_menu_that_is_answered_is_guessed_at(typed: str) -> None:
    assert recognise([PERSON], typed, awaited=False) is None
    assert recognise([DAYS, menu("Pessoa física", "Dois", "A segunda via", "Acompanha pedidos")], "acompanha pedido") is None
    assert recognise([DAYS], typed, quoted=PERSON) is not None


def test_its_label_means_it_all_the_same_and_a_number_nothing() -> None:
    assert meant(recognise([PERSON], "falar com uma PESSOA!", awaited=False)) == ["Falar com uma pessoa"]
    for typed, label in (("2", "2"), ("2", "4"), ("4", "4 pessoas")):
        assert recognise([menu("Pessoa", label)], typed, awaited=False) is None
    assert recognise([menu("Pessoa"), menu("1", "2")], "2") is None


@pytest.mark.parametrize("tapped", [True, False])
def test_what_matches_exactly_is_never_guessed_at(tapped: bool) -> None:
    close = menu("Track", "Tracks", "Trick", "Track order")
    for label in ("Track", "Tracks", "Trick", "Track order"):
        assert meant(recognise([close], label, tapped=tapped)) == [label]


def test_a_tap_means_a_label_and_no_place() -> None:
    assert recognise([PERSON], "última", tapped=True) is None
    named = recognise([PERSON], "Falar com a pessoa", quoted=PERSON, tapped=True)
    assert meant(named) == ["Falar com uma pessoa"]  # a template's button


@pytest.mark.parametrize("awaited", [True, False])
@pytest.mark.parametrize(("text", "choice_id"), [("Sim", None), ("Confirmar", "1"), ("Pedido", None), ("Nao, mantr", None)])
def test_a_tap_on_what_is_not_known_means_a_whole_label_or_nothing(text: str, choice_id: str | None, *, awaited: bool) -> None:
    offered = menu("Sim, quero cancelar", "Não, manter", "Ver pedido")
    assert recognise([offered], text, choice_id=choice_id, tapped=True, awaited=awaited) is None
    assert recognise([offered], text, choice_id=choice_id, quoted=offered, tapped=True) is not None
    assert meant(recognise([offered], "nao manter", tapped=True, awaited=awaited)) == ["Não, manter"]
    assert meant(recognise([offered], "?", choice_id="Não, manter", tapped=True, awaited=awaited)) == ["Não, manter"]


@pytest.mark.parametrize(
    "labels",
    [
        ("Quarta", "Quinta", "Sexta"), ("Terça", "Quinta"), ("Terça-feira", "Quinta-feira", "Sábado"), ("Manhã", "Tarde"), ("10h", "11h"),
        ("Quarta 12/3", "Não posso"), ("9:00", "10:00"), ("Hoje", "Amanhã"), ("Três adultos", "Quatro adultos"), ("Domingo", "Mais tarde"),
    ],
)  # fmt: skip
def test_a_day_that_is_not_among_days_is_none_of_them(labels: tuple[str, ...]) -> None:
    for typed in ("segunda", "Segunda por favor", "quero segunda", "a segunda", "dois", "duas"):
        assert recognise([menu(*labels)], typed) is None
    assert meant(recognise([menu(*labels)], "a segunda opção")) == [labels[1]]


def test_a_bare_day_is_no_place_beside_a_label_of_places_either() -> None:
    assert recognise([menu("Falar", "Pagar", "Primeira compra")], "segunda") is None
    assert meant(recognise([menu("Falar", "Pagar", "Primeira compra")], "a segunda")) == ["Pagar"]
    assert meant(recognise([menu("Segunda-feira", "Sábado")], "segunda")) == ["Segunda-feira"]
    assert meant(recognise([menu("Falar", "Pagar")], "segunda")) == ["Pagar"]


@pytest.mark.parametrize(
    ("labels", "number"),
    [
        (("Dois", "Três"), "2"), (("R$ 2", "R$ 1"), "2"), (("2x", "3x"), "2"),
        (("Two pizzas", "One pizza"), "1"),
    ],
)  # fmt: skip
def test_a_number_that_another_label_has_is_asked_about(labels: tuple[str, ...], number: str) -> None:
    assert sorted(meant(recognise([menu(*labels)], number))) == sorted(labels)
    assert len(meant(recognise([menu(*labels, numbered=True)], number))) == 1


def test_a_number_within_a_label_or_an_article_is_not_meant_by_one() -> None:
    assert meant(recognise([menu("Order 2 is on its way", "Order 1 is on its way")], "1")) == ["Order 2 is on its way"]
    assert meant(recognise([menu("Pagar", "Uma dúvida")], "1")) == ["Pagar"]


@pytest.mark.parametrize(
    ("labels", "typed", "label"),
    [
        (("No cartão", "No Pix", "Boleto"), "cartão", "No cartão"), (("No cartão", "No Pix", "Boleto"), "pix", "No Pix"),
        (("No cartão", "No Pix", "Boleto"), "no pix", "No Pix"), (("No site", "Na loja"), "site", "No site"),
        (("Cartão", "Pix"), "no pix", "Pix"),
    ],
)  # fmt: skip
def test_in_the_is_no_denial_among_portuguese_labels(labels: tuple[str, ...], typed: str, label: str) -> None:
    assert meant(recognise([menu(*labels)], typed)) == [label]


def test_a_denial_is_one_all_the_same() -> None:
    assert recognise([menu("Track", "Refund")], "no refund") is None
    assert recognise([menu("En casa", "No tengo cita")], "tengo cita") is None


@pytest.mark.parametrize("typed", ["pessoa", "a terceira", "falar com uma pesoa", "última", "Falar com uma pessoa!"])
def test_in_a_group_only_labels_as_they_are_and_numbers_count(typed: str) -> None:
    assert recognise([PERSON], typed, strict=True) is None
    assert meant(recognise([PERSON], "falar com uma PESSOA", strict=True)) == ["Falar com uma pessoa"]
    assert meant(recognise([PERSON], "3", strict=True)) == ["Falar com uma pessoa"]
    for named in ("3", "Falar com uma pessoa"):
        assert recognise([PERSON], named, strict=True, awaited=False) is None
    assert recognise([DAYS, PERSON], "Falar com uma pessoa", strict=True) is None


def test_in_a_group_nothing_is_asked() -> None:
    assert recognise([menu("2 pessoas", "4 pessoas")], "2", strict=True) is None


@pytest.mark.parametrize("typed", ["More", "more", "mais"])
def test_more_is_of_the_menu_that_is_answered_alone(typed: str) -> None:
    assert recognise([CITIES], typed, awaited=False) is None
    assert recognise([DAYS, CITIES], typed) is None
    assert isinstance(recognise([DAYS, CITIES], typed, quoted=CITIES, awaited=False), Choice)


def test_a_row_s_title_may_be_cut_and_its_id_is_the_label() -> None:
    rows = menu("Horário de funcionamento aos domingos", "Horário de funcionamento na semana", "Outro assunto")
    assert meant(recognise([rows], "Outro ass…", tapped=True)) == []  # too short to be told from others
    assert meant(recognise([rows], "Horário de funcionament…", tapped=True)) == [
        "Horário de funcionamento aos domingos",
        "Horário de funcionamento na semana",
    ]
    assert meant(recognise([rows], "Horário de funcionamento aos…", tapped=True)) == ["Horário de funcionamento aos domingos"]
    named = recognise([rows], "Horário de funcionament…", choice_id="Horário de funcionamento na semana", tapped=True)
    assert meant(named) == ["Horário de funcionamento na semana"]
    assert meant(recognise([rows], "", choice_id="Outro assunto", tapped=True)) == ["Outro assunto"]


def test_numbers_are_those_of_the_page_and_labels_of_all_pages() -> None:
    second = replace(CITIES, page=1)
    assert meant(recognise([CITIES], "1")) == ["Cidade A"]
    assert meant(recognise([second], "1")) == ["Cidade J"]
    assert meant(recognise([second], "nove")) == ["Cidade R"]
    assert meant(recognise([second, CITIES], "cidade a")) == ["Cidade A"]
    assert meant(recognise([CITIES], "Cidade W", tapped=True)) == ["Cidade W"]
    assert meant(recognise([second], "last")) == ["Cidade R"]
    last = replace(CITIES, page=2, more="")
    assert meant(recognise([last], "5")) == ["Cidade W"]
    assert recognise([last], "6") is None
    assert recognise([last], "more") is None


@pytest.mark.parametrize("typed", ["10", "More", "more", "MAIS", "más", "ver mais", "🔟", "dez", "the tenth"])
def test_more_turns_the_page(typed: str) -> None:
    found = recognise([CITIES], typed)
    assert isinstance(found, Choice)
    assert found.turned == CITIES
    assert found.action is None


def test_an_option_goes_before_more() -> None:
    assert meant(recognise([menu(*(f"{n} pessoas" for n in range(2, 22)), more="More")], "10")) == ["10 pessoas"]
    assert meant(recognise([menu("More wine", "Less")], "more")) == ["More wine"]


def test_more_of_an_old_message_turns_that_message_s_page() -> None:
    second, other = replace(CITIES, page=1), menu("More wine", "Less")
    for menus, quoted in (([second, CITIES], CITIES), ([other], CITIES), ([], CITIES)):
        found = recognise(menus, "More", quoted=quoted, tapped=True)
        assert isinstance(found, Choice)
        assert found.turned == CITIES
    found = recognise([second, CITIES], "More", tapped=True)
    assert isinstance(found, Choice)
    assert found.turned == second


def test_a_page_survives_storage() -> None:
    paged = replace(CITIES, page=1, form={"text": "Which city?"})
    assert Menu.load(paged.dump()) == paged
    assert Menu.load(replace(PERSON, numbered=True).dump()).numbered
    assert len(CITIES.shown) == PAGE + 1
    assert set(PERSON.dump()) == {"id", "excerpt", "entries"}


def test_candidates_are_told_apart() -> None:
    found = recognise([menu("Pagar com Pix", "Pagar com cartão")], "pagar")
    assert isinstance(found, Ambiguous)
    assert [option.label for option in found.options] == ["Pagar com Pix", "Pagar com cartão"]
    one, other = menu("Track", name="a"), Menu.of([Option("Track")], "Order 2")
    same = recognise([one, other], "track")
    assert isinstance(same, Ambiguous)
    assert [(option.label, option.action) for option in same.options] == [("Which one?", Recognised(number=1)), ("Track", None)]


SENTENCE = st.sampled_from([
    "quando", "chega", "onde", "comprei", "ontem", "when", "did", "you", "buy", "my", "order", "number", "was", "pedí", "ayer", "hola",
])  # fmt: skip
NAMED = [
    "Acompanhar pedido",
    "pedido",
    "boleto",
    "2",
    "dois",
    "a segunda",
    "second",
    "última",
    "pessoa",
    "number two",
    "falar com uma pesoa",
]


@given(st.lists(SENTENCE, min_size=2, max_size=8), st.sampled_from(NAMED), st.data())
def test_a_sentence_around_a_label_or_a_number_is_no_choice(words: list[str], named: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words)))
    sentence = " ".join([*words[:at], named, *words[at:]])
    assert recognise([PERSON], sentence) is None


@given(st.text(max_size=200))
def test_any_text_may_be_typed(text: str) -> None:
    for menus in ([PERSON], [CITIES, DAYS]):
        recognise(menus, text)
        recognise(menus, text, quoted=DAYS, choice_id=text, tapped=True)
