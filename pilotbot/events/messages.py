"""Reading `message.*`: schema v3 and the older payloads with the same readers (contract 8.6 to 8.9)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypedDict, get_args

from pilotbot.events.fields import Data, address, identifier, mapping, text, time
from pilotbot.events.models import Event, Group, Media, Newsletter, Received, Reply, Status, StatusName, Tap

Reader = Callable[[str, str, Data], Event | None]
"""Takes the event's name, its id and its data; gives None where an address is missing that it cannot be without."""

_MEDIA_KINDS = frozenset({"image", "audio", "video", "document", "sticker"})
_TAP_TYPES = frozenset({"interactive", "button"})
_STATUSES: tuple[StatusName, ...] = get_args(StatusName)


class _Common(TypedDict):
    name: str
    id: str
    at: int | None
    number_id: str | None
    data: Data
    message_id: str | None
    sender_name: str | None
    to: str | None
    from_me: bool
    type: str
    text: str
    media: Media | None
    tap: Tap | None
    correlation_id: str | None


def _received(name: str, id_: str, data: Data) -> Event | None:
    sender = address(data, "from", "fromNumber")
    return Received(sender=sender, **_common(name, id_, data, _content(data))) if sender else None


def _reply(name: str, id_: str, data: Data) -> Event | None:
    sender = address(data, "from", "fromNumber")
    if not sender:
        return None
    # Older payloads have the two the other way round: `content` is the quoted text there (contract 8.8, 8.9).
    older = data.get("replyContent") is not None
    content = text(data, "replyContent") or "" if older else _content(data)
    quoted_text = text(data, "content") if older else text(data, "contentReplied")
    quoted_id = identifier(data, "quotedMessageId")
    return Reply(sender=sender, quoted_id=quoted_id, quoted_text=quoted_text, **_common(name, id_, data, content))


def _group(name: str, id_: str, data: Data) -> Event | None:
    group_id = address(data, "groupId") or _at_host(data, "@g.us")
    sender = address(data, "from", "fromNumber")
    if not sender or not group_id:
        return None
    common = _common(name, id_, data, _content(data))
    return Group(sender=sender, group_id=group_id, group_name=text(data, "groupName"), **common)


def _newsletter(name: str, id_: str, data: Data) -> Event | None:
    newsletter_id = address(data, "newsletterId") or _at_host(data, "@newsletter")
    sender = address(data, "from", "fromNumber") or newsletter_id
    if not sender or not newsletter_id:
        return None
    common = _common(name, id_, data, _content(data))
    title = text(data, "newsletterName")
    return Newsletter(sender=sender, newsletter_id=newsletter_id, newsletter_name=title, **common)


def _status(status: StatusName, name: str, id_: str, data: Data) -> Event | None:
    to = address(data, "to", "destinationNumber", "groupId", "newsletterId")
    if not to:
        return None
    at = time(data, "createdAt", f"{status}At")
    known = {each: time(data, f"{each}At") for each in _STATUSES} | {status: at}
    return Status(
        name=name,
        id=id_,
        at=at,
        number_id=identifier(data, "numberId"),
        data=data,
        status=status,
        to=to,
        message_id=identifier(data, "messageId"),
        correlation_id=identifier(data, "correlationId"),
        error=text(data, "error", "errorMessage"),
        error_code=text(data, "errorCode"),
        reached={each: moment for each, moment in known.items() if moment is not None},
        cost=text(mapping(data, "metaPricing"), "category"),
    )


MESSAGES: Mapping[str, Reader] = {
    "message.received": _received,
    "message.reply": _reply,
    "message.group": _group,
    "message.newsletter": _newsletter,
    "message.sent": partial(_status, "sent"),
    "message.delivered": partial(_status, "delivered"),
    "message.read": partial(_status, "read"),
    "message.failed": partial(_status, "failed"),
}


def _common(name: str, id_: str, data: Data, content: str) -> _Common:
    from_me = data.get("fromMe") is True
    kind = (text(data, "type") or "").lower()
    media = _media(kind, data)
    tap = None if from_me else read_tap(kind, content, data)
    return {
        "name": name,
        "id": id_,
        "at": time(data, "createdAt", "receivedAt", "happenedAt", "timestamp"),
        "number_id": identifier(data, "numberId"),
        "data": data,
        "message_id": identifier(data, "messageId"),
        "sender_name": text(data, "participantName", "fromName"),
        "to": address(data, "to", "destinationNumber"),
        "from_me": from_me,
        "type": "text" if kind in _TAP_TYPES else kind or (media.kind if media else "text"),
        "text": content or (tap.label if tap else ""),
        "media": media,
        "tap": tap,
        "correlation_id": identifier(data, "correlationId"),
    }


def _content(data: Data) -> str:
    return text(data, "content", "mediaCaption") or ""


def _at_host(data: Data, host: str) -> str | None:
    found = (address(data, name) for name in ("to", "destinationNumber", "from", "fromNumber"))
    return next((one for one in found if one and one.endswith(host)), None)


def _media(kind: str, data: Data) -> Media | None:
    mime = text(data, "mediaType")
    url = text(data, "mediaLink")
    if kind not in _MEDIA_KINDS:
        if mime is None and url is None:
            return None
        kind = _kind_of(mime, url)
        if not kind:
            return None
    ids = identifier(data, "mediaId"), identifier(data, "phoneNumberId")
    return Media(kind, url, mime if mime and "/" in mime else None, text(data, "mediaFilename"), *ids)


def _kind_of(mime: str | None, url: str | None) -> str:
    """Return the kind of media where `type` does not say it: by MIME type or kind word, else document if linked."""
    word = (mime or "").partition("/")[0].strip().lower()
    if word in _MEDIA_KINDS:
        return word
    return "document" if url and word not in _TAP_TYPES else ""


def read_tap(kind: str, content: str, data: Data) -> Tap | None:
    """Return the tap on an option where the wire marks it as one (contract 8.8, variants c to e), else None.

    Args:
        kind: The message's `type`, in lower case.
        content: What the message says; the label unless `interactive` or `button` has it.
        data: The message, of Pilot Status or of Meta.
    """
    interactive = mapping(data, "interactive")
    answer = mapping(interactive, "button_reply") or mapping(interactive, "list_reply") or interactive
    button = mapping(data, "button")
    choice_id = (
        text(data, "buttonId", "rowId") or text(answer, "id", "buttonId", "rowId") or text(button, "payload") or text(data, "payload")
    )
    label = content or text(answer, "title") or text(button, "text") or ""
    marked = choice_id or interactive or kind in _TAP_TYPES or data.get("mediaType") in ("interactive", "button")
    return Tap(label, choice_id) if marked and (label or choice_id) else None
