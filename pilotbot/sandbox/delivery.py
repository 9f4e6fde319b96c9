"""Webhooks out: subscription, signature, order of a chat's first attempts, retries (contract 8.1 to 8.3)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import aiohttp

from pilotbot.sandbox import envelopes, rows
from pilotbot.sandbox.clock import Clock, Timers
from pilotbot.sandbox.faults import Faults
from pilotbot.sandbox.records import Delivery, Json, Webhook
from pilotbot.sandbox.settings import SandboxSettings
from pilotbot.sandbox.state import State, new_id
from pilotbot.sandbox.stream import Stream

SIGNATURE_HEADER = "x-pilot-status-signature"
ASK_PATIENCE_S = 2.0
MAX_ANSWER = 2 * 2**20
SHUFFLE_MS = (20, 400)
KEPT_RESPONSE = 500

log = logging.getLogger(__name__)


def is_loopback(url: str) -> bool:
    """Whether the URL points at this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Answered:
    """What a webhook answered to a question: the status and the body, or None and why there was no answer."""

    webhook: Webhook
    status: int | None
    body: bytes


class Webhooks:
    """Delivers events to the registered webhooks.

    First attempts of one chat go to a webhook one after the other; what failed is tried again on its own, so
    that a webhook that answers slowly or not at all holds up neither others nor its own other chats.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        state: State,
        *,
        clock: Clock,
        timers: Timers,
        faults: Faults,
        stream: Stream,
        rng: random.Random,
    ) -> None:
        self._settings = settings
        self._state = state
        self._clock = clock
        self._timers = timers
        self._faults = faults
        self._stream = stream
        self._rng = rng
        self._session: aiohttp.ClientSession | None = None
        self._lanes: dict[tuple[str, str], deque[str]] = {}
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the connections, and take up what was not delivered when the sandbox last ran."""
        timeout = aiohttp.ClientTimeout(total=self._settings.webhook_timeout)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout)
        for delivery in sorted(self._state.deliveries.values(), key=lambda item: item.seq):
            if delivery.status == "PENDING":
                if delivery.due_ms is None:
                    self._queue(delivery)
                else:
                    self._later(delivery.id, delivery.due_ms)

    async def stop(self) -> None:
        """Leave off at once; what is pending stays pending."""
        self.drop_pending()
        if self._session is not None:
            await self._session.close()

    def drop_pending(self) -> None:
        """Forget what waits and stop what is under way."""
        self._lanes.clear()
        for task in tuple(self._tasks):
            task.cancel()

    def emit(self, number_id: str, envelope: Json, *, lane: str) -> None:
        """Send an event to each webhook of the number that subscribed to it, in order within `lane`."""
        event = str(envelope.get("event", envelope.get("object", "unknown")))
        body = envelopes.encode(envelope)
        for webhook in tuple(self._state.webhooks.values()):
            wanted = event in webhook.events or "*" in webhook.events
            if webhook.active and webhook.number_id == number_id and wanted:
                for _ in range(2 if self._faults.hits("duplicateWebhooks") else 1):
                    unsigned = self._faults.hits("unsignedWebhooks")
                    self.send(webhook, event, body, lane, None if unsigned else envelopes.sign(webhook.secret, body))

    def send(self, webhook: Webhook, event: str, body: str, lane: str, signature: str | None) -> Delivery:
        """Post `body` to one webhook, whatever it subscribed to; the delivery as it sets out."""
        now = self._clock.now_ms()
        delivery = Delivery(new_id("whd_"), self._state.next_seq(), webhook.id, webhook.url, event, lane, body, signature, now)
        if self._faults.hits("shuffleWebhooks"):
            delivery = replace(delivery, due_ms=now + self._rng.randint(*SHUFFLE_MS))
        self._save(delivery)
        if delivery.due_ms is None:
            self._queue(delivery)
        else:
            self._later(delivery.id, delivery.due_ms)
        return delivery

    def resend(self, delivery: Delivery) -> Delivery | None:
        """Post the same bytes with the same signature once more; None when the webhook is gone or inactive."""
        webhook = self._state.webhooks.get(delivery.webhook_id)
        if webhook is None or not webhook.active:
            return None
        return self.send(webhook, delivery.event, delivery.body, delivery.lane, delivery.signature)

    async def ask(self, webhooks: Sequence[Webhook], envelope: Json) -> list[Answered]:
        """Post an event of the sandbox's own to these webhooks at once, and wait, 2 s at most, for what each answers.

        It is no delivery: it goes ahead of those that wait, is not tried again, and is not listed.
        """
        body = envelopes.encode(envelope)
        return await asyncio.gather(*(self._ask(webhook, body) for webhook in webhooks))

    # -- attempts -------------------------------------------------------------------------------------------------

    def _queue(self, delivery: Delivery) -> None:
        key = (delivery.webhook_id, delivery.lane)
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = deque([delivery.id])
            self._spawn(self._drain(key))
        else:
            lane.append(delivery.id)

    async def _drain(self, key: tuple[str, str]) -> None:
        lane = self._lanes[key]
        while lane:
            await self._attempt(lane[0])
            lane.popleft()
        self._lanes.pop(key, None)

    def _later(self, delivery_id: str, due_ms: int) -> None:
        self._timers.at(due_ms, lambda _: self._spawn(self._attempt(delivery_id)))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, delivery_id: str) -> None:
        delivery = self._state.deliveries.get(delivery_id)
        if delivery is None or delivery.status != "PENDING":
            return
        webhook = self._state.webhooks.get(delivery.webhook_id)
        if webhook is None or not webhook.active:
            self._save(replace(delivery, status="FAILED", response="The webhook is gone or inactive", due_ms=None))
            return
        gate = self._gates.setdefault(webhook.id, asyncio.Semaphore(self._settings.webhook_concurrency))
        async with gate:
            began = time.monotonic()
            code, response = await self._post(webhook.url, delivery.body, delivery.signature)
            took_ms = round((time.monotonic() - began) * 1000)
        tried = replace(
            delivery,
            url=webhook.url,
            attempts=delivery.attempts + 1,
            status_code=code,
            response=response.decode(errors="replace"),
            duration_ms=took_ms,
            due_ms=None,
        )
        self._settle(tried, delivered=code is not None and 200 <= code < 300)
        current = self._state.webhooks.get(webhook.id)
        if current is not None:
            self._state.save_webhook(replace(current, last_triggered_ms=self._clock.now_ms()))

    def _settle(self, tried: Delivery, *, delivered: bool) -> None:
        schedule = self._settings.retry_schedule
        if delivered:
            self._save(replace(tried, status="SUCCESS"))
        elif tried.attempts > len(schedule):
            self._save(replace(tried, status="FAILED"))
        else:
            due_ms = self._clock.now_ms() + round(schedule[tried.attempts - 1] * 1000)
            self._save(replace(tried, due_ms=due_ms))
            self._later(tried.id, due_ms)

    async def _ask(self, webhook: Webhook, body: str) -> Answered:
        try:
            async with asyncio.timeout(ASK_PATIENCE_S):
                code, answer = await self._post(webhook.url, body, envelopes.sign(webhook.secret, body), MAX_ANSWER + 1)
        except TimeoutError:
            return Answered(webhook, None, f"No answer within {ASK_PATIENCE_S:g} seconds".encode())
        return Answered(webhook, code, answer)

    async def _post(self, url: str, body: str, signature: str | None, kept: int = KEPT_RESPONSE) -> tuple[int | None, bytes]:
        """Post once; the status and the first `kept` bytes of the answer, or None and why there is none."""
        if not is_loopback(url):
            return None, b"The sandbox has no network: only webhooks on this machine are delivered"
        if self._session is None:
            return None, b"The sandbox is stopping"
        headers = {"content-type": "application/json", "user-agent": "pilotbot-sandbox"}
        if signature is not None:
            headers[SIGNATURE_HEADER] = signature
        try:
            async with self._session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer:
                return answer.status, await _first(answer.content, kept)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("Webhook not reached: %s", type(error).__name__)
            return None, type(error).__name__.encode()

    def _save(self, delivery: Delivery) -> None:
        self._state.save_delivery(delivery)
        self._stream.publish(lambda: {"kind": "delivery", "delivery": rows.delivery_row(delivery)})


async def _first(content: aiohttp.StreamReader, limit: int) -> bytes:
    """The first `limit` bytes of an answer, in however many pieces they come."""
    read = bytearray()
    while len(read) < limit and (piece := await content.read(limit - len(read))):
        read += piece
    return bytes(read)
