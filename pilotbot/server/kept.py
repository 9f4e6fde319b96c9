"""Whether Redis keeps what the settings promise: refused at the start, watched after it (`PILOTBOT_DURABILITY`)."""

import logging

from pilotbot.engine import Engine
from pilotbot.engine.durability import Finding, UnfitRedis, judge, promised
from pilotbot.settings import Settings

log = logging.getLogger(__name__)


class Kept:
    """What is to be told of the engine's Redis; the last look counts. At a developer's desk nobody is warned who asked for no profile."""

    def __init__(self, engine: Engine, settings: Settings, *, at_desk: bool = False) -> None:
        self._quiet = at_desk and settings.durability is None
        self._engine = engine
        self._embedded = settings.redis_url is None
        self._profile = promised(settings.durability, embedded=self._embedded)
        self._wrong: tuple[Finding, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether it does not keep what is promised: to answer 200 would be a lie."""
        return any(finding.refuses for finding in self._wrong)

    @property
    def told(self) -> list[str]:
        """What it does not do, with the remedies."""
        return [f"{finding.seen}; {finding.remedy}" for finding in self._wrong]

    async def begin(self) -> None:
        """Look for the first time. Raises UnfitRedis where it cannot keep what is promised, Away."""
        await self.look()
        if self.broken:
            raise UnfitRedis(finding for finding in self._wrong if finding.refuses)

    async def look(self) -> None:
        """Look, and log what is wrong where it was not before."""
        before = {finding.check for finding in self._wrong}
        await self._engine.recognise()
        found = judge(await self._engine.checkup.facts(), self._profile, embedded=self._embedded)
        self._wrong = tuple(finding for finding in found if finding.level == "bad")
        for finding in self._wrong:
            if finding.check not in before and not self._quiet:
                log.error("Redis: %s; %s", finding.seen, finding.remedy)
