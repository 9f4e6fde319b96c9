"""Keeps records on disk, so that what was accepted outlives a killed process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Store:
    """One table of JSON records by kind and id, in an sqlite file; without a directory it keeps nothing.

    Write-ahead logging without a sync per commit: what was saved outlives a killed process, not always a power cut.
    """

    def __init__(self, directory: Path | None) -> None:
        self._db: sqlite3.Connection | None = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(directory / "sandbox.sqlite3", isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS records (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id))")

    def put(self, kind: str, key: str, body: bytes) -> None:
        """Save one record."""
        if self._db is not None:
            self._db.execute(
                "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (kind, key, body),
            )

    def delete(self, kind: str, key: str) -> None:
        """Forget one record."""
        if self._db is not None:
            self._db.execute("DELETE FROM records WHERE kind = ? AND id = ?", (kind, key))

    def clear(self, kind: str) -> None:
        """Forget all records of a kind."""
        if self._db is not None:
            self._db.execute("DELETE FROM records WHERE kind = ?", (kind,))

    def load(self, kind: str) -> list[bytes]:
        """All records of a kind, in the order they were first saved."""
        if self._db is None:
            return []
        return [row[0] for row in self._db.execute("SELECT body FROM records WHERE kind = ? ORDER BY rowid", (kind,))]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Save all records of the block, or none of them. The block must not await."""
        if self._db is None:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None
