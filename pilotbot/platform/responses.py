"""What comes back, read with tolerance: unknown keys are ignored, optional ones may be missing or odd (contract 3.6, 4, 6, 8.1).

Only what a caller cannot do without is required; when that is missing or of a wrong type, `PlatformError` of the family
UNREADABLE says so. Texts, phone numbers and URLs (they may carry a token) are kept out of `repr`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel

from pilotbot.platform.codes import FailureFamily
from pilotbot.platform.errors import loads, unreadable
from pilotbot.platform.failures import failure_family

_OF_VERSION: Final = ("metaStatus", "metaLanguage", "source", "sendable")
_VARIABLE: Final = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def _or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


def _strings(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


_Odd = WrapValidator(_or_none)
Text = Annotated[str | None, _Odd]
Time = Annotated[datetime | None, _Odd]
Whole = Annotated[int | None, _Odd]
Flag = Annotated[bool | None, _Odd]
Strings = Annotated[tuple[str, ...], WrapValidator(lambda value, _read: _strings(value))]
Required = Annotated[str, Field(min_length=1)]


class _Answer(BaseModel):
    """What all answers share: frozen, unknown keys ignored, camelCase on the wire."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
    )


class Accepted(_Answer):
    """The 202 of a send (contract 3.6): the platform has the message. `replayed`: it had it already under this key."""

    id: Required
    correlation_id: Text = None
    status: Text = None
    created_at: Time = None
    source_number: Text = Field(default=None, repr=False)
    replayed: bool = False


class MetaPricing(_Answer):
    """How WhatsApp billed a message."""

    category: Text = None


class MessageStatus(_Answer):
    """One sent message as the platform sees it now (contract 4.1). `status` is an open set: QUEUED, SENT, ..."""

    id: Required
    status: Required
    external_message_id: Text = None
    correlation_id: Text = None
    destination_number: Text = Field(default=None, repr=False)
    template: Text = None
    created_at: Time = None
    sent_at: Time = None
    delivered_at: Time = None
    read_at: Time = None
    error_code: Text = None
    error_message: Text = Field(default=None, repr=False)
    origin: Text = None
    meta_pricing: Annotated[MetaPricing | None, _Odd] = None

    @property
    def category(self) -> str | None:
        """What WhatsApp billed it as, where that is known already: a word such as "utility"."""
        return self.meta_pricing.category if self.meta_pricing is not None else None

    @property
    def failure(self) -> FailureFamily | None:
        """What the failure means (contract 5), or None when the message has not failed."""
        return failure_family(self.error_code) if self.status.upper() == "FAILED" else None


class HistoryMedia(_Answer):
    """The media of a history row."""

    id: Text = None
    url: Text = Field(default=None, repr=False)
    mime_type: Text = None
    file_name: Text = Field(default=None, repr=False)


class HistoryRow(_Answer):
    """One message of the conversation history, of either direction (contract 4.3). A group's or a newsletter's has its id."""

    id: Required
    direction: Text = None
    conversation_id: Text = None
    group_id: Text = None
    newsletter_id: Text = None
    external_message_id: Text = None
    status: Text = None
    message_type: Text = None
    origin: Text = None
    text: Text = Field(default=None, repr=False)
    participant_name: Text = Field(default=None, repr=False)
    participant_phone: Text = Field(default=None, repr=False)
    participant_user_id: Text = Field(default=None, repr=False)
    replied_to_external_id: Text = None
    media: Annotated[HistoryMedia | None, _Odd] = None
    sent_at: Time = None
    delivered_at: Time = None
    read_at: Time = None
    provider_timestamp: Time = None
    created_at: Time = None
    redacted: Flag = None


class HistoryPage(_Answer):
    """A page of history, newest first. `notice` is set where privacy hides the content. Unreadable rows are left out."""

    messages: tuple[HistoryRow, ...]
    total: Whole = None
    page: Whole = None
    page_size: Whole = None
    total_pages: Whole = None
    notice: Text = None


class TemplateInfo(_Answer):
    """A template as the platform knows it (contract 6). `variables`: the names its body needs, in order.

    `body` is an object, the same as JSON or the body's text alone; `components`, where they come apart, is the object then.
    """

    id: Required
    name: Required
    category: Text = None
    source: Text = None
    meta_status: Text = None
    meta_language: Text = None
    sendable: Flag = None
    body: object = Field(default=None, repr=False)
    components: object = Field(default=None, repr=False)
    variables: tuple[str, ...] = ()
    has_version: bool = True

    def problem(self, *, meta: bool) -> str | None:
        """Return why the template cannot be sent from a Meta number (`meta`) or an Evolution number, or None if it can.

        The platform's own `sendable` decides where it is given.
        """
        if self.sendable is not None:
            return None if self.sendable else f"the platform says it is not sendable ({self.meta_status or 'no status'})"
        if not self.has_version:
            return "it has no approved version"
        if meta and self.source not in {None, "META"}:
            return "it was not submitted to Meta"
        if meta and self.meta_status != "APPROVED" and (self.source or self.meta_status):
            return f"Meta has not approved it ({self.meta_status or 'no status'})"
        return None


