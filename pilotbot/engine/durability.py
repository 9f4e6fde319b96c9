"""What a Redis server keeps of what it acknowledged, judged against what the settings promise (`PILOTBOT_DURABILITY`).

`safe`: the event is on disk before its webhook is answered 200. `fast`: within about a second. A server that cannot keep what was
promised is refused; without a promise it is used as it is, and what it does not keep is told.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from redis.exceptions import ResponseError

Profile = Literal["fast", "safe"]
Fsync = Literal["always", "everysec"]
Level = Literal["ok", "warn", "bad"]

OLDEST = (7, 0)
NEARLY_FULL, FULL = 0.8, 0.95  # of the memory limit


class UnfitRedis(Exception):
    """The Redis at hand cannot keep what the settings promise; a line for each reason, with its remedy."""

    def __init__(self, reasons: Iterable["Finding"]) -> None:
        super().__init__("This Redis does not do:\n  " + "\n  ".join(f"{reason.seen}; {reason.remedy}" for reason in reasons))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `refuses`: no bot may start on it. Never holds a secret, a phone number or a text."""

    check: str
    level: Level
    seen: str
    remedy: str = ""
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says about itself.

    Attributes:
        name: `redis` or `valkey`.
        version: of that, major and minor.
        master: whether it takes writes, as a replica does not.
        replicas: how many follow it.
        aof: whether it writes an append-only file.
        fsync: `always`, `everysec` or `no`; None where it does not let us see its configuration.
        fsync_in_rewrite: whether it goes on with that while it rewrites the file; None as above.
        write_ok, rewrite_ok: how its last write and its last rewrite of the file went.
        aof_bytes: size of the file.
        policy: what it evicts when its memory is full.
        used, limit, machine: memory in bytes: used, `maxmemory` (0: none), of the machine (0: unknown).
    """

    name: str
    version: tuple[int, int]
    master: bool = True
    replicas: int = 0
    aof: bool = True
    fsync: str | None = "always"
    fsync_in_rewrite: bool | None = True
    write_ok: bool = True
    rewrite_ok: bool = True
    aof_bytes: int = 0
    policy: str = "noeviction"
    used: int = 0
    limit: int = 0
    machine: int = 0


async def read_facts(command: Callable[..., Awaitable[Any]]) -> ServerFacts | None:
    """Ask a server about itself: INFO, and CONFIG GET where that is allowed. None where even INFO is not.

    `command` runs a command of Redis; what it raises beside ResponseError comes through.
    """
    try:
        info = _fields(await command("INFO"))
    except ResponseError:
        return None
    try:
        config = _paired(await command("CONFIG", "GET", "*appendfsync*"))  # two settings by one pattern: Redis 6 takes no more
    except ResponseError:  # managed servers have no CONFIG, or forbid it
        config = {}
    name = "valkey" if "valkey_version" in info else "redis"
    in_rewrite = config.get("no-appendfsync-on-rewrite")
    return ServerFacts(
        name=name,
        version=_version(info.get(f"{name}_version", "")),
        master=info.get("role", "master") == "master",
        replicas=int(info.get("connected_slaves", 0)),
        aof=info.get("aof_enabled") == "1",
        fsync=config.get("appendfsync"),
        fsync_in_rewrite=None if in_rewrite is None else in_rewrite == "no",
        write_ok=info.get("aof_last_write_status", "ok") == "ok",
        rewrite_ok=info.get("aof_last_bgrewrite_status", "ok") == "ok",
        aof_bytes=int(info.get("aof_current_size", 0)),
        policy=info.get("maxmemory_policy", "noeviction"),
        used=int(info.get("used_memory", 0)),
        limit=int(info.get("maxmemory", 0)),
        machine=int(info.get("total_system_memory", 0)),
    )


def judge(facts: ServerFacts | None, profile: Profile | None, *, embedded: bool = False) -> tuple[Finding, ...]:
    """Judge a server by what was promised.

    Args:
        facts: what it says about itself; None where it says nothing.
        profile: what the settings promise; None: nothing, so that little is refused.
        embedded: whether it is a server of our own, which other settings than CONFIG decide.
    """
    if facts is None:
        seen = "INFO is not allowed to this user: what the server keeps cannot be seen"
        return (Finding("durability", "bad", seen, "allow it: ACL SETUSER <user> +info +config|get", refuses=profile is not None),)
    return (by_version(facts), _by_role(facts, profile), _by_disk(facts, profile, embedded), *_by_file(facts),
            _by_eviction(facts, profile), _by_memory(facts))  # fmt: skip


def promised(profile: Profile | None, *, embedded: bool) -> Profile | None:
    """What a server is held to: an embedded one is safe where the settings say nothing."""
    return profile or ("safe" if embedded else None)


def fsync_of(profile: Profile | None) -> Fsync:
    """How an embedded server keeps a profile; without one it is safe."""
    return "everysec" if profile == "fast" else "always"


def by_version(facts: ServerFacts) -> Finding:
    """Judge its version, the one thing that is always refused."""
    seen = f"{facts.name} {facts.version[0]}.{facts.version[1]}"
    if facts.version < OLDEST:
        return Finding("version", "bad", f"{seen} is older than 7.0", "upgrade to Redis 7.0 or newer, or to Valkey", refuses=True)
    return Finding("version", "ok", seen)


def _by_role(facts: ServerFacts, profile: Profile | None) -> Finding:
    if not facts.master:
        return Finding("role", "bad", "it is a replica, which takes no writes", "set PILOTBOT_REDIS_URL to its master")
    if facts.replicas and profile == "safe":
        seen = f"master of {facts.replicas}: a failover may lose the last moments, since replication is not awaited"
        return Finding("role", "warn", seen, "after a failover look at the log for what was taken from the platform's history")
    return Finding("role", "ok", f"master of {facts.replicas}" if facts.replicas else "master, no replicas")


def _by_disk(facts: ServerFacts, profile: Profile | None, embedded: bool) -> Finding:
    """Whether, and how soon, what was acknowledged is on disk."""
    flaw = _flaw(facts, profile)
    if flaw is None:
        when = "before a webhook is answered" if facts.fsync == "always" else "within a second or two"
        return Finding("durability", "ok", f"append-only, on disk {when} (appendfsync {facts.fsync})")
    seen, remedy, mild = flaw
    if mild and profile != "safe":
        return Finding("durability", "warn", seen, remedy)
    if embedded:
        remedy = "stop all processes on this data directory, and start them with the same PILOTBOT_DURABILITY"
    return Finding("durability", "bad", seen + (f", and {profile} is promised" if profile else ""), remedy, refuses=profile is not None)


def _flaw(facts: ServerFacts, profile: Profile | None) -> tuple[str, str, bool] | None:
    """What keeps acknowledged data from the disk, the remedy, and whether only `safe` forbids it."""
    if not facts.aof:
        return "appendonly is no: when it stops, what it holds is gone", _set("appendonly", "yes"), False
    if facts.fsync is None:
        seen = "append-only, but CONFIG is not allowed: when that is put on disk (appendfsync) cannot be seen"
        other = "set PILOTBOT_DURABILITY=fast" if profile == "safe" else "ask who runs the server"
        return seen, f"allow it (ACL SETUSER <user> +config|get), or {other}", True
    if facts.fsync not in {"always", "everysec"}:
        seen = f"appendfsync is {facts.fsync}: nobody knows when it is put on disk"
        return seen, _set("appendfsync", "everysec" if profile == "fast" else "always"), False
    if not facts.fsync_in_rewrite:
        seen = "no-appendfsync-on-rewrite is yes: during a rewrite nothing is put on disk"
        return seen, _set("no-appendfsync-on-rewrite", "no"), False
    if facts.fsync == "everysec" and profile != "fast":
        seen = "appendfsync is everysec: a power cut may take the last second or two of what was answered 200"
        return seen, f"{_set('appendfsync', 'always')}; or set PILOTBOT_DURABILITY=fast to have it so", True
    return None


def _set(name: str, value: str) -> str:
    return f"CONFIG SET {name} {value}, and the same in its redis.conf"


def _by_file(facts: ServerFacts) -> Iterable[Finding]:
    if facts.aof and not facts.write_ok:
        yield Finding("append-only file", "bad", "its last write failed: it refuses to write", "see its log, and the space on its disk")
    elif facts.aof and not facts.rewrite_ok:
        yield Finding("append-only file", "warn", "its last rewrite failed: the file grows", "see its log, and the space on its disk")
    elif facts.aof:
        yield Finding("append-only file", "ok", f"{size(facts.aof_bytes)}, last write and rewrite went well")


def _by_eviction(facts: ServerFacts, profile: Profile | None) -> Finding:
    if facts.limit and facts.policy != "noeviction":
        seen = f"maxmemory-policy is {facts.policy}: when its memory is full, it throws chats away"
        return Finding("eviction", "bad", seen, _set("maxmemory-policy", "noeviction"), refuses=profile is not None)
    return Finding("eviction", "ok", "noeviction" if facts.limit else "none, since there is no maxmemory")


def _by_memory(facts: ServerFacts) -> Finding:
    most = facts.limit or facts.machine
    seen = f"{size(facts.used)} used" + (f" of {size(most)}{'' if facts.limit else ', the whole machine'}" if most else "")
    share = facts.used / most if most else 0.0
    if share < NEARLY_FULL:
        return Finding("memory", "ok", seen)
    return Finding("memory", "bad" if share >= FULL else "warn", seen, "give it more: when it is full, webhooks are answered 503")


def size(count: int) -> str:
    """A number of bytes, for people."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _fields(text: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in text.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def _paired(flat: list[bytes]) -> dict[str, str]:
    words = [word.decode() for word in flat]
    return dict(zip(words[::2], words[1::2], strict=True))


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
