"""What this process's turns and posts did, and why: kept in memory at a developer's desk, for the phone page and for failing tests.

It holds what contacts wrote. In production there is none: `Runtime.journal` is None, and nothing is told to it.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import count
from typing import Final, Literal

import orjson

from pilotbot.context import Context, Outcome
from pilotbot.engine import WINDOW, ChatKey, Claimed, Item, Lane, Pin, PutAside
from pilotbot.events import Inbound, Status
from pilotbot.replies import Ambiguous, Choice, Menu
from pilotbot.routing import Handler, Selected, Tried, Unmatched

KEPT: Final = 50
"""Turns, posts and things put aside that are kept of a chat, each."""

CHATS: Final = 500
TEXTS: Final = 5_000  # of staged items, to say what it was that was put aside

End = Literal["running", "committed", "retried", "buried", "stale"]
Result = Literal["sent", "retry", "again", "dead"]
Code = Literal["open", "closed", "never", "no-window", "group", "refused-late", "pinned", "no-free-form"]


@dataclass(frozen=True, slots=True)
class Why:
    """Why a variant was pinned. `closes_at` is when the window closes or did (business ms), None where no clock decides."""

    code: Code
    closes_at: int | None = None


def why(
    *, pin: Pin, pinned: bool, has_free: bool, enforced: bool, group: bool, inbound: int | None, now: int, margin: int, again: bool
) -> Why:
    """Say why the script that leased a lane pinned a variant: its choice (`replies.choose`), from the inputs that it had.

    Args:
        pin: the variant.
        pinned: it was pinned for an earlier post, which this one repeats.
        has_free: there is a free-form variant.
        enforced: the 24-hour window binds this destination.
        group: it is a group or a newsletter.
        inbound: the contact's last message when it was pinned (business ms), None for none.
        now: when it was pinned (business ms).
        margin: what is taken off the 24 hours, in ms.
        again: the content is decided again after a late refusal.
    """
    closes_at = inbound + WINDOW - margin if enforced and inbound is not None else None
    if pinned:
        return Why("pinned", closes_at)
    if not has_free:
        return Why("no-free-form", closes_at)
    if not enforced:
        return Why("group" if group else "no-window")
    if closes_at is None:
        return Why("never")
    if pin == "free":
        return Why("open", closes_at)
    # Within the time, only the platform's own late refusal shuts a window.
    return Why("refused-late") if again or now < closes_at else Why("closed", closes_at)


@dataclass(slots=True, kw_only=True)
class Utterance:
    """Something that a turn said, and what was expected of it.

    `items` are the ids of its outbox items, `emitted` says that it left before the commit, `to` whom it was for if not for the turn's own
    chat, `dropped` that it never left: its handler failed, or its turn did not commit.
    """

    shown: "Shown"
    outcome: Outcome
    items: tuple[str, ...]
    emitted: bool = False
    to: str | None = None
    dropped: bool = False


@dataclass(slots=True, kw_only=True)
class TurnNote:
    """One run of one turn. `at` is in business ms, `place` where in the author's code the `error` was raised."""

    ordinal: int
    run: tuple[str, str]
    at: int
    event: str = ""
    message_id: str | None = None
    text: str = ""
    choice: Choice | Ambiguous | None = None
    handler: Handler | None = None
    tried: tuple[Tried, ...] = ()
    said: list[Utterance] = field(default_factory=list)
    error: str | None = None
    place: str = ""
    end: End = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostNote:
    """One post of an outbox item. `tries` are the posts of it before this one; `at` is in business ms."""

    key: str
    item: str
    pin: Pin
    why: Why
    tries: int
    at: int
    result: Result
    error: str | None


@dataclass(frozen=True, slots=True)
class AsideNote:
    """Something that was not sent, or not yet: `what` became of it, `why`, and what it said where that is known."""

    at: int
    what: str
    why: str
    text: str | None


@dataclass(slots=True)
class _Chat:
    turns: deque[TurnNote] = field(default_factory=lambda: deque(maxlen=KEPT))
    posts: deque[PostNote] = field(default_factory=lambda: deque(maxlen=KEPT))
    aside: deque[AsideNote] = field(default_factory=lambda: deque(maxlen=KEPT))


