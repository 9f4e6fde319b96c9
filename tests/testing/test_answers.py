"""What was expected against what was seen: nothing is said of what is accepted; each kind of difference has a name and a sentence."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.sandbox.records import Message
from pilotbot.sandbox.rows import message_row
from pilotbot.testing.answers import Answer, Difference, Expected, compare, describe, short
from pilotbot.testing.wording import literal

HI = Answer(mode="text", text="Hi Ana.")
MENU = Answer(mode="buttons", text="What now?", options=("Track", "Talk"))
ORDER = Answer(mode="template", text="Order 4242 left.", template="order_status", variables={"order_id": "4242", "status": "left"})
PHOTO = Answer(mode="media", media_kind="image", media_url="https://shop.example/shoe.png", caption="The left one")
ON_TOP = Answer(mode="buttons", text="Yours?", options=("Yes",), media_kind="image", header=None, footer="The shop")


def row(**fields: Any) -> dict[str, Any]:
    """A message of the bot as the sandbox shows it."""
    usual: dict[str, Any] = {
        "id": "msg_1",
        "number_id": "num",
        "contact": "+5511987650001",
        "status": "READ",
        "mode": "text",
        "type": "text",
    }
    return message_row(Message(seq=1, direction="out", chat_kind="contact", created_ms=0, **usual | fields), "Ana")


# --- what is seen ------------------------------------------------------------------------------------------------------------------


def test_a_text_is_read() -> None:
    read = Answer.read(row(text="Hi Ana."))
    assert read == replace(HI, id="msg_1", status="READ", created_at=datetime(1970, 1, 1, tzinfo=UTC))


def test_a_menu_is_read() -> None:
    read = Answer.read(
        row(
            mode="buttons",
            text="Yours?",
            header={"type": "text", "content": "Order"},
            footer="The shop",
            options=({"type": "reply", "label": "Yes"}, {"type": "url", "label": "Shop", "url": "https://shop.example"}),
        )
    )
    assert (read.mode, read.options, read.header, read.media_kind) == ("buttons", ("Yes", "Shop"), "Order", None)
    assert read.wording == "Order\n\nYours?\n\nThe shop"


def test_files_are_read_also_where_they_stand_above_a_text() -> None:
    direct = Answer.read(
        row(mode="media", type="image", media="https://shop.example/shoe.png", media_type="image/png", caption="The left one")
    )
    assert (direct.media_kind, direct.media_url, direct.caption, direct.wording) == (
        "image",
        PHOTO.media_url,
        "The left one",
        "The left one",
    )
    above = Answer.read(row(mode="buttons", text="Yours?", header={"type": "video", "content": "https://shop.example/a.mp4"}))
    assert (above.media_kind, above.media_url, above.header, above.wording) == ("video", "https://shop.example/a.mp4", None, "Yours?")


def test_a_template_is_read() -> None:
    read = Answer.read(row(mode="template", text="Order 4242 left.", template="order_status", variables={"order_id": 4242}))
    assert (read.mode, read.template, read.variables) == ("template", "order_status", {"order_id": "4242"})


# --- what is accepted --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (Expected(), HI),
        (Expected(), ORDER),
        (Expected(text="Hi *."), HI),
        (Expected(text="Hi Ana.", mode="text", options=(), media_kind=""), HI),
        (Expected(mode="free"), MENU),
        (Expected(options=("Track", "T*")), MENU),
        (Expected(template="order_status", variables={"order_id": "42*"}), ORDER),
        (Expected(text="The left *", media_kind="image"), PHOTO),
        (Expected(text="Yours?"), ON_TOP),
        (Expected(text="Yours?\n\nThe shop"), ON_TOP),
        (Expected(text="Bye.", alternatives=(Expected(text="Hi *"),)), HI),
    ],
)
def test_these_are_accepted(expected: Expected, answer: Answer) -> None:
    assert expected.accepts(answer)
    assert compare([expected], [answer]) == []


# --- what is not -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "answer", "differences"),
    [
        (Expected(text="Hi Bia."), HI, [("wording", "it goes on with “Ana.” where “Bia.” should stand")]),
        (Expected(text="Hi Ana. How are you?"), HI, [("wording", "it ends where “How are you?” should follow")]),
        (Expected(text="Hi"), HI, [("wording", "it should end before “Ana.”")]),
        (Expected(text="Hi *!"), HI, [("wording", "it goes on with “Ana.” where “!” should stand")]),
        (Expected(text="*Bia*"), HI, [("wording", "it goes on with “Hi Ana.” where “Bia” should stand")]),
        (Expected(text="The right one"), PHOTO, [("wording", "it goes on with “left one” where “right one” should stand")]),
        (Expected(options=()), MENU, [("options", "it has [Track] [Talk] beside what was expected")]),
        (Expected(options=("Track", "Talk", "Stop")), MENU, [("options", "it is missing [Stop]")]),
        (Expected(options=("Track", "Stop")), MENU, [("options", "it is missing [Stop] and has [Talk] beside what was expected")]),
        (Expected(options=("Talk", "Track")), MENU, [("options", "its options are in another order: [Track] [Talk]")]),
        (Expected(mode="buttons"), HI, [("mode", "it should go as buttons, but went as text")]),
        (Expected(mode="free"), ORDER, [("mode", "it should not go as a template, but went as the template order_status")]),
        (Expected(mode="text"), PHOTO, [("mode", "it should go as text, but went as image")]),
        (Expected(template="t"), ORDER, [("template", "it should go as the template t, but went as the template order_status")]),
        (Expected(template="follow_up", mode="template"), HI, [("template", "it should go as the template follow_up, but went as text")]),
        (Expected(variables={"status": "here", "who": "*"}), ORDER,
         [("variables", "its variable status should be “here”, but is “left”"), ("variables", "its variable who is not there")]),
        (Expected(media_kind=""), PHOTO, [("media", "no file should come with it, but an image came")]),
        (Expected(media_kind="video"), HI, [("media", "a video should come with it, but no file came")]),
        (Expected(media_kind="audio"), PHOTO, [("media", "an audio should come with it, but an image came")]),
        (Expected(text="Bye.", options=("A",), mode="list", media_kind="video"), HI,
         [("mode", "it should go as list, but went as text"), ("media", "a video should come with it, but no file came"),
          ("wording", "it goes on with “Hi Ana.” where “Bye.” should stand"), ("options", "it is missing [A]")]),
        # of the alternatives the one that is nearest is told of
        (Expected(text="Bye.", alternatives=(Expected(text="Hi B."),)), HI,
         [("wording", "it goes on with “Ana.” where “B.” should stand")]),
    ],
)  # fmt: skip
def test_each_difference_is_named(expected: Expected, answer: Answer, differences: list[tuple[str, str]]) -> None:
    assert [(each.kind, each.text) for each in compare([expected], [answer])] == differences
    assert {(each.expected, each.seen) for each in compare([expected], [answer])} == {(0, 0)}


def test_what_is_missing_and_what_is_too_much() -> None:
    hi, menu = Expected(text="Hi Ana."), Expected(text="What now?")
    assert compare([hi, menu], [MENU]) == [Difference("missing", "this answer did not come", 0, None)]
    assert compare([hi], [HI, MENU]) == [Difference("extra", "an answer that nothing expects: buttons “What now?” [Track] [Talk]", None, 1)]
    assert compare([menu], [HI, MENU]) == [Difference("extra", "an answer that nothing expects: text “Hi Ana.”", None, 0)]
    assert compare([], [PHOTO]) == [Difference("extra", "an answer that nothing expects: image “The left one”", None, 0)]
    assert compare([hi], []) == [Difference("missing", "this answer did not come", 0, None)]
    assert compare([], []) == []


def test_another_order() -> None:
    hi, menu, order = Expected(text="Hi *"), Expected(text="What now?"), Expected(template="order_status")
    assert compare([hi, menu, order], [MENU, ORDER, HI]) == [Difference("order", "these answers came in another order: 3, 1, 2", 0, 2)]


def test_a_wrong_one_beside_right_ones_is_compared_with_what_is_like_it() -> None:
    seen = [HI, replace(MENU, text="What then?"), ORDER]
    (found,) = compare([Expected(text="Hi Ana."), Expected(text="What now?"), Expected(template="order_status")], seen)
    assert (found.kind, found.expected, found.seen) == ("wording", 1, 1)
    left = compare([Expected(text="Hi Ana."), Expected(text="What now?"), Expected(template="order_status")], [seen[1], seen[2]])
    assert [(each.kind, each.expected, each.seen) for each in left] == [("missing", 0, None), ("wording", 1, 0)]


def test_an_answer_in_a_few_words() -> None:
    assert describe(ORDER) == "the template order_status “Order 4242 left.”"
    assert describe(Answer(mode="media")) == "media"
    assert short("a  b\nc") == "“a b c”"
    assert short("x" * 60) == f"“{'x' * 60}”"
    assert short("x" * 59 + " yz") == f"“{'x' * 59}…”"


# --- any of them -------------------------------------------------------------------------------------------------------------------

WORDS = st.text(alphabet="ab *\\\n", max_size=5)
NAMES = st.sampled_from(["a", "b"])
KINDS = st.sampled_from([None, "image", "document"])
ANSWERS = st.builds(
    Answer,
    mode=st.sampled_from(["text", "buttons", "template", "media"]),
    text=WORDS,
    options=st.lists(WORDS, max_size=2).map(tuple),
    template=st.none() | NAMES,
    variables=st.dictionaries(NAMES, WORDS, max_size=2),
    media_kind=KINDS,
    caption=st.none() | WORDS,
    footer=st.none() | WORDS,
)
SIMPLE = st.builds(
    Expected,
    text=st.none() | WORDS,
    mode=st.sampled_from([None, "free", "text", "template"]),
    options=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    template=st.none() | NAMES,
    variables=st.dictionaries(NAMES, WORDS, max_size=1),
    media_kind=KINDS | st.just(""),
)
EXPECTED = st.builds(lambda one, more: replace(one, alternatives=tuple(more)), SIMPLE, st.lists(SIMPLE, max_size=2))


def exactly(answer: Answer) -> Expected:
    """What only such an answer is."""
    return Expected(
        text=literal(answer.text or answer.caption or ""),
        mode=answer.mode,
        options=tuple(map(literal, answer.options)),
        template=answer.template,
        variables={name: literal(value) for name, value in answer.variables.items()},
        media_kind=answer.media_kind or "",
    )


@given(st.lists(ANSWERS, max_size=5))
def test_what_is_accepted_does_not_differ(answers: list[Answer]) -> None:
    assert compare([exactly(answer) for answer in answers], answers) == []


@given(st.lists(EXPECTED, max_size=4), st.lists(ANSWERS, max_size=4))
def test_nothing_is_said_only_of_what_is_accepted(expected: list[Expected], seen: list[Answer]) -> None:
    found = compare(expected, seen)
    accepted = len(expected) == len(seen) and all(wanted.accepts(answer) for wanted, answer in zip(expected, seen, strict=True))
    assert (found == []) == accepted
    missing = sum(each.kind == "missing" for each in found)
    extra = sum(each.kind == "extra" for each in found)
    assert len(expected) - missing == len(seen) - extra
    for each in found:
        assert each.text
        assert (each.expected is None) == (each.kind == "extra")
        assert (each.seen is None) == (each.kind == "missing")
        assert each.expected is None or each.expected < len(expected)
        assert each.seen is None or each.seen < len(seen)


@given(st.lists(st.tuples(EXPECTED, ANSWERS, st.booleans()), max_size=4), st.data())
def test_another_order_is_told_where_there_is_one_that_fits(triples: list[tuple[Expected, Answer, bool]], data: st.DataObject) -> None:
    expected = [exactly(answer) if right else wanted for wanted, answer, right in triples]
    seen = data.draw(st.permutations([answer for _, answer, _ in triples]))
    fits = [
        order for order in permutations(range(len(seen))) if all(each.accepts(seen[at]) for each, at in zip(expected, order, strict=True))
    ]
    kinds = [each.kind for each in compare(expected, seen)]
    assert (kinds == ["order"]) == (bool(fits) and tuple(range(len(seen))) not in fits)


@given(st.lists(ANSWERS, min_size=1, max_size=6), st.data())
def test_what_is_left_out_or_put_in_is_found(answers: list[Answer], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(answers) - 1))
    expected = [exactly(answer) for answer in answers]
    without = answers[:at] + answers[at + 1 :]
    assert [each.kind for each in compare(expected, without)] == ["missing"]
    assert [each.kind for each in compare(expected[:at] + expected[at + 1 :], answers)] == ["extra"]


def test_many_answers_of_which_each_may_be_any() -> None:
    expected = [Expected(text="*")] * 120 + [Expected(text="x*")]
    assert compare(expected, [HI] * 120 + [MENU])[-1].kind == "wording"
    assert compare(expected, [replace(HI, text="x")] + [HI] * 120)[0].kind == "order"
