"""The ready-made filters, one by one."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.events.models import Call, Event, Group, Media, Number, Received, Status
from pilotbot.replies import Action, fold
from pilotbot.routing import (
    Filter,
    Match,
    Miss,
    change_is,
    custom,
    exactly,
    has_media,
    has_text,
    mentions_me,
    pattern,
    status_is,
    tagged,
    words,
)


@dataclass
class Ctx:
    text: str
    event: Event
    action: Action | None = None
    our_phone: str | None = "+551140028922"
    tags: frozenset[str] = frozenset()
    bot_name: str = "Loja São João"
    old: bool = False


def saying(text: str, kind: str | None = None) -> Ctx:
    file = Media(kind) if kind else None
    return Ctx(text, Received(name="message.received", id="1", sender="+5511987650001", text=text, media=file))


def check(condition: Filter, turn: Ctx) -> Match | Miss:
    return asyncio.run(condition.check(turn))


def holds(condition: Filter, turn: Ctx | str) -> bool:
    return isinstance(check(condition, saying(turn) if isinstance(turn, str) else turn), Match)


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("não", "nao", True),
        ("nao", "NÃO!", True),
        ("Não", "na\u0303o", True),  # the accent as a character of its own
        ("pedido", "meu pedido?", True),
        ("pedido", "pedidos", False),
        ("pedido", "o-pedido,", True),
        ("segunda via", "quero a  Segunda-Via do boleto", True),
        ("segunda via", "via segunda", False),
        ("order", "", False),
        ("ação", "AÇÃO", True),
        ("straße", "STRASSE", True),
    ],
)
def test_words_match_whole_words_whatever_case_accents_and_punctuation(word: str, text: str, expected: bool) -> None:
    assert holds(words(word), text) is expected


WORD = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=8).filter(lambda word: bool(fold(word)))


@given(st.lists(WORD, max_size=4), WORD, st.lists(WORD, max_size=4), st.sampled_from([" ", ", ", "! ", " - ", "\n"]))
def test_words_find_a_word_among_any_others(before: list[str], word: str, after: list[str], gap: str) -> None:
    assert holds(words(word), gap.join([*before, word, *after]))


@given(st.lists(WORD, max_size=6), WORD)
def test_words_never_match_a_part_of_a_word(others: list[str], word: str) -> None:
    folded = [fold(other) for other in others]
    assert holds(words(word), " ".join(others)) == (f" {fold(word)} " in f" {' '.join(folded)} ")
    assert not holds(words(word), fold(word) + "x")


@given(st.text(max_size=50))
def test_no_text_breaks_a_filter_or_comes_out_in_a_reason(text: str) -> None:
    secret = f"zq{text}zq"
    for condition in (words("order"), exactly("order"), pattern("order"), has_media(), mentions_me(), status_is("failed")):
        found = check(condition, saying(secret))
        assert isinstance(found, Miss)
        assert secret not in found.reason


def test_words_reason_names_the_filter() -> None:
    assert check(words("order", 'a "b"'), saying("x")) == Miss(r'words("order", "a \"b\""): not in the text')


@pytest.mark.parametrize("bad", [(), ("",), ("  ",), ("?!",)])
def test_words_without_letters_are_refused(bad: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="words"):
        words(*bad)


def test_exactly_is_the_whole_text() -> None:
    assert holds(exactly("Sim", "yes"), " SIM! ")
    assert not holds(exactly("sim"), "sim senhor")
    assert holds(exactly("?"), " ? ")
    assert not holds(exactly("?"), "!")
    assert holds(exactly("👍"), "👍")
    assert not holds(exactly("a"), "a" + " " * 5000 + "b")


def test_pattern_captures_named_groups_that_took_part() -> None:
    order = pattern(r"#(?P<number>\d+)(?: (?P<note>\w+))?")
    assert check(order, saying("it is #42")) == Match({"number": "42"})
    assert check(order, saying("#42 blue")) == Match({"number": "42", "note": "blue"})
    assert order.names == {"number", "note"}
    assert holds(pattern("abc"), "xABCx")
    assert not holds(pattern("abc", ignore_case=False), "xABCx")


def test_pattern_sees_no_more_than_the_cap() -> None:
    assert holds(pattern("b"), "a" * 4095 + "b")
    assert not holds(pattern("b"), "a" * 4096 + "b")


def test_a_bad_expression_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"pattern\('\(x'\) is not a regular expression"):
        pattern("(x")


def test_media_by_kind_and_any() -> None:
    assert holds(has_media(), saying("", "image"))
    assert holds(has_media("image", "video"), saying("", "video"))
    assert check(has_media("image"), saying("", "audio")) == Miss('has_media("image"): the media is of another kind')
    assert check(has_media("image"), saying("")) == Miss('has_media("image"): there is no media')
    with pytest.raises(ValueError, match=r"has_media\('gif'\): the kinds are"):
        has_media("gif")


def test_has_text() -> None:
    assert holds(has_text(), "a")
    assert not holds(has_text(), " \n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@551140028922 oi", True),
        ("oi @+551140028922!", True),
        ("@5511400289221", False),
        ("551140028922", False),
        ("@5511987650002", False),
        ("fala, loja sao joao", True),
        ("loja são joãozinho", False),
        ("", False),
    ],
)
def test_mentions_me_by_number_or_name(text: str, expected: bool) -> None:
    event = Group(name="message.group", id="1", sender="+5511987650001", group_id="120363000000000001@g.us", text=text)
    assert holds(mentions_me(), Ctx(text, event)) is expected


def test_a_mention_without_the_ninth_digit_is_still_ours() -> None:
    assert holds(mentions_me(), Ctx("@551187650001", saying("").event, our_phone="+5511987650001"))


def test_a_longer_number_that_begins_like_ours_is_another() -> None:
    ours = "+" + "5" * 15
    assert holds(mentions_me(), Ctx("@" + "5" * 15, saying("").event, our_phone=ours))
    assert not holds(mentions_me(), Ctx("@" + "5" * 16, saying("").event, our_phone=ours))


def test_an_unknown_number_and_an_empty_name_are_never_mentioned() -> None:
    assert not holds(mentions_me(), Ctx("", saying("").event, our_phone=None, bot_name=""))
    assert not holds(mentions_me(), Ctx("@551140028922", saying("").event, our_phone=None, bot_name=""))


def test_status_and_change() -> None:
    failed = Ctx("", Status(name="message.failed", id="1", status="failed", to="+5511987650001"))
    assert holds(status_is("failed", "read"), failed)
    assert not holds(status_is("sent"), failed)
    assert holds(change_is("connected"), Ctx("", Number(name="number.connected", id="1", change="connected")))
    assert holds(change_is("ended"), Ctx("", Call(name="call.ended", id="1", change="ended")))
    assert not holds(change_is("ended"), Ctx("", Call(name="call.ringing", id="1", change="ringing")))
    assert not holds(change_is("failed"), failed)
    with pytest.raises(ValueError, match="the statuses are"):
        status_is("lost")
    with pytest.raises(ValueError, match="what follows the dot"):
        change_is("number.connected")


def test_custom_takes_sync_and_async_functions() -> None:
    async def long(turn: Ctx) -> bool:
        return len(turn.text) > 3

    assert holds(custom(long), "hello")
    assert check(custom(long), saying("hi")) == Miss("custom(long) said no")
    assert check(custom(lambda turn: turn.text == "a", "is_a"), saying("b")) == Miss("custom(is_a) said no")


def test_custom_must_answer_with_a_bool() -> None:
    with pytest.raises(TypeError, match="answered a str: return True or False"):
        holds(custom(lambda turn: turn.text, "sloppy"), "x")
    with pytest.raises(TypeError, match="needs a function"):
        custom("x")  # type: ignore[arg-type]  # the mistake under test


def test_tagged() -> None:
    vip = Ctx("", saying("").event, tags=frozenset({"vip"}))
    assert holds(tagged("vip"), vip)
    assert holds(tagged("gold", "vip"), vip)
    assert not holds(tagged("gold"), vip)
    assert repr(tagged("gold", "vip")) == 'tagged("gold", "vip")'
    with pytest.raises(ValueError, match="at least one"):
        tagged()
