"""Every code of the platform, and what it means for a message: the one table, of refusals at the post and of late failures.

Contract sections 1.4, 3.8 and 5. `docs/failures.md` is made of it, by `failures_page`.
"""

from enum import StrEnum
from typing import Final, NamedTuple


class Family(StrEnum):
    """What a refused or lost call means for the message it carried."""

    RETRY = "retry"  # the same bytes may succeed later
    THROTTLED = "throttled"  # the same, but slower
    ALREADY_SENT = "already_sent"  # the key was used in an earlier life: count the message as sent
    WINDOW = "window"  # free-form is closed: decide the mode again
    REFUSED = "refused"  # this message can never go
    BLOCKED = "blocked"  # the number, the key or the set-up cannot send now: keep the queue
    UNREADABLE = "unreadable"  # an answer that says success and cannot be understood


class FailureFamily(StrEnum):
    """What a late `message.failed` means (contract section 5)."""

    WINDOW = "window"  # closed when it left: decide the mode again, once
    PERMANENT = "permanent"  # never resend as it is
    POSSIBLY_DELIVERED = "possibly_delivered"  # the contact may have it: never resend by machine
    NEVER_ATTEMPTED = "never_attempted"  # safe to send again if still relevant
    THROTTLED = "throttled"  # later and slower
    UNKNOWN = "unknown"  # a person should look


class Failure(NamedTuple):
    """A late failure: its family, what happened, and what is to be done about it."""

    family: FailureFamily
    meaning: str
    remedy: str


