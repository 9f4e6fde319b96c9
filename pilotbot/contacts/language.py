"""Which language a contact writes: Portuguese, English or Spanish, by the words of short texts, and else by the phone's country. Pure."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from pilotbot.contacts.identity import is_phone

Language = Literal["pt", "en", "es"]

LOOKED_AT: Final = 400  # characters of a text

# Words that are common in chats and belong to one of the three alone; without accents, as many write. What two of them share is left out.
_LISTS: Final[Mapping[Language, str]] = {
    "pt": """
        agora ai ainda ajuda ajudar amanha antes ao aos aqui ate atendimento beleza bem blz boa boleto bom brigado certo com como
        compra comprar consulta da das depois dia do dos duvida e ela elas ele eles em endereco entao entrega essa esse esta estao
        estava estou falar favor fazer foi fui gostaria hoje horario isso isto la mais marcar me meu meus minha minhas muito na nao
        nem no noite nos o obg obrigada obrigado oi ola onde ontem opa os pagamento para pedido pode podem por porque posso pra
        preciso preco pro quais qual quando quanto quantos que queria quero saber sao sem seu sim so sua tambem tarde tchau te tem
        temos tenho tudo um uma vai valeu valor vamos vc vcs voce voces vou
    """,
    "en": """
        about address afternoon am and appointment are at be been book buy bye can could delivery did do does don't evening for from
        get good had has have hello help here hey hi hours how i i'm in is it's just later like many me morning much my need night
        not now of on open order our payment please price sure thank thanks that the there these they this those to today tomorrow
        want was we were what when where which who will with would yeah yes yesterday you your yours
    """,
    "es": """
        adios buen dia ahi ahora al alli aqui atencion ayer ayuda ayudar bien buenas bueno buenos cita claro como compra comprar con cual
        cuales cuando cuanto cuantos del dias direccion donde duda el ella ellas ellos en entonces entrega es ese eso esta estan
        esto estoy favor fue gracias hablar hacer hasta hola horario hoy la las le les listo lo los manana mas me mi mio mis muy
        necesito no noches nos nosotros o pago para pedido pero por porque precio puede pueden puedo que quiero quisiera saber si
        sin son su sus tambien tardes te tenemos tengo tiene todavia un una usted ustedes va vale vamos voy y
    """,
}
WORDS: Final[Mapping[Language, frozenset[str]]] = {language: frozenset(words.split()) for language, words in _LISTS.items()}
SHARED: Final = (WORDS["pt"] & WORDS["en"]) | (WORDS["pt"] & WORDS["es"]) | (WORDS["en"] & WORDS["es"])
SIGNS: Final[tuple[tuple[re.Pattern[str], Language], ...]] = (
    (re.compile("[ãõç]|ções|você|não"), "pt"), (re.compile("[ñ¿¡]|ción"), "es"),
)  # fmt: skip

# Calling codes, the longest that fits first; +1 809 and the like are islands where Spanish is spoken.
COUNTRIES: Final[Mapping[str, Language]] = {
    **dict.fromkeys(("55", "351", "244", "258", "238", "239", "245", "670"), "pt"),
    **dict.fromkeys(("1", "44", "61", "64", "353", "234", "233", "254", "27", "91", "65", "63"), "en"),
    **dict.fromkeys(("34", "51", "52", "53", "54", "56", "57", "58", "502", "503", "504", "505", "506", "507", "591", "593", "595", "598",
                     "240", "1809", "1829", "1849", "1787", "1939"), "es"),
}  # fmt: skip


def detect(text: str) -> Language | None:
    """Return the language of a short text, None where it does not say, as "ok" or a number.

    Args:
        text: what a contact wrote; untrusted. The first 400 characters count.
    """
    said = _ADDRESS.sub(" ", text[:LOOKED_AT].casefold())
    counts: dict[Language, int] = {"pt": 0, "en": 0, "es": 0}
    for pattern, language in SIGNS:
        counts[language] += 2 * len(pattern.findall(said))
    for word in re.findall(r"[^\W\d_]+(?:'[a-z]+)?", said.translate(_PLAIN)):
        if word not in SHARED:
            for language, words in WORDS.items():
                counts[language] += word in words
    first, second = sorted(counts, key=lambda language: -counts[language])[:2]
    return first if counts[first] > counts[second] else None


def of_country(address: str) -> Language | None:
    """Return the language of a phone's country, None where it is none of the three or the address is no phone."""
    if not is_phone(address):
        return None
    return next((COUNTRIES[address[1 : 1 + size]] for size in (4, 3, 2, 1) if address[1 : 1 + size] in COUNTRIES), None)


_ADDRESS: Final = re.compile(r"\S+@\S+|\S+://\S+|\b[\w-]+(?:\.[\w-]+)+\S*")
_PLAIN: Final = str.maketrans("áàâãäéèêëíìîïóòôõöúùûüçñ\u2019", "aaaaaeeeeiiiiooooouuuucn'")