class Webhook(_Answer):
    """A registered webhook (contract 8.1). `url` may carry a secret token: not for logs."""

    id: Required
    url: Required = Field(repr=False)
    name: Text = None
    active: Flag = None
    events: Strings = ()
    environment: Text = None
    whatsapp_number_ids: Strings = ()
    last_triggered: Time = None
    created_at: Time = None
    updated_at: Time = None


class WebhookLog(_Answer):
    """One delivery attempt of a webhook, newest first in a list."""

    event: Text = None
    status: Text = None
    status_code: Whole = None
    duration_ms: Annotated[float | None, _Odd] = None
    created_at: Time = None
    payload: object = Field(default=None, repr=False)
    response: object = Field(default=None, repr=False)


class CancelResult(_Answer):
    """What a cancel did (contract 4.2). The ids are empty where the platform answers with counts alone."""

    cancelled: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    cancelled_count: int = 0
    failed_count: int = 0


AnswerT = TypeVar("AnswerT", bound=_Answer)


def accepted(body: bytes, *, replayed: bool) -> Accepted:
    """Read the body of a successful send. Raises `PlatformError` (UNREADABLE, outcome unknown)."""
    document = loads(body)
    try:
        if isinstance(document, dict):
            return Accepted.model_validate({**document, "replayed": replayed})
    except ValidationError:
        pass
    raise unreadable("acceptance of a message", outcome_unknown=True)


def one(model: type[AnswerT], document: object, what: str) -> AnswerT:
    """Read one object. Raises `PlatformError` (UNREADABLE)."""
    try:
        return model.model_validate(document)
    except ValidationError:
        raise unreadable(what) from None


def some(model: type[AnswerT], document: object, wrapper: str, what: str) -> tuple[AnswerT, ...]:
    """Read a list, bare or under the key `wrapper` (or `data`), leaving out the items that cannot be read.

    Raises `PlatformError` (UNREADABLE) when there is no list.
    """
    return tuple(_readable(model.model_validate, _items(document, wrapper, what)))


def history_page(document: object) -> HistoryPage:
    """Read a page of history. Raises `PlatformError` (UNREADABLE)."""
    rows = some(HistoryRow, document, "messages", "page of history")
    return HistoryPage.model_validate({**(document if isinstance(document, dict) else {}), "messages": rows})


def template(document: object) -> TemplateInfo:
    """Read one template, in the shape of the documentation or of the SDK. Raises `PlatformError` (UNREADABLE)."""
    try:
        return _template(document)
    except ValidationError:
        raise unreadable("template") from None


def templates(document: object) -> tuple[TemplateInfo, ...]:
    """Read the list of templates, bare or wrapped. Raises `PlatformError` (UNREADABLE)."""
    return tuple(_readable(_template, _items(document, "templates", "list of templates")))


def cancel_result(document: object) -> CancelResult:
    """Read the answer to a cancel: arrays, or counts. Raises `PlatformError` (UNREADABLE)."""
    if not isinstance(document, dict) or not document.keys() & {"cancelled", "failed", "notFound"}:
        raise unreadable("answer to a cancel")
    done, failed = document.get("cancelled"), document.get("failed", document.get("notFound"))
    ids = _strings(done)
    failures = tuple(
        (str(item["id"]), str(item.get("reason", "")))
        for item in (failed if isinstance(failed, list) else ())
        if isinstance(item, dict) and "id" in item
    )
    return CancelResult(
        cancelled=ids,
        failed=failures,
        cancelled_count=_count(done, len(ids)),
        failed_count=_count(failed, len(failures)),
    )


def _count(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _items(document: object, wrapper: str, what: str) -> list[object]:
    found = document
    if isinstance(document, dict):
        found = document.get(wrapper, document.get("data"))
    if not isinstance(found, list):
        raise unreadable(what)
    return found


def _readable(read: Callable[[object], AnswerT], items: list[object]) -> Iterator[AnswerT]:
    for item in items:
        try:
            yield read(item)
        except ValidationError:
            continue


def _template(document: object) -> TemplateInfo:
    if not isinstance(document, dict):
        return TemplateInfo.model_validate(document)
    version = document.get("latestVersion")
    inner = version if isinstance(version, dict) else {}
    told = {**inner, **document}  # the SDK's type has all of it in the newest version
    body, components = told.get("body"), told.get("components")
    return TemplateInfo.model_validate(
        {
            **{key: told[key] for key in _OF_VERSION if key in told},
            **document,
            "body": body,
            "components": components,
            "variables": _names(told.get("variables")) or _in_body(components or body),
            "hasVersion": version is not None or "latestVersion" not in document,
        }
    )


def _names(variables: object) -> tuple[str, ...]:
    """Return the names of a list of strings or of objects with `name` or `key`, or of an object's keys."""
    if isinstance(variables, dict):
        return tuple(variables)
    if not isinstance(variables, list):
        return ()
    named = [item.get("name", item.get("key")) if isinstance(item, dict) else item for item in variables]
    return tuple(item for item in named if isinstance(item, str))


def _in_body(body: object) -> tuple[str, ...]:
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))