AT_POST: Final[dict[str, tuple[Family, str]]] = {
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

SLOW_DOWN: Final = "Slow down: the platform or WhatsApp limits the rate."
STATUSES: Final[dict[int, tuple[Family, str]]] = {
    400: (Family.REFUSED, "Correct the request: the platform finds it invalid."),
    401: (Family.BLOCKED, "Check the API key: the platform does not accept it."),
    402: (Family.BLOCKED, "Check plan and balance in the dashboard; the queue is kept."),
    403: (Family.BLOCKED, "Check what the API key is allowed to do."),
    404: (Family.REFUSED, "Check the name or id: the key knows no such thing."),
    408: (Family.RETRY, "Wait: the platform did not get the whole request in time."),
    409: (Family.RETRY, "Try again later: the request conflicts with the present state; the message says how."),
    413: (Family.REFUSED, "Send a smaller body, for example media by URL instead of base64."),
    425: (Family.RETRY, "Try again: the platform was not ready."),
    429: (Family.THROTTLED, SLOW_DOWN),
}

_AGAIN: Final = "Nothing to do: it is decided again, as a template if there is one."
_MAYBE: Final = "Ask before you send it again: the contact may have it."
_SHUT: Final = "The contact had not written within 24 hours."

LATE: Final[dict[str, Failure]] = {
    "META_OUTSIDE_24H_WINDOW": Failure(FailureFamily.WINDOW, _SHUT, _AGAIN),
    "META_NO_CONVERSATION": Failure(FailureFamily.WINDOW, "The contact has never written to this number.", _AGAIN),
    "FLOW_WINDOW_CLOSED": Failure(FailureFamily.WINDOW, _SHUT, _AGAIN),
    "META_TEMPLATE_NOT_APPROVED": Failure(
        FailureFamily.PERMANENT, "The template was not approved when it was to be sent.", "Get the template approved, then send again."
    ),
    "TEMPLATE_VERSION_NOT_FOUND": Failure(
        FailureFamily.PERMANENT, "The template has no version that can be sent.", "Publish a version of the template, then send again."
    ),
    "WHATSAPP_NOT_EXIST": Failure(
        FailureFamily.PERMANENT, "The phone number has no WhatsApp.", "Correct the number, or reach the contact by other means."
    ),
    "INVALID_DESTINATION": Failure(FailureFamily.PERMANENT, "The destination is not one.", "Correct the destination, then send again."),
    "PILOT_SELF_NUMBER": Failure(
        FailureFamily.PERMANENT, "The destination is the platform's own number.", "Write to another number: that one takes no messages."
    ),
    "NUMBER_NOT_FOUND_REMOVED": Failure(
        FailureFamily.PERMANENT, "The number that was to send it was removed.", "Restore the number, or send from another one."
    ),
    "LINKED_WHATSAPP_INSTANCE_NOT_FOUND": Failure(
        FailureFamily.PERMANENT, "The number that was to send it is not linked.", "Link the number again in the dashboard, then send again."
    ),
    "DELIVERED_NOT_CONFIRMED": Failure(
        FailureFamily.POSSIBLY_DELIVERED, "It was sent, and no confirmation came in time.", _MAYBE
    ),
    "DELIVERY_TIMEOUT": Failure(FailureFamily.POSSIBLY_DELIVERED, "Its delivery timed out.", _MAYBE),
    "EXPIRED_AFTER_ATTEMPTS": Failure(FailureFamily.POSSIBLY_DELIVERED, "It expired after attempts to deliver it.", _MAYBE),
    "MESSAGE_EXPIRED": Failure(FailureFamily.POSSIBLY_DELIVERED, "It passed its time limit.", _MAYBE),
    "NEVER_ATTEMPTED_MAX_AGE_EXCEEDED": Failure(
        FailureFamily.NEVER_ATTEMPTED, "It waited at the platform until it was too old, and was never tried.",
        "Send it again if it still matters; what is not too old is sent again by itself, once.",
    ),
}  # fmt: skip
THROTTLED: Final = Failure(
    FailureFamily.THROTTLED, "WhatsApp limited the rate.", "Nothing to do: it is sent again, later and slower, once."
)
OF_THE_NUMBER: Final = Failure(
    FailureFamily.PERMANENT, "The number that was to send it has a problem.", "Look after the number in the dashboard, then send again."
)
UNKNOWN: Final = Failure(
    FailureFamily.UNKNOWN, "The code is not known to this version.", "Look at the message in the dashboard before you send it again."
)
NO_CODE: Final = Failure(
    FailureFamily.UNKNOWN, "The platform gave no code.", "Look at the message in the dashboard before you send it again."
)


def throttling(code: str) -> bool:
    """Whether a code speaks of a rate limit. The contract's own name for it is cut off after `META_RA`."""
    name = code.upper()
    return name.startswith("META_RA") or "RATE_LIMIT" in name or "TOO_MANY" in name


DONE_AT_POST: Final[dict[Family, tuple[str, str]]] = {
    Family.RETRY: ("TryAgain", "posted again with back-off, the same bytes under the same key; five in a row pause the number"),
    Family.THROTTLED: ("Throttled", "posted again later, and the number pauses for as long as was asked"),
    Family.ALREADY_SENT: ("AlreadySent", "counted as sent"),
    Family.WINDOW: ("WindowClosed", "the window is shut, and the content is decided again, once; else a dead letter"),
    Family.REFUSED: ("Refused", "a dead letter; the chat goes on"),
    Family.BLOCKED: ("Blocked", "the number pauses, what waits is kept; looked at again every minute"),
    Family.UNREADABLE: ("Unreadable", "posted again with back-off, five times; then a dead letter"),
}
"""The exception of each family, and what the sender does."""

DONE_LATE: Final[dict[FailureFamily, str]] = {
    FailureFamily.WINDOW: "the window is shut unless the contact wrote since, and the content is decided again, once",
    FailureFamily.PERMANENT: "nothing: it would fail again",
    FailureFamily.POSSIBLY_DELIVERED: "nothing: the contact may have it; a late receipt wins",
    FailureFamily.NEVER_ATTEMPTED: "sent again, once: an answer within a day, anything else within eight days after it was taken",
    FailureFamily.THROTTLED: "the chat slows down for ten minutes, and the content is sent again at that pace, once",
    FailureFamily.UNKNOWN: "nothing: a person should look",
}
"""What is done by machine about a late failure."""
