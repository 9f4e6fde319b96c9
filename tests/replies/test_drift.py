"""Definitions and the platform compared: steps of a push, the diff, what a pull writes."""

from collections.abc import Mapping

import orjson
import pytest
from hypothesis import given

from pilotbot.platform.responses import TemplateInfo, template
from pilotbot.replies.catalogue import Button, Definition, Header, Wording
from pilotbot.replies.definitions import read_catalogue
from pilotbot.replies.drift import plan, pulled, there
from tests.replies.test_catalogue import WORDINGS

FILE = """\
name: hello
category: UTILITY
languages:
  en:
    body: Hello {{name}}.
    footer: The shop
  pt_BR:
    body: Oi {{name}}.
examples: {name: Ana}
"""


def defined(text: str = FILE) -> dict[str, Definition]:
    catalogue, flaws = read_catalogue([("templates/hello.yaml", text)])
    assert not [flaw for flaw in flaws if flaw.sure]
    return catalogue


def info(name: str, body: object, **more: object) -> TemplateInfo:
    return template({"id": f"tpl_{name}", "name": name, "category": "UTILITY", "metaLanguage": "en", "body": body, **more})


EN = {"header": {"type": "NONE"}, "body": {"text": "Hello {{name}}."}, "footer": {"text": "The shop"}, "buttons": []}
PT = {"body": {"text": "Oi {{name}}."}}


def whats(infos: list[TemplateInfo], text: str = FILE) -> dict[str, tuple[str, str | None]]:
    return {step.name: (step.what, step.id) for step in plan(defined(text), infos)}


def test_what_a_push_does() -> None:
    assert whats([]) == {"hello": ("create", None), "hello_pt_br": ("create", None)}
    assert whats([info("hello", EN), info("hello_pt_br", PT, metaLanguage="pt-br")]) == {
        "hello": ("same", "tpl_hello"), "hello_pt_br": ("same", "tpl_hello_pt_br"),
    }  # fmt: skip
    changed = EN | {"footer": {"text": "Another shop"}}
    assert whats([info("hello", changed), info("other", "x")])["hello"] == ("version", "tpl_hello")
    assert whats([info("hello", EN, metaLanguage="de")])["hello"] == ("version", "tpl_hello")


@pytest.mark.parametrize("shape", [EN, orjson.dumps(EN).decode()])
def test_the_body_comes_in_several_shapes(shape: object) -> None:
    assert whats([info("hello", shape)])["hello"][0] == "same"
    assert whats([info("hello", "Hello {{name}}.", components=EN)])["hello"][0] == "same"
    newest = {"id": "tpl_hello", "name": "hello", "category": "UTILITY", "latestVersion": {"body": shape, "metaStatus": "PENDING"}}
    assert whats([template(newest)])["hello"][0] == "same"
    assert template(newest).meta_status == "PENDING"


def test_where_only_the_text_is_told_the_rest_is_not_compared() -> None:
    assert whats([info("hello", "Hello {{name}}.")])["hello"] == ("same", "tpl_hello")
    assert whats([info("hello", "Hi {{name}}.")])["hello"] == ("version", "tpl_hello")


def test_the_category_is_fixed() -> None:
    (step, _) = plan(defined(), [info("hello", EN, category="MARKETING")])
    assert step.what == "refused"
    assert step.problem == "its category is MARKETING on the platform for good, not UTILITY: give the template another name"


def test_without_examples_nothing_is_pushed_that_differs() -> None:
    text = FILE.replace("examples: {name: Ana}\n", "")
    (same, new) = plan(defined(text), [info("hello", EN)])
    assert same.what == "same"
    assert (new.what, new.problem) == ("refused", "examples: there is none for name (TEMPLATE_EXAMPLES_REQUIRED): add it")


def test_the_diff_is_of_yaml_and_names_both_sides() -> None:
    (step, _) = plan(defined(), [info("hello", EN | {"body": {"text": "Hi {{name}}."}})])
    assert step.diff == (
        "--- hello on the platform", "+++ templates/hello.yaml:5", "@@ -1,4 +1,4 @@", " category: UTILITY", " language: en",
        "-body: Hi {{name}}.", "+body: Hello {{name}}.", " footer: The shop",
    )  # fmt: skip


def test_a_pull_writes_what_differs_into_its_file_and_keeps_what_the_platform_does_not_tell() -> None:
    (found,) = pulled(defined(), [info("hello", "Hi {{name}}.")], language="pt_BR")
    assert found.file == "templates/hello.yaml"
    assert found.languages == {"en": Wording("Hi {{name}}.", None, "The shop"), "pt_BR": Wording("Oi {{name}}.")}
    assert found.examples == {"name": "Ana"}
    assert pulled(defined(), [info("hello", EN)], language="pt_BR") == []


def test_a_pull_puts_languages_of_one_template_together() -> None:
    infos = [info("bye_pt_br", PT, metaLanguage="pt_BR"), info("bye", EN), info("bye_es", "x", category="MARKETING", metaLanguage="es")]
    found = {definition.name: definition for definition in pulled({}, infos, language="pt_BR")}
    assert {name: list(definition.languages) for name, definition in found.items()} == {"bye": ["en", "pt_BR"], "bye_es": ["es"]}
    assert found["bye"].variants == {"bye": "en", "bye_pt_br": "pt_BR"}


def test_where_the_platform_tells_no_language_the_usual_one_is_taken() -> None:
    (found,) = pulled({}, [info("bye", "Tchau.", metaLanguage=None)], language="pt_BR")
    assert found.languages == {"pt_BR": Wording("Tchau.")}


def test_after_a_pull_nothing_differs() -> None:
    infos = [info("hello", "Changed {{name}}."), info("hello_pt_br", PT, metaLanguage="pt_BR"), info("new", EN)]
    found = {definition.name: definition for definition in pulled(defined(), infos, language="pt_BR")}
    assert {step.what for step in plan({**defined(), **found}, infos)} == {"same"}


def test_a_file_may_stand_under_any_name_in_a_header() -> None:
    def header(block: Mapping[str, object]) -> Header | None:
        return there(info("a", {"header": block, "body": {"text": "x"}})).wording.header

    assert header({"type": "IMAGE", "media": "https://a.example/i.png"}) == Header("IMAGE", "https://a.example/i.png")
    assert header({"type": "IMAGE"}) is None
    assert header({"text": "A shop"}) == Header("TEXT", "A shop")


@given(WORDINGS)
def test_what_is_pushed_is_what_is_read(wording: Wording) -> None:
    assert there(info("a", wording.components())).wording == wording


def test_buttons_of_unknown_kinds_are_left_out() -> None:
    buttons = [{"type": "FLOW", "text": "Go"}, {"type": "COPY_CODE", "text": "Copy", "example": "A1"}, "odd"]
    assert there(info("a", {"body": "x", "buttons": buttons})).wording.buttons == (Button("COPY_CODE", "Copy", "A1"),)
