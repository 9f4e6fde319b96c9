"""The templates that code names: found wherever they stand, held against definitions and the platform."""

import ast
from typing import Any

import pytest

from pilotbot.cli.named import Named, against_definitions, against_platform, read_templates
from pilotbot.cli.reading import Finding
from pilotbot.platform.responses import TemplateInfo, template
from pilotbot.replies.catalogue import Definition, Wording

HEAD = "import pilotbot\nfrom pilotbot import Message, Template\n"


def read(code: str) -> list[Named]:
    names: dict[str, object] = {"__name__": "shop"}
    exec(compile(HEAD + code, "shop.py", "exec"), names)
    return list(read_templates(ast.parse(HEAD + code), names, "shop.py"))


@pytest.mark.parametrize(
    ("code", "name", "given"),
    [
        ('T = Template("a", x="1")', "a", {"x"}),
        ('M = Message("hi", template=Template("a", x="1", y="2"))', "a", {"x", "y"}),
        ('def f(): return pilotbot.Template("a")', "a", set()),
        ('N = "a"\ndef f(): return Template(N)', "a", set()),
        ('def f(n): return Template(n, x="1")', None, {"x"}),
        ('def f(**more): return Template("a", x="1", **more)', "a", None),
        ('N = "a"\nN = "b"\ndef f(): return Template(N)', None, set()),
    ],
)
def test_a_template_is_found_where_it_is_made(code: str, name: str | None, given: set[str] | None) -> None:
    line = 3 + code.partition("Template(")[0].count("\n")
    assert read(code) == [Named(f"shop.py:{line}", name, None if given is None else frozenset(given))]


def test_what_is_no_template_is_passed_over() -> None:
    assert read("def Other(n): return n\nx = Other('a')\ndef f(Template): return Template('a')") == []


WORDINGS = {"en": Wording("Hi {{name}}."), "pt_BR": Wording("Oi {{name}}, {{day}}.")}
CATALOGUE = {
    "hello": Definition(
        "hello",
        "UTILITY",
        {"en": Wording("Hi {{name}}."), "pt_BR": Wording("Oi {{name}}, {{day}}.")},
        {},
        "t/hello.yaml",
        {"en": 4, "pt_BR": 6},
    )
}


def named(name: str | None, *given: str) -> list[Named]:
    return [Named("shop.py:1", name, frozenset(given))]


@pytest.mark.parametrize(
    ("one", "text", "sure"),
    [
        (named("hello", "name", "day"), None, False),
        (named("hello_pt_br", "name", "day"), None, False),
        (named("hello", "name"), "template hello needs day, as t/hello.yaml defines it: write Template('hello', day=...)", True),
        (named("hello", "name", "day", "hour"), "template hello has no hour", False),
        (named("helo", "name"), "template helo is not defined beside the bot; did you mean hello?", False),
        (named(None), "the name of the template is computed, so that nothing is checked of it", False),
        ([Named("shop.py:1", "hello", None)], None, False),
    ],
)
def test_against_definitions(one: list[Named], text: str | None, sure: bool) -> None:
    assert list(against_definitions(one, CATALOGUE)) == ([] if text is None else [Finding("shop.py:1", text, sure)])
    assert list(against_definitions(one, {})) == []


def info(name: str, *variables: str, **more: Any) -> TemplateInfo:
    known = {"id": f"tpl_{name}", "name": name, "source": "META", "metaStatus": "APPROVED", "variables": list(variables)}
    return template(known | more)


@pytest.mark.parametrize(
    ("infos", "meta", "found"),
    [
        ([info("hello", "name"), info("hello_pt_br", "name")], True, []),
        ([info("hello", "name", metaStatus="PENDING"), info("hello_pt_br")], True, [("hello", True)]),
        ([info("hello", "name", metaStatus="PENDING"), info("hello_pt_br")], False, []),
        ([info("hello", "name", source="PILOT_STATUS"), info("hello_pt_br")], True, [("hello", True)]),
        ([info("hello", "name", "day"), info("hello_pt_br")], True, [("hello", True)]),
        ([info("hello", "name")], True, [("hello_pt_br", False)]),
        ([], True, [("hello", True), ("hello_pt_br", False)]),
    ],
)
def test_against_the_platform(infos: list[TemplateInfo], meta: bool, found: list[tuple[str, bool]]) -> None:
    findings = list(against_platform(named("hello", "name"), CATALOGUE, infos, "main", meta=meta))
    assert [(one.text.split()[1], one.sure) for one in findings] == found


def test_a_template_may_be_named_by_its_id() -> None:
    assert list(against_platform(named("tpl_hello", "name"), {}, [info("hello", "name")], "main", meta=True)) == []
