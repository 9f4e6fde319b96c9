"""Folders for what is on disk for a moment only: gone with the block, or, where the process was killed, when the next one starts."""

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

PREFIX: Final = "pilotbot-received-"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that nobody else can read, until the block is left. Its lock tells `sweep` of any process that it is in use."""
    while True:
        with tempfile.TemporaryDirectory(prefix=PREFIX) as name, contextlib.ExitStack() as stack:
            with contextlib.suppress(FileNotFoundError):
                lock = _opened(name)
                stack.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.lexists(name):  # else it was swept between its making and its lock
                yield Path(name)
                return


def sweep() -> int:
    """Remove the folders whose process is gone, and return how many: the system lets go of a lock however a process ends."""
    swept = 0
    for path in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:  # in use, somebody else's, or just gone
            lock = _opened(path)
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
            swept += 1
    if swept:
        log.info("files that contacts sent were left by a process that was killed; removed: %d", swept)
    return swept


def _opened(path: str | Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
