"""When a number rests and how it is tried again: a table of one life, and what holds in every life."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from pilotbot.server.breaker import FAILURES, LONGEST, SHORTEST, Breaker, Leave

T0 = 1_800_000_000_000  # some moment, in business milliseconds


def opened(draw: float = 0.0) -> Breaker:
    """A breaker that five failures opened, its pause not yet known to Redis."""
    breaker = Breaker(lambda: draw)
    assert [breaker.failed("500") for _ in range(FAILURES)] == [None] * 4 + [SHORTEST * (1 + draw / 4)]
    return breaker


def half_open() -> tuple[Breaker, int]:
    """A breaker whose pause is over, and the number of its probe."""
    breaker = opened()
    breaker.paused(T0)
    leave = breaker.ask(T0)
    assert leave.what == "post"
    assert leave.probe
    return breaker, leave.probe


class TestOneLife:
    def test_failures_that_are_not_in_a_row_open_nothing(self) -> None:
        breaker = Breaker()
        for _ in range(10):
            assert [breaker.failed("500") for _ in range(FAILURES - 1)] == [None] * 4
            assert not breaker.worked()
            assert breaker.ask(T0) == Leave("post")

    def test_one_refusal_of_the_number_opens_it_for_as_long_as_was_said(self) -> None:
        breaker = Breaker()
        assert breaker.refused("401", 60.0) == 60.0
        again = breaker.refused("403", 60.0)  # of a post that was under way
        assert (again, breaker.why) == (None, "401")

    def test_until_redis_knows_of_the_pause_nothing_goes(self) -> None:
        breaker = opened()
        assert (breaker.ask(T0 + 10**9).what, breaker.until) == ("paused", None)
        breaker.paused(T0 + 5_000)
        assert breaker.until == T0 + 5_000
        assert breaker.ask(T0 + 4_999) == Leave("paused", wait=1)  # leased before the pause began
        assert breaker.ask(T0 + 5_000).probe

    def test_a_pause_that_could_not_be_told_is_over_at_once(self) -> None:
        breaker = opened()
        breaker.paused(None)
        assert breaker.ask(T0).probe

    def test_the_others_wait_for_one_probe_and_go_once_it_worked(self) -> None:
        breaker, _ = half_open()
        assert breaker.ask(T0) == Leave("wait")
        assert breaker.worked()
        assert not breaker.worked()
        assert breaker.ask(T0) == Leave("post")

    def test_a_probe_that_came_to_no_answer_is_followed_by_another(self) -> None:
        breaker, first = half_open()
        breaker.given_up(first)
        second = breaker.ask(T0).probe
        assert second not in {0, first}
        breaker.given_up(first)  # its end does not end the other one
        assert breaker.ask(T0) == Leave("wait")

    def test_answers_of_posts_that_were_under_way_do_not_lengthen_the_pause(self) -> None:
        breaker, probe = half_open()
        assert breaker.failed("500") is None
        assert breaker.refused("401", 60.0) is None
        assert breaker.failed("500", probe) == 2 * SHORTEST
        assert breaker.failed("500", probe) is None

    def test_one_of_them_that_worked_ends_it(self) -> None:
        breaker, probe = half_open()
        assert breaker.worked()
        assert breaker.failed("500", probe) is None  # the first failure of a new row
        assert breaker.ask(T0) == Leave("post")

    def test_the_pauses_grow_and_begin_anew_after_it_worked(self) -> None:
        breaker = Breaker(lambda: 0.0)
        for expected in (5, 10, 20, 40, 48, 48):
            pause = None
            while pause is None:
                pause = breaker.failed("500", breaker.ask(T0).probe)
            breaker.paused(T0)
            assert pause == expected
        breaker.worked()
        assert [breaker.failed("500") for _ in range(FAILURES)][-1] == 5

    @given(st.floats(0, 1, exclude_max=True), st.integers(1, 100))
    def test_every_pause_is_within_its_bounds(self, draw: float, times: int) -> None:
        breaker = opened(draw)
        for _ in range(times):
            breaker.paused(T0)
            pause = breaker.failed("500", breaker.ask(T0).probe)
            assert pause is not None
            assert SHORTEST <= pause <= LONGEST


@dataclass
class Post:
    probe: int
    opened: int = field(default=0)


class EveryLife(RuleBasedStateMachine):
    """Posts that begin and end in any order, while the pause is told to Redis and time goes by."""

    under_way = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = T0
        self.row = 0  # failures since one worked, as a plain count
        self.open = False
        self.untold: float | None = None
        self.ends: float = 0
        self.probe: int | None = None

    @rule(target=under_way)
    def begin(self) -> Post:
        leave = self.breaker.ask(self.now)
        if not self.open:
            assert leave == Leave("post")
        elif self.untold is not None or self.now < self.ends:
            assert leave.what == "paused"
            assert 0 < leave.wait <= 1000 * SHORTEST
        elif self.probe is not None:
            assert leave == Leave("wait")
        else:
            assert leave.what == "post"
            assert leave.probe
            self.probe = leave.probe
        return Post(leave.probe if leave.what == "post" else -1)

    @rule(post=consumes(under_way), refused=st.booleans())
    def no(self, post: Post, refused: bool) -> None:
        if post.probe < 0:
            return
        pause = self.breaker.refused("no", 60.0, post.probe) if refused else self.breaker.failed("trouble", post.probe)
        told = self.open and post.probe != self.probe
        if not told and not refused:
            self.row += 1
        if told or (not refused and not self.open and self.row < FAILURES):
            assert pause is None
        else:
            assert pause is not None
            assert SHORTEST <= pause <= LONGEST
            self.open, self.untold, self.probe = True, pause, None
        self.breaker.given_up(max(post.probe, 0))

    @rule(post=consumes(under_way))
    def yes(self, post: Post) -> None:
        if post.probe >= 0:
            assert self.breaker.worked() is self.open
            self.open, self.untold, self.probe, self.row = False, None, None, 0

    @rule(post=consumes(under_way))
    def cancelled(self, post: Post) -> None:
        if post.probe >= 0:
            self.breaker.given_up(post.probe)
            if post.probe and post.probe == self.probe:
                self.probe = None

    @precondition(lambda self: self.untold is not None)
    @rule(known=st.booleans())
    def told(self, known: bool) -> None:
        self.ends = self.now + 1000 * (self.untold or 0) if known else 0
        self.breaker.paused(round(self.ends) if known else None)
        self.ends, self.untold = round(self.ends), None

    @rule(ms=st.integers(1, 100_000))
    def later(self, ms: int) -> None:
        self.now += ms

    @invariant()
    def says_why_only_while_it_is_open(self) -> None:
        assert bool(self.breaker.why) is self.open


TestEveryLife = EveryLife.TestCase
