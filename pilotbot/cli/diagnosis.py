"""What `pilotbot doctor` makes of what it saw: pure functions, each to findings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import combinations
from urllib.parse import parse_qs, urlsplit

from pilotbot.engine.checkup import Reading, Sample
from pilotbot.engine.durability import Finding, Level, size
from pilotbot.events import token_matches
from pilotbot.platform import Webhook

APART = 2.0  # seconds by which clocks may differ
SLOW = 0.010  # seconds a call of Redis may take in the middle: a message needs four
SCARCE, ROOMY = 100_000_000, 1_000_000_000  # bytes on the disk of the embedded server
SHOWN = 3
RECEIVING = ("message.received", "message.reply")
STATUSES = ("message.sent", "message.delivered", "message.read", "message.failed")
STRAY = {
    "both": "waits and is worked on at once",
    "neither": "has work that nobody will take",
    "unowned": "is leased to nobody",
    "unleased": "has an owner without a lease",
}


def of_clocks(readings: Sequence[Reading]) -> list[Finding]:
    """Every pair of clocks that is too far apart; what their readings leave open counts in their favour."""
    found = []
    for one, other in combinations(readings, 2):
        apart = one.ahead - other.ahead
        if abs(apart) - one.error - other.error > APART:
            way = "ahead of" if apart > 0 else "behind"
            seen = f"{one.name} is {abs(apart):.1f} s {way} {other.name}"
            found.append(Finding("clocks", "warn", seen, "let NTP set both: the 24-hour window is judged by them"))
    names = ", ".join(reading.name for reading in readings)
    return found or [Finding("clocks", "ok", f"{names}: within {APART:.0f} s of each other")]


def date_of(headers: Mapping[str, str], before: float, after: float) -> Reading | None:
    """The platform's clock by the `Date` of an answer, which counts whole seconds; None where there is none that can be read."""
    try:
        said: datetime = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return Reading("the platform", said.timestamp() + 0.5 - (before + after) / 2, 0.5 + (after - before) / 2)


def of_round_trips(taken: Sequence[float]) -> Finding:
    """How far Redis is; `taken` in seconds, sorted."""
    middle, slow = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    seen = f"{len(taken)} calls: {middle * 1000:.2f} ms in the middle, {slow * 1000:.2f} ms at p99"
    if middle > SLOW:
        return Finding("latency", "warn", seen, "bring the bot and Redis nearer to each other: a message takes four calls")
    return Finding("latency", "ok", seen)


def of_space(free: int, file: int) -> Finding:
    """Whether the disk has room; in bytes. A rewrite needs the file's size once more."""
    seen = f"{size(free)} free on the disk of the data directory, the append-only file has {size(file)}"
    if free < max(file, SCARCE):
        return Finding("disk space", "bad", seen, "make room: when it is full, webhooks are answered 503")
    if free < max(2 * file, ROOMY):
        return Finding("disk space", "warn", seen, "make room, a gigabyte at least and twice the file")
    return Finding("disk space", "ok", seen)


def of_setup(wanted: int, found: int | None, ahead: int, *, sandbox: bool) -> list[Finding]:
    """Whether the installation in Redis is the one of these settings; `ahead`: business time, in ms."""
    if found is None:
        return [Finding("installation", "ok", "none yet: no bot has worked on this Redis")]
    if found != wanted:
        seen = f"PILOTBOT_SHARDS is {wanted}, but this Redis was set up with {found}"
        return [Finding("installation", "bad", seen, f"set it to {found}, or use an empty database")]
    if ahead and not sandbox:
        seen = f"a sandbox moved its time ahead by {ahead / 3_600_000:.1f} h"
        return [Finding("installation", "bad", seen, "use an empty database: windows would close early")]
    return [Finding("installation", "ok", f"{found} shards")]


def of_sample(sample: Sample) -> Finding:
    """Whether every chat with work will be worked on."""
    if not sample.wrong:
        return Finding("chats", "ok", f"{sample.looked} with work or a lease looked at, each waits or is worked on")
    shown = "; ".join(f"{name} of shard {shard} {STRAY[what]}" for shard, name, what in sample.wrong[:SHOWN])
    more = f"; and {len(sample.wrong) - SHOWN} more" if len(sample.wrong) > SHOWN else ""
    return Finding("chats", "bad", f"{shown}{more}", "keep a copy of the data, and report this as a defect of pilotbot")


def of_webhooks(number: str, number_id: str | None, hooks: Sequence[Webhook], *, port: int, token: str | None) -> Finding:
    """Whether the platform delivers to us. `port` is where we listen; how a proxy in front of it is called is not known here."""
    check = f"webhook of {number}"
    ours = [hook for hook in hooks if not (number_id and hook.whatsapp_number_ids) or number_id in hook.whatsapp_number_ids]
    active = [hook for hook in ours if hook.active is not False]
    if not ours:
        return Finding(check, "bad", "none is registered: nothing will come", "register https://<your host>/webhook for all events (*)")
    if not active:
        return Finding(check, "bad", "it is switched off: nothing will come", "switch it on in the dashboard")
    local = [hook for hook in active if _is_local(hook.url)]
    here = [hook for hook in local if urlsplit(hook.url).netloc.endswith(f":{port}")]
    if len(local) == len(active) and not here:
        return Finding(check, "warn", f"it goes to {_hosts(active)}, and PILOTBOT_PORT is {port}", "correct one of the two")
    return _of_events(check, here or active, token)


def _of_events(check: str, hooks: Sequence[Webhook], token: str | None) -> Finding:
    told = {event for hook in hooks for event in hook.events}
    lacking = [event for event in (*RECEIVING, *STATUSES) if not told & {event, "*"}]
    if lacking:
        level: Level = "bad" if set(lacking) & set(RECEIVING) else "warn"
        return Finding(check, level, f"it tells nothing of {', '.join(lacking)}", "register it for all events (*)")
    if token is not None and not any(token_matches(_token(hook.url), token) for hook in hooks):
        return Finding(check, "bad", "its URL does not carry PILOTBOT_WEBHOOK_TOKEN: every delivery is refused", "end it in ?token=...")
    return Finding(check, "ok", f"delivers to {_hosts(hooks)}")


def _hosts(hooks: Sequence[Webhook]) -> str:
    """Where webhooks go: paths and queries may hold a token."""
    return ", ".join(sorted({f"{urlsplit(hook.url).scheme}://{urlsplit(hook.url).netloc.rpartition('@')[2]}" for hook in hooks}))


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def _token(url: str) -> str | None:
    return next(iter(parse_qs(urlsplit(url).query).get("token", [])), None)
