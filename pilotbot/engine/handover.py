"""Chats that a person has: given to them and back from outside a turn, listed, and what is to be looked at (design section 3.10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey, base
from pilotbot.engine.values import Place, PutAside, put_aside

AT_ONCE: Final = 50  # of a shard, in one look
PAGE: Final = 200
MOVES_MOST: Final = 4  # of a chat, one after the other


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person was seen to write: the event's id, when, and its body, which is kept with what the contact writes."""

    id: str
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A chat that a person has: where it is, what the contact is called ("" where nobody knows), and the field as it is stored."""

    place: Place
    name: str
    human: bytes


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo that waits: its name in its shard, what it is, and whether a post in its chat is under way or of unknown outcome."""

    shard: int
    member: bytes
    payload: bytes
    posting: bool


class Handovers:
    """Who has which chat; a part of `Engine`. What changes something may be repeated."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def take(
        self, place: Place, human: bytes, event: bytes, *, seen: Seen | None = None
    ) -> tuple[Literal["taken", "extended", "dup", "late"], tuple[PutAside, ...]]:
        """Give a chat to a person: what waits there to be sent later is disarmed, and `event` enters its mailbox.

        `extended`: a person has it already. `dup`, `late`: what they were seen to write was known, or written before the bot last got the
        chat back.
        """
        written: tuple[bytes | str | int, ...] = (seen.body, seen.id, seen.at) if seen is not None else ("", "", "")
        key, outcome, notes = await self._where_it_is(
            place.key, "take", place.number, place.kind, place.address, human, event, *written
        )  # fmt: skip
        taken: Literal["taken", "extended", "dup", "late"] = outcome
        return taken, put_aside(key.shard, notes)

    async def back(self, key: ChatKey, event: bytes, *, if_over: bool = False) -> bool:
        """Give a chat back to the bot; `if_over` only where the person's time is. False where nobody has it."""
        _, outcome, _ = await self._where_it_is(key, "back", event, int(if_over))
        return bool(outcome == "back")

    async def _where_it_is(self, key: ChatKey, verb: str, *arguments: bytes | str | int) -> tuple[ChatKey, Any, Any]:
        """Have something done about a chat; one that moved is gone after. Returns where it is, and what came of it."""
        for _ in range(MOVES_MOST):
            outcome, notes, *moved = await self._calls.script("handover", key.shard, verb, key.id, *arguments)
            if not moved:
                return key, outcome.decode(), notes
            key = ChatKey.parse(moved[0].decode())
        raise LookupError(f"a chat moved more than {MOVES_MOST} times: {key}")

    async def all(self, shards: int) -> list[Held]:
        """Every chat that a person has, in each shard those whose time is over first."""
        found: list[Held] = []
        for shard in range(shards):
            for offset in count(0, PAGE):
                page = await self._calls.script("handovers", shard, offset, PAGE)
                found += (_held(shard, row) for row in page)
                if not page:
                    break
        return found

    async def kept(self, key: ChatKey, since: int = 0) -> list[bytes]:
        """What was written while a person had, or has, the chat, from `since` (business ms): the newest 50 bodies, the oldest first."""
        found: list[bytes] = await self._calls.command("LRANGE", f"{base(key.shard)}:kept:{key.id}", 0, -1)
        return [body for at, body in map(unkept, found) if at >= since]

    async def wait(self, key: ChatKey, id_: str, payload: bytes) -> int:
        """Keep an echo until it is judged. Returns how many older ones went for it."""
        return int(await self._calls.script("echo", key.shard, "wait", key.id, id_, payload))

    async def done(self, echo: Echo) -> None:
        """Forget an echo that was judged, or that cannot be."""
        await self._calls.script("echo", echo.shard, "done", echo.member)

    async def over(self, shard: int) -> tuple[int, tuple[ChatKey, ...]]:
        """When it is (business ms), and chats whose person's time is over."""
        now, over = await self._calls.script("handovers_due", shard, "over", AT_ONCE)
        return int(now), tuple(ChatKey(shard, one.decode()) for one in over)

    async def echoes(self, shard: int, again: int) -> tuple[int, tuple[Echo, ...]]:
        """When it is, and echoes to be judged now. Each is named again in `again` ms, unless it is done by then."""
        now, found = await self._calls.script("handovers_due", shard, "echoes", AT_ONCE, again)
        return int(now), tuple(Echo(shard, member, payload, bool(posting)) for member, payload, posting in found)


def unkept(stored: bytes) -> tuple[int, bytes]:
    """When a body was kept (business ms), and the body."""
    at, _, body = stored.partition(b" ")
    return int(at), body


def _held(shard: int, row: Sequence[bytes]) -> Held:
    c, number, kind, address, name, human = row
    place = Place(
        key=ChatKey(shard, c.decode()), number=number.decode(),
        kind="group" if kind == b"group" else "newsletter" if kind == b"newsletter" else "contact", address=address.decode(),
    )  # fmt: skip
    return Held(place, name.decode(), human)
