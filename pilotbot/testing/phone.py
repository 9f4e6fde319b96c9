"""What a test does as a contact, and what that contact then sees: `Phone` acts and looks, `Group` only looks."""

import asyncio
import base64
from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from pilotbot.contacts import State, canonical
from pilotbot.testing.answers import Answer, Expected, compare, describe
from pilotbot.testing.wording import inside, printable

Row = dict[str, Any]
"""A message as `GET /sandbox/messages` shows it."""

FileKind = Literal["image", "video", "audio", "voice", "document", "sticker"]
S = TypeVar("S", bound=State)

# The smallest picture: one grey pixel.
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
SAMPLES = {
    "image": "image/png", "video": "video/mp4", "audio": "audio/mpeg", "voice": "audio/ogg", "document": "application/pdf",
    "sticker": "image/webp",
}  # fmt: skip


class Desk(Protocol):
    """What a screen needs of its platform."""

    rows: list[Row]

    async def act(self, path: str, body: Row, *, screen: "Screen") -> Any:
        """Do something in the sandbox as a contact, and wait until the bot is done."""

    async def state(self, screen: "Screen", cls: type[S]) -> S:
        """What the bot remembers of a chat."""

    def number_id(self, name: str) -> str:
        """The platform's id of one of our numbers."""

    def transcript(self, *screens: "Screen") -> str:
        """What was said, for an error."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether something is seen. True or false in an `assert`; its repr says why not."""

    holds: bool
    why: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return "seen" if self.holds else printable(f"not seen: {self.why}")


class Screen(ABC):  # noqa: B024 - what phones and groups share, and nothing by itself
    """A chat as it is seen on a phone. Made by `Platform.phone` and `Platform.group`.

    Attributes:
        address: the contact's or the group's.
        number: which of our numbers it is a chat with, by its name.
        name: what it is called.
    """

    def __init__(self, pilot: Desk, address: str, number: str) -> None:
        self.address = address
        self.number = number
        self.name: str | None = None
        self._pilot = pilot
        self._since = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or self.address}>"

    @property
    def answers(self) -> list[Answer]:
        """The bot's messages that arrived here since the last thing that was done, oldest first."""
        return [Answer.read(row) for row in self._pilot.rows[self._since :] if self.shows(row)]

    @property
    def screen(self) -> list[Answer]:
        """All of the bot's messages that arrived here, oldest first."""
        return [Answer.read(row) for row in self._pilot.rows if self.shows(row)]

    @property
    def last(self) -> Answer:
        """The newest of them.

        Raises:
            AssertionError: there is none.
        """
        seen = self.screen
        if not seen:
            raise AssertionError(f"no message of the bot has arrived at {self!r}")
        return seen[-1]

    def sees(self, *texts: str, mode: str | None = None, options: Sequence[str] | None = None) -> Sight:
        r"""Tell whether the bot's new messages hold these texts, in this order; other messages may stand between them.

        Args:
            texts: each a part of a message, `*` standing for anything and `\*` for a star.
            mode: how those messages should have gone: `text`, `buttons`, `list`, `media` or `template`.
            options: the labels that each should offer, exactly these in this order.
        """
        answers = self.answers
        left = list(answers)
        for text in texts or ("",):
            wanted = Expected(text=inside(text), mode=mode, options=None if options is None else tuple(options))
            found = next((at for at, answer in enumerate(left) if wanted.accepts(answer)), None)
            if found is None:
                return Sight(False, _why_not(wanted, text, left, answers))
            left = left[found + 1 :]
        return Sight(True)

    def sees_only(self, *expected: str | Expected) -> Sight:
        """Tell whether the bot's new messages are exactly these, in this order; without any, whether it said nothing.

        Args:
            expected: each the whole text of a message, with `*` as in `sees`; or an `Expected`, which can ask for more.
        """
        wanted = [Expected(text=each) if isinstance(each, str) else each for each in expected]
        differences = compare(wanted, self.answers)
        return Sight(not differences, "; ".join(each.text for each in differences))

    def snapshot(self) -> str:
        """All of the chat as text, without times and ids, to compare with what it was."""
        return "\n".join(_line(row) for row in self._pilot.rows if self.holds(row))

    async def state(self, cls: type[S]) -> S:
        """What the bot remembers of this chat under a `State` class; its defaults where there is nothing."""
        return await self._pilot.state(self, cls)

    def begin(self) -> None:
        """Let what comes from now on count as new."""
        self._since = len(self._pilot.rows)

    def find(self, text: str) -> str:
        """The id of the newest message of the bot that holds a text. Raises AssertionError where none does."""
        wanted = Expected(text=inside(text))
        found = next((answer.id for answer in reversed(self.screen) if wanted.accepts(answer)), None)
        if found is None:
            raise AssertionError(f"{self!r} has no message that says {text!r}\n\n{self._pilot.transcript(self)}")
        return found

    def holds(self, row: Row) -> bool:
        """Whether a message is of this chat."""
        return bool(row["number"] == self._pilot.number_id(self.number) and canonical(row["contact"]) == canonical(self.address))

    def shows(self, row: Row) -> bool:
        """Whether a message is the bot's, and arrived here."""
        return self.holds(row) and arrived(row)


class Group(Screen):
    """A group that our number is in. Contacts write there with `ana.says(..., to=group)`."""


