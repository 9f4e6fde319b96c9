"""How an option's label is meant though it is not written: some words of it, or a slip of the finger. A wrong guess is worse than none."""

from collections.abc import Sequence
from typing import Final

from pilotbot.replies.words_of_numbers import CALENDAR

_LONGEST = 60  # characters of what is compared letter by letter: its time grows with the square
_MOST_WORDS = 8
_SHORT = 6  # letters of a word that is another one with a letter wrong
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
_DENIED = _words(
    "thanks thank i it way more longer problem need want please keep go leave wait stop do dont other one cancel refund return change "
    "delivery order track receipt idea not never change interest interested "
    "gracias quiero es tengo me te se lo la los las le puedo deseo necesito acepto recibi recibo llego llega funciona hay estoy soy estaba "
    "por mejor ahora cancelar confirmo confirmar volver interesa quisiera creo conozco encuentro encontre pude voy uso pedi pague acuerdo "
    "obrigado obrigada quero preciso"
)
"""Words before which "no" denies, in English and Spanish; before others it may be "in the": "No cartão"."""


def is_part(typed: str, label: str, *, portuguese: bool = False) -> bool:
    """Whether `typed` is `label` in fewer words: some of them, in their order, and none else but small ones. Both are folded.

    What says the contrary is not: "não quero" is no part of "Quero", nor "recebi" of "Não recebi". `portuguese`: the labels are, so that
    "no Pix" may be typed for "by Pix". "Plano E" is not "Plano A".
    """
    words, whole = typed.split(), label.split()
    if not words or not whole or len(words) > _MOST_WORDS or _letters(words, whole):
        return False
    if _denies(words, sure=not portuguese and whole[0] != "no") != _denies(whole):
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

    The first letter, all digits and words of one letter have to be right, days and months, and a denial: "order 4243" is not "order 4242"
    with a slip. In up to six letters none is wrong: that makes another word. One is clear if every other is at least two letters farther
    off.
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
    words, whole = typed.split(), label.split()
    if _digits(one) != _digits(other) or _denies(words) != _denies(whole) or _others(words, whole, one == other):
        return None
    found = _distance(one, other)
    return found if found <= room else None


def _others(words: Sequence[str], whole: Sequence[str], joined: bool) -> bool:
    """Whether some word of a label became another one: a letter of its own, a day or month, a short one with a wrong letter."""
    if joined:  # only blanks are wrong
        return False
    if [word for word in words if len(word) == 1] != [word for word in whole if len(word) == 1]:
        return True
    if (found := CALENDAR.intersection(words)) and found != CALENDAR.intersection(whole):
        return True
    pairs = zip(words, whole, strict=True) if len(words) == len(whole) else [(_joined(" ".join(words)), _joined(" ".join(whole)))]
    return any(a != b and (len(b) <= _SHORT or b in CALENDAR) and _wrong(a, b) for a, b in pairs if not {a, b} <= _SMALL)


def _wrong(typed: str, word: str) -> bool:
    """Whether more than letters left out, put in or swapped tells a word from another."""
    return _distance(typed, word, wrong=2) > max(1, abs(len(typed) - len(word)))


def _telling(words: Sequence[str]) -> list[str]:
    """The words that tell a label from others; a letter at its end does: "Turma A"."""
    return [word for at, word in enumerate(words) if word not in _SMALL or (len(word) == 1 and at == len(words) - 1)]


def _letters(words: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether both have words of one letter, and not the same: "plano e mensal" is not "Plano A mensal"."""
    one, other = ({word for word in of if len(word) == 1} for of in (words, whole))
    return bool(one and other) and not one <= other


def _denies(words: Sequence[str], *, sure: bool = False) -> bool:
    """Whether a text says no. `sure`: whatever follows a "no", it is none in Portuguese."""
    if words[:1] == ["no"]:
        return sure or len(words) == 1 or words[1] in _DENIED or not _DENIALS.isdisjoint(words)
    return words[:1] == ["n"] or not _DENIALS.isdisjoint(words)


def _joined(words: str) -> str:
    return words.replace(" ", "")


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _distance(one: str, other: str, wrong: int = 1) -> int:
    """How many letters to change, add, drop, or swap with the next one (optimal string alignment). One to change counts as `wrong`."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong * (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
