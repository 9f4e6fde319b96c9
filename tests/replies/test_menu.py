from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.replies import Action, Ambiguous, Choice, Entry, Menu, Option, recognise
from pilotbot.replies.menu import ALIVE, alive
from pilotbot.replies.recognise import number_in


class MenuTrack(Action):
    order_id: int


def menu(*options: Option | str, name: str = "", text: str = "Which one?") -> Menu:
    made = Menu.of([option if isinstance(option, Option) else Option(option) for option in options], text)
    return Menu(made.entries, name, made.excerpt)


FIRST = menu(MenuTrack(order_id=1).option("Acompanhar"), "Falar com alguém", name="first", text="Order 1")
SECOND = menu(MenuTrack(order_id=2).option("Acompanhar"), "Não", "Sim", name="second", text="Order 2")


def chosen(found: Choice | Ambiguous | None) -> str | None:
    return found.label if isinstance(found, Choice) else None


@pytest.mark.parametrize("text", ["Não", "nao", " NÃO! ", "na\u0303o", "2", "2.", "2)", "(2)", "2️⃣", "\uff12", "٢", " 2 "])
def test_a_label_or_its_number_is_recognised(text: str) -> None:
    assert chosen(recognise([SECOND], text)) == "Não"


@pytest.mark.parametrize("text", ["", " ", "...", "0", "4", "-2", "2 por favor", "22", "R$ 2", "nao sei", "²²²²", "9" * 5000])
def test_other_texts_are_not_a_choice(text: str) -> None:
    assert recognise([SECOND], text) is None


def test_ten_may_be_one_sign() -> None:
    ten = menu(*map(str, range(100, 110)))
    assert chosen(recognise([ten], "🔟")) == "109"
    assert chosen(recognise([ten], "10.")) == "109"


def test_a_number_means_the_last_menu() -> None:
    assert chosen(recognise([SECOND, FIRST], "2")) == "Não"
    assert chosen(recognise([FIRST, SECOND], "2")) == "Falar com alguém"
    assert recognise([FIRST, SECOND], "3") is None


def test_a_number_that_is_a_label_of_the_last_menu_is_that_label() -> None:
    amounts = menu("10", "2", "1")
    assert chosen(recognise([amounts], "1")) == "1"
    assert chosen(recognise([amounts], "3")) == "1"
    assert chosen(recognise([SECOND, amounts], "1")) == "Acompanhar"


def test_a_tap_is_a_label_and_never_a_number() -> None:
    assert recognise([SECOND], "2", tapped=True) is None
    assert chosen(recognise([SECOND], "sim", tapped=True)) == "Sim"


def test_a_label_of_an_older_menu_is_alive() -> None:
    assert recognise([SECOND, FIRST], "falar com alguem") == Choice("Falar com alguém", menu="first", excerpt="Order 1")


def test_one_label_with_several_meanings_asks_which() -> None:
    found = recognise([SECOND, FIRST], "acompanhar")
    assert isinstance(found, Ambiguous)
    assert [(choice.action, choice.menu, choice.excerpt) for choice in found.candidates] == [
        (MenuTrack(order_id=2), "second", "Order 2"),
        (MenuTrack(order_id=1), "first", "Order 1"),
    ]


def test_one_label_with_the_same_meaning_is_a_choice_from_the_newest() -> None:
    again = Menu(FIRST.entries, "again", "Order 1 again")
    found = recognise([again, FIRST], "Acompanhar")
    assert found == Choice("Acompanhar", MenuTrack(order_id=1), menu="again", excerpt="Order 1 again")


def test_a_quoted_menu_goes_first() -> None:
    found = recognise([SECOND, FIRST], "acompanhar", quoted=FIRST)
    assert isinstance(found, Choice)
    assert found.action == MenuTrack(order_id=1)
    assert chosen(recognise([SECOND, replace(FIRST, numbered=True)], "2", quoted=replace(FIRST, numbered=True))) == "Falar com alguém"
    assert recognise([SECOND, FIRST], "3", quoted=FIRST) is None
    assert chosen(recognise([SECOND, FIRST], "sim", quoted=FIRST)) == "Sim"


