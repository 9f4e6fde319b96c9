"""What is looked up at the platform besides sending: overdue statuses, templates, the sandbox's clock."""

import logging
from collections.abc import Awaitable, Callable, Mapping

import httpx
import orjson

from pilotbot.bot import Bot
from pilotbot.engine import Engine
from pilotbot.events import Event, decode
from pilotbot.platform import MessageStatus, PilotStatus, PlatformError
from pilotbot.settings import Settings

log = logging.getLogger(__name__)

Take = Callable[[Event, bytes], Awaitable[object]]


class Remote:
    """The platform as the upkeep sees it. `take` takes an event in as a webhook would."""

    def __init__(
        self,
        bot: Bot,
        settings: Settings,
        engine: Engine,
        platform: Mapping[str, PilotStatus],
        take: Callable[[Event, bytes], Awaitable[object]],
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._engine = engine
        self._platform = platform
        self._take = take
        self.told: dict[str, str] = {}
        """What is wrong at the platform, by number."""

    async def ask_for_statuses(self) -> None:
        """Messages without a final status for ten minutes: the webhook may be lost (design section 3.5)."""
        for shard in range(self._engine.shards):
            for platform_id in await self._engine.unfinished(shard):
                for number in self._settings.numbers:
                    try:
                        found = await self._platform[number.name].get(platform_id)
                    except PlatformError as error:  # unknown to this number, or not now: it is asked for again
                        log.info("an overdue status was not learned: %s", error)
                        continue
                    raw = as_event(found, platform_id, number.id)
                    await self._take(decode(raw), raw)
                    break

    async def look_at_templates(self) -> None:
        """Remote mistakes are told, in log and /readyz, and refuse nothing (design section 3.16)."""
        for name, client in self._platform.items():
            meta = next(number.kind for number in self._settings.numbers if number.name == name) == "meta"
            try:
                found = await client.templates()
            except PlatformError as error:
                log.error("number %s: the platform does not give its templates: %s", name, error)  # noqa: TRY400 - told, not traced
                trouble, known = [f"the platform does not give its templates: {error}"], await self._engine.recall(f"templates:{name}")
                catalogue: dict[str, str | None] | None = orjson.loads(known) if known else None
            else:
                trouble, catalogue = [], {template.name: template.problem(meta=meta) for template in found}
                await self._engine.remember(f"templates:{name}", orjson.dumps(catalogue))
            for used in sorted(self._bot.templates()) if catalogue is not None else ():
                problem = catalogue.get(used, "the platform has no such template") if catalogue is not None else None
                if problem:
                    log.error("number %s: template %s: %s", name, used, problem)
                    trouble.append(f"template {used}: {problem}")
            self.told[name] = "; ".join(trouble) or "ok"

    async def meet_clock(self) -> None:
        """Business time and the sandbox's clock agree: whichever is ahead, the other follows (design section 3.3)."""
        client = next(iter(self._platform.values()))
        try:
            answer = await client.http.get("/sandbox/clock")
            theirs = int(answer.raise_for_status().json()["offsetMs"])
            ours = await self._engine.advance(theirs)
            if ours > theirs:
                moved = await client.http.post("/sandbox/clock", json={"advance": f"{(ours - theirs + 999) // 1000}s"})
                await self._engine.advance(int(moved.raise_for_status().json()["offsetMs"]))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("the sandbox's clock could not be read: %s", type(error).__name__)


def as_event(found: MessageStatus, platform_id: str, number_id: str | None) -> bytes:
    """What a message's look-up says (contract 4.1), as the webhook that would have said it (contract 8.5)."""
    data = {
        "numberId": number_id, "id": platform_id, "messageId": found.external_message_id, "correlationId": found.correlation_id,
        "to": found.destination_number or platform_id, "errorCode": found.error_code,
    }  # fmt: skip
    return orjson.dumps({"event": f"message.{found.status.lower()}", "data": data})
