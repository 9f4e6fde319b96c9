"""S4, S7, S14: what the source must not hold, read as a tree; each gate is shown a sample that it must find."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "pilotbot").rglob("*.py"))
SECRET = re.compile(r"(^|_)(secrets?|signatures?|tokens?|digest|hmac|passwords?|api_?keys?|claims?)($|_)", re.IGNORECASE)
NO_SECRETS = {
    "engine/store.py": "the fencing token of a lease: a number, which opens nothing to anybody",
    "server/pool.py": "the same",
    "server/sender.py": "the same",
    "sandbox/idempotency.py": "the digest of a body",
    "sandbox/lifecycle.py": "the token of a flow, by which an answer names its message",
    "testing/wording.py": "the tokens of a pattern",
}


def names(node: ast.AST) -> Iterator[str]:
    """What an expression is called: its variables, attributes, calls and literal keys."""
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.Subscript(slice=ast.Constant(value=str(name))):
                yield name.replace("-", "_")
            case ast.Call(func=ast.Attribute(attr="get" | "getall" | "getone"), args=[ast.Constant(value=str(name)), *_]):
                yield name.replace("-", "_")


def quick_comparisons(source: str) -> list[int]:
    """The lines that compare something called a secret by `==`, `!=`, `in` or `match`, so that time tells how much was right.

    Whether there is one at all (`is None`, `== ()`, `(x is None) == (y is None)`) may be asked.
    """
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(ops=ops):
                sides = [node.left, *node.comparators]
                quick = any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in ops)
                if (
                    quick
                    and not any(no_secret(side) for side in sides)
                    and any(SECRET.search(name) for side in sides for name in names(side))
                ):
                    found.append(node.lineno)
            case ast.Match(subject=subject) if any(SECRET.search(name) for name in names(subject)):
                found.append(node.lineno)
    return sorted(found)


def no_secret(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) or ast.unparse(node) in {"()", "[]", "''", "b''", "None", "0"}


def place(path: Path) -> str:
    return path.relative_to(ROOT / "pilotbot").as_posix()


def test_constant_time_gate_finds_what_it_is_for() -> None:
    sample = """
def check(given, secret, request, settings):
    if given == secret: pass
    if request.headers["x-signature"] != given: pass
    if given in settings.webhook_secrets: pass
    if sign(secret, b"") == given: pass
    if request.query.get("token") == given: pass
    match settings.api_key:
        case given: pass
    if settings.webhook_secret == (): pass
    if settings.webhook_token is None: pass
    if (settings.api_key is None) == (settings.webhook_token is None): pass
    if hmac.compare_digest(given, secret): pass
    if given == b"": pass
    if status == 200: pass
"""
    assert quick_comparisons(sample) == [3, 4, 5, 6, 7, 8]


def test_constant_time_no_secret_is_compared_quickly() -> None:
    found = {place(path): lines for path in SOURCES if (lines := quick_comparisons(path.read_text("utf-8")))}
    assert {name: lines for name, lines in found.items() if name not in NO_SECRETS} == {}
    assert set(NO_SECRETS) <= set(found), "an exception that is not needed any more"


MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
CALLS = {"eval", "exec", "compile"}
YAML = {"load", "load_all", "unsafe_load", "full_load", "unsafe_load_all", "full_load_all", "Loader", "FullLoader", "UnsafeLoader"}


def code_from_data(source: str) -> list[int]:
    """The lines that could make code or objects of data."""
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases) if any(alias.name.split(".")[0] in MODULES for alias in aliases):
                found.append(node.lineno)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                found.append(node.lineno)
            case ast.ImportFrom(module="yaml", names=aliases) if any(alias.name in YAML for alias in aliases):
                found.append(node.lineno)
            case ast.Attribute(value=ast.Name(id="yaml"), attr=attr) if attr in YAML:
                found.append(node.lineno)
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found.append(node.lineno)
            case ast.Call(func=ast.Attribute(attr="import_module" | "__import__"), args=[ast.Constant(value=str(name)), *_]) if (
                name in MODULES
            ):
                found.append(node.lineno)
            case ast.Call(keywords=keywords) if any(
                keyword.arg == "shell" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True for keyword in keywords
            ):
                found.append(node.lineno)
    return sorted(set(found))


def test_no_pickle_gate_finds_what_it_is_for() -> None:
    sample = """
import pickle
from marshal import loads
import os, shelve
import yaml
yaml.load(data)
yaml.load(data, Loader=yaml.UnsafeLoader)
yaml.safe_load(data)
eval(data)
exec(data)
from yaml import full_load
run(data, shell=True)
re.compile(data)
bot.eval(data)
importlib.import_module("pickle")
"""
    assert code_from_data(sample) == [2, 3, 4, 6, 7, 9, 10, 11, 12, 15]


def test_no_pickle_no_code_is_made_of_data() -> None:
    found = {place(path): lines for path in SOURCES if (lines := code_from_data(path.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize(("name", "floor"), [("aiohttp", "3.14.1"), ("jinja2", "3.1.6")])
def test_dependency_floors(name: str, floor: str) -> None:
    """S7: below these are known holes. Both what is required and what is installed is at or above."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        required = [Requirement(line) for line in tomllib.load(file)["project"]["dependencies"]]
    (ours,) = [requirement for requirement in required if requirement.name == name]
    lowest = [Version(part.version) for part in ours.specifier if part.operator == ">="]
    assert lowest
    assert max(lowest) >= Version(floor)
    assert Version(version(name)) >= Version(floor)
