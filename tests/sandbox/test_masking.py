"""Personal data are taken out of what contacts wrote and of what the bot said of it; what makes a conversation go on stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox.masking import Mask, sample_name, sample_phone

MARIA = ("+5521912345678", "Maria Souza de Lima")
JOSE = ("+5511944443333", "José dos Reis")


def heard(text: str) -> str:
    return Mask([MARIA, JOSE]).heard(text)


def said(text: str, acts: int = 0) -> str:
    return Mask([MARIA, JOSE]).said(text, lambda part: part.replace("*", r"\*"), acts)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sou a Maria", "sou a Ana"),
        ("Maria Souza de Lima, prazer", "Ana, prazer"),
        ("MARIA souza", "Ana Ana"),
        ("Marianas e o Limao de lá", "Marianas e o Limao de lá"),
        ("fala com o José, um dos reis", "fala com o Bia, um dos Bia"),
        ("maria.souza@shop.com.br!", "ana@example.com!"),
        ("a@x.com, b@x.com, A@X.com", "ana@example.com, ana2@example.com, ana@example.com"),
        ("CPF 390.533.447-05", "CPF 529.982.247-25"),
        ("CPF 39053344705", "CPF 52998224725"),
        ("CPF 390.533.447-05, 11144477735", "CPF 529.982.247-25, 52998224806"),
        ("CNPJ 11.444.777/0001-61", "CNPJ 11.222.333/0001-81"),
        ("liga (21) 91234-5678", "liga (11) 98765-0001"),
        ("+55 21 91234-5678 ou 5521912345678", "+55 11 98765-0001 ou 5511987650001"),
        ("+5511944443333", "+5511987650002"),
        ("(85) 3222-1111 e 8532221111", "(19) 8765-0003 e 1987650003"),
        ("CEP 01310-100", "CEP 87650-003"),
        ("pedido 4242, R$ 1.234,56, 14:30", "pedido 4242, R$ 1.234,56, 14:30"),
        ("dia 25/11/2026 às 9, 2026-11-25T10:00, 1.2.2027", "dia 25/11/2026 às 9, 2026-11-25T10:00, 1.2.2027"),
        ("390.533.447-05 25/11/2026", "529.982.247-25 25/11/2026"),
    ],
)
def test_what_a_contact_wrote_has_samples_of_the_same_shape(text: str, masked: str) -> None:
    assert heard(text) == masked


def test_a_wrong_document_stays_a_wrong_one() -> None:
    """A bot that checks it answers otherwise than to a right one."""
    masked = heard("390.533.447-99")
    assert masked == "119.876.500-03"
    assert heard("11.444.777/0001-00") == "05.511.987/6500-03"


@pytest.mark.parametrize(
    ("text", "acts", "masked"),
    [
        ("Hi Maria!", 0, "Hi {contact.name}!"),
        ("Hi Maria Souza de Lima!", 0, "Hi {contact.name}!"),
        ("Hi MARIA, Sra. Lima!", 0, "Hi *, Sra. *!"),
        ("Hi Maria, José is here", 1, "Hi *, {contact.name} is here"),
        ("5 * 3 for Maria", 0, r"5 \* 3 for {contact.name}"),
        ("maria@x.com, CPF 390.533.447-05, order 4242 on 25/11/2026", 0, "*, CPF *, order 4242 on 25/11/2026"),
        ("Call +5521912345678", 0, "Call *"),
    ],
)
def test_what_the_bot_said_of_it_is_any_text(text: str, acts: int, masked: str) -> None:
    assert said(text, acts) == masked


def test_a_part_of_a_number_that_somebody_told_is_any_text_too() -> None:
    mask = Mask([MARIA])
    mask.heard("CPF 390.533.447-05")
    assert mask.said("Order 5678 or 4242? CPF ends 44705.", str) == "Order * or 4242? CPF ends *."


def test_people_without_a_name_and_more_of_them_than_samples() -> None:
    mask = Mask([("+5521912345678", None), ("BR.1", "J"), ("+5521912345679", "  ")])
    assert mask.heard("J +5521912345679 .") == "J +5511987650003 ."
    assert sample_name(0) == "Ana"
    assert sample_name(8) == "Contact 9"
    assert sample_phone(2) == "+5511987650003"


def test_a_name_is_no_pattern() -> None:
    mask = Mask([("+5521912345678", "(.*) [x"), ("+5521912345679", "İpek ẞ")])
    assert mask.heard("all of it (.*) İPEK") == "all of it Ana Bia"


@given(st.text(), st.text(), st.text())
def test_any_text_and_any_name_can_be_masked(name: str, wrote: str, answered: str) -> None:
    mask = Mask([("+5521912345678", name)])
    mask.heard(wrote)
    mask.said(answered, str, 0)


@pytest.mark.parametrize("scrap", ["1", "1 ", "1-", "a@", "a.", "@a.", "(1) ", "1/1/", "Ana "])
def test_long_texts_take_no_time_to_speak_of(scrap: str) -> None:
    text = scrap * (100_000 // len(scrap))
    mask = Mask([("+5521912345678", "Ana Souza")])
    mask.heard(text)
    mask.said(text, str, 0)
