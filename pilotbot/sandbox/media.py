"""Files for simulated contacts to send: uploaded, kept, and given to the phone page and to bots (contract section 9)."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from aiohttp import web

from pilotbot.sandbox import envelopes
from pilotbot.sandbox.clock import parse_duration
from pilotbot.sandbox.control_schemas import MediaRequest
from pilotbot.sandbox.errors import ApiError, invalid
from pilotbot.sandbox.http import PARTS, number_of, parse, reply
from pilotbot.sandbox.records import Media
from pilotbot.sandbox.schemas import is_data_uri, is_url
from pilotbot.sandbox.state import new_id

MAX_SIZE = 16 * 2**20
MAX_NAME = 200
MAX_TYPE = 127
PATH = "/sandbox/media/"

SAFE = {
    "image/jpeg": "image", "image/png": "image", "image/gif": "image", "image/webp": "image",
    "video/mp4": "video", "video/webm": "video", "video/3gpp": "video", "video/quicktime": "video",
    "audio/ogg": "audio", "audio/mpeg": "audio", "audio/mp4": "audio", "audio/aac": "audio", "audio/amr": "audio",
    "audio/wav": "audio", "audio/x-wav": "audio", "audio/webm": "audio",
    "application/pdf": "document",
}  # fmt: skip
"""The MIME types that a browser shows without running what is in them, and how WhatsApp shows them."""


async def upload(request: web.Request) -> web.Response:
    """``POST /sandbox/media``: keep a file; its address is the one that a message may carry."""
    parts = request.app[PARTS]
    wanted = parse(MediaRequest, await request.read())
    mime_type, data = decode(wanted.data)
    if len(data) > MAX_SIZE:
        raise ApiError(413, f"A file may have {MAX_SIZE // 2**20} MiB: this one has more", "MEDIA_TOO_LARGE")
    name = clean_name(wanted.filename or "") or kind_of(mime_type) + (mimetypes.guess_extension(mime_type) or "")
    now = parts.clock.now_ms()
    try:
        until = now + parse_duration(wanted.link_for) if wanted.link_for is not None else None
    except ValueError as error:
        raise invalid(f'"linkFor": {error}') from None
    media = Media(new_id("med_"), mime_type, name, len(data), now, until, wanted.redirect_to)
    parts.media.save(media.id, data)
    parts.state.save_media(media)
    return reply({
        "url": f"{request.scheme}://{request.host}{PATH}{media.id}",
        "mediaType": kind_of(mime_type),
        "mimeType": mime_type,
        "filename": name,
        "size": len(data),
    })  # fmt: skip


async def serve(request: web.Request) -> web.StreamResponse:
    """``GET /sandbox/media/{id}``: the bytes; what a browser might run is only there to be saved."""
    media, path = _find(request)
    if media.link_until_ms is not None and request.app[PARTS].clock.now_ms() >= media.link_until_ms:
        raise ApiError(410, "This link has expired", "MEDIA_EXPIRED")
    if media.redirect_to is not None:
        return web.Response(status=302, headers={"Location": media.redirect_to})
    safe = media.mime_type in SAFE
    name = quote(media.filename, safe="")
    headers = {
        "Content-Type": media.mime_type if safe else "application/octet-stream",
        "Content-Disposition": f"{'inline' if safe else 'attachment'}; filename*=UTF-8''{name}",
        "Cache-Control": "private, no-cache",
    }
    return web.FileResponse(path, headers=headers)


async def get(request: web.Request) -> web.Response:
    """``GET /v1/media/{mediaId}``: what a contact sent to this Meta number."""
    number, parts = number_of(request), request.app[PARTS]
    media, path = _find(request)
    named = request.query.get("phoneNumberId", envelopes.phone_number_id(number))
    sent_here = any(message.media_id == media.id for message in parts.state.messages_of(number.id))
    if not sent_here or named != envelopes.phone_number_id(number):
        raise _missing()
    encoded = base64.b64encode(path.read_bytes()).decode()
    return reply({
        "base64": f"data:{media.mime_type};base64,{encoded}",
        "mimeType": media.mime_type,
        "fileName": media.filename,
        "mediaId": media.id,
    })  # fmt: skip


def decode(uri: str) -> tuple[str, bytes]:
    """The MIME type, without its parameters, and the bytes of a data URI.

    Raises:
        ApiError: 400 when it is none.
    """
    head, _, body = uri.partition(",")
    mime_type = head.removeprefix("data:").partition(";")[0].lower()
    if not is_data_uri(uri) or not mime_type.isascii() or len(mime_type) > MAX_TYPE:
        raise invalid('"data" must be data:<mime>;base64,<data>')
    try:
        return mime_type, base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise invalid('"data" must be base64 after the comma: its letters or its padding are wrong') from None


def clean_name(name: str) -> str:
    """The last part of a file's name, without what is not to be seen; of a long one the end, where its kind stands."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")[-MAX_NAME:]


def kind_of(mime_type: str) -> str:
    """How WhatsApp shows such a file: image, video, audio, or document for all else."""
    return SAFE.get(mime_type, "document")


def uploaded(url: str, known: Mapping[str, Media]) -> Media | None:
    """The upload that an address is of, whatever name the sandbox was called by; None when it is of none."""
    return known.get(urlsplit(url).path.removeprefix(PATH)) if is_url(url) else None


def _find(request: web.Request) -> tuple[Media, Path]:
    parts = request.app[PARTS]
    media = parts.state.media.get(request.match_info["id"])
    path = parts.media.path(media.id) if media else None
    if media is None or path is None:
        raise _missing()
    return media, path


def _missing() -> ApiError:
    return ApiError(404, "Media not found", "MEDIA_NOT_FOUND")


ROUTES = (
    web.post("/sandbox/media", upload),
    web.get(PATH + "{id}", serve),
    web.get("/v1/media/{id}", get),
)
