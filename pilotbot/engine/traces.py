"""All that is kept of some chats, wherever it lies: found for an export, erased for good (design section 3.13).

Most of it is under the names of the chats. The rest (records of messages, dead letters, notices that wait) lies under other names and
on other shards, and is looked for in all of Redis: that takes seconds where there are millions of keys, and holds nobody up.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from redis.exceptions import ResponseError

from pilotbot.engine.calls import Calls
from pilotbot.engine.handover import unkept
from pilotbot.engine.items import Item
from pilotbot.engine.keys import ChatKey, Keyring, base, compact, spread
from pilotbot.engine.letters import letter_of
from pilotbot.engine.records import Record
from pilotbot.engine.values import Letter, Notice, pairs
from pilotbot.engine.waiting import lane_settles

log = logging.getLogger(__name__)

PAGE: Final = 500  # keys that are looked at in one round trip
REWRITE_MOST: Final = 120.0  # seconds that a rewrite of the append-only file may take
OF_SCRIPT: Final = frozenset({"chat", "mailbox", "dedupe", "emitted", "lane", "hold", "leads", "kept", "recent"})
"""Kinds of keys that `forget` sees to, in one step; by the time that others are looked at, a new chat may have begun under the name."""

Rewritten = Literal["done", "none", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A chat as it is kept: its fields, the bodies of events that wait or were kept for a person, and what waits to be sent."""

    key: ChatKey
    fields: dict[str, bytes]
    events: tuple[bytes, ...]
    for_person: tuple[bytes, ...]
    to_send: tuple[Item, ...]
    held: tuple[Item, ...]


