"""The fields that requests are made of: limits, addresses, texts and files, each checked as the contract has it (3.2 to 3.4).

Limits that the contract only infers from WhatsApp (lengths) count Unicode code points. What is wrong is said without the value, which may
be a contact's.
"""

import base64
import re
from collections.abc import Iterable
from datetime import UTC
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel

TEXT_LIMIT: Final = 4096
BODY_LIMIT: Final = 1024
CAPTION_LIMIT: Final = 1024
LABEL_LIMIT: Final = 20
BUTTON_LIMIT: Final = 3
FOOTER_LIMIT: Final = 60
HEADER_LIMIT: Final = 60
ROW_LIMIT: Final = 10
ROW_TITLE_LIMIT: Final = 24
ROW_DESCRIPTION_LIMIT: Final = 72
ROW_ID_LIMIT: Final = 200
CARD_LIMIT: Final = 10
CARD_BODY_LIMIT: Final = 160
CARD_BUTTON_LIMIT: Final = 2

Mode: TypeAlias = Literal["text", "buttons", "list", "carousel", "flow", "template", "media"]
MediaType: TypeAlias = Literal["image", "video", "document", "audio", "voice", "sticker"]

CAPTIONED: Final[frozenset[MediaType]] = frozenset({"image", "video", "document"})
"""Media that takes a caption, or stands above buttons (contract 3.3)."""

CONTACT: Final = r"^(?:\+[1-9][0-9]{6,14}|[A-Z]{2}(?:\.[A-Za-z0-9]{1,128}){1,3})$"
GROUP: Final = r"^[0-9]{1,40}(?:-[0-9]{1,20})?@g\.us$"
NEWSLETTER: Final = r"^[0-9]{1,64}@newsletter$"
"""With CONTACT and GROUP: the addresses that can be sent to (contract 3.2)."""

_URL: Final = re.compile(r"https?://[^\s]+", re.IGNORECASE)
_DATA: Final = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w-]+=[\w.+-]+)*;base64,", re.ASCII)


def not_blank(value: str) -> str:
    """Return a text as it is; ValueError where nothing of it would be seen."""
    if not value.replace("\ufeff", "").strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return value


def _url(value: str) -> str:
    try:
        host = urlsplit(value).hostname if _URL.fullmatch(value) else None
    except ValueError:
        host = None
    if not host:
        msg = "must be a public http(s) URL"
        raise ValueError(msg)
    return value


class Checked(str):
    """The address or data of a file that `check_media` let through: megabytes that are not looked at again."""

    __slots__ = ()


def check_media(value: str) -> Checked:
    """Return the address or data of a file as it is; ValueError, without it, where the platform would refuse it (contract 3.3)."""
    if isinstance(value, Checked):
        return value
    if not value.startswith("data:"):
        return Checked(_url(value))
    head = _DATA.match(value)
    if head is None:
        msg = "must be an http(s) URL or data:<mime>;base64,<data>"
        raise ValueError(msg)
    try:
        content = base64.b64decode(value[head.end() :], validate=True)
    except ValueError:
        content = b""
    if not content:
        msg = "must carry valid, non-empty base64 after data:<mime>;base64,"
        raise ValueError(msg)
    return Checked(value)


def _media(value: object, check: ValidatorFunctionWrapHandler) -> Checked:
    return value if isinstance(value, Checked) else check_media(check(value))


Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Filled = Annotated[str, AfterValidator(not_blank)]
Label = Annotated[str, StringConstraints(max_length=LABEL_LIMIT), AfterValidator(not_blank)]
WebUrl = Annotated[str, AfterValidator(_url)]
Media = Annotated[str, WrapValidator(_media)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class WirePart(BaseModel):
    """What all parts of a request share: frozen, nothing unknown, camelCase on the wire, silent in logs."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, object]]:
        return ()
