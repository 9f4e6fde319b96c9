"""What was offered, remembered, and recognised in what comes back (design 3.14, contract 8.8)."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from pilotbot.replies.actions import Action, Option, action_class
from pilotbot.replies.errors import ContentError
from pilotbot.replies.folding import fold
from pilotbot.replies.messages import label_key

_EXCERPT = 40
_NUMBER = re.compile(r"\(?\s*(\d{1,3})\s*[.):\-,!]{0,2}")
_KEYCAP = re.compile("[\ufe0e\ufe0f\u20e3]")
_TEN = "\U0001f51f"


@dataclass(frozen=True, slots=True)
class Entry:
    """One option as it is stored: its label, and the name and fields of its action, if it has one."""

    label: str = field(repr=False)
    name: str | None = None
    data: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Menu:
    """The options of one sent message, in the order they were numbered.

    Attributes:
        entries: the first is number 1.
        id: the outbox item that carried it; given when it is staged.
        excerpt: how the text began, to ask "which one?".
    """

    entries: tuple[Entry, ...]
    id: str = ""
    excerpt: str = field(default="", repr=False)

    @classmethod
    def of(cls, options: Sequence[Option], text: str) -> Self:
        """The menu of rendered `options` that stand under `text`."""
        short = " ".join(text.split())
        if len(short) > _EXCERPT:
            short = short[: _EXCERPT - 1].rstrip() + "…"
        return cls(tuple(_entry(option) for option in options), excerpt=short)

    def dump(self) -> dict[str, object]:
        """The menu as JSON-able values; `load` reads them back."""
        entries = [[entry.label, entry.name, entry.data] for entry in self.entries]
        return {"id": self.id, "excerpt": self.excerpt, "entries": entries}

    @classmethod
    def load(cls, stored: Mapping[str, object]) -> Self:
        """Read what `dump` gave; what is not readable becomes an entry that nothing matches, so numbers stay right."""
        entries = stored.get("entries")
        return cls(
            tuple(map(_load_entry, entries)) if isinstance(entries, list | tuple) else (),
            id=_string(stored.get("id")),
            excerpt=_string(stored.get("excerpt")),
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that the contact chose.

    Attributes:
        label: as it was offered.
        action: what it means; None for a plain label, or when `problem` is set.
        problem: why the stored action could not be read (its class is gone, or its fields have changed).
        menu: id of the menu it was chosen from.
        excerpt: how that menu's text began.
    """

    label: str = field(repr=False)
    action: Action | None = None
    problem: str | None = None
    menu: str = ""
    excerpt: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A label that is alive with several meanings, newest first: ask which, by excerpt."""

    candidates: tuple[Choice, ...]


_Found = tuple[Menu, Entry]


def recognise(
    menus: Sequence[Menu],
    text: str,
    *,
    quoted: Menu | None = None,
    choice_id: str | None = None,
    tapped: bool = False,
) -> Choice | Ambiguous | None:
    """Find the option that the contact means.

    A quoted menu goes first (its label, choice id, number); then a label of the last menu or its number; then a
    label of any menu. A label is matched as it is, then folded (case, accents, punctuation).

    Args:
        menus: the menus alive in this chat, newest first.
        text: what the contact wrote, or the label that was tapped; untrusted.
        quoted: the menu of the message that was quoted or tapped, if it is known.
        choice_id: the id that the wire gave with a tap, if any.
        tapped: whether it is a tap; a tap's text is a label, never a number.

    Returns:
        The choice; `Ambiguous` when one label has several meanings; None when nothing is meant.
    """
    number = None if tapped else number_in(text)
    if quoted is not None:
        found = _by_label([quoted], text) or _by_id(quoted, choice_id) or _by_number(quoted, number)
        if found:
            return _decide(found)
        number = None  # a number under a quote is a number of the quoted menu
    found = _by_label(menus, text)
    if menus and number is not None and not any(menu is menus[0] for menu, _ in found):
        found = _by_number(menus[0], number) or found
    return _decide(found)


def number_in(text: str) -> int | None:
    """The option number that `text` is: "2", "2.", "(2)", a keycap, any script's digits; None when it is no number."""
    plain = unicodedata.normalize("NFKC", _KEYCAP.sub("", text.replace(_TEN, "10"))).strip()
    match = _NUMBER.fullmatch(plain)
    return int(match[1]) if match else None


def _entry(option: Option) -> Entry:
    action = option.action
    if action is None:
        return Entry(option.label)
    return Entry(option.label, action.action_name, action.model_dump(mode="json"))


def _load_entry(stored: object) -> Entry:
    match stored:
        case [str(label), str(name), dict(data)]:
            return Entry(label, name, data)
        case [str(label), None, None]:
            return Entry(label)
        case _:
            return Entry("")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _all(menus: Sequence[Menu]) -> Iterator[_Found]:
    return ((menu, entry) for menu in menus for entry in menu.entries)


def _by_label(menus: Sequence[Menu], text: str) -> list[_Found]:
    key = label_key(text)
    if not key:
        return []
    exact = [found for found in _all(menus) if label_key(found[1].label) == key]
    folded = fold(text)
    if exact or not folded:
        return exact
    return [found for found in _all(menus) if fold(found[1].label) == folded]


def _by_id(menu: Menu, choice_id: str | None) -> list[_Found]:
    if choice_id is None:
        return []
    return _by_label([menu], choice_id) or _by_number(menu, number_in(choice_id))


def _by_number(menu: Menu, number: int | None) -> list[_Found]:
    if number is None or not 1 <= number <= len(menu.entries):
        return []
    return [(menu, menu.entries[number - 1])]


def _decide(found: Sequence[_Found]) -> Choice | Ambiguous | None:
    """One meaning is a choice, from the newest menu; several are asked about."""
    distinct: list[_Found] = []
    for menu, entry in found:
        if not any((entry.name, entry.data) == (other.name, other.data) for _, other in distinct):
            distinct.append((menu, entry))
    if not distinct or not distinct[0][1].label:
        return None
    choices = tuple(_choice(menu, entry) for menu, entry in distinct)
    return choices[0] if len(choices) == 1 else Ambiguous(choices)


def _choice(menu: Menu, entry: Entry) -> Choice:
    action, problem = None, None
    if entry.name is not None:
        known = action_class(entry.name)
        try:
            action = None if known is None else known.checked(entry.data or {})
            problem = None if known else f"no action is called {entry.name!r} any more: keep old names for stored taps."
        except ContentError as error:
            problem = str(error)
    return Choice(entry.label, action, problem, menu.id, menu.excerpt)
