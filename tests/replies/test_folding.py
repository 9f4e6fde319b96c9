import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Não!", "nao"),
        ("  Opção\t2ª \n via ", "opcao 2a via"),
        ("AÇÃO, já?", "acao ja"),
        ("Straße", "strasse"),
        ("2️⃣", "2"),
        ("\uff50\uff45\uff44\uff49\uff44\uff4f", "pedido"),
        ("👍🏽", "👍"),
        ("e\u0301", "e"),
        ("don't", "don t"),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_people_type_alike_folds_alike(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_letters_of_other_scripts_are_kept_apart() -> None:
    assert fold("कि") != fold("कु")
    assert fold("が") != fold("か")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_the_result_is_words_between_single_spaces(text: str) -> None:
    assert " ".join(fold(text).split()) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_path_for_ascii_folds_as_the_other_path(text: str) -> None:
    assert fold(text) == fold(text + " é").removesuffix("e").rstrip(" ")


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll"], max_codepoint=0x24F)))
def test_case_does_not_matter(text: str) -> None:
    assert fold(text.upper()) == fold(text.upper().lower().upper())
    assert not re.search(r"[A-Z]", fold(text))
