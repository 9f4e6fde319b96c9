"""What a late refusal means: the `errorCode` of a `message.failed` or of a message read back (contract section 5)."""

from enum import StrEnum
from typing import Final

from pilotbot.platform.errors import throttling


class FailureFamily(StrEnum):
    """What a late `message.failed` means (contract section 5)."""

    WINDOW = "window"  # closed when it left: decide the mode again, once
    PERMANENT = "permanent"  # never resend as it is
    POSSIBLY_DELIVERED = "possibly_delivered"  # the contact may have it: never resend by machine
    NEVER_ATTEMPTED = "never_attempted"  # safe to send again if still relevant
    THROTTLED = "throttled"  # later and slower
    UNKNOWN = "unknown"  # a person should look


_DECIDE_AGAIN: Final = "The window was closed: it is decided again, as a template if there is one."
_FIX: Final = "Do not resend as it is: {}."
_MAYBE: Final = "Do not resend without asking: the contact may have it."
_FAILURES: Final[dict[str, tuple[FailureFamily, str]]] = {
    "META_OUTSIDE_24H_WINDOW": (FailureFamily.WINDOW, _DECIDE_AGAIN),
    "META_NO_CONVERSATION": (FailureFamily.WINDOW, _DECIDE_AGAIN),
    "FLOW_WINDOW_CLOSED": (FailureFamily.WINDOW, _DECIDE_AGAIN),
    "META_TEMPLATE_NOT_APPROVED": (FailureFamily.PERMANENT, _FIX.format("get the template approved first")),
    "TEMPLATE_VERSION_NOT_FOUND": (FailureFamily.PERMANENT, _FIX.format("the template has no such version")),
    "WHATSAPP_NOT_EXIST": (FailureFamily.PERMANENT, _FIX.format("the number has no WhatsApp")),
    "INVALID_DESTINATION": (FailureFamily.PERMANENT, _FIX.format("correct the destination")),
    "PILOT_SELF_NUMBER": (FailureFamily.PERMANENT, _FIX.format("the destination is the platform's own number")),
    "NUMBER_NOT_FOUND_REMOVED": (FailureFamily.PERMANENT, _FIX.format("the sending number was removed")),
    "LINKED_WHATSAPP_INSTANCE_NOT_FOUND": (FailureFamily.PERMANENT, _FIX.format("link the sending number again")),
    "DELIVERED_NOT_CONFIRMED": (FailureFamily.POSSIBLY_DELIVERED, _MAYBE),
    "DELIVERY_TIMEOUT": (FailureFamily.POSSIBLY_DELIVERED, _MAYBE),
    "EXPIRED_AFTER_ATTEMPTS": (FailureFamily.POSSIBLY_DELIVERED, _MAYBE),
    "MESSAGE_EXPIRED": (FailureFamily.POSSIBLY_DELIVERED, _MAYBE),
    "NEVER_ATTEMPTED_MAX_AGE_EXCEEDED": (
        FailureFamily.NEVER_ATTEMPTED,
        "Send it again if it still matters: the platform never tried.",
    ),
}


def failure_family(error_code: str | None) -> FailureFamily:
    """Sort the `errorCode` of a `message.failed` by what may be done (contract section 5). Never raises."""
    return _failure(error_code)[0]


def failure_remedy(error_code: str | None) -> str:
    """Return the sentence that tells operations people what to do about a `message.failed`."""
    return _failure(error_code)[1]


def _failure(code: str | None) -> tuple[FailureFamily, str]:
    if code is None:
        return FailureFamily.UNKNOWN, "Look at the message in the dashboard: the platform gave no code."
    if code in _FAILURES:
        return _FAILURES[code]
    if throttling(code):
        return FailureFamily.THROTTLED, "Send it again later, and slower: WhatsApp limited the rate."
    if code.startswith("NUMBER_"):
        return FailureFamily.PERMANENT, _FIX.format("the sending number has a problem")
    return FailureFamily.UNKNOWN, "Look at the message in the dashboard: the code is not known here."
