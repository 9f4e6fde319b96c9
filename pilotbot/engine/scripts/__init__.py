"""The Lua scripts: every change of state in Redis, each one atomic and safe to run twice."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files

PARTS = {
    "accept": ("mailbox", "lane", "timers"),
    "claim": ("mailbox",),
    "commit": ("mailbox", "lane", "timers", "human"),
    "blame": ("mailbox",),
    "fail": ("mailbox", "lane"),
    "emit": ("mailbox", "lane"),
    "enqueue": ("lane",),
    "claim_lanes": ("lane",),
    "sent": ("lane",),
    "unsent": ("lane",),
    "pause": (),
    "pauses": (),
    "number": (),
    "slow": ("lane",),
    "sweep": ("lane",),
    "decide_again": ("lane",),
    "reported": ("lane",),
    "cancel": ("lane",),
    "record": ("records",),
    "status": ("records",),
    "unfinished": (),
    "renew": (),
    "let_go": ("mailbox", "lane"),
    "dead": ("mailbox", "lane"),
    "relay": (),
    "arm": ("lane", "timers"),
    "armed": (),
    "fire": ("lane", "timers"),
    "merge": ("lane", "timers"),
    "forget": ("mailbox", "lane"),
    "consent": (),
    "mark_consent": (),
    "handover": ("mailbox", "lane", "timers", "human"),
    "handovers": (),
    "handovers_due": (),
    "echo": (),
    "schedule": (),
    "seen": (),
    "advance": (),
    "chat": (),
}


@dataclass(frozen=True, slots=True)
class Script:
    """A script's whole text and its digest, by which Redis knows it."""

    name: str
    source: str
    sha: str


@cache
def script(name: str) -> Script:
    """The script of that name: the prelude, the parts that it uses, its own lines."""
    folder = files(__package__)
    source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in ("prelude", *PARTS[name], name))
    return Script(name, source, sha1(source.encode(), usedforsecurity=False).hexdigest())
