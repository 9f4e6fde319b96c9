"""The definitions beside a bot and the platform's templates, compared: what is the same, what a push would do, what a pull writes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Final, Literal, cast

import orjson

from pilotbot.platform.responses import TemplateInfo
from pilotbot.replies.catalogue import (
    BUTTONS,
    CATEGORIES,
    HEADERS,
    VALUES,
    Button,
    ButtonKind,
    Catalogue,
    Definition,
    Header,
    HeaderKind,
    Wording,
    same_language,
)
from pilotbot.replies.definitions import WORDING, as_fields, as_yaml, family, lacking, owners

What = Literal["same", "create", "version", "refused"]
ADDRESSES: Final = ("url", "media", "content", "base64")
"""Where the address of a header's file may stand; the contract leaves that open."""


@dataclass(frozen=True, slots=True)
class There:
    """What the platform says of one of its templates; `parts` are those of its wording that it tells at all."""

    wording: Wording
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What a push does about one of the platform's names: `id` is the template there, `diff` the lines that differ, `problem` why not."""

    name: str
    definition: Definition
    language: str
    what: What
    id: str | None = None
    diff: tuple[str, ...] = ()
    problem: str = ""

    @property
    def wording(self) -> Wording:
        """What is pushed."""
        return self.definition.languages[self.language]


def there(info: TemplateInfo) -> There:
    """Return what a template on the platform says, in whatever shape that comes: an object, the same as JSON, the body's text alone."""
    body = info.components if isinstance(info.components, Mapping) else info.body
    if isinstance(body, str):
        body = _loaded(body) or body
    if not isinstance(body, Mapping):
        return There(Wording(body.strip() if isinstance(body, str) else ""), ("body",))
    buttons = body.get("buttons")
    return There(
        Wording(
            _text(body.get("body")), _header(body.get("header")), _text(body.get("footer")),
            tuple(_button(each) for each in (buttons if isinstance(buttons, Sequence) else ()) if _is_button(each)),
        ),
        WORDING,
    )  # fmt: skip


def plan(catalogue: Catalogue, infos: Iterable[TemplateInfo]) -> list[Step]:
    """Return what a push of each definition comes to, in the order of their names; nothing is ever deleted."""
    known = {info.name: info for info in infos}
    return [_step(name, definition, code, known.get(name)) for name, (definition, code) in sorted(owners(catalogue).items())]


def pulled(catalogue: Catalogue, infos: Iterable[TemplateInfo], *, language: str) -> list[Definition]:
    """Return the definitions that are new or differ once what is on the platform is written down, each in the file it has, if any.

    `language` is taken where the platform does not tell it, as for numbers that are not Meta's. Examples, which it does not tell either,
    and the order of languages stay as they are; languages that only stand here stay, too.
    """
    owned = owners(catalogue)
    found = dict(catalogue)
    for info in sorted(infos, key=lambda info: (info.name not in owned, len(info.name), info.name)):
        if info.name in owned:
            definition, code = owned[info.name]
            found[definition.name] = _overlaid(found[definition.name], code, info)
            continue
        code, seen = info.meta_language or language, there(info).wording
        plain = family(info.name, info.meta_language)
        host = found.get(plain) if plain is not None else None
        if host is not None and host.category == info.category and not any(same_language(code, other) for other in host.languages):
            found[host.name] = replace(host, languages={**host.languages, code: seen})
        elif info.category in CATEGORIES:
            found[info.name] = Definition(info.name, info.category, {code: seen})
    return [definition for name, definition in sorted(found.items()) if definition != catalogue.get(name)]


def _overlaid(definition: Definition, code: str, info: TemplateInfo) -> Definition:
    """A definition with what the platform says in one of its languages."""
    seen, old = there(info), definition.languages[code]
    new = replace(old, **{part: getattr(seen.wording, part) for part in seen.parts})
    category = info.category if info.category in CATEGORIES else definition.category
    return replace(definition, category=category, languages={**definition.languages, code: new})


def _step(name: str, definition: Definition, code: str, info: TemplateInfo | None) -> Step:
    def step(what: What, diff: tuple[str, ...] = (), problem: str = "") -> Step:
        return Step(name, definition, code, what, info.id if info is not None else None, diff, problem)

    if info is not None and info.category in CATEGORIES and info.category != definition.category:
        problem = f"its category is {info.category} on the platform for good, not {definition.category}: give the template another name"
        return step("refused", differences(name, definition, code, info), problem)
    diff = differences(name, definition, code, info)
    if not diff:
        return step("same")
    if missing := lacking(definition):
        return step("refused", diff, f"examples: there is none for {', '.join(missing)} (TEMPLATE_EXAMPLES_REQUIRED): add it")
    return step("create" if info is None else "version", diff)


def differences(name: str, definition: Definition, code: str, info: TemplateInfo | None) -> tuple[str, ...]:
    """Return a unified diff from what the platform has to what is defined here; of the parts that it tells, and empty where they agree."""
    seen = there(info) if info is not None else None
    parts = seen.parts if seen is not None else WORDING
    ours = {"category": definition.category, "language": code, **as_fields(definition.languages[code], parts)}
    theirs: dict[str, object] = {}
    if info is not None and seen is not None:
        told = info.meta_language
        theirs = {"category": info.category or definition.category, "language": code if not told or same_language(told, code) else told}
        theirs |= as_fields(seen.wording, parts)
    before = as_yaml(theirs).splitlines() if theirs else []
    lines = unified_diff(before, as_yaml(ours).splitlines(), f"{name} on the platform", definition.where(code), lineterm="")
    return tuple(lines)


def _loaded(text: str) -> Mapping[str, object] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _text(block: object) -> str:
    text = block.get("text") if isinstance(block, Mapping) else block
    return text.strip() if isinstance(text, str) else ""


def _header(block: object) -> Header | None:
    if not isinstance(block, Mapping):
        return Header("TEXT", _text(block)) if _text(block) else None
    kind = block.get("type", "TEXT")
    if kind not in HEADERS:
        return None
    content = _text(block) if kind == "TEXT" else next((value for at in ADDRESSES if isinstance(value := block.get(at), str)), "")
    return Header(cast("HeaderKind", kind), content) if content else None


def _is_button(block: object) -> bool:
    return isinstance(block, Mapping) and block.get("type") in BUTTONS


def _button(block: Mapping[str, object]) -> Button:
    kind = cast("ButtonKind", block["type"])
    value = block.get(VALUES.get(kind, ""))
    if isinstance(value, list):
        value = value[0] if value else ""
    return Button(kind, _text(block), str(value or ""))
