"""Definitions of templates as YAML, one template a file: read with the line of each mistake, written so that they read back. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml

from pilotbot.replies.catalogue import (
    BUTTONS,
    CATEGORIES,
    HEADERS,
    LANGUAGE,
    NAME,
    VALUES,
    Button,
    ButtonKind,
    Catalogue,
    Category,
    Definition,
    Flaw,
    Header,
    Wording,
    check,
    platform_name,
)

WORDING: Final = ("header", "body", "footer", "buttons")
ONE: Final = ("name", "category", "language", *WORDING, "examples")
SEVERAL: Final = ("name", "category", "languages", "examples")

_Told = Callable[[yaml.Node, str], None]


def read_catalogue(files: Iterable[tuple[str, str]], *, meta: bool = True) -> tuple[dict[str, Definition], list[Flaw]]:
    """Return the definitions in files, given as (path, text), and all that is wrong with them. `meta`: as `catalogue.check`."""
    catalogue: dict[str, Definition] = {}
    flaws: list[Flaw] = []
    taken: dict[str, str] = {}
    for file, text in files:
        definition, found = read_definition(file, text, meta=meta)
        flaws += found
        if definition is None:
            continue
        clash = next((name for name in definition.variants if name in taken), None)
        if clash is not None:
            flaws.append(Flaw(f"{file}:1", f"name: {taken[clash]} defines {clash} already, and names are unique on the platform"))
            continue
        taken |= dict.fromkeys(definition.variants, file)
        catalogue[definition.name] = definition
    return catalogue, flaws


def read_definition(file: str, text: str, *, meta: bool = True) -> tuple[Definition | None, list[Flaw]]:
    """Return the definition in a file, None where there is too little of one, and what is wrong with it."""
    flaws: list[Flaw] = []

    def tell(node: yaml.Node, problem: str, *, sure: bool = True) -> None:
        flaws.append(Flaw(f"{file}:{node.start_mark.line + 1}", problem, sure))

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Flaw(f"{file}:{line}", f"it is not YAML: {error.problem or error.context}")]
    except yaml.YAMLError as error:
        return None, [Flaw(f"{file}:1", f"it is not YAML: {str(error).splitlines()[0]}")]
    if not isinstance(root, yaml.MappingNode):
        return None, [Flaw(f"{file}:1", "a template's file has its name, category, language and body")]
    several = any(isinstance(key, yaml.ScalarNode) and key.value == "languages" for key, _ in root.value)
    top = _fields(root, SEVERAL if several else ONE, "", tell)
    name, category = _name(top, root, tell), _category(top, root, tell)
    wordings = dict(_languages(top, root, tell) if several else _only(top, root, tell))
    for code, read in wordings.items():
        place = f"languages.{code}." if several else ""

        def told(part: str, problem: str, read: "_Read" = read, place: str = place) -> None:
            tell(read.parts.get(part.partition(",")[0], read.node), f"{place}{part}: {problem}")

        check(read.wording, told, meta=meta)
    examples = _examples(top, tell)
    if name is None or category is None or not wordings:
        return None, flaws
    definition = Definition(
        name, category, {code: read.wording for code, read in wordings.items()}, examples, file,
        {code: read.node.start_mark.line + 1 for code, read in wordings.items()},
    )  # fmt: skip
    if len(definition.variants) < len(wordings):
        tell(root, "languages: two of them have the same name on the platform; keep one")
    _check_examples(definition, top.get("examples", root), tell)
    return definition, flaws


def dump(definition: Definition) -> str:
    """Return the definition as YAML, which reads back to the same."""
    found: dict[str, object] = {"name": definition.name, "category": definition.category}
    if len(definition.languages) == 1:
        ((code, wording),) = definition.languages.items()
        found |= {"language": code, **as_fields(wording)}
    else:
        found["languages"] = {code: as_fields(wording) for code, wording in definition.languages.items()}
    if definition.examples:
        found["examples"] = dict(definition.examples)
    return as_yaml(found)


def as_fields(wording: Wording, parts: Iterable[str] = WORDING) -> dict[str, object]:
    """Return a wording, or those of its parts, as the fields of a file."""
    found: dict[str, object] = {}
    if wording.header is not None:
        text = wording.header.kind == "TEXT"
        found["header"] = wording.header.content if text else {"type": wording.header.kind, "url": wording.header.content}
    found["body"] = wording.body
    if wording.footer:
        found["footer"] = wording.footer
    if wording.buttons:
        found["buttons"] = [_button(button) for button in wording.buttons]
    return {part: value for part, value in found.items() if part in parts}


def as_yaml(fields: Mapping[str, object]) -> str:
    """Return fields as YAML, in their order, texts of several lines as such."""
    return str(yaml.dump(dict(fields), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120))


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: lists indented, texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - as PyYAML calls it
        super().increase_indent(flow, False)


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent)


@dataclass(frozen=True, slots=True)
class _Read:
    """A wording, and where its parts stand."""

    wording: Wording
    node: yaml.Node
    parts: Mapping[str, yaml.Node]


def _fields(node: yaml.Node, known: Iterable[str], place: str, tell: _Told) -> dict[str, yaml.Node]:
    """The fields of a mapping; what is not `known`, or there twice, is told. A field without a value is left out."""
    found: dict[str, yaml.Node] = {}
    if not isinstance(node, yaml.MappingNode):
        tell(node, f"{place.rstrip('.')}: give its fields, as `name: value`")
        return found
    names = tuple(known)
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "a key"
        if names and name not in names:
            tell(key, f"{place}{name}: there is no such field; there are {', '.join(names)}")
        elif name in found:
            tell(key, f"{place}{name}: it is there twice; keep one")
        elif value.tag != "tag:yaml.org,2002:null":
            found[name] = value
    return found


def _text(node: yaml.Node | None, place: str, tell: _Told) -> str:
    """A text as it is written: also what YAML takes for a number, a date or a truth."""
    if node is None:
        return ""
    if not isinstance(node, yaml.ScalarNode):
        tell(node, f"{place}: give a text")
        return ""
    return str(node.value).strip()


def _name(top: Mapping[str, yaml.Node], root: yaml.Node, tell: _Told) -> str | None:
    name = _text(top.get("name"), "name", tell)
    if NAME.fullmatch(name):
        return name
    tell(top.get("name", root), "name: give letters, digits and single _ between them, such as order_status")
    return None


def _category(top: Mapping[str, yaml.Node], root: yaml.Node, tell: _Told) -> Category | None:
    category = _text(top.get("category"), "category", tell)
    if category in CATEGORIES:
        return category
    tell(top.get("category", root), f"category: give one of {', '.join(CATEGORIES)}; it cannot be changed later")
    return None


def _language(code: str, node: yaml.Node, tell: _Told) -> bool:
    if LANGUAGE.fullmatch(code):
        return True
    tell(node, "language: give its code, such as pt_BR or en")
    return False


def _only(top: Mapping[str, yaml.Node], root: yaml.Node, tell: _Told) -> Iterator[tuple[str, _Read]]:
    node = top.get("language", root)
    code = _text(top.get("language"), "language", tell)
    read = _wording(top, node, "", tell)
    if _language(code, node, tell):
        yield code, read


def _languages(top: Mapping[str, yaml.Node], root: yaml.Node, tell: _Told) -> Iterator[tuple[str, _Read]]:
    node = top.get("languages")
    if node is None:
        tell(root, "languages: give at least one, such as `pt_BR:`, with its body")
        return
    for code, block in _fields(node, (), "languages.", tell).items():
        read = _wording(_fields(block, WORDING, f"languages.{code}.", tell), block, f"languages.{code}.", tell)
        if _language(code, block, tell):
            yield code, read


def _wording(fields: Mapping[str, yaml.Node], node: yaml.Node, place: str, tell: _Told) -> _Read:
    header = _header(fields["header"], f"{place}header", tell) if "header" in fields else None
    buttons = tuple(_buttons(fields["buttons"], f"{place}buttons", tell)) if "buttons" in fields else ()
    body, footer = (_text(fields.get(part), f"{place}{part}", tell) for part in ("body", "footer"))
    return _Read(Wording(body, header, footer, buttons), node, fields)


def _header(node: yaml.Node, place: str, tell: _Told) -> Header | None:
    if isinstance(node, yaml.ScalarNode):
        return Header("TEXT", _text(node, place, tell))
    fields = _fields(node, ("type", "text", "url"), f"{place}.", tell)
    kind = _text(fields.get("type"), f"{place}.type", tell)
    if kind == "NONE":
        return None
    if kind not in HEADERS:
        tell(node, f"{place}: type must be one of {', '.join(HEADERS)}; a text alone does as well")
        return None
    part = "text" if kind == "TEXT" else "url"
    content = _text(fields.get(part), f"{place}.{part}", tell)
    if not content:
        tell(node, f"{place}: its {part} is missing")
        return None
    return Header(kind, content)


def _buttons(node: yaml.Node, place: str, tell: _Told) -> Iterator[Button]:
    if not isinstance(node, yaml.SequenceNode):
        tell(node, f"{place}: give a list, such as `- {{type: QUICK_REPLY, text: Track}}`")
        return
    for number, each in enumerate(node.value, 1):
        here = f"{place}, number {number}"
        fields = _fields(each, ("type", "text", *VALUES.values()), f"{here}, ", tell)
        kind = _text(fields.get("type"), f"{here}, type", tell)
        if kind not in BUTTONS:
            tell(each, f"{here}: type must be one of {', '.join(BUTTONS)}")
            continue
        part = VALUES.get(cast("ButtonKind", kind), "")
        value = fields.get(part)
        if part == "example" and isinstance(value, yaml.SequenceNode) and len(value.value) == 1:
            value = value.value[0]
        yield Button(cast("ButtonKind", kind), _text(fields.get("text"), f"{here}, text", tell), _text(value, f"{here}, {part}", tell))


def _examples(top: Mapping[str, yaml.Node], tell: _Told) -> dict[str, str]:
    if "examples" not in top:
        return {}
    fields = _fields(top["examples"], (), "examples.", tell)
    return {name: _text(node, f"examples.{name}", tell) for name, node in fields.items()}


def _check_examples(definition: Definition, node: yaml.Node, tell: Any) -> None:
    """Missing ones are refused by a push only, since what was pulled has none; see `lacking`."""
    if missing := lacking(definition):
        tell(node, f"examples: none for {', '.join(missing)}, which a push needs for Meta's review", sure=False)
    if spare := sorted(set(definition.examples) - definition.variables):
        tell(node, f"examples: no text has a variable {', '.join(spare)}", sure=False)


def lacking(definition: Definition) -> list[str]:
    """Return the variables that have no example, or a blank one."""
    return sorted(name for name in definition.variables if not definition.examples.get(name, "").strip())


def owners(catalogue: Catalogue) -> dict[str, tuple[Definition, str]]:
    """Return the definition and language of each of the platform's names."""
    return {name: (definition, code) for definition in catalogue.values() for name, code in definition.variants.items()}


def family(name: str, language: str | None) -> str | None:
    """Return the plain name of a template whose platform name ends in its language, by the rule of `platform_name`; else None."""
    if not language:
        return None
    ending = platform_name("", language, first=False)
    return re.sub(f"{re.escape(ending)}$", "", name, flags=re.IGNORECASE) if name.lower().endswith(ending) and name != ending else None


def _button(button: Button) -> dict[str, object]:
    text = {"text": button.text} if button.text else {}
    return {"type": button.kind, **text, **({VALUES[button.kind]: button.value} if button.kind in VALUES else {})}
