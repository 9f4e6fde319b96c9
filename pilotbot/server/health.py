"""What is told of our numbers: what does not send pauses, what is ill is slowed, in all processes; people are alerted (contract 8.8).

Webhooks may be lost: a number that is down is tried by one post after a while, and one that works says that it is up.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from pilotbot import events
from pilotbot.contacts import canonical
from pilotbot.engine import HOUR, Arrival, Away, Engine, Place, derived_id
from pilotbot.settings import NumberSettings

log = logging.getLogger(__name__)

SOON: Final = 5 * 60_000
DAY: Final = 24 * HOUR
DOWN: Final[Mapping[str, int]] = {
    "disconnected": SOON, "restored": SOON, "removed": DAY, "health_blocked": DAY, "health_shadowban": DAY,
}  # fmt: skip
"""Changes after which a number does not send, and the ms after which a post is tried.

`restored`: its record is back, and it is disconnected still (contract 8.8)."""

SLOW: Final[Mapping[str, int]] = {"health_degraded": DAY}
"""Changes after which what a business begins goes slower, for so many ms."""

UP: Final = frozenset({"connected", "recovered"})
"""Changes after which a number sends again."""


class Alerts:
    """Raises alerts: events of the bot's own, in the chat of the number that they are about.

    `wanted`: whether any handler takes them. `wake` is told which shard has work.
    """

    def __init__(self, engine: Engine, *, wanted: bool, counts: Counter[str], wake: Callable[[int], None]) -> None:
        self._engine = engine
        self._wanted = wanted
        self._counts = counts
        self._wake = wake

    async def raise_(self, number: str, what: str, detail: str, *, id_: str, at: int | None = None) -> None:
        """Raise an alert about a number (its configured name), once per `id_`; `at` in ms. Raises Away."""
        self._counts[f"alert:{what}"] += 1
        if not self._wanted:
            return
        key = self._engine.keys.chat(number, canonical(""))
        at = at if at is not None else (await self._engine.chat(key)).now
        body = events.alert(id_, what=what, number=number, detail=detail, at=at)
        place = Place(key=key, number=number, kind="number", address="")
        taken = await self._engine.accept(Arrival(place=place, id=f"alert:{id_}", at=None, body=body))
        if taken.wake_mailbox:
            self._wake(key.shard)

    async def tell(self, number: str, what: str, detail: str, at: int) -> None:
        """As `raise_`, for who must not fail for it; once an hour for the same."""
        try:
            await self.raise_(number, what, detail, id_=derived_id("alert", number, what, detail, at // HOUR), at=at)
        except Away:
            log.warning("an alert about number %s could not be raised: Redis is away", number)


class Health:
    """Heeds `number.*`."""

    def __init__(self, engine: Engine, alerts: Alerts) -> None:
        self._engine = engine
        self._alerts = alerts

    async def heard(self, event: events.Number, number: NumberSettings) -> None:
        """Make a change of a number's count for its sends, in all processes, and alert people. May be repeated. Raises Away."""
        name, change, detail = number.name, event.change, _detail(event)
        if change in UP:
            news = await self._engine.up(name, event.at)
        elif change in DOWN:
            news = await self._engine.down(name, event.at, DOWN[change], f"{change}: {detail}" if detail else change)
        elif change in SLOW:
            news = await self._engine.slow(name, event.at, SLOW[change])
        else:
            return
        if news:
            told = log.warning if change in UP else log.error
            told("number %s: %s%s", name, change, "" if change in UP else "; what waits is kept" if change in DOWN else "; it is slowed")
            await self._alerts.raise_(name, change, detail, id_=event.id, at=event.at)


def _detail(event: events.Number) -> str:
    return " ".join(part for part in (event.error_code, event.error) if part)
