"""A person has the chat: until when, the words that ask for one, and whether an echo is a person's (design 3.10, 3.14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal

import orjson

from pilotbot.replies.folding import fold

Start = Literal["handler", "word", "operator", "phone"]
"""Who gave the chat to a person: a handler, the contact's own word, an operator, or somebody who just answered from the phone."""

End = Literal["operator", "word", "time"]
"""Who gave it back."""

WORDS: Final = (
    "atendente", "humano", "falar com atendente", "falar com uma pessoa", "quero falar com uma pessoa",
    "agent", "human", "talk to a person", "talk to an agent", "talk to a human",
    "agente", "hablar con una persona", "hablar con un agente",
)  # fmt: skip
BACK_WORDS: Final = ("voltar ao bot", "voltar ao robô", "back to the bot", "volver al bot")

LONGEST: Final = timedelta(days=30)
"""How long a person may have a chat without having written in it."""

WORD_MOST: Final = 200  # characters of a message that may be a word
QUEUE_MOST: Final = 60
NOTE_MOST: Final = 1_000


def span(how_long: timedelta) -> int:
    """How long a person may have a chat, in ms. Raises TypeError or ValueError for what is no such span."""
    if not isinstance(how_long, timedelta):
        raise TypeError(f"say for how long a person has the chat as a span of time, such as hours(12); it was given {how_long!r}")
    if not timedelta(0) < how_long <= LONGEST:
        raise ValueError(f"a person has a chat for up to {LONGEST.days} days, such as hours(12); it was given {how_long}")
    return how_long // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """A person has a chat. Times are business milliseconds; `queue` and `note` are for the people, "" for none."""

    queue: str = ""
    note: str = field(default="", repr=False)
    since: int
    until: int
    by: Start

    def __post_init__(self) -> None:
        if not isinstance(self.queue, str) or len(self.queue) > QUEUE_MOST or not self.queue.isprintable():
            raise ValueError(f'a queue has a short name, such as "sales": up to {QUEUE_MOST} printable characters')
        if not isinstance(self.note, str) or len(self.note) > NOTE_MOST:
            raise ValueError(f"a note for the people has at most {NOTE_MOST} characters")

    def has_it(self, now: int) -> bool:
        """Whether the chat is theirs still."""
        return now < self.until

    def dump(self) -> bytes:
        """As the chat's field `human`, which handover.lua reads."""
        return orjson.dumps({"queue": self.queue, "note": self.note, "since": self.since, "until": self.until, "by": self.by})

    @classmethod
    def load(cls, stored: bytes) -> "Human":
        """Read what `dump` wrote."""
        given: Mapping[str, Any] = orjson.loads(stored)
        return cls(
            queue=given["queue"], note=given["note"], since=int(given["since"]), until=int(given["until"]), by=given["by"]
        )  # fmt: skip


def human_of(fields: Mapping[str, bytes], now: int) -> Human | None:
    """Who has a chat, from its stored fields; None where the bot has it."""
    stored = fields.get("human")
    human = Human.load(stored) if stored else None
    return human if human is not None and human.has_it(now) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """How chats come to a person and back.

    Args:
        words: what a contact writes to be given to a person; a message must be nothing else. Case, accents and punctuation do not count.
        queue: the queue that they come to.
        confirmation: what is answered to such a word; None for nothing, such as where a `handed_over` handler answers.
        back_words: what a contact writes to have the bot back.
        back_after: after how long the bot has a chat back, counted from the person's last message where those are seen; up to 30 days.
        from_phone: whether somebody who answers from the phone, or from another tool of the number's, has the chat from then on.
    """

    words: Sequence[str] = WORDS
    queue: str = ""
    confirmation: str | None = "One of us will answer you here."
    back_words: Sequence[str] = BACK_WORDS
    back_after: timedelta = timedelta(hours=12)
    from_phone: bool = True
    _words: frozenset[str] = field(init=False, repr=False)
    _back: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, several in (("words", self.words), ("back_words", self.back_words)):
            if isinstance(several, str) or not all(isinstance(word, str) and fold(word) and len(word) <= WORD_MOST for word in several):
                raise ValueError(f"{name} is a list of words, of letters and at most {WORD_MOST} characters: not {several!r}")
        span(self.back_after)
        Human(queue=self.queue, since=0, until=0, by="word")
        object.__setattr__(self, "_words", frozenset(map(fold, self.words)))
        object.__setattr__(self, "_back", frozenset(map(fold, self.back_words)))
        if both := sorted(self._words & self._back):
            raise ValueError(f"these words ask for a person and for the bot: {', '.join(both)}")

    def asks_for_person(self, text: str) -> bool:
        """Whether a contact's message, untrusted, asks for a person."""
        return len(text) <= WORD_MOST and fold(text) in self._words

    def asks_for_bot(self, text: str) -> bool:
        """Whether a contact's message, untrusted, asks for the bot again."""
        return len(text) <= WORD_MOST and fold(text) in self._back


UNASKED: Final = Handover(words=(), back_words=(), confirmation=None)
"""What holds where a bot says nothing: chats come to people by handlers, operators and the phone only."""

# --- echoes -----------------------------------------------------------------------------------------------------------------------

AGAIN: Final = 30_000
"""After so many ms an echo that could not be judged is looked at again."""

PATIENCE: Final = 10 * 60_000  # ms after which what could not be learned is taken for a person's: silence harms less than two voices
PERSONS: Final = frozenset({"APP", "CHAT", "CHATWOOT"})
"""What the platform says that a message came from, where a person wrote it (contract 4.1); the rest are programs."""

MAYBE: Final = "DASHBOARD"
"""From there a person answers, but campaigns go out, too."""

Verdict = Literal["ours", "person", "ask", "later"]


def judged(*, known: bool, under_way: bool, asked: "Asked | None", waited: int, unreported: bool = False, talking: bool = True) -> Verdict:
    """Whose an echo is: a message from our number that a webhook tells of as if somebody had written to us (design 3.10).

    Args:
        known: one of its ids is that of a message that we sent and have a record of.
        under_way: a post of ours in its chat is under way, or nobody knows what became of it: it may be that one's.
        asked: what the platform said of it; None before it was asked.
        waited: how many ms it has been waiting for this.
        unreported: the message of ours that was taken last has no status yet: it may be that one's, by an id that nobody knows yet.
        talking: the contact wrote in the last day, so that somebody may answer.

    Returns:
        `ours`: the bot's, or another program's. `person`: somebody wrote it. `ask`: the platform is to be asked. `later`: nobody can say
        yet.
    """
    if known:
        return "ours"
    patient = waited < PATIENCE
    if under_way and patient:
        return "later"
    if asked is None:
        return "ask"
    if asked.known or asked.origin not in {None, MAYBE, *PERSONS}:
        return "ours"
    if asked.failed:
        return "later" if patient else "person"
    if asked.origin is None:  # nobody knows of it; but ours may just not be known by this id yet
        return "later" if waited < AGAIN or (unreported and patient) else "person"
    return "person" if talking or asked.origin != MAYBE else "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the platform says of a message: whether it is one that we have a record of, where it came from if it knows; or no answer.

    Nothing of these: the platform does not know it, or not where it came from.
    """

    known: bool = False
    origin: str | None = None
    failed: bool = False
