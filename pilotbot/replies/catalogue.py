"""Templates as they are defined beside a bot: what they hold, the contract's rules for them (contract 6), which one goes. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from pilotbot.platform.fields import BODY_LIMIT, FOOTER_LIMIT, HEADER_LIMIT

Category = Literal["MARKETING", "UTILITY", "OTP"]
HeaderKind = Literal["TEXT", "IMAGE", "VIDEO", "DOCUMENT"]
ButtonKind = Literal["QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE"]

CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
HEADERS: Final[tuple[HeaderKind, ...]] = get_args(HeaderKind)
BUTTONS: Final[Mapping[ButtonKind, int]] = MappingProxyType({"QUICK_REPLY": 10, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1})
"""How many there may be of each kind of button."""
VALUES: Final[Mapping[ButtonKind, str]] = MappingProxyType({"URL": "url", "PHONE_NUMBER": "phone_number", "COPY_CODE": "example"})
"""The field that holds the value of a button, beside its text."""
BUTTONS_MOST: Final = 10
CODE: Final = re.compile(r"[A-Za-z0-9]{1,15}")
PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
NAME: Final = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*")
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,4})?")
VARIABLE: Final = re.compile(r"\{\{\s*(\w{1,64})\s*\}\}")
_EMOJI: Final = re.compile(r"[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the body: a text, or the address of a file."""

    kind: HeaderKind
    content: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button; `value` is its address, phone or code, blank for a quick reply. One for a code may have no text."""

    kind: ButtonKind
    text: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a template says in one language."""

    body: str
    header: Header | None = None
    footer: str = ""
    buttons: tuple[Button, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of what is filled in, in order, each once."""
        header = self.header.content if self.header is not None and self.header.kind == "TEXT" else ""
        texts = (header, self.body, *(button.value for button in self.buttons if button.kind == "URL"))
        return tuple(dict.fromkeys(name for text in texts for name in VARIABLE.findall(text)))

    def components(self) -> dict[str, object]:
        """The body of a create or of a new version, as the platform takes it."""
        found: dict[str, object] = {}
        if self.header is not None:
            found["header"] = {"type": self.header.kind, "text" if self.header.kind == "TEXT" else "url": self.header.content}
        found["body"] = {"text": self.body}
        if self.footer:
            found["footer"] = {"text": self.footer}
        if self.buttons:
            found["buttons"] = [_button(button) for button in self.buttons]
        return found


@dataclass(frozen=True, slots=True)
class Definition:
    """One template: its wordings by language, the first of which has the template's plain name on the platform.

    `examples` are samples of its variables, for Meta's review. `file` and `lines` say where it and each language stand.
    """

    name: str
    category: Category
    languages: Mapping[str, Wording]
    examples: Mapping[str, str] = field(default_factory=dict)
    file: str = field(default="", compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def variants(self) -> dict[str, str]:
        """The platform's names, each with its language, in the order of the definition."""
        return {platform_name(self.name, language, first=not at): language for at, language in enumerate(self.languages)}

    @property
    def variables(self) -> frozenset[str]:
        """What has to be filled in, whichever language goes."""
        return frozenset[str]().union(*(wording.variables for wording in self.languages.values()))

    def where(self, language: str) -> str:
        """File and line of a language."""
        return f"{self.file}:{self.lines.get(language, 1)}"


Catalogue = Mapping[str, Definition]
"""Definitions by their names."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong in a definition; `sure`, or else worth a look only."""

    where: str
    text: str
    sure: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def platform_name(name: str, language: str, *, first: bool) -> str:
    """Return what the platform knows a language of a template by: names are unique there, so all but the first end in their code."""
    return name if first else f"{name}_{language.replace('-', '_').lower()}"


def resolve(
    name: str, language: str | None, catalogue: Catalogue, *, default: str | None = None, sendable: AbstractSet[str] | None = None
) -> str:
    """Return the platform's name of the variant of a template that goes to somebody who speaks `language`.

    The first that can go of: their language, one of the same base ("pt" for "pt_BR" and the reverse), `default` likewise, the definition's
    others in order. A name that is not defined here is the platform's own. `sendable` are the platform's names that can be sent; None
    where that is not known, and then the first language goes, which is the one that the plain name means.
    """
    definition = catalogue.get(name)
    if definition is None or sendable is None:
        return name
    known = {_code(code): variant for variant, code in definition.variants.items()}
    wanted = [variant for code in (language, default) if code for variant in _alike(_code(code), known)]
    chain = list(dict.fromkeys([*wanted, *known.values()]))
    return next((variant for variant in chain if variant in sendable), chain[0])


def same_language(one: str, other: str) -> bool:
    """Whether two codes mean one language, however they are spelt."""
    return _code(one) == _code(other)


def _alike(code: str, known: Mapping[str, str]) -> Iterator[str]:
    """The variants of a language: the exact one, then those of its base."""
    if code in known:
        yield known[code]
    base = code.partition("_")[0]
    yield from (variant for other, variant in known.items() if other.partition("_")[0] == base)


def _code(language: str) -> str:
    return language.replace("-", "_").casefold()


Tell = Callable[[str, str], None]
"""Takes a field's name and what is wrong with it."""


def check(wording: Wording, tell: Tell, *, meta: bool = True) -> None:
    """Tell what the platform would refuse of a wording (contract 6). `meta`: whether Meta's rules hold, as on its numbers."""
    _check_body(wording.body, tell, meta=meta)
    if wording.header is not None:
        _check_header(wording.header, tell, meta=meta)
    _check_length("footer", wording.footer, FOOTER_LIMIT, tell)
    if VARIABLE.search(wording.footer):
        tell("footer", "it holds a variable, and a footer has none: put it into the body")
    _check_buttons(wording.buttons, tell)


def _check_body(body: str, tell: Tell, *, meta: bool) -> None:
    if not body.strip():
        tell("body", "it is missing: write what the template says")
        return
    _check_length("body", body, BODY_LIMIT, tell)
    _check_braces("body", body, tell)
    found = list(VARIABLE.finditer(body))
    if meta and found and found[0].start() == 0:
        tell("body", f"it begins with a variable, which Meta refuses: put words before {found[0][0]}")
    if meta and found and found[-1].end() == len(body):
        tell("body", f"it ends with a variable, which Meta refuses: put words or a full stop after {found[-1][0]}")


def _check_header(header: Header, tell: Tell, *, meta: bool) -> None:
    if header.kind != "TEXT":
        if urlsplit(header.content).scheme not in {"http", "https"} and not header.content.startswith("data:"):
            tell("header", "a file needs its public http(s) address, or data: give it as url")
        return
    _check_length("header", header.content, HEADER_LIMIT, tell)
    _check_braces("header", header.content, tell)
    if len(VARIABLE.findall(header.content)) > 1:
        tell("header", "it holds more than one variable: keep one")
    if "\n" in header.content:
        tell("header", "it has a line break: write one line")
    if meta and _EMOJI.search(header.content):
        tell("header", "it has an emoji, which Meta refuses: leave it out")


def _check_buttons(buttons: tuple[Button, ...], tell: Tell) -> None:
    kinds = [button.kind for button in buttons]
    if len(buttons) > BUTTONS_MOST:
        tell("buttons", f"there are {len(buttons)}, and there may be {BUTTONS_MOST}")
    for kind, most in BUTTONS.items():
        if kinds.count(kind) > most:
            tell("buttons", f"there are {kinds.count(kind)} of {kind}, and there may be {most}")
    for number, button in enumerate(buttons, 1):
        place = f"buttons, number {number}"
        if not button.text.strip() and button.kind != "COPY_CODE":
            tell(place, "its text is missing")
        if VARIABLE.search(button.text):
            tell(place, "its text holds a variable: only a URL may have one, at its end")
        if problem := _value_problem(button):
            tell(place, problem)


def _value_problem(button: Button) -> str | None:
    match button.kind:
        case "URL":
            return _url_problem(button.value)
        case "PHONE_NUMBER" if not PHONE.fullmatch(button.value):
            return "phone_number must be a phone with country code, such as +5511987650001"
        case "COPY_CODE" if not CODE.fullmatch(button.value):
            return "example must be a code of 15 letters and digits at most"
    return None


def _url_problem(url: str) -> str | None:
    fixed, *rest = VARIABLE.split(url)[::2]
    parts = urlsplit(fixed)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "url must be an http(s) address, without a variable in its domain"
    if len(rest) > 1 or any(rest):
        return "url may hold one variable, at its end"
    if rest and not re.match(r"https?://[^/?#]+[/?#]", fixed):
        return "url may not have its variable in the domain: put a / before it"
    return None


def _check_length(place: str, text: str, limit: int, tell: Tell) -> None:
    if len(text) > limit:
        tell(place, f"it has {len(text)} characters, and may have {limit}: shorten it")


def _check_braces(place: str, text: str, tell: Tell) -> None:
    if re.search(r"\{\{|\}\}", VARIABLE.sub("", text)):
        tell(place, "it holds braces that name no variable: write {{name}}, of letters, digits and _")


def _button(button: Button) -> dict[str, object]:
    found: dict[str, object] = {"type": button.kind}
    if button.text:
        found["text"] = button.text
    if button.kind in VALUES:
        found[VALUES[button.kind]] = [button.value] if button.kind == "COPY_CODE" else button.value
    return found
