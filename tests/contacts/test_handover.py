"""Who has a chat, by which words, for how long; and whose an echo is."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbot.contacts import UNASKED, Asked, Handover, Human, human_of, judged, span
from pilotbot.contacts.handover import AGAIN, NOTE_MOST, PATIENCE, QUEUE_MOST
from pilotbot.durations import days, hours

HUMAN = Human(queue="sales", note="wants 40", since=1_000, until=2_000, by="phone")


class TestHuman:
    @given(
        st.text(max_size=QUEUE_MOST).filter(str.isprintable),
        st.text(max_size=NOTE_MOST, alphabet=st.characters(exclude_categories=["Cs"])),
        st.integers(0, 2**52),
    )  # fmt: skip
    def test_it_is_read_as_it_was_stored(self, queue: str, note: str, until: int) -> None:
        human = Human(queue=queue, note=note, since=0, until=until, by="word")
        assert Human.load(human.dump()) == human

    @pytest.mark.parametrize(("now", "has"), [(1_999, True), (2_000, False)])
    def test_it_ends_when_it_is_over(self, now: int, has: bool) -> None:
        assert (human_of({"human": HUMAN.dump()}, now) is not None) is has
        assert human_of({}, now) is None

    @pytest.mark.parametrize("wrong", [{"queue": "x" * 61}, {"queue": "a\nb"}, {"note": "x" * 1_001}])
    def test_what_is_too_long_is_refused(self, wrong: dict[str, str]) -> None:
        with pytest.raises(ValueError, match=r"queue|note"):
            replace(HUMAN, **wrong)  # type: ignore[arg-type]

    def test_its_repr_shows_no_note(self) -> None:
        assert "wants 40" not in repr(HUMAN)


class TestHandover:
    @pytest.mark.parametrize("text", ["Falar com uma pessoa!", "HUMAN", "talk to a person.", "Quero falar com uma pessoa", "atendente"])
    def test_whole_messages_ask_for_a_person(self, text: str) -> None:
        assert Handover().asks_for_person(text)
        assert not Handover().asks_for_person(f"{text} about my order")
        assert not UNASKED.asks_for_person(text)

    def test_and_for_the_bot(self) -> None:
        assert Handover().asks_for_bot("Voltar ao robo")
        assert not Handover().asks_for_bot("voltar")
        assert not UNASKED.asks_for_bot("")

    def test_a_long_message_is_no_word(self) -> None:
        assert not Handover().asks_for_person("human" + " " * 200)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"words": "human"}, {"words": ("!",)}, {"words": (1,)}, {"back_words": ("",)}, {"words": ("bot",), "back_words": ("Bot!",)},
            {"back_after": days(31)}, {"back_after": timedelta(0)}, {"queue": "x" * 61},
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"word|span|day|queue|for the bot"):
            Handover(**wrong)  # type: ignore[arg-type]

    def test_a_span_is_a_span(self) -> None:
        assert span(hours(12)) == 12 * 3_600_000
        with pytest.raises(TypeError, match=r"hours\(12\)"):
            span(12)  # type: ignore[arg-type]


class TestEchoes:
    ASKED = (None, Asked(), Asked(failed=True), Asked(known=True), Asked(origin="APP"), Asked(origin="API"), Asked(origin="SOMETHING_NEW"))

    @pytest.mark.parametrize(("under_way", "asked", "waited"), list(product((True, False), ASKED, (0, PATIENCE))))
    def test_what_has_a_record_is_ours(self, under_way: bool, asked: Asked | None, waited: int) -> None:
        assert judged(known=True, under_way=under_way, asked=asked, waited=waited) == "ours"

    @pytest.mark.parametrize("asked", ASKED)
    def test_while_a_post_is_under_way_nobody_knows(self, asked: Asked | None) -> None:
        assert judged(known=False, under_way=True, asked=asked, waited=0) == "later"
        assert judged(known=False, under_way=True, asked=asked, waited=PATIENCE) != "later"

    @pytest.mark.parametrize(
        ("asked", "verdict"), list(zip(ASKED, ("ask", "later", "later", "ours", "person", "ours", "ours"), strict=True))
    )
    def test_else_the_platform_knows(self, asked: Asked | None, verdict: str) -> None:
        assert judged(known=False, under_way=False, asked=asked, waited=0) == verdict

    @pytest.mark.parametrize(
        ("unreported", "waited", "verdict"),
        [(False, AGAIN - 1, "later"), (False, AGAIN, "person"), (True, PATIENCE - 1, "later"), (True, PATIENCE, "person")],
    )
    def test_what_it_does_not_know_may_be_ours_by_an_id_that_nobody_knows_yet(self, unreported: bool, waited: int, verdict: str) -> None:
        assert judged(known=False, under_way=False, asked=Asked(), waited=waited, unreported=unreported) == verdict
        assert judged(known=False, under_way=False, asked=Asked(origin="APP"), waited=0, unreported=unreported) == "person"

    @pytest.mark.parametrize(("talking", "verdict"), [(True, "person"), (False, "ours")])
    def test_a_campaign_of_the_dashboard_is_no_person(self, talking: bool, verdict: str) -> None:
        assert judged(known=False, under_way=False, asked=Asked(origin="DASHBOARD"), waited=0, talking=talking) == verdict

    def test_what_cannot_be_learned_is_taken_for_a_persons_in_the_end(self) -> None:
        assert judged(known=False, under_way=False, asked=Asked(failed=True), waited=PATIENCE) == "person"
