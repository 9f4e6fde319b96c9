"""Places in a list as people name them: "second", "the second one", "número dois", "la última"; in English, Portuguese and Spanish.

The whole text must be that and nothing else: a number within a sentence is no answer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pilotbot.replies.folding import fold

LAST: Final = -1
"""The place of the last one."""

_LONGEST = 60  # characters; what is longer names no place
_SIGN = re.compile("\\bn\\s*[\u00ba\u00b0]|#", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a place is named: saying that it is a place, or not, or as a number alone."""

    said: re.Pattern[str]
    bare: re.Pattern[str]
    cardinal: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Tongue:
    """How a language names places: words by place (each field's first word is 1), and those that may stand around them."""

    cardinals: str
    ordinals: str
    last: str
    articles: str
    nouns: str
    wishes: str
    please: str


_TONGUES = (
    _Tongue(
        cardinals="one two three four five six seven eight nine ten",
        ordinals="first|1st second|2nd third|3rd fourth|4th fifth|5th sixth|6th seventh|7th eighth|8th ninth|9th tenth|10th",
        last="last", articles="the", nouns="number|option|item|choice", wishes="i want|i prefer|i choose|i ll take", please="please",
    ),
    _Tongue(
        cardinals="um|uma dois|duas tres quatro cinco seis sete oito nove dez",
        ordinals="primeir[oa]|1[oa] segund[oa]|2[oa] terceir[oa]|3[oa] quart[oa]|4[oa] quint[oa]|5[oa] sext[oa]|6[oa] setim[oa]|7[oa]"
        " oitav[oa]|8[oa] non[oa]|9[oa] decim[oa]|10[oa]",
        last="ultim[oa]", articles="o|a", nouns="numero|opcao|alternativa|item", wishes="(?:eu )?(?:quero|prefiro|escolho)|vou de",
        please="por favor",
    ),
    _Tongue(
        cardinals="un[oa]? dos tres cuatro cinco seis siete ocho nueve diez",
        ordinals="primer[oa]?|1[oa] segund[oa]|2[oa] tercer[oa]?|3[oa] cuart[oa]|4[oa] quint[oa]|5[oa] sext[oa]|6[oa] septim[oa]|7[oa]"
        " octav[oa]|8[oa] noven[oa]|9[oa] decim[oa]|10[oa]",
        last="ultim[oa]", articles="el|la", nouns="numero|opcion|alternativa|item", wishes="(?:yo )?(?:quiero|prefiero|elijo)",
        please="por favor",
    ),
)  # fmt: skip


def _ways(tongue: _Tongue) -> Iterator[tuple[int, _Way]]:
    """Each place with how folded texts name it."""
    before, after = f"(?:(?:{tongue.wishes}) )?", f"(?: {tongue.please})?"
    article, noun = f"(?:(?:{tongue.articles}) )?", f"(?:{tongue.nouns})"
    for place, ordinal in [*enumerate(tongue.ordinals.split(), 1), (LAST, tongue.last)]:
        said = f"{before}{article}(?:{noun} (?:{ordinal})|(?:{ordinal}) (?:{noun}|one)){after}"
        bare = f"{before}{article}(?:{ordinal}){after}"
        yield place, _Way(re.compile(f"{said}|{bare}" if place == LAST else said), re.compile(bare), None)  # no day is called "last"
    for place, cardinal in enumerate(tongue.cardinals.split(), 1):
        said = f"{before}{article}{noun} (?:{cardinal}|0?{place}){after}"
        yield place, _Way(re.compile(said), re.compile(cardinal), re.compile(cardinal))


_WAYS = [way for tongue in _TONGUES for way in _ways(tongue)]
_DAY = re.compile("segunda|terca|quarta|quinta|sexta")
_DAYS_TOO = re.compile(f"(?:(?:eu )?(?:quero|prefiro|escolho) )?(?:{_DAY.pattern})(?: por favor)?")
_DAYS_AND_MONTHS = """
    monday tuesday wednesday thursday friday saturday sunday
    segunda terca quarta quinta sexta sabado domingo lunes martes miercoles jueves viernes
    january february march april may june july august september october november december
    janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
    enero febrero marzo mayo junio julio septiembre octubre noviembre diciembre
"""
CALENDAR: Final = frozenset(_DAYS_AND_MONTHS.split())
"""Days of the week and months, folded: a letter makes one another."""

_HOURS = r"\d ?(?:h|am|pm|hs|horas)\b|\d\d? \d\d$"
_OF_DAY = "feira today tomorrow morning afternoon evening tonight hoje amanha manha tarde noite hoy manana noche"
_TIMES = "|".join([*_OF_DAY.split(), *sorted(CALENDAR - {*_DAY.pattern.split("|"), "may"})])
_TIME = re.compile(rf"(?:{_DAY.pattern})(?:$| feira| .*\d)|.*(?:{_HOURS}|\b(?:{_TIMES})\b)")


def place_in(text: str, *, said: bool = False) -> int | None:
    """The place that `text` names, 1 to 10 or `LAST`; None where it is anything else. Untrusted, of any length.

    `said`: only where it says that it is a place, "opção dois" or "the second one", and no "segunda" or "dois".
    """
    if len(text) > _LONGEST:
        return None
    folded = fold(_SIGN.sub(" numero ", text))
    return next((place for place, way in _WAYS if way.said.fullmatch(folded) or (not said and way.bare.fullmatch(folded))), None)


def cardinal_in(word: str) -> int | None:
    """The number that a folded word is, "dois" or "two"; None where it is none up to ten."""
    return next((number for number, way in _WAYS if way.cardinal is not None and way.cardinal.fullmatch(word)), None)


def is_weekday(text: str) -> bool:
    """Whether a short text is a day of the week in Portuguese as much as a place: "segunda", but not "a segunda"."""
    return len(text) <= _LONGEST and _DAYS_TOO.fullmatch(fold(text)) is not None


def tells_time(label: str) -> bool:
    """Whether a folded label is one of days or times, where "segunda" and "duas" are such as well."""
    return _TIME.match(label) is not None
