"""Addresses and the one key of a person (design 3.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts import address, canonical, is_phone, masked, sendable, spellings
from pilotbot.platform import SendRequest

ANA = "+5511987650001"


@pytest.mark.parametrize("raw", [ANA, "5511987650001", "+55 (11) 98765-0001", "5511987650001@s.whatsapp.net"])
def test_a_phone_number_is_sent_to_as_digits_with_a_plus(raw: str) -> None:
    assert address(raw) == ANA


@pytest.mark.parametrize("raw", ["BR.1234567890", "BR.ENT.12ab", "120363000000000001@g.us", "5511987650001-1600000000@g.us",
                                 "120363000000000099@newsletter"])  # fmt: skip
def test_other_ids_are_kept(raw: str) -> None:
    assert address(raw) == raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [("", "empty"), ("  ", "empty"), ("abc", "not an address"), ("+12", r"not a phone number \(2 digits\)"), ("123456", "7 to 15 digits"),
     ("+" + "1" * 16, "7 to 15 digits"), ("+0511987650001", "country code"), ("br.1", "not an address"), ("x@g.us", "not an address"),
     ("+5511987650001\n+55", "not a phone number"), ("status@broadcast", "empty"),
     ("98765432101234@lid", "a LID only tells"), ("98765432101234:7@lid", "a LID only tells"), ("BR.1.2.3.4", "not an address"),
     ("BR." + "1" * 129, "not an address"), ("+55{11}", "not a phone number")],
)  # fmt: skip
def test_garbage_is_refused_with_the_reason(raw: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        address(raw)


FORMS = r"\+[0-9]{5,17}|[A-Z]{2}(\.[a-z0-9]{0,3}){0,4}|[0-9]{1,45}(-[0-9]{1,25})?@(g\.us|newsletter|lid)\n?"
ADDRESSES = st.from_regex(FORMS, fullmatch=True)


@given(ADDRESSES | st.text(max_size=20))
def test_what_can_be_sent_to_is_what_a_request_takes(one: str) -> None:
    assert sendable(one) == any(_takes(name, one) for name in ("destination_number", "group_id", "newsletter_id"))
    try:
        assert sendable(address(one))
    except ValueError:
        assert not sendable(one)


def _takes(name: str, one: str) -> bool:
    try:
        SendRequest.model_validate({name: one, "text": "Hi"})
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("raw", ["+551198765000112345", "5511987650001x"])
def test_a_refusal_does_not_tell_the_number(raw: str) -> None:
    with pytest.raises(ValueError, match="not a") as refusal:
        address(raw)
    assert "98765" not in str(refusal.value)


@pytest.mark.parametrize(
    ("one", "key"),
    [(ANA, "+551187650001"), ("+551187650001", "+551187650001"), ("+5511967650001", "+551167650001"),
     ("+5491123456789", "+541123456789"), ("+541123456789", "+541123456789"),
     ("+5215512345678", "+525512345678"), ("+525512345678", "+525512345678")],
)  # fmt: skip
def test_the_spellings_of_one_person_have_one_key(one: str, key: str) -> None:
    assert canonical(one) == key


@pytest.mark.parametrize(
    "other",
    ["+551140028922",  # a landline
     "+5511940028922",  # a ninth digit before what no mobile begins with
     "+5501987650001", "+5510987650001",  # no such area
     "+55119876500012",  # a digit too many
     "+5411234567890", "+54911234567890", "+521551234567", "+14155550100", "+351912345678", "BR.5511987650001", "5511987650001",
     "120363000000000001@g.us", "", "+", "é"],
)  # fmt: skip
def test_nothing_else_is_touched(other: str) -> None:
    assert canonical(other) == other


PHONES = st.from_regex(r"\+(55|549|54|521|52|1|351)[0-9]{6,12}", fullmatch=True).filter(is_phone)


@given(PHONES | st.text())
def test_the_key_is_idempotent(one: str) -> None:
    assert canonical(canonical(one)) == canonical(one)


@given(PHONES, PHONES)
def test_two_people_never_share_a_key(one: str, other: str) -> None:
    same = canonical(one) == canonical(other)
    assert same == (one == other or one in _spellings(other) or other in _spellings(one))


@given(st.integers(11, 99).filter(lambda area: area % 10), st.integers(60_000_000, 99_999_999))
def test_a_brazilian_mobile_has_one_key_with_and_without_the_ninth_digit(area: int, number: int) -> None:
    assert canonical(f"+55{area}9{number}") == canonical(f"+55{area}{number}") == f"+55{area}{number}"


def _spellings(phone: str) -> set[str]:
    """The other way to write a number, put in by hand: a digit more after the country code or the area."""
    if phone.startswith("+55"):
        national = phone[3:]
        mobile = len(national) == 10 and "0" not in national[:2] and national[2] in "6789"
        return {f"+55{national[:2]}9{national[2:]}"} if mobile else set()
    if phone.startswith("+54") and len(phone) == 13:
        return {f"+549{phone[3:]}"}
    if phone.startswith("+52") and len(phone) == 13:
        return {f"+521{phone[3:]}"}
    return set()


@pytest.mark.parametrize(
    ("one", "phone"), [(ANA, True), ("+551140028922", True), ("5511987650001", False), ("+12", False), ("+٥٥١١٩٨٧٦٥", False), ("", False)]
)
def test_is_phone(one: str, phone: bool) -> None:
    assert is_phone(one) is phone


@pytest.mark.parametrize(
    ("one", "shown"),
    [(ANA, "+55***01"), ("BR.1234567890", "BR.***90"), ("120363000000000001@g.us", "120***01@g.us"), ("+5511", "***"), ("", "***")],
)
def test_logs_show_no_number(one: str, shown: str) -> None:
    assert masked(one) == shown


@given(st.text())
def test_five_characters_at_most_are_shown(one: str) -> None:
    name = one.partition("@")[0]
    assert name not in masked(one) or len(name) < 5


@pytest.mark.parametrize(
    "landline",
    ["+551140028922", "+552122334455", "+557133445566",  # Brazil: eight digits that begin with 2 to 5
     "+541143211234", "+525555551234"],
)  # fmt: skip
def test_a_landline_is_written_to_and_known_as_it_is(landline: str) -> None:
    assert address(landline) == canonical(landline) == landline


@given(st.integers(11, 99).filter(lambda area: area % 10), st.integers(20_000_000, 59_999_999))
def test_no_brazilian_landline_gets_or_loses_a_digit(area: int, number: int) -> None:
    landline = f"+55{area}{number}"
    assert address(landline) == canonical(landline) == landline
    assert spellings(landline) == {landline}
    assert canonical(f"+55{area}9{number}") != landline


@given(PHONES | st.from_regex(r"[A-Z]{2}\.[0-9]{5,20}", fullmatch=True))
def test_the_spellings_of_somebody_are_those_that_have_their_key(one: str) -> None:
    assert one in spellings(one)
    assert {canonical(other) for other in spellings(one)} == {canonical(one)}


def test_spellings() -> None:
    assert spellings(ANA) == spellings("+551187650001") == {ANA, "+551187650001"}
    assert spellings("+5491123456789") == {"+5491123456789", "+541123456789"}
    assert spellings("BR.42") == {"BR.42"}