class Journal:
    """The last turns and posts of each chat, oldest chats out first. `margin` is the engine's, in ms."""

    def __init__(self, *, margin: int) -> None:
        self._margin = margin
        self._chats: OrderedDict[ChatKey, _Chat] = OrderedDict()
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._ordinals = count()

    # --- read -------------------------------------------------------------------------------------------------------------------

    def turns(self, chat: ChatKey) -> Sequence[TurnNote]:
        """The chat's last turns, oldest first."""
        return tuple(self._chats[chat].turns) if chat in self._chats else ()

    def posts(self, chat: ChatKey) -> Sequence[PostNote]:
        """The chat's last posts, oldest first."""
        return tuple(self._chats[chat].posts) if chat in self._chats else ()

    def aside(self, chat: ChatKey) -> Sequence[AsideNote]:
        """What was put aside in the chat, oldest first."""
        return tuple(self._chats[chat].aside) if chat in self._chats else ()

    def latest(self, most: int = KEPT) -> Sequence[TurnNote]:
        """The last turns of all chats, oldest first."""
        every = (note for chat in self._chats.values() for note in chat.turns)
        return nlargest(most, every, key=lambda note: note.ordinal)[::-1]

    # --- turns ------------------------------------------------------------------------------------------------------------------

    def began(self, turn: Claimed, ctx: Context, choice: Choice | Ambiguous | None) -> None:
        """A turn has its context."""
        note, event = self._turn(turn), ctx.event
        note.event, note.choice = event.name, choice
        note.text = event.text if isinstance(event, Inbound) else ""
        note.message_id = event.message_id if isinstance(event, Inbound | Status) else None

    def routed(self, turn: Claimed, found: Selected | Unmatched) -> None:
        """A turn has its handler, or none."""
        note = self._turn(turn)
        note.tried = found.tried
        note.handler = found.handler if isinstance(found, Selected) else None

    def said(self, turn: Claimed, items: Sequence[Item], outcome: Outcome, *, emitted: bool = False, to: str | None = None) -> None:
        """A turn said something: staged it, or `emitted` it."""
        shown = shown_of(items)
        note = Utterance(shown=shown, outcome=outcome, items=tuple(item.id for item in items), emitted=emitted, to=to)
        self._turn(turn).said.append(note)
        for item in items:
            self._remember(item, shown.text)

    def failed(self, turn: Claimed, error: BaseException, place: str) -> None:
        """A turn's handler failed at this `place`: what it staged is dropped."""
        note = self._turn(turn)
        note.error, note.place = f"{type(error).__name__}: {error}".removesuffix(": "), place
        _drop(note)

    def ended(self, turn: Claimed, end: End) -> None:
        """A turn came to its end."""
        note = self._turn(turn)
        note.end = end
        if end != "committed":
            _drop(note)

    # --- sends ------------------------------------------------------------------------------------------------------------------

    def posted(self, lane: Lane, result: Result, error: str | None = None) -> None:
        """A lane's first item was posted, or looked up, with this result."""
        item = lane.item
        reason = why(
            pin=lane.pin, pinned=lane.tries > 0 or lane.unknown, has_free=bool(item.free), enforced=item.enforced, group=_to_group(item),
            inbound=int(lane.inbound) if lane.inbound else None, now=lane.first_post, margin=self._margin, again=item.again,
        )  # fmt: skip
        note = PostNote(
            key=item.key(lane.pin), item=item.id, pin=lane.pin, why=reason, tries=lane.tries, at=lane.now, result=result, error=error
        )
        self._chat(lane.key).posts.append(note)
        text = self._texts.get(item.id) or shown_of([item]).text
        self._remember(item, text)
        self._remember(item.decided_again(), text)

    def put_aside(self, one: PutAside) -> None:
        """An item left its lane without being sent."""
        if one.chat is not None:
            self._chat(one.chat).aside.append(AsideNote(one.at, one.what, one.why, self._texts.get(one.item)))

    # --- bounds -----------------------------------------------------------------------------------------------------------------

    def _chat(self, key: ChatKey) -> _Chat:
        chat = self._chats.setdefault(key, _Chat())
        self._chats.move_to_end(key)
        if len(self._chats) > CHATS:
            self._chats.popitem(last=False)
        return chat

    def _turn(self, turn: Claimed) -> TurnNote:
        """The note of a turn's run: a chat has one turn at a time, each run of it under a token of its own."""
        turns, run = self._chat(turn.key).turns, (turn.token, turn.seq)
        if not turns or turns[-1].run != run:
            turns.append(TurnNote(ordinal=next(self._ordinals), run=run, at=turn.now))
        return turns[-1]

    def _remember(self, item: Item, text: str) -> None:
        self._texts[item.id] = text
        if len(self._texts) > TEXTS:
            self._texts.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """What items show to people: the free-form text (or what stands for it), the labels, the template's name."""

    text: str
    options: tuple[str, ...] = ()
    template: str | None = None


def shown_of(items: Sequence[Item]) -> Shown:
    """What the items of one content show, its parts together."""
    texts: list[str] = []
    options: list[str] = []
    template: str | None = None
    for item in items:
        free = orjson.loads(item.free or b"{}")
        file = f"[{free['mediaType']}]" if "mediaType" in free else ""
        texts.append(" ".join(part for part in (file, free.get("text") or free.get("caption")) if part))
        if item.menu:  # the same for all parts
            options = [entry.label for entry in Menu.load(orjson.loads(item.menu)).shown]
        template = template or orjson.loads(item.template or b"{}").get("templateId")
    text = "\n".join(text for text in texts if text)
    return Shown(text or (f"[template {template}]" if template else ""), tuple(options), template)


def _to_group(item: Item) -> bool:
    body = orjson.loads(item.free or item.template)
    return "groupId" in body or "newsletterId" in body


def _drop(note: TurnNote) -> None:
    for one in note.said:
        one.dropped = not one.emitted
