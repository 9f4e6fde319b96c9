"""Places in a list as people name them: "second", "the second one", "número dois", "la última"; in English, Portuguese and Spanish.

The whole text must be that and nothing else: a number within a sentence is no answer.
"""

import re
from dataclasses import dataclass
from typing import Final

from pilotbot.replies.folding import fold

LAST: Final = -1
"""The place of the last one."""

_LONGEST = 60  # characters; what is longer names no place
_SIGN = re.compile("\\bn\\s*[\u00ba\u00b0]|#", re.IGNORECASE)


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


def _ways(tongue: _Tongue) -> list[tuple[int, re.Pattern[str]]]:
    """Each place with the pattern of the folded texts that name it."""
    before, after = f"(?:(?:{tongue.wishes}) )?", f"(?: {tongue.please})?"
    article, noun = f"(?:(?:{tongue.articles}) )?", f"(?:{tongue.nouns})"
    ways = []
    for place, ordinal in [*enumerate(tongue.ordinals.split(), 1), (LAST, tongue.last)]:
        ways.append((place, f"{before}{article}(?:{noun} )?(?:{ordinal})(?: (?:{noun}|one))?{after}"))
    for place, cardinal in enumerate(tongue.cardinals.split(), 1):
        ways.append((place, f"(?:{cardinal})|{before}{article}{noun} (?:{cardinal}|0?{place}){after}"))
    return [(place, re.compile(way)) for place, way in ways]


_WAYS = [way for tongue in _TONGUES for way in _ways(tongue)]


def place_in(text: str) -> int | None:
    """The place that `text` names, 1 to 10 or `LAST`; None where it is anything else. Untrusted, of any length."""
    if len(text) > _LONGEST:
        return None
    folded = fold(_SIGN.sub(" numero ", text))
    return next((place for place, way in _WAYS if way.fullmatch(folded)), None)
