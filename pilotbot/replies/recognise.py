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
from pilotbot.replies.words_of_numbers import LAST, cardinal_in, is_weekday, place_in, tells_time

_MORE_WORDS = frozenset({"more", "mais", "mas", "see more", "show more", "ver mais", "ver mas", "mostrar mais", "mostrar mas"})
_LEAST_TITLE = 10  # characters of a label that was cut for a list's row; fewer could be the beginning of anything
_NUMBER = re.compile(r"\(?\s*(\d{1,3})\s*[.):\-,!]{0,2}")
_KEYCAP = re.compile("[\ufe0e\ufe0f\u20e3]")
_PORTUGUESE = re.compile(r"[ãõç]|\b(?:pix|boleto|(?<!\.)com|em|na|uma?)\b")
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
    strict: bool = False,
) -> Choice | Ambiguous | None:
    """Find the option that the contact means.

    A quoted menu goes first (its label, choice id, number); then a label of any menu. A label is matched as it is, then folded (case,
    accents, punctuation). Where a menu is answered (it is quoted, or the last thing that was said) its options are also meant by their
    numbers, by some words of theirs, by their place ("the second one", "última"), and with slips of the finger; numbers that a message
    does not show only while it is the last thing that was said.

    Args:
        menus: the menus alive in this chat, newest first.
        text: what the contact wrote, or the label that was tapped; untrusted.
        quoted: the menu of the message that was quoted or tapped, if it is known.
        choice_id: the id that the wire gave with a tap, if any.
        tapped: whether it is a tap; a tap's text is a label, never a number, and where it is not known of which menu, no part of one.
        awaited: whether the newest menu is the last thing that was said in the chat, and may be answered without a quote.
        strict: people talk to each other there: only an awaited menu's labels as they are, and numbers, and nothing is asked.

    Returns:
        The choice; `Ambiguous` when several may be meant; None when nothing is meant.
    """
    number = None if tapped else number_in(text)
    newest = menus[:1] if awaited else []
    if quoted is not None:
        counts = number is not None and (quoted.numbered or quoted in newest)
        found = _by_label([quoted], text, turning=1) or _by_id(quoted, choice_id) or (_by_number(quoted, number) if counts else [])
        return _decide(found or (_by_label(menus, text) if number is None else []) or _loosely(quoted, text, tapped=tapped))
    if strict:
        choice = _decide(_as_it_is(newest, label_key(text), turning=1) or [each for menu in newest for each in _by_number(menu, number)])
        return choice if isinstance(choice, Choice) else None
    if number is not None:
        menus = newest  # whatever is counted, it is what was asked about last
    found = _by_label(menus, text, turning=1 if awaited or tapped else 0)
    if tapped:
        named = choice_id if choice_id is not None and number_in(choice_id) is None else ""
        return _decide(found or _by_label(menus, named) or [each for menu in menus[:1] for each in _cut(menu, text)])
    for menu in newest:
        found = found or _by_number(menu, number) or _loosely(menu, text, tapped=False)
    return _decide(found)


def number_in(text: str) -> int | None:
    """The option number that `text` is: "2", "2.", "(2)", a keycap, any script's digits; None when it is no number."""
    plain = unicodedata.normalize("NFKC", _KEYCAP.sub("", text.replace(_TEN, "10"))).strip()
    match = _NUMBER.fullmatch(plain)
    return int(match[1]) if match else None


def _all(menus: Sequence[Menu], turning: int) -> Iterator[_Found]:
    """All options, "more" of the first `turning` menus among them."""
    for at, menu in enumerate(menus):
        yield from ((menu, entry) for entry in (*menu.entries, *(menu.further if at < turning else ())))


def _as_it_is(menus: Sequence[Menu], key: str, turning: int) -> list[_Found]:
    return [found for found in _all(menus, turning) if key and label_key(found[1].label) == key]


def _by_label(menus: Sequence[Menu], text: str, turning: int = 0) -> list[_Found]:
    exact = _as_it_is(menus, label_key(text), turning)
    folded = fold(text)
    if exact or not folded:
        return exact
    return [found for found in _all(menus, turning) if fold(found[1].label) == folded]


def _by_id(menu: Menu, choice_id: str | None) -> list[_Found]:
    """By the id of a tap: a label, or a number."""
    if choice_id is None:
        return []
    return _by_label([menu], choice_id) or _at_place(menu, number_in(choice_id))


def _at_place(menu: Menu, place: int | None) -> list[_Found]:
    return [(menu, menu.shown[place - 1])] if place is not None and 1 <= place <= len(menu.shown) else []


def _by_number(menu: Menu, number: int | None) -> list[_Found]:
    """By the number of an option; where no numbers are shown, a label that begins with it may be meant as well."""
    found = _at_place(menu, number)
    if number is None or not found or menu.numbered:
        return found
    counts = [cardinal_in((fold(entry.label).split() or [""])[0]) for entry in menu.entries]
    known = number > 1 or sum(count is not None for count in counts) > 1  # one is an article, too
    digits = re.compile(f"(?:[a-z]{{1,2}} )?0*{number}(?!\\d)")  # "2x", "R$ 2"
    return found + [
        (menu, entry)
        for entry, count in zip(menu.entries, counts, strict=True)
        if digits.match(fold(entry.label)) or (known and count == number)
    ]


def _cut(menu: Menu, text: str) -> list[_Found]:
    """By the title of a list's row that was cut."""
    cut = label_key(text).rstrip(".\u2026")
    if cut == label_key(text) or len(cut) < _LEAST_TITLE:
        return []
    return [(menu, entry) for entry in menu.entries if label_key(entry.label).startswith(cut)]


def _loosely(menu: Menu, text: str, *, tapped: bool) -> list[_Found]:
    """By some words of a label, by a place in words, by a label with slips. A tap has the words of a label, and no place."""
    typed, labels = fold(text), [fold(entry.label) for entry in menu.entries]
    if typed in _MORE_WORDS and menu.more:
        return [(menu, entry) for entry in menu.further]
    if tapped and (cut := _cut(menu, text)):
        return cut
    portuguese = _PORTUGUESE.search(" ".join(entry.label for entry in menu.entries).casefold()) is not None
    at = [index for index, label in enumerate(labels) if is_part(typed, label, portuguese=portuguese)]
    place = None if tapped else _place(text, labels, named=bool(at))
    if place is not None:
        place = len(menu.shown) - len(menu.further) if place == LAST else place
        return [*((menu, menu.entries[index]) for index in at), *_by_number(menu, place)]
    return [(menu, menu.entries[index]) for index in at or closest(typed, labels)]


def _place(text: str, labels: Sequence[str], *, named: bool) -> int | None:
    """The place that a text names among folded labels. `named`: it is also a word of a label.

    Where the labels use such words themselves, or are days or times ("segunda" is Monday), it has to say that it is a place: "opção dois".
    """
    by_place = [place_in(label.split()[0]) is not None for label in labels if label]
    if sum(by_place) > 1 or any(map(tells_time, labels)):
        return place_in(text, said=True)
    if not named and is_weekday(text) and any(by_place):
        return None
    return place_in(text)


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
