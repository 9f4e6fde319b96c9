"""What the sandbox makes of a request, by its own schemas and rules, written apart from the code under test; asked without a network."""

from functools import cache
from typing import Any

import orjson

from pilotbot.replies import NumberKind
from pilotbot.sandbox import outbound
from pilotbot.sandbox.app import _build
from pilotbot.sandbox.clock import DAY_MS
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.http import parse
from pilotbot.sandbox.lifecycle import Parts
from pilotbot.sandbox.records import Chat, Number, Template, TemplateVersion
from pilotbot.sandbox.rules import late_failure
from pilotbot.sandbox.schemas import SendRequest
from pilotbot.sandbox.settings import SandboxSettings

KINDS: tuple[NumberKind, ...] = ("meta", "evolution_v2", "evolution_go")


@cache
def _parts() -> Parts:
    """A sandbox that nobody can call; its Meta number may write to groups."""
    numbers = tuple(Number(kind, f"+55114002893{at}", kind, kind, official=True) for at, kind in enumerate(KINDS))
    return _build(SandboxSettings(numbers=numbers, keys=(), templates=()))


def refusal(body: dict[str, Any], kind: NumberKind, *, window_open: bool = True, variables: tuple[str, ...] = ()) -> str | None:
    """The code with which the sandbox would refuse a request, at once or late; None where it would send it.

    `variables` are those of the template that it names.
    """
    parts = _parts()
    number, now = parts.state.number(kind), parts.clock.now_ms()
    if isinstance(address := body.get("destinationNumber"), str):
        parts.state.save_chat(Chat(kind, address, "contact", last_inbound_ms=now if window_open else now - 2 * DAY_MS))
    template = None
    if body.get("templateId") == "order_status":
        words: dict[str, object] = {"body": {"text": " ".join(f"{{{{{name}}}}}" for name in variables)}}
        template = Template("tpl_1", kind, "order_status", "UTILITY", "pt_BR", (TemplateVersion(words, "APPROVED", now),))
        parts.state.save_template(template)
    try:
        message = outbound.build(parse(SendRequest, orjson.dumps(body)), number, parts, None)
    except ApiError as error:
        return error.code
    seen = parts.state.last_inbound(kind, message.contact)
    late = late_failure(message, number=number, template=template, last_inbound_ms=seen, now_ms=now)
    return late.code if late is not None else None
