"""What tests of real processes share."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def working_in(directory: Path) -> Iterator[str]:
    """The processes, but this one, that work in a directory."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place, words = (entry / "cwd").readlink(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(entry.name) != os.getpid() and place.is_relative_to(directory) and words:
            yield f"{entry.name} {words!r}"


def children(pid: int) -> set[int]:
    """The processes of ours that a process has started."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent, words = (entry / "stat").read_text().rpartition(")")[2].split()[1], (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(parent) == pid and b"--child" in words:
            found.add(int(entry.name))
    return found
