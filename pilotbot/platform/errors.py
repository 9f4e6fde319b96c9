"""What may go wrong between us and the platform, sorted by what to do about it (contract sections 1.4 and 3.8).

`classify` judges an HTTP answer, `network_error` a call that got none, `unreadable` a success that makes no sense. All
pure. What the platform writes in words may repeat a text or a number, so it is kept in `PlatformError.message` and
never shown by `str` or `repr`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import httpx
import orjson

from pilotbot.platform.retry import retry_after


class Family(StrEnum):
    """What a refused or lost call means for the message it carried."""

    RETRY = "retry"  # the same bytes may succeed later
    THROTTLED = "throttled"  # the same, but slower
    ALREADY_SENT = "already_sent"  # the key was used in an earlier life: count the message as sent
    WINDOW = "window"  # free-form is closed: decide the mode again
    REFUSED = "refused"  # this message can never go
    BLOCKED = "blocked"  # the number, the key or the set-up cannot send now: keep the queue
    UNREADABLE = "unreadable"  # an answer that says success and cannot be understood


class PlatformError(Exception):
    """A call that did not succeed.

    Attributes: `family`; `status`, the HTTP status or None when no answer came; `code`, the platform's stable code;
    `message`, the platform's own words (they may hold personal data: not for logs); `remedy`, one sentence saying what
    to do; `retry_after`, seconds the platform asked to wait; `outcome_unknown`, true when the platform may have acted
    all the same; `reason`, a short word some codes add; `keys`, the template variables concerned.
    """

    def __init__(
        self,
        family: Family,
        *,
        remedy: str,
        status: int | None = None,
        code: str | None = None,
        message: str = "",
        retry_after: float | None = None,
        outcome_unknown: bool = False,
        reason: str | None = None,
        keys: tuple[str, ...] = (),
    ) -> None:
        self.family = family
        self.status = status
        self.code = code
        self.message = message
        self.remedy = remedy
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown
        self.reason = reason
        self.keys = keys
        what = " ".join(str(part) for part in (status or "no answer", code, reason and f"({reason})") if part)
        about = f" [{', '.join(keys)}]" if keys else ""
        super().__init__(f"{what}{about}: {remedy}")

    @property
    def retryable(self) -> bool:
        """Whether the same request, byte for byte and under the same key, is worth another attempt."""
        return self.family in {Family.RETRY, Family.THROTTLED} or (self.family is Family.UNREADABLE and self.outcome_unknown)


_CODES: Final[dict[str, tuple[Family, str]]] = {
    # 400: the message itself
    "VALIDATION_ERROR": (Family.REFUSED, "Correct the request: the platform found a field missing or malformed."),
    "INVALID_DESTINATION": (Family.REFUSED, "Correct the destination: E.164 with +, or a group or newsletter id."),
    "MISSING_TEMPLATE_VARIABLES": (Family.REFUSED, "Give every variable of the template's approved body a value."),
    "INVALID_TEMPLATE_VARIABLE_VALUE": (Family.REFUSED, "Make every template variable a string that is not blank."),
    "NOT_SUPPORTED_FOR_META": (Family.REFUSED, "Use an Evolution number: a Meta number cannot do this."),
    "META_GROUPS_NOT_ELIGIBLE": (
        Family.REFUSED,
        "Write to the contact instead: groups need an Official Business Account on Meta.",
    ),
    "IDEMPOTENCY_KEY_INVALID": (Family.REFUSED, "Use a key of 1 to 255 characters without control characters."),
    "INVALID_DATE_RANGE": (Family.REFUSED, "Give a start date that is not after the end date."),
    "EMPTY_PATCH": (Family.REFUSED, "Name at least one field to change."),
    "NUMBER_MISMATCH": (
        Family.REFUSED,
        "Leave the number out, or name the key's own: a number key acts on one number.",
    ),
    "NUMBER_REQUIRED": (Family.REFUSED, "Name the number (number_id): a tenant key acts on none by itself."),
    "FEATURE_NOT_SUPPORTED": (Family.REFUSED, "Do without it: this number's provider does not offer the feature."),
    "TEMPLATE_EXAMPLES_REQUIRED": (Family.REFUSED, "Give an example for every variable of the template."),
    "META_TEMPLATE_SUBMIT_FAILED": (
        Family.REFUSED,
        "Read the message: Meta refused the template; change and resubmit.",
    ),
    "TEMPLATE_NOT_FOUND": (Family.REFUSED, "Check the template's name, and that this number has an approved version."),
    "WEBHOOK_NOT_FOUND": (Family.REFUSED, "List the webhooks: none with this id belongs to the key."),
    "TEMPLATE_CATEGORY_MARKETING_REQUIRES_OWN_NUMBER": (
        Family.REFUSED,
        "Connect a number of your own: marketing templates cannot use the shared one.",
    ),
    "NEWSLETTER_NOT_ALLOWED_IN_TEST": (Family.REFUSED, "Use a live key: test keys cannot send to newsletters."),
    # the window
    "FLOW_WINDOW_CLOSED": (Family.WINDOW, "Send a template: the contact has not written within 24 hours."),
    "META_OUTSIDE_24H_WINDOW": (Family.WINDOW, "Send a template: the contact has not written within 24 hours."),
    "META_NO_CONVERSATION": (Family.WINDOW, "Send a template: the contact has never written to this number."),
    # money and permission
    # One picture must not keep the texts behind it waiting: it goes to the dead letters, to be tried again once there is a subscription.
    "SUBSCRIPTION_REQUIRED_FOR_MEDIA": (Family.REFUSED, "Activate a paid subscription, then retry: media cannot go without one."),
    "PAYMENT_FAILED": (Family.BLOCKED, "Settle the payment in the dashboard; the queue is kept."),
    "INSUFFICIENT_FUNDS": (Family.BLOCKED, "Add funds in the dashboard; the queue is kept."),
    "TENANT_SCOPE_NOT_ALLOWED": (Family.BLOCKED, "Use the key of the number: a tenant key cannot do this."),
    "NUMBER_SCOPE_NOT_ALLOWED": (Family.BLOCKED, "Use the tenant key: a number key cannot do this."),
    "PERMISSION_DENIED": (Family.BLOCKED, "Give the key the permission in the dashboard."),
    "NUMBER_NOT_IN_GRANT": (Family.BLOCKED, "Use a key that covers this number."),
    # the number
    "NUMBER_BLOCKED": (Family.BLOCKED, "Settle what is due for this number in the dashboard; the queue is kept."),
    "WHATSAPP_INSTANCE_NOT_CONNECTED": (Family.BLOCKED, "Connect the number to WhatsApp again; the queue is kept."),
    "NUMBER_SOFT_DELETED": (Family.BLOCKED, "Restore the number in the dashboard (kept for 30 days)."),
    "NUMBER_NOT_FOUND": (Family.BLOCKED, "Check number_id: the key knows no such number."),
    "NUMBER_ALREADY_ACTIVE": (Family.REFUSED, "Nothing to do: the number is active already."),
    "CONFIRMATION_REQUIRED": (Family.REFUSED, "Confirm the change in the dashboard: it costs money."),
    "PAYMENT_IN_PROGRESS": (Family.BLOCKED, "Wait for the payment under way; the queue is kept."),
    # idempotency
    "IDEMPOTENCY_KEY_REUSED": (Family.ALREADY_SENT, "Count it as sent: the key went out before with another body."),
    "IDEMPOTENCY_KEY_IN_USE": (Family.RETRY, "Wait: the first attempt under this key is still running."),
    # the platform's own troubles
    "PROVIDER_NOT_CONFIGURED": (Family.BLOCKED, "Ask Pilot Status: this number's provider is not set up."),
    "EVOLUTION_API_KEY_MISSING": (Family.BLOCKED, "Ask Pilot Status: this number's provider is not set up."),
    "PAYMENT_PROVIDER_ERROR": (Family.RETRY, "Wait: the payment provider has trouble."),
    "UPSTREAM_TIMEOUT": (Family.RETRY, "Wait: WhatsApp did not answer the platform in time."),
    "UPSTREAM_ERROR": (Family.RETRY, "Wait: WhatsApp gave the platform an error."),
}

_THROTTLED: Final = "Slow down: the platform or WhatsApp limits the rate."
_STATUSES: Final[dict[int, tuple[Family, str]]] = {
    400: (Family.REFUSED, "Correct the request: the platform finds it invalid."),
    401: (Family.BLOCKED, "Check the API key: the platform does not accept it."),
    402: (Family.BLOCKED, "Check plan and balance in the dashboard; the queue is kept."),
    403: (Family.BLOCKED, "Check what the API key is allowed to do."),
    404: (Family.REFUSED, "Check the name or id: the key knows no such thing."),
    408: (Family.RETRY, "Wait: the platform did not get the whole request in time."),
    409: (Family.RETRY, "Try again later: the request conflicts with the present state; the message says how."),
    413: (Family.REFUSED, "Send a smaller body, for example media by URL instead of base64."),
    425: (Family.RETRY, "Try again: the platform was not ready."),
    429: (Family.THROTTLED, _THROTTLED),
}
_SET_UP: Final = "Check the base URL: what answered there is not the Pilot Status API."
_TROUBLE: Final = "Wait: the platform has trouble."
_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
_NAME: Final = re.compile(r"\w{1,64}", re.ASCII)
_MESSAGE_MAX: Final = 500


def classify(status: int, body: bytes, headers: Mapping[str, str], *, now: float) -> PlatformError:
    """Judge an answer that is not a success (contract 1.4, 3.8).

    Parameters: `status`, the HTTP status, outside 200..299; `body`, as received, which may be empty, HTML or anything;
    `headers`, found in lower case or without regard to case; `now`, Unix seconds, to read a `Retry-After` date.
    A known code decides; else the status; else, when the answer does not even look like the platform's, the set-up is
    blamed rather than the message. Unknown outcomes: every 5xx and 408.
    """
    document = loads(body)
    envelope = document if isinstance(document, dict) else {}
    code = _word(envelope.get("code"), _CODE)
    family, remedy = _judge(status, code, envelope)
    words = envelope.get("error")
    return PlatformError(
        family,
        status=status,
        code=code,
        message=words[:_MESSAGE_MAX] if isinstance(words, str) else f"HTTP {status}",
        remedy=remedy,
        retry_after=retry_after(headers, document, now),
        outcome_unknown=status >= 500 or status == 408,
        reason=_word(envelope.get("reason"), _NAME),
        keys=_keys(envelope.get("details")),
    )


def _judge(status: int, code: str | None, envelope: Mapping[str, object]) -> tuple[Family, str]:
    if code in _CODES:
        return _CODES[code]
    if code is not None and throttling(code):
        return Family.THROTTLED, _THROTTLED
    if status == 404 and not envelope:
        return Family.BLOCKED, _SET_UP
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:
        return Family.RETRY, _TROUBLE
    return (Family.REFUSED, _STATUSES[400][1]) if status > 400 and envelope else (Family.BLOCKED, _SET_UP)


def network_error(error: httpx.TransportError) -> PlatformError:
    """Judge a call that got no answer: the outcome is known (nothing left) only when no connection was made."""
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    late = isinstance(error, httpx.TimeoutException)
    where = "did not answer in time" if late else "cannot be reached" if unsent else "dropped the connection"
    return PlatformError(
        Family.RETRY,
        message=type(error).__name__,
        remedy=f"Check the network and the base URL: the platform {where}.",
        outcome_unknown=not unsent,
    )


def unreadable(what: str, *, status: int | None = None, outcome_unknown: bool = False) -> PlatformError:
    """Return the error for a success that cannot be understood; `what` names the expected thing, not the content."""
    return PlatformError(
        Family.UNREADABLE,
        status=status,
        message=f"not a readable {what}",
        remedy=f"Check the base URL and proxies: the answer is not a readable {what}.",
        outcome_unknown=outcome_unknown,
    )


def throttling(code: str) -> bool:
    """Whether a code speaks of a rate limit. The contract's own name for it is cut off after `META_RA`."""
    name = code.upper()
    return name.startswith("META_RA") or "RATE_LIMIT" in name or "TOO_MANY" in name


def loads(body: bytes) -> object:
    """Decode JSON, or return None for anything that is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _word(value: object, pattern: re.Pattern[str]) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _keys(details: object) -> tuple[str, ...]:
    """Return the variables that the details of a 400 name: `missingKeys`, `missing`, or `invalidKeys[].key`."""
    if not isinstance(details, dict):
        return ()
    named: list[object] = []
    for field in ("missingKeys", "missing", "invalidKeys"):
        found = details.get(field)
        named += found if isinstance(found, list) else []
    words = (_word(item.get("key") if isinstance(item, dict) else item, _NAME) for item in named)
    return tuple(word for word in words if word is not None)[:50]
