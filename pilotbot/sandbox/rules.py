"""What happens to a message, as pure functions: late failures, the window, templates, idempotency keys."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilotbot.sandbox.clock import DAY_MS
from pilotbot.sandbox.records import Json, Message, Number, Template, TemplateVersion

WINDOW_MS = DAY_MS
VARIABLE = re.compile(r"\{\{\s*(\w{1,64})\s*\}\}")

_BRAZIL_MOBILE = re.compile(r"\+55([0-9]{2})9([6-9][0-9]{7})")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message failed: the code and the text of ``message.failed`` (contract section 5)."""

    code: str
    text: str


def contact_key(contact: str) -> str:
    """One key for one person: Brazilian mobiles are the same with and without the ninth digit."""
    match = _BRAZIL_MOBILE.fullmatch(contact)
    return f"+55{match[1]}{match[2]}" if match else contact


def window_closes(number: Number, last_inbound_ms: int | None) -> int | None:
    """When the contact's window closes, in milliseconds; None where there is none (contract section 7)."""
    if number.kind != "meta" or last_inbound_ms is None:
        return None
    return last_inbound_ms + WINDOW_MS


def window_failure(number: Number, last_inbound_ms: int | None, now_ms: int) -> Failure | None:
    """Why nothing free-form may go to this contact of a Meta number now, or None."""
    if number.kind != "meta":
        return None
    if last_inbound_ms is None:
        return Failure("META_NO_CONVERSATION", "This contact has never written to the number")
    if now_ms >= last_inbound_ms + WINDOW_MS:
        return Failure("META_OUTSIDE_24H_WINDOW", "The 24-hour customer service window is closed for this contact")
    return None


def late_failure(
    message: Message,
    *,
    number: Number,
    template: Template | None,
    last_inbound_ms: int | None,
    now_ms: int,
    unreachable: tuple[str, ...] = (),
) -> Failure | None:
    """What WhatsApp refuses after the platform accepted, judged at the moment of sending; None sends it."""
    if message.deliver_until_ms is not None and now_ms > message.deliver_until_ms:
        return Failure("MESSAGE_EXPIRED", "The message was not sent before deliverUntil")
    if message.contact in unreachable:
        return Failure("WHATSAPP_NOT_EXIST", "Destination is not a WhatsApp account")
    if message.template_id is not None:
        return _template_failure(template, number)
    return window_failure(number, last_inbound_ms, now_ms) if message.chat_kind == "contact" else None


def _template_failure(template: Template | None, number: Number) -> Failure | None:
    if template is None:
        return Failure("TEMPLATE_VERSION_NOT_FOUND", "The template was deleted before the message was sent")
    if not sendable(template, number):
        return Failure("META_TEMPLATE_NOT_APPROVED", "The template is not approved")
    return None


def sendable(template: Template, number: Number) -> bool:
    """Whether the template may be sent now: on Meta its newest version must be approved (contract section 6)."""
    return number.kind != "meta" or template.versions[-1].status == "APPROVED"


def version_to_send(template: Template, number: Number) -> TemplateVersion | None:
    """The newest version that was ever approved; on Evolution the newest."""
    if number.kind != "meta":
        return template.versions[-1]
    return next((version for version in reversed(template.versions) if version.status == "APPROVED"), None)


def template_text(components: Json, part: str) -> str:
    """The text of one part (`header`, `body`, `footer`) of a template, or an empty string."""
    block = components.get(part)
    text = block.get("text") if isinstance(block, dict) else block
    return text if isinstance(text, str) else ""


def template_media(components: Json) -> tuple[str, str] | None:
    """The kind and the address of a template's media header, if it has one; the contract leaves the address's name open."""
    block = components.get("header")
    if not isinstance(block, dict) or block.get("type") not in {"IMAGE", "VIDEO", "DOCUMENT"}:
        return None
    addresses = (block.get(name) for name in ("url", "media", "content", "base64"))
    return str(block["type"]).lower(), next((address for address in addresses if isinstance(address, str)), "")


def template_buttons(components: Json, variables: Json) -> tuple[Json, ...]:
    """A template's buttons with the variables filled in, in the shape of buttons of a message."""
    buttons = components.get("buttons")
    return tuple(_template_button(each, variables) for each in (buttons if isinstance(buttons, list) else []) if isinstance(each, dict))


def _template_button(button: Json, variables: Json) -> Json:
    kind, label = button.get("type"), button.get("text")
    if kind == "URL":
        return {"type": "url", "label": str(label or "Open"), "url": fill(str(button.get("url") or ""), variables)}
    if kind == "PHONE_NUMBER":
        return {"type": "call", "label": str(label or "Call"), "phoneNumber": str(button.get("phone_number") or "")}
    if kind == "COPY_CODE":
        example = button.get("example")
        code = example[0] if isinstance(example, list) and example else example
        return {"type": "copy", "label": str(label or "Copy code"), "copyCode": str(code or "")}
    return {"type": "reply", "label": str(label or "")}


def template_variables(components: Json) -> tuple[str, ...]:
    """The names of the variables of header, body and button URLs, in order, each once."""
    texts = [template_text(components, "header"), template_text(components, "body")]
    buttons = components.get("buttons")
    texts += [str(button.get("url", "")) for button in (buttons if isinstance(buttons, list) else []) if isinstance(button, dict)]
    return tuple(dict.fromkeys(name for text in texts for name in VARIABLE.findall(text)))


def check_variables(names: tuple[str, ...], given: Json) -> tuple[list[str], list[Json]]:
    """The missing variables, and the invalid ones with their reason (contract 3.5)."""
    missing = [name for name in names if name not in given]
    wrong: list[Json] = []
    for name in names:
        value = given.get(name, "present")
        if not isinstance(value, str):
            wrong.append({"key": name, "reason": "must be a string"})
        elif not value.strip():
            wrong.append({"key": name, "reason": "must not be blank"})
    return missing, wrong


def fill(text: str, variables: Json) -> str:
    """Put the variables into a template's text, in one pass: a value is never read as a template."""
    return VARIABLE.sub(lambda match: str(variables.get(match[1], match[0])), text)


def idempotency_key_fault(key: str) -> str | None:
    """Why this `Idempotency-Key` is not one, or None (contract 3.7)."""
    if not 1 <= len(key) <= 255:
        return "Idempotency-Key must have 1 to 255 characters"
    if any(ord(char) < 32 or ord(char) == 127 for char in key):
        return "Idempotency-Key must not have control characters"
    if any("\ud800" <= char <= "\udfff" for char in key):
        return "Idempotency-Key must be UTF-8"
    return None
