from typing import ClassVar

import pytest
from pydantic import ValidationError

from pilotbot.replies import Action, ContentError, Option, action_class


class ActionsTrack(Action):
    order_id: int
    note: str = ""


class ActionsNamed(Action, name="actions_test_named"):
    pass


def test_an_action_makes_an_option_of_itself() -> None:
    track = ActionsTrack(order_id=7)
    assert track.option("Track") == Option("Track", track)


def test_actions_are_frozen_values() -> None:
    with pytest.raises(ValidationError):
        ActionsTrack(order_id=7).order_id = 8  # type: ignore[misc]  # what a type checker refuses is refused when run too
    assert len({ActionsTrack(order_id=7), ActionsTrack(order_id=7)}) == 1


def test_an_action_is_found_by_its_class_name_or_the_one_it_was_given() -> None:
    assert action_class("ActionsTrack") is ActionsTrack
    assert action_class("actions_test_named") is ActionsNamed
    assert action_class("ActionsNamed") is None


def test_two_classes_of_one_name_are_refused_with_both_places() -> None:
    with pytest.raises(TypeError) as refused:
        _ = type("ActionsOther", (Action,), {"__module__": "somewhere.other"}, name="actions_test_named")
    assert "ActionsNamed" in str(refused.value)
    assert "test_actions.py:" in str(refused.value)
    assert "somewhere.other.ActionsOther" in str(refused.value)
    assert action_class("actions_test_named") is ActionsNamed


def test_the_same_class_defined_again_replaces_itself() -> None:
    def define() -> type[Action]:
        class ActionsReloaded(Action):
            pass

        return ActionsReloaded

    define()
    again = define()
    assert action_class("ActionsReloaded") is again


def test_jinja_in_a_field_puts_validation_off() -> None:
    assert ActionsTrack(order_id="{{ order.id }}").put_off()
    assert not ActionsTrack(order_id=7, note="{{ note }}").put_off()


@pytest.mark.parametrize("fields", [{"order_id": "x"}, {}, {"note": "{{ x }}"}, {"order_id": "{{ x }}", "more": 1}])
def test_only_fields_with_jinja_are_put_off(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ActionsTrack(**fields)


@pytest.mark.parametrize("fields", [{"order_id": "{{ 7*7 }}"}, {"order_id": "secret"}, {"other": "secret"}])
def test_checked_takes_jinja_as_text_and_does_not_repeat_values(fields: dict[str, object]) -> None:
    with pytest.raises(ContentError) as refused:
        ActionsTrack.checked(fields)
    assert "secret" not in str(refused.value)
    assert "7*7" not in str(refused.value)


def test_checked_converts() -> None:
    assert ActionsTrack.checked({"order_id": "7", "note": "{{ x }}"}) == ActionsTrack(order_id=7, note="{{ x }}")


def test_class_variables_are_not_fields() -> None:
    class ActionsWithClassVariable(Action):
        kind: ClassVar[str] = "k"

    assert ActionsWithClassVariable().fields() == {}


def test_neither_its_repr_nor_its_errors_show_values() -> None:
    action = ActionsTrack(order_id=7, note="secret")
    assert (repr(action), str(action), repr(Option("Track", action))) == (
        "ActionsTrack()",
        "ActionsTrack()",
        "Option(label='Track', action=ActionsTrack())",
    )
    with pytest.raises(ValidationError) as refused:
        ActionsTrack(order_id="secret")
    assert "secret" not in str(refused.value)
