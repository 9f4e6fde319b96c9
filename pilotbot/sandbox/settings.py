"""Every setting of the sandbox in one place, with its unit and default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pilotbot.sandbox.records import ApiKey, Json, MetaStatus, Number

META = Number("num_meta", "+551140028922", "Meta number", "meta")
EVOLUTION = Number("num_evolution", "+551140028933", "Evolution number", "evolution_v2")


@dataclass(frozen=True, slots=True)
class TemplateSeed:
    """A template that every number has when the sandbox first starts."""

    name: str
    body: str
    category: str = "UTILITY"
    status: MetaStatus = "APPROVED"
    language: str = "en"

    def components(self) -> Json:
        """The template's body as the object of contract section 6."""
        return {"header": {"type": "NONE"}, "body": {"text": self.body}, "buttons": []}


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How a sandbox is set up.

    Attributes:
        host: the address to listen on; loopback unless you know why not.
        port: the port to listen on; 0 takes a free one.
        data_dir: where the state is kept between runs; None keeps nothing.
        numbers: the workspace's numbers; the first is the one that control calls mean by default.
        keys: the API keys, one a number and one for the tenant.
        templates: the templates each number starts with.
        webhook_secret: signs the webhooks, unless one was given its own.
        retry_schedule: seconds, on the sandbox's clock, before each further attempt of a delivery.
        webhook_timeout: seconds of real time that a receiver has to answer.
        webhook_concurrency: attempts under way at once for one webhook.
        receipt_delay: smallest and largest seconds before each of sent, delivered, read.
        latency_ms: milliseconds each ``/v1`` call waits before it is served.
        unreachable: phone numbers that have no WhatsApp.
        template_approval: ``manual`` waits for ``/sandbox/templates/{name}/approve``, ``instant`` does not.
        tenant_sends: whether a tenant key that names a number may send (contract 1.3 is contradictory).
        allowed_hosts: names beside loopback, without a port, that callers may use; in a container, what others call it.
        kept_deliveries: how many settled deliveries are remembered.
        seed: makes the random choices (delays, faults) repeatable.
    """

    host: str = "127.0.0.1"
    port: int = 8700
    data_dir: Path | None = None
    numbers: tuple[Number, ...] = (META, EVOLUTION)
    keys: tuple[ApiKey, ...] = (
        ApiKey("key_number", "ps_sandbox_number", META.id),
        ApiKey("key_evolution", "ps_sandbox_evolution", EVOLUTION.id),
        ApiKey("key_tenant", "ps_sandbox_tenant", None),
    )
    templates: tuple[TemplateSeed, ...] = (
        TemplateSeed("order_status", "Your order {{order_id}} is {{status}} now."),
        TemplateSeed("follow_up", "Hello again! Is there anything else we can do for you?"),
        TemplateSeed("welcome", "Hello {{name}}, welcome to our shop."),
        TemplateSeed("promo_draft", "Hi {{name}}, our sale begins today.", "MARKETING", "PENDING"),
    )
    webhook_secret: str = "sandbox-webhook-secret"  # noqa: S105 (the sandbox's published default, not a secret)
    retry_schedule: tuple[float, ...] = (0.5, 1.5, 3, 5, 10, 20, 40, 80, 160, 280)
    webhook_timeout: float = 10.0
    webhook_concurrency: int = 64
    receipt_delay: tuple[float, float] = (0.05, 0.4)
    latency_ms: int = 0
    unreachable: tuple[str, ...] = ("+5511900000000",)
    template_approval: Literal["manual", "instant"] = "manual"
    tenant_sends: bool = False
    allowed_hosts: tuple[str, ...] = ()
    kept_deliveries: int = 2000
    seed: int | None = None
