"""The phone's files as text: nothing inline, nothing from elsewhere, nothing that parses markup, no word untranslated."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

PHONE = Path(str(files("pilotbot.sandbox").joinpath("phone")))
SCRIPTS = {path.name: path.read_text("utf-8") for path in sorted(PHONE.glob("*.js"))}
PAGE = (PHONE / "index.html").read_text("utf-8")
LISTS = [text.split(" = {\n", 1)[1].split("\n};")[0] for name, text in SCRIPTS.items() if name == "i18n.js" or name.startswith("words")]
WORDS = [word for words in LISTS for word in re.findall(r"^ {2}(\w+): \[\s*\"", words, re.MULTILINE)]


def test_the_page_names_only_files_that_exist() -> None:
    named = re.findall(r'(?:src|href)="([^"]+)"', PAGE)
    assert named
    for name in named:
        assert name.startswith("/phone/")
        assert (PHONE / name.removeprefix("/phone/")).is_file()


@pytest.mark.parametrize("name", SCRIPTS)
def test_imports_name_only_files_that_exist(name: str) -> None:
    for module in re.findall(r'from "\./([^"]+)"', SCRIPTS[name]):
        assert (PHONE / module).is_file()


def test_the_page_has_no_inline_script_style_or_listener() -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", PAGE)
    assert re.findall(r"<script[^>]*>", PAGE) == ['<script type="module" src="/phone/main.js">']


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_never_parse_markup_or_code(name: str) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function", SCRIPTS[name])


def test_each_word_has_two_languages() -> None:
    entries = [entry for words in LISTS for entry in re.split(r"^ {2}\w+: \[", words, flags=re.MULTILINE)[1:]]
    assert len(entries) == len(WORDS) == len(set(WORDS)) > 200
    for entry in entries:
        assert len(re.findall(r'"(?:[^"\\]|\\.)+"', entry)) == 2, entry


def test_each_word_used_exists() -> None:
    used = set(re.findall(r'data-t(?:-label)?="(\w+)"', PAGE))
    for text in SCRIPTS.values():
        used |= set(re.findall(r'\bt\("(\w+)"', text))
    assert used - set(WORDS) == set()
