"""What is looked up at the platform besides sending and templates: overdue statuses, the sandbox's clock."""

import logging
from collections.abc import Awaitable, Callable, Mapping

import httpx
import orjson

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
        settings: Settings,
        engine: Engine,
        platform: Mapping[str, PilotStatus],
        take: Callable[[Event, bytes], Awaitable[object]],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._platform = platform
        self._take = take

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
    """What a message's look-up says (contract 4.1), as the webhook that would have said it (contract 8.5), and what else it knows."""
    data: dict[str, object] = {
        "numberId": number_id, "id": platform_id, "messageId": found.external_message_id, "correlationId": found.correlation_id,
        "to": found.destination_number or platform_id, "errorCode": found.error_code, "sentAt": found.sent_at,
        "deliveredAt": found.delivered_at, "readAt": found.read_at, "metaPricing": {"category": found.category},
    }  # fmt: skip
    return orjson.dumps({"event": f"message.{found.status.lower()}", "data": data})
