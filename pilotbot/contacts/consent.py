"""Words by which contacts say that they want no more messages, or want them again: whole messages only (design section 3.13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from pilotbot.replies.folding import fold

Language = Literal["pt", "en", "es"]

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


LONGEST: Final = 200  # characters of a message that may be a word


@dataclass(frozen=True, slots=True)
class Decided:
    """What a message decides, and what is answered."""

    what: Literal["out", "in"]
    confirmation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """How contacts opt out of being written to, and in again.

    Args:
        out: words by language that opt out; a message must be nothing else. Case, accents and punctuation do not count.
        back: words by language that opt in again, for those who opted out.
        out_said: the confirmation of an opt-out, by language.
        back_said: the confirmation of an opt-in, by language.
    """

    out: Mapping[Language, Sequence[str]] = field(default_factory=lambda: OUT)
    back: Mapping[Language, Sequence[str]] = field(default_factory=lambda: IN)
    out_said: Mapping[Language, str] = field(default_factory=lambda: OUT_SAID)
    back_said: Mapping[Language, str] = field(default_factory=lambda: IN_SAID)
    _out: Mapping[str, Language] = field(init=False, repr=False)
    _back: Mapping[str, Language] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for words, said in ((self.out, self.out_said), (self.back, self.back_said)):
            if missing := sorted(language for language in words if not said.get(language, "").strip()):
                raise ValueError(f"there are words but no confirmation in {', '.join(missing)}")
            for several in words.values():
                if isinstance(several, str) or not all(fold(word) and len(word) <= LONGEST for word in several):
                    raise ValueError(f"each language has a list of words, of letters and at most {LONGEST} characters: not {several!r}")
        if both := sorted(set(_folded(self.out)) & set(_folded(self.back))):
            raise ValueError(f"these words opt out and in: {', '.join(both)}")
        object.__setattr__(self, "_out", _folded(self.out))
        object.__setattr__(self, "_back", _folded(self.back))

    def decided(self, text: str, *, opted_out: bool) -> Decided | None:
        """What a contact's message decides, None for any other message.

        Args:
            text: all of the message; untrusted.
            opted_out: whether the contact has opted out before.
        """
        if len(text) > LONGEST:
            return None
        said = fold(text)
        if language := self._out.get(said):
            return Decided("out", self.out_said[language])
        if opted_out and (language := self._back.get(said)):
            return Decided("in", self.back_said[language])
        return None


def _folded(words: Mapping[Language, Sequence[str]]) -> Mapping[str, Language]:
    return {fold(word): language for language, several in words.items() for word in several}
