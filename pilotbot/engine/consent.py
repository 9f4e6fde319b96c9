"""What people decided about being written to: a ledger a person, and marks on each of their chats that the lane obeys (design 3.13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import orjson

from pilotbot.engine.batch import Argument
from pilotbot.engine.calls import Calls
from pilotbot.engine.keys import ChatKey

Scope = Literal["all", "utility", "marketing", "authentication"]
"""What a decision is about: all messages that a contact did not ask for, or those of a purpose."""

Marks = Mapping[Scope, int]
"""What holds of each: when it was decided, in business ms, negative for yes. What nothing was decided of is left out."""

SCOPES: Mapping[bytes, Scope] = {
    b"all": "all", b"utility": "utility", b"marketing": "marketing", b"authentication": "authentication",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """An entry of the ledger.

    Attributes:
        what: opted out, or in.
        at: when, in business ms.
        source: how it came to be known: "word" (the contact wrote it), "handler", "app", "command", "lead" (a form of an advertisement);
            "forgotten" for a no of somebody who was forgotten.
        evidence: what shows it: the words, a note.
        event: the event that it came with, "" for none.
        purpose: what it is about.
    """

    what: Literal["out", "in"]
    at: int
    source: str
    evidence: str
    event: str = ""
    purpose: Scope = "all"

    @property
    def mark(self) -> int:
        """As chats and scripts know it: when, negative for yes."""
        return self.at if self.what == "out" else -self.at

    def pack(self) -> bytes:
        """As it is stored; the same entry is the same bytes."""
        return orjson.dumps({
            "what": self.what, "at": self.at, "source": self.source, "evidence": self.evidence[:500], "event": self.event,
            "purpose": self.purpose,
        })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision to enter, whose it is, and their chats with all our numbers."""

    entry: Consent
    person: ChatKey
    chats: tuple[ChatKey, ...]


class Consents:
    """The ledger of all people; a part of `Engine`. `person` is a key of `Keyring.person`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def record(self, person: ChatKey, entry: Consent) -> Marks:
        """Enter a decision, once; the latest holds. Returns what holds now."""
        flat, _ = await self._calls.script("consent", person.shard, person.id, "enter", entry.at, entry.pack())
        return _marks(flat)

    async def of(self, person: ChatKey) -> tuple[Marks, list[Consent]]:
        """What holds, and the ledger, the newest first; 100 entries at most."""
        flat, entries = await self._calls.script("consent", person.shard, person.id, "read")
        return _marks(flat), [Consent(**orjson.loads(entry)) for entry in entries]

    async def forget(self, person: ChatKey) -> Marks:
        """Forget the ledger but for a no that holds, of which no evidence is kept. Returns what holds then.

        What was decided before is not entered any more, as by a turn that was under way.
        """
        flat, _ = await self._calls.script("consent", person.shard, person.id, "forget")
        return _marks(flat)

    async def mark(self, chat: ChatKey, marks: Marks) -> str:
        """Tell a chat what its contact decided; an older decision changes nothing. Returns the token of its lane where that is leased."""
        told: list[Argument] = [part for scope, mark in marks.items() for part in (scope, mark)]
        return str(await self._calls.script("mark_consent", chat.shard, chat.id, *told), "utf-8")


def as_fields(marks: Marks) -> dict[str, bytes]:
    """Marks as a chat's fields have them."""
    return {"consent" if scope == "all" else f"consent:{scope}": str(mark).encode() for scope, mark in marks.items()}


def marks_of(fields: Mapping[str, bytes]) -> Marks:
    """The marks among a chat's fields."""
    named: dict[Scope, bytes | None] = {
        scope: fields.get("consent" if scope == "all" else f"consent:{scope}") for scope in SCOPES.values()
    }  # fmt: skip
    return {scope: int(mark) for scope, mark in named.items() if mark}


def _marks(flat: list[bytes]) -> Marks:
    return {SCOPES[flat[i]]: int(flat[i + 1]) for i in range(0, len(flat), 2)}
