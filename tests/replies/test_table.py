"""The decision table of design section 6: each row is written down once more here, and the sandbox judges every cell."""

import sys
from pathlib import Path
from subprocess import run

import orjson
import pytest

from pilotbot.replies import ContentError, choose, render, window_enforced
from pilotbot.replies.table import CONTACTS, CONTENTS, OTHERS, Situation, cell
from tests.replies.judge import refusal

PAGE = Path(__file__).parents[2] / "docs/modes.md"
TEXT, NUMBERED, BUTTONS, LIST, MEDIA, CAPTION = "`text`", "`text` (numbered)", "`buttons`", "`list`", "`media`", "`media` (caption)"
ABOVE, MORE, BOTH, BADLY = (
    "`buttons` (image above)",
    "`list` (9 options and more)",
    "`buttons` (text above, footer)",
    "refused: `VALIDATION_ERROR`",
)
ONE_BY_ONE, CAPTIONED_NUMBERS = f"{MEDIA}, then {TEXT}", "`media` (caption, numbered)"
TEMPLATE, REFUSED = "`template`", "refused"

# content: contact of Meta or Evolution v2, of Evolution GO, of Evolution v2 without lists; group or newsletter, of Evolution GO
ROWS = {
    "text": (TEXT, TEXT, TEXT, TEXT, TEXT),
    "text of 5,000 characters": (f"{TEXT}, then {TEXT}",) * 5,
    "text, 1 to 3 options of at most 20 characters": (BUTTONS, BUTTONS, BUTTONS, NUMBERED, NUMBERED),
    "1 to 3 options, header and footer": (BOTH, BOTH, BOTH, NUMBERED, NUMBERED),
    "text of 2,000 characters, options, header": (*((f"{TEXT}, then {BUTTONS}",) * 3), NUMBERED, NUMBERED),
    "text, 1 to 3 options of 21 to 24": (LIST, LIST, NUMBERED, NUMBERED, NUMBERED),
    "text, 4 to 10 options": (LIST, LIST, NUMBERED, NUMBERED, NUMBERED),
    "4 to 10 options, header and footer": (LIST, LIST, NUMBERED, NUMBERED, NUMBERED),
    "text, options with descriptions": (LIST, LIST, NUMBERED, NUMBERED, NUMBERED),
    "text, options in sections": (LIST, LIST, NUMBERED, NUMBERED, NUMBERED),
    "text, more than 10 options": (MORE, MORE, NUMBERED, NUMBERED, NUMBERED),
    "text, options of more than 24 characters": (NUMBERED,) * 5,
    "text, 1 to 3 links": (*(("`buttons` (url, copy)",) * 3), TEXT, TEXT),
    "text, options and links": (BUTTONS, BUTTONS, BUTTONS, NUMBERED, NUMBERED),
    "image, video, document": (MEDIA,) * 5,
    "the same, header and footer": (CAPTION,) * 5,
    "the same, text": (CAPTION,) * 5,
    "the same, text of more than 1,024 characters": (ONE_BY_ONE,) * 5,
    "the same, text, 1 to 3 options": (ABOVE, ABOVE, ABOVE, CAPTIONED_NUMBERS, CAPTIONED_NUMBERS),
    "the same, text of 2,000 characters, options": (
        *((f"{ONE_BY_ONE}, then {BUTTONS}",) * 3),
        *((f"{MEDIA}, then {NUMBERED}",) * 2),
    ),
    "the same, text, 4 options": (f"{MEDIA}, then {LIST}", f"{MEDIA}, then {LIST}", *((CAPTIONED_NUMBERS,) * 3)),
    "image as data, text": (CAPTION, BADLY, CAPTION, CAPTION, BADLY),
    "image as data, text, options": (f"{MEDIA}, then {BUTTONS}", BADLY, f"{MEDIA}, then {BUTTONS}", CAPTIONED_NUMBERS, BADLY),
    "image as data with a URL, text, options": (ABOVE, ABOVE, ABOVE, CAPTIONED_NUMBERS, CAPTIONED_NUMBERS),
    "audio, voice or sticker, text": (ONE_BY_ONE,) * 5,
    "audio, voice or sticker, text, options": (*((f"{MEDIA}, then {BUTTONS}",) * 3), *((f"{MEDIA}, then {NUMBERED}",) * 2)),
    "carousel": ("`carousel`", "`carousel`", "`carousel`", REFUSED, REFUSED),
    "WhatsApp Flow": ("`flow`", "`flow`", "`flow`", REFUSED, REFUSED),
    "text and a template": (TEXT,) * 5,
    "text, options, image and a template": (ABOVE, ABOVE, ABOVE, CAPTIONED_NUMBERS, CAPTIONED_NUMBERS),
    "document and a template": (MEDIA,) * 5,
    "a template alone": (TEMPLATE, TEMPLATE, TEMPLATE, REFUSED, REFUSED),
}


def expected(name: str, situation: Situation) -> str:
    usual, by_go, without_lists, elsewhere, elsewhere_by_go = ROWS[name]
    if situation.kind == "meta" and situation.to.kind == "newsletter":
        return "refused: `NOT_SUPPORTED_FOR_META`"
    if not situation.open:
        return TEMPLATE if "template" in name else "waits"
    if situation.to.kind != "contact":
        return elsewhere_by_go if situation.kind == "evolution_go" else elsewhere
    if not situation.lists:
        return without_lists
    return by_go if situation.kind == "evolution_go" else usual


def test_no_row_is_missing() -> None:
    assert set(ROWS) == set(CONTENTS)


@pytest.mark.parametrize("name", CONTENTS)
def test_a_row_is_as_it_should_be(name: str) -> None:
    for situation in (*CONTACTS, *OTHERS):
        assert cell(CONTENTS[name], situation) == expected(name, situation), situation.name


@pytest.mark.parametrize("name", CONTENTS)
def test_the_sandbox_sends_what_the_table_says(name: str) -> None:
    for situation in (*CONTACTS, *OTHERS):
        try:
            parts = render(CONTENTS[name], to=situation.to, kind=situation.kind, lists=situation.lists).parts
        except ContentError:
            continue
        goes = choose(
            has_free=parts[0].free is not None, has_template=parts[0].template is not None, window_open=situation.open,
            enforced=window_enforced(situation.kind, situation.to), closed_policy="defer",
        )  # fmt: skip
        if goes not in {"free", "template"}:
            continue
        for part in parts if goes == "free" else parts[:1]:
            request = part.free if goes == "free" else part.template
            assert request is not None
            body = orjson.loads(request.to_bytes())
            assert refusal(body, situation.kind, window_open=situation.open, variables=("order_id",)) is None, situation.name


def test_the_page_is_up_to_date() -> None:
    made = run([sys.executable, "-m", "pilotbot.replies.table"], capture_output=True, text=True, check=True).stdout
    assert PAGE.read_text("utf-8") == made, "run: python -m pilotbot.replies.table > docs/modes.md"
