"""What passes between us and the platform past the lanes: that the bot is typing, what is not wanted any more, files that were sent."""

import asyncio
import contextlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from pilotbot.engine import ChatKey, Engine
from pilotbot.events import Media
from pilotbot.media import MediaFile
from pilotbot.platform import PilotStatus, PlatformError
from pilotbot.server.media import Downloads
from pilotbot.server.saying import items_of

SOON: Final = 2.0
"""Seconds that a handler waits at most until "typing" is shown."""

CANCELLED: Final = "CANCELED"  # the platform's word for it
LOOKS: Final = 3  # at a message that is being posted just then


class Direct:
    """Tells and asks the platform what cannot wait for a commit. `clients` by the numbers' names; `typing`: whether that is shown."""

    def __init__(
        self, engine: Engine, clients: Mapping[str, PilotStatus], *, downloads: Downloads | None = None, typing: bool = False
    ) -> None:
        self._engine = engine
        self._clients = clients
        self._downloads = downloads or Downloads()
        self._typing = typing

    def download(self, number: str, media: Media) -> AbstractAsyncContextManager[MediaFile]:
        """A file that came to this number, see `Downloads.fetch`."""
        return self._downloads.fetch(media, self._clients.get(number))

    async def typing(self, number: str, address: str) -> None:
        """Show that somebody is typing, if that can be had at once; whether it was shown is nobody's business."""
        if self._typing and number in self._clients:
            with contextlib.suppress(PlatformError, TimeoutError):
                async with asyncio.timeout(SOON):
                    await self._clients[number].typing(address)

    async def cancel(self, name: str) -> bool:
        """Take a message back, by the `id` of what was expected of it. False where it was too late for all of it, or for a part.

        What still waits here is taken out, what waits at the platform for its time is cancelled there. Asked again, it says the same.

        Raises:
            ValueError: the id is none.
            PlatformError: the platform could not be asked.
            Away: Redis does not answer.
        """
        digest, left = items_of(name)
        chat, in_time = self._engine.keys.place(digest), True
        there: dict[str, str] = {}
        for _ in range(LOOKS):  # all of it in one step: none goes between two others that do not
            found = dict(zip(left, await self._engine.cancel(chat, left), strict=True))
            there |= {item: platform_id for item, (what, platform_id) in found.items() if what == "posted"}
            in_time &= all(what != "gone" for what, _ in found.values())
            busy = {item: token for item, (what, token) in found.items() if what == "busy"}
            left = list(busy)
            for token in set(busy.values()):
                await self._engine.lane_settles(chat, token, self._engine.terms.lease / 1000)
            if not left:
                break
        return all([await self._cancel_there(chat, item, known) for item, known in there.items()]) and in_time and not left

    async def _cancel_there(self, chat: ChatKey, item: str, platform_id: str) -> bool:
        number = (await self._engine.chat(chat)).fields.get("number", b"").decode()
        if number not in self._clients:
            raise ValueError(f"the message waits at the platform, and no number is called {number!r} here: see PILOTBOT_NUMBERS")
        client = self._clients[number]
        if not (await client.cancel([platform_id])).cancelled_count and (await client.get(platform_id)).status != CANCELLED:
            return False  # a process that died may have cancelled it before
        await self._engine.cancelled(chat, item)
        return True
