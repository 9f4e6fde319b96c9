"""The memory of `Idempotency-Key` (contract 3.7): four cases, 24 hours on the sandbox's clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from pilotbot.sandbox.clock import DAY_MS, Clock
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.records import Answer, Json
from pilotbot.sandbox.rules import idempotency_key_fault
from pilotbot.sandbox.state import State


class Idempotency:
    """Which keys are running, and what the others were answered."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._running: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, number_id: str, key: str | None, raw: bytes) -> Iterator[Answer | None]:
        """Hold the key while its request runs; yields the answer it already had, if any.

        Raises:
            ApiError: 400 `IDEMPOTENCY_KEY_INVALID`, 409 `IDEMPOTENCY_KEY_REUSED` or `IDEMPOTENCY_KEY_IN_USE`.
        """
        if key is None:
            yield None
            return
        fault = idempotency_key_fault(key)
        if fault is not None:
            raise ApiError(400, fault, "IDEMPOTENCY_KEY_INVALID")
        slot = (number_id, key)
        if slot in self._running:
            raise ApiError(409, "The first call with this key is still running", "IDEMPOTENCY_KEY_IN_USE")
        known = self._known(slot)
        if known is not None and known.digest != digest(raw):
            raise ApiError(409, "This key was used with another body", "IDEMPOTENCY_KEY_REUSED")
        self._running.add(slot)
        try:
            yield known
        finally:
            self._running.discard(slot)

    def remember(self, number_id: str, key: str, raw: bytes, body: Json) -> None:
        """Keep a 2xx answer."""
        self._state.save_answer(Answer(number_id, key, digest(raw), body, self._clock.now_ms()))

    def _known(self, slot: tuple[str, str]) -> Answer | None:
        answer = self._state.answers.get(slot)
        if answer is not None and self._clock.now_ms() - answer.created_ms >= DAY_MS:
            self._state.forget_answer(answer)
            return None
        return answer


def digest(raw: bytes) -> str:
    """Two bodies are the same if their bytes are."""
    return hashlib.sha256(raw).hexdigest()
