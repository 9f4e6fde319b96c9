"""How the phone's files are served: those of the folder, by name, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from pilotbot.sandbox import Sandbox, phone_page
from tests.sandbox.conftest import QUICK, Api

ELSEWHERE = [
    "../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "%2fetc%2fpasswd", "..", "./main.js",
    "%00", "main.js%00", "%0a", "%ff", "a" * 5000, "a/" * 2000,
]  # fmt: skip


async def test_the_page_is_served_with_a_strict_policy(api: Api) -> None:
    answer = await api.call("GET", "/")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_only_its_own_files_are_served(sandbox: Sandbox, session: aiohttp.ClientSession, name: str) -> None:
    async with session.get(URL(f"{sandbox.url}/phone/{name}", encoded=True)) as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "Not found"})


async def test_a_file_that_came_after_the_start_is_not_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "here.js").write_text("1")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(phone_page, "FOLDER", tmp_path)
    async with Sandbox(QUICK) as sandbox, aiohttp.ClientSession() as session:
        (tmp_path / "late.js").write_text("2")
        api = Api(session, sandbox.url)
        found = {name: (await api.call("GET", f"/phone/{name}")).status for name in ("here.js", "late.js", "folder")}
    assert found == {"here.js": 200, "late.js": 404, "folder": 404}


async def test_an_installation_behind_a_symbolic_link_has_its_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(phone_page.FOLDER)
    monkeypatch.setattr(phone_page, "FOLDER", link)
    async with Sandbox(QUICK) as sandbox, aiohttp.ClientSession() as session:
        api = Api(session, sandbox.url)
        assert (await api.call("GET", "/")).headers["Content-Type"].startswith("text/html")
        assert (await api.call("GET", "/phone/main.js")).status == 200


async def test_without_the_page_a_hint_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(phone_page, "FOLDER", tmp_path / "none")
    async with Sandbox(QUICK) as sandbox, aiohttp.ClientSession() as session:
        answer = await Api(session, sandbox.url).call("GET", "/")
    assert (answer.status, answer.json) == (200, phone_page.MISSING)
