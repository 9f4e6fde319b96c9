"""A message that was sent, as it is given back to the handlers of its statuses and shown by `pilotbot message`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson

from pilotbot.platform.codes import Failure, FailureFamily
from pilotbot.platform.failures import failure
from pilotbot.replies.actions import Option

MODES: Final = ("template", "media", "buttons", "list", "carousel", "flow", "text")
"""How a message can go, beginning with what its body has beside a text (contract 3.1)."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What the body of a post says: how it goes, and what is in it."""

    mode: str
    template: str | None = None
    text: str | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message of ours, and what became of it.

    Attributes:
        id: as the platform calls it.
        mode: how it went: "text", "buttons", "list", "media", "carousel", "flow" or "template".
        template: the template's name, where it went as one.
        text: what it said, or its caption; None where it is not kept any more, or went as a template.
        variables: those of the template.
        options: what it offered, each with its action.
        statuses: when each was reached (aware, UTC), in the order of time: "accepted", "sent", "delivered", "read", "failed".
        status: the one that counts: the furthest, where a receipt is further than a failure; None before the first.
        error_code: the platform's code of a failure, also of one that a late receipt overruled.
        cause: the id of the event that it was said in, with the event's name where that is no message; None outside a turn.
        cost: the category that WhatsApp billed it as, where that is known.
    """

    id: str
    mode: str
    template: str | None = None
    text: str | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: tuple[Option, ...] = field(default=(), repr=False)
    statuses: Mapping[str, datetime] = field(default_factory=dict)
    status: str | None = None
    error_code: str | None = None
    cause: str | None = None
    cost: str | None = None

    @property
    def failure(self) -> FailureFamily | None:
        """What kind of failure it was (docs/failures.md); None where it did not fail."""
        return self._failed.family if self._failed is not None else None

    @property
    def meaning(self) -> str | None:
        """What happened, in a sentence; None where it did not fail."""
        return self._failed.meaning if self._failed is not None else None

    @property
    def remedy(self) -> str | None:
        """What is to be done about it, in a sentence; None where it did not fail."""
        return self._failed.remedy if self._failed is not None else None

    @property
    def _failed(self) -> Failure | None:
        return failure(self.error_code) if self.status == "failed" or "failed" in self.statuses else None


def read_posted(body: bytes) -> Posted:
    """Read the body of a post, tolerantly: it may be of another version. What is no JSON is a text that says nothing."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        return Posted("text")
    mode = next((mode for mode in MODES if ("templateId" if mode == "template" else mode) in said), "text")
    variables = said.get("variables")
    return Posted(
        mode,
        template=_string(said.get("templateId")),
        text=_string(said.get("text")) or _string(said.get("caption")),
        variables={str(name): str(value) for name, value in variables.items()} if isinstance(variables, dict) else {},
        labels=tuple(label for label in map(_label, _shown(said)) if label),
    )


def _shown(said: Mapping[str, object]) -> list[object]:
    """Buttons, or the rows of all sections of a list."""
    block = said.get("list")
    sections = _list(block.get("sections")) if isinstance(block, dict) else []
    return _list(said.get("buttons")) or [row for section in sections if isinstance(section, dict) for row in _list(section.get("rows"))]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _label(shown: object) -> str | None:
    return _string(shown.get("label") or shown.get("title")) if isinstance(shown, dict) else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
