"""What is on disk for a moment is gone with its block, and what a killed process left when the next one starts."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotbot.server.scratch import PREFIX, scratch, sweep

HOLDS = """
import time
from pilotbot.server.scratch import scratch
with scratch() as folder:
    (folder / "media.jpg").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary directory of this test and of what it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process, and the file that it is at."""
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_folder_goes_with_its_block(place: Path) -> None:
    with scratch() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        assert sweep() == 0
        (folder / "media.jpg").write_bytes(b"x")
    assert not list(place.iterdir())


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_has_is_not(other: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = other
    assert sweep() == 0
    assert (folder / "media.jpg").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "media.jpg").exists()
    assert sweep() == 1
    assert not folder.exists()


def test_nothing_but_own_folders_is_swept(place: Path) -> None:
    kept = place / "elsewhere"
    kept.mkdir()
    (kept / "file").touch()
    (place / f"{PREFIX}link").symlink_to(kept)
    (place / f"{PREFIX}file").touch()
    assert sweep() == 0
    assert (kept / "file").exists()


def test_a_folder_swept_before_its_lock_is_made_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tempfile.mkdtemp
    left = ["once"]

    def swept(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:  # noqa: A002 - as tempfile's
        name = made(suffix, prefix, dir)
        if left and left.pop():
            assert sweep() == 1
        return name

    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    with scratch() as folder:
        assert folder.is_dir()
    assert not list(place.iterdir())
