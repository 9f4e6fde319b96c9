"""What the definitions' checks let pass, the sandbox takes, and what they refuse by the contract it refuses: two readings of contract 6."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st

from pilotbot.replies.catalogue import Button, Header, Wording, check
from pilotbot.sandbox import api_templates
from pilotbot.sandbox.errors import ApiError
from pilotbot.sandbox.schemas import TemplateWrite

PIECES = st.sampled_from(["Hello ", "{{name}}", "{{ day }}", "\n", ".", "\U0001f389", "x" * 30, "á", " ", "4242"])
TEXTS = st.lists(PIECES, min_size=1, max_size=5).map("".join).map(str.strip).filter(bool)
URLS = st.lists(
    st.sampled_from(["https://", "http://", "a.example", "/", "{{name}}", "?q=", "path", "#", " "]), min_size=1, max_size=5
).map("".join)  # fmt: skip
BUTTONS = st.one_of(
    st.builds(Button, st.just("QUICK_REPLY"), TEXTS),
    st.builds(Button, st.just("URL"), st.just("Go"), URLS),
    st.builds(Button, st.just("COPY_CODE"), st.just(""), st.sampled_from(["A1", "A 1", "A" * 15, "A" * 16, ""])),
    st.builds(Button, st.just("PHONE_NUMBER"), st.just("Call"), st.sampled_from(["+5511987650001", ""])),
)
WORDINGS = st.builds(
    Wording,
    TEXTS,
    st.none() | st.builds(Header, st.just("TEXT"), TEXTS) | st.just(Header("IMAGE", "https://a.example/i.png")),
    st.just("") | TEXTS,
    st.lists(BUTTONS, max_size=11).map(tuple),
)
OURS_ALONE = ("text holds a variable",)
"""What the contract leaves open, and no peer of it does."""


def refused(wording: Wording) -> str | None:
    """Why the sandbox does not take it for a Meta number, if so."""
    wanted: Any = TemplateWrite.model_validate(
        {"name": "a", "category": "UTILITY", "body": wording.components(), "examples": dict.fromkeys(wording.variables, "x")}
    )
    try:
        api_templates._version(wanted, _META, _PARTS)
    except (ApiError, web.HTTPException) as error:
        return str(error) or type(error).__name__
    return None


_PARTS: Any = SimpleNamespace(settings=SimpleNamespace(template_approval="manual"), clock=SimpleNamespace(now_ms=lambda: 0))
_META: Any = SimpleNamespace(kind="meta")


@given(WORDINGS)
@example(Wording("Hello.", buttons=(Button("URL", "Go", "https://a.example/{{name}}"),)))
@example(Wording("Hello.", buttons=(Button("URL", "Go", "https://a.example/{{name}}path"),)))
@example(Wording("Hello.", buttons=(Button("COPY_CODE", "", "A1"), Button("COPY_CODE", "", "B2"))))
def test_both_readings_agree(wording: Wording) -> None:
    flaws: list[str] = []
    check(wording, lambda place, problem: flaws.append(f"{place}: {problem}"))
    if not [flaw for flaw in flaws if not any(own in flaw for own in OURS_ALONE)]:
        assert refused(wording) is None
    else:
        assert refused(wording) is not None, flaws


@pytest.mark.parametrize("body", ["{{a}} hello", "hello {{a}}"])
def test_the_judge_judges(body: str) -> None:
    assert refused(Wording(body)) is not None
