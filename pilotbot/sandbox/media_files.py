"""The bytes of uploaded media, on disk, so that a browser can be given any part of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pilotbot.sandbox.records import Media


class MediaFiles:
    """The bytes of uploaded media, one file each; without a data directory in a folder that goes with the sandbox."""

    def __init__(self, data_dir: Path | None) -> None:
        self._folder = None if data_dir is None else data_dir / "media"
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def save(self, media_id: str, data: bytes) -> None:
        """Keep the bytes of one file."""
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="pilotbot-media-")
            self._folder = Path(self._temporary.name)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / media_id).write_bytes(data)

    def path(self, media_id: str) -> Path | None:
        """Where the bytes are; None when they are gone. The id is one that the sandbox gave, never a text of a request."""
        path = None if self._folder is None else self._folder / media_id
        return path if path is not None and path.is_file() else None

    def keep_only(self, known: Mapping[str, Media]) -> None:
        """Remove all files that no record speaks of."""
        for path in self._folder.iterdir() if self._folder is not None and self._folder.is_dir() else ():
            if path.name not in known:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what was kept only for this run."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._folder = None
