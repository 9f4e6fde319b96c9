"""What can be made to go wrong: chances, exact counts and switches, set through ``/sandbox/faults``.

A chance is a probability from 0 to 1, true or false, or ``{"next": n}``: exactly the next n times. As a
probability, `http500`, `http429`, `dropBefore` and `keyRevoked` meet every ``/v1`` call; as ``{"next": n}`` they count
only sends, so that a test knows which call they meet, or only calls under `path` if that is given too.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from pilotbot.sandbox.records import Json

SEND_PATH = "/v1/messages/send"

CHANCES = (
    "http500",
    "http429",
    "acceptThenDrop",
    "dropBefore",
    "duplicateWebhooks",
    "shuffleWebhooks",
    "unsignedWebhooks",
    "numberBlocked",
    "disconnected",
    "keyRevoked",
    "hiddenHistory",
)


class Next(BaseModel):
    """Exactly the next `next` times; of calls under `path`, where a call is what it meets."""

    model_config = ConfigDict(extra="forbid")

    next: Annotated[StrictInt, Field(ge=0, le=1_000_000)]
    path: StrictStr = SEND_PATH


Probability = Annotated[float, Field(ge=0, le=1, strict=True)]
Setting = StrictBool | Probability | Next


class FaultsRequest(BaseModel):
    """The body of ``POST /sandbox/faults``: only what changes."""

    model_config = ConfigDict(extra="forbid")

    http500: Setting | None = None
    http429: Setting | None = None
    acceptThenDrop: Setting | None = None  # noqa: N815 (the wire's name)
    dropBefore: Setting | None = None  # noqa: N815
    duplicateWebhooks: Setting | None = None  # noqa: N815
    shuffleWebhooks: Setting | None = None  # noqa: N815
    unsignedWebhooks: Setting | None = None  # noqa: N815
    numberBlocked: Setting | None = None  # noqa: N815
    disconnected: Setting | None = None
    keyRevoked: Setting | None = None  # noqa: N815
    hiddenHistory: Setting | None = None  # noqa: N815
    readReceipts: StrictBool | None = None  # noqa: N815
    subscription: StrictBool | None = None
    latencyMs: Annotated[StrictInt, Field(ge=0, le=60_000)] | None = None  # noqa: N815


@dataclass(slots=True)
class Chance:
    """One thing that may go wrong."""

    probability: float = 0.0
    switch: bool = True
    left: int = 0
    path: str = SEND_PATH

    def hits(self, rng: random.Random, path: str | None = None) -> bool:
        """Whether it goes wrong this time; an exact count is used up by it."""
        if self.left > 0 and (path is None or path.startswith(self.path)):
            self.left -= 1
            return True
        return self.probability > 0 and rng.random() < self.probability

    def to_json(self) -> object:
        """The value as it was set, or what is left of it."""
        if self.left > 0:
            return {"next": self.left} if self.path == SEND_PATH else {"next": self.left, "path": self.path}
        return self.probability > 0 if self.switch else self.probability


class Faults:
    """The faults in force."""

    def __init__(self, rng: random.Random, latency_ms: int) -> None:
        self._rng = rng
        self._latency_ms = latency_ms
        self._chances: dict[str, Chance] = {}
        self.clear()

    def clear(self) -> None:
        """Back to nothing going wrong."""
        self._chances = {name: Chance(switch=not name.startswith("http")) for name in CHANCES}
        self.read_receipts = True
        self.subscription = True
        self.latency_ms = self._latency_ms

    def change(self, request: FaultsRequest) -> None:
        """Set the faults that the request names."""
        for name in CHANCES:
            value = getattr(request, name)
            if isinstance(value, Next):
                self._chances[name] = Chance(left=value.next, path=value.path, switch=not name.startswith("http"))
            elif value is not None:
                self._chances[name] = Chance(probability=float(value), switch=isinstance(value, bool))
        if request.readReceipts is not None:
            self.read_receipts = request.readReceipts
        if request.subscription is not None:
            self.subscription = request.subscription
        if request.latencyMs is not None:
            self.latency_ms = request.latencyMs

    def hits(self, name: str, path: str | None = None) -> bool:
        """Whether the fault meets this call or delivery."""
        return self._chances[name].hits(self._rng, path)

    async def wait(self) -> None:
        """Wait as long as a call takes."""
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)

    def to_json(self) -> Json:
        """All faults, as ``GET /sandbox/faults`` answers."""
        values: Json = {name: chance.to_json() for name, chance in self._chances.items()}
        return values | {
            "readReceipts": self.read_receipts,
            "subscription": self.subscription,
            "latencyMs": self.latency_ms,
        }
