"""Outbox items: stored and read back, the same bytes under the same key."""

from hypothesis import given
from hypothesis import strategies as st

from pilotbot.engine import Item, Notice, Place, derived_id
from pilotbot.engine.keys import ChatKey

items = st.builds(
    Item,
    id=st.text("abcdef0123456789", min_size=1, max_size=32),
    free=st.binary(),
    template=st.binary(),
    menu=st.binary(),
    enforced=st.booleans(),
    closed=st.sampled_from(["defer", "skip", "fail"]),
    again=st.booleans(),
    group=st.text("abcdef0123456789", max_size=32),
    rest=st.booleans(),
    business=st.booleans(),
    generation=st.none() | st.integers(0, 2**31),
    follow_up=st.booleans(),
    unshown=st.booleans(),
    leads=st.booleans(),
    deliver_at=st.none() | st.integers(1, 2**43),
    expires=st.none() | st.integers(1, 2**43),
    purpose=st.sampled_from(["utility", "marketing", "authentication"]),
    opt_in=st.booleans(),
    quiet=st.none() | st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
    cap=st.none() | st.tuples(st.integers(1, 50), st.integers(1, 2**33)),
)


@given(items)
def test_an_item_is_read_back_as_it_was(item: Item) -> None:
    assert Item.unpack(item.pack()) == item


@given(items)
def test_a_notice_is_read_back_as_it_was(item: Item) -> None:
    notice = Notice(place=Place(key=ChatKey(3, "ab"), number="main", kind="group", address="1@g.us"), items=(item,))
    assert Notice.unpack(notice.pack()) == notice


def test_each_variant_has_a_key_of_its_own_that_stays() -> None:
    item = Item(id="one", free=b"a", template=b"b")
    assert item.key("free") == Item(id="one", free=b"a", template=b"b").key("free")
    assert len({item.key("free"), item.key("template"), item.decided_again().key("free"), item.decided_again().key("template")}) == 4


def test_what_is_decided_again_is_the_same_content_and_marked() -> None:
    item = Item(id="one", free=b"a", template=b"b", menu=b"c", enforced=True)
    again = item.decided_again()
    assert (again.free, again.template, again.menu, again.enforced) == (b"a", b"b", b"c", True)
    assert again.again
    assert again.id != item.id


def test_derived_ids_do_not_run_into_each_other() -> None:
    assert derived_id("a", "bc") != derived_id("ab", "c")
    assert derived_id("a", 1) == derived_id("a", 1)
