"""The conversation that `demo` plays over real HTTP, and how it is printed: who, status, mode, text, in columns."""

import asyncio
import textwrap
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from pilotbot.cli.failures import Failed
from pilotbot.cli.local import ask

PATIENCE = 15.0  # seconds that an answer may take
UNREAD = 2.0  # seconds after which DELIVERED counts as the last word: the contact may have read receipts off
POLL = 0.05
WIDTH = 100
GUTTER = 2 + 6 + 11 + 10

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that the contact does, and the answer it should have. `says` is a part of the answer's text."""

    does: Mapping[str, object]
    mode: str
    says: str


def columns(who: str, status: str, mode: str, text: str) -> str:
    """One entry of the transcript; what is long or has several lines goes on under its first line."""
    lines = [part for line in text.splitlines() or [""] for part in textwrap.wrap(line, WIDTH - GUTTER) or [""]]
    first = f"  {who:<6}{status:<11}{mode:<10}{lines[0]}".rstrip()
    return "\n".join([first, *(f"{'':<{GUTTER}}{line}" for line in lines[1:])])


def entry(row: Row) -> str:
    """A message of the sandbox as an entry."""
    if row["direction"] == "in":
        return columns(row["contactName"] or "?", "", "tap" if row["quoted"] else "text", row["text"] or "")
    labels = " ".join(f"[{button['label']}]" for button in row["buttons"])
    text = "\n".join(part for part in (row["text"] or "", labels) if part)
    return columns("bot", row["status"], row["mode"], text)


class Player:
    """Plays with one simulated contact. `write` is given each entry once its status is final."""

    def __init__(self, client: httpx.AsyncClient, contact: str, name: str, write: Callable[[str], None]) -> None:
        self._client = client
        self._contact = contact
        self._name = name
        self._write = write
        self._shown = 0

    async def act(self, step: Step) -> None:
        """Do a step and show it with its answer.

        Raises:
            Failed: the answer did not come, or is another.
        """
        done = f"the answer to {next(iter(step.does.values()))!r}"
        await ask(self._client, "POST", "/sandbox/inbound", {"from": self._contact, "name": self._name, **step.does})
        self._write(entry(await self._next(lambda _: True, "the contact's own message")))
        await self.hear(step.mode, step.says, done)

    async def hear(self, mode: str, says: str, what: str) -> None:
        """Show the bot's next message, which should be of this mode and hold this text."""
        row = await self._next(_settled, what)
        self._write(entry(row))
        if row["status"] == "FAILED":
            raise Failed(f"{what} was refused: {row['errorCode']} {row['errorMessage'] or ''}".rstrip())
        if row["mode"] != mode or says not in (row["text"] or ""):
            raise Failed(f"{what} should be of mode {mode} and say {says!r}, but is of mode {row['mode']}")

    async def _next(self, ready: Callable[[Row], bool], what: str) -> Row:
        """The first message that was not shown yet, once it is `ready`, or has been DELIVERED for a while."""
        clock = asyncio.get_running_loop()
        deadline, delivered_at, row = clock.time() + PATIENCE, None, None
        while clock.time() < deadline:
            rows = await ask(self._client, "GET", f"/sandbox/messages?contact=%2B{self._contact[1:]}")
            row = rows[self._shown] if len(rows) > self._shown else None
            if row is not None and row["status"] == "DELIVERED":
                delivered_at = delivered_at or clock.time()
            waited = delivered_at is not None and clock.time() - delivered_at > UNREAD
            if row is not None and (ready(row) or waited):
                self._shown += 1
                return row  # type: ignore[no-any-return]  # JSON
            await asyncio.sleep(POLL)
        if row is None:
            raise Failed(f"{what} did not come within {PATIENCE:.0f} s")
        raise Failed(f"{what} was still {row['status']} after {PATIENCE:.0f} s")


async def unused_contact(client: httpx.AsyncClient) -> str:
    """The first of the sample numbers that the sandbox has no chat with yet, so that each demo starts afresh."""
    known = {chat["contact"] for chat in (await ask(client, "GET", "/sandbox/state"))["chats"]}
    return next(phone for count in range(1, 10_000) if (phone := f"+551198765{count:04}") not in known)


async def pass_time(client: httpx.AsyncClient, span: str, write: Callable[[str], None], text: str) -> None:
    """Move the sandbox's clock, and with it the bot's, and say so."""
    await ask(client, "POST", "/sandbox/clock", {"advance": span})
    write(columns("clock", "", f"+{span}", text))


def _settled(row: Row) -> bool:
    return row["status"] in {"READ", "FAILED"}


Notify = Callable[[str], Awaitable[object]]


async def play(client: httpx.AsyncClient, notify: Notify, write: Callable[[str], None]) -> None:
    """Play the whole conversation.

    Args:
        client: calls the sandbox.
        notify: has the bot write about order 4242 to an address, outside of a conversation.
        write: prints an entry.

    Raises:
        Failed: an expected answer did not come, or is another.
    """
    contact = await unused_contact(client)
    player = Player(client, contact, "Ana", write)
    write(columns("who", "status", "mode", "text"))
    await player.act(Step(does={"text": "delivery"}, mode="text", says="Delivery takes"))
    await player.act(Step(does={"text": "Where is my order?"}, mode="buttons", says="order 4242"))
    await player.act(Step(does={"tap": "Track"}, mode="text", says="Parcel of order 4242"))
    await pass_time(client, "25h", write, "the 24-hour window closes: free text may not go any more")
    await notify(contact)
    await player.hear("template", "Your order 4242", "the same content as a template")
