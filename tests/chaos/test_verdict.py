"""The verdict sees each kind of violation, and nothing where there is none."""

import pytest

from tests.bots.ledger import chained
from tests.chaos.verdict import Findings, Row, States, judge

pytestmark = pytest.mark.chaos

ANA = "+5511987650001"
SAID = ("a", "b")
TOLD = ("1.1: a", "1.2: a", "2.1: b", "2.2: b")
RIGHT = {ANA: (2, chained(chained("", "a"), "b"))}


def found(*told: str, states: States = RIGHT, said: tuple[str, ...] = SAID, refused: tuple[Row, ...] = ()) -> Findings:
    rows = [{"direction": "in", "contact": ANA, "text": text} for text in said]
    return judge(rows + [{"direction": "out", "contact": ANA, "text": text} for text in told], states, refused)


def test_what_is_right_is_clean() -> None:
    assert found(*TOLD).kinds() == set()
    assert found(said=(), states={}).kinds() == set()


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        (TOLD[:3], {"lost"}),
        (TOLD[:1] + TOLD[2:], {"lost"}),
        ((*TOLD, "2.2: b"), {"doubled"}),
        ((*TOLD, "3.1: c"), {"doubled", "wrong"}),
        (("1.2: a", "1.1: a", "2.1: b", "2.2: b"), {"disordered"}),
        (("2.1: b", "2.2: b", "1.1: a", "1.2: a"), {"disordered"}),
        (("1.1: a", "2.1: b", "1.2: a", "2.2: b"), {"disordered"}),
        (("1.1: a", "1.2: a", "1.1: b", "1.2: b"), {"wrong"}),
        (("2.1: a", "2.2: a", "2.1: b", "2.2: b"), {"wrong"}),
    ],
)
def test_each_violation_has_its_kind(told: tuple[str, ...], kinds: set[str]) -> None:
    assert found(*told).kinds() == kinds


def test_what_is_doubled_late_is_not_out_of_order_too() -> None:
    assert found(*TOLD, "1.1: a").kinds() == {"doubled"}


@pytest.mark.parametrize("states", [{}, {ANA: (1, RIGHT[ANA][1])}, {ANA: (2, chained(chained("", "b"), "a"))}])
def test_the_state_at_the_end_counts(states: States) -> None:
    assert found(*TOLD, states=states).kinds() == {"wrong"}


def test_a_post_that_was_refused_counts() -> None:
    refused = {"status": 409, "code": "IDEMPOTENCY_KEY_REUSED", "bytes": 0, "idempotencyKey": "k"}
    assert found(*TOLD, refused=(refused,)).posts == ["409 IDEMPOTENCY_KEY_REUSED, 0 bytes under k"]
