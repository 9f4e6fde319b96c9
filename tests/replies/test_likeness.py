import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pilotbot.replies import fold
from pilotbot.replies.likeness import closest, is_part


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("persona", "Hablar con una persona"), ("una persona", "Hablar con una persona"), ("falar com pessoa", "Falar com uma pessoa"),
        ("quero falar com uma pessoa", "Falar com uma pessoa"), ("pix", "Pagar com Pix"), ("the red one", "Red one"), ("sim", "Sim, quero"),
        ("não", "Não, obrigado"), ("no", "No, thanks"), ("yes", "Yes, please"), ("20", "R$ 20"), ("cartão", "Pagar no cartão"),
        ("não recebi", "Ainda não recebi"), ("segunda", "Segunda-feira"),
    ],
)  # fmt: skip
def test_some_words_of_a_label_are_a_part_of_it(typed: str, label: str) -> None:
    assert is_part(fold(typed), fold(label))


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("", "Persona"), ("persona", ""), ("una", "Hablar con una persona"), ("con una", "Hablar con una persona"),
        ("no", "Ver no site"), ("si", "Hoy si quiero"), ("obrigado", "Não, obrigado"), ("não quero", "Quero"), ("quero não", "Quero"),
        ("recebi", "Ainda não recebi"), ("don't track", "Track"), ("where is my order", "Track order"),
        ("persona hablar", "Hablar con una persona"),
        ("person", "Hablar con una persona"), ("b", "Plano B"), ("quero um pedido", "Ver pedido"), ("meu pedido", "Ver pedido"),
        ("the " * 9 + "persona", "Hablar con una persona"),
    ],
)  # fmt: skip
def test_other_words_are_not(typed: str, label: str) -> None:
    assert not is_part(fold(typed), fold(label))


def meant(typed: str, *labels: str) -> list[str]:
    return [labels[at] for at in closest(fold(typed), [fold(label) for label in labels])]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("trak", "Track"), ("tarck", "Track"), ("trackk", "Track"), ("delivry", "Delivery"), ("planoa", "Plano A"),
        ("falar com uma pesoa", "Falar com uma pessoa"), ("fala com uma pesoa", "Falar com uma pessoa"),
        ("horario de funcionamneto", "Horário de funcionamento"),
        ("boletos", "Boleto"), ("order 4242", "Orders 4242"),
    ],
)  # fmt: skip
def test_a_slip_is_forgiven(typed: str, label: str) -> None:
    assert meant(typed, label, "Something else") == [label]


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("", "Track"), ("sin", "Sim"), ("on", "No"), ("track my order", "Track"), ("trk", "Track"), ("brack", "Track"), ("later", "Water"),
        ("unsubscribe", "Subscribe"), ("inativo", "Ativo"), ("n aceito o plano", "Aceito o plano"), ("not accept it", "Now accept it"),
        ("order 4243", "Order 4242"), ("plano 3", "Plano 2"), ("traktor", "Track"), ("x" * 61, "x" * 62), ("deliver it to", "Delivery"),
    ],
)  # fmt: skip
def test_another_word_is_no_slip(typed: str, label: str) -> None:
    assert meant(typed, label, "Something else") == []


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("prata", "Preta"), ("noite", "Norte"), ("caso", "Casa"), ("pegar agora", "Pagar agora"), ("junho", "Julho"), ("julio", "Junio"),
        ("10 de junho", "10 de julho"), ("june", "July"), ("turma b", "Turma A"), ("plano b mensal", "Plano A mensal"),
        ("departamento b", "Departamento A"),
        ("wednesday", "Wednesdays only 2"), ("tursday afternoon", "Tuesday afternoon"),
    ],
)  # fmt: skip
def test_a_slip_does_not_make_one_word_another(typed: str, label: str) -> None:
    assert meant(typed, label, "Something else") == []


def test_a_letter_at_the_end_tells_labels_apart() -> None:
    for typed, label in (("turma e", "Turma A"), ("plano e", "Plano A"), ("turma e", "Turma"), ("plano e mensal", "Plano A mensal")):
        assert not is_part(fold(typed), fold(label))
    assert is_part("turma", "turma a")


@pytest.mark.parametrize(
    ("typed", "label"), [("cartão", "No cartão"), ("pix", "No Pix"), ("no pix", "No Pix agora"), ("site", "No site"), ("no", "No, thanks")]
)
def test_no_may_be_a_small_word_in_portuguese(typed: str, label: str) -> None:
    assert is_part(fold(typed), fold(label))


@pytest.mark.parametrize(
    ("typed", "label"),
    [("tengo cita", "No tengo cita"), ("refund", "No refund"), ("no pix", "Pix"), ("no track", "Track"), ("no", "No cartão")],
)
def test_no_denies_as_well(typed: str, label: str) -> None:
    assert not is_part(fold(typed), fold(label))


def test_among_portuguese_labels_it_denies_before_some_words_alone() -> None:
    assert is_part("no pix", "pix", portuguese=True)
    assert not is_part("no quiero", "quiero", portuguese=True)


def test_what_is_nearly_as_close_is_meant_as_well() -> None:
    assert meant("pagrr agora", "Pagar agora", "Pegar agora") == []
    assert meant("pagr", "Pagar", "Pegar", "Voltar") == ["Pagar", "Pegar"]
    assert meant("planoa", "Plano A", "Plano B") == ["Plano A"]


letters = st.text("abcdefghij klmnopqrstuvwxyz", min_size=4, max_size=24).map(fold).filter(lambda text: len(text.replace(" ", "")) >= 4)


@given(letters, st.data())
def test_one_letter_left_out_or_swapped_is_forgiven_but_not_the_first(label: str, data: st.DataObject) -> None:
    joined = label.replace(" ", "")
    at = data.draw(st.integers(1, len(joined) - 2))
    swapped = joined[:at] + joined[at + 1] + joined[at] + joined[at + 2 :]
    assume(
        len(joined) > 4
        and all(len(word) > 1 for word in label.split())
        and not {"no", "n", "t", "ni", "not", "nao", "never"} & set(label.split())
    )
    for typed in (joined[:at] + joined[at + 1 :], swapped, joined[:at] + "q" + joined[at:]):
        assert closest(typed, [label]) == [0]


@given(st.text(max_size=70), st.lists(st.text(max_size=70), max_size=12))
def test_anything_can_be_compared(typed: str, labels: list[str]) -> None:
    found = closest(fold(typed), [fold(label) for label in labels])
    assert sorted(set(found)) == found
    for label in labels:
        is_part(fold(typed), fold(label))
