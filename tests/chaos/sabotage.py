"""Guards that can be taken away from a bot's process, one by one, so that each test of chaos has a control that must go red.

Loaded by tests/bots/ledger.py where PILOTBOT_TEST_SABOTAGE names some, comma-separated. A guard that is not found where it is expected
raises at once: a control that sabotages nothing would prove nothing.
"""

import asyncio
import os
import re
import secrets
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any

from pilotbot.engine import Away, Claimed, Engine, Lane, scripts
from pilotbot.engine.items import Item, Pin
from pilotbot.engine.keys import base
from pilotbot.platform import Accepted, PilotStatus
from pilotbot.server.intake import Intake, Outcome
from pilotbot.server.pool import Pool
from pilotbot.server.sender import Sender


def fence() -> None:
    """Whoever calls owns the chat: tokens are not compared, and no lease counts as lost."""
    _rewrite(_fenceless)


def dedupe() -> None:
    """No event is known already."""

    def forgetful(name: str, source: str) -> str:
        return _replaced(source, r"if known\(id\) or known\(message\)[^\n]*? then", "if false then") if name == "accept" else source

    _rewrite(forgetful)


def key() -> None:
    """Each post has an Idempotency-Key of its own."""

    def random_key(self: Item, pin: Pin) -> str:
        return secrets.token_hex(20)

    _patch(Item, "key", random_key)


def recovery() -> None:
    """What a process that died had leased is never taken back."""
    claim, claim_lanes = Engine.claim, Engine.claim_lanes

    async def claim_only(self: Engine, shard: int, most: int, *, reap: bool = True) -> list[Claimed]:
        return await claim(self, shard, most, reap=False)

    async def claim_lanes_only(self: Engine, shard: int, most: int, *, reap: bool = True) -> Any:
        return await claim_lanes(self, shard, most, reap=False)

    _patch(Engine, "claim", claim_only)
    _patch(Engine, "claim_lanes", claim_lanes_only)


def promise() -> None:
    """A delivery is answered 200 though Redis did not take it."""
    take = Intake.take

    async def take_lightly(self: Intake, event: Any, raw: bytes) -> Outcome:
        try:
            return await take(self, event, raw)
        except Away:
            return "ok"

    _patch(Intake, "take", take_lightly)


def order() -> None:
    """What did not go waits behind what came after it."""
    unsent = Engine.unsent

    async def unsent_behind(self: Engine, lane: Lane, verdict: Any, **more: Any) -> str:
        more["delay"] = max(more.get("delay", 0), 300)  # so that nobody leases it in between
        outcome = await unsent(self, lane, verdict, **more)
        if verdict == "retry":
            name = f"{base(lane.key.shard)}:lane:{lane.key.id}"
            await self._calls.command("LMOVE", name, name, "LEFT", "RIGHT")
            await self._calls.command("HDEL", f"{base(lane.key.shard)}:chat:{lane.key.id}", "o:pin")
        return outcome

    _patch(Engine, "unsent", unsent_behind)


def load() -> None:
    """A lane is leased first and its item read afterwards, without asking whether the lease still holds.

    The first post of all waits between the two, while it may: until the file `load.open` is there. It tells by the file `load`.
    """
    place = Path(os.environ["PILOTBOT_TEST_GATE"])
    send, post = Sender._send, PilotStatus.post
    engines: dict[str, tuple[Engine, Lane]] = {}

    async def send_unfenced(self: Sender, lane: Lane) -> Lane | None:
        engines[lane.item.key(lane.pin)] = (self._engine, lane)
        try:
            with (place / "load").open("x") as told:
                told.write(str(os.getpid()))
        except FileExistsError:
            pass
        else:
            while not (place / "load.open").exists():  # noqa: ASYNC110 - another process opens it
                await asyncio.sleep(0.01)
        self._deadlines[lane.token] = float("inf")
        return await send(self, lane)

    async def post_what_is_there(self: PilotStatus, body: bytes, idempotency_key: str) -> Accepted:
        engine, lane = engines[idempotency_key]
        item = await engine._calls.command("LINDEX", f"{base(lane.key.shard)}:lane:{lane.key.id}", 0)
        return await post(self, Item.unpack(item).body(lane.pin) if item else b"", idempotency_key)

    _patch(Sender, "_send", send_unfenced)
    _patch(PilotStatus, "post", post_what_is_there)
    _patch(Pool, "lost", lambda self, tokens: None)


SABOTAGES: dict[str, Callable[[], None]] = {
    sabotage.__name__: sabotage for sabotage in (fence, dedupe, key, recovery, promise, order, load)
}  # fmt: skip


def apply(names: str) -> None:
    """Take the guards of these names, comma-separated, away from this process. Raises KeyError for a name that is none."""
    for name in names.split(","):
        SABOTAGES[name]()


def _patch(owner: type, name: str, replacement: Callable[..., Any]) -> None:
    getattr(owner, name)  # there must be something to replace
    setattr(owner, name, replacement)


def _rewrite(change: Callable[[str, str], str]) -> None:
    """Change the text of scripts, wherever they are called from."""
    original = scripts.script

    @cache
    def rewritten(name: str) -> scripts.Script:
        source = change(name, original(name).source)
        return scripts.Script(name, source, sha1(source.encode(), usedforsecurity=False).hexdigest())

    for module in list(sys.modules.values()):
        if getattr(module, "script", None) is original:
            module.script = rewritten  # type: ignore[attr-defined]


def _replaced(source: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, source)
    if not count:
        raise LookupError(f"the guard is not there any more: {pattern}")
    return changed


def _fenceless(name: str, source: str) -> str:
    if name == "renew":
        return _replaced(source, r"redis\.call\('HGET', owners, ARGV\[i\]\) == ARGV\[i \+ 1\]", "true")
    for guard in ("owns", "owns_lane"):
        if f"local function {guard}(" in source:
            source = _replaced(source, rf"(local function {guard}\(c, token\)\n)", r"\1  if true then return true end\n")
    return source
