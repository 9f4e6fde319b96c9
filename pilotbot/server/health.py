"""What is told of our numbers: what does not send pauses, what is ill is slowed, in all processes; people are alerted (contract 8.8).

Webhooks may be lost: a number that is down is tried by one post after a while, and one that works says that it is up.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from pilotbot import events
from pilotbot.contacts import canonical
from pilotbot.engine import HOUR, Arrival, Away, Engine, Place, derived_id
from pilotbot.engine.pauses import Cause, Turned
from pilotbot.settings import NumberSettings

log = logging.getLogger(__name__)

SOON: Final = 5 * 60_000
DAY: Final = 24 * HOUR
DOWN: Final[Mapping[str, tuple[Cause, int]]] = {
    "disconnected": ("link", SOON), "restored": ("link", SOON), "removed": ("link", DAY),
    "health_blocked": ("health", DAY), "health_shadowban": ("health", DAY),
}  # fmt: skip
"""Changes after which a number does not send: what it is ill of then, and the ms after which a post is tried.

`restored`: its record is back, and it is disconnected still (contract 8.8)."""

SLOW: Final[Mapping[str, int]] = {"health_degraded": DAY}
"""Changes after which what a business begins goes slower, for so many ms."""

UP: Final[Mapping[str, tuple[Cause, ...]]] = {"connected": ("link",), "recovered": ("health", "pace")}
"""Changes after which a number is not ill of these any more."""

TOLD_FOR: Final = 7 * DAY  # ms that a change may be told of again, and raises its alert should that have been lost: less than its dedupe


class Alerts:
    """Raises alerts: events of the bot's own, in the chat of the number that they are about.

    `wanted`: whether any handler takes them. `wake` is told which shard has work.
    """

    def __init__(self, engine: Engine, *, wanted: bool, counts: Counter[str], wake: Callable[[int], None]) -> None:
        self._engine = engine
        self._wanted = wanted
        self._counts = counts
        self._wake = wake

    async def raise_(self, number: str, what: str, detail: str, *, id_: str, at: int | None = None, again: bool = False) -> None:
        """Raise an alert about a number (its configured name), once per `id_`; `at` in ms.

        `again`: it was told of before, and may not have come to be raised. Raises Away, also where there is no room for it.
        """
        if not self._wanted:
            self._counts[f"alert:{what}"] += not again
            return
        key = self._engine.keys.chat(number, canonical(""))
        at = at if at is not None else (await self._engine.chat(key)).now
        body = events.alert(id_, what=what, number=number, detail=detail, at=at)
        place = Place(key=key, number=number, kind="number", address="")
        taken = await self._engine.accept(Arrival(place=place, id=f"alert:{id_}", at=None, body=body))
        if taken.outcome in {"full", "busy", "flood"}:
            raise Away("too many events wait for an alert to have its place")
        self._counts[f"alert:{what}"] += taken.outcome == "ok"
        if taken.wake_mailbox:
            self._wake(key.shard)

    async def tell(self, number: str, what: str, detail: str, at: int) -> None:
        """As `raise_`, for who must not fail for it; once an hour for the same."""
        try:
            await self.raise_(number, what, detail, id_=derived_id("alert", number, what, detail, at // HOUR), at=at)
        except Away as error:
            log.warning("an alert about number %s could not be raised: %s", number, error)


class Health:
    """Heeds `number.*`."""

    def __init__(self, engine: Engine, alerts: Alerts) -> None:
        self._engine = engine
        self._alerts = alerts

    async def heard(self, event: events.Number, number: NumberSettings) -> None:
        """Make a change of a number's count for its sends, in all processes, and alert people. May be repeated. Raises Away."""
        name, change, detail = number.name, event.change, _detail(event)
        if change in UP:
            turned = await self._engine.up(name, event.at, UP[change])
        elif change in DOWN:
            cause, look_after = DOWN[change]
            why = f"{change}: {code}" if (code := _code(event)) else change
            turned = await self._engine.down(name, event.at, look_after, why, cause=cause, change=change)
        elif change in SLOW:
            turned = await self._engine.slow(name, event.at, SLOW[change], change=change)
        else:
            return
        if turned.news:
            told = log.warning if change in UP else log.error
            told("number %s: %s%s", name, change, "" if change in UP else "; what waits is kept" if change in DOWN else "; it is slowed")
        if turned.since:  # told of again, too: the process may have died before the alert was kept
            await self._alert(name, change, detail, event, turned)

    async def _alert(self, name: str, change: str, detail: str, event: events.Number, turned: Turned) -> None:
        now = (await self._engine.chat(self._engine.keys.chat(name, canonical("")))).now
        if now - turned.since < TOLD_FOR:
            id_ = derived_id("alert", name, change, turned.since)
            await self._alerts.raise_(name, change, detail, id_=id_, at=event.at, again=not turned.news)


def _code(event: events.Number) -> str:
    """The platform's code for what happened, where it is one: its free words are for handlers only."""
    return event.error_code if event.error_code and re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", event.error_code, re.ASCII) else ""


def _detail(event: events.Number) -> str:
    return " ".join(part for part in (event.error_code, event.error) if part)
