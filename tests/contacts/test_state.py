"""The typed state of a chat: its document, its lifetime, its versions."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts import State, StateError, changed, dump, load
from pilotbot.durations import days

NOW = 1_795_190_401_000
SECRET = "my address is Rua Augusta 1"


class Cart(State, ttl=days(7), name="test_state_cart"):
    items: list[str] = []
    total: Decimal = Decimal(0)


class Note(State):
    text: str = ""


def test_a_chat_without_state_starts_from_the_defaults() -> None:
    assert load(Cart, None, NOW) == Cart()


def test_the_document() -> None:
    document = dump(Cart(items=["tea"]), NOW)
    assert json.loads(document) == {"v": 1, "x": NOW + 7 * 86_400_000, "d": {"items": ["tea"], "total": "0"}}
    assert json.loads(dump(Note(), NOW))["x"] is None
    assert load(Cart, document, NOW) == Cart(items=["tea"])


def test_defaults_are_not_shared() -> None:
    Cart().items.append("tea")
    load(Cart, None, NOW).items.append("tea")
    assert Cart().items == []


@pytest.mark.parametrize(("later", "items"), [(7 * 86_400_000 - 1, ["tea"]), (7 * 86_400_000, [])])
def test_it_is_forgotten_at_the_end_of_its_lifetime(later: int, items: list[str]) -> None:
    assert load(Cart, dump(Cart(items=["tea"]), NOW), NOW + later).items == items


def test_without_a_lifetime_it_stays() -> None:
    assert load(Note, dump(Note(text="x"), NOW), NOW * 2).text == "x"


class Colour(Enum):
    RED = "red"


class Inner(pydantic.BaseModel):
    at: datetime = datetime(2026, 11, 20, tzinfo=UTC)


class Everything(State):
    model_config = pydantic.ConfigDict(strict=True)

    a: dict[str, set[int]] = {}
    b: tuple[int, ...] = ()
    c: float = 0.0
    d: bytes = b""
    e: timedelta = timedelta()
    f: Colour | None = None
    g: UUID | None = None
    h: Inner = Inner()
    i: int = pydantic.Field(default=0, alias="anotherName")


@given(
    st.dictionaries(st.text(), st.sets(st.integers())),
    st.floats(allow_nan=False, allow_infinity=False),
    st.binary(),
    st.timedeltas(timedelta(0), timedelta(days=999)),
    st.integers(),
)
def test_what_is_stored_comes_back(a: dict[str, set[int]], c: float, d: bytes, e: timedelta, i: int) -> None:
    state = Everything(a=a, b=(i,), c=c, d=d, e=e, f=Colour.RED, g=UUID(int=7), anotherName=i)
    document = dump(state, NOW)
    assert load(Everything, document, NOW) == state
    assert not changed(state, document, NOW)


def test_infinity_is_stored_as_json_and_comes_back() -> None:
    class Limit(State):
        most: float = 0.0

    document = dump(Limit(most=float("inf")), NOW)
    assert json.loads(document)["d"] == {"most": "Infinity"}
    assert load(Limit, document, NOW).most == float("inf")


class TestChanged:
    """Only what differs is stored again."""

    def test_a_new_chat(self) -> None:
        assert not changed(Cart(), None, NOW)
        assert changed(Cart(items=["tea"]), None, NOW)

    def test_a_change_inside_a_list_is_seen(self) -> None:
        document = dump(Cart(items=["tea"]), NOW)
        cart = load(Cart, document, NOW)
        assert not changed(cart, document, NOW)
        cart.items.append("milk")
        assert changed(cart, document, NOW)

    def test_the_document_may_be_written_differently(self) -> None:
        assert not changed(Cart(), b'{"d": {"total": "0", "items": []}, "x": null, "v": 1}', NOW)

    def test_what_was_forgotten_is_not_what_is_stored(self) -> None:
        document = dump(Cart(items=["tea"]), NOW)
        assert changed(Cart(items=["tea"]), document, NOW + 8 * 86_400_000)

    def test_a_default_made_anew_each_time_is_stored_the_first_time(self) -> None:
        class Visit(State, name="test_state_visit"):
            id: UUID = pydantic.Field(default_factory=uuid4)

        visit = load(Visit, None, NOW)
        assert changed(visit, None, NOW)
        assert not changed(visit, dump(visit, NOW), NOW)


class Renamed(State, version=2):
    lines: list[str] = []

    @classmethod
    def migrate(cls, version: int, data: dict[str, Any]) -> dict[str, Any]:
        assert version == 1
        return {"lines": data["items"]}


class Unmoved(State, version=2):
    lines: list[str] = []


class TestVersions:
    """A deploy changes the fields while chats go on."""

    OLD = dump(Cart(items=["tea"]), NOW)

    def test_an_older_version_is_migrated_and_stored_again(self) -> None:
        state = load(Renamed, self.OLD, NOW)
        assert state.lines == ["tea"]
        assert changed(state, self.OLD, NOW)
        assert json.loads(dump(state, NOW))["v"] == 2

    def test_without_a_migration_it_is_refused_rather_than_lost(self) -> None:
        with pytest.raises(
            StateError, match=r"Unmoved: data of version 1 does not fit version 2 \(items: extra_forbidden.*Write Unmoved\.migrate"
        ):
            load(Unmoved, self.OLD, NOW)

    def test_an_older_version_that_fits_needs_no_migration(self) -> None:
        document = b'{"v":1,"x":null,"d":{"lines":["tea"]}}'
        state = load(Unmoved, document, NOW)
        assert state.lines == ["tea"]
        assert changed(state, document, NOW)

    def test_a_newer_version_is_refused(self) -> None:
        with pytest.raises(StateError, match="Note: stored by version 2, but this code has version 1"):
            load(Note, b'{"v":2,"x":null,"d":{}}', NOW)

    def test_a_newer_version_that_has_expired_is_gone(self) -> None:
        assert load(Note, b'{"v":2,"x":1,"d":{}}', NOW) == Note()

    def test_a_field_that_was_dropped_without_a_new_version_is_ignored(self) -> None:
        assert load(Note, b'{"v":1,"x":null,"d":{"text":"x","gone":1}}', NOW) == Note(text="x")


class TestRefusals:
    """Errors name the class and the remedy, and hold nothing that the contact wrote."""

    @pytest.mark.parametrize("raw", [b"", b"x", b"[]", b"{}", b'{"v":"1","x":null,"d":{}}', b'{"v":1,"d":{}}', b'{"v":1,"x":null,"d":[]}',
                                     b'{"v":1,"x":"y","d":{}}', b"\xff", b"[" * 100_000])  # fmt: skip
    def test_what_is_no_document(self, raw: bytes) -> None:
        with pytest.raises(StateError, match="Note: what is stored under 'note' is not a state"):
            load(Note, raw, NOW)

    def test_data_that_does_not_fit(self) -> None:
        with pytest.raises(StateError, match=r"Cart: stored data does not fit the class \(items: list_type\).*migrate") as refusal:
            load(Cart, json.dumps({"v": 1, "x": None, "d": {"items": SECRET}}).encode(), NOW)
        assert SECRET not in str(refusal.value)
        assert refusal.value.__context__ is None

    def test_a_value_of_the_wrong_type_is_not_stored(self) -> None:
        cart = Cart()
        cart.items.append({SECRET: 1})  # type: ignore[arg-type]  # the mistake under test
        with pytest.raises(StateError, match="Cart: a field holds a value") as refusal:
            dump(cart, NOW)
        assert SECRET not in str(refusal.value)
        assert refusal.value.__context__ is None

    def test_assignment_is_checked_and_the_value_not_shown(self) -> None:
        with pytest.raises(pydantic.ValidationError) as refusal:
            Cart().items = SECRET  # type: ignore[assignment]  # the mistake under test
        assert SECRET not in str(refusal.value)

    @given(st.binary())
    def test_no_bytes_crash_it_otherwise(self, raw: bytes) -> None:
        with pytest.raises(StateError):
            load(Note, raw, NOW)


class TestClasses:
    """Local mistakes are refused where the class is written."""

    def test_the_name_comes_from_the_class(self) -> None:
        class HTTPCartOfAna(State):
            pass

        class Other(State, name="another_name"):
            pass

        assert (HTTPCartOfAna.state_name, Other.state_name, Cart.state_ttl, Renamed.state_version) == (
            "http_cart_of_ana",
            "another_name",
            days(7),
            2,
        )

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [({"ttl": timedelta(0)}, "ttl"), ({"version": 0}, "version"), ({"name": "a b"}, "name="), ({"name": ""}, "name=")],
    )
    def test_arguments_that_make_no_sense(self, arguments: dict[str, Any], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            type("Bad", (State,), {}, **arguments)

    def test_a_field_without_a_default(self) -> None:
        with pytest.raises(TypeError, match="Bad: a new chat starts from the defaults; give one to text"):

            class Bad(State):
                text: str

    def test_two_classes_of_one_name_are_refused_with_both_places_and_the_remedy(self) -> None:
        with pytest.raises(TypeError, match=r"two states are stored as 'test_state_cart'.*class Basket\(State, name=") as refused:
            type("Basket", (State,), {"__module__": "somewhere.other", "__annotations__": {}}, name="test_state_cart")
        assert "test_state.py:" in str(refused.value)
        assert "somewhere.other.Basket" in str(refused.value)

    def test_a_class_that_was_refused_takes_no_name(self) -> None:
        with pytest.raises(TypeError, match="give one to items"):

            class Wrong(State, name="test_state_free"):
                items: list[str]

        class Right(State, name="test_state_free"):
            items: list[str] = []

        assert Right.state_name == "test_state_free"

    def test_the_same_class_defined_again_replaces_itself(self) -> None:
        def define() -> type[State]:
            class Reloaded(State, name="test_state_reloaded"):
                n: int = 0

            return Reloaded

        assert define() is not define()

    def test_fields_may_have_the_names_of_the_arguments(self) -> None:
        class Form(State, ttl=days(1), version=3, name="form"):
            ttl: int = 1
            version: str = "a"
            name: str = ""

        assert load(Form, dump(Form(name="Ana"), NOW), NOW) == Form(name="Ana")
