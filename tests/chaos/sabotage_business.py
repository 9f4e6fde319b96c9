"""Guards of what a business says on its own, of webhooks and of time, to be taken away as those of sabotage.py; and clocks that are wrong.

Loaded by tests/bots/heard.py where PILOTBOT_TEST_SABOTAGE names some.
"""

import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilotbot import events
from pilotbot.engine import Claimed, Engine
from pilotbot.engine.keys import base
from pilotbot.engine.timers import Timers
from pilotbot.engine.values import PutAside
from tests.chaos.sabotage import SABOTAGES as OTHERS
from tests.chaos.sabotage import _patch, _replaced, _rewrite

SKEW = 600  # seconds


def twice() -> None:
    """A follow-up that fires stays in the index, and nothing ties its message to it."""

    def forgetful(name: str, source: str) -> str:
        if name != "fire":
            return source
        source = _replaced(source, r"    forget_timer\(c, name\)\n(    if why then)", r"\1")
        return _replaced(source, r"redis\.sha1hex\(member \.\. int\(at\) \.\. payload\)", "redis.sha1hex(new_token(''))")

    _rewrite(forgetful)


def steps() -> None:
    """Follow-ups are taken out of the index in one step, and put in their lanes in another.

    Between the two it waits until the file `steps.open` is there. That it waits it tells by the file `steps`.
    """
    place, fire = Path(os.environ["PILOTBOT_TEST_GATE"]), Timers.fire

    async def fire_in_steps(self: Timers, shard: int) -> tuple[int, tuple[PutAside, ...]]:
        index, now = f"{base(shard)}:timers", round(time.time() * 1000)
        found = await self._calls.command("ZRANGE", index, "-inf", now, "BYSCORE", "WITHSCORES")
        for member in found[::2]:
            await self._calls.command("ZREM", index, member)
        if found:
            (place / "steps").touch()
            while not (place / "steps.open").exists():  # noqa: ASYNC110 - another process opens it
                await asyncio.sleep(0.01)
        for member, due in zip(found[::2], found[1::2], strict=True):
            await self._calls.command("ZADD", index, due, member)
        return await fire(self, shard)

    _patch(Timers, "fire", fire_in_steps)


def silence() -> None:
    """What waits for silence is not disarmed by a reply, nowhere."""

    def loud(name: str, source: str) -> str:
        if "local function disarm(" in source:
            source = _replaced(source, r"(local function disarm\(c, names, notes\)\n)", r"\1  if true then return end\n")
        if "local function barred(" in source:
            source = _replaced(source, r"if head\.n and head\.n ~= tonumber\(generation or '0'\) then", "if false then")
        if name == "fire":
            source = _replaced(source, r"if generation ~= '' and generation ~= \(chat\[3\] or '0'\) then", "if false then")
        return source

    _rewrite(loud)


def settle() -> None:
    """Nobody waits for what is just being posted."""

    async def at_once(self: Engine, *_: Any) -> bool:
        return True

    _patch(Engine, "lane_settles", at_once)


def consent() -> None:
    """The lane does not look whether the contact opted out."""

    def pushy(_: str, source: str) -> str:
        if "local function barred(" in source:
            source = _replaced(source, r"if head\.b == 1 and decided\(c, head\) > 0 then", "if false then")
        return source

    _rewrite(pushy)


def pin() -> None:
    """A variant is chosen anew though an earlier one may have arrived."""

    def fickle(_: str, source: str) -> str:
        if "local function lease_lane(" in source:
            source = _replaced(source, r"if pin and known\[6\] == '0' and \(", "if pin and (")
        return source

    _rewrite(fickle)


def host() -> None:
    """The window is judged by the clock of the process."""

    def by_host(_: str, source: str) -> str:
        if "local function lease_lane(" not in source:
            return source
        source = _replaced(source, r"return \{worker = all\[1\],", "return {host = all[#all], worker = all[1],")
        theirs = "terms.host + tonumber(redis.call('GET', base .. ':offset') or '0')"
        return _replaced(source, r"math\.max\(now, head\.d or 0\) < edge", f"{theirs} < edge")

    _rewrite(by_host)

    def terms(self: Engine) -> str:
        return f"{self.__dict__['lane_terms']} {round(time.time() * 1000)}"

    def keep(self: Engine, given: str) -> None:
        self.__dict__["lane_terms"] = given

    Engine._lane_terms = property(terms, keep)  # type: ignore[assignment]


def signature() -> None:
    """Any signature will do."""
    events.verify  # noqa: B018 - there must be something to replace
    events.verify = lambda raw, given, secrets: True


def lateness() -> None:
    """An event that was overtaken looks like any other."""
    Claimed.late  # noqa: B018 - there must be something to replace
    Claimed.late = property(lambda self: False)  # type: ignore[method-assign,assignment]


def ahead() -> None:
    """No guard, but a circumstance: the clock of this process is ten minutes fast."""
    _skew(SKEW)


def behind() -> None:
    """The same, ten minutes slow."""
    _skew(-SKEW)


SABOTAGES: dict[str, Callable[[], None]] = OTHERS | {
    sabotage.__name__: sabotage
    for sabotage in (twice, steps, silence, settle, consent, pin, host, signature, lateness, ahead, behind)
}  # fmt: skip


def apply(names: str) -> None:
    """Take the guards of these names, comma-separated, away from this process. Raises KeyError for a name that is none."""
    for name in names.split(","):
        SABOTAGES[name]()


def _skew(seconds: int) -> None:
    """All that tells this process the time of day is wrong by so many seconds."""
    real, real_ns, original = time.time, time.time_ns, dt.datetime

    class Alike(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original)

    class Skewed(original, metaclass=Alike):  # type: ignore[misc,valid-type]
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return original.now(tz) + dt.timedelta(seconds=seconds)

    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + seconds * 1_000_000_000
    for module in list(sys.modules.values()):
        if getattr(module, "datetime", None) is original:
            module.datetime = Skewed  # type: ignore[attr-defined]
        if getattr(module, "time", None) is real:
            module.time = time.time  # type: ignore[attr-defined]