def test_a_choice_id_finds_the_entry_of_the_quoted_menu() -> None:
    assert chosen(recognise([], "?", quoted=SECOND, choice_id="3", tapped=True)) == "Sim"
    assert chosen(recognise([], "?", quoted=SECOND, choice_id="sim", tapped=True)) == "Sim"
    assert chosen(recognise([], "Não", quoted=SECOND, choice_id="0", tapped=True)) == "Não"
    assert recognise([], "?", quoted=SECOND, choice_id="btn_17", tapped=True) is None


def test_close_labels_are_told_apart_when_typed_in_full() -> None:
    languages = menu("C++", MenuTrack(order_id=3).option("C#"))
    assert chosen(recognise([languages], "c#")) == "C#"
    assert isinstance(recognise([languages], "c"), Ambiguous)


def test_a_menu_survives_storage() -> None:
    assert Menu.load(orjson.loads(orjson.dumps(SECOND.dump()))) == SECOND


def test_a_number_that_buttons_do_not_show_is_theirs_only_while_they_are_awaited() -> None:
    assert recognise([SECOND, FIRST], "2", quoted=FIRST) is None
    assert recognise([SECOND, FIRST], "2", quoted=SECOND, awaited=False) is None
    assert chosen(recognise([SECOND, FIRST], "2", quoted=SECOND)) == "Não"


def test_what_was_offered_long_ago_is_not_alive_unless_it_is_awaited() -> None:
    old, new = replace(SECOND, at=1_000), replace(FIRST, at=1_000 + ALIVE)
    assert alive([new, old], awaited=False, now=1_000 + ALIVE) == [new, old]
    assert alive([new, old], awaited=True, now=1_001 + ALIVE) == [new]
    assert alive([old], awaited=True, now=2_000 + ALIVE) == [old]
    assert alive([old], awaited=False, now=2_000 + ALIVE) == []
    assert Menu.load(orjson.loads(orjson.dumps(old.dump()))) == old


def test_an_excerpt_is_short_and_one_line() -> None:
    assert menu("a", text="Hi  Ana,\nwhich?").excerpt == "Hi Ana, which?"
    assert menu("a", text="x" * 41).excerpt == "x" * 39 + "…"


def test_an_action_whose_class_is_gone_is_a_choice_with_a_problem() -> None:
    found = recognise([Menu((Entry("Go", "MenuGone", {}),))], "go")
    assert isinstance(found, Choice)
    assert found.action is None
    assert "MenuGone" in (found.problem or "")


@pytest.mark.parametrize("data", [{"order_id": "secret"}, {}, {"order_id": "{{ 1 }}"}, {"order_id": 1, "more": 2}, None])
def test_data_that_fits_no_more_is_a_choice_with_a_problem(data: dict[str, object] | None) -> None:
    found = recognise([Menu((Entry("Go", "MenuTrack", data),))], "1")
    assert isinstance(found, Choice)
    assert found.action is None
    assert found.problem
    assert "secret" not in found.problem


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)
entries = st.lists(
    st.one_of(json, st.tuples(st.text(max_size=5), st.sampled_from(["MenuTrack", "x"]), st.dictionaries(st.text(), json))),
    max_size=4,
)


@given(st.fixed_dictionaries({}, optional={"entries": entries | json, "id": json, "excerpt": json}), st.text(max_size=5))
def test_stored_garbage_never_crashes(stored: dict[str, object], text: str) -> None:
    loaded = Menu.load(stored)
    for typed in (text, "1", *(entry.label for entry in loaded.entries)):
        recognise([loaded], typed)
        recognise([], typed, quoted=loaded, choice_id=text)


def test_an_unreadable_entry_keeps_its_number() -> None:
    loaded = Menu.load({"entries": [["A", None, None], "broken", ["C", None, None]]})
    assert chosen(recognise([loaded], "3")) == "C"
    assert recognise([loaded], "2") is None


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=12, unique=True), st.data())
def test_every_label_comes_back_as_itself(labels: list[str], data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(labels))
    found = recognise([menu(*labels)], label, tapped=True)
    alike = [other for other in labels if " ".join(other.split()).casefold() == " ".join(label.split()).casefold()]
    assert chosen(found) == (alike[0] if label.strip() else None)


@given(st.integers(min_value=0, max_value=999))
def test_numbers_are_read(number: int) -> None:
    assert number_in(f"{number}.") == number


def test_a_repr_shows_no_label() -> None:
    found = recognise([menu("secret", "other secret")], "1")
    assert isinstance(found, Choice)
    assert "secret" not in repr(found) + repr(menu("secret")) + repr(Ambiguous((found,)))
