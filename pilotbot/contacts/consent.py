"""Words by which contacts say that they want no more messages, or want them again: whole messages only (design section 3.13)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal, get_args

from pilotbot.replies.choose import decided
from pilotbot.replies.folding import fold
from pilotbot.replies.policy import Purpose

Language = Literal["pt", "en", "es"]
Scope = Literal["all"] | Purpose
"""What a decision is about: all messages that a contact did not ask for, or those of a purpose."""

# "Cancelar" is not among them: it is what people write to have an order or an appointment cancelled.
OUT: Final[Mapping[Language, Sequence[str]]] = MappingProxyType({
    "pt": ("parar", "pare", "sair", "descadastrar", "sair da lista", "parar mensagens", "não quero receber", "não quero mais receber",
           "não quero receber mensagens", "parar de receber mensagens"),
    "en": ("stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "stop messages", "remove me"),
    "es": ("baja", "darme de baja", "dar de baja", "no quiero recibir", "no quiero recibir mensajes", "no más mensajes", "alto mensajes"),
})  # fmt: skip

# They count only for somebody who opted out: "start" and "voltar" mean other things to everybody else.
IN: Final[Mapping[Language, Sequence[str]]] = MappingProxyType({
    "pt": ("voltar", "quero receber", "receber mensagens", "inscrever", "aceito receber"),
    "en": ("start", "unstop", "subscribe", "opt in", "optin"),
    "es": ("alta", "darme de alta", "quiero recibir", "suscribirme"),
})  # fmt: skip

OUT_SAID: Final[Mapping[Language, str]] = MappingProxyType({
    "pt": "Certo: não enviaremos mais mensagens por nossa iniciativa. Para voltar a receber, escreva VOLTAR.",
    "en": "Done: we will not write to you on our own any more. To hear from us again, write START.",
    "es": "Listo: no le escribiremos más por iniciativa nuestra. Para volver a recibir mensajes, escriba ALTA.",
})  # fmt: skip
IN_SAID: Final[Mapping[Language, str]] = MappingProxyType({
    "pt": "Certo: você voltará a receber as nossas mensagens. Para parar, escreva PARAR.",
    "en": "Done: you will hear from us again. To stop, write STOP.",
    "es": "Listo: volverá a recibir nuestros mensajes. Para dejar de recibirlos, escriba BAJA.",
})  # fmt: skip

ADVERTS_OUT: Final[Mapping[Language, Sequence[str]]] = MappingProxyType({
    "pt": ("sem promoções", "parar promoções", "não quero promoções", "sem propaganda", "parar propagandas"),
    "en": ("stop promotions", "no promotions", "stop ads", "no ads", "no marketing"),
    "es": ("sin promociones", "no quiero promociones", "no más promociones", "sin publicidad"),
})  # fmt: skip
ADVERTS_IN: Final[Mapping[Language, Sequence[str]]] = MappingProxyType({
    "pt": ("quero promoções", "receber promoções"),
    "en": ("send promotions", "want promotions"),
    "es": ("quiero promociones", "recibir promociones"),
})  # fmt: skip
ADVERTS_OUT_SAID: Final[Mapping[Language, str]] = MappingProxyType({
    "pt": "Certo: não enviaremos mais promoções. Para voltar a recebê-las, escreva QUERO PROMOÇÕES.",
    "en": "Done: we will send you no more promotions. To get them again, write SEND PROMOTIONS.",
    "es": "Listo: no le enviaremos más promociones. Para volver a recibirlas, escriba QUIERO PROMOCIONES.",
})  # fmt: skip
ADVERTS_IN_SAID: Final[Mapping[Language, str]] = MappingProxyType({
    "pt": "Certo: você voltará a receber as nossas promoções. Para parar, escreva SEM PROMOÇÕES.",
    "en": "Done: you will get our promotions again. To stop them, write NO PROMOTIONS.",
    "es": "Listo: volverá a recibir nuestras promociones. Para dejar de recibirlas, escriba SIN PROMOCIONES.",
})  # fmt: skip

LONGEST: Final = 200  # characters of a message that may be a word


@dataclass(frozen=True, slots=True)
class Decided:
    """What a message decides, and what is answered."""

    what: Literal["out", "in"]
    confirmation: str
    purpose: Scope = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """How contacts opt out of being written to, and in again.

    Args:
        out: words by language that opt out; a message must be nothing else. Case, accents and punctuation do not count.
        back: words by language that opt in again, for those who opted out.
        out_said: the confirmation of an opt-out, by language.
        back_said: the confirmation of an opt-in, by language.
        purposes: by purpose, the words that are about its messages only, with confirmations of their own; those for "marketing" are
            "no promotions" and the like, {} is for none.

    Raises:
        ValueError: words without a confirmation, words that mean two things, or what is no word.
    """

    out: Mapping[Language, Sequence[str]] = field(default_factory=lambda: OUT)
    back: Mapping[Language, Sequence[str]] = field(default_factory=lambda: IN)
    out_said: Mapping[Language, str] = field(default_factory=lambda: OUT_SAID)
    back_said: Mapping[Language, str] = field(default_factory=lambda: IN_SAID)
    purposes: Mapping[Purpose, "OptOut"] = field(default_factory=lambda: {"marketing": ADVERTS})
    _out: Mapping[str, Language] = field(init=False, repr=False)
    _back: Mapping[str, Language] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for words, said in ((self.out, self.out_said), (self.back, self.back_said)):
            if missing := sorted(language for language in words if not said.get(language, "").strip()):
                raise ValueError(f"there are words but no confirmation in {', '.join(missing)}")
            for several in words.values():
                if isinstance(several, str) or not all(fold(word) and len(word) <= LONGEST for word in several):
                    raise ValueError(f"each language has a list of words, of letters and at most {LONGEST} characters: not {several!r}")
        if unknown := sorted(set(self.purposes) - set(get_args(Purpose))):
            raise ValueError(f"no message has the purpose {', '.join(unknown)}: it is one of {', '.join(get_args(Purpose))}")
        if any(words.purposes for words in self.purposes.values()):
            raise ValueError("words for one purpose have no purposes in turn: give them OptOut(purposes={}, ...)")
        known: set[str] = set()
        for each in (self, *self.purposes.values()):
            for folded in (_folded(each.out), _folded(each.back)):
                if both := sorted(known & folded.keys()):
                    raise ValueError(f"these words mean two things, such as to opt out and in: {', '.join(both)}")
                known |= folded.keys()
        object.__setattr__(self, "_out", _folded(self.out))
        object.__setattr__(self, "_back", _folded(self.back))

    def decided(self, text: str, *, opted_out: Collection[Scope]) -> Decided | None:
        """What a contact's message decides, None for any other message.

        Args:
            text: all of the message; untrusted.
            opted_out: what the contact has opted out of before.
        """
        if len(text) > LONGEST:
            return None
        said = fold(text)
        if (found := self._decided(said, opted_out=bool(opted_out))) is not None:
            return found
        for purpose, words in self.purposes.items():
            if (found := words._decided(said, opted_out=purpose in opted_out)) is not None:  # noqa: SLF001 - its own class
                return replace(found, purpose=purpose)
        return None

    def _decided(self, said: str, *, opted_out: bool) -> Decided | None:
        if language := self._out.get(said):
            return Decided("out", self.out_said[language])
        if opted_out and (language := self._back.get(said)):
            return Decided("in", self.back_said[language])
        return None


def _folded(words: Mapping[Language, Sequence[str]]) -> Mapping[str, Language]:
    return {fold(word): language for language, several in words.items() for word in several}


ADVERTS: Final[OptOut] = OptOut(out=ADVERTS_OUT, back=ADVERTS_IN, out_said=ADVERTS_OUT_SAID, back_said=ADVERTS_IN_SAID, purposes={})
"""The words about marketing messages only."""


def out_of(marks: Mapping[Scope, int]) -> frozenset[Scope]:
    """What a contact has opted out of: by each purpose, as the latest of its own decision and of that about all messages is.

    `marks` are when they decided, in ms, negative for yes.
    """
    everything = marks.get("all", 0)
    found = {purpose for purpose in get_args(Purpose) if decided(everything, marks.get(purpose, 0)) > 0}
    return frozenset({*found, *({"all"} if everything > 0 else ())})
