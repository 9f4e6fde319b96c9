"""How an option's label is meant though it is not written: some words of it, or a slip of the finger. A wrong guess is worse than none."""

from collections.abc import Iterable, Sequence
from typing import Final

_LONGEST = 60  # characters of what is compared letter by letter: its time grows with the square
_MOST_WORDS = 8
_ROOM: Final = ((16, 3), (8, 2), (4, 1))
"""From how many letters on how many slips are forgiven."""


def _words(of: str) -> frozenset[str]:
    return frozenset(of.split())


_SMALL = _words(
    "a an the of to for in on at and or with please "
    "o os as um uma de do da dos das no na nos nas em e ou com por para ao favor "
    "el la lo los las un una unos unas del al en y con"
)
"""Words that do not tell one label from another."""

_WISHES = _words("i want prefer eu yo quero quiero prefiro prefiero")
_ANSWERS = _words("yes y sim si s no nao n ok claro")
"""Words that mean a label only where it begins with them: "sim" is "Sim, quero", but "no" is not "Ver no site"."""

_DENIALS = _words("not never t nao nunca jamais jamas ni")


def is_part(typed: str, label: str) -> bool:
    """Whether `typed` is `label` in fewer words: some of them, in their order, and none else but small ones. Both are folded.

    What says the contrary is not: "não quero" is no part of "Quero", nor "recebi" of "Não recebi".
    """
    words, whole = typed.split(), label.split()
    if not words or not whole or len(words) > _MOST_WORDS or _denies(words) != _denies(whole):
        return False
    part, of = _telling(words), _telling(whole)
    if of and [word for word in part if word not in _WISHES] == of:
        return True
    if words[0] in _ANSWERS and words == whole[: len(words)]:
        return True
    alone = part[0] if len(part) == 1 else None
    if not part or (alone is not None and (alone in _ANSWERS or (len(alone) == 1 and alone.isalpha()))):
        return False
    return any(of[at : at + len(part)] == part for at in range(len(of)))


def closest(typed: str, labels: Sequence[str]) -> list[int]:
    """Which of `labels` may be meant by `typed`, letters wrong, missing, too many or swapped: none, one, or several. All are folded.

    The first letter and all digits have to be right, and a denial: "order 4243" is not "order 4242" with a slip. One is clear if
    every other is at least two letters farther off.
    """
    slips = {at: found for at, label in enumerate(labels) if (found := _slips(typed, label)) is not None}
    best = min(slips.values(), default=0)
    if not slips or best == 0:  # at most blanks are wrong
        return [at for at, found in slips.items() if found == 0]
    return [at for at, label in enumerate(labels) if len(label) <= _LONGEST and _distance(_joined(typed), _joined(label)) <= best + 1]


def _slips(typed: str, label: str) -> int | None:
    one, other = _joined(typed), _joined(label)
    letters = min(sum(map(str.isalpha, one)), sum(map(str.isalpha, other)))
    room = next((most for least, most in _ROOM if letters >= least), 0)
    if not room or max(len(typed), len(label)) > _LONGEST or abs(len(one) - len(other)) > room or one[0] != other[0]:
        return None
    if _digits(one) != _digits(other) or _denies(typed.split()) != _denies(label.split()):
        return None
    found = _distance(one, other)
    return found if found <= room else None


def _telling(words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in _SMALL]


def _denies(words: Sequence[str]) -> bool:
    return words[:1] in (["no"], ["n"]) or not _DENIALS.isdisjoint(words)


def _joined(words: str) -> str:
    return words.replace(" ", "")


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _distance(one: str, other: str) -> int:
    """How many letters to change, add, drop, or swap with the next one (optimal string alignment)."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
