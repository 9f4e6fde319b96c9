"""Names in Redis: keyed, spread, and stable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.engine import ChatKey, Keyring


def test_a_key_never_holds_the_number() -> None:
    place = Keyring(b"pepper", 8).chat("main", "+551187650001")
    assert "87650001" not in str(place)
    assert place != Keyring(b"another", 8).chat("main", "+551187650001")


def test_two_numbers_keep_two_chats_with_one_contact() -> None:
    keys = Keyring(b"pepper", 8)
    assert keys.chat("main", "+551187650001") != keys.chat("sales", "+551187650001")


@given(st.text(), st.integers(1, 64))
def test_every_key_lies_in_a_shard_and_is_read_back(contact: str, shards: int) -> None:
    place = Keyring(b"pepper", shards).chat("main", contact)
    assert 0 <= place.shard < shards
    assert ChatKey.parse(str(place)) == place


def test_chats_are_spread() -> None:
    keys = Keyring(b"pepper", 8)
    found = {keys.chat("main", f"+55118765{n:04}").shard for n in range(200)}
    assert found == set(range(8))


@pytest.mark.parametrize("text", ["", "abc", "1", "/x"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|invalid literal"):
        ChatKey.parse(text)
