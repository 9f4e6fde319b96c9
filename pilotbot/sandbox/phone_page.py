"""The phone page: its files, found once at start and served by name, so that no request names a path of the disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).with_name("phone")
INDEX = "index.html"
MISSING = "The phone page is not part of this installation; the API is under /v1 and /sandbox.\n"

FILES = web.AppKey("files", Mapping[str, Path])


def files_in(folder: Path) -> Mapping[str, Path]:
    """The files of a folder by name; none when there is no such folder."""
    if not folder.is_dir():
        return {}
    return {path.name: path.resolve() for path in folder.iterdir() if path.is_file()}


async def page(request: web.Request) -> web.StreamResponse:
    """``GET /``: the page, or a hint where it was not installed."""
    path = request.app[FILES].get(INDEX)
    return web.Response(text=MISSING) if path is None else _answer(path)


async def file(request: web.Request) -> web.StreamResponse:
    """``GET /phone/{name}``: what the page is made of."""
    path = request.app[FILES].get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return _answer(path)


def _answer(path: Path) -> web.FileResponse:
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


ROUTES = (web.get("/", page), web.get("/phone/{name:.+}", file))
