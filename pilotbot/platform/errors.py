"""What may go wrong between us and the platform, sorted by what to do about it (contract sections 1.4 and 3.8).

`classify` judges an HTTP answer, `network_error` a call that got none, `unreadable` a success that makes no sense. All
pure; which code means what is in `codes`. What the platform writes in words may repeat a text or a number, so it is kept
in `PlatformError.message` and never shown by `str` or `repr`.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import httpx
import orjson

from pilotbot.platform.codes import AT_POST, SLOW_DOWN, STATUSES, Family, throttling
from pilotbot.platform.retry import retry_after


class PlatformError(Exception):
    """A call that did not succeed. Each family has its subclass, and `PlatformError(family, ...)` makes one of that.

    Attributes: `family`; `status`, the HTTP status or None when no answer came; `code`, the platform's stable code;
    `message`, the platform's own words (they may hold personal data: not for logs); `remedy`, one sentence saying what
    to do; `retry_after`, seconds the platform asked to wait; `outcome_unknown`, true when the platform may have acted
    all the same; `reason`, a short word some codes add; `keys`, the template variables concerned.
    """

    _of: ClassVar[dict[Family, type["PlatformError"]]] = {}

    def __init_subclass__(cls, *, family: Family) -> None:
        """Be what is raised for a family."""
        PlatformError._of[family] = cls

    def __new__(cls, family: Family, **_: Any) -> Self:
        """Make one of the family's own class."""
        return super().__new__(cls._of[family])  # type: ignore[return-value]

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


class TryAgain(PlatformError, family=Family.RETRY):
    """The same bytes may succeed later."""


class Throttled(PlatformError, family=Family.THROTTLED):
    """The same, but slower."""


class AlreadySent(PlatformError, family=Family.ALREADY_SENT):
    """The key was used in an earlier life: the message counts as sent."""


class WindowClosed(PlatformError, family=Family.WINDOW):
    """Free-form is closed: the mode is decided again."""


class Refused(PlatformError, family=Family.REFUSED):
    """This message can never go."""


class Blocked(PlatformError, family=Family.BLOCKED):
    """The number, the key or the set-up cannot send now."""


class Unreadable(PlatformError, family=Family.UNREADABLE):
    """An answer that says success and cannot be understood."""


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
    if code in AT_POST:
        return AT_POST[code]
    if code is not None and throttling(code):
        return Family.THROTTLED, SLOW_DOWN
    if status == 404 and not envelope:
        return Family.BLOCKED, _SET_UP
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500:
        return Family.RETRY, _TROUBLE
    return (Family.REFUSED, STATUSES[400][1]) if status > 400 and envelope else (Family.BLOCKED, _SET_UP)


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
