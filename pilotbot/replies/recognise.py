"""Which option is meant by what comes back: a tap, a label, a number, a word (design 3.14, contract 8.8).

A wrong choice is worse than none: what may mean several options is asked about, and a sentence that names one is no choice.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from pilotbot.replies.folding import fold
from pilotbot.replies.likeness import closest, is_part
from pilotbot.replies.menu import MORE, Ambiguous, Choice, Entry, Menu, choice_of
from pilotbot.replies.offers import label_key
from pilotbot.replies.words_of_numbers import LAST, place_in

_MORE_WORDS = frozenset({"more", "mais", "mas", "see more", "show more", "ver mais", "ver mas", "mostrar mais", "mostrar mas"})
_LEAST_TITLE = 10  # characters of a label that was cut for a list's row; fewer could be the beginning of anything
_NUMBER = re.compile(r"\(?\s*(\d{1,3})\s*[.):\-,!]{0,2}")
_KEYCAP = re.compile("[\ufe0e\ufe0f\u20e3]")
_TEN = "\U0001f51f"
_Found = tuple[Menu, Entry]


def recognise(
    menus: Sequence[Menu],
    text: str,
    *,
    quoted: Menu | None = None,
    choice_id: str | None = None,
    tapped: bool = False,
    awaited: bool = True,
) -> Choice | Ambiguous | None:
    """Find the option that the contact means.

    A quoted menu goes first (its label, choice id, number); then a label of the last menu or its number; then a label of any menu. A
    label is matched as it is, then folded (case, accents, punctuation). Where a menu is answered (it is quoted, or the last thing that was
    said) its options are also meant by some words of theirs, by their place ("the second one", "última"), and with slips of the finger.

    Args:
        menus: the menus alive in this chat, newest first.
        text: what the contact wrote, or the label that was tapped; untrusted.
        quoted: the menu of the message that was quoted or tapped, if it is known.
        choice_id: the id that the wire gave with a tap, if any.
        tapped: whether it is a tap; a tap's text is a label, never a number.
        awaited: whether the newest menu is the last thing that was said in the chat.

    Returns:
        The choice; `Ambiguous` when several may be meant; None when nothing is meant.
    """
    number = None if tapped else number_in(text)
    if quoted is not None:
        found = _by_label([quoted], text) or _by_id([quoted], choice_id) or _by_number(quoted, number)
        return _decide(found or _by_label(menus, text) or _loosely(quoted, text, tapped=tapped))
    found = _by_label(menus, text)
    if menus and number is not None and not any(menu is menus[0] for menu, _ in found):
        found = _by_number(menus[0], number) or found
    if not found and menus:
        found = _by_id(menus, choice_id) or (_loosely(menus[0], text, tapped=tapped) if awaited or tapped else [])
    return _decide(found)


def number_in(text: str) -> int | None:
    """The option number that `text` is: "2", "2.", "(2)", a keycap, any script's digits; None when it is no number."""
    plain = unicodedata.normalize("NFKC", _KEYCAP.sub("", text.replace(_TEN, "10"))).strip()
    match = _NUMBER.fullmatch(plain)
    return int(match[1]) if match else None


def _all(menus: Sequence[Menu]) -> Iterator[_Found]:
    return ((menu, entry) for menu in menus for entry in (*menu.entries, *menu.further))


def _by_label(menus: Sequence[Menu], text: str) -> list[_Found]:
    key = label_key(text)
    if not key:
        return []
    exact = [found for found in _all(menus) if label_key(found[1].label) == key]
    folded = fold(text)
    if exact or not folded:
        return exact
    return [found for found in _all(menus) if fold(found[1].label) == folded]


def _by_id(menus: Sequence[Menu], choice_id: str | None) -> list[_Found]:
    """By the id of a tap: a label, or a number of the first menu."""
    if choice_id is None:
        return []
    return _by_label(menus, choice_id) or _by_number(menus[0], number_in(choice_id))


def _by_number(menu: Menu, number: int | None) -> list[_Found]:
    """By the number of an option; a label that begins with that number may be meant as well."""
    shown = menu.shown
    if number is None or not 1 <= number <= len(shown):
        return []
    named = [entry for entry in menu.entries if not menu.numbered and fold(entry.label).split()[:1] == [str(number)]]
    return [(menu, entry) for entry in (shown[number - 1], *named)]


def _loosely(menu: Menu, text: str, *, tapped: bool) -> list[_Found]:
    """By some words of a label, by a place in words, by a label with slips. A tap has the words of a label, and no place."""
    typed, labels = fold(text), [fold(entry.label) for entry in menu.entries]
    if typed in _MORE_WORDS and menu.more:
        return [(menu, entry) for entry in menu.further]
    if tapped and (cut := label_key(text).rstrip(".\u2026")) != label_key(text) and len(cut) >= _LEAST_TITLE:
        return [(menu, entry) for entry in menu.entries if label_key(entry.label).startswith(cut)]
    at = [index for index, label in enumerate(labels) if is_part(typed, label)]
    place = None if tapped else place_in(text)
    if place is not None and not (at and _names_places(labels)):
        place = len(menu.shown) - len(menu.further) if place == LAST else place
        return [*((menu, menu.entries[index]) for index in at), *_by_number(menu, place)]
    return [(menu, menu.entries[index]) for index in at or closest(typed, labels)]


def _names_places(labels: Sequence[str]) -> bool:
    """Whether the labels use such words themselves, as weekdays do in Portuguese: "segunda" is Monday among days."""
    return sum(place_in(label.split()[0]) is not None for label in labels if label) > 1


def _decide(found: Sequence[_Found]) -> Choice | Ambiguous | None:
    """One meaning is a choice, from the newest menu; several are asked about."""
    distinct: list[_Found] = []
    for menu, entry in found:
        if not any(_meaning(entry) == _meaning(other) for _, other in distinct):
            distinct.append((menu, entry))
    if len(distinct) > 1:
        distinct = [one for one in distinct if one[1].name != MORE]
    if not distinct or not distinct[0][1].label:
        return None
    choices = tuple(choice_of(menu, entry) for menu, entry in distinct)
    return choices[0] if len(choices) == 1 else Ambiguous(choices)


def _meaning(entry: Entry) -> tuple[str | None, object]:
    return entry.name, entry.data if entry.name is not None else label_key(entry.label)