class Phone(Screen):
    """A contact. Each verb waits until the bot has nothing left to do; `sees`, `answers` and `last` then look at the screen.

    All verbs raise `Refused` (an AssertionError) for what a contact cannot do, such as tapping what no message offers.
    """

    async def says(self, text: str, *, to: Group | None = None) -> None:
        """Write a text, here or in a group."""
        await self._inbound({"text": text}, to)

    async def taps(self, label: str, *, message: str | None = None, to: Group | None = None) -> None:
        """Tap a button or choose a row of a list.

        Args:
            label: what it says.
            message: the id of the message it is under; the newest that offers it without one.
            to: the group that it is in, if not this chat.
        """
        await self._inbound({"tap": label, **({"quoted": message} if message else {})}, to)

    async def quotes(self, quoted: str, text: str, *, to: Group | None = None) -> None:
        """Answer one of the bot's messages by quoting it.

        Args:
            quoted: a part of its text, with `*` as in `sees`; the newest that has it is quoted.
            text: what to write.
            to: the group that it is in, if not this chat.
        """
        await self._inbound({"text": text, "quoted": (to or self).find(quoted)}, to)

    async def sends(
        self, kind: FileKind, file: str | Path | bytes | None = None, *, caption: str | None = None, to: Group | None = None
    ) -> None:
        """Send a file.

        Args:
            kind: what WhatsApp sends it as.
            file: the path of a file here, its bytes, or a URL; without one, a sample.
            caption: the text under it.
            to: the group that it goes to, if not this chat.
        """
        media = {"media": file, "mediaType": kind} if isinstance(file, str) and "://" in file else await self._upload(kind, file)
        await self._inbound({**media, **({"caption": caption} if caption is not None else {})}, to)

    async def sends_photo(self, file: str | Path | bytes | None = None, *, caption: str | None = None, to: Group | None = None) -> None:
        """Send a picture; a tiny one without a `file`."""
        await self.sends("image", file, caption=caption, to=to)

    async def sends_location(self, latitude: float, longitude: float, *, name: str | None = None, to: Group | None = None) -> None:
        """Send a place, in degrees."""
        place = {"latitude": latitude, "longitude": longitude, **({"name": name} if name else {})}
        await self._inbound({"type": "location", "location": place}, to)

    async def sends_contacts(self, *cards: tuple[str, str], to: Group | None = None) -> None:
        """Send contact cards, each a name and a phone."""
        await self._inbound({"type": "contacts", "contacts": [{"name": name, "phone": phone} for name, phone in cards]}, to)

    async def reacts(self, emoji: str, quoted: str = "", *, to: Group | None = None) -> None:
        """React to the newest message of the bot that holds the text `quoted`. An empty emoji takes the reaction back."""
        await self._inbound({"type": "reaction", "reaction": {"emoji": emoji, "message": (to or self).find(quoted)}}, to)

    async def blocks(self) -> None:
        """Block our number: what the bot sends is accepted and never arrives."""
        await self._is("blocked", True)

    async def unblocks(self) -> None:
        """Take the block back."""
        await self._is("blocked", False)

    async def leaves_unread(self) -> None:
        """Read no more by itself: messages stay delivered until `reads`. Without this, whatever arrives is read at once."""
        await self._is("reads", False)

    async def reads(self) -> None:
        """Open the chat: what was delivered is read."""
        await self._pilot.act("/sandbox/read", self._me, screen=self)

    @property
    def _me(self) -> Row:
        return {"contact": self.address, "number": self._pilot.number_id(self.number)}

    async def _is(self, what: str, value: bool) -> None:
        await self._pilot.act("/sandbox/contacts", {**self._me, **({"name": self.name} if self.name else {}), what: value}, screen=self)

    async def _inbound(self, what: Row, to: Group | None = None) -> None:
        me: Row = {"from": self.address, "number": self._pilot.number_id(self.number)}
        if self.name is not None:
            me["name"] = self.name
        if to is not None:
            me |= {"event": "group", "groupId": to.address, "groupName": to.name, "number": self._pilot.number_id(to.number)}
            to.begin()
        await self._pilot.act("/sandbox/inbound", {**me, **what}, screen=self)

    async def _upload(self, kind: FileKind, file: str | Path | bytes | None) -> Row:
        data = PIXEL if file is None else file if isinstance(file, bytes) else await asyncio.to_thread(Path(file).read_bytes)
        name = Path(file).name if isinstance(file, str | Path) else None
        mime = (guess_type(name)[0] if name else None) or SAMPLES[kind]
        body = {"data": f"data:{mime};base64,{base64.b64encode(data).decode()}", **({"filename": name} if name else {})}
        stored = await self._pilot.act("/sandbox/media", body, screen=self)
        return {"media": stored["url"], "mediaType": kind, **({"filename": name} if name else {})}


def arrived(row: Row) -> bool:
    """Whether a message is the bot's, and came to where it should."""
    return row["direction"] == "out" and not row["fromMe"] and row["status"] in {"DELIVERED", "READ"}


def _why_not(wanted: Expected, text: str, left: Sequence[Answer], answers: Sequence[Answer]) -> str:
    if not answers:
        return "the bot answered nothing"
    if left != answers and any(wanted.accepts(answer) for answer in answers):
        return f"{text!r} came in another order"
    likely = next((answer for answer in answers if Expected(text=wanted.text).accepts(answer)), None)
    if likely is not None:
        return "; ".join(each.text for each in compare([wanted], [likely]))
    return f"{text!r} is in none of: {' / '.join(describe(answer) for answer in answers)}"


def _line(row: Row) -> str:
    """A message in a line or two: who, how, what."""
    if row["direction"] == "in":
        what = row["text"] or row["caption"] or ""
        kind = "" if row["mode"] == "text" else f"({row['type']}) "
        return f"> {kind}{what}".rstrip()
    answer = Answer.read(row)
    mode = f"template {answer.template}" if answer.template else answer.media_kind or answer.mode
    labels = "".join(f" [{label}]" for label in answer.options)
    failed = f" (failed: {answer.error_code})" if answer.status == "FAILED" else ""
    return f"< ({mode}) {answer.wording}{labels}{failed}"