class Traces:
    """What Redis holds of chats; made by `Engine.traces`."""

    def __init__(self, calls: Calls, keys: Keyring, *, patience: float) -> None:
        self._calls = calls
        self._keys = keys
        self._patience = patience

    # --- to find ----------------------------------------------------------------------------------------------------------------

    async def chats(self, is_theirs: Callable[[str], bool]) -> list[ChatKey]:
        """Chats with contacts at such addresses, also with numbers that are not configured any more."""
        found = []
        async for page in self._pages("chat"):
            for chat, (kind, address) in zip(page, await self._each("HMGET", "chat", page, "kind", "address"), strict=True):
                if kind == b"contact" and address and is_theirs(address.decode()):
                    found.append(chat)
        return found

    async def kept(self, chat: ChatKey) -> Kept:
        """A chat as it is kept."""

        def of(kind: str) -> str:
            return f"{base(chat.shard)}:{kind}:{chat.id}"

        fields, events, for_person, to_send, held = await asyncio.gather(
            self._calls.command("HGETALL", of("chat")), self._calls.command("ZRANGE", of("mailbox"), 0, -1),
            self._calls.command("LRANGE", of("kept"), 0, -1), self._calls.command("LRANGE", of("lane"), 0, -1),
            self._calls.command("LRANGE", of("hold"), 0, -1),
        )  # fmt: skip
        return Kept(
            key=chat, fields=pairs(fields), events=tuple(member.split(b":", 3)[3] for member in events),
            for_person=tuple(unkept(stored)[1] for stored in for_person),
            to_send=tuple(map(Item.unpack, to_send)), held=tuple(map(Item.unpack, held)),
        )  # fmt: skip

    async def records(self, chats: Collection[ChatKey], mentions: Callable[[bytes], bool]) -> list[Record]:
        """Records of the messages of chats, and statuses of messages that nobody knows yet whose bodies mention them."""
        names = {compact(chat.id).encode() for chat in chats}
        found = []
        async for page in self._pages("record"):
            for place, chat in zip(page, await self._each("HGET", "record", page, "chat"), strict=True):
                if chat is None or chat in names:
                    content = await self._calls.command("HGETALL", _at("content", place))
                    if chat in names or any(mentions(value) for value in content[1::2]):
                        flat = await self._calls.command("HGETALL", _at("record", place))
                        found.append(Record.read(self._keys, place, [*flat, *content]))
        return found

    async def letters(self, chats: Collection[ChatKey], mentions: Callable[[bytes], bool]) -> list[Letter]:
        """Dead letters of chats, and those events of others, such as of groups, that mention them."""
        found = []
        for shard in range(self._keys.shards):
            async for name, text in self._entries(f"{base(shard)}:dead:letters"):
                at = await self._calls.command("ZSCORE", f"{base(shard)}:dead", name)
                letter = letter_of(shard, name, at or b"0", text)
                if letter.chat in chats or (letter.kind == "event" and mentions(text)):
                    found.append(letter)
        return found

    async def notices(self, chats: Collection[ChatKey]) -> list[tuple[int, Notice]]:
        """Notices to chats that wait in a shard for being relayed."""
        found = []
        for shard in range(self._keys.shards):
            async for _, payload in self._entries(f"{base(shard)}:relay:items"):
                notice = Notice.unpack(payload)
                if notice.place.key in chats:
                    found.append((shard, notice))
        return found

    # --- to erase ---------------------------------------------------------------------------------------------------------------

    async def erase(self, chats: Sequence[ChatKey], mentions: Callable[[bytes], bool]) -> None:
        """Erase chats and all that belongs to them. Safe to repeat, and to be repeated after a crash."""
        posting = await asyncio.gather(*(self._calls.script("forget", chat.shard, chat.id, "stop", "") for chat in chats))
        under_way = [(chat, token.decode(), item) for chat, (token, item) in zip(chats, posting, strict=True) if token]
        if not all(await asyncio.gather(*(lane_settles(self._calls, chat, token, self._patience) for chat, token, _ in under_way))):
            log.warning("a contact was forgotten while a message to them was under way, and it is not known yet what became of it")
        await asyncio.gather(*(self._calls.script("forget", chat.shard, chat.id, "rest", item) for chat, _, item in under_way))
        await self._erase_records(await self.records(chats, mentions))
        for letter in await self.letters(chats, mentions):
            await self._calls.command("ZREM", f"{base(letter.chat.shard)}:dead", letter.id)
            await self._calls.command("HDEL", f"{base(letter.chat.shard)}:dead:letters", letter.id)
        for shard, notice in await self.notices(chats):
            await self._calls.script("relay", shard, "done", notice.id)
        names = {chat.id for chat in chats}
        async for page in self._pages("*"):  # whatever else is called like one of them
            for name in page:
                kind, _, own = name.id.rpartition(":")
                if own in names and kind not in OF_SCRIPT:
                    await self._calls.command("UNLINK", f"{base(name.shard)}:{name.id}")

    async def _erase_records(self, records: Sequence[Record]) -> None:
        gone = {record.key for record in records}
        for record in records:
            await self._calls.command("UNLINK", _at("record", record.key))
            await self._calls.command("UNLINK", _at("content", record.key))
            await self._calls.command("UNLINK", _at("menu", record.key))
            if record.chat is not None and record.item is not None:
                await self._calls.command("UNLINK", f"{base(record.chat.shard)}:scheduled:{record.item[:16]}")
        async for page in self._pages("wamid"):
            for place, found in zip(page, await self._each("GET", "wamid", page), strict=True):
                if found is not None and self._keys.place(spread(found)) in gone:
                    await self._calls.command("UNLINK", _at("wamid", place))
        for shard in {record.key.shard for record in records}:
            for name in await self._calls.command("ZRANGE", f"{base(shard)}:unfinished", 0, -1):
                if self._keys.record(name.decode()) in gone:
                    await self._calls.command("ZREM", f"{base(shard)}:unfinished", name)
                    await self._calls.command("HDEL", f"{base(shard)}:unfinished:asked", name)

    async def rewrite(self) -> Rewritten:
        """Have the append-only file written anew, without what was erased.

        "none": Redis keeps no such file, or does not say; "failed": it refuses, or was not done in two minutes.
        """
        try:
            if (await self._persistence()).get("aof_enabled") != "1":
                return "none"
        except ResponseError:
            return "none"
        until = time.monotonic() + REWRITE_MOST
        begun = False
        while time.monotonic() < until:
            facts = await self._persistence()
            busy = facts.get("aof_rewrite_in_progress") == "1" or facts.get("aof_rewrite_scheduled") == "1"
            if begun and not busy:
                return "done" if facts.get("aof_last_bgrewrite_status") == "ok" else "failed"
            if not begun and not busy:  # one that runs already may have begun before
                try:
                    await self._calls.command("BGREWRITEAOF")
                except ResponseError as error:
                    if "in progress" not in str(error):
                        return "failed"
                else:
                    begun = True
            await asyncio.sleep(0.05)
        return "failed"

    async def _persistence(self) -> dict[str, str]:
        text = (await self._calls.command("INFO", "persistence")).decode()
        return {name: value for name, colon, value in (line.partition(":") for line in text.splitlines()) if colon}

    # --- Redis ------------------------------------------------------------------------------------------------------------------

    async def _pages(self, kind: str) -> AsyncIterator[list[ChatKey]]:
        """All keys of a kind, in pages; `*`: of any, with the kind in their ids."""
        prefix = "" if kind == "*" else f"{kind}:"
        cursor = b"0"
        while True:
            cursor, keys = await self._calls.command("SCAN", cursor, "MATCH", f"{{pb:*}}:{prefix}*", "COUNT", PAGE)
            yield [ChatKey(int(shard), name) for shard, name in _split(keys, prefix)]
            if cursor == b"0":
                return

    async def _each(self, command: str, kind: str, page: Iterable[ChatKey], *arguments: str) -> list[Any]:
        return await asyncio.gather(*(self._calls.command(command, _at(kind, place), *arguments) for place in page))

    async def _entries(self, key: str) -> AsyncIterator[tuple[bytes, bytes]]:
        cursor = b"0"
        while True:
            cursor, flat = await self._calls.command("HSCAN", key, cursor, "COUNT", PAGE)
            for index in range(0, len(flat), 2):
                yield flat[index], flat[index + 1]
            if cursor == b"0":
                return


def _at(kind: str, place: ChatKey) -> str:
    return f"{base(place.shard)}:{kind}:{place.id}"


def _split(keys: Iterable[bytes], prefix: str) -> Iterable[tuple[str, str]]:
    for key in keys:
        shard, _, name = key.decode().removeprefix("{pb:").partition("}:")
        yield shard, name.removeprefix(prefix)
