"""The list of mutants is of this tree: each guard is where it is said to be, once, and each test is there."""

from tests.guards import MUTANTS, ROOT, misplaced


def test_each_guard_is_there_exactly_once() -> None:
    assert misplaced() == []


def test_they_are_many_and_no_two_are_the_same() -> None:
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS) >= 25
    assert all(mutant.old != mutant.new for mutant in MUTANTS)


def test_their_tests_are_there() -> None:
    assert [test for mutant in MUTANTS for test in mutant.tests if not (ROOT / test).is_file()] == []
