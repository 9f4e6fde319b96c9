"""When a number rests because the platform is in trouble or refuses it, and how it is tried again: pure, without I/O or a clock.

Closed, posts go. Five failures in a row, or one refusal of the number itself, open it: the number pauses in all processes, which Redis
sees to. After the pause it is half-open: one post goes as a probe and the others wait for what becomes of it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

FAILURES: Final = 5
"""Failures in a row, of any chats, that open a breaker."""

SHORTEST: Final = 5.0
LONGEST: Final = 60.0
"""Seconds that a pause for failures takes at first and at most."""

JITTER: Final = 0.25


@dataclass(frozen=True, slots=True)
class Leave:
    """What may be done with a lane: `post` it, `wait` for a probe under way, or put it back since the number is `paused`, which may take
    so many ms more. `probe` is the number of the probe that this post is, 0 for none.
    """

    what: Literal["post", "wait", "paused"]
    probe: int = 0
    wait: int = 0


class Breaker:
    """The breaker of one number in this process. Times are business milliseconds, as lanes carry them; `draw` gives from 0 to 1."""

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._failures = 0
        self._pauses = 0  # in a row, for failures: what the next one's length follows from
        self._probe = 0
        self._probes = 0
        self._until: float = -inf
        self.why = ""
        """Why the number does not send, empty where it does."""

    @property
    def until(self) -> int | None:
        """When the last pause ends or ended (business ms), None while there is none that is known to Redis."""
        return int(self._until) if self.why and abs(self._until) != inf else None

    def ask(self, now: int) -> Leave:
        """What may be done with a lane that was leased at `now`. Who is given a probe tells how it went, or that it was not made."""
        if not self.why:
            return Leave("post")
        if now < self._until:
            return Leave("paused", wait=round(min(self._until - now, 1000 * SHORTEST)))
        if self._probe:
            return Leave("wait")
        self._probes += 1
        self._probe = self._probes
        return Leave("post", self._probe)

    def worked(self) -> bool:
        """A post was answered as posts are. Returns whether the number sends again."""
        recovered = bool(self.why)
        self._failures = self._pauses = self._probe = 0
        self._until, self.why = -inf, ""
        return recovered

    def failed(self, why: str, probe: int = 0) -> float | None:
        """A post met a platform in trouble. Returns how many seconds the number is to pause, None where it is not to."""
        if self._late(probe):
            return None
        self._failures += 1
        if not self.why and self._failures < FAILURES:
            return None
        self._pauses += 1
        longest = LONGEST / (1 + JITTER)
        return self._open(why, min(longest, SHORTEST * 2.0 ** min(self._pauses - 1, 16)) * (1 + JITTER * self._draw()))

    def refused(self, why: str, pause: float, probe: int = 0) -> float | None:
        """The platform does not let the number send now. Returns the seconds to pause: `pause`, None where it pauses already."""
        return None if self._late(probe) else self._open(why, pause)

    def paused(self, until: int | None) -> None:
        """The pause that was to be is known to Redis, until when (business ms); None where it could not be told: then it is over."""
        if self.why:
            self._until = -inf if until is None else until

    def given_up(self, probe: int) -> None:
        """A probe came to no answer: another may be made."""
        if probe and probe == self._probe:
            self._probe = 0

    def _late(self, probe: int) -> bool:
        """Whether an answer says nothing new: of a post that was under way when the breaker opened."""
        return bool(self.why) and (probe == 0 or probe != self._probe)

    def _open(self, why: str, pause: float) -> float:
        self._probe, self._until, self.why = 0, inf, why
        return pause
