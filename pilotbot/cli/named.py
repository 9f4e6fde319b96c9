"""The templates that a bot's code names, with file and line, held against their definitions and against the platform."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType

from pilotbot.bot import Bot
from pilotbot.cli.reading import Finding, bindings, modules_of, tree_of
from pilotbot.platform import TemplateInfo
from pilotbot.replies import Template
from pilotbot.replies.catalogue import Catalogue
from pilotbot.target import relative


@dataclass(frozen=True, slots=True)
class Named:
    """A template that code names at `file:line`: `name` is None where it is computed, `given` where its variables are."""

    where: str
    name: str | None
    given: frozenset[str] | None


def named_templates(bot: Bot) -> list[Named]:
    """Every `Template(...)` in the author's modules of a bot: in messages, handlers, schedules, at module level."""
    return [
        named
        for module in modules_of(bot)
        if (tree := tree_of(module)) is not None
        for named in read_templates(tree, vars(module), relative(str(module.__file__)))
    ]


def read_templates(tree: ast.Module, names: Mapping[str, object], file: str) -> Iterator[Named]:
    """Every `Template(...)` of a module; `names` are the loaded module's."""
    bound = Counter(bindings(tree))

    def value(node: ast.expr) -> object:
        match node:
            case ast.Constant(value=found):
                return found
            case ast.Name(id=name) if bound[name] == 1:
                return names.get(name)
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if bound[name] == 1:
                module = names.get(name)
                return vars(module).get(attr) if isinstance(module, ModuleType) else None
        return None

    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and value(node.func) is Template)
    for node in sorted(calls, key=lambda call: call.lineno):
        name = value(node.args[0]) if len(node.args) == 1 else None
        words = [word.arg for word in node.keywords]
        given = None if None in words else frozenset(word for word in words if word is not None)
        yield Named(f"{file}:{node.lineno}", name if isinstance(name, str) else None, given)


def against_definitions(named: Sequence[Named], catalogue: Catalogue) -> Iterator[Finding]:
    """What is wrong with the templates that code names, by the definitions beside it; nothing where there are none."""
    if not catalogue:
        return
    variants = {variant: definition for definition in catalogue.values() for variant in (definition.name, *definition.variants)}
    for one in named:
        definition = variants.get(one.name) if one.name is not None else None
        if one.name is None:
            yield Finding(one.where, "the name of the template is computed, so that nothing is checked of it", sure=False)
        elif definition is None:
            close = get_close_matches(one.name, variants, n=1)
            hint = f"did you mean {close[0]}?" if close else "pilotbot templates pull writes what the platform has"
            yield Finding(one.where, f"template {one.name} is not defined beside the bot; {hint}", sure=False)
        else:
            direct = definition.variants.get(one.name) if one.name != definition.name else None
            needs = frozenset(definition.languages[direct].variables) if direct is not None else definition.variables
            yield from _filled(one, sorted(needs), f"as {definition.file} defines it")
            if spare := sorted((one.given or frozenset()) - needs):
                yield Finding(one.where, f"template {one.name} has no {' or '.join(spare)}", sure=False)


def against_platform(
    named: Sequence[Named], catalogue: Catalogue, infos: Sequence[TemplateInfo], number: str, *, meta: bool
) -> Iterator[Finding]:
    """What is wrong with the templates that code names, by what the platform has on a number. `meta`: whether that is Meta's."""
    known = {info.name: info for info in infos} | {info.id: info for info in infos}
    for one in named:
        if one.name is None:
            yield Finding(one.where, "the name of the template is computed, so that nothing is checked of it", sure=False)
            continue
        definition = catalogue.get(one.name)
        for at, name in enumerate(definition.variants if definition is not None else (one.name,)):
            info = known.get(name)
            problem = "there is no such template" if info is None else info.problem(meta=meta)
            if problem is not None:
                place = "; another language goes in its place" if at else ""
                yield Finding(one.where, f"template {name} on number {number}: {problem}{place}", sure=not at)
            if info is not None:
                yield from _filled(one, info.variables, f"as number {number} has {name}")


def _filled(one: Named, needs: Sequence[str], source: str) -> Iterator[Finding]:
    missing = [name for name in needs if name not in one.given] if one.given is not None else []
    if missing:
        words = ", ".join(f"{name}=..." for name in missing)
        yield Finding(
            one.where, f"template {one.name} needs {' and '.join(missing)}, {source}: write Template({one.name!r}, {words})", sure=True
        )
